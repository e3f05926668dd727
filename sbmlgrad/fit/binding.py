"""Binding measurements to a network: which readout is compared with which values, how weighted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.readouts import Interpolated, Readout, ValuesAt
from sbmlgrad.errors import FitError
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.model.measurements import Measurements, bind
from sbmlgrad.model.network import ReactionNetwork


@dataclass(frozen=True, eq=False)
class Target:
    """One observable to be matched.

    Attributes:
        observable: species id.
        points: positions of its times on the common time axis, int64 [time].
        times: float64 [time].
        mean: mean over replicates, float64 [time].
        scale: what a deviation is measured in, float64 [time].
    """

    observable: str
    points: NDArray[np.int64]
    times: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Binding:
    """Measurements bound to a network.

    Attributes:
        measurements: with SBML ids as observables.
        targets: one per observable.
        readout: what has to be simulated.
        assumptions: what was assumed, in words.
    """

    measurements: Measurements
    targets: tuple[Target, ...]
    readout: Readout
    assumptions: tuple[str, ...]


def bind_measurements(
    model: ReactionNetwork,
    measurements: Measurements,
    estimator: Estimator,
    mapping: Mapping[str, str | None] | None = None,
) -> Binding:
    """Bind measurements to species of a network.

    Args:
        model: the network.
        measurements: as read.
        estimator: decides whether values at times or interpolated ones are compared.
        mapping: column → species id, or None to leave a column out.

    Raises:
        DataError: columns that match no species.
        FitError: no measurements are left, or several conditions.
    """
    names = {s.id: s.name for s in model.species if s.changes}
    bound = bind(measurements, names, dict(mapping) if mapping else None)
    if len(bound.conditions) > 1:
        raise FitError(
            f"{bound.source_name}: {len(bound.conditions)} conditions "
            f"({', '.join(bound.conditions)}); fit one at a time"
        )
    if not len(bound):
        raise FitError(f"{bound.source_name}: no measurement is left to fit")
    times = bound.times
    targets, assumptions = [], []
    for observable in bound.observables:
        observed = bound.observed(observable)
        scale, words = _scale(observable, observed)
        assumptions.append(words)
        points = np.searchsorted(times, observed.times)
        targets.append(Target(observable, points, observed.times, observed.mean, scale))
    readout: Readout = ValuesAt(times.tolist())
    if ValuesAt not in estimator.readouts:
        readout = Interpolated(times.tolist())
        assumptions.append(
            f"{estimator.name} cannot differentiate values at times, so trajectories are "
            "interpolated linearly between firings"
        )
    return Binding(bound, tuple(targets), readout, tuple(assumptions))


def _scale(observable: str, observed) -> tuple[NDArray[np.float64], str]:
    """Return what deviations are divided by, and say it in words."""
    repeated = observed.replicates > 1
    shape = np.ones(len(observed.times))
    if repeated.any():
        freedom = observed.replicates[repeated] - 1
        variance = observed.standard_deviation[repeated] ** 2
        pooled = float(np.sqrt((freedom * variance).sum() / freedom.sum()))
        if pooled > 0.0:
            return (
                pooled / np.sqrt(observed.replicates),
                f"{observable}: weighted by the standard deviation of its replicates, "
                f"pooled over times ({pooled:.4g}), over the square root of their number",
            )
    spread = float(observed.mean.std())
    if spread > 0.0:
        return (
            spread * shape,
            f"{observable}: weighted by the standard deviation of its values over time "
            f"({spread:.4g}), because replicates give none",
        )
    level = max(abs(float(observed.mean[0])), 1.0)
    return (
        level * shape,
        f"{observable}: weighted by its level ({level:.4g}), because its values do not vary",
    )
