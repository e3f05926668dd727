"""Gradients by replay: run each trajectory again from its stream and walk it backwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.numba_cpu import rate_source
from sbmlgrad.codegen.table_driven import (
    derivatives,
    propensities,
    run_program,
    update_derivatives,
    update_propensities,
)
from sbmlgrad.codegen.tables import Tables, tables
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.blocks import BLOCK, Signals, run_blocks
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.random import narrow_pair, philox, standard_exponential, uniform_pair
from sbmlgrad.engines.table.kernel import fire, first_fault, next_firing
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.paths.adjoint_sweep import sweep


@dataclass(frozen=True, eq=False)
class Sweep:
    """How an estimator walks a trajectory backwards.

    Attributes:
        name: of the estimator, for messages.
        function: plain function in numba's subset of Python, called `sweep`, with the signature

            sweep(tables, kind, points, cotangent, fired, times, firings, counts, inputs,
                  seed, trajectory, options, gradient)

            where `cotangent` [point, column] is the derivative of the loss in the kept values,
            `fired` [firing], `times` [firing + 1] and the final `counts` [species] describe the
            path, and the derivative in the inputs is added to `gradient` [input]. `counts` may be
            overwritten.
        functions: kernel functions that it calls, besides the engine's own.
        options: numbers handed to it.
    """

    name: str
    function: Callable[..., None]
    functions: tuple[Callable[..., object], ...]
    options: NDArray[np.float64]


def replay(tables: Tables, kind, points, inputs, seed, trajectory, counts, fired, times, cancel):
    """Run a trajectory again, recording it; `counts` holds the start and then the final state.

    Returns the recorded reactions and times, grown where they were too short, and the firings.
    """
    rates = np.empty(tables.change_start.shape[0] - 1)
    stack = np.empty(tables.stack_size)
    last = points[points.shape[0] - 1]
    propensities(tables, counts, inputs, stack, rates)
    draw = 0
    times[0] = 0.0
    while not (kind == 3 and draw >= last):
        if draw % 1024 == 0 and cancel[0] != 0:
            break
        outcome, waiting, reaction = next_firing(rates, seed, trajectory, draw, False)
        if outcome != 0:
            break
        time = times[draw] + waiting
        if kind < 2 and time > last:
            break
        if draw == fired.shape[0]:
            longer_fired = np.empty(2 * draw, fired.dtype)
            longer_fired[:draw] = fired
            longer_times = np.empty(2 * draw + 1)
            longer_times[: draw + 1] = times
            fired = longer_fired
            times = longer_times
        fire(tables, reaction, counts, 1.0)
        fired[draw] = reaction
        times[draw + 1] = time
        draw += 1
        if kind == 2 and time > last:
            break
        update_propensities(tables, reaction, counts, inputs, stack, rates)
    return fired, times, draw


def reverse_block(
    tables: Tables,
    kind,
    points,
    start,
    inputs,
    seed,
    first,
    low,
    high,
    cotangent,
    options,
    cancel,
    gradient,
):
    """Add the gradient of trajectories `low` to `high` to `gradient` [input]."""
    fired = np.empty(1024, np.int32)
    times = np.empty(1025)
    counts = np.empty(start.shape[1])
    for row in range(low, high):
        counts[:] = start[row if start.shape[0] > 1 else 0]
        trajectory = first + row
        fired, times, firings = replay(
            tables, kind, points, inputs, seed, trajectory, counts, fired, times, cancel
        )
        if cancel[0] != 0:
            break
        # Bound to the estimator's own sweep when the kernel is put together.
        sweep(
            tables,
            kind,
            points,
            cotangent[row if cotangent.shape[0] > 1 else 0],
            fired,
            times,
            firings,
            counts,
            inputs,
            seed,
            trajectory,
            options,
            gradient,
        )


_COMMON: tuple[Callable[..., object], ...] = (
    philox,
    uniform_pair,
    narrow_pair,
    standard_exponential,
    first_fault,
    next_firing,
    fire,
    replay,
    reverse_block,
    run_program,
    propensities,
    update_propensities,
    derivatives,
    update_derivatives,
)


def pull_back_path(
    estimator: Sweep, engine: Native, request: Request, cotangent: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the derivative of a loss in the inputs, float64 [input]; see `Estimator.pull_back`."""
    check_gradient_engine(engine)
    is_large = engine.choose_kernel(request)[0] == "lockstep"
    module = _module(estimator, request.lowered if is_large else None)
    structure = gradient_tables(request.lowered)
    start = np.ascontiguousarray(request.start, dtype=np.float64)
    inputs = np.ascontiguousarray(request.inputs, dtype=np.float64)
    cotangent = np.require(cotangent, np.float64, ["C", "W"])
    points, options = request.readout.points, estimator.options
    blocks = -(-request.trajectories // BLOCK)
    # One row a block, added up in order: the sum does not depend on the number of threads.
    partial = np.zeros((blocks, len(inputs)))

    def work(block: int, low: int, high: int, signals: Signals) -> None:
        module.reverse_block(
            structure,
            request.readout.kind,
            points,
            start,
            inputs,
            request.seed,
            request.first_trajectory,
            low,
            high,
            cotangent,
            options,
            signals.cancel,
            partial[block],
        )

    run_blocks(work, request.trajectories, engine.threads, request.progress)
    return finite(estimator.name, partial.sum(axis=0))


def check_gradient_engine(engine: Native) -> None:
    """Raise a `GradientError` for an engine whose trajectories a gradient cannot replay."""
    if engine.dtype != "float64":
        raise GradientError(
            f"{engine.name}: a gradient replays the trajectories, by the random streams of double "
            "precision; leave out dtype"
        )


def finite(name: str, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a gradient, or raise a `GradientError` if it is not finite."""
    if not np.isfinite(gradient).all():
        raise GradientError(
            f"{name}: the gradient is not finite. A kinetic law has an infinite derivative at a "
            "state that was visited, as sqrt(X) or X^0.5 at X = 0, or the adjoint overflowed; use "
            "FiniteDifference()"
        )
    return gradient


def _module(estimator: Sweep, lowered: LoweredNetwork | None) -> ModuleType:
    rates = None if lowered is None else _rates(lowered)
    functions = (*_COMMON, *estimator.functions, estimator.function)
    return kernel_module(functions, rates)


@lru_cache(maxsize=64)
def _rates(lowered: LoweredNetwork) -> str:
    return rate_source(lowered, derivatives=True)


@lru_cache(maxsize=64)
def gradient_tables(lowered: LoweredNetwork) -> Tables:
    """Return the tables that a reverse sweep needs."""
    return tables(lowered, derivatives=True)
