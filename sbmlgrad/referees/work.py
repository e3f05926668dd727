"""One network at one set of parameters, to be compared with referee after referee."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.io.formats import load
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.referees.base import AnyReferee, ExactReferee, Limited, Referee
from sbmlgrad.referees.counted import with_counters
from sbmlgrad.referees.done import Done
from sbmlgrad.referees.refusals import asked_of
from sbmlgrad.referees.sampling import PILOT, Ensembles, fitting, is_kept, seconds_each
from sbmlgrad.referees.sides import left_out_of, side_of
from sbmlgrad.referees.statistics.balances import balance_of, checked_result
from sbmlgrad.referees.statistics.compare import CONFIRMATION, POWER, Comparison, compare
from sbmlgrad.referees.statistics.exact_compare import compare_exact, number_of_tests
from sbmlgrad.referees.statistics.pairs import chosen_pairs
from sbmlgrad.referees.statistics.possible import Balance, Checks
from sbmlgrad.referees.statistics.sampled import Names, Side, Wanted, sampled_families
from sbmlgrad.referees.statistics.shares import Shares, shares_of_law, shares_of_samples
from sbmlgrad.referees.waiting import WAITED_FOR, sampled_waits

FloatArray = NDArray[np.float64]

#: Share of the level of a test that probability missing from an exact answer may take.
_MOST_MISSING = 0.5


@dataclass(frozen=True, eq=False)
class Work:
    """One network at one set of parameters.

    Attributes:
        model: the network, with its values.
        lowered: the same, lowered.
        times: float64 [time].
        compared: places of the species that are compared, [species].
        seed: from which all seeds are derived.
        timeout_s: of one run of either side.
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
        # The document has no reactions that change nothing.
        channels = {channel.id: channel for channel in lower(self.counted_model).channels}
        groups = [
            frozenset(
                place[s]
                for s in {*channels[name].change, *symbols(channels[name].propensity)}
                if s in place
            )
            for name in self.counted[1]
        ]
        return Names(
            species=self.species,
            channels=tuple(self.counted[1]),
            times=self.times,
            pairs=chosen_pairs(groups, len(self.species)),
            time_unit=self.model.time_unit,
        )

    @cached_property
    def balance(self) -> Balance:
        """What every trajectory obeys."""
        return balance_of(self.lowered, lower(self.counted_model), self.counted[1], self.names)

    def first(self, judge: AnyReferee, trajectories: int) -> First:
        """Ask a referee for the first time.

        Args:
            judge: the referee; seeds depend on its name, not on who else is asked.
            trajectories: of each side.
        """
        if isinstance(judge, ExactReferee):
            with asked_of(judge):
                answer = judge.solve(self.plain, self.species, self.times, self.timeout_s)
            return self.ours_again(judge, First(None, None, answer, ()), trajectories, 1)
        return self.both(judge, trajectories, 1)

    def both(self, judge: Referee, trajectories: int, multiple: int) -> First:
        """Sample both sides anew; seeds depend on the referee's name and the multiple."""
        number, columns = trajectories * multiple, len(self.species) + len(self.counted[1])
        # Judged for the confirming run, which is larger, so that both compare the same.
        most = trajectories * CONFIRMATION
        is_counted = bool(self.counted[1]) and is_kept(most, len(self.times), columns)
        is_whole = is_counted or is_kept(most, len(self.times), len(self.species))
        is_timed = is_kept(most, 1, len(WAITED_FOR))
        seeds = self._seeds(judge, multiple)
        if multiple > 1:
            self.done.total += 2 * number
        limit = judge.count_limit if isinstance(judge, Limited) else math.inf
        own = self._own(limit)
        of_species, counts = own.sample(number, seeds[0], keep=is_whole)
        self.done.add(number)
        ours = Side(of_species, counts)
        document, asked = self.plain, self.species
        if is_counted:
            document, asked = self.counted[0], (*self.species, *self.counted[1].values())
            again = Ensembles(self.counted_model, asked, self.times, self.timeout_s, limit=limit)
            ours = ours.counted(*again.sample(number, seeds[2], keep=True))
        with asked_of(judge):
            theirs = judge.sample(document, asked, self.times, number, seeds[1], self.timeout_s)
            theirs = checked_result(theirs, number, self.times, asked)
        self.done.add(number)
        if theirs.waits is not None and is_timed:
            end = float(self.times[-1])
            waits = sampled_waits(self.counted_model, end, number, seeds[3])
            ours = replace(ours, waits=waits)
        other = side_of(theirs, len(self.species), is_counted)
        if ours.waits is None:
            other = replace(other, waits=None)
        return First(
            ours=ours,
            theirs=other,
            answer=theirs,
            left_out=left_out_of(theirs, is_counted, is_whole, is_timed),
            checks=self.balance.checks(ours, other),
        )

    def ours_again(
        self, judge: ExactReferee, first: First, trajectories: int, multiple: int
    ) -> First:
        """Sample our side anew beside an exact answer."""
        number = trajectories * multiple
        if multiple > 1:
            self.done.total += number
        keep = is_kept(trajectories * CONFIRMATION, len(self.times), len(self.species))
        seed = self._seeds(judge, multiple)[0]
        ours = Side(*self._own().sample(number, seed, keep=keep))
        self.done.add(number)
        left_out = ["firing counts and independence, which an exact answer does not tell"]
        if first.answer.distributions is None:
            left_out = ["all but means: distributions are not known"]
        elif not keep:
            left_out = ["all but means and variances: the ensemble is too large to be kept"]
        return First(ours, None, first.answer, tuple(left_out))

    def fitting(self, judge: AnyReferee, wanted: int, limit_s: float) -> int:
        """Return how many trajectories, and as many again times `CONFIRMATION`, fit into a time."""
        seed = self._seeds(judge, 0)
        # Where not even one is done by then, the fewest that are compared would take far longer.
        own = replace(self._own(), told=lambda _: None)
        ours = seconds_each(own, seed[0], wanted, min(self.timeout_s, limit_s))
        if isinstance(judge, ExactReferee):
            return fitting(wanted, [ours], limit_s / (1 + CONFIRMATION))
        document, counters = self.counted
        asked = (*self.species, *counters.values())
        with asked_of(judge):
            pilot = judge.sample(document, asked, self.times, PILOT, seed[1], self.timeout_s)
        # Two more starts of the process are to come; one that starts slowly is not left without
        # any trajectories for it.
        left = max(limit_s - 3.0 * pilot.startup_s, limit_s / 3.0)
        theirs = max(pilot.seconds - pilot.startup_s, 0.0) / PILOT
        # With counters our side is sampled twice.
        return fitting(wanted, [2.0 * ours, theirs], left / (1 + CONFIRMATION))

    def _own(self, limit: float = math.inf) -> Ensembles:
        told = self.done.under_way
        return Ensembles(self.model, self.species, self.times, self.timeout_s, told, limit)

    def _seeds(self, judge: AnyReferee, multiple: int) -> list[int]:
        name = zlib.crc32(judge.name.encode())
        key = np.random.SeedSequence([self.seed, name, multiple])
        return [int(s) for s in key.generate_state(4, np.uint64) >> 1]


@dataclass(frozen=True, eq=False)
class First:
    """Both sides of a comparison, before a level for single tests is known.

    Attributes:
        ours: our side; None until it is sampled.
        theirs: the other side, or None where it is exact.
        answer: of the referee.
        left_out: what is not compared, in words.
        checks: of each trajectory.
    """

    ours: Side | None
    theirs: Side | None
    answer: Any
    left_out: tuple[str, ...]
    checks: Checks = field(default_factory=Checks)

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
            "checks": self.checks,
        }
        if self.theirs is None:
            found = compare_exact(self.ours, self.answer, names, level, POWER)
            found = replace(found, family_wise_error=level * found.tests, **labels)
            return replace(found, left_out=names.left_out(found.families, self.left_out))
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
        found = replace(found, family_wise_error=level * found.tests)
        return replace(found, left_out=names.left_out(families, self.left_out))

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
