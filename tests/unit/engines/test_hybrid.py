"""Events, explicit time and rate rules in stochastic simulation: what is certain, to the bit.

What holds only in law is in `statistical/test_hybrid.py`. Models are SBML text, so that the words
of the standard (SBML L3V2 section 4.11) are tested from the document to the ensemble.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from events import document, draw, load, load_random
from sbml_text import assignment, at_level, compartment, event, reaction, rule, species

import sbmlgrad as sg
from sbmlgrad.engines import Outcome
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, ValuesAt, WindowAverages

NATIVE, REFERENCE = sg.engines.Native(), sg.engines.Reference()


def path(model: sg.ReactionNetwork, symbol: str, times: Any, **more: Any) -> list[float]:
    """The values of a symbol on one trajectory."""
    return sg.simulate(model, times=times, seed=1, **more).values(symbol)[0].tolist()


def failure(model: sg.ReactionNetwork, until: float, **more: Any) -> sg.SimulationError:
    with pytest.raises(sg.SimulationError) as caught:
        sg.simulate(model, times=[until], seed=1, **more)
    return caught.value


def growing(**more: Any) -> str:
    """A parameter that only events change, in a model without reactions."""
    return document(values={"a": 0.0, "b": 1.0, "n": 0.0}, **more)


# --- when an event happens ------------------------------------------------------------------------


@pytest.mark.parametrize("engine", [NATIVE, REFERENCE], ids=str)
@pytest.mark.parametrize(("relation", "at_five"), [(">=", 1.0), (">", 0.0)])
def test_a_time_event_happens_at_its_time_although_nothing_else_can(
    relation: str, at_five: float, engine: Any
) -> None:
    model = load(
        reaction("J", "a*X", "X"),
        counts={"X": 3},
        values={"a": 0.0, "b": 0.0},
        events=[event("E", f"time {relation} 5", "b", "1")],
    )
    times = [0.0, 4.9, math.nextafter(5.0, 0.0), 5.0, math.nextafter(5.0, 9.0), 6.0]
    assert path(model, "b", times, engine=engine) == [0.0, 0.0, 0.0, at_five, 1.0, 1.0]
    assert path(model, "b", [5.0], engine=engine) == [at_five]


@pytest.mark.parametrize(("initial_value", "expected"), [(False, 1.0), (True, 0.0)])
def test_at_time_0_only_what_was_false_before_is_triggered(
    initial_value: bool, expected: float
) -> None:
    model = sg.load(growing(events=[event("E", "b > 0", "a", "1", initial_value=initial_value)]))
    assert path(model, "a", [0, 1]) == [expected, expected]


def test_a_trigger_that_holds_from_the_start_is_triggered_when_it_holds_again() -> None:
    events = [event("E", "b > 0", "a", "a + 1"), event("F", "time >= 2", "b", "-b")]
    events.append(event("G", "time >= 3", "b", "-b"))
    assert path(sg.load(growing(events=events)), "a", [1, 2, 3, 4]) == [0, 0, 1, 1]


def test_a_trigger_that_holds_at_one_moment_only_is_not_missed() -> None:
    events = [event("E", "time == 2.5", "a", "time")]
    assert path(sg.load(growing(events=events)), "a", [2.4, 2.5, 9]) == [0, 2.5, 2.5]


def test_a_periodic_trigger_happens_every_time() -> None:
    events = [event("E", "sin(time) > 0.999999", "n", "n + 1")]
    assert path(sg.load(growing(events=events)), "n", [2, 2 * math.pi * 100]) == [1, 100]


def test_a_brief_trigger_far_away_is_found_between_output_times() -> None:
    events = [event("E", "(time > 777.77) && (time < 777.7700000001)", "a", "time")]
    values = path(sg.load(growing(events=events)), "a", [700, 1000])
    assert values[0] == 0.0
    assert values[1] == math.nextafter(777.77, 1e3)


@pytest.mark.parametrize("rate", [0.0, 10.0])
def test_a_trigger_that_cannot_be_resolved_is_an_error_and_never_late(rate: float) -> None:
    """The first part comes within 1e-12 of holding at time 1 and hides the second from a search."""
    trigger = "(time^2 - 2*time + 1 < -1e-12) || (time >= 1.5)"
    model = load(
        reaction("J", str(rate), "", "X"),
        counts={"X": 0},
        values={"a": 0.0},
        events=[event("E", trigger, "a", "time")],
    )
    cells = sg.simulate(model, times=[3], trajectories=2, seed=1, on_failure="mark")
    lost = cells.outcomes == Outcome.TRIGGER_UNRESOLVED
    assert np.all(lost | (cells.values("a")[:, 0] == 1.5))


def test_a_state_trigger_is_seen_after_the_very_firing() -> None:
    model = load(
        reaction("J", "1", "", "X"),
        counts={"X": 0},
        values={"a": 0.0},
        events=[event("E", "X >= 4", "X", "0", more=[("a", "a + 1")])],
    )
    cells = sg.simulate(model, readouts=[AfterFirings(range(13))], trajectories=3, seed=1)
    counts = [i % 4 for i in range(13)]
    assert cells.values("X").tolist() == [counts] * 3
    assert cells.values("a").tolist() == [[i // 4 for i in range(13)]] * 3


# --- delay and persistence ------------------------------------------------------------------------


@pytest.mark.parametrize(("use_trigger_values", "expected"), [(True, 1.0), (False, 7.0)])
def test_values_of_a_delayed_event_are_from_the_trigger_or_the_execution(
    use_trigger_values: bool, expected: float
) -> None:
    events = [
        event("E", "time >= 1", "a", "b", delay="2", use_trigger_values=use_trigger_values),
        event("F", "time >= 2", "b", "7"),
    ]
    model = sg.load(growing(events=events))
    assert path(model, "a", [1, math.nextafter(3.0, 0), 3, 4]) == [0, 0, expected, expected]


def test_a_delay_is_that_of_the_trigger_time() -> None:
    events = [event("E", "time >= 1", "a", "time", delay="b + time", use_trigger_values=False)]
    events.append(event("F", "time >= 1.5", "b", "100"))
    assert path(sg.load(growing(events=events)), "a", [2.9, 3, 200]) == [0, 3, 3]


@pytest.mark.parametrize(("persistent", "expected"), [(True, [1, 2]), (False, [0, 1])])
def test_a_trigger_that_stops_holding_cancels_unless_persistent(
    persistent: bool, expected: list[int]
) -> None:
    trigger = "((time >= 1) && (time < 2)) || (time >= 6)"
    events = [event("E", trigger, "n", "n + 1", delay="3", persistent=persistent)]
    assert path(sg.load(growing(events=events)), "n", [5, 10]) == expected


def test_another_event_at_the_same_time_can_cancel_one_that_is_not_persistent() -> None:
    def last(persistent: bool) -> list[float]:
        events = [
            event("E", "time >= 1", "b", "0", priority="2"),
            event("F", "(time >= 1) && (b > 0)", "a", "1", priority="1", persistent=persistent),
        ]
        return path(sg.load(growing(events=events)), "a", [2])

    assert last(True) == [1.0]
    assert last(False) == [0.0]


def test_two_executions_of_one_event_may_be_pending_with_values_of_their_own() -> None:
    trigger = "((time >= 1) && (time < 1.5)) || (time >= 2)"
    events = [event("E", trigger, "a", "time", delay="5", more=[("n", "n + 1")])]
    model = sg.load(growing(events=events))
    assert path(model, "a", [5.9, 6, 6.9, 7, 9]) == [0, 1, 1, 2, 2]
    # Both took n when they were triggered, before either was executed.
    assert path(model, "n", [6, 9]) == [1, 1]


def test_a_delayed_event_happens_at_its_time_between_firings() -> None:
    model = load(
        reaction("J", "b*X", "X"),
        counts={"X": 50},
        values={"b": 1.0, "a": 0.0},
        events=[event("E", "X < 25", "a", "time", delay="2", more=[("b", "0")])],
    )
    fired = sg.simulate(model, readouts=[AfterFirings([26])], trajectories=5, seed=1).values("time")
    cells = sg.simulate(model, times=[60], trajectories=5, seed=1)
    assert cells.values("b").tolist() == [[0.0]] * 5
    for row, late in enumerate(cells.values("a")[:, 0]):
        # Values are from the trigger time, so `a` holds the time of the 26th firing.
        assert late == fired[row, 0]


# --- several events -------------------------------------------------------------------------------


def order_of(priorities: list[str | None], **more: Any) -> float:
    """Digits in the order in which events 1, 2, ... at time 1 are executed."""
    events = [
        event(
            f"E{i}", "time >= 1", "n", f"10*n + {i}", priority=p, use_trigger_values=False, **more
        )
        for i, p in enumerate(priorities, 1)
    ]
    return path(sg.load(growing(events=events)), "n", [1])[0]


def test_priorities_order_events_at_one_time() -> None:
    assert order_of(["1", "3", "2"]) == 231
    assert order_of(["-1", "0", "-2", "5"]) == 4213


def test_priorities_are_those_at_the_execution() -> None:
    # After E1 (n = 1) the third comes before the second.
    assert order_of(["100", "5", "piecewise(9, n > 0, 1)"]) == 132


def test_an_event_triggered_by_another_takes_its_place_by_priority() -> None:
    events = [
        event("E", "time >= 1", "a", "1", priority="9"),
        event("F", "time >= 1", "n", "10*n + 1", priority="1", use_trigger_values=False),
        event("G", "a > 0", "n", "10*n + 2", priority="5", use_trigger_values=False),
    ]
    assert path(sg.load(growing(events=events)), "n", [1]) == [21]


def test_a_priority_without_a_value_is_an_error() -> None:
    events = [
        event("E", "time >= 1", "a", "1", priority="b/a - b/a"),
        event("F", "time >= 1", "b", "2", priority="1"),
    ]
    error = failure(sg.load(growing(events=events)), 2)
    assert "event 'E'" in str(error)


@pytest.mark.parametrize(("use_trigger_values", "expected"), [(True, (1, 0)), (False, (1, 1))])
def test_events_at_one_time_see_each_other_unless_they_use_trigger_values(
    use_trigger_values: bool, expected: tuple[float, float]
) -> None:
    events = [
        event("E", "time >= 1", "a", "b", priority="2", use_trigger_values=use_trigger_values),
        event("F", "time >= 1", "b", "a", priority="1", use_trigger_values=use_trigger_values),
    ]
    model = sg.load(growing(events=events))
    assert (*path(model, "a", [1]), *path(model, "b", [1])) == expected


def test_assignments_of_one_event_are_made_all_at_once() -> None:
    model = sg.load(growing(events=[event("E", "time >= 1", "a", "b", more=[("b", "a")])]))
    assert (*path(model, "a", [1]), *path(model, "b", [1])) == (1.0, 0.0)


def test_events_trigger_each_other_within_one_moment() -> None:
    events = [event("E0", "time >= 1", "n", "1")]
    events += [event(f"E{i}", f"n >= {i}", "n", f"{i + 1}") for i in range(1, 9)]
    assert path(sg.load(growing(events=events)), "n", [1]) == [9]


@pytest.mark.parametrize("delay", [None, "0"])
def test_an_endless_cascade_is_an_error_naming_an_event(delay: str | None) -> None:
    events = [
        event("up", "a < 0.5", "a", "1", delay=delay, initial_value=False),
        event("down", "a > 0.5", "a", "0", delay=delay),
    ]
    error = failure(sg.load(growing(events=events)), 1)
    assert error.outcomes.tolist() == [Outcome.EVENT_LIMIT]
    assert "event 'up'" in str(error) or "event 'down'" in str(error)


def test_a_negative_delay_is_an_error_that_says_so() -> None:
    error = failure(sg.load(growing(events=[event("E", "time >= 1", "a", "1", delay="-b")])), 2)
    assert "event 'E'" in str(error)
    assert "delay" in str(error)
    assert "at time 1 " in str(error)


def test_a_value_that_is_no_number_is_an_error_at_its_time() -> None:
    error = failure(sg.load(growing(events=[event("E", "time >= 3", "a", "1/a")])), 4)
    assert error.outcomes.tolist() == [Outcome.EVENT_UNDEFINED]
    assert "event 'E' at time 3 " in str(error)


# --- what an event assigns ------------------------------------------------------------------------

CONCENTRATION: dict[str, Any] = {"hasOnlySubstanceUnits": "false"}


def in_volume(size: float, *events: str, **more: Any) -> sg.ReactionNetwork:
    """A model with an amount A, a concentration C and a volume that may change."""
    return load(
        reaction("J", "0*A*C", "A C"),
        counts={"A": 6},
        others=[species("C", 12, **CONCENTRATION)],
        compartments=[compartment("cell", size, constant="false")],
        events=events,
        **more,
    )


def test_an_amount_and_a_concentration_are_assigned_in_what_they_mean() -> None:
    model = in_volume(4.0, event("E", "time >= 1", "A", "5", more=[("C", "5")]))
    cells = sg.simulate(model, times=[0, 1], seed=1)
    assert cells.counts[0].tolist() == [[6, 12], [5, 20]]
    assert cells.values("C").tolist() == [[3.0, 5.0]]
    assert cells.values("C", "amount").tolist() == [[12.0, 20.0]]
    assert cells.values("A", "concentration").tolist() == [[1.5, 1.25]]


def test_counts_stay_when_a_volume_changes() -> None:
    cells = sg.simulate(in_volume(4.0, event("E", "time >= 1", "cell", "3")), times=[0, 1], seed=1)
    assert cells.counts[0].tolist() == [[6, 12], [6, 12]]
    assert cells.values("C").tolist() == [[3.0, 4.0]]
    assert cells.values("cell").tolist() == [[4.0, 3.0]]


ENGINES = [NATIVE, sg.engines.ODE()]


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: type(e).__name__)
def test_a_concentration_is_one_in_the_volume_before_the_same_event_sets_it(engine: Any) -> None:
    # All assignments are made from one state, as case 1780 of the SBML test suite argues.
    model = in_volume(4.0, event("E", "time >= 1", "C", "5", more=[("cell", "2")]))
    cells = sg.simulate(model, times=[1], seed=1, engine=engine)
    assert cells.values("C", "amount")[0, 0] == pytest.approx(20.0, rel=1e-12)
    assert cells.values("C")[0, 0] == pytest.approx(10.0, rel=1e-12)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: type(e).__name__)
def test_a_concentration_from_the_trigger_time_is_assigned_in_the_volume_of_the_execution(
    engine: Any,
) -> None:
    model = in_volume(
        4.0, event("E", "time >= 1", "C", "5", delay="2"), event("V", "time >= 2", "cell", "3")
    )
    cells = sg.simulate(model, times=[2.5, 3], seed=1, engine=engine)
    np.testing.assert_allclose(cells.values("C")[0], [4.0, 5.0], rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: type(e).__name__)
def test_a_concentration_is_one_in_the_volume_before_what_it_follows_from_is_set(
    engine: Any,
) -> None:
    model = load(
        others=[
            species("C", 4, boundaryCondition="true", **CONCENTRATION),
            species("X", 2, boundaryCondition="true"),
        ],
        compartments=[compartment("cell", None, constant="false")],
        rules=[rule("assignment", "cell", "1 + X")],
        events=[event("E", "time >= 1", "C", "5", more=[("X", "4")])],
    )
    cells = sg.simulate(model, times=[0.5, 2], seed=1, engine=engine)
    np.testing.assert_allclose(cells.values("cell")[0], [3.0, 5.0], rtol=1e-12)
    np.testing.assert_allclose(cells.values("C")[0], [4.0 / 3.0, 15.0 / 5.0], rtol=1e-12)


def fractional(initial: str = "strict", value: str = "2.5") -> sg.ReactionNetwork:
    text = document(
        reaction("J", "0*X", "X"), counts={"X": 3}, events=[event("E", "time >= 2", "X", value)]
    )
    return sg.load(text, initial=initial)


def test_a_count_that_is_not_whole_is_an_error_unless_the_user_chose() -> None:
    error = failure(fractional(), 3)
    assert error.outcomes.tolist() == [Outcome.NON_INTEGER_COUNT]
    assert "event 'E' at time 2 " in str(error)
    assert path(fractional("round"), "X", [1, 3]) in ([3, 2], [3, 3])
    assert path(fractional("round", "2.6"), "X", [1, 3]) == [3, 3]
    # A product that is off by rounding alone is a whole number.
    assert path(fractional(value="0.1*30"), "X", [1, 3]) == [3, 3]


def test_a_negative_count_is_an_error() -> None:
    error = failure(fractional(value="X - 4"), 3)
    assert error.outcomes.tolist() == [Outcome.NEGATIVE_COUNT]
    assert "event 'E'" in str(error)


# --- rate rules -----------------------------------------------------------------------------------


def test_constant_and_falling_rates() -> None:
    model = load(
        values={"a": 2.0, "k": 3.0},
        rules=[rule("rate", "a", "0.7"), rule("rate", "k", "-0.2*k")],
    )
    times = np.array([0.0, 0.1, 1.0, 7.0, 100.0])
    np.testing.assert_allclose(path(model, "a", times), 2.0 + 0.7 * times, rtol=1e-12)
    np.testing.assert_allclose(path(model, "k", times), 3.0 * np.exp(-0.2 * times), rtol=1e-8)


def test_an_oscillator_keeps_time() -> None:
    model = load(
        values={"p": 0.0, "q": 1.0}, rules=[rule("rate", "p", "q"), rule("rate", "q", "-p")]
    )
    times = np.linspace(0, 50, 11)
    np.testing.assert_allclose(path(model, "p", times), np.sin(times), atol=1e-7)


def test_motion_does_not_depend_on_output_times() -> None:
    model = load(values={"k": 3.0}, rules=[rule("rate", "k", "-0.2*k*k")])
    fine = path(model, "k", np.linspace(0, 10, 101))
    assert path(model, "k", [0, 5, 10]) == fine[::50]


def test_a_stiff_rate_rule_is_right() -> None:
    model = load(values={"k": 2.0}, rules=[rule("rate", "k", "-1e4*(k - cos(time))")])
    assert path(model, "k", [1])[0] == pytest.approx(math.cos(1.0 - 1e-4), rel=1e-7)


def test_what_has_decayed_to_nothing_stays_there() -> None:
    """Finds steps without error control far below 1, which make a law negative."""
    model = load(
        reaction("J", "k", "", "X"),
        counts={"X": 0},
        values={"k": 5.0},
        rules=[rule("rate", "k", "-0.5*k")],
    )
    cells = sg.simulate(model, times=[100, 3000], trajectories=2, seed=1)
    np.testing.assert_allclose(cells.values("k")[:, 0], 5.0 * math.exp(-50), rtol=1e-7)
    assert (np.abs(cells.values("k")[:, 1]) < 1e-260).all()


def test_a_rate_rule_that_leaves_every_bound_is_an_error() -> None:
    model = load(values={"k": 1.0}, rules=[rule("rate", "k", "k^2")])
    assert path(model, "k", [0.5])[0] == pytest.approx(2.0, rel=1e-8)
    error = failure(model, 2)
    assert error.outcomes.tolist() == [Outcome.STEP_TOO_SMALL]
    assert "at time 1 " in str(error)


def test_a_rate_rule_without_a_value_at_the_start_is_refused() -> None:
    model = load(values={"k": None}, rules=[rule("rate", "k", "1")])
    with pytest.raises(sg.SbmlGradError, match="k"):
        sg.simulate(model, times=[1], seed=1)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: type(e).__name__)
def test_a_concentration_with_a_rate_in_a_volume_with_a_rate(engine: Any) -> None:
    """C' = 0.5 whatever the volume does, so the amount grows at C' V + C V'."""
    model = load(
        others=[species("C", 4, boundaryCondition="true", **CONCENTRATION)],
        compartments=[compartment("cell", 2.0, constant="false")],
        rules=[rule("rate", "C", "0.5"), rule("rate", "cell", "0.3*cell")],
    )
    times = np.array([0.0, 1.0, 3.0])
    cells = sg.simulate(model, times=times, seed=1, engine=engine)
    size = 2.0 * np.exp(0.3 * times)
    np.testing.assert_allclose(cells.values("cell")[0], size, rtol=1e-7)
    np.testing.assert_allclose(cells.values("C")[0], 2.0 + 0.5 * times, rtol=1e-7)
    np.testing.assert_allclose(cells.values("C", "amount")[0], (2 + 0.5 * times) * size, rtol=1e-7)


def test_the_crossing_of_a_level_is_found_to_its_time() -> None:
    model = load(
        reaction("J", "5", "", "X"),
        counts={"X": 0},
        values={"k": 4.0, "a": 0.0, "b": 0.0},
        rules=[rule("rate", "k", "-0.2*k")],
        events=[
            event("E", "k < 1", "a", "time"),
            # Holds for a billionth of the time unit.
            event("F", "(k < 2) && (k > 2 - 4e-10)", "b", "time"),
        ],
    )
    cells = sg.simulate(model, times=[20], trajectories=4, seed=1)
    np.testing.assert_allclose(cells.values("a"), math.log(4.0) / 0.2, rtol=1e-9)
    np.testing.assert_allclose(cells.values("b"), math.log(2.0) / 0.2, rtol=1e-9)


def test_an_event_moves_what_a_rate_rule_moves() -> None:
    model = load(
        values={"k": 0.0},
        rules=[rule("rate", "k", "1")],
        events=[event("E", "k >= 1", "k", "k - 1")],
    )
    np.testing.assert_allclose(path(model, "k", [0.25, 1, 2.75]), [0.25, 0, 0.75], atol=1e-12)


# --- laws that fail -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1.0, 1e-6])
@pytest.mark.parametrize("until", [5.25, 6.0, 20.0])
def test_a_law_that_turns_negative_is_an_error_at_that_time(size: float, until: float) -> None:
    """Also where it is so small that no firing would ever have been tried."""
    model = load(
        reaction("J", f"{size}*p", "", "X"),
        counts={"X": 0},
        values={"p": 5.0},
        rules=[rule("rate", "p", "-1")],
    )
    error = failure(model, until)
    assert error.outcomes.tolist() == [Outcome.NEGATIVE_PROPENSITY]
    assert "reaction 'J' at time 5 " in str(error)
    assert path(model, "p", [4.999]) == pytest.approx([0.001], rel=1e-9)


def test_a_law_that_is_negative_for_a_moment_is_an_error() -> None:
    model = load(reaction("J", "1e-6*(sin(time)*sin(time/2))", "", "X"), counts={"X": 0})
    # Negative between pi and 2 pi only; both ends of the run are positive.
    error = failure(model, 7.0)
    assert error.outcomes.tolist() == [Outcome.NEGATIVE_PROPENSITY]
    assert f"at time {math.pi:.6g} " in str(error)


def test_an_event_may_prevent_that_a_law_turns_negative() -> None:
    model = load(
        reaction("J", "p", "", "X"),
        counts={"X": 0},
        values={"p": 1.0},
        rules=[rule("rate", "p", "-1")],
        events=[event("E", "p <= 0", "p", "1")],
    )
    assert path(model, "p", [2.5, 9.5]) == pytest.approx([0.5, 0.5], abs=1e-9)


def test_a_singular_law_is_an_error_and_no_hang() -> None:
    model = load(reaction("J", "1/abs(time - 5)", "", "X"), counts={"X": 0})
    for engine in (NATIVE, REFERENCE):
        error = failure(model, 6, engine=engine)
        assert error.outcomes.tolist() == [Outcome.NON_FINITE]
        assert "reaction 'J' at time 5 " in str(error)


def test_a_singularity_with_a_finite_integral_is_passed() -> None:
    model = load(
        reaction("J", "piecewise(1/sqrt(5 - time), time < 5, 1)", "", "X"), counts={"X": 0}
    )
    cells = sg.simulate(
        model, times=[6], trajectories=50, seed=1, engine=sg.engines.Native(firing_limit=1000)
    )
    assert (cells.outcomes == Outcome.COMPLETED).all()


@pytest.mark.parametrize("law", ["exp(1000*X)", "ln(Y)", "X/Y", "Y/Y"])
def test_the_reference_reports_what_the_native_engine_reports(law: str) -> None:
    model = load(
        reaction("J", law, "", "Y"),
        counts={"X": 1, "Y": 0},
        values={"a": 0.0},
        events=[event("E", "time >= 1", "a", "1")],
    )
    messages = {str(failure(model, 2, engine=engine)) for engine in (NATIVE, REFERENCE)}
    assert len(messages) == 1
    assert "reaction 'J' at time 0 " in messages.pop()


# --- invariances ----------------------------------------------------------------------------------

GRID = np.linspace(0.0, 4.0, 17)


def everything() -> sg.ReactionNetwork:
    """Events of all kinds, explicit time, a rate rule and random draws in one model."""
    return load_random(
        reaction("J0", "b*(1 + sin(3*time))*cell", "", "A"),
        reaction("J1", "k*A*A/cell", "2 A", "B"),
        reaction("J2", "0.3*B", "B"),
        counts={"A": 10, "B": 0},
        values={"b": 6.0, "k": 0.05, "n": 0.0, "r": 1.0},
        compartments=[compartment("cell", 1.0, constant="false")],
        rules=[rule("rate", "k", "0.01*B - 0.1*k")],
        assignments=[assignment("b", draw("uniform", "5", "7"))],
        events=[
            event("E1", "time >= 1.7", "cell", "2*cell"),
            event(
                "E2", "B >= 4", "A", "A + B", delay="0.2*r", more=[("r", draw("gamma", "2", "1"))]
            ),
            event("E3", "A > 12", "n", "n + 1", persistent=False, delay="0.05"),
            event("E4", "k > 0.06", "B", draw("poisson", "2"), use_trigger_values=False),
        ],
    )


def run(model: sg.ReactionNetwork, **more: Any) -> sg.Ensemble:
    options: dict[str, Any] = {"times": GRID, "trajectories": 40, "seed": 3, **more}
    return sg.simulate(model, **options)


def test_the_model_of_the_invariances_does_what_it_should() -> None:
    cells = run(everything())
    assert cells.values("n").max() > 0
    assert len(np.unique(cells.values("r")[:, -1])) > 20
    assert cells.values("cell")[:, -1].tolist() == [2.0] * 40
    assert cells.firings.min() > 10


def test_output_times_do_not_change_trajectories() -> None:
    fine, coarse = run(everything()), run(everything(), times=GRID[::4])
    np.testing.assert_array_equal(fine.states[0][:, ::4], coarse.states[0])
    # Nor does a moment more, wherever it lies.
    odd = run(everything(), times=np.sort(np.append(GRID, [1.7, 2.345678])))
    kept = np.isin(odd.times, GRID)
    np.testing.assert_array_equal(odd.states[0][:, kept], fine.states[0])


def test_threads_and_batches_do_not_change_trajectories() -> None:
    whole = run(everything(), engine=sg.engines.Native(threads=1)).states[0]
    np.testing.assert_array_equal(
        run(everything(), engine=sg.engines.Native(threads=2)).states[0], whole
    )
    parts = [
        run(everything(), trajectories=n, first_trajectory=first).states[0]
        for first, n in ((0, 1), (1, 26), (27, 13))
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize(
    "readout", [ValuesAt(GRID.tolist()), AfterFirings([0, 3, 9])], ids=lambda r: type(r).__name__
)
def test_the_interpreted_kernel_gives_the_same_bits(readout: Any) -> None:
    options: dict[str, Any] = {"times": None, "readouts": [readout], "trajectories": 4}
    ours, reference = (run(everything(), engine=e, **options) for e in (NATIVE, REFERENCE))
    np.testing.assert_array_equal(ours.states[0], reference.states[0])
    np.testing.assert_array_equal(ours.firings, reference.firings)


def test_interpolation_is_between_firings_alone() -> None:
    """Candidates that are dropped are no points of the line, and neither are windows."""
    model = load(reaction("J", "0.4*time", "", "X"), counts={"X": 0})
    at = np.array([1.0, 2.0, 3.0])
    cells = sg.simulate(
        model,
        readouts=[Interpolated(at.tolist()), AfterFirings(range(40))],
        trajectories=20,
        seed=1,
    )
    for line, points in zip(cells.states[0][:, :, 0], cells.states[1], strict=True):
        np.testing.assert_allclose(line, np.interp(at, points[:, 1], points[:, 0]), rtol=1e-9)


def test_windows_are_time_integrals_of_the_values() -> None:
    model = load(
        reaction("J", "0.4*time", "", "X"),
        counts={"X": 0},
        events=[event("E", "time >= 2.5", "X", "X + 10")],
    )
    fine = np.linspace(0.0, 4.0, 40_001)
    cells = sg.simulate(
        model, times=fine, readouts=[WindowAverages([0, 1, 4])], trajectories=5, seed=1
    )
    steps = cells.states[0][:, :-1, 0]
    exact = np.stack([steps[:, :10_000].mean(axis=1), steps[:, 10_000:].mean(axis=1)], axis=1)
    np.testing.assert_allclose(cells.states[1][:, :, 0], exact, atol=0.02)


def test_exhausted_trajectories_are_absorbed_after_firings_too() -> None:
    model = load(reaction("J", "(1 + time)*X", "X"), counts={"X": 2})
    cells = sg.simulate(model, readouts=[AfterFirings([0, 1, 2, 5])], trajectories=3, seed=1)
    assert (cells.outcomes == Outcome.ABSORBED).all()
    assert cells.values("X").tolist() == [[2, 1, 0, 0]] * 3


# --- the ensemble ---------------------------------------------------------------------------------


def full_ensemble() -> sg.Ensemble:
    model = load(
        reaction("J", "c*A", "A", "B"),
        reaction("K", "0*F", "F"),
        counts={"A": 40, "B": 0},
        values={"c": 0.5, "p": 1.0, "ruled": None},
        others=[
            species("R", None, boundaryCondition="true", **CONCENTRATION),
            species("F", 8, **CONCENTRATION),
        ],
        compartments=[compartment("cell", 2.0, constant="false")],
        rules=[
            rule("assignment", "ruled", "2*A + p + time"),
            rule("assignment", "R", "B + 1"),
            rule("rate", "p", "1"),
        ],
        events=[event("E", "time >= 1", "cell", "4")],
    )
    return sg.simulate(model, times=[0.5, 1, 2], trajectories=50, seed=1)


def test_every_symbol_has_values_in_every_quantity() -> None:
    cells = full_ensemble()
    a, b = cells.values("A"), cells.values("B")
    np.testing.assert_array_equal(a + b, 40.0)
    size, time = np.array([2.0, 4.0, 4.0]), np.array([0.5, 1.0, 2.0])
    np.testing.assert_array_equal(cells.values("cell"), np.tile(size, (50, 1)))
    np.testing.assert_allclose(cells.values("p"), np.tile(1 + time, (50, 1)), rtol=1e-12)
    np.testing.assert_allclose(cells.values("ruled"), 2 * a + 1 + 2 * time, rtol=1e-12)
    np.testing.assert_allclose(cells.values("J"), 0.5 * a, rtol=1e-12)
    np.testing.assert_allclose(cells.values("A", "concentration"), a / size, rtol=1e-12)
    np.testing.assert_allclose(cells.values("R"), b + 1, rtol=1e-12)
    np.testing.assert_allclose(cells.values("R", "amount"), (b + 1) * size, rtol=1e-12)
    np.testing.assert_allclose(cells.values("R", "counts"), (b + 1) * size, rtol=1e-12)
    np.testing.assert_allclose(cells.values("F"), np.tile(8 / size, (50, 1)), rtol=1e-12)
    np.testing.assert_allclose(cells.mean("ruled"), cells.values("ruled").mean(axis=0))
    np.testing.assert_allclose(cells.variance("R"), b.var(axis=0, ddof=1))


def test_tables_hold_the_state_by_its_names() -> None:
    cells = full_ensemble()
    frame, data = cells.to_dataframe(), cells.to_xarray()
    assert list(frame.columns) == ["trajectory", "time", "A", "B", "F", "p", "cell"]
    assert frame["A"].dtype == np.int64
    np.testing.assert_array_equal(frame["cell"].to_numpy()[:3], [2, 4, 4])
    np.testing.assert_array_equal(data["cell"].values, cells.values("cell"))
    assert data["p"].dims == ("trajectory", "time")


def test_counts_that_are_not_whole_are_refused_by_name() -> None:
    model = load(
        others=[species("X", 1, boundaryCondition="true")],
        events=[event("E", "time >= 1", "X", "2.5")],
    )
    cells = sg.simulate(model, times=[0, 2], seed=1)
    assert cells.values("X").tolist() == [[1.0, 2.5]]
    with pytest.raises(sg.SbmlGradError, match="'X'"):
        _ = cells.counts


@pytest.mark.parametrize(
    ("formula", "is_affine"),
    [
        ("3*X + 2", True),
        ("X*X", False),
        ("floor(X/2)", False),
        ("piecewise(1, X > 3, 0)", False),
        ("ceil(X)", False),
        ("quotient(X, 2)", False),
        ("X + time", False),
    ],
)
def test_the_average_of_a_rule_is_given_where_it_follows_and_refused_elsewhere(
    formula: str, is_affine: bool
) -> None:
    text = document(
        reaction("J", "1", "", "X"),
        counts={"X": 0},
        values={"r": None},
        rules=[rule("assignment", "r", formula)],
    )
    model = sg.load(at_level(text, 3, 2))
    cells = sg.simulate(model, readouts=[WindowAverages([0, 10])], trajectories=3, seed=1)
    if is_affine:
        np.testing.assert_allclose(cells.values("r"), 3 * cells.values("X") + 2, rtol=1e-12)
    else:
        with pytest.raises(sg.SbmlGradError, match="average"):
            cells.values("r")


def test_linear_means_agree_with_the_rate_equations() -> None:
    """Without noise in what the events see, the means obey the rate equations exactly."""
    lists: dict[str, Any] = {
        "values": {"k": 1.0, "d": 0.5},
        "rules": [rule("rate", "k", "-0.3*k")],
        "events": [event("E", "time >= 2", "d", "0", delay="1")],
    }
    births = reaction("J", "10*k*(1 + cos(time))", "", "X")
    model = load(births, reaction("D", "d*X", "X"), counts={"X": 5}, **lists)
    times = [1.0, 2.5, 3.0, 6.0]
    exact = sg.simulate(model, times=times, engine=sg.engines.ODE()).mean("X")
    cells = sg.simulate(model, times=times, trajectories=2000, seed=1)
    z = (cells.mean("X") - exact) / np.sqrt(cells.variance("X") / 2000)
    assert np.abs(z).max() < 4.0, f"z = {z}"


def test_gradients_through_events_are_refused() -> None:
    import tensorflow as tf

    model = sg.load(growing(events=[event("E", "time >= 1", "a", "1")]))
    with pytest.raises(sg.SbmlGradError, match="events"):
        sg.simulate(model, tf.constant(model.parameter_values), times=[1], seed=1)
