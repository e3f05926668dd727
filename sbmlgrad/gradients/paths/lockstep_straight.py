"""`StraightThrough` for many trajectories at a time, in vector instructions.

A group of trajectories, one a lane, is replayed from its random streams while the firings are noted
(`record`), and then walked back together, firing by firing (`walk_back`). Long trajectories are
noted in chunks (`chunks`).
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.adjoint_source import INLINED
from sbmlgrad.codegen.kernel_laws import KernelLaws, laws_and_inputs
from sbmlgrad.codegen.kernel_modules import bound_to, kernel_module, printed_function
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.record_source import RECORD_SIGNATURE, Until, record_source
from sbmlgrad.codegen.straight_form import (
    CLOCK,
    CLOCK_BEFORE,
    MARK,
    StraightForm,
    straight_form,
)
from sbmlgrad.codegen.straight_source import STRAIGHT_SIGNATURE, straight_source
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.blocks import Signals, quiet_signals, run_blocks
from sbmlgrad.engines.codes import FIRING_COUNTS, INTERPOLATED, WINDOWS
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.noise_source import noise_source
from sbmlgrad.gradients.paths.chunks import keep_start, return_to_start, with_room
from sbmlgrad.gradients.paths.printed_kernels import BLOCK, in_inputs
from sbmlgrad.gradients.paths.straight_kernel import (
    StraightGroup,
    StraightJob,
    record_rows,
    straight_block,
)
from sbmlgrad.gradients.paths.straight_points import begin_lane, take_points
from sbmlgrad.gradients.paths.straight_race import race_source

#: Lowest temperature above 0 whose inverse, times shares and worths, stays a number.
LEAST_TEMPERATURE = 1e-200


def pull_back_straight(
    engine: Native, request: Request, cotangent: NDArray[np.float64], temperature: float
) -> NDArray[np.float64]:
    """Return the straight-through gradient, float64 [input], by kernels printed for the network.

    Args:
        engine: gives the threads.
        request: the request that gave the values; window averages, values on lines between firings,
            or states after numbers of firings.
        cotangent: derivative of the loss in them, float64 [trajectory or 1, point, column].
        temperature: 0, or at least `LEAST_TEMPERATURE`.
    """
    lowered = request.lowered
    laws, inputs = laws_and_inputs(lowered, request.inputs)
    kind = request.readout.kind
    printed = _printed(lowered, laws, kind, is_limit=temperature == 0.0)
    form, kernels = printed.form, (printed.record, printed.walk_back)
    quiet = StraightJob(
        kind,
        np.array(request.readout.points, dtype=np.float64, order="C"),
        # Copied only where it must be: with a row for each trajectory it is as large as the values.
        np.require(cotangent, np.float64, ["C", "W"]),
        inputs,
        request.seed,
        request.first_trajectory,
        np.array(request.start, dtype=np.float64, order="C"),
        np.array(lowered.stoichiometry.T, dtype=np.float64, order="C"),
        0.0 if temperature == 0.0 else 1.0 / temperature,
        form.rows.adjoint,
        form.rows.source,
        form.rows.gradient,
        **quiet_signals()._asdict(),
    )
    # One row a block, added up in order: the sum does not depend on the number of threads.
    partial = np.zeros((-(-request.trajectories // BLOCK), len(form.used_inputs)))

    def arguments(low: int, high: int, signals: Signals) -> tuple[Any, ...]:
        group = _group(len(lowered.species_ids), form)
        return quiet._replace(**signals._asdict()), group, low, high

    driver = kernel_module(
        (with_room, keep_start, return_to_start, begin_lane, record_rows, straight_block)
    ).straight_block
    reverse = bound_to(driver, kernels, *arguments(0, 0, quiet_signals()), partial[0])

    def work(block: int, low: int, high: int, signals: Signals) -> None:
        reverse(*kernels, *arguments(low, high, signals), partial[block])

    run_blocks(work, request.trajectories, engine.threads, request.progress, block=BLOCK)
    return in_inputs(lowered, laws, inputs, form.used_inputs, partial.sum(axis=0))


def _group(species: int, form: StraightForm) -> StraightGroup:
    lanes = form.lanes
    return StraightGroup(
        counts=np.zeros(species * lanes),
        clocks=np.zeros(2 * lanes),
        noise=np.zeros(2 * lanes),
        draws=np.zeros(lanes, np.uint64),
        numbers=np.zeros(lanes, np.uint64),
        room=np.zeros(form.rows.count * lanes),
        race=np.zeros(2 * form.blocks * lanes),
    )


class _Printed(NamedTuple):
    form: StraightForm
    record: Any
    walk_back: Any


# Keyed by identity of the frozen network and its laws: printing the same twice is waste.
@lru_cache(maxsize=64)
def _printed(lowered: LoweredNetwork, laws: KernelLaws, kind: int, *, is_limit: bool) -> _Printed:
    form = straight_form(lowered, laws)
    until = {INTERPOLATED: Until.BEYOND_TIME, FIRING_COUNTS: Until.FIRINGS}.get(kind, Until.TIME)
    record = record_source(lowered, laws, noise_source(), form.lanes, until)
    names = {
        "CLOCK": CLOCK,
        "CLOCK_BEFORE": CLOCK_BEFORE,
        "MARK": MARK,
        "FIRING_COUNTS": FIRING_COUNTS,
        "INTERPOLATED": INTERPOLATED,
        "WINDOWS": WINDOWS,
    }
    source = "".join(f"{name} = {number}\n" for name, number in names.items())
    source += f"\n\n{INLINED}\n{inspect.getsource(take_points)}\n\n"
    race = None if is_limit else race_source()
    source += straight_source(lowered, laws, form, race, with_source=kind == WINDOWS)
    return _Printed(
        form,
        printed_function(record, "record", RECORD_SIGNATURE),
        printed_function(source, "walk_back", STRAIGHT_SIGNATURE),
    )
