"""Residuals are standard normal under their noise model, and bands hold what they promise."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fit_results import problem_of, usual_result
from matplotlib.figure import Figure

from sbmlgrad.errors import FitError
from sbmlgrad.fit.noise import draw, log_density
from sbmlgrad.fit.pictures.diagnostic_panels import draw_residuals, residuals_of
from sbmlgrad.fit.predictions import DISTRIBUTIONS, band, noise_distribution, standardised
from sbmlgrad.model.noise import NOISES

SCALES = {"binomial": 40.0, "negative-binomial": 6.0}
COUNTS = sorted(name for name, kind in NOISES.items() if kind.is_count)


def test_every_noise_model_has_its_distribution() -> None:
    assert DISTRIBUTIONS.keys() == NOISES.keys()


@pytest.mark.parametrize("name", NOISES)
def test_it_is_the_density_of_the_fit(name) -> None:
    """Two independent ways to the same number: `fit.noise` and scipy's distributions."""
    x, y, s = np.array([3.0, 7.0, 12.0]), 8.0, SCALES.get(name, 0.7)
    known = noise_distribution(name, y, s)
    found = known.logpmf(x) if NOISES[name].is_count else known.logpdf(x)
    np.testing.assert_allclose(found, log_density(name, x, y, s), rtol=1e-10)


@pytest.mark.parametrize("name", NOISES)
def test_residuals_of_drawn_measurements_are_standard_normal(name) -> None:
    """Mean and mean square of 20,000; the mid-point of counts makes them narrower, never wider.

    The variance of a squared normal is 2, so its mean has standard error sqrt(2 / n).
    """
    n = 20_000
    scale = SCALES.get(name, 0.7)
    measured = draw(name, np.full(n, 12.0), scale, np.random.default_rng(5))
    z = standardised(name, measured, np.full(n, 12.0), np.full(n, scale))
    assert np.isfinite(z).all()
    mean_z = z.mean() * math.sqrt(n)
    square_z = ((z**2).mean() - 1.0) / math.sqrt(2.0 / n)
    assert abs(mean_z) < 4.0, f"mean: z = {mean_z:.2f}"
    assert square_z < 4.0, f"mean square: z = {square_z:.2f}"
    if name not in COUNTS:
        assert square_z > -4.0, f"mean square: z = {square_z:.2f}"
    assert (z**2).mean() > 0.9


@pytest.mark.parametrize("name", NOISES)
def test_bands_hold_their_share(name) -> None:
    """Share of 20,000 measurements within 90 % limits; counts may only hold more."""
    n = 20_000
    scale = SCALES.get(name, 0.7)
    measured = draw(name, np.full(n, 12.0), scale, np.random.default_rng(6))
    low, high = band(name, np.array([12.0]), np.array([0.0]), np.array([scale]), 0.9)
    inside = ((measured >= low) & (measured <= high)).mean()
    z = (inside - 0.9) / math.sqrt(0.9 * 0.1 / n)
    assert z > -4.0, f"z = {z:.2f}"
    if name not in COUNTS:
        assert z < 4.0, f"z = {z:.2f}"
    else:
        assert inside < 0.97


def test_normal_residuals_are_plain_even_far_out() -> None:
    y, s = np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.0, 1e-3])
    x = np.array([1.5, -58.0, 4.0])
    np.testing.assert_allclose(standardised("normal", x, y, s), (x - y) / s, rtol=1e-9)


def test_the_error_of_simulation_widens_a_normal_band() -> None:
    low, high = band("normal", np.array([5.0]), np.array([0.3]), np.array([0.4]), 0.9)
    assert (high - low)[0] == pytest.approx(2 * 1.6448536 * 0.5)


def test_what_the_noise_model_forbids_is_no_number() -> None:
    assert np.isnan(standardised("log-normal", 1.0, 0.0, 0.5))
    with pytest.raises(FitError, match="'odd' is unknown"):
        noise_distribution("odd", 1.0, 1.0)


def test_predictions_stand_where_the_measurements_do() -> None:
    """Against the ensemble's mean, one measurement at a time."""
    result = usual_result()
    m, found = result.problem.measurements, result.predictions
    assert found is not None
    for i in (0, 13, 40, 71):
        curve = result.curves[m.condition[i], m.observables[m.observable_index[i]]]
        at = np.searchsorted(curve.times, m.time[i])
        # Both are of the same trajectories.
        assert found.mean[i] == pytest.approx(curve.mean[at], rel=1e-12)
        expected = curve.sd[at] / math.sqrt(result.evaluation_trajectories)
        assert found.standard_error[i] == pytest.approx(expected, rel=1e-12)
        assert found.scale[i] == pytest.approx(curve.scale[at], rel=1e-12)
    y0 = m.observable_index == 0
    expected = (m.value[y0] - found.mean[y0]) / 1.25
    np.testing.assert_allclose(residuals_of(result)[y0], expected, rtol=1e-9)


def test_no_measurements_no_predictions() -> None:
    from sbmlgrad.fit.predictions import predictions_of

    empty = SimpleNamespace(measurements=())
    assert predictions_of(empty, {}) is None  # type: ignore[arg-type]
    assert len(problem_of().measurements)


def test_infinite_residuals_are_counted_and_not_drawn() -> None:
    result = usual_result()
    assert result.predictions is not None
    scale = result.predictions.scale.copy()
    scale[[0, 40]] = 1e-300
    far = replace(result, predictions=replace(result.predictions, scale=scale))
    assert np.isinf(residuals_of(far)).sum() == 2
    axes = [Figure().add_subplot() for _ in range(2)]
    for ax, one in zip(axes, (result, far), strict=True):
        draw_residuals(ax, one)
    assert [ax.get_title() for ax in axes] == [
        "residuals over time",
        "residuals over time; 2 not finite",
    ]
    drawn = [sum(np.size(line.get_ydata()) for line in ax.lines[:3]) for ax in axes]
    assert drawn == [72, 70]
