"""What the numbers of a fit follow from, as hashes: kept work goes on only from the same."""

from __future__ import annotations

import hashlib

import numpy as np

from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.problem import Problem


def of_network(network: ReactionNetwork) -> str:
    """Return a hash of a network: its document, how that was read, and the values given since."""
    read = (
        network.id,
        network.mass_action,
        network.initial,
        sorted(network.explicit),
        network.items_per_extent,
        [species.items_per_substance for species in network.species],
        network.parameter_values.tolist(),
    )
    return hashlib.sha256((network.source or b"") + repr(read).encode()).hexdigest()


def of_data(problem: Problem) -> str:
    """Return a hash of what was measured and counted."""
    m, cells = problem.measurements, problem.snapshots
    parts = [m.time, m.observable_index, m.value]
    words = repr((m.observables, m.condition, m.replicate))
    if cells is not None:
        parts += [cells.time, cells.counts]
        words += repr((cells.species, cells.condition))
    bytes_ = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
    return hashlib.sha256(bytes_ + words.encode()).hexdigest()
