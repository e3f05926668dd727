"""One network at one set of parameters, to be compared with referee after referee."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.base import Progress
from sbmlgrad.io.formats import load
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.referees.base import AnyReferee, ExactReferee, Limited, Referee, RefereeResult
from sbmlgrad.referees.compare import CONFIRMATION, POWER, Comparison, compare
from sbmlgrad.referees.counted import with_counters
from sbmlgrad.referees.exact_compare import compare_exact, number_of_tests
from sbmlgrad.referees.joint import coupled_pairs
from sbmlgrad.referees.moments import moments
from sbmlgrad.referees.sampled import Names, Side, Wanted, sampled_families
from sbmlgrad.referees.sampling import PILOT, Ensembles, fitting, is_kept, seconds_each
from sbmlgrad.referees.shares import Shares, shares_of_law, shares_of_samples

FloatArray = NDArray[np.float64]

#: Share of the level of a test that probability missing from an exact answer may take.
_MOST_MISSING = 0.5


@dataclass
class Done:
    """Counts trajectories for `progress`; a confirming run adds to what there is to do."""

    report: Progress | None
    total: int = 0
    done: int = 0

    def add(self, trajectories: int) -> None:
        """Tell that so many more are finished."""
        self.done += trajectories
        if self.report is not None:
            self.report(min(self.done, self.total), self.total)


@dataclass(frozen=True, eq=False)
class Work:
    """One network at one set of parameters.

    Attributes:
        model: the network, with its values.
        lowered: the same, lowered.
        times: float64 [time].
        compared: places of the species that are compared, [species].
        seed: from which all seeds are derived.
        timeout_s: of one run of a referee.
        done: of the progress.
    """

    model: ReactionNetwork
    lowered: LoweredNetwork
    times: FloatArray
    compared: NDArray[np.int64]
    seed: int
    timeout_s: float
    done: Done

    @property
    def species(self) -> tuple[str, ...]:
        """Ids of the species that are compared."""
        return tuple(self.model.species_ids[s] for s in self.compared)

    @cached_property
    def plain(self) -> bytes:
        """The normalised document."""
        return normalised_sbml(self.lowered)

    @cached_property
    def counted(self) -> tuple[bytes, dict[str, str]]:
        """The normalised document with counters of firings, and channel → counter."""
        return with_counters(self.plain)

    @cached_property
    def counted_model(self) -> ReactionNetwork:
        """The network of the document with counters."""
        return load(self.counted[0].decode())

    @cached_property
    def names(self) -> Names:
        """What the axes are called."""
        place = {name: i for i, name in enumerate(self.species)}
        groups = [
            frozenset(
                place[s] for s in {*channel.change, *symbols(channel.propensity)} if s in place
            )
            for channel in self.lowered.channels
        ]
        return Names(
            species=self.species,
            channels=tuple(self.counted[1]),
            times=self.times,
            coupled=tuple(coupled_pairs(groups)),
            time_unit=self.model.time_unit,
        )

    def first(self, judge: AnyReferee, place: int, trajectories: int) -> First:
        """Ask a referee for the first time.

        Args:
            judge: the referee.
            place: among those that are asked; seeds depend on it.
            trajectories: of each side.
        """
        if isinstance(judge, ExactReferee):
            return self._first_exact(judge, place, trajectories)
        return self.both(judge, place, trajectories, 1)

    def both(self, judge: Referee, place: int, trajectories: int, multiple: int) -> First:
        """Sample both sides anew; seeds depend on the place and the multiple."""
        number, columns = trajectories * multiple, len(self.species) + len(self.counted[1])
        # Judged for the confirming run, which is larger, so that both compare the same.
        most = trajectories * CONFIRMATION
        is_counted = bool(self.counted[1]) and is_kept(most, len(self.times), columns)
        is_whole = is_counted or is_kept(most, len(self.times), len(self.species))
        seeds = self._seeds(place, multiple)
        if multiple > 1:
            self.done.total += 2 * number
        limit = judge.count_limit if isinstance(judge, Limited) else math.inf
        own = Ensembles(self.model, self.species, self.times, self.done.add, limit)
        of_species, counts = own.sample(number, seeds[0], keep=is_whole)
        of_firings, firings = None, None
        document, asked = self.plain, self.species
        if is_counted:
            document, asked = self.counted[0], (*self.species, *self.counted[1].values())
            counters = tuple(self.counted[1].values())
            other = Ensembles(self.counted_model, counters, self.times, lambda _: None, limit)
            of_firings, firings = other.sample(number, seeds[2], keep=True)
        theirs = judge.sample(document, asked, self.times, number, seeds[1], self.timeout_s)
        self.done.add(number)
        return First(
            ours=Side(of_species, counts, of_firings, firings),
            theirs=_side(theirs, len(self.species), is_counted),
            answer=theirs,
            left_out=_left_out(theirs, is_counted, is_whole),
        )

    def _first_exact(self, judge: ExactReferee, place: int, trajectories: int) -> First:
        answer = judge.solve(self.plain, self.species, self.times, self.timeout_s)
        return self.ours_again(First(None, None, answer, ()), place, trajectories, 1)

    def ours_again(self, first: First, place: int, trajectories: int, multiple: int) -> First:
        """Sample our side anew beside an exact answer."""
        number = trajectories * multiple
        if multiple > 1:
            self.done.total += number
        keep = is_kept(trajectories * CONFIRMATION, len(self.times), len(self.species))
        own = Ensembles(self.model, self.species, self.times, self.done.add)
        ours = Side(*own.sample(number, self._seeds(place, multiple)[0], keep=keep))
        left_out = ["firing counts and independence, which an exact answer does not tell"]
        if first.answer.distributions is None:
            left_out = ["all but means: distributions are not known"]
        elif not keep:
            left_out = ["all but means and variances: the ensemble is too large to be kept"]
        return First(ours, None, first.answer, tuple(left_out))

    def fitting(self, judge: AnyReferee, place: int, wanted: int, limit_s: float) -> int:
        """Return how many trajectories, and as many again times `CONFIRMATION`, fit into a time."""
        seed = self._seeds(place, 0)
        own = Ensembles(self.model, self.species, self.times, lambda _: None)
        ours = seconds_each(lambda n, s: own.sample(n, s, keep=False), seed[0], wanted)
        if isinstance(judge, ExactReferee):
            return fitting(wanted, [ours], limit_s / (1 + CONFIRMATION))
        document, counters = self.counted
        asked = (*self.species, *counters.values())
        pilot = judge.sample(document, asked, self.times, PILOT, seed[1], self.timeout_s)
        # Two more starts of the process are to come; one that starts slowly is not left without
        # any trajectories for it.
        left = max(limit_s - 3.0 * pilot.startup_s, limit_s / 3.0)
        theirs = max(pilot.seconds - pilot.startup_s, 0.0) / PILOT
        # With counters our side is sampled twice.
        return fitting(wanted, [2.0 * ours, theirs], left / (1 + CONFIRMATION))

    def _seeds(self, place: int, multiple: int) -> list[int]:
        key = np.random.SeedSequence([self.seed, place, multiple])
        return [int(s) for s in key.generate_state(3, np.uint64) >> 1]


@dataclass(frozen=True, eq=False)
class First:
    """Both sides of a comparison, before a level for single tests is known.

    Attributes:
        ours: our side; None until it is sampled.
        theirs: the other side, or None where it is exact.
        answer: of the referee.
        left_out: what is not compared, in words.
    """

    ours: Side | None
    theirs: Side | None
    answer: Any
    left_out: tuple[str, ...]

    def number_of_tests(self, names: Names) -> int:
        """Return how many tests `compared` makes."""
        assert self.ours is not None
        if self.theirs is None:
            return number_of_tests(self.ours, self.answer, names)
        families = sampled_families(self.ours, self.theirs, names, 0.5, POWER, None)
        return 2 * self.ours.moments.mean.size + sum(len(family.of) for family in families)

    def objection(self, level: float) -> str:
        """Return why there can be no verdict at a level of single tests; nothing if there can."""
        if self.theirs is not None or self.answer.distributions is None:
            return ""
        assert self.ours is not None
        most = CONFIRMATION * self.ours.moments.trajectories
        missing = float(self.answer.distributions.missing.max())
        if most * missing <= _MOST_MISSING * level:
            return ""
        return (
            f"probability {missing:.2g} is missing from its answer, which among up to {most} "
            f"trajectories could make any test exceed the level {level:.2g}; ask for fewer "
            f"trajectories, or let at most {_MOST_MISSING * level / most:.1g} be missing"
        )

    def compared(self, names: Names, level: float, wanted: Wanted) -> Comparison:
        """Compare the sides at a level of single tests."""
        assert self.ours is not None
        ours = f"sbmlgrad {version('sbmlgrad')}"
        labels: Mapping[str, Any] = {
            "names": (ours, f"{self.answer.name} {self.answer.version}"),
            "time_unit": names.time_unit,
            "settings": dict(self.answer.settings),
            "left_out": self.left_out,
            "shares": self._shares(names),
        }
        if self.theirs is None:
            found = compare_exact(self.ours, self.answer, names, level, POWER)
            return replace(found, family_wise_error=level * found.tests, **labels)
        families = sampled_families(self.ours, self.theirs, names, level, POWER, wanted)
        found = compare(
            names.species,
            names.times,
            self.ours.moments,
            self.theirs.moments,
            level=level,
            families=families,
            **labels,
        )
        return replace(found, family_wise_error=level * found.tests)

    def _shares(self, names: Names) -> tuple[Shares, ...]:
        """Return distributions at the last time."""
        if self.ours is None or self.ours.counts is None:
            return ()
        last, at = self.ours.counts[:, -1], float(names.times[-1])
        if self.theirs is not None:
            other = self.theirs.counts
            return tuple(
                shares_of_samples(name, at, last[:, s], other[:, -1, s])
                for s, name in enumerate(names.species)
                if other is not None
            )
        known = self.answer.distributions
        return tuple(
            shares_of_law(name, at, last[:, s], known, (len(names.times) - 1, s))
            for s, name in enumerate(names.species)
            if known is not None
        )


def _side(result: RefereeResult, species: int, is_counted: bool) -> Side:
    of_all, counts = result.moments, result.counts
    if counts is not None:
        of_all = moments([counts])
    return Side(
        moments=of_all.columns(slice(0, species)),
        counts=None if counts is None else counts[:, :, :species],
        firings=of_all.columns(slice(species, None)) if is_counted else None,
        firing_counts=None if counts is None or not is_counted else counts[:, :, species:],
    )


def _left_out(result: RefereeResult, is_counted: bool, is_whole: bool) -> tuple[str, ...]:
    found = []
    if not is_counted:
        found.append("firing counts: the ensemble with them is too large to be kept")
    if not is_whole:
        found.append("distributions and covariances: the ensemble is too large to be kept")
    elif result.counts is None:
        found.append(f"distributions and covariances: '{result.name}' gives moments only")
    return tuple(found)
