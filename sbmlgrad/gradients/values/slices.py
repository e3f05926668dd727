"""Slices of time at which `FittedValue` looks at an ensemble.

The derivative is an integral over time of a mean, which is smooth between the points of a readout.
So slices are Gauss-Legendre nodes of each interval between points: few are needed, they crowd where
the value changes fastest, and none lies on a point, where the value jumps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.readouts import Readout

FloatArray = NDArray[np.float64]

#: Fewest slices of an interval between two points.
FEWEST = 6


@dataclass(frozen=True, eq=False)
class Slices:
    """Times at which an ensemble is looked at.

    Attributes:
        times: increasing, float64 [slice].
        widths: quadrature weights, float64 [slice]; they add up to the last point.
    """

    times: FloatArray
    widths: FloatArray


def slices_of(readout: Readout, total: int) -> Slices:
    """Lay slices between the points of a readout.

    Args:
        readout: values at times, or window averages.
        total: slices wanted altogether; short intervals get a few more than their share.
    """
    marks = np.unique(np.concatenate([[0.0], readout.points]))
    times, widths = [np.empty(0)], [np.empty(0)]
    for low, length in zip(marks, np.diff(marks), strict=False):
        count = max(FEWEST, round(total * length / marks[-1]))
        nodes, weights = np.polynomial.legendre.leggauss(count)
        times.append(low + length * (nodes + 1.0) / 2.0)
        widths.append(weights * length / 2.0)
    return Slices(np.concatenate(times), np.concatenate(widths))
