"""Who is right where a simulator and sbmlgrad disagree: both beside an exact answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from suites.dsmts_case import Case, read_case
from suites.dsmts_statistics import case_scores, judged_points

import sbmlgrad as sg
from campaign.closed_forms import ClosedForm
from campaign.subjects import SHIPPED, SUITE, Subject
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.referees import ExactReferee, Fsp, RateEquations, Referee, RefusedError
from sbmlgrad.referees.base import Selective
from sbmlgrad.referees.exact.known import Exact
from sbmlgrad.referees.moments import moments
from sbmlgrad.referees.report.text import verdict
from sbmlgrad.referees.statistics.compare import POWER, Comparison
from sbmlgrad.referees.statistics.exact_compare import compare_exact, number_of_tests
from sbmlgrad.referees.statistics.names import Names, Side
from sbmlgrad.referees.statistics.pairs import Pairs

FloatArray = NDArray[np.float64]

#: Chance that a right side is found to be wrong.
ERROR = 1e-4

#: A larger state space is worth its time where there is a disagreement to settle.
LARGEST = 200_000

#: Who may be right.
OURS, THEIRS, NEITHER, OPEN = "sbmlgrad", "the referee", "neither", "open"


def argue(
    subject: Subject, judge: Referee, found: Comparison, seed: int, timeout_s: float
) -> dict[str, Any]:
    """Return which side an exact answer proves wrong, as plain data.

    Both sides are sampled anew, with as many trajectories as the run that found the difference.

    Args:
        subject: what was compared.
        judge: the simulator that disagrees.
        found: the comparison.
        seed: of our side; the referee's is one more.
        timeout_s: wall-clock limit of the referee.

    Returns:
        `right`: one of `OURS`, `THEIRS`, `NEITHER`, `OPEN`; `by`: the exact answer; `ours` and
        `theirs`: what it says of each.
    """
    model = sg.load(subject.document, **dict(subject.options))
    last = found.confirmation or found
    number, document = last.ours.trajectories, normalised_sbml(lower(model))
    if subject.group == SUITE:
        case = read_case(Path(subject.document).parent)
        times = np.linspace(0.0, case.end, case.steps + 1)
        ours = _ours(model, case.species, times, number, seed)
        theirs = judge.sample(document, case.species, times, number, seed + 1, timeout_s)
        if theirs.counts is not None:
            sides = [_by_suite(case, counts) for counts in (ours, theirs.counts)]
            return _told(f"the suite's means and deviations, case {case.number}", *sides)
    species, times = found.species, found.times
    exact = next(_exact_answers(subject, model, document, species, times), None)
    if exact is None:
        words = f"no closed form, no affine laws, and more than {LARGEST:,} states"
        return {"right": OPEN, "by": "", "ours": "", "theirs": "", "why": words}
    names = Names(species, (), times, Pairs(), model.time_unit)
    ours = _ours(model, species, times, number, seed)
    theirs = judge.sample(document, species, times, number, seed + 1, timeout_s)
    sides = [
        _by_exact(exact, Side(m, counts), names)
        for m, counts in ((moments([ours]), ours), (theirs.moments, theirs.counts))
    ]
    return _told(_called(exact), *sides)


def _ours(
    model: sg.ReactionNetwork, species: Sequence[str], times: FloatArray, number: int, seed: int
) -> FloatArray:
    cells = sg.simulate(model, times=times, trajectories=number, seed=seed)
    return np.stack([cells.values(name, "counts") for name in species], axis=2)


def _exact_answers(
    subject: Subject,
    model: sg.ReactionNetwork,
    document: bytes,
    species: Sequence[str],
    times: FloatArray,
) -> Iterator[Exact]:
    """Yield exact answers, the most independent first."""
    candidates: list[ExactReferee] = [Fsp(), RateEquations(), Fsp(largest=LARGEST)]
    if subject.group == SHIPPED:
        candidates.insert(0, ClosedForm(subject.document))
    for judge in candidates:
        if isinstance(judge, Selective) and judge.objections(lower(model), times):
            continue
        try:
            yield judge.solve(document, species, times, 600.0)
        except RefusedError:
            continue


def _by_exact(exact: Exact, side: Side, names: Names) -> tuple[bool, str]:
    """Return whether one side agrees with an exact answer, and in which words."""
    level = ERROR / number_of_tests(side, exact, names)
    found = compare_exact(side, exact, names, level, POWER)
    z = found.z.ravel()[np.abs(found.z).argmax()]
    return found.agrees, f"{verdict(found)}, largest z of means {z:+.1f}"


def _by_suite(case: Case, counts: FloatArray) -> tuple[bool, str]:
    """Return whether one side has the means and deviations of a suite's case, and in words."""
    found = case_scores(case, counts)
    bound = float(stats.norm.isf(ERROR / max(judged_points(case), 1) / 2.0))
    z, y = (np.nan_to_num(np.stack([getattr(s, of) for s in found])) for of in ("z", "y"))
    worst = [float(v.ravel()[np.abs(v).argmax()]) for v in (z, y)]
    agrees = bool(max(map(abs, worst)) < bound)
    word = "agrees" if agrees else "DISAGREES"
    return agrees, f"{word}, largest Z {worst[0]:+.1f} and Y {worst[1]:+.1f} (bound {bound:.1f})"


def _called(exact: Exact) -> str:
    states = exact.settings.get("states")
    return f"{exact.name}, {int(states):,} states" if states else exact.name


def _told(by: str, ours: tuple[bool, str], theirs: tuple[bool, str]) -> dict[str, Any]:
    right = {
        (True, False): OURS,
        (False, True): THEIRS,
        (False, False): NEITHER,
        (True, True): OPEN,
    }[ours[0], theirs[0]]
    why = "the exact answer cannot tell the two apart" if right == OPEN else ""
    return {"right": right, "by": by, "ours": ours[1], "theirs": theirs[1], "why": why}
