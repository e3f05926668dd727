"""Distances between the values of an ensemble and measured samples, with gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.distances.operations import operations_of
from sbmlgrad.distances.pairs import bandwidth_of, checked_samples, gaussian, root_of, squares
from sbmlgrad.distances.samples import (
    energy_distance,
    maximum_mean_discrepancy,
    wasserstein_distance,
)
from sbmlgrad.engines.ensemble import Ensemble
from sbmlgrad.engines.plain_call import plain_call
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.engines.statistics import Integral, arrays_of
from sbmlgrad.errors import GradientError, RequestError

FloatArray = NDArray[np.float64]


def distance(
    ensemble: Ensemble,
    measured: Sequence[Any] | FloatArray,
    *ids: str,
    kind: str = "energy",
    bandwidth: float | None = None,
    quantity: str | None = None,
    readout: Readout | None = None,
) -> Any:
    """Return the distance between an ensemble and measured samples at each point.

    Under a path estimator it is the distance of the values, which carry their gradient. Under an
    estimator of expectations the gradient is that of the expectation of

        F(x) = 2 E|x - Y| - 2 E|x - X'|

    for the energy distance (and likewise with the kernel), with X' the values of the ensemble held
    fixed: the first-order change of the distance with the distribution of X. It is biased by a part
    of about one over the number of trajectories.

    Args:
        ensemble: of one parameter set.
        measured: a sample for every point, [sample] or, of several ids, [sample, feature].
        ids: symbols; each is a feature.
        kind: `"energy"`, `"mmd"` or `"wasserstein"`.
        bandwidth: of the kernel, for `"mmd"`.
        quantity: as in `Ensemble.values`.
        readout: as in `Ensemble.values`.

    Returns:
        float64 [point]; a tensor with gradient for such ensembles.

    Raises:
        GradientError: `"wasserstein"`, whose quantiles are no expectations, under an estimator of
            expectations.
        RequestError: no such kind, no ids, a batch, or not one sample a point.
    """
    return plain_call(_distance, ensemble, measured, ids, kind, bandwidth, quantity, readout)


def _distance(
    ensemble: Ensemble,
    measured: Sequence[Any] | FloatArray,
    ids: tuple[str, ...],
    kind: str,
    bandwidth: float | None,
    quantity: str | None,
    readout: Readout | None,
) -> Any:
    if kind not in ("energy", "mmd", "wasserstein"):
        raise RequestError(f"kind={kind!r}: choose 'energy', 'mmd' or 'wasserstein'")
    if not ids or ensemble.is_batched:
        raise RequestError(
            "distance: name the symbols that were measured, of an ensemble of one parameter set"
        )
    values = [ensemble.values(id, quantity, readout=readout) for id in ids]
    points = int(values[0].shape[1])
    if len(measured) != points:
        raise RequestError(
            f"distance: {len(measured)} samples for {points} points; give one sample a point"
        )
    differentiator = ensemble.differentiator
    if differentiator is None or differentiator.is_pathwise:
        found = [_of_kind(kind, _at(values, p), measured[p], bandwidth) for p in range(points)]
        return operations_of(values[0]).stack(found)
    if kind == "wasserstein":
        raise GradientError(
            f"{differentiator.name}: quantiles are no expectations, and this estimator "
            "differentiates nothing else; use kind='energy' or 'mmd', or TwoSidedAdjoint()"
        )
    import tensorflow as tf

    place = ensemble.place(readout)
    fixed = [tf.stop_gradient(v) for v in values]
    found = [_of_kind(kind, _at(fixed, p), measured[p], bandwidth) for p in range(points)]

    def integrand(theta: FloatArray, own: FloatArray) -> Integral:
        kept = arrays_of(ensemble, ids, quantity, place, theta)
        worths = [_worth(kind, _at(kept(own), p), measured[p], bandwidth) for p in range(points)]

        def worth(state: FloatArray) -> FloatArray:
            parts = kept(state)
            return np.stack([of(_at(parts, p)) for p, of in enumerate(worths)], axis=1)

        return worth

    return differentiator.attach(tf.stack(found), place, ensemble.states[place], integrand)


def _of_kind(kind: str, simulated: Any, measured: Any, bandwidth: float | None) -> Any:
    if kind == "energy":
        return energy_distance(simulated, measured)
    if kind == "mmd":
        return maximum_mean_discrepancy(simulated, measured, bandwidth=bandwidth)
    return wasserstein_distance(simulated, measured)


def _worth(
    kind: str, simulated: FloatArray, measured: Any, bandwidth: float | None
) -> Callable[[FloatArray], FloatArray]:
    """Return F, the change of a distance with more of the simulated values at x."""
    x, y, ops = checked_samples(simulated, measured)
    # One of the n values is the trajectory itself, at a distance of zero.
    among_others = len(x) / (len(x) - 1.0)
    if kind == "energy" and x.ndim == 1:
        near_x, near_y = _mean_distance(x), _mean_distance(y)
        return lambda other: 2.0 * (near_y(other) - among_others * near_x(other))
    sign, kernel = 1.0, root_of(ops)
    if kind == "mmd":
        sign, kernel = -1.0, gaussian(bandwidth_of(ops, x, y, bandwidth), ops)

    def worth(other: FloatArray) -> FloatArray:
        of_y = kernel(squares(ops, other, y)).mean(axis=1)
        of_x = kernel(squares(ops, other, x)).mean(axis=1)
        return 2.0 * sign * (of_y - among_others * of_x)

    return worth


def _mean_distance(sample: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Return x → E|x - Y|, without forming all pairs."""
    ordered = np.sort(sample)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    n = len(sample)

    def mean(x: FloatArray) -> FloatArray:
        below = np.searchsorted(ordered, x)
        return (x * (2.0 * below - n) - 2.0 * sums[below] + sums[n]) / n

    return mean


def _at(values: list[Any], point: int) -> Any:
    """Return the sample at one point, [trajectory] or [trajectory, feature]."""
    columns = [v[:, point] for v in values]
    return columns[0] if len(columns) == 1 else operations_of(columns[0]).columns(columns)
