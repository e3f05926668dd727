"""The page of the bias campaign, every sentence and mark of it from the records."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

#: A record, and records by (case, method).
Record = Mapping[str, Any]
Found = Mapping[tuple[str, str], Record]

#: |z| from which a bias counts as found, and the bias that is claimed of the default.
RESOLVED, CLAIM = 3.0, 0.01

#: How records and pages call single runs of `FittedValue`.
RUNS = "runs"

DEFAULT = "TwoSidedAdjoint"

#: Prototype's row → our row with its rates and readout, what the prototype gave for the default,
#: and our other row of the same network, with how that differs.
PROTOTYPE = (
    ("ion channel", "ion_channel, O in 4 windows to 4", "0.25 %", "", ""),
    ("dimerization, 6 + 5", "small_dimer, C in 3 windows to 3", "0.14 %", "", ""),
    ("dimerization, 100 + 90", "dimer, C in 3 windows to 1", "0.04 %", "", ""),
    ("negative autoregulation", "autoregulation, P in 3 windows to 3", "0.65 %", "", ""),
    (
        "enzyme",
        "slow_enzyme, P in 3 windows to 6",
        "0.08 %",
        "enzyme, P at 1, 2, 4",
        "rates 1.4 to 2.5 times as fast and counts at times, not averages",
    ),
    (
        "epidemic",
        "outbreak, R in 3 windows to 3",
        "0.6 %",
        "epidemic, I at 1, 2, 3",
        "recovery twice and infection 1.1 times as fast and counts of the infected at times, "
        "not averages of the removed",
    ),
    ("promoter with reactivation, T = 3", "promoter, P in 3 windows to 3", "0.24 %", "", ""),
    (
        "promoter with reactivation, T = 10",
        "promoter, P in 3 windows to 10",
        "11.1 %",
        "promoter, P at 10",
        "the count at the end alone, not averages over thirds of the time",
    ),
    ("Schlögl voxel, t = 0.1", "schloegl, X in 3 windows to 0.1", "0.3 %", "", ""),
    ("Schlögl voxel, t = 0.3", "schloegl, X in 3 windows to 0.3", "2.6 ± 2.2 %", "", ""),
    ("Schlögl voxel, t = 1", "schloegl, X in 3 windows to 1", "24 ± 7 %", "", ""),
)


def page(
    records: Sequence[Record],
    rows: Sequence[str],
    hard: Sequence[str],
    columns: Sequence[str],
    refused: Collection[tuple[str, str]],
) -> str:
    """Return the page as Markdown.

    Args:
        records: of networks and estimators; of several of one pair the last counts.
        rows: titles of all cases, in order.
        hard: those that `FittedValue` is run on singly.
        columns: names of the estimators, in order.
        refused: pairs of case and estimator that cannot be.
    """
    found = {(r["case"], r["method"]): r for r in records}
    parts = [
        "# Bias and noise of gradient estimators",
        intro(found),
        table(found, rows, columns, refused),
        unbiased(found, rows, columns),
        default(found, rows),
        prototype(found),
        singles(found, hard),
        left(found, rows, hard, columns, refused),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def intro(found: Found) -> str:
    """Return what the numbers are."""
    seeds = sorted({str(r["seed"]) for r in found.values()})
    return (
        "Relative bias ± its standard error / noise-to-signal of one trajectory, of the gradient "
        "in logarithms of the parameters, all parameters and points of a row together, against the "
        f"finite state projection. Trajectories in 20 batches, seed {', '.join(seeds)}; a standard "
        "error makes a bias of its own size by chance.\n\n"
        "† `StraightThrough` does not differentiate values at times; here it has averages over the "
        "windows between 0 and these times, against the truth of those. – means that it refuses, "
        "and windows have no exact answer. * means that the limit of CPU time of a record cut the "
        "number of trajectories."
    )


def table(
    found: Found, rows: Sequence[str], columns: Sequence[str], refused: Collection[tuple[str, str]]
) -> str:
    """Return bias, error and noise of everything."""
    lines = [
        "| network and readout | " + " | ".join(f"`{c}`" for c in columns) + " |",
        "|---" + "|--:" * len(columns) + "|",
    ]
    for row in rows:
        cells = []
        for column in columns:
            record = found.get((row, column))
            if record is not None:
                cells.append(cell(record))
            else:
                cells.append("–" if (row, column) in refused else "not run yet")
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cell(record: Record) -> str:
    """Return bias ± error / noise with marks."""
    marks = "†" if record["readout"] != record["case"] else ""
    marks += "*" if is_cut(record) else ""
    bias, error = percent(record["bias"]), percent(record["error"])
    return f"{bias} ± {error} % / {record['noise']:.2g}{' ' * bool(marks)}{marks}"


def is_cut(record: Record) -> bool:
    """Tell whether there was no time for all trajectories."""
    return record.get("trajectories", 0) < record.get("wanted", 0)


def percent(share: float) -> str:
    """Return a share in percent, two digits, no power of ten."""
    value = 100.0 * share
    if value == 0.0:
        return "0"
    digits = max(1 - math.floor(math.log10(abs(value))), 0)
    return f"{value:.{digits}f}"


def unbiased(found: Found, rows: Sequence[str], columns: Sequence[str]) -> str:
    """Return what the runs of unbiased estimators could have seen, and did."""
    pairs = [(r, c) for r in rows for c in columns if found.get((r, c), {}).get("unbiased")]
    if not pairs:
        return ""
    records = [found[pair] for pair in pairs]
    fine = sum(r["error"] <= r["resolve"] for r in records)
    largest = max(records, key=lambda r: r["z"])
    over = sum(r["z"] >= RESOLVED for r in records)
    goal = percent(records[0]["resolve"])
    quiet = [r for r in records if r["noise"] <= 5.0]
    lines = [
        "## Unbiased estimators",
        "",
        f"Joint z-scores of the bias over parameters and points. {fine} of {len(records)} standard "
        f"errors are at most {goal} %, of the {len(quiet)} with a noise of at most 5 "
        f"{sum(r['error'] <= r['resolve'] for r in quiet)}. {over} of {len(records)} scores are "
        f"{RESOLVED:g} or more, which chance makes once in 370; the largest is {largest['z']:.1f} "
        f"(`{largest['method']}`, {largest['case']}). *Seen from* is the power: three standard "
        "errors, the bias that this run would have seen. Scores take the means of batches for "
        "normal; where the noise is 10 or more a few trajectories carry them: scores are rough.",
        "",
        "| network and readout | estimator | trajectories | noise | bias ± error | z | seen from |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for one in records:
        power = f"{percent(RESOLVED * one['error'])} %"
        power += " *" if is_cut(one) else ""
        lines.append(
            f"| {one['case']} | `{one['method']}` | {one['trajectories']:,} | {one['noise']:.2g} | "
            f"{percent(one['bias'])} ± {percent(one['error'])} % | {one['z']:.1f} | {power} |"
        )
    return "\n".join(lines)


def default(found: Found, rows: Sequence[str]) -> str:
    """Return where the default estimator is biased, and which way."""
    records = [found[row, DEFAULT] for row in rows if (row, DEFAULT) in found]
    if not records:
        return ""

    def said(record: Record) -> str:
        sign = "longer" if record["along"] > 0.0 else "shorter"
        along = f"{percent(abs(record['along']))} ± {percent(record['along_error'])} % {sign}"
        bias = f"{percent(record['bias'])} ± {percent(record['error'])} %"
        return f"{record['case']}: {bias}, along the truth {along}"

    beyond = [r for r in records if r["z"] >= RESOLVED and r["bias"] - r["error"] > CLAIM]
    small = [r for r in records if r not in beyond and r["bias"] + r["error"] <= CLAIM]
    unclear = [r for r in records if r not in beyond and r not in small]
    lines = [
        f"## Where `{DEFAULT}` is biased",
        "",
        f"Within {percent(CLAIM)} %, a standard error included, on {len(small)} of {len(records)} "
        f"rows. Beyond {percent(CLAIM)} % by more than its error, with a z-score of "
        f"{RESOLVED:g} or more:",
        "",
        *(f"- {said(r)}" for r in beyond),
    ]
    if unclear:
        names = "; ".join(
            f"{r['case']} ({percent(r['bias'])} ± {percent(r['error'])} %)" for r in unclear
        )
        lines += ["", f"Neither is shown by these numbers for: {names}."]
    return "\n".join(lines)


def prototype(found: Found) -> str:
    """Return how the default compares with the prototype, and which rows of ours differ why."""
    lines = []
    for name, same, gave, other, how in PROTOTYPE:
        one, two = found.get((same, DEFAULT)), found.get((other, DEFAULT))
        if one is None:
            continue
        ours = f"{percent(one['bias'])} ± {percent(one['error'])} %"
        text = f"- {name}: {gave} there, {ours} here with the same rates and readout ({same})"
        if two is not None:
            differs = f"{percent(two['bias'])} ± {percent(two['error'])} %"
            text += f"; {differs} in the row {other}, with {how}"
        lines.append(f"{text}.")
    if not lines:
        return ""
    return "\n".join(
        [
            "## Beside the prototype",
            "",
            f"The prototype that `{DEFAULT}` was chosen with, and this implementation:",
            "",
            *lines,
        ]
    )


def singles(found: Found, hard: Sequence[str]) -> str:
    """Return the errors of single runs of `FittedValue`."""
    records = [found[row, RUNS] for row in hard if (row, RUNS) in found]
    if not records:
        return ""
    number, seed = len(records[0]["runs"]), records[0]["seed"]
    lines = [
        "## Single runs of `FittedValue`",
        "",
        f"Relative error of ONE run of `FittedValue()` with {records[0]['size']:,} trajectories, "
        f"all parameters and readout points together: {number} runs, seeds {seed} to "
        f"{seed + number - 1}, and the error of their mean. The largest is "
        f"{percent(max(max(r['runs']) for r in records))} %.",
        "",
        "| network and readout | "
        + " | ".join(f"run {i + 1}" for i in range(number))
        + " | mean of the runs |",
        "|---" + "|--:" * (number + 1) + "|",
    ]
    for one in records:
        cells = [f"{percent(error)} %" for error in (*one["runs"], one["of_mean"])]
        lines.append(f"| {one['case']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def left(
    found: Found,
    rows: Sequence[str],
    hard: Sequence[str],
    columns: Sequence[str],
    refused: Collection[tuple[str, str]],
) -> str:
    """Return what was cut or not run, and the command that goes on."""
    pairs = [(row, column) for row in rows for column in columns if (row, column) not in refused]
    pairs += [(row, RUNS) for row in hard]
    missing = [pair for pair in pairs if pair not in found]
    cut = [found[pair] for pair in pairs if pair in found and is_cut(found[pair])]
    spent = sum(r["seconds"] for r in found.values()) / 60.0
    lines = ["## How it was run", "", f"CPU time of all records: {spent:.0f} minutes."]
    if missing or cut:
        whole = [r["seconds"] / r["trajectories"] * r["wanted"] for r in cut]
        lines[-1] += (
            f" {len(cut)} were cut and {len(missing)} not run yet. `python "
            "validation/gradient_bias.py --seconds S --write "
            "validation/results/gradient_bias.md` goes on from the records in "
            "`gradient_bias.jsonl`; the cut ones, at the speed that they had, take "
            + ", ".join(
                f"{sum(min(s, limit) for s in whole) / 60.0:.0f} minutes with S = {limit}"
                for limit in (60, 600, 7200)
            )
            + ", besides compiling and those not run yet."
        )
    return "\n".join(lines)
