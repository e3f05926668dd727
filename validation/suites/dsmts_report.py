"""Writes the tables of the stochastic test suite's campaign as Markdown."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from peers.protocol import OURS, PEERS

from suites.dsmts_campaign import MULTIPLE, Record, Rules
from suites.dsmts_statistics import FIRST_BOUND

TITLES = {OURS.name: OURS.title, **{name: peer.title for name, peer in PEERS.items()}}

FOLDERS = re.compile(r"(?<![\w.])/(?:[\w.+-]+/)+")

#: Cases from this number on draw from distributions in events; those before are the classic ones.
DISTRIBUTIONS = 40


def report(
    records: Sequence[Record],
    compared: Mapping[str, str],
    rules: Rules,
    peer_rules: Rules,
    peer_level: str,
) -> str:
    """Return the whole report.

    Args:
        records: of all cases and simulators.
        compared: case → how the levels compare in sbmlgrad.
        rules: of sbmlgrad.
        peer_rules: of the others.
        peer_level: the level that the others were fed.
    """
    simulators = list(dict.fromkeys(record.simulator for record in records))
    parts = [
        "# SBML stochastic test suite",
        _sizes(simulators, rules, peer_rules, peer_level) + _rules_text(rules),
        _totals(records, simulators),
        _overview(records, simulators, compared),
    ]
    for simulator in simulators:
        own = [record for record in records if record.simulator == simulator]
        parts += [f"## {TITLES[simulator]}{_versions(own)}", _numbers(own), _messages(own)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sizes(simulators: Sequence[str], rules: Rules, peer_rules: Rules, peer_level: str) -> str:
    parts = []
    if OURS.name in simulators:
        parts.append(f"{rules.trajectories:,} trajectories of sbmlgrad")
    if any(simulator != OURS.name for simulator in simulators):
        parts.append(
            f"{peer_rules.trajectories:,} trajectories of the others (fed the {peer_level.upper()} "
            "document)"
        )
    return f"{', '.join(parts)}, seed {rules.seed}. "


def _rules_text(rules: Rules) -> str:
    return (
        "Stage one: Z in the "
        f"suite's range and |Y| < {FIRST_BOUND:g}, with Y in standard errors that the sample's own "
        f"fourth moment gives. A case that leaves them is sampled again with a fresh seed and "
        f"{MULTIPLE} times the trajectories; a statistic counts as wrong if it is outside in both "
        f"stages, in the second outside ±{rules.bound:.2f}. Over the {rules.points:,} random "
        f"statistics of this campaign a right simulator fails anywhere with a chance of at most "
        f"{rules.family_wise_error:g}. Where σ = 0, every value must equal the mean. Largest "
        "absolute values are of stage one; `inf` marks a spread where none may be, or none where "
        "there must be some."
    )


def _versions(records: Sequence[Record]) -> str:
    versions = sorted({record.version for record in records if record.version})
    return f" {', '.join(versions)}" if versions else ""


def _totals(records: Sequence[Record], simulators: Sequence[str]) -> str:
    rows = ["| simulator | cases 1–39 passed | cases 40–100 passed |", "|---|---|---|"]
    for simulator in simulators:
        own = [record for record in records if record.simulator == simulator]
        classic = [record for record in own if int(record.case) < DISTRIBUTIONS]
        draws = [record for record in own if int(record.case) >= DISTRIBUTIONS]
        cells = [f"{sum(r.passed for r in part)} of {len(part)}" for part in (classic, draws)]
        rows.append(f"| {TITLES[simulator]} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _overview(
    records: Sequence[Record], simulators: Sequence[str], compared: Mapping[str, str]
) -> str:
    by_key = {(record.case, record.simulator): record for record in records}
    heads = ["case", *(TITLES[s] for s in simulators), *(["levels"] if compared else [])]
    rows = [_row(heads), "|---" * len(heads) + "|"]
    for case in dict.fromkeys(record.case for record in records):
        cells = [by_key[case, s].verdict if (case, s) in by_key else "" for s in simulators]
        rows.append(_row([case, *cells, *([compared.get(case, "")] if compared else [])]))
    return "\n".join(rows)


def _numbers(records: Sequence[Record]) -> str:
    heads = [
        "case",
        "verdict",
        "max abs Z",
        "max abs Y",
        "max abs suite's Y",
        "outside, stage one",
        "outside the suite's ranges",
        "outside, both stages",
        "trajectories",
        "s",
    ]
    rows = [_row(heads), "|---" * len(heads) + "|"]
    for r in records:
        if not r.trajectories:
            rows.append(_row([r.case, r.verdict, *[""] * 7, f"{r.seconds:.1f}"]))
            continue
        sizes = [_size(value) for value in (r.z, r.y, r.suite_y)]
        counts = [str(r.outside), str(r.suite_outside), str(r.confirmed), f"{r.trajectories:,}"]
        rows.append(_row([r.case, r.verdict, *sizes, *counts, f"{r.seconds:.1f}"]))
    return "\n".join(rows)


def _messages(records: Sequence[Record]) -> str:
    said: dict[str, list[str]] = {}
    for record in records:
        if record.message:
            said.setdefault(_short(record.message), []).append(record.case)
    return "\n".join(f"- {', '.join(cases)}: {message}" for message, cases in said.items())


def _short(message: str) -> str:
    # Folders say where it ran, not what was found.
    text = FOLDERS.sub("", " ".join(message.split())).replace("|", "\\|")
    return text if len(text) <= 300 else text[:300] + " …"


def _size(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
