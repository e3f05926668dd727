"""What events set: amounts, concentrations and counts, in volumes that change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from clock_models import (
    CONCENTRATION,
    ENGINES,
    failure,
    path,
)
from events import document, load
from sbml_text import compartment, event, reaction, rule, species

import sbmlgrad as sg
from sbmlgrad.engines import Outcome


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
