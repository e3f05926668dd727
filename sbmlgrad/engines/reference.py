"""The reference engine: the direct method in NumPy, the executable specification.

Gillespie 1977, "Exact stochastic simulation of coupled chemical reactions", eqs. 21a-b. One
trajectory at a time, nothing optimised. Every other direct-method engine must give the same firings
up to floating-point ties.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.base import DEFAULT_FIRING_LIMIT, Outcome, Request, Sample
from sbmlgrad.engines.codes import FIRING_COUNTS, INTERPOLATED, VALUES, WINDOWS
from sbmlgrad.engines.hybrid.sampling import sample_hybrid
from sbmlgrad.engines.random import FIRINGS, uniform_pairs
from sbmlgrad.engines.readouts import Readout, columns, point_count
from sbmlgrad.model.operators import evaluate


@dataclass(frozen=True)
class Reference:
    """Direct method in plain NumPy: choose it to check another engine, not for speed.

    Networks with events, explicit time or rate rules run through the functions that `Native`
    compiles, here interpreted: that checks their compilation, not their meaning. The meaning is
    checked against rate equations, closed forms and the suites of the standard.

    Args:
        firing_limit: firings of one trajectory before it counts as a runaway.
    """

    firing_limit: int = DEFAULT_FIRING_LIMIT
    is_deterministic: ClassVar[Literal[False]] = False

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return "Reference()"

    def sample(self, request: Request) -> Sample:
        """Sample trajectories one after another."""
        if request.lowered.is_timed:
            return sample_hybrid(request, threads=1, firing_limit=self.firing_limit, compiled=False)
        n, species = request.trajectories, len(request.lowered.species_ids)
        shape = (n, point_count(request.readout), columns(request.readout, species))
        start = np.broadcast_to(request.start, (n, species))
        values = np.empty(shape)
        paths: list[Path] = []
        for i in range(n):
            path = simulate_path(request, request.first_trajectory + i, start[i], self.firing_limit)
            values[i] = observe(request.readout, path)
            paths.append(path)
            if request.progress is not None:
                request.progress(i + 1, n)
        return Sample(
            values=values,
            outcomes=np.array([p.outcome for p in paths], dtype=np.int8),
            firings=np.array([len(p.times) - 1 for p in paths], dtype=np.int64),
            failed_reaction=np.array([p.failed_reaction for p in paths], dtype=np.int64),
            end_times=np.array([p.times[-1] for p in paths]),
            end_states=np.array([p.states[-1] for p in paths]).reshape(n, species),
            engine=self.name,
        )


@dataclass(frozen=True)
class Path:
    """One trajectory: the state `states[i]` holds from `times[i]` to `times[i + 1]`.

    Attributes:
        times: 0 and the firing times, float64 [firing + 1].
        states: counts, float64 [firing + 1, species].
        fired: reaction of each firing, int64 [firing].
        outcome: how it ended.
        failed_reaction: the reaction at fault, or -1.
    """

    times: NDArray[np.float64]
    states: NDArray[np.float64]
    fired: NDArray[np.int64]
    outcome: Outcome
    failed_reaction: int


def simulate_path(
    request: Request, number: int, start: NDArray[np.float64], firing_limit: int
) -> Path:
    """Run the direct method for the trajectory of the given number."""
    kind, points = request.readout.kind, request.readout.points
    time, counts = 0.0, start.astype(np.float64)
    times, states, fired = [time], [counts], []
    outcome, failed = Outcome.COMPLETED, -1
    while True:
        draw = len(fired)
        if kind == FIRING_COUNTS and draw >= points[-1]:
            break
        propensities = _propensities(request.lowered, request.inputs, counts)
        total = float(np.cumsum(propensities)[-1]) if propensities.size else 0.0
        bad = np.flatnonzero(~np.isfinite(propensities) | (propensities < 0.0))
        if bad.size:
            failed = int(bad[0])
            is_negative = bool(propensities[failed] < 0.0)
            outcome = Outcome.NEGATIVE_PROPENSITY if is_negative else Outcome.NON_FINITE
            break
        if not np.isfinite(total):
            outcome = Outcome.NON_FINITE
            break
        if total == 0.0:
            outcome = Outcome.ABSORBED
            break
        u, v = uniform_pairs(request.seed, draw, np.array([number], np.uint64), FIRINGS)
        next_time = time - np.log(u[0]) / total
        is_over = kind != FIRING_COUNTS and next_time > points[-1]
        if is_over and kind != INTERPOLATED:
            break
        if draw >= firing_limit:
            outcome = Outcome.FIRING_LIMIT
            break
        reaction = int(np.argmax(np.cumsum(propensities) > v[0] * total))
        after = counts + request.lowered.stoichiometry[:, reaction]
        if np.any(after < 0.0):
            outcome, failed = Outcome.NEGATIVE_COUNT, reaction
            break
        time, counts = float(next_time), after
        times.append(time)
        states.append(counts)
        fired.append(reaction)
        if is_over:
            break
    return Path(
        np.array(times),
        np.array(states).reshape(len(times), -1),
        np.array(fired, dtype=np.int64),
        outcome,
        failed,
    )


def _propensities(
    lowered: LoweredNetwork, inputs: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    values = dict(zip(lowered.input_ids, inputs.tolist(), strict=True))
    values |= dict(zip(lowered.species_ids, counts.tolist(), strict=True))
    return np.array([float(evaluate(c.propensity, values)) for c in lowered.channels])


def observe(readout: Readout, path: Path) -> NDArray[np.float64]:
    """Return what a readout keeps of a path, float64 [point, column]; the last state persists."""
    times, states, points = path.times, path.states, readout.points
    if readout.kind == VALUES:
        return states[np.searchsorted(times, points, side="right") - 1]
    if readout.kind == WINDOWS:
        bounds = np.append(times, np.inf)
        rows = [
            np.diff(np.clip(bounds, low, high)) @ states / (high - low)
            for low, high in pairwise(points)
        ]
        return np.array(rows)
    if readout.kind == INTERPOLATED:
        return np.array([np.interp(points, times, states[:, s]) for s in range(states.shape[1])]).T
    place = np.minimum(points.astype(np.int64), len(times) - 1)
    return np.column_stack([states[place], times[place]])
