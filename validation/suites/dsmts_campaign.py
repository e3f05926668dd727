"""Runs a case of the stochastic test suite with one simulator and judges it in two stages."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from peers.protocol import OURS, Answer, Peer, ask
from peers.worker import Request

from suites.dsmts_case import Case
from suites.dsmts_statistics import Scores, case_scores, second_bound, stage_one, stage_two

#: Trajectories of stage two, in multiples of those of stage one.
MULTIPLE = 4


@dataclass(frozen=True)
class Rules:
    """How a campaign runs and judges.

    Attributes:
        trajectories: of stage one.
        seed: from which those of all runs are derived.
        family_wise_error: chance that a right simulator fails anywhere among `points`.
        points: statistics judged over the whole campaign, of one simulator.
        limit_s: wall-clock limit of each run.
        peer_python: interpreter of the peers.
    """

    trajectories: int
    seed: int
    family_wise_error: float
    points: int
    limit_s: float
    peer_python: str

    @property
    def bound(self) -> float:
        """Bound of stage two."""
        return second_bound(self.points, self.family_wise_error)


@dataclass(frozen=True)
class Record:
    """What came of one case with one simulator.

    Attributes:
        case: number.
        simulator: name.
        verdict: `pass`, `FAIL mean`, `FAIL sd`, `FAIL mean sd`, or why there is no sample.
        z, y, suite_y: largest absolute values of stage one; NaN without a sample or an expected σ.
        outside: statistics outside in stage one.
        suite_outside: those among them or beside them that leave the suite's own ranges.
        confirmed: statistics outside in both stages.
        trajectories: of all stages.
        seconds: of all stages.
        message: what the simulator said.
        version: of its software.
    """

    case: str
    simulator: str
    verdict: str
    z: float = math.nan
    y: float = math.nan
    suite_y: float = math.nan
    outside: int = 0
    suite_outside: int = 0
    confirmed: int = 0
    trajectories: int = 0
    seconds: float = 0.0
    message: str = ""
    version: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing was found wrong with it."""
        return self.verdict == "pass"


def run_case(case: Case, level: str, peer: Peer, rules: Rules) -> Record:
    """Sample a case with one simulator and judge it; a failure of stage one is repeated.

    Args:
        case: the case.
        level: of the document, such as `l3v1`.
        peer: the simulator.
        rules: how to run and judge.

    Returns:
        What came of it; a simulator that fails is a record too.
    """
    first = _sample(case, level, peer, rules, 1)
    if first.values is None:
        return Record(
            case.number,
            peer.name,
            first.status,
            seconds=first.seconds,
            message=first.message,
            version=first.version,
        )
    found = case_scores(case, first.values)
    outside = stage_one(case, found)
    record = Record(
        case.number,
        peer.name,
        "pass",
        z=_largest(s.z for s in found),
        y=_largest(s.y for s in found),
        suite_y=_largest(s.suite_y for s in found),
        outside=outside.count,
        suite_outside=_outside_suite(case, found),
        trajectories=rules.trajectories,
        seconds=first.seconds,
        version=first.version,
    )
    if not outside.count:
        return record
    second = _sample(case, level, peer, rules, MULTIPLE)
    seconds = first.seconds + second.seconds
    if second.values is None:
        return replace(
            record,
            verdict=f"{second.status} in stage two",
            message=second.message,
            seconds=seconds,
        )
    both = outside & stage_two(rules.bound, case_scores(case, second.values))
    failed = [name for name, where in (("mean", both.mean), ("sd", both.deviation)) if where.any()]
    return replace(
        record,
        verdict=" ".join(["FAIL", *failed]) if failed else "pass",
        confirmed=both.count,
        trajectories=(1 + MULTIPLE) * rules.trajectories,
        seconds=seconds,
    )


def _sample(case: Case, level: str, peer: Peer, rules: Rules, multiple: int) -> Answer:
    key = [rules.seed, int(case.number), zlib.crc32(peer.name.encode()), multiple]
    seed = int(np.random.SeedSequence(key).generate_state(1)[0]) >> 1
    request = Request(
        document=str(case.documents[level]),
        species=case.species,
        end=case.end,
        steps=case.steps,
        trajectories=rules.trajectories * multiple,
        seed=seed,
    )
    if peer is OURS:
        return ask(peer, request, limit_s=rules.limit_s * multiple)
    return ask(peer, request, python=rules.peer_python, limit_s=rules.limit_s * multiple)


def _largest(rows: Iterable[NDArray[np.float64]]) -> float:
    values = np.abs(np.concatenate(list(rows)))
    known = values[~np.isnan(values)]
    return float(known.max()) if known.size else math.nan


def _outside_suite(case: Case, found: tuple[Scores, ...]) -> int:
    z = np.stack([s.z for s in found])
    y = np.stack([s.suite_y for s in found])
    count = 0
    for values, (low, high) in ((z, case.mean_range), (y, case.sd_range)):
        count += int(((values <= low) | (values >= high)).sum())
    return count
