"""Output of the deterministic engine, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rate_models import after, decay, event, is_, n, network, s, solve

import sbmlgrad as sg
from sbmlgrad.codegen.deterministic import lower_deterministic
from sbmlgrad.engines.ode.engine import ODE
from sbmlgrad.model.elements import (
    Parameter,
)
from sbmlgrad.model.expression import (
    ONE,
    TIME,
    ZERO,
    Apply,
    divide,
    power,
    subtract,
)


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


@pytest.mark.parametrize("delay", [-1.0, float("nan"), float("-inf")])
def test_an_impossible_delay_is_an_error_that_names_the_event(delay: float) -> None:
    model = decay(events=(event(after(1.0), {"y": ONE}, "late", delay=divide(s("k"), s("z"))),))
    at_fault = {"k": delay, "z": 1.0}
    with pytest.raises(sg.SimulationError, match=r"'late'.*delay"):
        solve(replace(model, reactions=()), [0.0, 2.0], start=at_fault)


@pytest.mark.parametrize("given", [{"rtol": 0.0}, {"atol": -1.0}, {"rtol": 2.0}, {"tie_seed": -1}])
def test_impossible_settings_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(sg.RequestError):
        ODE(**given)
