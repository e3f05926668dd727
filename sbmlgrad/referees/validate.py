"""`validate`: do other simulators, or exact answers, find the same for this network?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.engines.base import Progress
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.errors import RefereeError, RequestError
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.referees import referee
from sbmlgrad.referees.base import (
    AnyReferee,
    ExactReferee,
    Referee,
    RefusedError,
    Selective,
    missing,
    require,
)
from sbmlgrad.referees.compare import Comparison, check_error, confirmed
from sbmlgrad.referees.divergences import known_divergences
from sbmlgrad.referees.report import comparison_data
from sbmlgrad.referees.sampled import Names
from sbmlgrad.referees.work import Done, First, Work
from sbmlgrad.simulation import simulate

#: Trajectories of each side where none are asked for and the time allows it.
MOST = 2000


@dataclass(frozen=True, eq=False)
class ValidationReport:
    """What the referees found.

    Attributes:
        model: id of the network.
        seed: from which the seeds of all runs were derived.
        comparisons: one a referee that was asked, in the order asked for.
        skipped: referees that are left out, each with why: not installed, constructs that it cannot
            simulate, or is known to mishandle (`sbmlgrad.referees.divergences`).
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

    def as_html(self) -> str:
        """Return the report as one page that needs no other file and makes no request."""
        from sbmlgrad.referees.page import page

        return page(self)

    def plot(self, path: str | Path) -> list[Path]:
        """Draw mean ± standard deviation of both sides over time, one picture a referee.

        Args:
            path: image file; with several referees their names are put before the suffix.

        Returns:
            The files.

        Raises:
            WriteError: a file cannot be written.
        """
        names = [comparison.names[1].split()[0] for comparison in self.comparisons]
        files = [Path(path)] if len(names) == 1 else [_named(Path(path), name) for name in names]
        for file, comparison in zip(files, self.comparisons, strict=True):
            comparison.plot(file)
        return files

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
    against: str | AnyReferee | Sequence[str | AnyReferee] = ("roadrunner",),
    *,
    parameters: Mapping[str, float] | NDArray[np.float64] | None = None,
    times: Sequence[float] | NDArray[np.float64] | None = None,
    trajectories: int | None = None,
    seed: int | None = None,
    family_wise_error: float = 1e-3,
    timeout_s: float = 600.0,
    within_s: float = 45.0,
    progress: Progress | None = None,
    plot: str | Path | None = None,
) -> ValidationReport:
    """Compare ensembles with other simulators and exact answers, before trusting a new model.

    Means, variances, distributions, covariances between species and over time, firing counts, and
    the independence of trajectories, as far as a referee tells them. Referees are fed the network
    with reversible laws split and everything in counts, each in a process of its own. A
    disagreement is repeated with fresh seeds and four times as many trajectories, and counts only
    if it is found again. Species that neither reactions nor events change in whole molecules are
    left out. A referee that is not installed, says that it cannot simulate the network, or is known
    to mishandle a construct of it is left out, and the report says why.

    Args:
        model: the network.
        against: referees, by name or as objects; see `sbmlgrad.referees.REFEREES`.
        parameters: None for the model's own, a mapping id → value or an array [parameter].
        times: where to compare, increasing, >= 0, in the model's unit. Required.
        trajectories: of each side; None takes 2000, or as many as fit into `within_s`.
        seed: 0 <= seed < 2^63; None draws one, recorded in the report.
        family_wise_error: chance that right simulators are found to disagree anywhere, over all
            tests of all referees.
        timeout_s: wall-clock limit of each run of a referee, in seconds.
        within_s: seconds that the runs for each referee are to take where `trajectories` is None,
            a confirming run included.
        progress: called with (trajectories done, trajectories in all) from time to time.
        plot: image file to draw the comparison into; with several referees their names are put
            before the suffix.

    Returns:
        The report.

    Raises:
        RequestError: no times, no such referee, nothing to compare, or a random start.
        UnsupportedModelError, ParameterError, SimulationError: as `simulate` raises them.
        RefereeError: a referee failed or ran out of time, or none is left that can judge this
            network.
        WriteError: the plot cannot be written, or the network not as SBML.
    """
    if times is None:
        raise RequestError("times are needed: say where to compare, for instance times=[1, 5, 10]")
    if trajectories is not None and (trajectories != int(trajectories) or trajectories < 2):
        raise RequestError(f"trajectories={trajectories}: give a whole number of at least 2")
    for name, limit in (("timeout_s", timeout_s), ("within_s", within_s)):
        if not limit > 0.0:
            raise RequestError(f"{name}={limit}: give a number of seconds above 0")
    check_error(family_wise_error)
    names = [against] if isinstance(against, str | Referee | ExactReferee) else list(against)
    referees = [referee(name) if isinstance(name, str) else name for name in names]
    if not referees:
        raise RequestError("against: name at least one referee")
    grid = ValuesAt(np.asarray(times, dtype=np.float64).tolist()).points
    absent = missing(referees)
    if len(absent) == len(referees):
        require(referees)
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
    skipped = {name: (f"not installed; install it with {how}",) for name, how in absent.items()}
    skipped |= _objections([r for r in referees if r.name not in absent], lowered, grid)
    asked = [judge for judge in referees if judge.name not in skipped]
    done = Done(progress)
    if trajectories is not None:
        done.total = sum(_sides(judge) * int(trajectories) for judge in asked)
    work = Work(model, lowered, grid, compared, start.seed, float(timeout_s), done)
    firsts: list[tuple[AnyReferee, int, int, First]] = []
    for place, judge in enumerate(asked):
        number = MOST if trajectories is None else int(trajectories)
        try:
            if trajectories is None:
                number = work.fitting(judge, place, MOST, within_s)
                done.total += _sides(judge) * number
            firsts.append((judge, place, number, work.first(judge, place, number)))
        except RefusedError as error:
            skipped[judge.name] = (str(error),)
    axes = work.names
    tests = sum(first.number_of_tests(axes) for *_, first in firsts)
    found: list[tuple[AnyReferee, int, int, First]] = []
    for entry in firsts:
        why = entry[-1].objection(family_wise_error / max(tests, 1))
        if why:
            skipped[entry[0].name] = (why,)
        else:
            found.append(entry)
    if not found:
        _none_left(model, skipped)
    # Those that were left out only now leave the others a larger share.
    level = family_wise_error / sum(first.number_of_tests(axes) for *_, first in found)
    comparisons = tuple(
        _confirmed(work, axes, level, judge, place, number, first)
        for judge, place, number, first in found
    )
    report = ValidationReport(model.id, start.seed, comparisons, MappingProxyType(skipped))
    if plot is not None:
        report.plot(plot)
    return report


def _confirmed(
    work: Work, axes: Names, level: float, judge: AnyReferee, place: int, number: int, first: First
) -> Comparison:
    """Compare, and repeat a disagreement with fresh seeds before it counts."""

    def run(multiple: int) -> Comparison:
        if multiple == 1:
            return first.compared(axes, level, {})
        again = (
            work.ours_again(first, place, number, multiple)
            if isinstance(judge, ExactReferee)
            else work.both(judge, place, number, multiple)
        )
        # Only what exceeded its bound is looked at again.
        return again.compared(axes, level, opening.further_exceeding)

    opening = run(1)
    return confirmed(lambda multiple: opening if multiple == 1 else run(multiple))


def _sides(judge: AnyReferee) -> int:
    return 1 if isinstance(judge, ExactReferee) else 2


def _compared(lowered: LoweredNetwork) -> NDArray[np.int64]:
    """Return the places of species that reactions or events change in whole molecules."""
    network = lowered.network
    by_reactions = {s for channel in lowered.channels for s in channel.change}
    moved = network.counted & (by_reactions | network.set_by_events)
    moves = [s in moved for s in network.species_ids]
    return np.flatnonzero(moves)


def _objections(
    referees: Sequence[AnyReferee], lowered: LoweredNetwork, times: NDArray[np.float64]
) -> dict[str, tuple[str, ...]]:
    """Return referee → why it cannot judge a network, for those that cannot."""
    found: dict[str, tuple[str, ...]] = {}
    for judge in referees:
        why = tuple(map(str, known_divergences(judge.name, lowered)))
        if isinstance(judge, Selective):
            why += judge.objections(lowered, times)
        if why:
            found[judge.name] = why
    return found


def _none_left(model: ReactionNetwork, skipped: Mapping[str, tuple[str, ...]]) -> NoReturn:
    listed = "\n".join(f"  - '{n}': {reason}" for n, why in skipped.items() for reason in why)
    raise RefereeError(
        f"model '{model.id}': no referee is left to ask, as every one is absent, cannot simulate "
        f"what this model uses, or is known to mishandle it:\n{listed}"
    )


def _named(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem}_{name}{path.suffix}")
