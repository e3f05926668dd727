"""States that an ensemble visits, those one firing away, and the rates there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.base import Engine, Outcome, Request
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.values.slices import Slices
from sbmlgrad.model.operators import evaluate

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Numbers of an ensemble that are looked at together.
BATCH = 2**24

#: States beyond which only those outside the range of visited counts are added.
MANY_STATES = 32_768

#: Share of the time that all states one firing away together count for.
BESIDE = 1e-6


class Change(NamedTuple):
    """What reactions change that change the same.

    Attributes:
        amounts: of every species, float64 [species].
        reactions: which they are.
    """

    amounts: FloatArray
    reactions: list[int]


@dataclass(frozen=True, eq=False)
class Occupancy:
    """Where an ensemble was, equal states put together.

    Attributes:
        states: distinct counts, float64 [state, species]: those visited, then those beside them.
        stay: time that the mean trajectory stays around each slice in each state that was visited,
            sparse float64 [visited, slice].
        weights: of the states in a fit, float64 [state].
    """

    states: FloatArray
    stay: Any
    weights: FloatArray

    @property
    def visited(self) -> int:
        """How many states were visited."""
        return self.stay.shape[0]


def occupancy(engine: Engine, request: Request, slices: Slices) -> Occupancy:
    """Look at the ensemble of a request at every slice, and at the states beside it.

    Differences of values are wanted over single firings, so that a value matters one firing away
    from what was visited too. These states are part of every fit, with next to no weight: a value
    there follows from the equation that it solves, not from whatever shape a feature has outside.

    Raises:
        GradientError: trajectories failed.
    """
    readout = ValuesAt(slices.times.tolist())
    species = len(request.lowered.species_ids)
    size = max(BATCH // (len(slices.times) * max(species, 1)), 1)
    found = [
        _stays(values_of(engine, part(replace(request, readout=readout), low, size)), slices)
        for low in range(0, request.trajectories, size)
    ]
    states, row = unique_rows(np.concatenate([own for own, _ in found]))
    times, rows, columns = [], [], []
    first = 0
    for number, (own, stay) in enumerate(found):
        count = min(size, request.trajectories - number * size)
        times.append(stay.data * (count / request.trajectories))
        rows.append(row[first + stay.row])
        columns.append(stay.col)
        first += len(own)
    shape = (len(states), len(slices.times))
    stay = _sparse(times, rows, columns, shape)
    beside = _states_beside(request, states)
    weights = np.full(len(states) + len(beside), BESIDE * slices.widths.sum() / max(len(beside), 1))
    weights[: len(states)] = np.asarray(stay.sum(axis=1)).ravel()
    return Occupancy(np.concatenate([states, beside]), stay, weights)


def _states_beside(request: Request, states: FloatArray) -> FloatArray:
    lowered = request.lowered
    symbols = symbols_at(lowered, request.inputs, states)
    can_go = rates_at(lowered, symbols, len(states)) > 0.0
    for partial in lowered.input_partials:
        can_go[:, partial.reaction] |= evaluate(partial.expression, symbols) != 0.0
    found = [
        states[can_go[:, change.reactions].any(axis=1)] + change.amounts
        for change in changes_of(lowered)
    ]
    reached = np.concatenate([states[:0], *found])
    if not len(reached):
        return reached
    beside, _ = unique_rows(reached)
    usable = (beside >= 0.0).all(axis=1)
    if len(states) > MANY_STATES:
        usable &= ((beside < states.min(axis=0)) | (beside > states.max(axis=0))).any(axis=1)
    else:
        _, row = unique_rows(np.concatenate([states, beside]))
        usable &= ~np.isin(row[len(states) :], row[: len(states)])
    beside = beside[usable]
    rates = rates_at(lowered, symbols_at(lowered, request.inputs, beside), len(beside))
    return beside[(np.isfinite(rates) & (rates >= 0.0)).all(axis=1)]


def changes_of(lowered: LoweredNetwork) -> list[Change]:
    """Return the distinct changes of state that firings make."""
    amounts, own = np.unique(lowered.stoichiometry.T, axis=0, return_inverse=True)
    return [
        Change(change.astype(np.float64), np.flatnonzero(own.ravel() == number).tolist())
        for number, change in enumerate(amounts)
        if change.any()
    ]


def symbols_at(
    lowered: LoweredNetwork, inputs: FloatArray, states: FloatArray
) -> dict[str, float | FloatArray]:
    """Return what formulas of propensities use: inputs, and the counts [state] of every species."""
    counts = {s: states[:, i] for i, s in enumerate(lowered.species_ids)}
    return {**dict(zip(lowered.input_ids, inputs.tolist(), strict=True)), **counts}


def rates_at(
    lowered: LoweredNetwork, symbols: dict[str, float | FloatArray], number: int
) -> FloatArray:
    """Return the propensities at `number` states, float64 [state, reaction]."""
    rates = np.empty((number, len(lowered.channels)))
    for j, channel in enumerate(lowered.channels):
        rates[:, j] = evaluate(channel.propensity, symbols)
    return rates


def _stays(values: FloatArray, slices: Slices) -> tuple[FloatArray, Any]:
    trajectories, count, species = values.shape
    states, row = unique_rows(values.reshape(-1, species))
    times = np.tile(slices.widths / trajectories, trajectories)
    columns = np.tile(np.arange(count), trajectories)
    return states, _sparse([times], [row], [columns], (len(states), count)).tocoo()


def _sparse(times: Any, rows: Any, columns: Any, shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_array

    place = (np.concatenate(rows), np.concatenate(columns))
    return csr_array((np.concatenate(times), place), shape=shape)


def part(request: Request, low: int, size: int) -> Request:
    """Return the request for `size` of its trajectories, or as many as there are, from `low` on."""
    start = request.start
    return replace(
        request,
        start=start[low : low + size] if len(start) > 1 else start,
        trajectories=min(size, request.trajectories - low),
        first_trajectory=request.first_trajectory + low,
    )


def values_of(engine: Engine, request: Request) -> FloatArray:
    """Return what an engine keeps, float64 [trajectory, point, species].

    Raises:
        GradientError: trajectories failed.
    """
    sample = engine.sample(replace(request, progress=None))
    if (sample.outcomes > Outcome.ABSORBED).any():
        raise GradientError(
            "FittedValue: a trajectory failed, and a mean with a gradient cannot leave it out; "
            'simulate with on_failure="raise" to see which'
        )
    return sample.values


def unique_rows(states: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return distinct states [state, species] and which of them each row is, int64 [row]."""
    low = states.min(axis=0)
    spans = (states.max(axis=0) - low + 1.0).tolist()
    if np.prod(spans) < 2.0**62:
        # One whole number for each state sorts much faster than rows.
        code = np.zeros(len(states), dtype=np.int64)
        for column, span in zip((states - low).T, spans, strict=True):
            code = code * int(span) + column.astype(np.int64)
        _, first, row = np.unique(code, return_index=True, return_inverse=True)
        return states[first], row
    distinct, row = np.unique(states, axis=0, return_inverse=True)
    return distinct, row.reshape(-1)
