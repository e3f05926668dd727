"""Writes the tables of the repository campaign as Markdown."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from peers.protocol import PEERS

from suites.biomodels_judge import FAULTS

Record = dict[str, Any]

#: Verdicts on a peer, in the order of the table, and what they mean.
VERDICTS = {
    "right": "ran, and its means and variances agree with ours",
    "wrong": "ran, although it is measured to mishandle a construct of the file",
    "disagrees": "ran, and differs from ours twice",
    "other start": "ran, from a start that it makes whole in another way, and is not compared",
    "not judged": "ran, and there is nothing of ours to compare with",
    "refused": "refused",
    "error": "failed while it sampled",
    "timeout": "out of time",
    "crash": "its process ended by itself",
}


def tier(record: Record) -> str:
    """Return what became of a model in sbmlgrad, as one of a few words."""
    ours = record["ours"]
    if "ending" in ours:
        return ours["ending"].split(" while ")[0]
    last = ours["attempts"][-1]
    if last["outcome"] == "simulated":
        return f"simulated {_options(last['options'])}"
    outcomes = {attempt["outcome"] for attempt in ours["attempts"]}
    for outcome in ("no_reactions", "failed", "too_many_firings"):
        if outcome in outcomes:
            return outcome
    return "refused"


def confirmation(record: Record) -> str:
    """Return who confirms a simulated model: peers, the rate equations, or nobody."""
    agreeing = [p for p, found in record["peers"].items() if found["verdict"] == "right"]
    if agreeing:
        return "by another simulator"
    if any(found["verdict"] == "disagrees" for found in record["peers"].values()):
        return "another simulator disagrees"
    if record["ours"].get("ode", {}).get("near"):
        return "by the rate equations"
    return "by nothing here"


def report(records: Sequence[Record], trajectories: int, limit_s: float, glance_s: float) -> str:
    """Return the whole report.

    Args:
        records: one a model, as `biomodels.run_model` returns them.
        trajectories: of each run.
        limit_s: seconds that each run had.
        glance_s: seconds that a peer had whose answer is not compared.
    """
    parts = [
        "# Models of a repository",
        f"{len(records)} files, each in a process of its own within {limit_s:g} s, {trajectories} "
        f"trajectories; a simulator whose answer is not compared had {glance_s:g} s to run two. "
        "A file is read as it stands; if that cannot be simulated, with "
        '`initial="round"`, then with its numbers taken as molecules (`substance="item"`), then '
        "with both; the first reading that can be simulated counts. Others get the same file, with "
        "its substance unit replaced by item where sbmlgrad took its numbers for molecules. "
        "`no_reactions`: nothing fires, and the rate equations are all there is to it. "
        "`too_many_firings`: exact simulation is infeasible by the number of molecules or of "
        "firings alone.",
        "## sbmlgrad",
        _counts("what became of it", Counter(map(tier, records)), len(records)),
        "Reasons why a file as it stands is not simulated (a file may have several):",
        _codes(records),
        "What ended a run, or made it fail:",
        _failures(records),
        "Rate equations: "
        + _summary(r["ours"].get("ode", {}).get("outcome", "–") for r in records),
    ]
    simulated = [record for record in records if tier(record).startswith("simulated")]
    parts += [
        f"Of the {len(simulated)} simulated, confirmed: " + _summary(map(confirmation, simulated))
    ]
    idle = [_short(r["model"]) for r in simulated if not r["ours"]["attempts"][-1]["firings"]]
    parts += ["Simulated without a single firing up to the horizon: " + (", ".join(idle) or "none")]
    names = [name for name in PEERS if any(name in record["peers"] for record in records)]
    if names:
        parts += ["## Beside others", _peers(records, simulated, names), _faults(records, names)]
        parts += [_disagreements(records)]
    parts += ["## Every file", _every(records, names)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _counts(title: str, counts: Counter[str], total: int) -> str:
    rows = [f"| {title} | files |", "|---|---|"]
    rows += [f"| {name} | {number} |" for name, number in counts.most_common()]
    return "\n".join([*rows, f"| all | {total} |"])


def _codes(records: Iterable[Record]) -> str:
    found: dict[str, list[str]] = defaultdict(list)
    for record in records:
        attempts = record["ours"]["attempts"]
        for code in attempts[0].get("codes", []) if attempts else []:
            found[code].append(record["model"])
    rows = ["| reason | files | which |", "|---|---|---|"]
    for code, models in sorted(found.items(), key=lambda item: -len(item[1])):
        rows.append(f"| `{code}` | {len(models)} | {', '.join(map(_short, models))} |")
    return "\n".join(rows)


def _failures(records: Iterable[Record]) -> str:
    lines = []
    for record in records:
        ours = record["ours"]
        if "ending" in ours:
            lines.append(f"- {record['model']}: {ours['ending']} {_plain(ours.get('message', ''))}")
        for attempt in ours["attempts"]:
            if attempt["outcome"] in ("failed", "too_many_firings"):
                words = f"{attempt['outcome']} {', '.join(attempt['codes'])}"
                said = _plain(attempt["message"])
                lines.append(
                    f"- {record['model']} ({_options(attempt['options'])}): {words}: {said}"
                )
    return "\n".join(lines) or "- nothing"


def _peers(records: Sequence[Record], simulated: Sequence[Record], names: Sequence[str]) -> str:
    heads = ["", "sbmlgrad", *(PEERS[name].title for name in names)]
    rows = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for verdict, meaning in VERDICTS.items():
        own = ""
        if verdict == "right":
            kept = [r for r in simulated if confirmation(r) != "another simulator disagrees"]
            own = f"{len(kept)} simulated and not contradicted"
        cells = [
            str(sum(r["peers"].get(name, {}).get("verdict") == verdict for r in records))
            for name in names
        ]
        rows.append("| " + " | ".join([f"{verdict}: {meaning}", own, *cells]) + " |")
    cells = [
        str(sum(r["peers"].get(name, {}).get("as_it_stands") == "ran" for r in records))
        for name in names
    ]
    rows.append(
        "| " + " | ".join(["runs the file as it stands, rightly or not", "", *cells]) + " |"
    )
    return "\n".join(rows)


def _faults(records: Sequence[Record], names: Sequence[str]) -> str:
    lines = []
    for name in names:
        wrong = [r["peers"][name] for r in records if name in r["peers"]]
        counts = Counter(f for w in wrong if w["verdict"] == "wrong" for f in w["faults"])
        for fault in FAULTS.get(name, {}).values():
            if counts[fault]:
                lines.append(f"- {PEERS[name].title} {fault}: {counts[fault]} files")
    return "\n".join(lines)


def _disagreements(records: Sequence[Record]) -> str:
    lines = [
        f"- {record['model']}: {', '.join(who)}"
        for record in records
        if (who := [p for p, found in record["peers"].items() if found["verdict"] == "disagrees"])
    ]
    return "\n".join(["Disagreements to be settled by an exact answer:", *lines]) if lines else ""


def _every(records: Sequence[Record], names: Sequence[str]) -> str:
    heads = ["file", "sbmlgrad", "horizon", "firings", "rate equations", *names]
    rows = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for record in records:
        attempts = record["ours"]["attempts"]
        last = attempts[-1] if attempts else {}
        ode = record["ours"].get("ode", {})
        near = {True: ", near", False: ", apart"}.get(ode.get("near"), "")
        cells = [
            _short(record["model"]),
            tier(record),
            f"{last['horizon']:g}" if "horizon" in last else "",
            f"{last['firings']:,}" if "firings" in last else "",
            _rate_equations(record) + near,
            *(record["peers"].get(name, {}).get("verdict", "") for name in names),
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _rate_equations(record: Record) -> str:
    return record["ours"].get("ode", {}).get("outcome", "–")


def _options(options: dict[str, str]) -> str:
    return ", ".join(f"{k}={v}" for k, v in options.items()) or "as it stands"


def _summary(words: Iterable[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in Counter(words).most_common()) or "none"


def _short(model: str) -> str:
    return model.removeprefix("BIOMD").lstrip("0") if model.startswith("BIOMD") else model


def _plain(message: str) -> str:
    # Folders say where it ran, not what was found.
    from suites.dsmts_report import FOLDERS

    text = FOLDERS.sub("", " ".join(message.split())).replace("|", "\\|")
    return text if len(text) <= 200 else text[:200] + " …"
