"""The TensorFlow engine: the direct method on tensors, on any device that TensorFlow has."""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from sbmlgrad.engines.base import DEFAULT_FIRING_LIMIT, Request, Sample, result_arrays
from sbmlgrad.engines.blocks import available_cores
from sbmlgrad.engines.codes import COMPLETED, NO_FAULT
from sbmlgrad.engines.readouts import columns, point_count
from sbmlgrad.engines.tensorflow.loop import RUNNING, Batch, Job, block_function
from sbmlgrad.errors import RequestError
from sbmlgrad.model.numbers import whole

#: Trajectories of a batch come in multiples of this, so that every one is computed by the same
#: vector instructions wherever it stands.
ROWS_STEP = 64

#: Float64 numbers that the tensors of one batch may have together: 256 MiB.
MOST_NUMBERS = 2**25

#: Trajectories of a batch: more win nothing on a processor, and fill a graphics card.
MOST_ROWS = 2**14

#: Firings of one trajectory between two looks at whether the user interrupts.
MOST_STEPS = 256
FEWEST_STEPS = 8

#: Propensities and counts that are computed between two such looks: well below a second with XLA,
#: about a second without.
MOST_WORK = 2**25


@dataclass(frozen=True)
class TensorFlow:
    """Direct method as batched TensorFlow operations, for a device that no other engine can use.

    All trajectories of a batch advance one firing at a time, on tensors [trajectory, species] and
    [trajectory, reaction]. The random streams are those of every engine, so that firings are those
    of `Reference` up to floating-point ties. On a processor `Native` is many times faster. Networks
    with events, explicit time or rate rules are refused.

    Args:
        firing_limit: firings of one trajectory before it counts as a runaway.
        jit_compile: True compiles with XLA, which takes seconds once and then is several times
            faster; False does not; None leaves it to TensorFlow.
        device: name of a TensorFlow device such as `"CPU:0"` or `"GPU:0"`; None leaves the choice
            to TensorFlow.
    """

    firing_limit: int = DEFAULT_FIRING_LIMIT
    jit_compile: bool | None = None
    device: str | None = None
    is_deterministic: ClassVar[Literal[False]] = False

    def __post_init__(self) -> None:
        whole("firing_limit", self.firing_limit, 1, 2**62)
        if not isinstance(self.jit_compile, bool | None):
            raise RequestError(
                f"TensorFlow(jit_compile={self.jit_compile!r}): choose None, False or True"
            )
        if self.device is not None and not isinstance(self.device, str):
            raise RequestError(
                f"TensorFlow(device={self.device!r}): give the name of a device, such as 'CPU:0'"
            )

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        device = "" if self.device is None else f", device={self.device!r}"
        return f"TensorFlow(jit_compile={self.jit_compile}{device})"

    def sample(self, request: Request) -> Sample:
        """Sample trajectories, one batch of tensors after another.

        Raises:
            RequestError: TensorFlow or the device is missing; the network has events, explicit time
                or rate rules; one trajectory of the readout fills the memory of a batch; a thread
                that Python did not start asks, and TensorFlow has one thread for operations.
        """
        if request.lowered.is_timed:
            raise RequestError(
                f"{self.name}: model '{request.lowered.network.id}' has "
                f"{request.lowered.clock_words}, and what happens between firings cannot be a "
                "batch of tensors; use sbmlgrad.engines.Native()"
            )
        tf = _tensorflow()
        if (
            isinstance(threading.current_thread(), threading._DummyThread)
            and _inter_op_threads(tf) == 1
        ):
            raise RequestError(
                f"{self.name}: asked by a thread that Python did not start, as within a "
                "tf.function, which may hold TensorFlow's only inter-op thread while operations "
                "of this engine wait for it for ever; call "
                "tf.config.threading.set_inter_op_parallelism_threads(2) before anything else, or "
                "use sbmlgrad.engines.Native()"
            )
        # What is sampled are numbers, also where the caller builds a graph.
        with tf.init_scope(), _on(self.device):
            return self._sample(request)

    def _sample(self, request: Request) -> Sample:
        import tensorflow as tf

        plan = plan_batches(request)
        kind, points = request.readout.kind, request.readout.points
        block = block_function(
            request.lowered, kind, len(points), plan.rows, plan.steps, self.jit_compile
        )
        arrays = result_arrays(request)
        total = request.trajectories
        for low in range(0, total, plan.rows):
            high = min(low + plan.rows, total)
            numbers = np.arange(low, low + plan.rows) + request.first_trajectory
            job = Job(
                tf.constant(request.inputs, tf.float64),
                tf.constant(points, tf.float64),
                tf.constant(request.seed, tf.uint64),
                tf.constant(numbers.astype(np.uint64)),
                tf.constant(self.firing_limit, tf.int64),
            )
            batch = _first(request, low, high, plan.rows)
            shape = arrays[0].shape
            values = tf.zeros((shape[1], plan.rows, shape[2]), tf.float64)
            running = high - low
            while running:
                batch, values, left = block(job, batch, values)
                running = int(left)
                if request.progress is not None:
                    request.progress(high - running, total)
            values = tf.transpose(values, (1, 0, 2))
            found = (values, batch.outcome, batch.draw, batch.fault, batch.time, batch.counts)
            for array, tensor in zip(arrays, found, strict=True):
                array[low:high] = tensor.numpy()[: high - low]
        return Sample(*arrays, engine=self.name)


class Plan(NamedTuple):
    """Shapes of the tensors: trajectories of a batch, and firings of each in one call."""

    rows: int
    steps: int


def plan_batches(request: Request) -> Plan:
    """Choose the shapes of batches, so that their tensors fit `MOST_NUMBERS`.

    Raises:
        RequestError: `ROWS_STEP` trajectories are too much.
    """
    species, reactions = len(request.lowered.species_ids), len(request.lowered.channels)
    kept = point_count(request.readout) * columns(request.readout, species)
    # Bounds from above of what lives at a time, for a trajectory and for one record of it.
    fixed, record = 4 * (kept + reactions), 4 * (species + 4)
    most = MOST_NUMBERS // (fixed + FEWEST_STEPS * record) // ROWS_STEP * ROWS_STEP
    if most == 0:
        raise RequestError(
            f"{ROWS_STEP} trajectories of {point_count(request.readout)} points, {species} species "
            f"and {reactions} reactions need more than {MOST_NUMBERS * 8 >> 20} MiB of tensors; "
            "ask for fewer points, or use sbmlgrad.engines.Native()"
        )
    batches = -(-request.trajectories // min(most, MOST_ROWS))
    rows = -(-request.trajectories // (batches * ROWS_STEP)) * ROWS_STEP
    steps = min(
        (MOST_NUMBERS - rows * fixed) // (rows * record),
        MOST_WORK // (rows * (reactions + species + 1)),
        MOST_STEPS,
    )
    return Plan(rows, max(steps, FEWEST_STEPS))


def _first(request: Request, low: int, high: int, rows: int) -> Batch:
    """Return a batch at time 0; rows beyond the last trajectory have ended before they begin."""
    import tensorflow as tf

    start = np.zeros((rows, request.start.shape[1]))
    source = request.start if len(request.start) == 1 else request.start[low:high]
    start[: high - low] = source
    outcome = np.full(rows, COMPLETED, dtype=np.int32)
    outcome[: high - low] = RUNNING
    return Batch(
        tf.zeros(rows, tf.float64),
        tf.constant(start),
        tf.zeros(rows, tf.int64),
        tf.constant(outcome),
        tf.fill((rows,), tf.constant(NO_FAULT, tf.int32)),
    )


def _tensorflow() -> Any:
    try:
        import tensorflow as tf
    except ImportError as error:
        raise RequestError(
            "the engine TensorFlow needs the package tensorflow, which cannot be imported "
            f"({error}); install it, or use sbmlgrad.engines.Native()"
        ) from None
    return tf


def _inter_op_threads(tf: Any) -> int:
    """Return how many operations TensorFlow runs at a time: as configured, or one a core."""
    configured = tf.config.threading.get_inter_op_parallelism_threads()
    given = os.environ.get("TF_NUM_INTEROP_THREADS", "").strip()
    return configured or (int(given) if given.isdecimal() else 0) or available_cores()


def _on(device: str | None) -> AbstractContextManager[Any]:
    """Return TensorFlow's context of a device, by its short or full name."""
    import tensorflow as tf

    if device is None:
        return nullcontext()
    names = [d.name for d in tf.config.list_logical_devices()]
    if device not in names and f"/device:{device}" not in names:
        raise RequestError(
            f"TensorFlow(device={device!r}): TensorFlow has no such device here; it has "
            f"{', '.join(name.removeprefix('/device:') for name in names)}"
        )
    return tf.device(device)
