"""Time courses of single cells as vectors, and their density as if these were normal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

_LOG_TWO_PI = math.log(2.0 * math.pi)


@dataclass(frozen=True, eq=False)
class Courses:
    """All cells of one experiment.

    Attributes:
        observables: ids.
        entries: (observable id, time) of each entry of the vectors.
        which: position of its observable, int64 [entry].
        times: its time, float64 [entry].
        patterns: cells measured at the same entries: these, int64 [measured], and the values,
            float64 [cell, measured].
    """

    observables: tuple[str, ...]
    entries: tuple[tuple[str, float], ...]
    which: NDArray[np.int64]
    times: FloatArray
    patterns: tuple[tuple[NDArray[np.int64], FloatArray], ...]

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return sum(len(values) for _, values in self.patterns)


def courses_of(problem: Problem) -> Mapping[str, Courses]:
    """Return experiment id → its cells: the replicates of the measurements.

    Cells need not all be measured at the same times.
    """
    m = problem.measurements
    conditions = np.array(m.condition, dtype=object)
    replicates = np.array(m.replicate, dtype=object).astype(str)
    found: dict[str, Courses] = {}
    for experiment in problem.experiments:
        rows = np.flatnonzero(conditions == experiment.id)
        if not rows.size:
            continue
        keys = np.stack([m.observable_index[rows].astype(np.float64), m.time[rows]], axis=1)
        entries, place = np.unique(keys, axis=0, return_inverse=True)
        labels, cell = np.unique(replicates[rows], return_inverse=True)
        values = np.full((len(labels), len(entries)), np.nan)
        values[cell, place.reshape(-1)] = m.value[rows]
        which = entries[:, 0].astype(np.int64)
        found[experiment.id] = Courses(
            m.observables,
            tuple((m.observables[i], float(t)) for i, t in zip(which, entries[:, 1], strict=True)),
            which,
            entries[:, 1],
            _patterns(values),
        )
    return found


def _patterns(values: FloatArray) -> tuple[tuple[NDArray[np.int64], FloatArray], ...]:
    kinds, of_cell = np.unique(~np.isnan(values), axis=0, return_inverse=True)
    found = []
    for number, kind in enumerate(kinds):
        measured = np.flatnonzero(kind).astype(np.int64)
        found.append((measured, values[of_cell.reshape(-1) == number][:, measured]))
    return tuple(found)


def normal_deviance(
    courses: Courses, mean: FloatArray, covariance: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Return minus twice the logarithm of the normal density of all cells, and its slopes.

    Source: Mardia, Kent & Bibby 1979, Multivariate Analysis, section 4.1.1 (the logarithm) and
    appendix A.9 (derivatives of determinants and inverses).

    Args:
        courses: the cells.
        mean: float64 [entry].
        covariance: float64 [entry, entry].

    Returns:
        The deviance; its derivatives in the mean [entry] and in the covariance [entry, entry].

    Raises:
        FitError: the covariance is not positive definite.
    """
    total, in_mean, in_covariance = 0.0, np.zeros_like(mean), np.zeros_like(covariance)
    for measured, values in courses.patterns:
        square = np.ix_(measured, measured)
        part = covariance[square]
        try:
            root = np.linalg.cholesky(part)
        except np.linalg.LinAlgError as error:
            smallest = float(np.linalg.eigvalsh(part)[0])
            raise FitError(
                "SyntheticLikelihood: the covariance of simulated trajectories is singular (its "
                f"smallest eigenvalue is {smallest:.2g}), because some values of a cell follow "
                "from others or trajectories are few; leave measurements out, give a noise model, "
                "more trajectories or a shrinkage"
            ) from error
        inverse = np.linalg.inv(part)
        residual = values - mean[measured]
        scatter = residual.T @ residual
        n = len(values)
        total += n * (2.0 * float(np.log(root.diagonal()).sum()) + len(measured) * _LOG_TWO_PI)
        total += float((inverse * scatter).sum())
        in_mean[measured] -= 2.0 * inverse @ residual.sum(axis=0)
        in_covariance[square] += n * inverse - inverse @ scatter @ inverse
    return total, in_mean, in_covariance
