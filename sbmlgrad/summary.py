"""`summarise`: statistics of an ensemble of any size, without keeping its trajectories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines import accumulate, sketch
from sbmlgrad.engines.accumulate import pairs_of
from sbmlgrad.engines.base import (
    Engine,
    Outcome,
    Progress,
    is_deterministic,
)
from sbmlgrad.engines.ensemble import Ensemble
from sbmlgrad.engines.ensemble_summary import EnsembleSummary
from sbmlgrad.engines.memory_estimate import PART_BYTES, VARIABLE, check_bytes, summary_bytes
from sbmlgrad.engines.quantiles import Quantile
from sbmlgrad.engines.readouts import Readout, columns, point_count
from sbmlgrad.engines.sized_by_job import SizedByJob
from sbmlgrad.engines.tracked import Tracked, pairs_asked, stands_for, tracked_of
from sbmlgrad.errors import GradientError, RequestError, SimulationError
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.arguments import check_network, check_progress
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import whole
from sbmlgrad.simulation import simulate
from sbmlgrad.simulation_inputs import (
    check_engine,
    default_engine,
    numbers_of,
    readouts_of,
    seed_of,
)

__all__ = ["EnsembleSummary", "Quantile", "summarise"]

#: Trajectories that are simulated at a time, at most.
LARGEST_PART = 2**16

#: Covariances of all pairs are kept without being asked for up to so many symbols.
MOST_PAIRED = 32

#: Bins of a histogram, a power of two.
LEAST_BINS, MOST_BINS = 2, 2**24


def summarise(
    model: ReactionNetwork,
    parameters: Any = None,
    *,
    times: Sequence[float] | NDArray[np.float64] | None = None,
    trajectories: int,
    seed: Any = None,
    engine: Engine | None = None,
    readouts: Sequence[Readout] = (),
    initial: Mapping[str, float] | None = None,
    first_trajectory: int = 0,
    on_failure: str = "raise",
    progress: Progress | None = None,
    quantities: Sequence[str | tuple[str, str | None]] | None = None,
    covariances: bool | None = None,
    bins: int = 1024,
) -> EnsembleSummary:
    """Simulate exactly and keep statistics at times, not the trajectories.

    Choose it where the trajectories would not fit into memory: what it needs does not grow with
    their number. They are those of `simulate` with the same seed, worked through in parts. The
    result does not depend on the parts, on threads or on the kernel: sums are exact.

    Args:
        model: the network.
        parameters: as in `simulate`, but no TensorFlow tensor.
        times: output times, as in `simulate`.
        trajectories: how many.
        seed: as in `simulate`.
        engine: as in `simulate`; chosen for the whole job, not for its parts.
        readouts: other readouts than values at times, each with statistics of its own.
        initial: as in `simulate`.
        first_trajectory: number of the first trajectory; summaries of different ones `merge`.
        on_failure: `"raise"` or `"mark"` trajectories that fail; marked ones are in no statistic.
        progress: called with (done, total) trajectories from time to time.
        quantities: what to keep statistics of: ids, or pairs of an id and `"counts"`, `"amount"` or
            `"concentration"`; None for all species of the state. One of the three answers for the
            others where the compartment has a constant size.
        covariances: keep those of all pairs; None does so for up to 32 symbols.
        bins: bins of every histogram, a power of two; quantiles are exact while the molecules range
            over fewer values than that.

    Returns:
        The statistics.

    Raises:
        GradientError: the parameters are a TensorFlow tensor.
        RequestError: a request that makes no sense, or statistics that do not fit into memory.
        SimulationError: trajectories failed; it carries the part of the ensemble where they did.
    """
    if is_tensor(parameters):
        raise GradientError(
            "summarise keeps no trajectories, so there is nothing to differentiate; pass NumPy "
            "values, or use simulate, whose statistics are tensors with gradients"
        )
    if is_deterministic(engine):
        raise RequestError("ODE() has one solution and no statistics; use simulate")
    check_progress(progress)
    total, first = numbers_of(trajectories, first_trajectory)
    if whole("bins", bins, LEAST_BINS, MOST_BINS) & (bins - 1):
        raise RequestError(f"bins={bins}: give a power of two, since pairs of bins become one")
    wanted = _Wanted(readouts_of(times, readouts), quantities, covariances, bins)
    sized = SizedByJob(default_engine() if engine is None else engine, total)
    options: dict[str, Any] = {
        "seed": seed_of(seed),
        "engine": sized,
        "readouts": wanted.readouts,
        "initial": initial,
        "on_failure": on_failure,
    }
    _check_before(model, engine, wanted)
    size = _part_size(model, wanted)
    found: EnsembleSummary | None = None
    for low in range(0, total, size):
        count = min(size, total - low)
        cells = _part(
            model,
            parameters,
            trajectories=count,
            first_trajectory=first + low,
            progress=None if progress is None else _shifted(progress, low, total, wanted),
            **options,
        )
        part = _summary(cells, wanted, initial)
        found = part if found is None else found.merge(part)
        if progress is not None:
            progress(low + count, total)
    assert found is not None
    return found


@dataclass(frozen=True)
class _Wanted:
    """What statistics are asked for."""

    readouts: tuple[Readout, ...]
    quantities: Sequence[Any] | None
    covariances: bool | None
    bins: int

    def asked(
        self, network: ReactionNetwork, constants: Mapping[str, Any]
    ) -> tuple[tuple[str, str | None], ...]:
        """Return what tables show: molecules by default, and what is not a multiple of them."""
        if self.quantities is not None:
            return pairs_asked(self.quantities)
        found: list[tuple[str, str | None]] = []
        for species in network.species_ids:
            found.append((species, "counts"))
            if stands_for(network, constants, species, None)[0].quantity != "counts":
                found.append((species, None))
        return tuple(found)

    def has_covariances(self, tracked: Sequence[Tracked]) -> bool:
        if self.covariances is None:
            return len(tracked) <= MOST_PAIRED
        return bool(self.covariances)


def _part(model: ReactionNetwork, parameters: Any, **options: Any) -> Ensemble:
    """Simulate consecutive trajectories; an error says which ones they were."""
    try:
        return simulate(model, parameters, **options)
    except SimulationError as error:
        low = options["first_trajectory"]
        raise SimulationError(
            f"of trajectories {low} to {low + options['trajectories'] - 1}, simulated as one part: "
            f"{error}",
            outcomes=error.outcomes,
            ensemble=error.ensemble,
        ) from error


def _summary(
    cells: Ensemble, wanted: _Wanted, initial: Mapping[str, float] | None
) -> EnsembleSummary:
    """Return the statistics of a part."""
    network = cells.network
    asked = wanted.asked(network, cells.constants)
    tracked = tracked_of(network, cells.constants, asked)
    pairs = pairs_of(len(tracked), covariances=wanted.has_covariances(tracked))
    outcomes = Counter(np.asarray(cells.outcomes).tolist())
    kept = cells.without_failures() if max(outcomes) > Outcome.ABSORBED else cells
    moments, sketches = [], []
    for readout in cells.readouts:
        values = np.stack(
            [kept.values(t.id, t.quantity, readout=readout) for t in tracked], axis=-1
        )
        is_whole = np.array([t.is_whole(network, readout) for t in tracked])
        moments.append(accumulate.moments_of(values, pairs))
        sketches.append(sketch.sketch_of(values, is_whole, wanted.bins))
    count = len(cells.outcomes)
    return EnsembleSummary(
        network=network,
        readouts=cells.readouts,
        asked=asked,
        tracked=tracked,
        moments=tuple(moments),
        sketches=tuple(sketches),
        parameters=np.asarray(cells.parameters, dtype=np.float64),
        constants=cells.constants,
        initial=dict(initial or {}),
        outcomes={outcome: outcomes[outcome] for outcome in Outcome},
        firings=sum(np.asarray(cells.firings).tolist()),
        seed=cells.seed,
        parts=((cells.first_trajectory, cells.first_trajectory + count),),
        engine=str(cells.engine),
        versions=cells.versions,
    )


def _check_before(model: ReactionNetwork, engine: Any, wanted: _Wanted) -> None:
    """Refuse, before anything runs, what would be refused after the first part."""
    check_network("summarise", model)
    if engine is not None:
        check_engine(engine)
    # Sizes of compartments are not known yet; names, quantities and which sizes stay are.
    moving = {*model.variable_ids, *model.assignment_rules}
    sizes = {c.id: 1.0 for c in model.compartments if c.id not in moving}
    tracked = tracked_of(model, sizes, wanted.asked(model, sizes))
    count = len(tracked)
    pairs = count * (count + 1) // 2 if wanted.has_covariances(tracked) else count
    points = sum(point_count(readout) for readout in wanted.readouts)
    check_bytes(
        summary_bytes(count, pairs, points, wanted.bins),
        f"statistics of {count} symbols at {points} points with {wanted.bins} bins each",
        "Name fewer symbols in `quantities`, ask for fewer times, give fewer `bins`, or set "
        f"covariances=False. The environment variable {VARIABLE} sets another limit.",
    )


def _part_size(model: ReactionNetwork, wanted: _Wanted) -> int:
    """Return how many trajectories are simulated at a time."""
    states = len(model.species_ids) + len(model.variable_ids)
    # Values, what of them is on its way into the sums, and bins.
    tracked = 3 * len(wanted.asked(model, {}))
    each = sum(point_count(r) * (columns(r, states) + tracked) for r in wanted.readouts)
    return int(np.clip(PART_BYTES // (8 * each), 1, LARGEST_PART))


def _shifted(progress: Progress, low: int, total: int, wanted: _Wanted) -> Progress | None:
    """Return the progress of a part as that of the whole job."""
    if len(wanted.readouts) > 1:
        # Every readout samples the part again and would count from the beginning.
        return None

    def tell(done: float, part: int) -> None:
        # The end of a part is told when its statistics are in.
        if done < part:
            progress(low + done, total)

    return tell
