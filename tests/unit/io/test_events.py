"""Events as the reader finds them: attributes, defaults of every level, and what is refused."""

from __future__ import annotations

import pytest
from sbml_text import at_level, line_of, model, parameter, raw, reaction, rule, species
from sbml_text import event as event_text

import sbmlgrad as sg
from sbmlgrad.model.elements import Event
from sbmlgrad.model.expression import TIME, Apply, Number, Symbol

K, X = Symbol("k"), Symbol("X")


def document(*events: str, **lists: list[str]) -> str:
    """A document with a species X, parameters k, p and a constant c, and these events."""
    parameters = [parameter("k"), parameter("p", 2.0), parameter("c", constant="true")]
    return model(
        reaction("J", "k*X", "X"),
        species=[species("X"), species("B", boundaryCondition="true")],
        parameters=parameters + lists.pop("parameters", []),
        events=events,
        **lists,
    )


def only_event(text: str) -> Event:
    (found,) = sg.load(text).events
    return found


def refusals(text: str) -> list[tuple[str, str]]:
    return [(i.code, i.element) for i in sg.check(text) if i.blocks == {"ssa", "ode"}]


def test_everything_that_an_event_says() -> None:
    text = document(
        event_text(
            "E",
            "X < k",
            "X",
            "X + 10",
            more=[("p", "time"), ("B", "2")],
            delay="k + 1",
            priority="2*k",
            initial_value=False,
            persistent=False,
            use_trigger_values=False,
        )
    )
    found = only_event(text)
    assert found == Event(
        id="E",
        trigger=Apply("lt", (X, K)),
        assignments={"X": Apply("plus", (X, Number(10.0))), "p": TIME, "B": Number(2.0)},
        delay=Apply("plus", (K, Number(1.0))),
        priority=Apply("times", (Number(2.0), K)),
        initial_value=False,
        persistent=False,
        use_trigger_values=False,
    )
    assert found.line == line_of(text, '<event id="E"')
    network = sg.load(text)
    assert network.species_ids == ("X", "B")
    assert network.variable_ids == ("p",)


@pytest.mark.parametrize(("level", "version"), [(2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (3, 2)])
def test_defaults_of_every_level_are_those_written_out_in_level_3(level: int, version: int) -> None:
    text = document(event_text("E", "X < 5", "p", "k", delay="3"))
    plain = at_level(text, level, version)
    assert ("initialValue" in plain) == (level == 3)
    found = only_event(plain)
    assert found == only_event(text)
    assert (found.initial_value, found.persistent, found.use_trigger_values) == (True, True, True)


def test_the_attribute_of_level_2_version_4() -> None:
    text = document(event_text("E", "X < 5", "p", "k", delay="3", use_trigger_values=False))
    assert not only_event(at_level(text, 2, 4)).use_trigger_values


def test_events_without_an_id_are_called_by_their_place() -> None:
    events = [event_text(name, "X < 5", "p", "k") for name in (None, "E", None)]
    assert [e.id for e in sg.load(document(*events)).events] == ["event 1", "E", "event 3"]


@pytest.mark.parametrize(
    ("trigger", "fires"),
    [("time >= 25", False), ("time >= 0", True), ("X < 5", False), ("X < 1000", True)],
)
def test_networks_differ_by_initial_value_only_where_it_matters(trigger: str, fires: bool) -> None:
    told, untold = (
        document(event_text("E", trigger, "p", "k", initial_value=value)) for value in (False, True)
    )
    assert only_event(told).initial_value is False
    assert only_event(told).fires_at_start is fires
    assert (sg.load(told) != sg.load(untold)) is fires


def test_missing_formulas() -> None:
    text = document(event_text("E", None, "p", "k", more=[("k", None)], delay="", priority=""))
    found = only_event(at_level(text, 3, 2))
    assert found.trigger == Apply("false", ())
    assert found.assignments == {"p": K}
    assert found.delay is None
    assert found.priority is None
    assert sg.load(at_level(text, 3, 2)).set_by_events == {"p"}


def test_an_event_without_a_trigger_never_happens() -> None:
    text = document(event_text("E", None, "p", "k"))
    bare = text.replace('<trigger initialValue="true" persistent="true"></trigger>\n', "")
    assert "<trigger" not in bare
    assert only_event(at_level(bare, 3, 2)).trigger == Apply("false", ())


DRAW = raw(
    '<apply><csymbol encoding="text" definitionURL='
    '"http://www.sbml.org/sbml/symbols/distrib/uniform">uniform</csymbol>'
    "<cn>0</cn><ci>k</ci></apply>"
)


def drawing(text: str) -> str:
    uri = "http://www.sbml.org/sbml/level3/version1/distrib/version1"
    return text.replace(' level="3"', f' xmlns:distrib="{uri}" distrib:required="true" level="3"')


def test_random_draws_belong_into_assignments() -> None:
    text = drawing(document(event_text("E", "X < 5", "p", DRAW)))
    network = sg.load(text)
    assert network.events[0].assignments == {"p": Apply("uniform", (Number(0.0), K))}
    (issue,) = [i for i in network.issues if i.code == "distribution"]
    assert (issue.element, str(issue.severity), issue.blocks) == ("E", "info", {"ode"})
    assert "'p'" in issue.message


@pytest.mark.parametrize("part", ["delay", "priority"])
def test_random_draws_elsewhere_are_refused(part: str) -> None:
    text = drawing(document(event_text("E", "X < 5", "p", "k", **{part: DRAW})))
    assert refusals(text) == [("distribution_in_rule", f"E/{part}")]


def test_random_draws_in_a_trigger_are_refused() -> None:
    condition = raw(f"<apply><lt/>{DRAW[DRAW.index('<apply') : -len('</math>')]}<ci>X</ci></apply>")
    text = drawing(document(event_text("E", condition, "p", "k")))
    assert refusals(text) == [("distribution_in_rule", "E/trigger")]


INVALID = {
    "constant": (event_text("E", "X < 5", "c", "k"), {}, ("invalid_sbml", "E/c")),
    "nothing": (event_text("E", "X < 5", "zz", "k"), {}, ("undefined_symbol", "E/zz")),
    "reaction": (event_text("E", "X < 5", "J", "k"), {}, ("undefined_symbol", "E/J")),
    "twice": (
        event_text("E", "X < 5", "p", "k", more=[("p", "2")]),
        {},
        ("invalid_sbml", "E/p"),
    ),
    "rule": (
        event_text("E", "X < 5", "p", "k"),
        {"rules": [rule("assignment", "p", "k")]},
        ("invalid_sbml", "E/p"),
    ),
    "unknown_in_trigger": (
        event_text("E", "zz < 5", "p", "k"),
        {},
        ("undefined_symbol", "E/trigger"),
    ),
    "unknown_in_delay": (
        event_text("E", "X < 5", "p", "k", delay="zz"),
        {},
        ("undefined_symbol", "E/delay"),
    ),
    "same_id": (event_text("J", "X < 5", "p", "k"), {}, ("invalid_sbml", "J")),
}


@pytest.mark.parametrize(("event", "lists", "expected"), INVALID.values(), ids=INVALID)
def test_what_has_no_meaning(
    event: str, lists: dict[str, list[str]], expected: tuple[str, str]
) -> None:
    text = document(event, **lists)
    assert refusals(text) == [expected]
    (issue,) = [i for i in sg.check(text) if i.blocks]
    first = line_of(text, "<event ")
    assert issue.line is not None
    assert first <= issue.line <= line_of(text, "</event>")
    with pytest.raises(sg.UnsupportedModelError, match=expected[0]):
        sg.load(text)


def test_an_event_may_set_what_a_rate_rule_moves() -> None:
    text = document(event_text("E", "p > 5", "p", "0"), rules=[rule("rate", "p", "k")])
    network = sg.load(text)
    assert network.rate_rules == {"p": K}
    assert network.events[0].assignments == {"p": Number(0.0)}


def test_every_problem_is_reported_at_once() -> None:
    text = document(
        event_text("E", "zz < 5", "c", "yy", delay="xx"), event_text("F", "X < 5", "ww", "k")
    )
    assert refusals(text) == [
        ("undefined_symbol", "E/trigger"),
        ("undefined_symbol", "E/delay"),
        ("undefined_symbol", "E/c"),
        ("invalid_sbml", "E/c"),
        ("undefined_symbol", "F/ww"),
    ]
