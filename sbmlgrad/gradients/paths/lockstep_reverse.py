"""Path adjoints for many trajectories at a time, in vector instructions.

A group of trajectories, one a lane, is replayed from its random streams while the reaction and the
time of every firing are noted (`record`), and then walked back together (`walk_back`); each lane
goes at its own pace, from firing to firing and from output point to output point. Long trajectories
are noted in chunks (`chunks`).
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.adjoint_form import (
    FIRED,
    NOW,
    TARGET,
    AdjointForm,
    adjoint_form,
)
from sbmlgrad.codegen.adjoint_source import (
    INLINED,
    WALK_BACK_SIGNATURE,
    walk_source,
)
from sbmlgrad.codegen.kernel_laws import KernelLaws, laws_and_inputs
from sbmlgrad.codegen.kernel_modules import bound_to, kernel_module, printed_function
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.record_source import RECORD_SIGNATURE, record_source
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.blocks import Signals, run_blocks
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.noise_source import noise_source
from sbmlgrad.engines.readouts import WindowAverages
from sbmlgrad.gradients.paths.adjoint_kernel import (
    LANES,
    Group,
    Job,
    record_chunk,
    reverse_lockstep_block,
)
from sbmlgrad.gradients.paths.chunks import CHUNK, keep_start, return_to_start, with_room
from sbmlgrad.gradients.paths.look_back import look_back
from sbmlgrad.gradients.paths.printed_kernels import BLOCK, in_inputs


def pull_back_lockstep(
    engine: Native, request: Request, cotangent: NDArray[np.float64], *, two_sided: bool
) -> NDArray[np.float64]:
    """Return the path adjoint's gradient, float64 [input], by kernels printed for the network.

    Args:
        engine: gives the threads.
        request: the request that gave the values; values at times or window averages.
        cotangent: derivative of the loss in them, float64 [trajectory or 1, point, species].
        two_sided: take half of each difference of values at the firings themselves.
    """
    lowered = request.lowered
    laws, inputs = laws_and_inputs(lowered, request.inputs)
    is_window = isinstance(request.readout, WindowAverages)
    printed = _printed(lowered, laws, two_sided, is_window)
    form, kernels = printed.form, (printed.record, printed.walk_back)
    start = np.array(request.start, dtype=np.float64, order="C")
    points = np.array(request.readout.points, dtype=np.float64, order="C")
    # Copied only where it must be: with a row for each trajectory it is as large as the values.
    weights = np.require(cotangent, np.float64, ["C", "W"])
    # One row a block, added up in order: the sum does not depend on the number of threads.
    partial = np.zeros((-(-request.trajectories // BLOCK), 1, len(form.used_inputs)))

    def arguments(low: int, high: int, signals: Signals) -> tuple[Any, ...]:
        job = Job(
            is_window,
            points,
            weights,
            inputs,
            request.seed,
            request.first_trajectory,
            start,
            signals.cancel,
            signals.done,
        )
        group = _group(len(lowered.species_ids), form)
        return job, group, low, high, form.rows.gradient, form.group

    example = arguments(0, 0, Signals(np.zeros(1, np.uint8), np.zeros(1, np.int64)))
    driver = kernel_module(
        (with_room, keep_start, return_to_start, record_chunk, reverse_lockstep_block)
    ).reverse_lockstep_block
    reverse = bound_to(driver, kernels, *example, partial[0])

    def work(block: int, low: int, high: int, signals: Signals) -> None:
        reverse(*kernels, *arguments(low, high, signals), partial[block])

    run_blocks(work, request.trajectories, engine.threads, request.progress, block=BLOCK)
    return in_inputs(lowered, laws, inputs, form.used_inputs, partial.sum(axis=(0, 1)))


def _group(species: int, form: AdjointForm) -> Group:
    return Group(
        counts=np.zeros(species * LANES),
        clocks=np.zeros(2 * LANES),
        noise=np.zeros(2 * LANES),
        draws=np.zeros(LANES, np.uint64),
        numbers=np.zeros(LANES, np.uint64),
        room=np.zeros(form.rows.count * LANES),
    )


class _Printed(NamedTuple):
    form: AdjointForm
    record: Any
    walk_back: Any


# Keyed by identity of the frozen network and its laws: printing the same twice is waste.
@lru_cache(maxsize=64)
def _printed(
    lowered: LoweredNetwork, laws: KernelLaws, two_sided: bool, with_source: bool
) -> _Printed:
    form = adjoint_form(lowered, laws)
    record = record_source(lowered, laws, noise_source(), LANES)
    names = {"FIRED": FIRED, "NOW": NOW, "TARGET": TARGET, "CHUNK": CHUNK}
    source = "".join(f"{name} = {number}\n" for name, number in names.items())
    source += f"\n\n{INLINED}\n{inspect.getsource(look_back)}\n\n"
    source += walk_source(lowered, laws, form, LANES, two_sided=two_sided, with_source=with_source)
    return _Printed(
        form,
        printed_function(record, "record", RECORD_SIGNATURE),
        printed_function(source, "walk_back", WALK_BACK_SIGNATURE),
    )
