"""Exact derivatives of expectations on finitely many states, forwards and backwards.

Forwards, d/dt ∂p = A ∂p + ∂A p is solved beside dp/dt = A p, one tangent a direction. Backwards,
the value function q of one expectation is solved from its end, dq/dt = -Aᵀ q - f, and
dE[F]/dθ = ∫ q(t)ᵀ (∂A/∂θ) p(t) dt gives all directions at once. Both differentiate the very sums of
uniformisation, so they agree with each other to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.cme.generator import Generator, Slopes
from sbmlgrad.cme.kernels import compiled
from sbmlgrad.cme.uniformisation import MOST_JUMPS, Leg, advance, legs_of, march, series_of
from sbmlgrad.engines.readouts import Readout, ValuesAt, WindowAverages
from sbmlgrad.errors import RequestError

FloatArray = NDArray[np.float64]
#: How derivatives are found: costs by the direction, or by the expectation.
Method = Literal["forward", "adjoint"]

#: Numbers that the backward solve keeps of one step: powers times states.
KEPT_NUMBERS = 32_000_000
#: Fewest jumps that a step of the backward solve expects.
FEWEST_JUMPS = 20.0


@dataclass(frozen=True, eq=False)
class Problem:
    """Expectations of functions of the state, at points of a readout.

    Attributes:
        generator: of the master equation.
        start: initial probabilities, float64 [state].
        readout: values at times or window averages.
        functions: float64 [point or 1, state, function]; one row serves every point.
    """

    generator: Generator
    start: FloatArray
    readout: Readout
    functions: FloatArray

    def at(self, point: int) -> FloatArray:
        """Return the functions at a point, float64 [state, function]."""
        return self.functions[point if len(self.functions) > 1 else 0]

    @property
    def shape(self) -> tuple[int, int]:
        """Points and functions."""
        return len(self.readout.labels), self.functions.shape[2]

    @property
    def is_averaging(self) -> bool:
        """Whether points are windows.

        Raises:
            RequestError: they are neither windows nor times.
        """
        if not isinstance(self.readout, ValuesAt | WindowAverages):
            raise RequestError(
                f"the master equation gives expectations of values at times and of window "
                f"averages, not of {type(self.readout).__name__}; simulate for those"
            )
        return isinstance(self.readout, WindowAverages)

    def point_of(self, leg: Leg) -> int | None:
        """Return the point that a leg ends at or averages over, or None before the first window."""
        place = int(np.searchsorted(self.readout.points, leg.end))
        if not self.is_averaging:
            return place
        return place - 1 if place else None


def values(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Return expectations, float64 [point, function], and the leak by each point, float64 [point].

    Probability that has leaked counts as nothing. For windows the leak is that by their ends.
    """
    generator = problem.generator
    points, functions = problem.shape
    result, leaks = np.zeros((points, functions)), np.zeros(points)
    leak = 0.0
    if not problem.is_averaging and problem.readout.points[0] == 0.0:
        result[0] = problem.start @ problem.at(0)
    for leg, probability, occupation in march(generator, problem.start, problem.readout.points):
        leak += float(generator.leaking @ occupation)
        point = problem.point_of(leg)
        if point is None:
            continue
        leaks[point] = leak
        if problem.is_averaging:
            result[point] = occupation @ problem.at(point) / (leg.end - leg.start)
        else:
            result[point] = probability @ problem.at(point)
    return result, leaks


def cheaper(problem: Problem, directions: int) -> Method:
    """Return the cheaper method, by what they were measured to cost in forward solves."""
    points, functions = problem.shape
    tangents, adjoints = 3.0 + 0.55 * directions, 2.5 + 0.8 * points * functions
    return "forward" if tangents <= adjoints else "adjoint"


def forward(problem: Problem, slopes: Slopes, directions: FloatArray) -> FloatArray:
    """Return derivatives by tangents, float64 [point, function, direction].

    Choose it for few directions; its cost does not depend on how many expectations there are.

    Args:
        problem: the expectations.
        slopes: derivatives of the propensities in the inputs.
        directions: float64 [input, direction].
    """
    generator = problem.generator
    result = np.zeros((*problem.shape, directions.shape[1]))
    along = slopes.along(directions, len(generator.rate)) / generator.scale
    leaving = np.zeros((generator.size, directions.shape[1]))
    np.add.at(leaving, generator.source, along)
    incoming = np.ascontiguousarray(along[generator.incoming[1]])
    probability, tangent = problem.start, np.zeros_like(leaving)
    for leg in legs_of(generator.scale, problem.readout.points):
        series = series_of(generator.scale, leg.length)
        moved_total = np.zeros_like(tangent)
        for _ in range(leg.steps):
            then, total = np.zeros((2, generator.size))
            moved = np.zeros_like(tangent)
            compiled().tangent_series(
                *generator.gathered,
                incoming,
                generator.stay,
                leaving,
                probability,
                tangent,
                series.weights,
                series.tails,
                then,
                total,
                moved,
                moved_total,
            )
            probability, tangent = then, moved
        point = problem.point_of(leg)
        if point is None:
            continue
        if problem.is_averaging:
            result[point] = problem.at(point).T @ moved_total / (leg.end - leg.start)
        else:
            result[point] = problem.at(point).T @ tangent
    return result


def backward(problem: Problem, slopes: Slopes, directions: FloatArray) -> FloatArray:
    """Return derivatives by the adjoint, float64 [point, function, direction].

    Choose it for many directions; it costs one backward solve an expectation.

    Args:
        problem: the expectations.
        slopes: derivatives of the propensities in the inputs.
        directions: float64 [input, direction].
    """
    outputs = [_Output(p, f) for p in range(problem.shape[0]) for f in range(problem.shape[1])]
    # Each holds one number an edge.
    most = max(1, KEPT_NUMBERS // max(len(problem.generator.rate), 1))
    rows = [
        _backward(problem, slopes, directions, outputs[i : i + most])
        for i in range(0, len(outputs), most)
    ]
    return np.concatenate(rows).reshape(*problem.shape, -1)


def total(problem: Problem, slopes: Slopes, directions: FloatArray) -> FloatArray:
    """Return the derivative of the sum of all expectations, float64 [direction].

    One backward solve, however many points and functions there are.
    """
    return _backward(problem, slopes, directions, [_Output(None, None)])[0]


@dataclass(frozen=True)
class _Output:
    """An expectation: of one point and function, or of all of them in sum."""

    point: int | None
    function: int | None

    def weight(self, problem: Problem, point: int | None) -> FloatArray | None:
        """Return the function of the state that counts at a point, float64 [state], if any."""
        if point is None or self.point not in (None, point):
            return None
        functions = problem.at(point)
        return functions.sum(axis=1) if self.function is None else functions[:, self.function]


def _backward(
    problem: Problem, slopes: Slopes, directions: FloatArray, outputs: list[_Output]
) -> FloatArray:
    generator = problem.generator
    flows = np.zeros((len(outputs), len(generator.rate)))
    adjoints: list[FloatArray | None] = [None] * len(outputs)
    none = np.zeros(generator.size)
    kept: FloatArray | None = None
    for leg, starts in _checkpoints(problem):
        point = problem.point_of(leg)
        running: list[FloatArray | None] = [None] * len(outputs)
        for o, output in enumerate(outputs):
            weight = output.weight(problem, point)
            if weight is None:
                continue
            if problem.is_averaging:
                running[o] = weight / (leg.end - leg.start)
                adjoints[o] = none.copy() if adjoints[o] is None else adjoints[o]
            else:
                before = adjoints[o]
                adjoints[o] = weight.copy() if before is None else before + weight
        series = series_of(generator.scale, leg.length)
        if kept is None or len(kept) < len(series.weights):
            kept = np.empty((len(series.weights), generator.size))
        powers = kept[: len(series.weights)]
        for start in reversed(starts):
            compiled().kept_powers(*generator.gathered, generator.stay, start, powers)
            for o, adjoint in enumerate(adjoints):
                if adjoint is not None:
                    mean = running[o]
                    compiled().reverse_series(
                        *generator.scattered,
                        generator.stay,
                        powers,
                        series.weights,
                        series.tails,
                        adjoint,
                        none if mean is None else mean,
                        flows[o],
                    )
    inputs = len(directions)
    rows = [slopes.in_inputs(flow / generator.scale, inputs) @ directions for flow in flows]
    return np.array(rows)


def _checkpoints(problem: Problem) -> Iterator[tuple[Leg, list[FloatArray]]]:
    """Yield the legs from the last to the first, with the probabilities at the start of each step.

    Steps are short enough for all powers of one to be kept.
    """
    generator = problem.generator
    powers = KEPT_NUMBERS / max(generator.size, 1)
    jumps = MOST_JUMPS
    while jumps > FEWEST_JUMPS and len(series_of(1.0, jumps).weights) > powers:
        jumps *= 0.8
    found = []
    probability = problem.start
    for leg in legs_of(generator.scale, problem.readout.points, jumps):
        starts = []
        for _ in range(leg.steps):
            starts.append(probability)
            probability, _ = advance(generator, probability, leg.length)
        found.append((leg, starts))
    yield from reversed(found)
