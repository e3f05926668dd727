"""Laws with explicit time or rate rules that turn negative, infinite or undefined."""

from __future__ import annotations

import math

import pytest
from clock_models import (
    NATIVE,
    REFERENCE,
    failure,
    path,
)
from events import load
from sbml_text import event, reaction, rule

import sbmlgrad as sg
from sbmlgrad.engines import Outcome


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
