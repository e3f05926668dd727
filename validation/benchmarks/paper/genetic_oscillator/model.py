"""The genetic oscillator of the paper: what is learned, starts, random streams, one kept run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paper_records import MODELS

import sbmlgrad as sg

FloatArray = NDArray[np.float64]

#: Learned parameters, and their true values: those of the shipped model.
FREE = ("beta_A", "beta_R", "delta_A", "delta_R", "gamma_C")

#: Species that are compared: free activator, free repressor, their complex.
COMPARED = ("A", "R", "C")

#: Every start lies within this factor of the truth.
AWAY = 2.0

#: Published mean absolute percentage error of ten runs, and its range.
PUBLISHED = (0.0123, 0.0093, 0.0171)

#: Keys of random streams: what they are for.
TARGET, DESCENT, EMERGENT, SHOWN = range(4)


@dataclass(frozen=True)
class Run:
    """One run, as records keep it.

    Attributes:
        mode: name.
        seed: of data, start and trajectories.
        settings: what else describes the run, as plain numbers.
        start, values: of the learned parameters [free].
        noise: standard errors of their logarithms from data and trajectories, as the run itself
            tells [free].
        trace: parameters over their truth, before every step and at the end [step, free].
        losses: of every step.
        seconds, cpu_seconds: of the descent.
        data_seconds: wall time of simulating the data.
        emergent: name of an emergent number → its mean and standard error under the truth, and
            under the learned values.
        made: when and with what; nothing in records that do not say.
    """

    mode: str
    seed: int
    settings: Mapping[str, float]
    start: tuple[float, ...]
    values: tuple[float, ...]
    noise: tuple[float, ...]
    trace: tuple[tuple[float, ...], ...]
    losses: tuple[float, ...]
    seconds: float
    cpu_seconds: float
    data_seconds: float
    emergent: Mapping[str, tuple[float, float, float, float]]
    made: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def errors(self) -> FloatArray:
        """Relative errors with sign, float64 [free]."""
        return np.array(self.values) / truth() - 1.0

    @property
    def mape(self) -> float:
        """Mean absolute relative error."""
        return float(np.abs(self.errors).mean())

    @property
    def drift(self) -> FloatArray:
        """Medians of the second half of the averaged steps over those of the first - 1, [free]."""
        averaged = int(self.settings["averaged"])
        first, second = np.array_split(np.array(self.trace)[-averaged:], 2)
        return np.median(second, axis=0) / np.median(first, axis=0) - 1.0

    def as_record(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def run_of(record: dict[str, Any]) -> Run:
    """Return a run from plain data."""
    changed: dict[str, Any] = {k: tuple(record[k]) for k in ("start", "values", "noise", "losses")}
    changed["trace"] = tuple(tuple(row) for row in record["trace"])
    changed["emergent"] = {k: tuple(v) for k, v in record["emergent"].items()}
    return Run(**(record | changed))


@lru_cache(maxsize=1)
def network() -> sg.ReactionNetwork:
    """Return the network with its true parameters."""
    return sg.load(MODELS / "oscillator.xml")


def truth() -> FloatArray:
    """Return the true values, float64 [free]."""
    values = dict(zip(network().parameter_ids, network().parameter_values, strict=True))
    return np.array([values[id] for id in FREE])


def all_values(logarithms: FloatArray) -> FloatArray:
    """Return the values of all parameters, float64 [..., parameter].

    Args:
        logarithms: of the learned ones, float64 [..., free].
    """
    shape = (*logarithms.shape[:-1], len(network().parameter_ids))
    values = np.array(np.broadcast_to(network().parameter_values, shape))
    values[..., places()] = np.exp(logarithms)
    return values


def all_tensors(logarithms: Any) -> Any:
    """Return the values of all parameters as a tensor [parameter]; see `all_values`."""
    import tensorflow as tf

    fixed = tf.constant(network().parameter_values, tf.float64)
    return tf.tensor_scatter_nd_update(fixed, [[p] for p in places()], tf.exp(logarithms))


def places() -> list[int]:
    """Return where the learned parameters stand among all."""
    return [network().parameter_ids.index(id) for id in FREE]


def start_of(seed: int) -> FloatArray:
    """Return where a run starts, float64 [free]: log-uniform around the truth."""
    rng = np.random.default_rng([seed, 0x05C])
    return truth() * AWAY ** rng.uniform(-1.0, 1.0, len(FREE))


def stream(seed: int, what: int) -> int:
    """Return a key of random streams of its own."""
    return int(np.random.SeedSequence([seed, what, 0x05C]).generate_state(1)[0])


def engine(threads: int) -> Any:
    """Return the engine; named, since by itself it would judge every small step alone."""
    return sg.engines.Native(kernel="lockstep", threads=threads)
