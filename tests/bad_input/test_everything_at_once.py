"""`check` collects every problem of a model, with its line, whatever else is wrong with it."""

from __future__ import annotations

import pytest
from sbml_text import (
    assignment,
    at_level,
    compartment,
    event,
    line_of,
    model,
    parameter,
    raw,
    reaction,
    rule,
    species,
)

import sbmlgrad as sg

HALVES = reaction("J0", "k*A", "1.5 A")
PARTS = {
    "species": [species("A", 1.5), species("B", -1), species("C", None)],
    "parameters": [parameter("k", None), parameter("m")],
}
MISSING = {
    ("non_integer_initial_count", "A"),
    ("negative_initial_count", "B"),
    ("initial_value_missing", "C"),
    ("parameter_value_missing", "k"),
}


def errors(text: str) -> list[tuple[str, str]]:
    found = [(i.code, i.element) for i in sg.check(text) if str(i.severity) == "error"]
    assert len(found) == len(set(found))
    return found


def lines(text: str) -> dict[tuple[str, str], int | None]:
    return {(i.code, i.element): i.line for i in sg.check(text)}


def test_start_issues_do_not_wait_for_the_rest_to_be_right() -> None:
    stoichiometry = ("non_integer_stoichiometry", "J0/A")
    text = model(HALVES, reaction("J1", "m*B", "B"), **PARTS)
    assert set(errors(text)) == {*MISSING, stoichiometry}
    text = model(HALVES, reaction("J1", "zz*C", "C"), **PARTS)
    assert set(errors(text)) == {*MISSING, stoichiometry, ("undefined_symbol", "J1/kineticLaw")}
    text = model(reaction("J0", "k*A", "A"), reaction("J1", "rateOf(B)", "B"), **PARTS)
    text = at_level(text, 3, 2)
    found = set(errors(text))
    assert found >= MISSING
    assert len(found) == len(MISSING) + 1


def test_time_zero_does_not_wait_either() -> None:
    text = model(
        reaction("J0", "k*A", "1.5 A"),
        reaction("J1", "k*A/z", "A"),
        species=[species("A", 3)],
        parameters=[parameter("k"), parameter("z", 0)],
    )
    assert set(errors(text)) == {
        ("non_integer_stoichiometry", "J0/A"),
        ("not_finite_at_start", "J1"),
    }


def test_what_was_refused_is_not_reported_as_missing() -> None:
    text = model(
        reaction("J", "x*A", "A"),
        species=[species("A")],
        parameters=[parameter("x", None), parameter("y", None)],
        assignments=[assignment("x", "2*y"), assignment("y", "x+1")],
    )
    assert set(errors(text)) == {("cyclic_assignment", "x"), ("cyclic_assignment", "y")}
    text = text.replace(assignment("y", "x+1"), assignment("y", "nowhere"))
    assert errors(text) == [("undefined_symbol", "y")]


LINES = [
    ("initial_value_missing", "A", species("A", None), {}),
    ("non_integer_initial_count", "A", species("A", 2.5), {}),
    ("negative_initial_count", "A", species("A", -1), {}),
    ("count_too_large", "A", species("A", 1e17), {}),
    ("parameter_value_missing", "k", parameter("k", None), {"parameters": 1}),
    ("volume_undefined", "cell", compartment(size=None), {"compartments": 1}),
]


@pytest.mark.parametrize(("code", "element", "piece", "where"), LINES, ids=[c[0] for c in LINES])
def test_lines_of_elements(code: str, element: str, piece: str, where: dict[str, int]) -> None:
    kind = next(iter(where), "species")
    parts = {"species": [species("A")], "parameters": [parameter("k")], kind: [piece]}
    text = model(reaction("J", "k*A*cell", "A"), **parts)
    assert lines(text)[code, element] == line_of(text, piece)
    with pytest.raises(sg.UnsupportedModelError) as caught:
        sg.simulate(sg.load(text), times=[1], seed=1)
    assert [i.line for i in caught.value.issues] == [line_of(text, piece)]


def test_the_line_of_a_local_parameter_without_value() -> None:
    text = model(reaction("J", "p*A", "A", local={"p": None}), species=[species("A")])
    piece = '<localParameter id="p"'
    assert lines(text)["parameter_value_missing", "J.p"] == line_of(text, piece)


def test_lines_of_what_only_lowering_finds() -> None:
    place = {"compartment": "inner", "hasOnlySubstanceUnits": "false", "boundaryCondition": "true"}
    text = model(
        reaction("J", "k*A", "A"),
        species=[species("A"), species("Q", 1, **place)],
        parameters=[parameter("k")],
        compartments=[compartment(), compartment("inner", constant="false")],
        rules=[rule("assignment", "inner", "A+1"), rule("rate", "Q", "1")],
    )
    assert lines(text)["rate_rule", "Q"] == line_of(text, '<species id="Q"')


def test_lines_of_formulas_that_grow_too_large() -> None:
    rules = [rule("assignment", "x0", "A")]
    rules += [rule("assignment", f"x{i}", f"x{i - 1}+x{i - 1}") for i in range(1, 20)]
    text = model(
        reaction("J", "x19", "A"),
        species=[species("A")],
        parameters=[parameter(f"x{i}", None) for i in range(20)],
        rules=rules,
    )
    found = {i.element: i.line for i in sg.check(text) if i.code == "formula_too_large"}
    assert found["J"] == line_of(text, '<reaction id="J"')
    assert found["x19"] == line_of(text, '<parameter id="x19"')


def test_rates_that_double_are_refused_and_the_rest_is_judged() -> None:
    chain = [reaction("r0", "k*A", "A")]
    chain += [reaction(f"r{i}", f"r{i - 1}+r{i - 1}", "A") for i in range(1, 30)]
    text = model(*chain, HALVES.replace("J0", "J"), **PARTS)
    found = errors(text)
    large = [element for code, element in found if code == "formula_too_large"]
    assert large == [f"r{i}/kineticLaw" for i in range(15, 30)]
    assert {*found} == {
        *MISSING,
        ("non_integer_stoichiometry", "J/A"),
        *(("formula_too_large", element) for element in large),
    }
    assert lines(text)["formula_too_large", "r29/kineticLaw"] == line_of(text, 'id="r29"')


def test_translated_documents_have_no_lines() -> None:
    issues = sg.check("model m\n species A; A -> ; k*A;\nend")
    assert {"initial_value_missing", "parameter_value_missing"} <= {i.code for i in issues}
    assert {i.line for i in issues} == {None}
    network = sg.load("model m\n species A = 1; A -> ; k*A; k = 1;\nend", substance="item")
    elements = (*network.species, *network.parameters, *network.compartments, *network.reactions)
    assert {e.line for e in elements} == {None}


def test_lines_do_not_make_networks_differ() -> None:
    text = model(reaction("J", "k*A", "A"), species=[species("A")], parameters=[parameter("k")])
    moved = text.replace("<listOfSpecies>", "\n\n\n<listOfSpecies>")
    one, other = sg.load(text), sg.load(moved)
    assert one == other
    assert one.species[0].line == line_of(text, '<species id="A"')
    assert other.species[0].line == line_of(moved, '<species id="A"')
    assert one.species[0].line != other.species[0].line


@pytest.mark.parametrize("content", ["", "<apply/>"])
def test_an_empty_formula(content: str) -> None:
    for text, element in (
        (model(reaction("J", raw(content), "A"), species=[species("A")]), "J/kineticLaw"),
        (
            model(
                reaction("J", "A", "A"),
                species=[species("A")],
                parameters=[parameter("k")],
                events=[event("E", "true", "k", raw(content))],
            ),
            "E/k",
        ),
    ):
        assert ("missing_math", element) in errors(text)
        with pytest.raises(sg.UnsupportedModelError, match="missing_math"):
            sg.load(text)


def test_simulate_gives_the_lines_that_check_gives() -> None:
    text = model(
        reaction("J", "k*A", "A"),
        species=[species("A", 5)],
        parameters=[parameter("k"), parameter("q")],
        rules=[rule("rate", "q", "rateOf(A)")],
    )
    text = at_level(text, 3, 2)
    assert lines(text)["rate_of", "q"] == line_of(text, '<parameter id="q"')
    with pytest.raises(
        sg.UnsupportedModelError, match=rf"q \(line {lines(text)['rate_of', 'q']}\)"
    ):
        sg.simulate(sg.load(text), times=[1.0])
