"""What must fail at time 0 is an error of `check`, and `simulate` fails there; nothing else is."""

from __future__ import annotations

import pytest
from sbml_text import (
    assignment,
    at_level,
    compartment,
    event,
    model,
    parameter,
    reaction,
    rule,
    species,
)

import sbmlgrad as sg
from sbmlgrad.engines import ODE, Native, Outcome

CONCENTRATION = {"hasOnlySubstanceUnits": "false"}
LAW = "not_finite_at_start"
NOW = {"initial_value": False}


def document(law: str = "k*X", **parts) -> str:
    given = {"species": [species("X")], "parameters": [parameter("k")], **parts}
    return model(reaction("J", law, "X"), **given)


def valued(name: str, value: str, **parts) -> str:
    """Return a document with a parameter of a value that Python spells otherwise."""
    text, plain = document(**parts), f'id="{name}" value="1.0"'
    assert plain in text
    return text.replace(plain, f'id="{name}" value="{value}"')


def found(text: str, **options) -> list[tuple[str, str, str]]:
    """Return (severity, code, element) of what blocks exact simulation, and of warnings."""
    broken = "sbml_rule_broken"
    issues = [i for i in sg.check(text, **options) if i.code != broken]
    assert all(i.blocks <= {"ssa"} for i in issues if str(i.severity) != "info")
    issues = [i for i in issues if str(i.severity) != "info"]
    assert all(bool(i.blocks) == (str(i.severity) == "error") for i in issues)
    return [(str(i.severity), i.code, i.element) for i in issues]


def outcome(text: str, **options) -> Outcome:
    """Return how one trajectory ends that lasts just a moment."""
    network = sg.load(text, **options)
    try:
        sg.simulate(network, times=[0.0, 1e-9], trajectories=1, seed=1, engine=Native(1))
    except sg.SimulationError as error:
        return Outcome(int(error.outcomes[0]))
    return Outcome.COMPLETED


# --- propensities ---------------------------------------------------------------------------------

IMPOSSIBLE = {
    "infinite parameter": valued("k", "INF"),
    "infinity": document("X*INF"),
    "overflow": document("X*factorial(200)"),
    "remainder": at_level(document("X*rem(X,0)"), 3, 2),
    "zero by zero": document("k*(X-10)^2/(X-10)^2"),
    "zero count below": document("k*X/Y", species=[species("X"), species("Y", 0)]),
    "clock": document("k*X/t", parameters=[parameter("k"), parameter("t")], rules=[
        rule("assignment", "t", "time")
    ]),
}  # fmt: skip


@pytest.mark.parametrize("text", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_a_propensity_that_is_no_number(text: str) -> None:
    assert ("error", LAW, "J") in found(text)
    assert outcome(text) is Outcome.NON_FINITE


NEGATIVE = {
    "size": document(species=[species("X", **CONCENTRATION)], compartments=[compartment(size=-1)]),
    "size by a rule": document(
        species=[species("X", **CONCENTRATION)],
        compartments=[compartment(size=None, constant="false")],
        rules=[rule("assignment", "cell", "time-5")],
    ),
}


@pytest.mark.parametrize("text", NEGATIVE.values(), ids=NEGATIVE.keys())
def test_a_negative_propensity(text: str) -> None:
    assert ("error", "negative_propensity", "J") in found(text)
    assert outcome(text) is Outcome.NEGATIVE_PROPENSITY


def test_the_message_says_with_which_values() -> None:
    (issue,) = sg.check(NEGATIVE["size"])
    assert issue.element == "J"
    assert NEGATIVE["size"].splitlines()[(issue.line or 0) - 1].startswith('<reaction id="J"')
    assert "-10 at time 0 (with X=10, cell=-1, k=1)" in issue.message


def test_what_is_not_used_does_no_harm() -> None:
    for text in (
        document(compartments=[compartment(size=-1)]),
        valued("z", "INF", parameters=[parameter("k"), parameter("z")]),
        document("k*X/(1+Y)", species=[species("X"), species("Y", 0)]),
    ):
        assert found(text) == []
        assert outcome(text) is Outcome.COMPLETED


def test_loading_and_the_rate_equations_are_as_lenient_as_before() -> None:
    network = sg.load(NEGATIVE["size"])
    solution = sg.simulate(network, times=[1.0], engine=ODE())
    assert solution.mean("X")[0] < -10.0


def test_what_other_codes_report_is_not_reported_twice() -> None:
    for text, code, element in (
        (document(parameters=[parameter("k", None)]), "parameter_value_missing", "k"),
        (valued("k", "NaN"), "parameter_value_missing", "k"),
        (document(species=[species("X", -3)]), "negative_initial_count", "X"),
        (document("k*X-X^2", parameters=[parameter("k", -1)]), "reversible_not_separable", "J"),
    ):
        errors = [i for i in sg.check(text) if str(i.severity) == "error"]
        assert [(i.code, i.element) for i in errors] == [(code, element)]


def test_random_values_are_left_to_the_trajectories() -> None:
    uniform = (
        '<math xmlns="http://www.w3.org/1998/Math/MathML"><apply><csymbol encoding="text" '
        'definitionURL="http://www.sbml.org/sbml/symbols/distrib/uniform">u</csymbol>'
        "<cn>-1</cn><cn>-1</cn></apply></math>"
    )
    distrib = (
        ' xmlns:distrib="http://www.sbml.org/sbml/level3/version1/distrib/version1" '
        'distrib:required="true"'
    )
    text = document(assignments=[assignment("k", uniform)], namespaces=distrib)
    assert [f for f in found(text) if f[0] == "error"] == []
    assert outcome(text) is Outcome.NEGATIVE_PROPENSITY


def test_a_start_that_is_drawn_is_not_known() -> None:
    text = document("k*X/(X-1)^2", species=[species("X", 1.5)])
    assert found(text, initial="randomised") == []
    assert found(text, initial="round") == []
    assert ("error", LAW, "J") in found(text.replace('"1.5"', '"0.75"'), initial="round")


def test_an_event_at_time_0_may_put_it_right() -> None:
    first = event("E", "true", "v", "1", **NOW)
    text = document("k*X/v", parameters=[parameter("k"), parameter("v", 0)], events=[first])
    assert [f for f in found(text) if f[0] == "error"] == []
    assert outcome(text) is Outcome.COMPLETED
    later = text.replace('initialValue="false"', 'initialValue="true"')
    assert ("error", LAW, "J") in found(later)
    assert outcome(later) is Outcome.NON_FINITE


def test_a_rate_rule_without_a_value() -> None:
    text = document(
        parameters=[parameter("k"), parameter("v"), parameter("z", 0)],
        rules=[rule("rate", "v", "k/z")],
    )
    assert found(text) == [("error", LAW, "v")]
    assert outcome(text) is not Outcome.COMPLETED


# --- events ---------------------------------------------------------------------------------------


def test_a_trigger_without_a_value() -> None:
    text = document(
        parameters=[parameter("k"), parameter("z", 0), parameter("v")],
        events=[event("E", "z/z", "v", "1")],
    )
    assert found(text) == [("error", LAW, "E")]
    assert outcome(text) is Outcome.EVENT_UNDEFINED


CASES = [
    ({"delay": "-1"}, "9", "negative_delay", "E", Outcome.EVENT_UNDEFINED),
    ({"delay": "-k"}, "9", "negative_delay", "E", Outcome.EVENT_UNDEFINED),
    ({}, "9.5", "non_integer_assignment", "E/X", Outcome.NON_INTEGER_COUNT),
    ({}, "k/2", "non_integer_assignment", "E/X", Outcome.NON_INTEGER_COUNT),
    ({}, "-2", "negative_assignment", "E/X", Outcome.NEGATIVE_COUNT),
]


@pytest.mark.parametrize(("parts", "value", "code", "element", "end"), CASES)
def test_a_constant_that_no_event_can_use(parts, value, code, element, end) -> None:
    at_once = document(events=[event("E", "true", "X", value, **NOW, **parts)])
    assert found(at_once) == [("error", code, element)]
    assert outcome(at_once) is end
    perhaps = document(events=[event("E", "X < 1", "X", value, **NOW, **parts)])
    assert found(perhaps) == [("warning", code, element)]
    assert outcome(perhaps) is Outcome.COMPLETED


def test_rounding_helps_with_fractions_only() -> None:
    for value, errors in (("9.5", []), ("-9.5", [("error", "negative_assignment", "E/X")])):
        text = document(events=[event("E", "true", "X", value, **NOW)])
        for option in ("round", "randomised"):
            assert found(text, initial=option) == errors
            assert (outcome(text, initial=option) is Outcome.COMPLETED) == (not errors)


def test_what_depends_on_the_state_or_on_other_events_is_not_foretold() -> None:
    grown = document(events=[event("E", "X < 1", "X", "X/4", **NOW)])
    assert found(grown) == []
    cancelled = document(
        parameters=[parameter("k"), parameter("v", 0)],
        events=[
            event("A", "true", "v", "1", priority="2", **NOW),
            event("B", "v < 1", "X", "k*X/4", priority="1", persistent=False, **NOW),
        ],
    )
    assert found(cancelled) == []
    assert outcome(cancelled) is Outcome.COMPLETED


def test_whole_numbers_and_quantities_of_any_value_are_fine() -> None:
    text = document(
        parameters=[parameter("k"), parameter("v")],
        events=[event("E", "true", "X", "0.1*30", more=[("v", "0.5")], delay="0", **NOW)],
    )
    assert found(text) == []
    assert outcome(text) is Outcome.COMPLETED
