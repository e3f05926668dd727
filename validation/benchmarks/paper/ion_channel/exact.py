"""Exact answers for N channels C ⇌ O → I, all closed at first: means, likelihood, best fits.

Written from textbook formulas, without the simulator, to judge it by. Rates are those of opening,
closing and inactivation, float64 [3]. Best fits know the data only: they start from several places
that the data suggest, and the best end is kept.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.linalg import expm, expm_frechet

from sbmlgrad.errors import DataError, FitError

FloatArray = NDArray[np.float64]

#: Of all starts, how many are followed to their end.
FOLLOWED = 3

#: Largest slope of a log-likelihood a sweep, by log rates, at its maximum. What it leaves of a
#: rate is a thousandth of its standard error from a million sweeps.
FLAT = 1e-4


def mean_open(rates: FloatArray, edges: FloatArray, channels: int) -> FloatArray:
    """Return averages over windows of the mean number of open channels, float64 [window].

    With λ± the roots of λ² - (a + b + c) λ + a c, the chance to be open is
    a (exp(-λ₋ t) - exp(-λ₊ t)) / (λ₊ - λ₋).
    """
    a, b, c = rates
    half = 0.5 * (a + b + c)
    apart = math.sqrt(half**2 - a * c)
    slow, fast = half - apart, half + apart
    integral = (1.0 - np.exp(-slow * edges)) / slow - (1.0 - np.exp(-fast * edges)) / fast
    return channels * a / (2.0 * apart) * np.diff(integral) / np.diff(edges)


def states(channels: int) -> list[tuple[int, int]]:
    """Return (closed, open) counts of all states."""
    return [(c, o) for o in range(channels + 1) for c in range(channels + 1 - o)]


def generator(rates: FloatArray, channels: int) -> FloatArray:
    """Return transition rates between `states`, float64 [state, state]; rows sum to 0."""
    a, b, c = rates
    of = {state: place for place, state in enumerate(states(channels))}
    matrix = np.zeros((len(of), len(of)))
    for (closed, opened), place in of.items():
        for to, rate in (
            ((closed - 1, opened + 1), a * closed),
            ((closed + 1, opened - 1), b * opened),
            ((closed, opened - 1), c * opened),
        ):
            if rate > 0.0:
                matrix[place, of[to]] += rate
    return matrix - np.diag(matrix.sum(axis=1))


def refuse_impossible(opened: NDArray[np.int64], channels: int) -> None:
    """Refuse sweeps that no rates can give.

    Raises:
        DataError: a channel is open at the first sample, or more are open than there are.
    """
    off = (opened < 0) | (opened > channels)
    if off.any():
        sweep, sample = np.argwhere(off)[0]
        raise DataError(
            f"sweep {sweep + 1}, sample {sample + 1}: open channels: {opened[sweep, sample]} "
            f"of {channels}; say how many there are, or look for an artefact"
        )
    early = np.flatnonzero(opened[:, 0])
    if early.size:
        named = ",".join(str(sweep + 1) for sweep in early)
        raise DataError(
            f"sweep {early[0] + 1}, sample 1: open channels: {opened[early[0], 0]}, and the "
            "model begins with all closed, so that no rates can give these data; let sweeps begin "
            "at the step of the voltage, or leave out those that begin open, too "
            f"(--leave-out {named})"
        )


def log_likelihoods(
    rates: FloatArray, opened: NDArray[np.int64], interval: float, channels: int
) -> tuple[FloatArray, FloatArray]:
    """Return log-likelihoods of sweeps that are sampled from time 0 on, and their slopes.

    The number of closed channels is hidden: forward recursion over it (Baum and others 1970),
    differentiated along.

    Args:
        rates: of the model.
        opened: open channels, [sweep, sample].
        interval: between samples.
        channels: how many there are.

    Returns:
        Values, float64 [sweep], and slopes by log rates, float64 [sweep, rate].

    Raises:
        DataError: no rates can give the sweeps.
    """
    refuse_impossible(opened, channels)
    matrix = generator(rates, channels) * interval
    parts = [generator(rates * row, channels) * interval for row in np.eye(3)]
    step = expm(matrix)
    turns = np.array([expm_frechet(matrix, part, compute_expm=False) for part in parts])
    looks = np.array([o for _, o in states(channels)])
    allowed = np.array([looks == o for o in range(channels + 1)], dtype=np.float64)
    weights = np.zeros((len(opened), len(looks)))
    weights[:, states(channels).index((channels, 0))] = 1.0
    slopes = np.zeros((3, *weights.shape))
    total = np.zeros(len(opened))
    for sample in opened.T[1:]:
        seen = allowed[sample]
        slopes = (slopes @ step + weights @ turns) * seen
        weights = (weights @ step) * seen
        norm = weights.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            total += np.log(norm)
            weights /= norm[:, None]
            slopes /= norm[:, None]
    return total, slopes.sum(axis=2).T


def log_likelihood(
    rates: FloatArray, opened: NDArray[np.int64], interval: float, channels: int
) -> float:
    """Return the log-likelihood of all sweeps together, as `log_likelihoods` does."""
    return float(log_likelihoods(rates, opened, interval, channels)[0].sum())


def bounds(interval: float, duration: float) -> tuple[float, float]:
    """Return the least and the largest rate that data can tell anything of.

    The one moves a channel in a thousand during a sweep; the other at every sample.
    """
    return 1e-3 / duration, 1.0 / interval


def starts(means: FloatArray, edges: FloatArray, channels: int) -> list[FloatArray]:
    """Return rates to start from, as the mean of sweeps suggests, float64 [3] each.

    Channels that end inactivated were open for 1/k_inact before, and the centre of the mean is at
    1/k_open + 1/k_inact where they do not close; both are varied by 3, and closing from hundredths
    to tenfold inactivation.

    Raises:
        DataError: no channel ever opens.
    """
    widths, middles = np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    area = float(means @ widths)
    if area <= 0.0:
        raise DataError("no channel ever opens, so that nothing can be fitted; give more sweeps")
    centre = float((means * widths) @ middles) / area
    inactivation = channels / area
    before = centre - 1.0 / inactivation
    opening = 1.0 / before if before > 0.0 else inactivation
    return [
        np.array([opening * a, inactivation * c * b, inactivation * c])
        for a, b, c in itertools.product((1 / 3, 1.0, 3.0), (0.01, 0.1, 1.0, 10.0), (1 / 3, 1, 3))
    ]


def maximum_likelihood(
    opened: NDArray[np.int64], interval: float, channels: int, begin: list[FloatArray]
) -> FloatArray:
    """Return the rates under which sweeps are most likely, float64 [3].

    Args:
        opened: open channels, [sweep, sample].
        interval: between samples.
        channels: how many there are.
        begin: rates to start from; the most likely are followed.

    Raises:
        DataError: no rates can give the sweeps.
        FitError: no maximum was reached.
    """
    low, high = np.log(bounds(interval, interval * opened.shape[1]))

    def value(logs: FloatArray) -> tuple[float, FloatArray]:
        totals, slopes = log_likelihoods(np.exp(logs), opened, interval, channels)
        return -float(totals.mean()), -slopes.mean(axis=0)

    def follow(logs: FloatArray) -> tuple[float, FloatArray, str]:
        found = optimize.minimize(
            value,
            logs,
            jac=True,
            method="L-BFGS-B",
            bounds=[(low, high)] * 3,
            options={"ftol": 1e-14, "gtol": 1e-6},
        )
        worth, slope = value(found.x)
        # At a bound only a slope that leads back inside counts.
        inward = np.clip(found.x - slope, low, high) - found.x
        flat = bool(np.abs(inward).max() <= FLAT)
        return worth, found.x, "" if flat else f"{found.message}, slopes {slope}"

    return _best("maximum likelihood", lambda logs: value(logs)[0], follow, begin, (low, high))


def least_squares(
    means: FloatArray,
    edges: FloatArray,
    channels: int,
    interval: float,
    begin: list[FloatArray] | None = None,
) -> FloatArray:
    """Return the rates whose exact mean is nearest to a measured one, float64 [3].

    From few sweeps a rate may not be determined; it ends at one of `bounds` then.

    Args:
        means: averages over windows, [window].
        edges: of the windows, [window + 1].
        channels: how many there are.
        interval: between samples of the data.
        begin: rates to start from; by default `starts`.

    Raises:
        DataError: no channel ever opens.
        FitError: no minimum was reached.
    """
    low, high = np.log(bounds(interval, float(edges[-1])))

    def off(logs: FloatArray) -> FloatArray:
        return mean_open(np.exp(logs), edges, channels) - means

    def follow(logs: FloatArray) -> tuple[float, FloatArray, str]:
        found = optimize.least_squares(
            off, logs, bounds=([low] * 3, [high] * 3), x_scale=0.1, xtol=1e-12, ftol=1e-12
        )
        # The solver keeps strictly inside; within a thousandth it is at the bound.
        return 2.0 * found.cost, found.x, "" if found.success else str(found.message)

    begin = starts(means, edges, channels) if begin is None else begin
    return _best(
        "least squares", lambda logs: float(off(logs) @ off(logs)), follow, begin, (low, high)
    )


def reached(rates: FloatArray, interval: float, duration: float) -> tuple[bool, ...]:
    """Tell of every rate whether it ended at one of `bounds`, to a thousandth."""
    low, high = bounds(interval, duration)
    return tuple(bool(r < low * 1.001 or r > high * 0.999) for r in rates)


def fit_quality(measured: FloatArray, predicted: FloatArray) -> tuple[float, float, float]:
    """Return R², root mean square error, and that over the largest measured mean."""
    off = measured - predicted
    rmse = math.sqrt(float(np.mean(off**2)))
    r2 = 1.0 - float(np.sum(off**2) / np.sum((measured - measured.mean()) ** 2))
    return r2, rmse, rmse / float(measured.max())


def _best(
    name: str,
    value: Callable[[FloatArray], float],
    follow: Callable[[FloatArray], tuple[float, FloatArray, str]],
    begin: list[FloatArray],
    within: tuple[float, float],
) -> FloatArray:
    """Follow the best starts and return the rates at the best end; it must be one."""
    inside = [np.clip(np.log(rates), *within) for rates in begin]
    worths = [value(logs) for logs in inside]
    usable = [i for i in np.argsort(worths) if math.isfinite(worths[i])][:FOLLOWED]
    if not usable:
        raise FitError(f"{name}: no start has a finite value; tried {np.exp(inside)}")
    ends = [follow(inside[i]) for i in usable]
    worth, logs, trouble = min(ends, key=lambda end: end[0] if math.isfinite(end[0]) else math.inf)
    if trouble or not math.isfinite(worth):
        raise FitError(
            f"{name}: the best of {len(usable)} starts ended without an optimum at "
            f"{np.exp(logs)}: {trouble or 'its value is no number'}; nothing is reported of it"
        )
    return np.exp(logs)
