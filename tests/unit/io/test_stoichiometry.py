"""Stoichiometries: numbers, formulas, and species references that something sets."""

from __future__ import annotations

import pytest
from sbml_text import assignment, at_level, event, line_of, math, model, parameter, reaction
from sbml_text import rule as rule_text
from sbml_text import species as species_text

import sbmlgrad as sg
from sbmlgrad.model.elements import SpeciesReference, Stoichiometry
from sbmlgrad.model.expression import Apply, Number, Symbol

K, N = Symbol("k"), Symbol("n")


def document(reactants: str = "", products: str = "", law: str = "k", **lists: list[str]) -> str:
    return model(
        reaction("J", law, reactants, products),
        species=[species_text("A"), species_text("B")],
        parameters=[parameter("k"), parameter("p", 2.0)],
        **lists,
    )


def refusals(text: str) -> list[tuple[str, str]]:
    return [(i.code, i.element) for i in sg.check(text) if i.blocks == {"ssa", "ode"}]


SETTERS = {
    "initial_assignment": {"assignments": [assignment("n", "2")]},
    "assignment_rule": {"rules": [rule_text("assignment", "n", "p")]},
    "rate_rule": {"rules": [rule_text("rate", "n", "k")]},
    "event": {"events": [event("E", "A < 5", "n", "3")]},
}


@pytest.mark.parametrize("lists", SETTERS.values(), ids=SETTERS)
@pytest.mark.parametrize("number", ["4", "?"])
def test_a_reference_that_something_sets_is_a_formula(
    lists: dict[str, list[str]], number: str
) -> None:
    network = sg.load(document(f"{number} A:n", "B", **lists))
    (found,) = network.reactions
    assert found.formulas == (Stoichiometry("A", N, is_product=False),)
    assert (found.reactants, found.products) == ({}, {"B": 1.0})
    (reference,) = network.references
    assert reference.id == "n"
    assert reference == SpeciesReference("n", 4.0) or (number == "?" and reference.value != 4.0)
    moved = {"rate_rule", "event"} & {name for name, value in SETTERS.items() if value is lists}
    assert network.variable_ids == (("n",) if moved else ())


def test_a_reference_that_nothing_sets_is_a_number_with_a_name() -> None:
    network = sg.load(document("2 A:n", "3 B:m A", law="k*n"))
    (found,) = network.reactions
    assert found.formulas == ()
    assert (found.reactants, found.products) == ({"A": 2.0}, {"B": 3.0, "A": 1.0})
    assert network.references == (SpeciesReference("n", 2.0), SpeciesReference("m", 3.0))
    assert found.rate_law == Apply("times", (K, N))


def test_several_references_to_one_species_are_summed() -> None:
    network = sg.load(document("2 A A:n", "", assignments=[assignment("n", "1")]))
    assert network.reactions[0].reactants == {"A": 2.0}
    assert network.reactions[0].formulas == (Stoichiometry("A", N, is_product=False),)


@pytest.mark.parametrize("version", [1, 2])
def test_a_stoichiometry_not_given_and_set_by_nothing(version: int) -> None:
    text = at_level(document("? A", "B"), 3, version)
    assert refusals(text) == [("variable_stoichiometry", "J/A")]
    (issue,) = [i for i in sg.check(text) if i.blocks]
    assert issue.line == line_of(text, '<speciesReference species="A"')


@pytest.mark.parametrize(
    "lists",
    [
        {"rules": [rule_text("assignment", "n", "")]},
        {"rules": [rule_text("rate", "n", "")]},
        {"assignments": [assignment("n", "")]},
        {"events": [event("E", "A < 5", "n", None)]},
    ],
)
def test_what_sets_it_without_a_formula_does_not_set_it(lists: dict[str, list[str]]) -> None:
    network = sg.load(at_level(document("2 A:n", "B", **lists), 3, 2))
    assert network.reactions[0].reactants == {"A": 2.0}
    assert network.reactions[0].formulas == ()
    unset = at_level(document("? A:n", "B", **lists), 3, 2)
    assert refusals(unset) == [("variable_stoichiometry", "J/A")]


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_formulas_of_level_2(version: int) -> None:
    text = at_level(document("A", "B"), 2, version)
    plain = '<speciesReference species="A" stoichiometry="1"/>'
    assert plain in text

    def with_formula(formula: str) -> str:
        inside = f"<stoichiometryMath>{math(formula)}</stoichiometryMath>"
        return text.replace(plain, f'<speciesReference species="A">{inside}</speciesReference>')

    (found,) = sg.load(with_formula("2*p")).reactions
    number = Apply("times", (Number(2.0), Symbol("p")))
    assert found.formulas == (Stoichiometry("A", number, is_product=False),)
    # A formula that is a number is a number.
    assert sg.load(with_formula("3")).reactions[0].reactants == {"A": 3.0}
    assert refusals(with_formula("zz")) == [("undefined_symbol", "J/A")]


def test_ids_of_level_2_name_no_number() -> None:
    text = document("2 A:n", "B", law="k*n")
    assert refusals(at_level(text, 2, 4)) == [("undefined_symbol", "J/kineticLaw")]
    assert sg.load(at_level(document("2 A:n", "B"), 2, 4)).references == ()


def test_fractions_of_level_1() -> None:
    text = """<?xml version="1.0"?>
<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="m">
<listOfCompartments><compartment name="cell"/></listOfCompartments>
<listOfSpecies><species name="A" compartment="cell" initialAmount="3"/></listOfSpecies>
<listOfReactions><reaction name="J">
<listOfReactants><speciesReference species="A" stoichiometry="{}" denominator="{}"/>
</listOfReactants><kineticLaw formula="A"/></reaction></listOfReactions></model></sbml>"""
    assert sg.load(text.format(3, 2)).reactions[0].reactants == {"A": 1.5}
    assert refusals(text.format(3, 0)) == [("variable_stoichiometry", "J/A")]


INVALID = {
    "constant_reference": (
        document("2 A:n", "B", rules=[rule_text("assignment", "n", "p")]).replace(
            'stoichiometry="2" constant="false"', 'stoichiometry="2" constant="true"'
        ),
        [("invalid_sbml", "n")],
    ),
    "same_id": (document("2 A:p", "B"), [("invalid_sbml", "p")]),
    "no_species": (document("Z", "B"), [("undefined_symbol", "J/Z")]),
}


@pytest.mark.parametrize(("text", "expected"), INVALID.values(), ids=INVALID)
def test_what_has_no_meaning(text: str, expected: list[tuple[str, str]]) -> None:
    assert refusals(text) == expected


def test_a_stoichiometry_that_is_not_finite() -> None:
    text = document("A", "B").replace(
        'species="A" stoichiometry="1"', 'species="A" stoichiometry="INF"'
    )
    assert refusals(text) == [("variable_stoichiometry", "J/A")]


def test_a_cycle_through_a_stoichiometry() -> None:
    text = document(
        "A:n", "B", rules=[rule_text("assignment", "n", "p"), rule_text("assignment", "p", "n")]
    )
    assert refusals(text) == [("cyclic_assignment", "n"), ("cyclic_assignment", "p")]
