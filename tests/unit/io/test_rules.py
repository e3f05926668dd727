"""Rules, initial assignments, conversion factors and ids of reactions, as the reader finds them."""

from __future__ import annotations

import pytest
from sbml_text import (
    assignment,
    at_level,
    compartment,
    function,
    line_of,
    model,
    parameter,
    raw,
    reaction,
    rule,
    species,
)

import sbmlgrad as sg
from sbmlgrad.model.expression import TIME, Apply, Expression, Number, Symbol

X, K, P = Symbol("X"), Symbol("k"), Symbol("p")
DECAY = reaction("J", "k*X", "X")
LEVELS = [(2, 2), (2, 3), (2, 4), (2, 5), (3, 1), (3, 2)]


def times(*factors: Expression) -> Apply:
    return Apply("times", factors)


def small(*reactions: str, **lists: list[str]) -> str:
    """A document with a species X, a fixed species B and parameters k and p."""
    given = {
        "species": [species("X"), species("B", boundaryCondition="true")],
        "parameters": [parameter("k"), parameter("p", 2.0)],
    }
    given |= {name: given.get(name, []) + elements for name, elements in lists.items()}
    return model(*(reactions or (DECAY,)), **given)


def refusals(text: str) -> list[tuple[str, str]]:
    """Return code and element of what prevents every mode of simulation."""
    return [(i.code, i.element) for i in sg.check(text) if i.blocks == {"ssa", "ode"}]


@pytest.mark.parametrize(("level", "version"), LEVELS)
def test_rules_of_every_kind_of_target(level: int, version: int) -> None:
    text = small(
        species=[species("Y", boundaryCondition="true")],
        compartments=[compartment(), compartment("nucleus", 3.0, constant="false")],
        rules=[
            rule("assignment", "p", "k + time"),
            rule("assignment", "Y", "2*X"),
            rule("rate", "nucleus", "0.5*k"),
            rule("rate", "B", "-k*B"),
        ],
    )
    network = sg.load(at_level(text, level, version))
    assert network.assignment_rules == {
        "p": Apply("plus", (K, TIME)),
        "Y": times(Number(2.0), X),
    }
    assert network.rate_rules == {
        "nucleus": times(Number(0.5), K),
        "B": times(Apply("minus", (K,)), Symbol("B")),
    }
    assert network.variable_ids == ("nucleus",)
    assert set(network.species_ids) == {"X", "B"}
    assert network == sg.load(text)


def test_rules_of_level_1() -> None:
    head = '<?xml version="1.0"?><sbml xmlns="http://www.sbml.org/sbml/level1" level="1" {}>'
    body = """<model name="m">
<listOfCompartments><compartment name="cell"/></listOfCompartments>
<listOfSpecies>
<species name="A" compartment="cell" initialAmount="3"/>
<species name="B" compartment="cell" initialAmount="4" boundaryCondition="true"/>
<species name="C" compartment="cell" initialAmount="5" boundaryCondition="true"/>
</listOfSpecies>
<listOfParameters><parameter name="k" value="2"/><parameter name="p"/></listOfParameters>
<listOfRules>
<parameterRule name="p" formula="log(k) + pow(k, 2)"/>
<speciesConcentrationRule species="B" formula="k*A"/>
<speciesConcentrationRule species="C" type="rate" formula="-k*C"/>
<compartmentVolumeRule compartment="cell" type="rate" formula="0.1"/>
</listOfRules>
<listOfReactions><reaction name="J">
<listOfReactants><speciesReference species="A" stoichiometry="4" denominator="2"/></listOfReactants>
<kineticLaw formula="k*A*z"><listOfParameters><parameter name="z" value="1"/></listOfParameters>
</kineticLaw></reaction></listOfReactions></model></sbml>"""
    network = sg.load(head.format('version="2"') + body)
    assert network.compartments[0].size == 1.0, "the volume that level 1 gives by default"
    a = network.by_id["A"]
    assert (a.initial_amount, a.only_substance_units) == (3.0, False)  # type: ignore[union-attr]
    squared = Apply("power", (K, Number(2.0)))
    assert network.assignment_rules == {
        "p": Apply("plus", (Apply("ln", (K,)), squared)),
        "B": times(K, Symbol("A")),
    }
    assert network.rate_rules == {
        "C": times(Apply("minus", (K,)), Symbol("C")),
        "cell": Number(0.1),
    }
    (found,) = network.reactions
    assert found.reactants == {"A": 2.0}
    assert found.rate_law == times(K, Symbol("A"), Symbol("J.z"))


@pytest.mark.parametrize(
    "lists",
    [
        {"rules": [rule("assignment", "p", "")]},
        {"rules": [rule("rate", "p", "")]},
        {"assignments": [assignment("p", "")]},
    ],
)
def test_without_a_formula_it_is_as_if_there_were_none(lists: dict[str, list[str]]) -> None:
    network = sg.load(at_level(small(**lists), 3, 2))
    assert network == sg.load(at_level(small(), 3, 2))
    assert network.parameter_values.tolist() == [1.0, 2.0]


def test_initial_assignments_may_draw_and_rules_may_not() -> None:
    draw = raw(
        '<apply><csymbol encoding="text" definitionURL='
        '"http://www.sbml.org/sbml/symbols/distrib/normal">normal</csymbol>'
        "<cn>5</cn><ci>k</ci></apply>"
    )
    distrib = "http://www.sbml.org/sbml/level3/version1/distrib/version1"
    namespaces = f' xmlns:distrib="{distrib}" distrib:required="true"'

    def drawn(*reactions: str, **lists: list[str]) -> str:
        text = small(*reactions, **lists)
        return text.replace(' level="3"', f'{namespaces} level="3"')

    network = sg.load(drawn(assignments=[assignment("p", draw)]))
    assert network.initial_assignments["p"] == Apply("normal", (Number(5.0), K))
    (issue,) = [i for i in network.issues if i.code == "distribution"]
    assert (issue.element, issue.blocks, str(issue.severity)) == ("p", {"ode"}, "info")
    assert refusals(drawn(rules=[rule("assignment", "p", draw)])) == [("distribution_in_rule", "p")]
    assert refusals(drawn(rules=[rule("rate", "p", draw)])) == [("distribution_in_rule", "p")]
    assert refusals(drawn(reaction("J", draw, "X"))) == [("distribution_in_law", "J/kineticLaw")]


CYCLES = {
    "rules": {"rules": [rule("assignment", "p", "k + 1"), rule("assignment", "k", "p + 1")]},
    "rule_and_initial_assignment": {
        "rules": [rule("assignment", "p", "k")],
        "assignments": [assignment("k", "p")],
    },
    "initial_assignments": {"assignments": [assignment("k", "p"), assignment("p", "k")]},
}


@pytest.mark.parametrize("lists", CYCLES.values(), ids=CYCLES)
def test_cycles_among_rules_and_initial_assignments(lists: dict[str, list[str]]) -> None:
    text = small(**lists)
    found = [i for i in sg.check(text) if i.code == "cyclic_assignment"]
    assert {i.element for i in found} == {"k", "p"}
    lines = text.splitlines()
    for issue in found:
        assert issue.line is not None
        assert f'"{issue.element}"' in lines[issue.line - 1]
    with pytest.raises(sg.UnsupportedModelError, match="cyclic_assignment"):
        sg.load(text)


def test_a_concentration_depends_on_the_size_that_a_rule_gives() -> None:
    means_concentration = species("Z", 3.0, hasOnlySubstanceUnits="false", compartment="room")
    room = compartment("room", 1.0, constant="false")
    text = small(
        DECAY,
        reaction("L", "k*Z", "Z"),
        species=[means_concentration],
        compartments=[compartment(), room],
        rules=[rule("assignment", "room", "1 + Z")],
    )
    assert refusals(text) == [("cyclic_assignment", "room")]
    only_amounts = text.replace(means_concentration, species("Z", 3.0, compartment="room"))
    assert refusals(only_amounts) == []


def test_a_rate_of_change_may_not_depend_on_itself() -> None:
    rate_of = (
        '<apply><csymbol encoding="text" definitionURL='
        '"http://www.sbml.org/sbml/symbols/rateOf">rateOf</csymbol><ci>{}</ci></apply>'
    )
    text = at_level(small(rules=[rule("rate", "p", raw(rate_of.format("p")))]), 3, 2)
    assert refusals(text) == [("cyclic_assignment", "p")]
    text = at_level(small(reaction("J", raw(rate_of.format("X")), "X")), 3, 2)
    assert refusals(text) == [("cyclic_assignment", "J/kineticLaw")]
    text = at_level(small(rules=[rule("rate", "p", raw(rate_of.format("J")))]), 3, 2)
    assert refusals(text) == [("invalid_sbml", "p")]


INVALID = {
    "same_target": (
        {"rules": [rule("assignment", "p", "1"), rule("rate", "p", "2")]},
        ("invalid_sbml", "p"),
    ),
    "rule_and_initial": (
        {"rules": [rule("assignment", "p", "1")], "assignments": [assignment("p", "2")]},
        ("invalid_sbml", "p"),
    ),
    "two_initial": (
        {"assignments": [assignment("p", "1"), assignment("p", "2")]},
        ("invalid_sbml", "p"),
    ),
    "assignment_to_reacting_species": (
        {"rules": [rule("assignment", "X", "1")]},
        ("invalid_sbml", "X"),
    ),
    "rate_of_reacting_species": ({"rules": [rule("rate", "X", "1")]}, ("invalid_sbml", "X")),
    "constant_parameter": (
        {
            "parameters": [parameter("c", 1.0, constant="true")],
            "rules": [rule("assignment", "c", "1")],
        },
        ("invalid_sbml", "c"),
    ),
    "constant_compartment": ({"rules": [rule("rate", "cell", "1")]}, ("invalid_sbml", "cell")),
    "rule_for_nothing": ({"rules": [rule("rate", "zz", "1")]}, ("undefined_symbol", "zz")),
    "rule_for_a_reaction": ({"rules": [rule("rate", "J", "1")]}, ("undefined_symbol", "J")),
    "assignment_for_nothing": (
        {"assignments": [assignment("zz", "1")]},
        ("undefined_symbol", "zz"),
    ),
    "unknown_symbol": ({"rules": [rule("rate", "p", "zz")]}, ("undefined_symbol", "p")),
    "algebraic": (
        {"rules": [rule("algebraic", None, "k - p")]},
        ("algebraic_rule", "(algebraic rule)"),
    ),
}


@pytest.mark.parametrize(("lists", "expected"), INVALID.values(), ids=INVALID)
def test_what_has_no_meaning(lists: dict[str, list[str]], expected: tuple[str, str]) -> None:
    text = small(**lists)
    assert refusals(text) == [expected]
    (issue,) = [i for i in sg.check(text) if i.blocks]
    assert issue.line is not None
    assert (
        "Rule" in text.splitlines()[issue.line - 1]
        or "Assignment" in (text.splitlines()[issue.line - 1])
    )


def test_a_rate_rule_goes_with_an_initial_assignment() -> None:
    text = small(rules=[rule("rate", "p", "k")], assignments=[assignment("p", "7*k")])
    network = sg.load(text)
    assert network.rate_rules == {"p": K}
    assert network.initial_assignments == {"p": times(Number(7.0), K)}


def test_the_id_of_a_reaction_is_its_rate() -> None:
    text = small(
        reaction("J", "h*X", "X", local={"h": 3.0}),
        reaction("L", "2*J", "", "X"),
        functions=[function("twice", "x", "2*x")],
        rules=[rule("assignment", "p", "twice(L)")],
        assignments=[assignment("k", "J + 1")],
    )
    network = sg.load(text)
    rate = times(Symbol("J.h"), X)
    doubled = times(Number(2.0), rate)
    assert [r.rate_law for r in network.reactions] == [rate, doubled]
    assert network.assignment_rules["p"] == times(Number(2.0), doubled)
    assert network.initial_assignments["k"] == Apply("plus", (Number(1.0), rate))


def test_rates_of_reactions_may_not_depend_on_themselves() -> None:
    text = small(reaction("J", "L*X", "X"), reaction("L", "p", "", "X"), rules=[
        rule("assignment", "p", "J")
    ])  # fmt: skip
    assert refusals(text) == [
        ("cyclic_assignment", "p"),
        ("cyclic_assignment", "J/kineticLaw"),
        ("cyclic_assignment", "L/kineticLaw"),
    ]


def test_rates_that_would_grow_without_bound_are_refused() -> None:
    chain = [reaction(f"J{i}", f"J{i - 1} + J{i - 1}", "", "X") for i in range(1, 40)]
    text = small(reaction("J0", "k", "", "X"), *chain)
    assert {code for code, _ in refusals(text)} == {"formula_too_large"}


def test_long_chains_of_rates_and_rules_are_read() -> None:
    chain = [reaction(f"J{i}", raw(f"<ci>J{i - 1}</ci>"), "", "X") for i in range(1, 2000)]
    rules = [rule("assignment", "p0", raw("<ci>k</ci>"))]
    rules += [rule("assignment", f"p{i}", raw(f"<ci>p{i - 1}</ci>")) for i in range(1, 2000)]
    text = small(
        reaction("J0", "k", "", "X"),
        *chain,
        parameters=[parameter(f"p{i}") for i in range(2000)],
        rules=list(reversed(rules)),
    )
    assert [i.code for i in sg.check(text)] == ["partly_validated"]
    assert sg.load(text).reactions[-1].rate_law == K


def test_conversion_factors() -> None:
    constant = parameter("f", 2.0, constant="true")
    text = small(
        parameters=[constant, parameter("g", 3.0, constant="true")],
        species=[species("Y", conversionFactor="g")],
    )
    text = text.replace('<model id="m"', '<model id="m" conversionFactor="f"')
    network = sg.load(text)
    assert {s.id: s.conversion_factor for s in network.species} == {"X": "f", "B": "f", "Y": "g"}
    varying = text.replace(constant, parameter("f", 2.0))
    assert set(refusals(varying)) == {("invalid_sbml", "X"), ("invalid_sbml", "B")}
    missing = text.replace('conversionFactor="g"', 'conversionFactor="zz"')
    (issue,) = [i for i in sg.check(missing) if i.blocks == {"ssa", "ode"}]
    assert (issue.code, issue.element) == ("invalid_sbml", "Y")
    assert issue.line == line_of(missing, 'id="Y"')
