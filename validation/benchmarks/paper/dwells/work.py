"""Verdicts on schemes, each one line of records."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from paper_records import keep, kept, machine

from dwells.bootstrap import Verdict, judge
from dwells.curves import curves, excerpt, plain, refitted_curves, spread
from dwells.halves import Half, Record
from dwells.scheme import Scheme
from dwells.statistics import EDITION

#: Open and shut states of the schemes, and whether the shares are free.
SCHEMES = (
    (1, 1, False),
    (1, 2, False),
    (2, 2, False),
    (2, 3, False),
    (3, 4, False),
    (2, 3, True),
    (3, 4, True),
    (3, 5, True),
)


def seed_of(*words: Any) -> int:
    """Return a seed that words stand for, the same on every machine."""
    return zlib.crc32(" ".join(map(str, words)).encode())


def done(lines: list[dict[str, Any]], **wanted: Any) -> list[dict[str, Any]]:
    """Return the lines that have such entries."""
    return [line for line in lines if all(line.get(key) == x for key, x in wanted.items())]


def judge_record(
    records: Path, name: str, dead_time: float, record: Record, replicates: int
) -> None:
    """Keep what a record shows, and the verdict on every scheme that has none yet."""
    own = {"record": name, "sha256": record.sha256, "dead_time": dead_time}
    if not done(kept(records), kind="record", **own):
        shown = {key: plain(values) for key, values in curves(record.unseen).items()}
        trace = plain(np.array(excerpt(record.unseen)))
        layout = list(record.layout.pairs)
        longest = [float(half.shut.max()) for half in (record.fitted, record.unseen)]
        told = {"kind": "record", **own, "layout": layout, "longest": longest}
        keep(records, {**told, "curves": shown, "trace": trace})
    for opened, shut, is_free in SCHEMES:
        key = {"scheme": [opened, shut, is_free], "replicates": replicates}
        key["statistics"] = EDITION
        if done(kept(records), kind="verdict", **own, **key):
            continue
        seen: list[tuple[Half, Scheme]] = []
        verdict = judge(
            record.fitted,
            record.unseen,
            record.layout,
            (opened, shut),
            is_free=is_free,
            replicates=replicates,
            seed=seed_of(name, opened, shut, is_free),
            watch=lambda half, refit, own=seen: own.append((half, refit)),
        )
        drawn = spread([refitted_curves(*pair, verdict.scheme) for pair in seen])
        line = {"kind": "verdict", **own, **key, **as_line(verdict)}
        line["curves"] = {name: plain(values) for name, values in drawn.items()}
        line["trace"] = plain(np.array(excerpt(seen[0][0])))
        line["date"], line["machine"] = datetime.now(UTC).strftime("%Y-%m-%d"), machine()
        keep(records, line)
        print(f"{name} {opened}, {shut}, {is_free}: p {verdict.p_value:.3f}", flush=True)


def as_line(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as entries of a line."""
    scheme = verdict.scheme
    return {
        "opened": scheme.opened.tolist(),
        "shut": scheme.shut.tolist(),
        "onward": scheme.onward.tolist(),
        "back": scheme.back.tolist(),
        "log_likelihood": scheme.log_likelihood,
        "free": scheme.free,
        "criterion": verdict.criterion,
        "seen": verdict.seen.tolist(),
        "told": verdict.told.tolist(),
        "spread": verdict.spread.tolist(),
        "scores": verdict.scores.tolist(),
        "p_values": verdict.p_values.tolist(),
        "naive": verdict.naive,
    }


def verdict_of(line: dict[str, Any]) -> Verdict:
    """Return the verdict of a line."""
    opened, shut, onward, back = (
        np.array(line[key]) for key in ("opened", "shut", "onward", "back")
    )
    scheme = Scheme(opened, shut, onward, back, line["log_likelihood"], line["free"])
    names = ("seen", "told", "spread", "scores", "p_values")
    values = {name: np.array(line[name]) for name in names}
    is_free = bool(line["scheme"][2])
    return Verdict(scheme, is_free, line["criterion"], naive=line["naive"], **values)


def latest(lines: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return the verdicts on a record, in the order of the schemes, the last of each."""
    found = {tuple(line["scheme"]): line for line in done(lines, kind="verdict", record=name)}
    return [found[scheme] for scheme in SCHEMES if scheme in found]


def accepted(lines: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the verdict that is no rejection and has the lowest criterion."""
    passing = [line for line in lines if not verdict_of(line).is_rejected]
    return min(passing, key=lambda line: line["criterion"], default=None)


def chosen(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the accepted verdict, or that of the lowest criterion where all are rejected."""
    return accepted(lines) or min(lines, key=lambda line: line["criterion"])
