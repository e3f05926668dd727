"""What trajectories with a clock do not depend on: output times, threads, batches, engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from clock_models import (
    GRID,
    NATIVE,
    REFERENCE,
    run,
)
from events import draw, load, load_random
from sbml_text import assignment, compartment, event, reaction, rule

import sbmlgrad as sg
from sbmlgrad.engines import Outcome
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, ValuesAt, WindowAverages


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
