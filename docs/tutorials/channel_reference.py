"""Maximum likelihood of dwell times without sbmlgrad: mixtures of exponentials, and what they mean.

The dwells of a channel with one open and two shut states, all longer than a dead time τ, are
exponential beyond τ when open, and a mixture of two exponentials when shut. The maximum of the
likelihood is therefore that of the mixtures, found here by SciPy; the rates of the model follow
from the equations of the scheme, solved by SciPy too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, root
from scipy.special import logsumexp

FloatArray = NDArray[np.float64]

STARTS = 6


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of exponentials.

    Attributes:
        log_likelihood: at its maximum.
        area: float64 [component], by falling time constant.
        tau: time constants, float64 [component].
    """

    log_likelihood: float
    area: FloatArray
    tau: FloatArray

    @property
    def parameters(self) -> int:
        """How many are free."""
        return 2 * len(self.tau) - 1


def mixture(beyond: FloatArray, components: int) -> Mixture:
    """Return the most likely mixture.

    Args:
        beyond: durations beyond the dead time, float64 [dwell], positive.
        components: how many.
    """
    if components == 1:
        mean = float(beyond.mean())
        return Mixture(-len(beyond) * (np.log(mean) + 1.0), np.ones(1), np.array([mean]))

    def parts(p: FloatArray) -> tuple[FloatArray, FloatArray]:
        weight = np.append(p[: components - 1], 0.0)
        return weight - logsumexp(weight), p[components - 1 :]

    def negative(p: FloatArray) -> float:
        weight, log_rate = parts(p)
        terms = weight + log_rate - np.multiply.outer(beyond, np.exp(log_rate))
        return -float(np.asarray(logsumexp(terms, axis=1)).sum()) / len(beyond)

    rng = np.random.default_rng(components)
    found = []
    for _ in range(STARTS):
        taus = np.quantile(beyond, np.sort(rng.uniform(0.05, 0.99, components)))
        start = np.concatenate([rng.normal(size=components - 1), -np.log(taus)])
        bounds = [(-12.0, 12.0)] * (components - 1) + [(-8.0, 8.0)] * components
        found.append(minimize(negative, start, method="L-BFGS-B", bounds=bounds, tol=1e-13))
    best = min(found, key=lambda one: one.fun)
    weight, log_rate = parts(best.x)
    order = np.argsort(log_rate)
    value = -len(beyond) * float(best.fun)
    return Mixture(value, np.exp(weight[order]), np.exp(-log_rate[order]))


def two_state_rates(open_mean: float, shut_mean: float, dead_time: float) -> FloatArray:
    """Return k_close and k_open of dwells that last so long beyond the dead time on average.

    A shutting is seen if it lasts longer than τ: 1/open_mean = k_close exp(-k_open τ), and
    likewise 1/shut_mean = k_open exp(-k_close τ).
    """

    def off(z: FloatArray) -> FloatArray:
        close, open_ = np.exp(z)
        return np.array(
            [
                z[0] - open_ * dead_time + np.log(open_mean),
                z[1] - close * dead_time + np.log(shut_mean),
            ]
        )

    return _solved(off, -np.log([open_mean, shut_mean]))


def three_state_rates(open_mean: float, shut: Mixture, dead_time: float) -> FloatArray:
    """Return k_close, k_open, k_pause and k_resume of the scheme C - O - P.

    From C (or P) the channel leaves with rate b; with probability m = 1 - exp(-a τ), a = k_close +
    k_pause, the opening is missed, and it goes on to C or P in the ratio of k_close and k_pause.
    So within the shut class the rates are [[b_C (m c - 1), b_C m p], [b_P m c, b_P (m p - 1)]],
    whose eigenvalues are those of the mixture; its mean fixes the shares.
    """

    def off(z: FloatArray) -> FloatArray:
        close, open_, pause, resume = np.exp(z)
        leave, both = np.array([open_, resume]), close + pause
        share = np.array([close, pause]) / both
        missed = -np.expm1(-both * dead_time)
        rates = leave[:, None] * (missed * share - np.eye(2))
        start = np.array([close, pause]) * np.exp(-leave * dead_time)
        mean = start @ np.linalg.solve(-rates, np.ones(2)) / start.sum()
        trace, determinant = np.trace(rates), np.linalg.det(rates)
        return np.array(
            [
                np.log(start.sum() * open_mean),
                np.log(mean / (shut.area @ shut.tau)),
                np.log(-trace / (1.0 / shut.tau).sum()),
                np.log(determinant * shut.tau.prod()),
            ]
        )

    shares = shut.area * np.exp(dead_time / shut.tau) / open_mean
    return _solved(off, np.log([shares[0], 1.0 / shut.tau[0], shares[1], 1.0 / shut.tau[1]]))


def _solved(off: object, start: FloatArray) -> FloatArray:
    found = root(off, start, method="hybr", tol=1e-13)
    if not found.success:
        raise RuntimeError(f"the equations of the scheme have no solution near by: {found.message}")
    return np.exp(found.x)
