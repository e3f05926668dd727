"""Where trajectories start: whole counts and other symbols of the state, drawn where SBML draws."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.draws import draw
from sbmlgrad.engines.random import INITIAL_DRAWS, INITIAL_STATE, uniform_pairs
from sbmlgrad.errors import UnsupportedModelError
from sbmlgrad.model.distributions import DISTRIBUTIONS
from sbmlgrad.model.initial import initial_counts, initial_values, random_at_start
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.readiness import start_issues
from sbmlgrad.model.units import whole_number

FloatArray = NDArray[np.float64]


def start_states(
    lowered: LoweredNetwork,
    explicit: Mapping[str, float],
    initial: Mapping[str, float],
    seed: int,
    numbers: NDArray[np.uint64],
) -> tuple[dict[str, float], FloatArray]:
    """Return every symbol at time 0 and the states in which trajectories start.

    Args:
        lowered: the network.
        explicit: parameter id → value given by the user.
        initial: species or compartment id → value given by the user.
        seed: key of the random streams.
        numbers: trajectory numbers, uint64 [trajectory].

    Returns:
        Symbol id → value (NaN where it is drawn), and float64 [1 or trajectory, state].

    Raises:
        UnsupportedModelError: a value is missing, or an initial count cannot be used.
    """
    network = lowered.network
    values = initial_values(network, explicit, initial)
    if not random_at_start(network):
        return values, _state(lowered, values, initial, seed, numbers)
    rows = []
    for number in numbers:
        own = initial_values(network, explicit, initial, draw=_draws(seed, number))
        rows.append(_state(lowered, own, initial, seed, np.array([number], dtype=np.uint64)))
    return values, np.concatenate(rows)


def started(start: FloatArray, states: FloatArray, numbers: NDArray[np.uint64]) -> FloatArray:
    """Return starts in which the species are those of given states, taken in turn.

    Args:
        start: the model's own, float64 [1 or trajectory, state].
        states: molecules, float64 [start, species].
        numbers: trajectory numbers, uint64 [trajectory]; number i starts in state i modulo how many
            there are, so that batches can be split.
    """
    count, species = states.shape
    rows = np.array(np.broadcast_to(start, (len(numbers), start.shape[1])))
    rows[:, :species] = states[(numbers % np.uint64(count)).astype(np.intp)]
    return rows


def _draws(seed: int, number: np.uint64):
    stream = np.array([seed, number, INITIAL_DRAWS, 0], dtype=np.uint64)

    def value(distribution: str, arguments: tuple[float, ...]) -> float:
        a, b, c, d = (*arguments, 0.0, 0.0, 0.0, 0.0)[:4]
        code = DISTRIBUTIONS[distribution].opcode
        with np.errstate(all="ignore"):
            return float(draw(code, len(arguments), a, b, c, d, stream))

    return value


def _state(
    lowered: LoweredNetwork,
    values: Mapping[str, float],
    initial: Mapping[str, float],
    seed: int,
    numbers: NDArray[np.uint64],
) -> FloatArray:
    network = lowered.network
    counts = initial_counts(network, values, initial)
    problems = start_issues(network, lowered.formulas, values, counts)
    if problems:
        raise UnsupportedModelError(
            problems, what=f"model '{network.id}' cannot be simulated stochastically:"
        )
    species = _whole_counts(network, counts, seed, numbers)
    others = np.array([values[v] for v in network.variable_ids], dtype=np.float64)
    return np.hstack([species, np.broadcast_to(others, (len(species), len(others)))])


def _whole_counts(
    network: ReactionNetwork, counts: FloatArray, seed: int, numbers: NDArray[np.uint64]
) -> FloatArray:
    """Return initial counts [1 or trajectory, species] as the model's option says."""
    counted = [s in network.counted for s in network.species_ids]
    whole = np.array(
        [
            number if not is_counted or (near := whole_number(float(number))) is None else near
            for number, is_counted in zip(counts, counted, strict=True)
        ],
        dtype=np.float64,
    )
    broken = np.flatnonzero(np.array(counted, dtype=bool) & (whole != np.rint(whole)))
    if not broken.size:
        return whole[None, :]
    if network.initial == "round":
        whole[broken] = np.rint(whole[broken])
        return whole[None, :]
    start = np.tile(whole, (len(numbers), 1))
    for s in broken:
        _, v = uniform_pairs(seed, int(s), numbers, INITIAL_STATE)
        below = np.floor(counts[s])
        start[:, s] = below + (v < counts[s] - below)
    return start
