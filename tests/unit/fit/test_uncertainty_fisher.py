"""Fisher information against closed forms: covariance, noise, what data leave open."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from networks import antimony, network
from scipy import stats

import sbmlgrad as sg
from sbmlgrad.errors import FitError
from sbmlgrad.fit.uncertainty.fitted import child_seed, fitted_of
from sbmlgrad.fit.uncertainty.identifiability import directions
from sbmlgrad.fit.uncertainty.result import with_uncertainty
from sbmlgrad.fit.uncertainty.run import uncertainty
from sbmlgrad.fit.uncertainty.scoring import refit
from sbmlgrad.model.expression import Symbol
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.problem import ProblemParameter

ALPHA, MU, SD = 2.0, 0.4, 0.2
TIMES = np.arange(1, 13) * 0.6


def mean(times, alpha=ALPHA, mu=MU):
    return alpha / mu * (1.0 - np.exp(-mu * times))


def slopes(times, alpha, mu):
    """Derivatives of the mean in log alpha and log mu, [time, 2]."""
    fall = np.exp(-mu * times)
    return np.stack(
        [mean(times, alpha, mu), alpha / mu * (mu * times * fall - (1.0 - fall))], axis=1
    )


def measured(replicates: int = 1, seed: int = 3, sd: float = SD) -> Measurements:
    time = np.repeat(TIMES, replicates)
    rng = np.random.default_rng(seed)
    labels = tuple(map(str, np.tile(np.arange(replicates), TIMES.size).tolist()))
    value = mean(time) + sd * rng.normal(size=time.size)
    index = np.zeros(time.size, dtype=np.int64)
    return Measurements(("X",), time, index, value, labels, ("",) * time.size)


def standing(model, data=None, **options):
    """Return a fit that stays where it starts."""
    settings = {"epochs": 1, "learning_rate": 1e-9, "trajectories": 64, "seed": 5}
    estimator = sg.gradients.TwoSidedAdjoint()
    return sg.fit(model, data, estimator=estimator, **{**settings, **options})


@pytest.fixture(scope="module")
def plain():
    """A fit at the optimum of least squares, noise unknown."""
    import scipy.optimize

    data = measured()
    best = scipy.optimize.curve_fit(mean, TIMES, data.value, p0=[ALPHA, MU])[0]
    start = dict(zip(("alpha", "mu"), best.tolist(), strict=True))
    model = network("immigration_death")
    return standing(model, data, free=["alpha", "mu"], start=start), data, best


@pytest.fixture(scope="module")
def found(plain):
    return uncertainty(plain[0], estimator=sg.gradients.TwoSidedAdjoint())


def test_covariance_is_that_of_least_squares(plain, found) -> None:
    """Standard errors agree within four of their stated relative Monte-Carlo errors."""
    _, data, best = plain
    jacobian = slopes(TIMES, *best)
    variance = ((data.value - mean(TIMES, *best)) ** 2).sum() / (TIMES.size - 2)
    exact = np.sqrt(np.diag(np.linalg.inv(jacobian.T @ jacobian) * variance))
    seen = found.standard_errors / best
    error = float(found.settings["relative Monte-Carlo error of the standard errors"].split(",")[0])
    assert error < 0.1
    # The noise of the simulations comes on top. X is Poisson, with covariance
    # mean(min(s, t)) exp(-mu |t - s|).
    drawn = int(found.settings["trajectories"])
    bread = np.linalg.inv(jacobian.T @ jacobian)
    lag = np.exp(-best[1] * np.abs(TIMES[:, None] - TIMES))
    scatter = mean(np.minimum(TIMES[:, None], TIMES), *best) * lag
    simulation = np.sqrt(np.diag(bread @ jacobian.T @ scatter @ jacobian @ bread) / drawn)
    distance = found.details["distance_to_optimum"]
    # The fit stands at the optimum, so that the distance is nothing but that noise.
    assert (np.abs(distance) < 4.0 * simulation).all(), f"z = {distance / simulation}"
    reach = np.hypot(exact, simulation)
    np.testing.assert_allclose(seen, np.hypot(reach, distance), rtol=4.0 * error)
    quantile = stats.t.ppf(0.95, TIMES.size - 2)
    own = np.sqrt(np.diag(found.covariance))
    np.testing.assert_allclose(own, reach, rtol=4.0 * error)
    upper, lower = (np.log(end / found.values) for end in (found.upper, found.lower))
    np.testing.assert_allclose(upper, distance + quantile * own, rtol=1e-9)
    np.testing.assert_allclose(lower, distance - quantile * own, rtol=1e-9)


def test_what_was_assumed_is_said_and_kept(plain, found) -> None:
    assert any("10 degrees of freedom" in flag for flag in found.flags), found.flags
    assert not any("noise of the simulations" in flag for flag in found.flags), found.flags
    estimate = found.estimates["alpha"]
    assert (estimate.kind, estimate.level, estimate.central) == ("confidence", 0.9, "median")
    assert estimate.interval == found.interval("alpha")
    kept = with_uncertainty(plain[0], found)
    assert kept.uncertainty is found
    assert kept.model.provenance.estimates["mu"].standard_error == found.standard_errors[1]
    assert plain[0].model.provenance.estimates == {}
    assert found.table()["parameterId"].tolist() == ["alpha", "mu"]
    assert "alpha" in str(found)
    np.testing.assert_allclose(np.diag(found.correlation), 1.0)


def test_noise_of_the_simulations_is_said(plain) -> None:
    """Measurements a hundred times as exact as what 8,000 trajectories tell of the mean."""
    data = measured(sd=0.001)
    start = {"alpha": ALPHA, "mu": MU}
    result = standing(network("immigration_death"), data, free=["alpha", "mu"], start=start)
    found = uncertainty(result, estimator=sg.gradients.TwoSidedAdjoint())
    assert any("noise of the simulations" in flag for flag in found.flags), found.flags
    assert found.lower[0] < ALPHA < found.upper[0]


def test_replicates_tell_the_noise(plain) -> None:
    data = measured(replicates=3)
    result = standing(network("immigration_death"), data, free=["alpha", "mu"])
    found = uncertainty(result, estimator=sg.gradients.TwoSidedAdjoint())
    assert found.settings["quantiles"] == "t, 24 d.f."
    assert not any("was not known" in flag for flag in found.flags)


def test_scoring_ends_at_the_optimum_and_a_short_fit_is_found_out(plain) -> None:
    """From 20 % away scoring comes to least squares; errors are the Monte-Carlo ones."""
    _, data, best = plain
    away = {"alpha": best[0] * 1.2, "mu": best[1] * 0.85}
    result = standing(network("immigration_death"), data, free=["alpha", "mu"], start=away)
    fitted = fitted_of(result, estimator=sg.gradients.TwoSidedAdjoint())
    reached = [
        refit(fitted.simulator(child_seed(9, n)), fitted.coordinates, 1000).coordinates
        for n in range(8)
    ]
    error = np.std(reached, axis=0, ddof=1) / math.sqrt(8)
    z = (np.mean(reached, axis=0) - np.log(best)) / error
    assert (np.abs(z) < 5.0).all(), f"z = {z} (Student's t with 7 degrees of freedom)"
    assert (error < 0.02).all()
    found = uncertainty(result, estimator=sg.gradients.TwoSidedAdjoint())
    assert any("ended" in flag for flag in found.parameter_flags["mu"]), found.parameter_flags
    shift = found.details["distance_to_optimum"]
    np.testing.assert_allclose(shift, np.log(best / fitted.values), atol=0.12)
    # Intervals lie around the optimum, and yet hold the value.
    middle = 0.5 * np.log(found.upper * found.lower)
    np.testing.assert_allclose(middle, np.log(best), atol=0.12)
    assert (found.lower <= found.values).all()
    assert (found.values <= found.upper).all()


@pytest.mark.parametrize("factors", [(2.0, 0.5), (0.3, 0.3), (1.0, 0.3)])
def test_far_from_the_optimum_intervals_still_hold_it(plain, factors) -> None:
    """One step from there is off by many standard errors; intervals around it would miss."""
    result, _, best = plain
    far = replace(result, values=dict(zip(("alpha", "mu"), best * factors, strict=True)))
    found = uncertainty(far, estimator=sg.gradients.TwoSidedAdjoint())
    assert (found.lower < best).all(), f"{found.lower}, {best}"
    assert (best < found.upper).all(), f"{found.upper}, {best}"
    assert found.lower[1] == pytest.approx(found.values[1])
    assert any("was made its lower end" in flag for flag in found.parameter_flags["mu"])
    assert found.estimates["mu"].central is None
    distance = np.log(best / found.values)
    np.testing.assert_allclose(found.details["distance_to_optimum"], distance, atol=0.12)


def test_a_fitted_noise_scale_has_its_own_error(plain) -> None:
    """The information on log sd is 2 n, and it is independent of the others."""
    result, data, best = plain
    sd = float(np.sqrt(((data.value - mean(TIMES, *best)) ** 2).mean()))
    problem = replace(
        result.problem,
        observables=tuple(
            replace(o, noise=Noise("normal", Symbol("sd"))) for o in result.problem.observables
        ),
        parameters=(*result.problem.parameters, ProblemParameter("sd", sd, 1e-3, 10.0)),
    )
    own = standing(problem)
    found = uncertainty(own, estimator=sg.gradients.TwoSidedAdjoint())
    assert found.ids[-1] == "sd"
    assert found.settings["quantiles"] == "normal"
    expected = 1.0 / math.sqrt(2.0 * TIMES.size)
    assert math.sqrt(found.covariance[2, 2]) == pytest.approx(expected, rel=0.1)
    assert abs(found.correlation[0, 2]) < 0.1


def test_what_cannot_be_told_apart_is_named() -> None:
    """Only the product of two rates is seen, and a third parameter does nothing."""
    model = antimony(
        "substanceOnly species X in cell; X = 0; a = 2; b = 1; mu = 0.4;\n"
        "J0: => X; a*b; J1: X => ; mu*X;"
    )
    result = standing(model, measured(), free=["a", "b", "mu"])
    found = uncertainty(result, estimator=sg.gradients.TwoSidedAdjoint())
    assert np.isinf(found.standard_errors[:2]).all()
    assert np.isfinite(found.standard_errors[2])
    assert any("a, b move together" in flag for flag in found.flags), found.flags
    assert "not determined by these data" in found.parameter_flags["a"]
    estimate = found.estimates["a"]
    assert estimate.standard_error is None
    assert estimate.interval == (0.0, math.inf)


def test_directions_of_a_matrix() -> None:
    matrix = np.array([[4.0, 0.0, 0.0], [0.0, 1.0, 0.99999], [0.0, 0.99999, 1.0]])
    left_out = matrix + 1e-7 * np.random.default_rng(1).normal(size=(8, 3, 3))
    found = directions(matrix, ("p", "q", "r"), np.array([True, True, False]), left_out)
    assert not found.is_open.any()
    np.testing.assert_allclose(found.covariance, np.linalg.inv(matrix), rtol=1e-6)
    assert len(found.words) == 1
    assert found.words[0].startswith("q, r move together")
    assert "is hardly seen" in found.words[0]
    nothing = np.diag([4.0, 0.0])
    found = directions(nothing, ("p", "q"), np.array([True, True]), np.stack([nothing] * 8))
    assert found.is_open.tolist() == [False, True]
    assert found.words == ("q: the measurements do not depend on it",)


def test_at_a_bound_there_is_no_interval(plain) -> None:
    _, data, best = plain
    bounds = {"mu": (best[1], 10.0 * best[1])}
    start = {"alpha": best[0], "mu": best[1]}
    model = network("immigration_death")
    result = standing(model, data, free=["alpha", "mu"], start=start, bounds=bounds)
    found = uncertainty(result, estimator=sg.gradients.TwoSidedAdjoint())
    assert np.isnan(found.lower[1])
    assert np.isfinite(found.lower[0])
    assert any("at a bound" in flag for flag in found.parameter_flags["mu"])
    assert found.estimates["mu"].interval is None


def test_too_few_measurements_and_wrong_requests(plain) -> None:
    result, data, _ = plain
    adjoint = sg.gradients.TwoSidedAdjoint()
    for options, message in (
        ({"method": "magic"}, "method='magic'"),
        ({"level": 1.5}, "level=1.5"),
        ({"precission": 0.1}, "no setting precission"),
    ):
        with pytest.raises(sg.RequestError, match=message):
            uncertainty(result, estimator=adjoint, **options)
    for changes, message in (
        ({"objective": "Distribution()"}, "the fit made Distribution"),
        ({"estimator": "Mine(step=2)"}, "pass that object as estimator="),
        ({"engine": "ODE(rtol=1e-8)"}, "rate equations"),
    ):
        with pytest.raises(FitError, match=message):
            uncertainty(replace(result, **changes))
    with pytest.raises(sg.RequestError, match="pass a result"):
        uncertainty(data)  # type: ignore[arg-type]
    few = replace(
        data,
        time=data.time[:2],
        value=data.value[:2],
        observable_index=data.observable_index[:2],
        replicate=("",) * 2,
        condition=("",) * 2,
    )
    own = standing(network("immigration_death"), few, free=["alpha", "mu"])
    with pytest.raises(FitError, match="2 measurements and 2 fitted"):
        uncertainty(own, estimator=adjoint)


def test_slopes_by_gradients_are_those_of_differences(plain) -> None:
    """Both estimate the closed form, each within four standard errors over batches."""
    from sbmlgrad.fit.uncertainty.sensitivity import local

    result, _, best = plain
    fitted = fitted_of(result, estimator=sg.gradients.TwoSidedAdjoint())
    exact = slopes(TIMES, *best)[[2, -1]]
    for method in (None, sg.gradients.TwoSidedAdjoint()):
        simulator = fitted.simulator()
        rows = [
            local(simulator, fitted.coordinates, 300, 300 * n, method).slopes[0, [2, -1]]
            for n in range(6)
        ]
        error = np.std(rows, axis=0, ddof=1) / math.sqrt(6)
        z = (np.mean(rows, axis=0) - exact) / error
        assert (np.abs(z) < 8.0).all(), f"z = {z} (Student's t with 5 degrees of freedom)"
        assert (error < 0.2 * np.abs(exact).max()).all()
