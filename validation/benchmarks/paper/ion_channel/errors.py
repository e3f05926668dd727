"""Standard errors that fits of the paper's ion channel must expect, from exact moments."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from ion_channel.exact import log_likelihoods
from ion_channel.fits import weights_of_levels
from ion_channel.moments import (
    Moments,
    of_levels,
    of_openings,
    of_windows,
    slopes,
    standard_errors,
)
from ion_channel.sweeps import (
    CHANNELS,
    EDGES,
    INTERVAL,
    MEANS_EVERY,
    STEP,
    STEPS,
    WINDOWS,
    openings,
    simulate_sweeps,
    truth,
)

FloatArray = NDArray[np.float64]

#: Sweeps whose scores tell what openings leave to maximum likelihood.
SCORED = 5_000

WINDOW_MOMENTS: Moments = partial(
    of_windows, width=float(WINDOWS[1]), count=len(WINDOWS) - 1, channels=CHANNELS
)
LEVEL_MOMENTS: Moments = partial(
    of_levels, step=STEP, count=len(STEPS), means_every=MEANS_EVERY, channels=CHANNELS
)
OPENING_MOMENTS: Moments = partial(
    of_openings, step=INTERVAL, count=len(EDGES) - 2, channels=CHANNELS
)


@lru_cache(maxsize=1)
def of_one_sweep() -> dict[str, FloatArray]:
    """Return method → standard errors of log rates from one sweep, float64 [rate].

    Divide by the root of the number of sweeps. Means and changes are weighted by their true
    variances. A method that descends adds the scatter of its own trajectories.
    """
    rates = truth()
    mean = standard_errors(WINDOW_MOMENTS, rates, lambda covariance: np.eye(len(covariance)))
    levels = standard_errors(
        LEVEL_MOMENTS, rates, lambda covariance: np.diag(weights_of_levels(np.diag(covariance)))
    )
    three = standard_errors(OPENING_MOMENTS, rates, np.linalg.inv)
    return {
        "maximum likelihood": np.sqrt(np.diag(np.linalg.inv(information()))),
        "least squares": mean,
        "mean": mean,
        "straight_through": mean,
        "openings": three,
        "mean_and_changes": levels,
        "mean_and_changes_two_sided": levels,
    }


@lru_cache(maxsize=1)
def information() -> FloatArray:
    """Return the Fisher information of one sweep on log rates, float64 [rate, rate].

    Scores s and statistics m of sweeps have Cov(s, m) = slopes of the mean of m, exactly. So the
    information is what the three statistics of openings hold, which is exact, and the covariance
    of what they leave of the score, which is small and taken from simulated sweeps.
    """
    rates = truth()
    mean, covariance = OPENING_MOMENTS(rates)
    share = np.linalg.solve(covariance, slopes(OPENING_MOMENTS, rates))
    opened = simulate_sweeps(0, SCORED).opened
    assert opened is not None
    scores = log_likelihoods(rates, opened, INTERVAL, CHANNELS)[1]
    left = scores - (openings(opened[:, 1:].astype(np.float64)) - mean) @ share
    return share.T @ covariance @ share + left.T @ left / SCORED
