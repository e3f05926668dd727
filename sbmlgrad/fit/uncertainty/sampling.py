"""Credible intervals by Markov chains on the posterior."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError, RequestError, SimulationError
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.parallel import TaskProgress
from sbmlgrad.fit.prior_densities import log_prior_of_coordinates
from sbmlgrad.fit.simulated import Simulator
from sbmlgrad.fit.uncertainty.deviance import check_likelihood
from sbmlgrad.fit.uncertainty.expected_information import gather
from sbmlgrad.fit.uncertainty.fisher import PRECISION
from sbmlgrad.fit.uncertainty.fisher import TRAJECTORIES as FISHER_TRAJECTORIES
from sbmlgrad.fit.uncertainty.fitted import Fitted, child_seed
from sbmlgrad.fit.uncertainty.identifiability import WIDE, is_wide, pair_flags
from sbmlgrad.fit.uncertainty.residuals import with_known_noise
from sbmlgrad.fit.uncertainty.result import Uncertainty
from sbmlgrad.model.numbers import whole

FloatArray = NDArray[np.float64]

#: Steps of every chain, of which the first part is dropped, and trajectories of a likelihood.
STEPS, DROPPED, TRAJECTORIES = 600, 0.25, 5000

#: Widest start of the chains around the fit, in units of the search scale.
WIDEST_START = 0.5

#: Autocorrelation times that chains should be long.
LONG_ENOUGH = 50.0

#: Points at which the Monte-Carlo noise of the log-likelihood is measured.
NOISE_POINTS = 12

#: Noise of the log-likelihood from which intervals are doubtful.
NOISY = 0.5


class LogPosterior:
    """The logarithm of a posterior density of coordinates, up to a constant.

    All evaluations share their random numbers, so that it is a function without noise: that of an
    ensemble of finite size, not of the model itself.
    """

    def __init__(self, simulator: Simulator, trajectories: int, first: int = 0) -> None:
        self.failures = 0
        self._simulator, self._trajectories, self._first = simulator, trajectories, first
        self._objective = MeanTrajectory()

    def __call__(self, coordinates: FloatArray) -> float:
        """Return it at coordinates float64 [free]; minus infinity where trajectories fail."""
        problem = self._simulator.problem
        prior = float(log_prior_of_coordinates(problem, coordinates))
        if prior == -np.inf:
            return -np.inf
        values = self._simulator.space.values(coordinates)
        try:
            simulated = self._simulator(values, self._trajectories, self._first)
        except SimulationError:
            self.failures += 1
            return -np.inf
        loss = float(self._objective.loss(problem, simulated))
        value = prior - 0.5 * len(problem.measurements) * loss
        # The noise model may exclude the measurements there.
        return value if np.isfinite(value) else -np.inf


def mcmc(
    fitted: Fitted,
    level: float = 0.9,
    steps: int = STEPS,
    trajectories: int = TRAJECTORIES,
    progress: TaskProgress | None = None,
) -> Uncertainty:
    """Return credible intervals from chains on the posterior, with the priors of the problem.

    When to choose it: where there are priors, or posteriors far from normal, and few parameters.
    It costs thousands of simulations.

    The sampler is the affine-invariant ensemble of emcee (extra `mcmc`). Every evaluation takes the
    same random numbers, so that the chains sample the posterior of a finite ensemble exactly. This
    is not the pseudo-marginal method, which would need an unbiased estimate of the likelihood: the
    logarithm of the likelihood is estimated, and its noise between ensembles (`settings` and, if
    it is large, a flag say how much) is an error of the posterior. More trajectories reduce it.

    Source: Foreman-Mackey et al. 2013, "emcee: the MCMC hammer", PASP 125, 306; Goodman & Weare
    2010, Commun. Appl. Math. Comput. Sci. 5, 65; Andrieu & Roberts 2009, Ann. Stat. 37, 697, for
    pseudo-marginal methods.

    Args:
        fitted: the fit.
        level: of the intervals, which leave equal tails.
        steps: of every chain; the first quarter is dropped.
        trajectories: of each experiment, for each evaluation.
        progress: called with (steps done, steps).

    Raises:
        RequestError: emcee is not installed.
        FitError: another objective than `MeanTrajectory`, or a posterior of zero around the fit.
    """
    check_likelihood(fitted, "mcmc")
    whole("steps", steps, 20, 10**7)
    whole("trajectories", trajectories, 2, 10**9)
    if importlib.util.find_spec("emcee") is None:
        raise RequestError(
            "method='mcmc': the package 'emcee' is not installed; install the extra with "
            "pip install 'sbmlgrad[mcmc]', or choose another method"
        )
    import emcee

    found = gather(fitted, FISHER_TRAJECTORIES, PRECISION)
    known = replace(fitted, problem=with_known_noise(fitted.problem, found.variance_factors))
    simulator = known.simulator()
    target = LogPosterior(simulator, trajectories)
    size = len(fitted.space.ids)
    walkers = 2 * size + 6
    begin = _begin(fitted, target, walkers, found.covariance, found.free)
    sampler = emcee.EnsembleSampler(walkers, size, target)
    sampler.random_state = np.random.RandomState(child_seed(fitted.seed, 5) % 2**32).get_state()
    for number, _ in enumerate(sampler.sample(begin, iterations=steps), start=1):
        if progress is not None:
            progress(number, steps)
    kept = int(DROPPED * steps)
    chains: Any = sampler.get_chain(discard=kept)
    time = float(np.max(emcee.autocorr.integrated_time(chains, quiet=True, tol=0)))
    noise = _noise(simulator, target, chains.reshape(-1, size), trajectories, fitted.seed)
    words = [*_words(time, steps - kept, noise, target.failures)]
    if found.variance_factors:
        words.append(
            "the noise of the measurements was not known; the standard deviation of the residuals "
            "was taken as if it were"
        )
    return _uncertainty(
        fitted,
        level,
        chains.reshape(-1, size),
        tuple(words),
        {
            "sampler": f"emcee {emcee.__version__}, {walkers} walkers",
            "steps": f"{steps}, of which {kept} dropped",
            "acceptance": f"{float(np.mean(sampler.acceptance_fraction)):.2f}",
            "autocorrelation time": f"{time:.1f}",
            "trajectories": str(trajectories),
            "noise of the log-likelihood": f"{noise:.2g}",
            "seed": str(fitted.seed),
        },
    )


def _begin(
    fitted: Fitted,
    target: LogPosterior,
    walkers: int,
    covariance: FloatArray,
    free: NDArray[np.bool_],
) -> FloatArray:
    """Return places for the walkers, float64 [walker, free], spread like the estimate."""
    variance = np.full(len(free), WIDEST_START**2)
    variance[free] = np.minimum(np.diag(covariance), WIDEST_START**2)
    rng = np.random.default_rng(child_seed(fitted.seed, 6))
    space, found = fitted.space, []
    for _ in range(100 * walkers):
        z = fitted.coordinates + np.sqrt(variance) * rng.normal(size=len(free))
        # Reflected at the bounds, so that an estimate at one does not pile walkers up on it.
        low, high = space.coordinates(space.lower), space.coordinates(space.upper)
        z = np.where(z < low, 2.0 * low - z, np.where(z > high, 2.0 * high - z, z))
        if np.isfinite(target(z)):
            found.append(z)
        if len(found) == walkers:
            return np.array(found)
    raise FitError(
        "the posterior vanishes nearly everywhere around the fitted values, so that no chain can "
        "start there; check that the priors allow them"
    )


def _noise(
    simulator: Simulator, target: LogPosterior, samples: FloatArray, trajectories: int, seed: int
) -> float:
    """Return the standard deviation of the log-likelihood between ensembles, less its mean.

    Only differences between places matter, so that what all places have in common is left out.
    """
    rng = np.random.default_rng(child_seed(seed, 7))
    places = samples[rng.choice(len(samples), NOISE_POINTS)]
    other = LogPosterior(
        simulator, trajectories, first=simulator.trajectories_per_set * trajectories
    )
    change = np.array([other(z) - target(z) for z in places])
    change = change[np.isfinite(change)]
    return float(np.std(change, ddof=1)) if change.size > 1 else np.inf


def _words(time: float, steps: int, noise: float, failures: int) -> list[str]:
    words = []
    if not steps >= LONG_ENOUGH * time:
        words.append(
            f"the chains are short: {steps} steps, {steps / time:.0f} times their autocorrelation "
            f"time of {time:.0f}; {LONG_ENOUGH:g} times are wanted for good percentiles"
        )
    if noise > NOISY:
        words.append(
            f"the log-likelihood differs by {noise:.2g} between ensembles (standard deviation over "
            "the posterior), which distorts it; take more trajectories"
        )
    if failures:
        words.append(
            f"at {failures} places trajectories failed, which counts as if the parameters were "
            "impossible"
        )
    return words


def _uncertainty(
    fitted: Fitted,
    level: float,
    samples: FloatArray,
    words: tuple[str, ...],
    settings: dict[str, str],
) -> Uncertainty:
    space = fitted.space
    tail = 0.5 * (1.0 - level)
    ends = space.values(np.quantile(samples, [tail, 1.0 - tail], axis=0))
    covariance = np.atleast_2d(np.cov(samples, rowvar=False))
    error = np.sqrt(np.diag(covariance))
    flags = pair_flags(covariance / error / error[:, None], space.ids)
    for place, id in enumerate(space.ids):
        if is_wide(ends[0, place], ends[1, place]):
            flags[id].append(f"poorly determined: its interval spans a factor above {WIDE:g}")
        if not ends[0, place] <= fitted.values[place] <= ends[1, place]:
            flags[id].append("the fitted value lies outside: priors pull it, or the fit is short")
    return Uncertainty(
        method="mcmc",
        level=level,
        kind="credible",
        ids=space.ids,
        values=fitted.values,
        standard_errors=np.std(space.values(samples), axis=0, ddof=1),
        lower=ends[0],
        upper=ends[1],
        covariance=covariance,
        is_logarithmic=space.is_logarithmic,
        parameter_flags={id: tuple(w) for id, w in flags.items() if w},
        flags=words,
        settings=settings,
        units={p.id: p.unit for p in fitted.problem.free},
        details={"samples": space.values(samples)},
    )
