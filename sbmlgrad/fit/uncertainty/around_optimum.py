"""Intervals around the nearest optimum of a likelihood, which holds the fitted values too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.fit.search_space import SearchSpace
from sbmlgrad.fit.uncertainty.fitted import Fitted

FloatArray = NDArray[np.float64]


def interval_around(
    fitted: Fitted, distance: FloatArray, reach: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return ends of intervals around the optimum, moved to the fitted value where that is outside.

    Args:
        fitted: the fit.
        distance: from the fitted values to the optimum in coordinates, float64 [free].
        reach: half the length of the intervals in coordinates, float64 [free].
    """
    space, z = fitted.space, fitted.coordinates
    with np.errstate(over="ignore"):
        return (
            space.values(z + np.minimum(distance - reach, 0.0)),
            space.values(z + np.maximum(distance + reach, 0.0)),
        )


def away_words(
    space: SearchSpace, place: int, distance: float, reach: float, remedy: str = "a longer fit"
) -> str:
    """Return that a fit ended off the optimum, around which its interval lies.

    Args:
        space: of the search.
        place: of the parameter.
        distance: from the fitted value to the optimum, in coordinates.
        reach: half the length of the interval, in coordinates.
        remedy: what would come nearer.
    """
    unit = "of its logarithm" if space.is_logarithmic[place] else "of the search scale"
    said = (
        f"the fit ended {abs(distance):.2g} ({unit}) {'below' if distance > 0 else 'above'} the "
        "optimum of the likelihood, around which the interval lies"
    )
    if abs(distance) > reach:
        end = "lower" if distance > 0 else "upper"
        said += f"; the value lies outside and was made its {end} end"
    return f"{said}; {remedy} would come nearer"
