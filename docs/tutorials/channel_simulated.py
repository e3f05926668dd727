"""A simulated record of a channel of three states, to see whether known rates come back."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from sbmlgrad.model.dwells import Dwells

#: Rates like those of the record, per ms: three quarters of the pauses last less than 0.025 ms.
TRUE: Mapping[str, float] = MappingProxyType(
    {"k_close": 0.7, "k_open": 0.07, "k_pause": 1.5, "k_resume": 55.0}
)


def simulated_record(openings: int, seed: int, dead_time: float) -> Dwells:
    """Return what is seen of a channel with the true rates, dwells in ms.

    A dwell begins with one that lasts longer than the dead time, and ends where one at the other
    level begins that does.

    Args:
        openings: of the channel, seen or not.
        seed: of the random numbers.
        dead_time: in ms.
    """
    rng = np.random.default_rng(seed)
    leave = TRUE["k_close"] + TRUE["k_pause"]
    is_pause = rng.random(openings) < TRUE["k_pause"] / leave
    shut = rng.exponential(1.0 / np.where(is_pause, TRUE["k_resume"], TRUE["k_open"]))
    lasting = np.stack([rng.exponential(1.0 / leave, openings), shut], axis=1).ravel()
    is_open = np.arange(lasting.size) % 2 == 0
    seen = np.flatnonzero(lasting > dead_time)
    begins = seen[np.flatnonzero(np.diff(is_open[seen], prepend=not is_open[seen[0]]))]
    # The last dwell goes on beyond the end of the simulation, and is left out.
    duration = np.add.reduceat(lasting, begins)[:-1]
    state = is_open[begins][:-1].astype(np.int64)
    return Dwells(("0", "1"), state, duration, np.ones(duration.size, np.bool_), "ms", dead_time)
