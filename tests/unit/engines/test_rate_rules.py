"""Rate rules in stochastic simulation: motion, and triggers on it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from clock_models import (
    CONCENTRATION,
    ENGINES,
    failure,
    path,
)
from events import load
from sbml_text import compartment, event, reaction, rule, species

import sbmlgrad as sg
from sbmlgrad.engines import Outcome


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
