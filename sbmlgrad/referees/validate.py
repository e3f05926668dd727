"""`validate`: do other simulators, or exact answers, find the same for this network?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.engines.base import Progress
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.engines.start import start_states
from sbmlgrad.errors import (
    NoCountsError,
    RefereeError,
    RequestError,
    SbmlGradError,
    SimulationError,
)
from sbmlgrad.model.arguments import check_network
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.referees import referee
from sbmlgrad.referees.base import (
    AnyReferee,
    ExactReferee,
    Referee,
    RefusedError,
)
from sbmlgrad.referees.done import Done
from sbmlgrad.referees.due import due, not_reached
from sbmlgrad.referees.horizon import GRID, Grid, grid_of
from sbmlgrad.referees.refusals import (
    none_left,
    refuse_namesakes,
    unavailable,
    without_objections,
)
from sbmlgrad.referees.report.text import verdict
from sbmlgrad.referees.report.validation import ValidationReport
from sbmlgrad.referees.statistics.compare import Comparison, confirmed
from sbmlgrad.referees.statistics.error_rate import check_error, check_trajectories
from sbmlgrad.referees.statistics.sampled import Names
from sbmlgrad.referees.still import moved, not_compared, nothing_happened
from sbmlgrad.referees.work import First, Work
from sbmlgrad.simulation import simulate
from sbmlgrad.simulation_inputs import explicit_of, seed_of

#: Trajectories of each side where none are asked for and the time allows it.
MOST = 2000


@dataclass(frozen=True, eq=False)
class _Asked:
    """A referee that gave a result, and what it was.

    Attributes:
        judge: the referee.
        number: trajectories of each side.
        first: both sides.
    """

    judge: AnyReferee
    number: int
    first: First


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
    to mishandle a construct of it is left out, and the report says why; so it does where one fails,
    and the others are compared all the same. A referee gets the same seeds whoever else is asked.

    Args:
        model: the network.
        against: referees, by name or as objects; see `sbmlgrad.referees.REFEREES`.
        parameters: None for the model's own, a mapping id → value or an array [parameter].
        times: where to compare, increasing, >= 0, in the model's unit. None takes ten equal steps,
            up to when every reaction that fires in a trial has fired several times, and ten more up
            to 300 firings if that is later, at most 25 times as late but for events and switches
            that are due; the report says which, and what the times do not reach.
        trajectories: of each side, at least 20; None takes 2000, or as many as fit into
            `within_s`.
        seed: 0 <= seed < 2^63; None draws one, recorded in the report.
        family_wise_error: chance that right simulators are found to disagree anywhere, over all
            tests of all referees.
        timeout_s: wall-clock limit of each run of a referee, and of each run of our own side, what
            it compiles before left out, in seconds.
        within_s: seconds that the runs for each referee are to take where `trajectories` is None,
            a confirming run included.
        progress: called with (trajectories done, trajectories in all) from time to time.
        plot: image file to draw the comparison into; with several referees their names are put
            before the suffix.

    Returns:
        The report. Its `agrees` is false, and so is its `disagrees`, where no count ever differed
        from its start on either side: ask for later times then.

    Raises:
        RequestError: no such referee, one twice, nothing to compare, or a random start.
        UnsupportedModelError, ParameterError: as `simulate` raises them.
        SimulationError: likewise, or our own side ran out of time before any referee was compared.
        RefereeError: no comparison could be made: each referee failed, ran out of time, or cannot
            judge this network.
        WriteError: the plot cannot be written, or the network not as SBML.
    """
    if trajectories is not None:
        check_trajectories(trajectories)
    for name, limit in (("timeout_s", timeout_s), ("within_s", within_s)):
        if not limit > 0.0:
            raise RequestError(f"{name}={limit}: give a number of seconds above 0")
    check_error(family_wise_error)
    check_network("validate", model)
    names = [against] if isinstance(against, str | Referee | ExactReferee) else list(against)
    referees = [referee(name) if isinstance(name, str) else name for name in names]
    if not referees:
        raise RequestError("against: name at least one referee")
    refuse_namesakes(referees)
    # Those that are not known yet lie on an even grid as these do; who heeds more is asked again.
    grid = GRID.times if times is None else np.asarray(times, dtype=np.float64)
    grid = ValuesAt(grid.tolist()).points
    skipped = unavailable(referees)
    if len(skipped) == len(referees):
        none_left(model, skipped, {})
    number = seed_of(seed)
    model, start = _started(model, parameters, number)
    lowered = lower(model)
    compared = _compared(lowered)
    if not compared.size:
        raise NoCountsError(
            f"model '{model.id}': no reaction changes any species; nothing to compare"
        )
    # What the structure tells, before anything is compiled or simulated.
    asked = without_objections(lowered, referees, grid, skipped)
    # One trajectory, to refuse at once what cannot be simulated.
    simulate(model, times=[0.0], trajectories=1, seed=number)
    chosen = grid_of(model) if times is None else None
    if chosen is not None:
        grid = chosen.times
        asked = without_objections(lowered, asked, grid, skipped)
    unseen = _unseen(lowered, chosen, float(grid[-1]))
    done = Done(progress)
    if trajectories is not None:
        done.total = sum(_sides(judge) * int(trajectories) for judge in asked)
    work = Work(model, lowered, grid, compared, number, float(timeout_s), done)
    failed: dict[str, SbmlGradError] = {}
    firsts = _firsts(work, asked, trajectories, within_s, skipped, failed)
    if not firsts:
        none_left(model, skipped, failed)
    axes = work.names
    found = _judging(axes, firsts, family_wise_error, skipped)
    if not found:
        none_left(model, skipped, failed)
    # Those that were left out only now leave the others a larger share.
    level = family_wise_error / sum(entry.first.number_of_tests(axes) for entry in found)
    comparisons: list[Comparison] = []
    for entry in found:
        try:
            comparisons.append(_confirmed(work, axes, level, entry, start[compared]))
        except (RefereeError, SimulationError) as error:
            failed[entry.judge.name] = error
    if not comparisons:
        none_left(model, skipped, failed)
    is_still = any(comparison.is_still for comparison in comparisons)
    report = ValidationReport(
        model=model.id,
        seed=number,
        comparisons=tuple(comparisons),
        skipped=MappingProxyType(skipped),
        failed=MappingProxyType({name: str(error) for name, error in failed.items()}),
        left_out=MappingProxyType(not_compared(lowered, work.species)),
        still=nothing_happened(lowered, float(grid[-1])) if is_still else "",
        chosen="" if chosen is None else str(chosen),
        unseen=unseen,
    )
    if plot is not None:
        report.plot(plot)
    return report


def _judging(
    axes: Names,
    firsts: Sequence[_Asked],
    family_wise_error: float,
    skipped: dict[str, tuple[str, ...]],
) -> list[_Asked]:
    """Return those whose answers are sharp enough for a verdict; others are noted, with why."""
    tests = sum(entry.first.number_of_tests(axes) for entry in firsts)
    found: list[_Asked] = []
    for entry in firsts:
        why = entry.first.objection(family_wise_error / max(tests, 1))
        if why:
            skipped[entry.judge.name] = (why,)
        else:
            found.append(entry)
    return found


def _started(
    model: ReactionNetwork, parameters: Any, seed: int
) -> tuple[ReactionNetwork, NDArray[np.float64]]:
    """Return the network with all its values, and counts at time 0, float64 [species]."""
    given = explicit_of(model, parameters)
    of_values = lower(model, initial_values(model, given, {}) if given else None)
    values, states = start_states(of_values, given, {}, seed, np.zeros(1, dtype=np.uint64))
    # The structure may depend on the values; one that is drawn has none to be set.
    known = {p: values[p] for p in model.parameter_ids if np.isfinite(values[p])}
    return model.with_parameters(known), states[0, : len(model.species_ids)]


def _firsts(
    work: Work,
    asked: Sequence[AnyReferee],
    trajectories: int | None,
    within_s: float,
    skipped: dict[str, tuple[str, ...]],
    failed: dict[str, SbmlGradError],
) -> list[_Asked]:
    """Ask each referee once; those that refuse or fail are noted, with why."""
    found: list[_Asked] = []
    for judge in asked:
        number = MOST if trajectories is None else int(trajectories)
        try:
            if trajectories is None:
                number = work.fitting(judge, MOST, within_s)
                work.done.total += _sides(judge) * number
            found.append(_Asked(judge, number, work.first(judge, number)))
        except RefusedError as error:
            skipped[judge.name] = (str(error),)
        except RefereeError as error:
            failed[judge.name] = error
        except SimulationError as error:
            # Ours, and so with any other referee; what is known already is kept.
            if not found:
                raise
            failed[judge.name] = error
    return found


def _confirmed(
    work: Work, axes: Names, level: float, entry: _Asked, start: NDArray[np.float64]
) -> Comparison:
    """Compare, and repeat a disagreement with fresh seeds before it counts."""
    judge, number, first = entry.judge, entry.number, entry.first

    def run(multiple: int) -> Comparison:
        if multiple == 1:
            return opening
        try:
            again = (
                work.ours_again(judge, first, number, multiple)
                if isinstance(judge, ExactReferee)
                else work.both(judge, number, multiple)
            )
        except (RefereeError, SimulationError) as error:
            raise RefereeError(
                f"in a first run {verdict(opening)}, and the run that was to confirm it failed, so "
                f"that there is no verdict: {error}"
            ) from error
        # Only what exceeded its bound is looked at again.
        found = again.compared(axes, level, opening.further_exceeding)
        there = found.further_exceeding
        lost = [n for n, bad in opening.further_exceeding.items() if bad.any() and n not in there]
        if lost:
            raise RefereeError(
                f"in a first run {verdict(opening)}, and the run that was to confirm it told "
                f"nothing of {', '.join(lost)}, so that there is no verdict; a referee must give "
                "counts for four times the trajectories too, or not at all"
            )
        return found

    opening = first.compared(axes, level, {})
    found = confirmed(run)
    assert first.ours is not None
    is_still = not found.disagrees and not moved(first.ours, first.theirs, start)
    return replace(found, is_still=is_still)


def _unseen(lowered: LoweredNetwork, chosen: Grid | None, last: float) -> tuple[str, ...]:
    """Return sentences on what no side can be expected to have done by the last time."""
    values, _ = start_states(lowered, {}, {}, 0, np.zeros(1, dtype=np.uint64))
    return (*not_reached(due(lowered, values), last), *(chosen.unseen if chosen else ()))


def _sides(judge: AnyReferee) -> int:
    return 1 if isinstance(judge, ExactReferee) else 2


def _compared(lowered: LoweredNetwork) -> NDArray[np.int64]:
    """Return the places of species that reactions or events change in whole molecules."""
    network = lowered.network
    by_reactions = {s for channel in lowered.channels for s in channel.change}
    moved = network.counted & (by_reactions | network.set_by_events)
    moves = [s in moved for s in network.species_ids]
    return np.flatnonzero(moves)
