"""What trajectories still collect after slices of time: noisy samples of the value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Engine, Request
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages, point_count
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.functional import Functional
from sbmlgrad.gradients.values.states import values_of

FloatArray = NDArray[np.float64]

#: Relative difference from which a function of window averages counts as not affine.
AFFINE = 1e-9


def at_rest(functional: Functional, request: Request) -> Callable[[FloatArray], FloatArray]:
    """Return the function from states to the f_p of a trajectory that rests there.

    It takes float64 [state, species] and gives float64 [state, point].
    """
    points = point_count(request.readout)

    def rest(states: FloatArray) -> FloatArray:
        return functional.contributions(np.repeat(states[:, None, :], points, axis=1))

    return rest


def refuse_curved(functional: Functional, request: Request, states: FloatArray) -> None:
    """Raise a `GradientError` for functions of window averages that are not affine.

    What they collect in the rest of a window depends on its beginning too, so it is no function of
    the state.
    """
    if isinstance(request.readout, ValuesAt):
        return
    rest = at_rest(functional, request)
    found, other = rest(states), rest(states[::-1])
    middle = rest((states + states[::-1]) / 2.0)
    if not np.all(np.abs(middle - (found + other) / 2.0) <= AFFINE * np.abs(found).max(initial=0)):
        raise GradientError(
            "FittedValue: with a function of window averages that is not affine, what is still "
            "collected within a window depends on its beginning, not on the state alone; use "
            "values at times, or CoupledDifference()"
        )


def collected(
    engine: Engine, request: Request, functional: Functional, times: FloatArray
) -> FloatArray:
    """Return what every trajectory still collects after each time, float64 [trajectory, slice].

    Functions of window averages must be affine (`refuse_curved`).
    """
    if isinstance(request.readout, ValuesAt):
        ends = request.readout.points
        pieces = functional.contributions(values_of(engine, request))
    else:
        ends, pieces = _window_pieces(engine, request, functional, times)
    after = np.zeros((pieces.shape[0], pieces.shape[1] + 1))
    after[:, :-1] = np.cumsum(pieces[:, ::-1], axis=1)[:, ::-1]
    return after[:, np.searchsorted(ends, times, side="right")]


def _window_pieces(
    engine: Engine, request: Request, functional: Functional, times: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return ends of the parts of windows between slices, and what is collected in each.

    An affine f of an average is the mean of f of the averages over parts, weighted by length.
    """
    edges = request.readout.points
    marks = np.unique(np.concatenate([edges, times[times > edges[0]]]))
    averages = values_of(engine, replace(request, readout=WindowAverages(marks.tolist())))
    first = np.searchsorted(marks, edges)
    window = np.searchsorted(edges, marks[:-1], side="right") - 1
    shares = np.diff(marks) / np.diff(edges)[window]
    pieces = np.empty(averages.shape[:2])
    for place in range(int(np.diff(first).max())):
        # The part at this place of every window, or its last one, which is then done again.
        chosen = np.minimum(first[:-1] + place, first[1:] - 1)
        pieces[:, chosen] = functional.contributions(averages[:, chosen]) * shares[chosen]
    return marks[1:], pieces
