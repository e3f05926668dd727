"""One network of the cross-check campaign with each of its referees: one record each.

`python run_compare.py FOLDER` is how `run.py` calls it, in a process of its own: it reads
`request.json` there and appends to the records that it names, one line as soon as there is one.
"""

from __future__ import annotations

import json
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from peers.protocol import OURS as OUR_PEER
from suites.dsmts_campaign import Record as SuiteRecord
from suites.dsmts_campaign import Rules, run_case
from suites.dsmts_case import read_case, select
from suites.dsmts_statistics import judged_points

import sbmlgrad as sg
from campaign.argue import argue
from campaign.closed_forms import LAWS, ClosedForm
from campaign.planted_fault import TooFast
from campaign.records import append
from campaign.subjects import LEVEL, MEANINGLESS, SHIPPED, SUITE, Subject
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import NoCountsError, NoRefereeError
from sbmlgrad.referees import REFEREES, ExactReferee, Referee, referee
from sbmlgrad.referees.divergences import known_divergences
from sbmlgrad.referees.refusals import BROKE
from sbmlgrad.referees.report.text import verdict
from sbmlgrad.referees.statistics.compare import Comparison

#: What a record may say.
AGREES, SKIPPED, DISAGREES, FAILED, OURS_FAILED = (
    "agrees",
    "skipped",
    "disagrees",
    "failed",
    "sbmlgrad failed",
)

#: Why there is no comparison.
KNOWN, CANNOT, NOTHING, NO_MEANING = (
    "known to mishandle it",
    "cannot simulate it",
    "nothing that is counted changes",
    "a law has no meaning for some counts",
)

#: Trajectories of each side below which a comparison sees coarse differences only.
FEWEST = 200

#: Columns that are no referees of `sbmlgrad.referees.REFEREES`.
CLOSED_FORM, TABLE, PLANTED = "closed form", "suite table", "planted"

#: Referees in the order of columns.
NAMES = (*REFEREES, CLOSED_FORM, TABLE)


@dataclass(frozen=True)
class Effort:
    """How much to compare.

    Attributes:
        name: `full` or `quick`.
        trajectories: of each side; None takes what fits into `within_s`.
        within_s: seconds for one referee and one network, where `trajectories` is None.
        table_trajectories: for the suite's table of means and deviations.
        timeout_s: wall-clock limit of each run of a referee.
        seed: from which those of all runs are derived.
        patient_s: as `within_s`, for comparisons that would have fewer than `FEWEST` trajectories.
    """

    name: str
    trajectories: int | None
    within_s: float
    table_trajectories: int
    timeout_s: float
    seed: int = 1
    patient_s: float | None = None


def judges(
    subject: Subject, pythons: Mapping[str, str | None], plant: float | None
) -> dict[str, Any]:
    """Return name → referee for a network; None stands for the suite's table.

    Args:
        subject: the network.
        pythons: referee → interpreter; None is this one.
        plant: factor of the wrong referee, or None for no such.
    """
    found: dict[str, Any] = {
        name: referee(name, python)
        for name, python in pythons.items()
        if name not in (CLOSED_FORM, TABLE)
    }
    if CLOSED_FORM in pythons and subject.group == SHIPPED and subject.name in LAWS:
        found[CLOSED_FORM] = ClosedForm(subject.document)
    if TABLE in pythons and subject.group == SUITE:
        found[TABLE] = None
    if plant is not None:
        found[PLANTED] = TooFast(plant)
    return found


def records_of(
    subject: Subject, asked: Mapping[str, Any], effort: Effort
) -> Iterator[dict[str, Any]]:
    """Yield the record of each referee in turn.

    Args:
        subject: the network.
        asked: name → referee, as `judges` returns them.
        effort: how much to compare.
    """
    for name, judge in asked.items():
        begin = time.perf_counter()
        is_table = judge is None
        found = _by_table(subject, effort) if is_table else _by_referee(subject, judge, effort)
        yield {
            **identity(subject, name, effort),
            "date": datetime.now(UTC).date().isoformat(),
            "sbmlgrad": sg.__version__,
            **found,
            "seconds": round(time.perf_counter() - begin, 1),
        }


def identity(subject: Subject, referee_name: str, effort: Effort) -> dict[str, Any]:
    """Return what tells a record from others: a second one of these is not made."""
    return {
        "effort": effort.name,
        "seed": effort.seed,
        "group": subject.group,
        "model": subject.name,
        "referee": referee_name,
    }


def _by_referee(subject: Subject, judge: Referee | ExactReferee, effort: Effort) -> dict[str, Any]:
    if subject.trouble:
        return _failed(subject, OURS_FAILED, subject.trouble)
    try:
        model = sg.load(subject.document, **dict(subject.options))
        known = [str(entry) for entry in known_divergences(judge.name, lower(model))]
    except sg.SbmlGradError as error:
        return {"verdict": OURS_FAILED, "words": f"{type(error).__name__}: {error}"}
    if known:
        return {"verdict": SKIPPED, "kind": KNOWN, "words": "; ".join(known)}
    seed = seed_of(subject, judge.name, effort)
    try:
        report = _validated(subject, model, judge, effort, effort.within_s, seed)
        within_s = effort.within_s
        if effort.patient_s and report.comparisons[0].ours.trajectories < FEWEST:
            # Whatever the hasty run found: nothing is chosen by its result.
            within_s = effort.patient_s
            report = _validated(subject, model, judge, effort, within_s, seed)
        found = report.comparisons[0]
        if found.is_still:
            return {"verdict": SKIPPED, "kind": NOTHING, "words": report.still}
        record = {**_compared(found), "within": within_s}
        if not found.agrees:
            record["argument"] = _argued(subject, judge, found, seed, effort)
    except NoRefereeError as error:
        return _left_out(subject, judge, error)
    except sg.RefereeError as error:
        return _failed(subject, OURS_FAILED if BROKE in str(error) else FAILED, str(error))
    except NoCountsError as error:
        # Draws in events alone: the suite's table is what can be compared.
        return {"verdict": SKIPPED, "kind": NOTHING, "words": str(error).partition(": ")[2]}
    except sg.SbmlGradError as error:
        return _failed(subject, OURS_FAILED, f"{type(error).__name__}: {error}")
    return record


def _validated(
    subject: Subject, model: Any, judge: Any, effort: Effort, within_s: float, seed: int
) -> Any:
    return sg.validate(
        model,
        against=judge,
        times=subject.times,
        trajectories=effort.trajectories,
        within_s=within_s,
        timeout_s=effort.timeout_s,
        seed=seed,
    )


def is_finished(record: Mapping[str, Any], effort: Effort) -> bool:
    """Tell whether a record is what an effort would make; hasty ones of before are made again."""
    if effort.patient_s is None or record.get("verdict") not in (AGREES, DISAGREES):
        return True
    if record["referee"] == TABLE or int(record["trajectories"]) >= FEWEST:
        return True
    return record.get("within") == effort.patient_s


def _failed(subject: Subject, verdict_of_it: str, words: str) -> dict[str, Any]:
    """Return the record of a failure; of one that the file itself is the reason of, as that."""
    for reaction, what in MEANINGLESS.get(subject.name, {}).items():
        if f"reaction '{reaction}'" in words:
            return {"verdict": SKIPPED, "kind": NO_MEANING, "words": f"'{reaction}' {what}"}
    return {"verdict": verdict_of_it, "words": words}


def _compared(found: Comparison) -> dict[str, Any]:
    shown = found.confirmation or found
    return {
        "verdict": AGREES if found.agrees else DISAGREES,
        "words": verdict(found),
        "version": found.names[1].rpartition(" ")[2],
        # Of the first look, whose size says what could have been found.
        "trajectories": found.ours.trajectories,
        "tests": found.tests,
        "error": found.family_wise_error,
        "bound": found.bound,
        "z": _largest(shown.z),
        "y": _largest(shown.y),
        "not compared": list(found.left_out),
    }


def _largest(values: Any) -> float | None:
    known = np.abs(values)[~np.isnan(values)]
    return float(known.max()) if known.size else None


def _argued(
    subject: Subject, judge: Any, found: Comparison, seed: int, effort: Effort
) -> dict[str, Any]:
    if isinstance(judge, ExactReferee):
        # It is an exact answer itself.
        return {"right": "the referee", "by": judge.name, "ours": verdict(found), "theirs": ""}
    return argue(subject, judge, found, seed + 1, effort.timeout_s)


def _left_out(subject: Subject, judge: Any, error: NoRefereeError) -> dict[str, Any]:
    words = "; ".join(reason for reasons in error.skipped.values() for reason in reasons)
    if BROKE in words:
        # Those that are built in are ours, and what they did not foresee is, too.
        return _failed(subject, OURS_FAILED, words)
    if not judge.is_available():
        # It was there when the campaign began.
        return _failed(subject, FAILED, words)
    return {"verdict": SKIPPED, "kind": CANNOT, "words": words}


def _by_table(subject: Subject, effort: Effort) -> dict[str, Any]:
    """Compare with the means and deviations that the suite prints, in two stages of `dsmts`."""
    folder = Path(subject.document).parent
    case = read_case(folder)
    everything = [read_case(path) for path in select(folder.parent, "all")]
    rules = Rules(
        trajectories=effort.table_trajectories,
        seed=effort.seed,
        family_wise_error=0.001,
        points=sum(judged_points(each) for each in everything),
        limit_s=effort.timeout_s,
        peer_python=sys.executable,
    )
    level = LEVEL if LEVEL in case.documents else min(case.documents)
    found: SuiteRecord = run_case(case, level, OUR_PEER, rules)
    record = {"words": found.verdict, "version": "", "tests": judged_points(case)}
    record |= {"trajectories": found.trajectories, "z": _known(found.z), "y": _known(found.y)}
    if found.passed:
        return {"verdict": AGREES, **record, "words": "means and deviations agree"}
    if not found.verdict.startswith("FAIL"):
        words = f"{found.verdict}: {found.message}"
        return {"verdict": OURS_FAILED, **record, "words": words}
    argument = {"right": "the referee", "by": "the suite's table", "ours": found.verdict}
    return {"verdict": DISAGREES, **record, "argument": argument}


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def seed_of(subject: Subject, name: str, effort: Effort) -> int:
    """Return the seed of one comparison."""
    words = f"{effort.seed} {subject.group} {subject.name} {name}"
    return zlib.crc32(words.encode())


def main(arguments: Sequence[str]) -> None:
    """Do what a request says."""
    request = json.loads((Path(arguments[0]) / "request.json").read_text(encoding="utf-8"))
    subject, effort = Subject(**request["subject"]), Effort(**request["effort"])
    every = judges(subject, request["pythons"], request["plant"])
    asked = {name: every[name] for name in request["names"]}
    for record in records_of(subject, asked, effort):
        append(Path(request["records"]), record)


def as_request(
    subject: Subject,
    names: Sequence[str],
    pythons: Mapping[str, str | None],
    effort: Effort,
    plant: float | None,
    records: Path,
) -> dict[str, Any]:
    """Return what `main` reads."""
    return {
        "subject": subject.as_dict(),
        "names": list(names),
        "pythons": dict(pythons),
        "effort": asdict(effort),
        "plant": plant,
        "records": str(records.resolve()),
    }
