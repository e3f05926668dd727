"""`validate`: does another simulator find the same means and variances for this network?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.engines.base import Progress
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.errors import RefereeError, RequestError
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.referees import referee
from sbmlgrad.referees.base import Referee, require
from sbmlgrad.referees.compare import Comparison, check_error, compare, confirmed
from sbmlgrad.referees.divergences import known_divergences
from sbmlgrad.referees.moments import moments
from sbmlgrad.referees.report import comparison_data
from sbmlgrad.simulation import simulate

#: Counts held in memory at a time.
BATCH_VALUES = 2**22


@dataclass(frozen=True, eq=False)
class ValidationReport:
    """What the referees found.

    Attributes:
        model: id of the network.
        seed: from which the seeds of all runs were derived.
        comparisons: one a referee that was asked, in the order asked for.
        skipped: referees that were not asked, each with why: constructs that it is known to
            mishandle (`sbmlgrad.referees.divergences`).
    """

    model: str
    seed: int
    comparisons: tuple[Comparison, ...]
    skipped: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def agrees(self) -> bool:
        """Whether no referee disagrees."""
        return all(comparison.agrees for comparison in self.comparisons)

    def __str__(self) -> str:
        verdict = "no disagreement found" if self.agrees else "DISAGREEMENT"
        heads = [f"model '{self.model}': {verdict} (seed {self.seed})"]
        left_out = [
            f"'{name}' was not asked: {'; '.join(reasons)}"
            for name, reasons in self.skipped.items()
        ]
        return "\n\n".join([*heads, *left_out, *(c.as_text() for c in self.comparisons)])

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data that JSON can hold."""
        return {
            "model": self.model,
            "seed": self.seed,
            "agrees": self.agrees,
            "comparisons": [comparison_data(c) for c in self.comparisons],
            "skipped": {name: list(reasons) for name, reasons in self.skipped.items()},
        }


def validate(
    model: ReactionNetwork,
    against: str | Referee | Sequence[str | Referee] = ("roadrunner",),
    *,
    parameters: Mapping[str, float] | NDArray[np.float64] | None = None,
    times: Sequence[float] | NDArray[np.float64] | None = None,
    trajectories: int = 2000,
    seed: int | None = None,
    family_wise_error: float = 1e-3,
    timeout_s: float = 600.0,
    progress: Progress | None = None,
    plot: str | Path | None = None,
) -> ValidationReport:
    """Compare means and variances with other simulators; use it before trusting a new model.

    Referees are fed the network with reversible laws split and everything in counts, each in a
    process of its own. A disagreement is repeated with fresh seeds and four times as many
    trajectories, and counts only if it is found again. Species that neither reactions nor events
    change in whole molecules are left out. A referee that is known to mishandle a construct of the
    network is not asked, and the report says why.

    Args:
        model: the network.
        against: referees, by name or as objects; see `sbmlgrad.referees.REFEREES`.
        parameters: None for the model's own, a mapping id → value or an array [parameter].
        times: where to compare, increasing, >= 0, in the model's unit. Required.
        trajectories: of each side.
        seed: 0 <= seed < 2^63; None draws one, recorded in the report.
        family_wise_error: chance that right simulators are found to disagree, over all referees.
        timeout_s: wall-clock limit of each run of a referee, in seconds.
        progress: called with (trajectories done, trajectories in all) from time to time.
        plot: image file to draw the comparison into; with several referees their names are put
            before the suffix.

    Returns:
        The report.

    Raises:
        RequestError: no times, no such referee, nothing to compare, or a random start.
        UnsupportedModelError, ParameterError, SimulationError: as `simulate` raises them.
        RefereeError: a referee is not installed, failed, or ran out of time, or none is left that
            can judge this network.
        WriteError: the plot cannot be written, or the network not as SBML.
    """
    if times is None:
        raise RequestError("times are needed: say where to compare, for instance times=[1, 5, 10]")
    if trajectories != int(trajectories) or trajectories < 2:
        raise RequestError(f"trajectories={trajectories}: give a whole number of at least 2")
    if not timeout_s > 0.0:
        raise RequestError(f"timeout_s={timeout_s}: give a number of seconds above 0")
    check_error(family_wise_error)
    names = [against] if isinstance(against, str | Referee) else list(against)
    referees = [referee(name) if isinstance(name, str) else name for name in names]
    if not referees:
        raise RequestError("against: name at least one referee")
    require(referees)
    grid = ValuesAt(np.asarray(times, dtype=np.float64).tolist()).points
    # One trajectory, to refuse at once what cannot be simulated and to have all values and a seed.
    start = simulate(model, parameters, times=[0.0], trajectories=1, seed=seed)
    # The structure may depend on the values; one that is drawn has none to be set.
    given = dict(zip(model.parameter_ids, np.asarray(start.parameters).tolist(), strict=True))
    model = model.with_parameters({p: v for p, v in given.items() if np.isfinite(v)})
    lowered = lower(model)
    compared = _compared(lowered)
    if not compared.size:
        raise RequestError(
            f"model '{model.id}': no reaction changes any species; nothing to compare"
        )
    skipped = _skipped(referees, lowered)
    asked = [judge for judge in referees if judge.name not in skipped]
    if not asked:
        listed = "\n".join(f"  - '{n}': {reason}" for n, why in skipped.items() for reason in why)
        raise RefereeError(
            f"model '{model.id}': no referee is left to ask, as every one is known to mishandle "
            f"what this model uses:\n{listed}"
        )
    work = _Work(
        model=model,
        document=normalised_sbml(lowered),
        times=grid,
        compared=compared,
        timeout_s=float(timeout_s),
        family_wise_error=family_wise_error / len(asked),
        done=_Done(progress, 2 * int(trajectories) * len(asked)),
    )
    comparisons = tuple(
        confirmed(partial(work.compare, judge, int(trajectories), (start.seed, place)))
        for place, judge in enumerate(asked)
    )
    if plot is not None:
        for judge, comparison in zip(asked, comparisons, strict=True):
            comparison.plot(plot if len(asked) == 1 else _named(Path(plot), judge.name))
    return ValidationReport(model.id, start.seed, comparisons, MappingProxyType(skipped))


def _compared(lowered: LoweredNetwork) -> NDArray[np.int64]:
    """Return the places of species that reactions or events change in whole molecules."""
    network = lowered.network
    by_reactions = {s for channel in lowered.channels for s in channel.change}
    moved = network.counted & (by_reactions | network.set_by_events)
    moves = [s in moved for s in network.species_ids]
    return np.flatnonzero(moves)


def _skipped(referees: Sequence[Referee], lowered: LoweredNetwork) -> dict[str, tuple[str, ...]]:
    """Return referee → why it cannot judge a network, for those that cannot."""
    known = {judge.name: known_divergences(judge.name, lowered) for judge in referees}
    return {name: tuple(map(str, found)) for name, found in known.items() if found}


def _named(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem}_{name}{path.suffix}")


@dataclass
class _Done:
    """Counts trajectories for `progress`; a confirming run adds to what there is to do."""

    report: Progress | None
    total: int
    done: int = 0

    def add(self, trajectories: int) -> None:
        self.done += trajectories
        if self.report is not None:
            self.report(self.done, self.total)


@dataclass(frozen=True, eq=False)
class _Work:
    """One network at one set of parameters, to be compared with several referees."""

    model: ReactionNetwork
    document: bytes
    times: NDArray[np.float64]
    compared: NDArray[np.int64]
    timeout_s: float
    family_wise_error: float
    done: _Done

    def compare(
        self, judge: Referee, trajectories: int, key: tuple[int, int], multiple: int
    ) -> Comparison:
        """Sample both sides anew and compare; seeds depend on the key and the multiple."""
        number = trajectories * multiple
        if multiple > 1:
            self.done.total += 2 * number
        species = tuple(self.model.species_ids[s] for s in self.compared)
        states = np.random.SeedSequence([*key, multiple]).generate_state(2, np.uint64) >> 1
        ours = moments(self._batches(number, int(states[0])))
        theirs = judge.sample(
            self.document, species, self.times, number, int(states[1]), self.timeout_s
        )
        self.done.add(number)
        return compare(
            species,
            self.times,
            ours,
            theirs.moments,
            family_wise_error=self.family_wise_error,
            names=(f"sbmlgrad {version('sbmlgrad')}", f"{theirs.name} {theirs.version}"),
            time_unit=self.model.time_unit,
            settings=dict(theirs.settings),
        )

    def _batches(self, trajectories: int, seed: int) -> Iterator[NDArray[np.float64]]:
        """Sample our side in parts small enough for memory."""
        values = len(self.times) * len(self.model.species_ids)
        size = max(1, BATCH_VALUES // values)
        for first in range(0, trajectories, size):
            part = min(size, trajectories - first)
            ensemble = simulate(
                self.model,
                times=self.times,
                trajectories=part,
                seed=seed,
                first_trajectory=first,
            )
            values = [ensemble.values(self.model.species_ids[s], "counts") for s in self.compared]
            yield np.stack(values, axis=2)
            self.done.add(part)
