"""How much memory a gradient takes, and how many trajectories to differentiate at a time."""

from __future__ import annotations

from collections.abc import Sequence

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.memory_estimate import (
    VARIABLE,
    available_bytes,
    job_bytes,
    limit_given,
)
from sbmlgrad.engines.readouts import Readout, columns, point_count

#: Times the kept values that are in memory at the peak of a gradient, whatever the statistic: of
#: one symbol, and more for each further one up to `SYMBOLS`, since TensorFlow adds up the
#: cotangents of several symbols when it has four. Measured with all means and variances together
#: (`validation/benchmarks/gradients_memory.py`): 8.4 for one species, 9.0 for three, 11.5 for nine,
#: 12.5 for twenty; means alone take 3. What is measured varies by one.
PEAK, PEAK_OF_SYMBOL, SYMBOLS = 7, 2, 4

#: Values of a part, at most: enough trajectories to be worth a call.
PART_BYTES = 2**28

#: Trajectories of a part, at least: a variance needs some.
LEAST_PART = 32

#: Needs below this fit, unless a limit is given; asking the system takes longer than small jobs do.
SMALL = 2**24

_NUMBER = 8

#: Outcome and firings of each trajectory, as parts and then together, and its number as it is made.
_KEPT = 2 * (_NUMBER + 1) + 2 * _NUMBER

#: Times the kept values of which no gradient takes less: those of means.
LEAST = 3

PARTS_ADVICE = (
    "Of one parameter set, outside tf.function, statistics and their gradients are computed in "
    "parts that fit. Else simulate fewer trajectories in several calls (`first_trajectory` goes on "
    f"where the last call stopped) or ask for fewer times or readouts. The variable {VARIABLE} of "
    "the environment sets another limit."
)


def gradient_bytes(lowered: LoweredNetwork, readouts: Sequence[Readout], trajectories: int) -> int:
    """Return how much memory trajectories and a gradient over them take at their peak.

    Args:
        lowered: the network.
        readouts: all are kept.
        trajectories: how many, of all parameter sets.
    """
    states = len(lowered.state_ids)
    more = PEAK - 1 + PEAK_OF_SYMBOL * min(states, SYMBOLS)
    values = trajectories * _values_bytes(lowered, readouts)
    return job_bytes(lowered, readouts, trajectories) + more * values


def least_bytes(lowered: LoweredNetwork, readouts: Sequence[Readout], trajectories: int) -> int:
    """Return how much memory the cheapest gradient takes, that of means.

    Arguments as in `gradient_bytes`. What needs more than there is cannot be computed at once,
    whatever is asked for.
    """
    values = trajectories * _values_bytes(lowered, readouts)
    return job_bytes(lowered, readouts, trajectories) + (LEAST - 1) * values


def part_size(
    lowered: LoweredNetwork,
    readouts: Sequence[Readout],
    trajectories: int,
    needed: int,
    there: int | None,
) -> int:
    """Return how many trajectories to have in memory at a time.

    Args:
        lowered: the network.
        readouts: all are kept.
        trajectories: how many there are.
        needed: `gradient_bytes` of all of them.
        there: how much memory there is, or None where that is not known.
    """
    most = PART_BYTES // _values_bytes(lowered, readouts)
    if there is not None:
        # The other half is for what is there besides.
        most = min(most, int(there / 2 / (needed / trajectories)))
    return min(max(most, LEAST_PART), trajectories)


def part_sizes(trajectories: int, most: int) -> tuple[int, ...]:
    """Return the trajectories of as few parts as hold at most so many, the larger ones first.

    Sizes differ by one at most, since estimators that compare trajectories need some in each.
    """
    parts = -(-trajectories // most)
    each, more = divmod(trajectories, parts)
    return (each + 1,) * more + (each,) * (parts - more)


def in_parts_bytes(
    lowered: LoweredNetwork,
    readouts: Sequence[Readout],
    trajectories: int,
    size: int,
    has_starts: bool,
) -> int:
    """Return how much memory a gradient takes in parts.

    Args:
        lowered: the network.
        readouts: all are kept.
        trajectories: how many there are.
        size: how many are in memory at a time.
        has_starts: whether states were given in which trajectories start.
    """
    # Start states of all trajectories are there when they are walked back.
    starts = job_bytes(lowered, (), trajectories)
    if has_starts:
        starts += 2 * trajectories * len(lowered.state_ids) * _NUMBER
    return gradient_bytes(lowered, readouts, size) + starts + trajectories * _KEPT


def fits(needed: int) -> bool:
    """Tell whether there is so much memory; where nothing is known, there is.

    Raises:
        RequestError: the environment variable is no amount of memory.
    """
    there = available(needed)
    return there is None or needed <= there


def available(needed: int) -> int | None:
    """Return how much memory there is, or None where that is not known or not worth asking."""
    return limit_given() if needed < SMALL else available_bytes()


def _values_bytes(lowered: LoweredNetwork, readouts: Sequence[Readout]) -> int:
    """Return the size of the values of one trajectory."""
    states = len(lowered.state_ids)
    return _NUMBER * sum(point_count(r) * max(columns(r, states), 1) for r in readouts)
