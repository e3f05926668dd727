"""Intervals by the curvature of an exact likelihood: closed forms, bounds, open directions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from networks import antimony

import sbmlgrad as sg
from sbmlgrad.fit.objectives import StateSpaceLikelihood
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.fit.uncertainty.exact_likelihood import from_exact_likelihood, observed_information
from sbmlgrad.fit.uncertainty.fitted import Fitted, fitted_of
from sbmlgrad.model.snapshots import Snapshots

#: At time 3 the number of molecules is Poisson with mean 3 a, since they only come.
TEXT = "substanceOnly species X in cell; X = 0; a = 4; b = 1; make: => X; a*b;"
MEAN, TIME = 12.0, 3.0


def cells(number: int = 400) -> Snapshots:
    counts = np.random.default_rng(3).poisson(MEAN, (number, 1))
    return Snapshots(("X",), np.full(number, TIME), counts)


def fitted(free: tuple[str, ...], values: Any, **bounds: tuple[float, float]) -> Fitted:
    problem = plain_problem(antimony(TEXT), cells(), list(free), bounds=bounds)[0]
    return Fitted(
        problem,
        search_space(problem),
        np.array(values, dtype=np.float64),
        StateSpaceLikelihood(),
        sg.gradients.TwoSidedAdjoint(),
        sg.engines.Native(),
        1,
    )


def best() -> float:
    return float(cells().counts.mean()) / TIME


def test_the_information_of_a_parabola_is_its_curvature() -> None:
    curvature = np.array([[3.0, 1.0], [1.0, 2.0]])
    found = observed_information(lambda z: -curvature @ z, np.array([0.3, -0.2]))
    assert found == pytest.approx(curvature, rel=1e-9)


def test_a_poisson_rate_has_the_error_of_its_count() -> None:
    """Of n cells with mean m the relative standard error is 1/√(n m)."""
    found = from_exact_likelihood(fitted(("a",), [best()]), 0.9)
    relative = 1.0 / np.sqrt(cells().counts.sum())
    assert found.standard_errors / found.values == pytest.approx([relative], rel=1e-4)
    assert found.lower / found.values == pytest.approx([np.exp(-1.644854 * relative)], rel=1e-5)
    assert found.details["distance_to_optimum"] == pytest.approx([0.0], abs=1e-6)
    assert not found.parameter_flags


def test_a_fit_that_stopped_short_has_its_interval_around_the_optimum() -> None:
    """3.5 standard errors above it, from where the optimum is found to a twentieth of one."""
    off = np.log(1.05)
    found = from_exact_likelihood(fitted(("a",), [1.05 * best()]), 0.9)
    relative = 1.0 / np.sqrt(cells().counts.sum())
    assert found.details["distance_to_optimum"] == pytest.approx([-off], abs=0.05 * relative)
    # What is left open, and how far the value is off.
    assert found.standard_errors / found.values == pytest.approx([off], rel=0.05)
    assert found.lower == pytest.approx([best() * np.exp(-1.644854 * relative)], rel=2e-3)
    assert found.upper == pytest.approx(found.values)
    (said,) = found.parameter_flags["a"]
    assert "above the optimum of the likelihood, around which the interval lies" in said
    assert "the value lies outside and was made its upper end" in said
    assert found.estimates["a"].central is None
    assert not found.flags


@pytest.mark.parametrize(
    ("factor", "bounds", "why"),
    [
        (1.5, {}, "standard errors long"),
        (0.95, {"a": (1.0, 4.01)}, "leads beyond the bounds of a"),
    ],
)
def test_where_the_optimum_is_not_found_the_interval_is_not_to_be_used(factor, bounds, why) -> None:
    """From half as much again the second step is as long as five standard errors."""
    found = from_exact_likelihood(fitted(("a",), [factor * best()], **bounds))
    (said,) = found.flags
    assert why in said
    assert "not to be used" in said
    assert any("not to be used" in flag for flag in found.parameter_flags["a"])
    estimate = found.estimates["a"]
    assert estimate.central is None
    # The distance counts once, and the covariance is that of the data alone.
    (away,) = found.details["distance_to_optimum"]
    error = np.hypot(away, np.sqrt(found.covariance[0, 0]))
    assert found.standard_errors == pytest.approx(found.values * error, rel=1e-9)
    relative = 1.0 / np.sqrt(factor * cells().counts.sum())
    assert found.covariance[0, 0] == pytest.approx(relative**2, rel=1e-3)
    assert found.lower[0] < min(1.0, factor) * best()
    assert max(1.0, factor) * best() <= found.upper[0]


def test_a_direction_that_the_data_leave_open_has_no_interval() -> None:
    found = from_exact_likelihood(fitted(("a", "b"), [best(), 1.0]))
    assert np.isinf(found.standard_errors).all()
    assert "cannot be told apart" in " ".join(found.flags)
    assert found.parameter_flags["a"][-1] == "not determined by these data"


def test_a_parameter_at_a_bound_is_held_there() -> None:
    own = fitted(("a", "b"), [best(), 1.0], b=(1e-3, 1.0))
    found = from_exact_likelihood(own)
    alone = from_exact_likelihood(fitted(("a",), [best()]))
    assert found.standard_errors[0] == pytest.approx(alone.standard_errors[0], rel=1e-6)
    assert np.isnan(found.standard_errors[1])
    assert "at a bound" in found.parameter_flags["b"][0]
    with pytest.raises(sg.FitError, match="every parameter is at a bound"):
        from_exact_likelihood(fitted(("b",), [1.0], b=(1e-3, 1.0)))


def test_where_there_is_no_maximum_it_says_so() -> None:
    """Far above the optimum of a Poisson rate the curvature in its logarithm is that of a hill;
    a background of unexplained cells makes it a valley there."""
    own = replace(fitted(("a",), [9.0 * best()]), objective=StateSpaceLikelihood(background=0.5))
    with pytest.raises(sg.FitError, match="did not end in a maximum"):
        from_exact_likelihood(own)


def test_other_objectives_are_refused() -> None:
    own = replace(fitted(("a",), [best()]), objective=sg.fit.objectives.Moments())  # type: ignore[attr-defined]
    with pytest.raises(sg.FitError, match="no exact likelihood"):
        from_exact_likelihood(own)


@pytest.fixture(scope="module")
def result() -> sg.FitResult:
    return sg.fit(
        antimony(TEXT),
        cells(),
        ["a"],
        objective=StateSpaceLikelihood(),
        seed=1,
        epochs=3,
        learning_rate=0.005,
        trajectories=2,
        evaluation_trajectories=2,
    )


def test_uncertainty_takes_it_by_itself(result) -> None:
    parts: list[tuple[int, int]] = []
    found = sg.uncertainty(
        result, objective=StateSpaceLikelihood(), progress=lambda *part: parts.append(part)
    )
    assert parts == [(1, 2), (2, 2)]
    assert found.settings["information"] == "observed"
    relative = 1.0 / np.sqrt(cells().counts.sum())
    assert found.standard_errors / found.values == pytest.approx([relative], rel=1e-2)
    with pytest.raises(sg.RequestError, match="no setting trajectories; it has progress for"):
        sg.uncertainty(result, objective=StateSpaceLikelihood(), trajectories=10)


def test_other_methods_need_no_estimator_to_be_named(result) -> None:
    """An exact objective has its own gradient, so the fit names no estimator."""
    assert result.estimator == result.objective
    assert fitted_of(result, objective=StateSpaceLikelihood()).objective == StateSpaceLikelihood()
