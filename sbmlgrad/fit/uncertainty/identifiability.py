"""Identifiability in words: what the data leave open, alone or together.

Directions are judged by the eigenvalues of the information scaled to a unit diagonal (Belsley, Kuh
& Welsch 1980, Regression Diagnostics, chapter 3; for models of this kind Gutenkunst et al. 2007,
"Universally sloppy parameter sensitivities in systems biology models", PLoS Comput. Biol. 3, e189),
so that units of parameters do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Share of the largest eigenvalue below which a direction is called sloppy.
SLOPPY = 1e-3

#: Standard errors by which an eigenvalue must exceed zero to count as known at all.
SIGNIFICANT = 2.0

#: Part in a direction from which a parameter is named as moving along it.
TAKES_PART = 0.2

#: Correlation from which two parameters are said to move together.
TOGETHER = 0.95

#: Ratio of the ends of an interval from which a parameter is called poorly determined.
WIDE = 10.0


@dataclass(frozen=True, eq=False)
class Directions:
    """The inverse of an information matrix, and where it has none.

    Attributes:
        covariance: float64 [free, free]; infinite variances for parameters that are left open.
        is_open: bool [free].
        words: about directions.
    """

    covariance: FloatArray
    is_open: NDArray[np.bool_]
    words: tuple[str, ...]


def directions(
    matrix: FloatArray,
    ids: tuple[str, ...],
    is_logarithmic: NDArray[np.bool_],
    left_out: FloatArray,
) -> Directions:
    """Invert an information matrix, and say which directions it leaves open or nearly so.

    Args:
        matrix: float64 [free, free], symmetric.
        ids: of the parameters.
        is_logarithmic: bool [free].
        left_out: the matrix without one batch of trajectories at a time, which tells its
            Monte-Carlo error by the jackknife, float64 [batch, free, free].
    """
    diagonal = np.diag(matrix)
    doubts = jackknife_error(np.diagonal(left_out, axis1=1, axis2=2))
    is_open = ~(diagonal > SIGNIFICANT * doubts)
    words = [
        f"{id}: the measurements do not depend on it"
        for id, is_lost in zip(ids, is_open, strict=True)
        if is_lost
    ]
    covariance = np.zeros_like(matrix)
    known = np.flatnonzero(~is_open)
    if known.size:
        unit = 1.0 / np.sqrt(diagonal[known])
        scaled = unit[:, None] * matrix[np.ix_(known, known)] * unit
        values, vectors = np.linalg.eigh(scaled)
        moves = unit[:, None] * vectors
        parts_known = left_out[:, known][:, :, known]
        doubt = jackknife_error(np.einsum("ik,bij,jk->bk", moves, parts_known, moves))
        lost = values <= np.maximum(SIGNIFICANT * doubt, 1e-12)
        kept = vectors[:, ~lost]
        inverse = (kept / values[~lost]) @ kept.T
        covariance[np.ix_(known, known)] = unit[:, None] * inverse * unit
        for k in np.flatnonzero(lost | (values < SLOPPY * values.max())):
            parts = np.abs(vectors[:, k]) > TAKES_PART
            if lost[k]:
                is_open[known[parts]] = True
            names = [ids[i] for i in known]
            words.append(
                _direction(moves[:, k], parts, names, is_logarithmic[known], is_lost=bool(lost[k]))
            )
    covariance[np.diag_indices_from(covariance)] = np.where(is_open, np.inf, np.diag(covariance))
    return Directions(covariance, is_open, tuple(words))


def jackknife_error(left_out: FloatArray) -> FloatArray:
    """Return standard errors from values without one batch at a time, float64 [batch, ...]."""
    count = len(left_out)
    spread = ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)
    return np.sqrt(spread * (count - 1) / count)


def _direction(
    move: FloatArray,
    parts: NDArray[np.bool_],
    ids: list[str],
    is_logarithmic: NDArray[np.bool_],
    *,
    is_lost: bool,
) -> str:
    places = np.flatnonzero(parts)
    largest = places[int(np.argmax(np.abs(move[places])))]
    move = move / move[largest]
    told = [
        f"{ids[i]} {'times' if is_logarithmic[i] else 'plus'} "
        + (f"c^{move[i]:.3g}" if is_logarithmic[i] else f"{move[i]:.3g} c")
        for i in places
    ]
    if len(told) == 1:
        return f"{ids[largest]}: hardly changes what was measured"
    ending = "cannot be told apart by these data" if is_lost else "is hardly seen in these data"
    return f"{', '.join(ids[i] for i in places)} move together: {' and '.join(told)} {ending}"


def pair_flags(correlation: FloatArray, ids: tuple[str, ...]) -> dict[str, list[str]]:
    """Return id → words about parameters that it is strongly correlated with."""
    found: dict[str, list[str]] = {id: [] for id in ids}
    for i, first in enumerate(ids):
        for j, second in enumerate(ids):
            value = correlation[i, j]
            if i != j and np.isfinite(value) and abs(value) > TOGETHER:
                how = "rises" if value > 0.0 else "falls"
                found[first].append(f"{how} with {second} (correlation {value:.3f})")
    return found


def is_wide(low: float, high: float) -> bool:
    """Tell whether an interval spans so much that its parameter is poorly determined."""
    return bool(np.isfinite([low, high]).all() and low > 0.0 and high > WIDE * low)
