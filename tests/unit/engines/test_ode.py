"""Deterministic simulation against closed forms, and events against the words of the standard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import sbmlgrad as sg
from sbmlgrad.codegen.deterministic import lower_deterministic
from sbmlgrad.engines.ode import ODE
from sbmlgrad.model.elements import (
    Compartment,
    Event,
    Parameter,
    Reaction,
    Species,
    SpeciesReference,
    Stoichiometry,
)
from sbmlgrad.model.expression import (
    ONE,
    TIME,
    ZERO,
    Apply,
    Expression,
    Number,
    Symbol,
    add,
    divide,
    multiply,
    negate,
    power,
    subtract,
)
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate

TRUE = Apply("true", ())


def s(name: str) -> Symbol:
    return Symbol(name)


def n(value: float) -> Number:
    return Number(value)


def is_(relation: str, left: Expression, right: Expression) -> Expression:
    return Apply(relation, (left, right))


def after(time: float) -> Expression:
    return is_("geq", TIME, n(time))


def amount(name: str, value: float = 1.0, **more: Any) -> Species:
    return Species(name, "cell", initial_amount=value, only_substance_units=True, **more)


def concentration(name: str, value: float = 1.0, **more: Any) -> Species:
    return Species(name, "cell", initial_concentration=value, **more)


def network(
    *,
    species: Sequence[Species] = (),
    parameters: Mapping[str, float] | None = None,
    size: float = 1.0,
    **more: Any,
) -> ReactionNetwork:
    return ReactionNetwork(
        "m",
        (Compartment("cell", size),),
        tuple(species),
        tuple(Parameter(k, v) for k, v in (parameters or {}).items()),
        **more,
    )


def event(
    trigger: Expression, assignments: Mapping[str, Expression], name: str = "e", **more: Any
) -> Event:
    return Event(name, trigger, assignments, **more)


def solve(
    model: ReactionNetwork,
    times: Sequence[float],
    engine: ODE | None = None,
    start: Mapping[str, float] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Return what every symbol means at the output times."""
    system = lower_deterministic(model)
    values: dict[str, float] = {}
    for element in (*model.parameters, *model.references):
        values[element.id] = element.value
    for compartment in model.compartments:
        values[compartment.id] = compartment.size
    for one in model.species:
        given = one.initial_amount if one.initial_amount is not None else one.initial_concentration
        assert given is not None
        size = values[one.compartment]
        is_state = one.id in system.state_ids
        if is_state and one.initial_amount is None and not one.only_substance_units:
            given = given * size
        values[one.id] = given
    values.update(start or {})
    inputs = np.array([values[i] for i in system.input_ids], dtype=np.float64)
    first = np.array([values[i] for i in system.state_ids], dtype=np.float64)
    grid = np.array(times, dtype=np.float64)
    states = (engine or ODE()).integrate(system, inputs, first, grid)
    known: dict[str, object] = dict(zip(system.input_ids, inputs, strict=True))
    known |= {i: states[:, k] for k, i in enumerate(system.state_ids)}
    known[TIME.id] = grid
    return {
        symbol: np.broadcast_to(evaluate(meaning, known), grid.shape)
        for symbol, meaning in system.meanings.items()
    }


def decay(rate: Expression | None = None, **more: Any) -> ReactionNetwork:
    law = multiply(rate if rate is not None else s("k"), s("X"))
    return network(
        species=[amount("X")],
        parameters={"k": 1.0, "y": 0.0, "z": 0.0},
        reactions=(Reaction("J", {"X": 1}, {}, law),),
        **more,
    )


# --- rate equations -------------------------------------------------------------------------------


def test_decay_is_an_exponential() -> None:
    times = np.linspace(0.0, 20.0, 41)
    found = solve(decay(), list(times))
    np.testing.assert_allclose(found["X"], np.exp(-times), rtol=1e-6, atol=1e-13)
    np.testing.assert_allclose(found["J"], np.exp(-times), rtol=1e-6, atol=1e-13)


@pytest.mark.parametrize("scale", [1e-20, 1e-12, 1.0, 1e12])
def test_accuracy_does_not_depend_on_the_unit_of_substance(scale: float) -> None:
    chain = network(
        species=[amount("A", scale), amount("B", 0.0), amount("C", 0.0)],
        reactions=(
            Reaction("J1", {"A": 1}, {"B": 1}, s("A")),
            Reaction("J2", {"B": 1}, {"C": 1}, multiply(n(2.0), s("B"))),
        ),
    )
    times = np.array([0.0, 0.1, 1.0, 5.0])
    found = solve(chain, list(times))
    a, b = np.exp(-times), np.exp(-times) - np.exp(-2.0 * times)
    np.testing.assert_allclose(found["A"], scale * a, rtol=1e-6)
    np.testing.assert_allclose(found["B"], scale * b, rtol=1e-6)
    np.testing.assert_allclose(found["C"], scale * (1.0 - a - b), rtol=1e-6)


def test_a_stiff_problem_has_its_known_solution() -> None:
    # Robertson's problem; the values at t = 40 and 4e5 are those of Hairer & Wanner 1996, IV.10.
    def law(*factors: Expression) -> Expression:
        return multiply(*factors)

    robertson = network(
        species=[amount("A"), amount("B", 0.0), amount("C", 0.0)],
        reactions=(
            Reaction("J1", {"A": 1}, {"B": 1}, law(n(0.04), s("A"))),
            Reaction("J2", {"B": 2}, {"B": 1, "C": 1}, law(n(3e7), s("B"), s("B"))),
            Reaction("J3", {"B": 1, "C": 1}, {"A": 1, "C": 1}, law(n(1e4), s("B"), s("C"))),
        ),
    )
    found = solve(robertson, [0.0, 40.0, 4e5])
    np.testing.assert_allclose(found["A"][1:], [0.7158270688, 4.9382e-3], rtol=1e-4)
    np.testing.assert_allclose(found["B"][1:], [9.185534765e-6, 1.985e-8], rtol=1e-3)
    np.testing.assert_allclose(found["A"] + found["B"] + found["C"], 1.0, rtol=1e-7)


def test_a_stiff_problem_may_start_anywhere_in_its_solution() -> None:
    # X is held near Y by a rate of 1e9 and events start the solver again and again.
    fast = multiply(n(1e9), subtract(s("Y"), s("X")))
    model = network(
        parameters={"X": 1.0, "Y": 1.0, "last": 0.0, "n": 0.0},
        rate_rules={"X": fast, "Y": negate(s("Y"))},
        events=(
            event(
                is_("geq", subtract(TIME, s("last")), n(0.25)),
                {"last": TIME, "n": add(s("n"), ONE)},
            ),
        ),
    )
    times = np.array([0.5, 2.0, 5.1])
    found = solve(model, list(times))
    np.testing.assert_allclose(found["X"], np.exp(-times), rtol=1e-6)
    np.testing.assert_array_equal(found["n"], [2.0, 8.0, 20.0])


def test_volumes_factors_and_both_sides_count() -> None:
    # 3 f per extent of a law k [X], in amounts; a boundary species stays.
    model = network(
        species=[concentration("X", conversion_factor="f"), amount("B", 5.0, boundary=True)],
        parameters={"k": 0.5, "f": 2.0},
        size=4.0,
        reactions=(Reaction("J", {"X": 1, "B": 1}, {"X": 4}, multiply(s("k"), s("X"))),),
    )
    times = np.array([0.0, 1.0, 2.0])
    found = solve(model, list(times))
    np.testing.assert_allclose(found["X"], np.exp(3.0 * 2.0 * 0.5 / 4.0 * times), rtol=1e-7)
    np.testing.assert_array_equal(found["B"], 5.0)


def test_a_stoichiometry_may_be_a_formula_that_changes() -> None:
    model = network(
        species=[amount("X", 0.0), amount("Y", 0.0)],
        references=(SpeciesReference("r", 2.0),),
        rate_rules={"r": n(1.0)},
        reactions=(
            Reaction(
                "J",
                {"Y": 1.0},
                {},
                ONE,
                formulas=(Stoichiometry("X", s("r"), True), Stoichiometry("Y", s("r"), False)),
            ),
        ),
    )
    times = np.array([0.0, 1.0, 3.0])
    found = solve(model, list(times))
    np.testing.assert_allclose(found["X"], 2.0 * times + times**2 / 2.0, rtol=1e-7)
    np.testing.assert_allclose(found["Y"], -3.0 * times - times**2 / 2.0, rtol=1e-7)


def test_amounts_persist_while_a_volume_grows() -> None:
    model = network(
        species=[concentration("X", 3.0), concentration("Y", 3.0, boundary=True)],
        size=2.0,
        rate_rules={"cell": s("cell"), "Y": n(1.0)},
        reactions=(Reaction("J", {"X": 1}, {}, ZERO),),
    )
    times = np.array([0.0, 0.5, 1.0])
    found = solve(model, list(times))
    np.testing.assert_allclose(found["cell"], 2.0 * np.exp(times), rtol=1e-7)
    np.testing.assert_allclose(found["X"], 3.0 * np.exp(-times), rtol=1e-7)
    # A rate rule is about the concentration, whatever the volume does.
    np.testing.assert_allclose(found["Y"], 3.0 + times, rtol=1e-7)


def test_a_volume_may_be_given_by_a_rule() -> None:
    model = network(
        species=[concentration("Y", 3.0, boundary=True)],
        assignment_rules={"cell": add(ONE, multiply(TIME, TIME))},
        rate_rules={"Y": s("Y")},
    )
    times = np.array([0.0, 0.5, 1.0])
    found = solve(model, list(times))
    np.testing.assert_allclose(found["Y"], 3.0 * np.exp(times), rtol=1e-7)


def test_rate_of_is_the_rate_of_change() -> None:
    # y' = rateOf(X) = -k X, so y = X - 1; z' = rateOf([S]) where the volume grows as 1 + t.
    model = network(
        species=[amount("X"), concentration("S", 2.0)],
        parameters={"k": 0.7, "y": 0.0, "z": 0.0, "rate": 0.0},
        assignment_rules={"cell": add(ONE, TIME), "rate": Apply("rateOf", (s("y"),))},
        rate_rules={"y": Apply("rateOf", (s("X"),)), "z": Apply("rateOf", (s("S"),))},
        reactions=(
            Reaction("J", {"X": 1}, {}, multiply(s("k"), s("X"))),
            Reaction("none", {"S": 1}, {}, ZERO),
        ),
    )
    times = np.array([0.0, 0.5, 2.0])
    found = solve(model, list(times))
    np.testing.assert_allclose(found["y"], np.exp(-0.7 * times) - 1.0, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(found["z"], 2.0 / (1.0 + times) - 2.0, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(found["rate"], -0.7 * np.exp(-0.7 * times), rtol=1e-6)


def test_a_jump_of_the_right_hand_side_is_not_smeared() -> None:
    pulse = Apply(
        "piecewise", (n(1e3), Apply("and", (after(50.0), is_("lt", TIME, n(50.001)))), ZERO)
    )
    above = Apply("piecewise", (n(1.0), is_("lt", s("z"), n(0.3)), n(0.01)))
    model = network(parameters={"y": 0.0, "z": 0.0}, rate_rules={"y": pulse, "z": above})
    found = solve(model, [0.0, 50.0, 50.0005, 100.0])
    np.testing.assert_allclose(found["y"], [0.0, 0.0, 0.5, 1.0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["z"][1:], 0.3 + 0.01 * (np.array([50, 50.0005, 100]) - 0.3))


def test_a_formula_need_not_have_a_value_beyond_its_own_condition() -> None:
    # y' = -sqrt(y) reaches 0 at t = 2 and stays; beyond, the square root has no value.
    root = Apply("sqrt", (s("y"),))
    fall = Apply("piecewise", (negate(root), is_("gt", s("y"), ZERO), ZERO))
    model = network(parameters={"y": 1.0}, rate_rules={"y": fall})
    found = solve(model, [0.0, 1.0, 1.9, 3.0])
    np.testing.assert_allclose(found["y"], [1.0, 0.25, 0.0025, 0.0], rtol=1e-6, atol=1e-12)


# --- events: when ---------------------------------------------------------------------------------


def test_a_time_trigger_takes_effect_at_its_time_exactly() -> None:
    model = decay(events=(event(after(5.0), {"X": n(7.0)}),))
    before = np.nextafter(5.0, 0.0)
    found = solve(model, [0.0, before, 5.0, 6.0])
    np.testing.assert_allclose(
        found["X"], np.array([1.0, np.exp(-5.0), 7.0, 7.0 * np.exp(-1.0)]), rtol=1e-7
    )
    assert found["X"][2] == 7.0


def test_time_triggers_are_found_where_nothing_moves() -> None:
    brief = Apply("and", (after(1234.5), is_("lt", TIME, n(1234.6))))
    model = network(parameters={"y": 0.0}, events=(event(brief, {"y": add(s("y"), ONE)}),))
    found = solve(model, [0.0, np.nextafter(1234.5, 0.0), 1234.5, 1e6])
    np.testing.assert_array_equal(found["y"], [0.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize("moving", [True, False])
def test_a_trigger_may_be_true_at_one_point_of_time(moving: bool) -> None:
    model = network(
        parameters={"y": 0.0, "z": 0.0},
        rate_rules={"z": ONE} if moving else {},
        events=(event(is_("eq", TIME, n(0.3)), {"y": add(s("y"), ONE)}),),
    )
    found = solve(model, [0.0, 0.29, 0.3, 10.0])
    np.testing.assert_array_equal(found["y"], [0.0, 0.0, 1.0, 1.0])


def test_a_state_trigger_is_located_within_a_step() -> None:
    # X falls to 0.1 at ln 10 and starts again from 1, over and over.
    model = decay(events=(event(is_("leq", s("X"), n(0.1)), {"X": ONE, "y": TIME}),))
    times = np.linspace(0.0, 30.0, 31)
    found = solve(model, list(times))
    period = np.log(10.0)
    np.testing.assert_allclose(found["X"], np.exp(-(times % period)), rtol=1e-6)
    np.testing.assert_allclose(found["y"], period * (times // period), rtol=1e-7, atol=1e-12)


def test_a_clock_that_events_reset_ticks_regularly() -> None:
    tick = is_("geq", subtract(TIME, s("y")), n(0.01))
    model = decay(events=(event(tick, {"y": TIME, "z": add(s("z"), ONE)}),))
    found = solve(model, [0.0, 0.995, 1.995])
    np.testing.assert_array_equal(found["z"], [0.0, 99.0, 199.0])


@pytest.mark.parametrize(("initial_value", "expected"), [(True, 0.0), (False, 1.0)])
def test_the_initial_value_decides_whether_an_event_fires_at_the_start(
    initial_value: bool, expected: float
) -> None:
    model = decay(events=(event(after(0.0), {"y": add(s("y"), ONE)}, initial_value=initial_value),))
    np.testing.assert_array_equal(solve(model, [0.0, 1.0])["y"], expected)


def test_an_event_fires_on_the_rising_edge_only() -> None:
    # sin t > 0.5 rises at pi/6, pi/6 + 2 pi, ...: three times in 0 < t < 15.
    phase = multiply(n(1.0), s("y"))
    wave = network(
        parameters={"y": 0.0, "x": 1.0, "z": 0.0},
        rate_rules={"y": s("x"), "x": negate(phase)},
        events=(event(is_("gt", s("y"), n(0.5)), {"z": add(s("z"), ONE)}),),
    )
    times = [0.0, 0.5, 0.6, 6.8, 6.9, 13.0, 13.1, 15.0]
    np.testing.assert_array_equal(solve(wave, times)["z"], [0, 0, 1, 1, 2, 2, 3, 3])


# --- events: what ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("at_trigger", "expected"), [(True, 1.0), (False, 3.0)])
def test_a_delayed_event_uses_the_values_asked_for(at_trigger: bool, expected: float) -> None:
    model = network(
        parameters={"y": 0.0, "z": 0.0},
        rate_rules={"y": ONE},
        events=(event(after(1.0), {"z": s("y")}, delay=n(2.0), use_trigger_values=at_trigger),),
    )
    found = solve(model, [0.0, 1.0, np.nextafter(3.0, 0.0), 3.0, 4.0])
    np.testing.assert_allclose(found["z"], [0.0, 0.0, 0.0, expected, expected], rtol=1e-9)


@pytest.mark.parametrize(("persistent", "expected"), [(True, 1.0), (False, 0.0)])
def test_a_trigger_that_turns_false_cancels_an_event_that_is_not_persistent(
    persistent: bool, expected: float
) -> None:
    brief = Apply("and", (after(1.0), is_("lt", TIME, n(1.5))))
    model = decay(events=(event(brief, {"y": ONE}, delay=ONE, persistent=persistent),))
    np.testing.assert_array_equal(solve(model, [0.0, 1.9, 2.0])["y"], [0.0, 0.0, expected])


def test_one_event_may_be_pending_several_times() -> None:
    # Triggered at 1, 2, 3, ... by a clock of its own; executed 2.5 later each time.
    model = network(
        parameters={"last": 0.0, "n": 0.0, "seen": -1.0},
        events=(
            event(
                is_("geq", subtract(TIME, s("last")), ONE), {"last": TIME, "n": add(s("n"), ONE)}
            ),
            event(
                is_("eq", TIME, Apply("floor", (TIME,))),
                {"seen": s("n")},
                "late",
                delay=n(2.5),
            ),
        ),
    )
    found = solve(model, [3.4, 3.5, 4.5, 5.5])
    # The values are those at the trigger, before the clock's own event at the same time.
    np.testing.assert_array_equal(found["seen"], [-1.0, 0.0, 1.0, 2.0])


def test_priorities_are_evaluated_at_execution_and_the_largest_comes_first() -> None:
    # `first` raises the priority of `last` above that of `second`.
    def digit(d: float) -> dict[str, Expression]:
        return {"y": add(multiply(n(10.0), s("y")), n(d))}

    at_execution = {"use_trigger_values": False}
    model = network(
        parameters={"y": 0.0, "p": 0.0},
        events=(
            event(after(1.0), digit(2), "second", priority=n(5.0), **at_execution),
            event(after(1.0), digit(3), "last", priority=s("p"), **at_execution),
            event(after(1.0), {**digit(1), "p": n(7.0)}, "first", priority=n(9.0), **at_execution),
        ),
    )
    np.testing.assert_array_equal(solve(model, [0.0, 1.0])["y"], [0.0, 132.0])


def test_simultaneous_events_with_trigger_values_do_not_see_each_other() -> None:
    model = network(
        parameters={"x": 1.0, "y": 2.0},
        events=(
            event(after(1.0), {"x": s("y")}, "a", priority=n(2.0)),
            event(after(1.0), {"y": s("x")}, "b", priority=n(1.0)),
        ),
    )
    found = solve(model, [0.0, 1.0])
    assert (found["x"][1], found["y"][1]) == (2.0, 1.0)


def test_assignments_of_one_event_are_evaluated_before_any_applies() -> None:
    swap = {"x": s("y"), "y": s("x")}
    model = network(
        parameters={"x": 1.0, "y": 2.0},
        events=(event(after(1.0), swap, use_trigger_values=False),),
    )
    found = solve(model, [0.0, 1.0])
    assert (found["x"][1], found["y"][1]) == (2.0, 1.0)


def test_an_execution_can_trigger_and_cancel_others_at_the_same_time() -> None:
    model = network(
        parameters={"x": 0.0, "y": 0.0, "z": 0.0},
        events=(
            event(after(1.0), {"x": ONE}, "first", priority=n(2.0)),
            event(is_("gt", s("x"), n(0.5)), {"y": ONE}, "chained"),
            event(
                Apply("and", (after(1.0), is_("lt", s("x"), n(0.5)))),
                {"z": ONE},
                "cancelled",
                priority=n(1.0),
                persistent=False,
            ),
        ),
    )
    found = solve(model, [0.0, 1.0])
    assert (found["x"][1], found["y"][1], found["z"][1]) == (1.0, 1.0, 0.0)


def test_ties_are_broken_at_random_but_reproducibly() -> None:
    def rival(name: str) -> Event:
        return event(
            is_("geq", subtract(TIME, s("last")), ONE),
            {name: add(s(name), ONE), "last": TIME},
            name,
            priority=ONE,
            persistent=False,
        )

    model = network(parameters={"a": 0.0, "b": 0.0, "last": 0.0}, events=(rival("a"), rival("b")))
    found = solve(model, [400.0])
    assert found["a"][0] + found["b"][0] == 400.0
    # |a - 200| > 50 has probability 6e-7 for fair coins.
    assert 150.0 < found["a"][0] < 250.0
    again = solve(model, [400.0])
    other = solve(model, [400.0], ODE(tie_seed=1))
    assert again["a"][0] == found["a"][0] != other["a"][0]


@pytest.mark.parametrize("with_species", [True, False])
def test_a_volume_set_by_an_event_keeps_amounts_also_those_it_sets(
    with_species: bool,
) -> None:
    assignments: dict[str, Expression] = {"cell": n(8.0)}
    if with_species:
        assignments["X"] = n(3.0)
    model = network(
        species=[concentration("X", 2.0)],
        size=4.0,
        reactions=(Reaction("none", {"X": 1}, {}, ZERO),),
        events=(event(after(1.0), assignments),),
    )
    found = solve(model, [0.0, 1.0])
    np.testing.assert_array_equal(found["cell"], [4.0, 8.0])
    # The concentration set is one in the volume before the event: an amount of 3 * 4.
    np.testing.assert_array_equal(found["X"], [2.0, 1.5 if with_species else 1.0])


def test_a_delayed_concentration_is_one_in_the_volume_at_execution() -> None:
    model = network(
        species=[concentration("X", 2.0)],
        size=1.0,
        rate_rules={"cell": ONE},
        reactions=(Reaction("none", {"X": 1}, {}, ZERO),),
        events=(event(after(1.0), {"X": n(5.0)}, delay=n(2.0)),),
    )
    found = solve(model, [3.0])
    np.testing.assert_allclose(found["X"], 5.0, rtol=1e-9)


def test_events_may_set_symbols_that_had_no_value() -> None:
    model = network(
        parameters={"k": float("nan"), "y": 0.0},
        rate_rules={"y": Apply("piecewise", (s("k"), after(1.0), ZERO))},
        events=(event(after(1.0), {"k": n(2.0)}),),
    )
    np.testing.assert_allclose(solve(model, [0.0, 2.0])["y"], [0.0, 2.0], rtol=1e-9)


# --- output and failure ---------------------------------------------------------------------------


def test_output_does_not_depend_on_which_times_are_asked_for() -> None:
    model = decay(events=(event(is_("lt", s("X"), n(0.5)), {"X": ONE}),))
    dense = solve(model, list(np.linspace(0.0, 4.0, 81)))["X"]
    sparse = solve(model, [1.0, 4.0])["X"]
    np.testing.assert_allclose(sparse, dense[[20, 80]], rtol=1e-7)


def test_a_single_time_at_the_start_needs_no_solver() -> None:
    np.testing.assert_array_equal(solve(decay(), [0.0])["X"], [1.0])


def test_progress_ends_complete() -> None:
    system = lower_deterministic(decay())
    calls: list[tuple[int, int]] = []
    ODE().integrate(
        system,
        np.ones(len(system.input_ids)),
        np.ones(1),
        np.linspace(0.0, 1.0, 5),
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls[-1] == (5, 5)
    assert calls == sorted(calls)


def test_a_rate_that_is_not_finite_names_its_symbol_and_time() -> None:
    model = decay(Apply("ln", (subtract(n(0.5), TIME),)))
    with pytest.raises(sg.SimulationError, match=r"'X' is not a finite number near time 0\.5"):
        solve(model, [0.0, 1.0])


def test_a_missing_value_is_named_where_a_rate_uses_it() -> None:
    model = replace(decay(), parameters=(Parameter("k"),))
    with pytest.raises(
        sg.SimulationError, match=r"'X' is not a finite number near time 0,.*'k' has no value"
    ):
        solve(model, [0.0, 1.0])


def test_a_solution_that_ends_is_an_error_that_names_the_time() -> None:
    model = network(parameters={"y": 1.0}, rate_rules={"y": power(s("y"), n(2.0))})
    with pytest.raises(sg.SimulationError, match=r"time (1|0\.9999)"):
        solve(model, [0.0, 2.0])


def test_events_without_end_are_an_error() -> None:
    model = network(
        parameters={"x": 0.0},
        events=(
            event(is_("gt", s("x"), n(0.5)), {"x": ZERO}, "down"),
            event(is_("lt", s("x"), n(0.5)), {"x": ONE}, "up", initial_value=False),
        ),
    )
    with pytest.raises(sg.SimulationError, match="without end"):
        solve(model, [0.0, 1.0])


def test_a_rate_that_drives_back_to_its_own_threshold_is_an_error() -> None:
    pushed = Apply("piecewise", (ONE, is_("lt", s("y"), n(0.3)), n(-1.0)))
    model = network(parameters={"y": 0.0}, rate_rules={"y": pushed})
    with pytest.raises(sg.SimulationError, match=r"between time 0.* and 0\.3.* does not advance"):
        solve(model, [0.0, 1.0])


@pytest.mark.parametrize("delay", [-1.0, float("nan"), float("inf")])
def test_an_impossible_delay_is_an_error_that_names_the_event(delay: float) -> None:
    model = decay(events=(event(after(1.0), {"y": ONE}, "late", delay=divide(s("k"), s("z"))),))
    at_fault = {"k": delay, "z": 1.0}
    with pytest.raises(sg.SimulationError, match=r"'late'.*delay"):
        solve(replace(model, reactions=()), [0.0, 2.0], start=at_fault)


@pytest.mark.parametrize("given", [{"rtol": 0.0}, {"atol": -1.0}, {"rtol": 2.0}, {"tie_seed": -1}])
def test_impossible_settings_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(sg.RequestError):
        ODE(**given)
