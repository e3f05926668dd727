"""The cross-check campaign as Markdown: a matrix, what disagrees and why, what was not compared."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from suites.dsmts_report import FOLDERS

from campaign.argue import OPEN
from campaign.argue import OURS as OURS_RIGHT
from campaign.compare import (
    AGREES,
    CANNOT,
    CLOSED_FORM,
    DISAGREES,
    FAILED,
    FEWEST,
    KNOWN,
    NAMES,
    NO_MEANING,
    NOTHING,
    OURS_FAILED,
    SKIPPED,
    TABLE,
)
from campaign.subjects import SUITE, TITLES
from sbmlgrad.referees.statistics.compare import POWER

Records = Sequence[Mapping[str, Any]]

#: Referees without sampling error.
EXACT = ("fsp", "ode", CLOSED_FORM, TABLE)

#: Letters of a cell, for what was not compared.
LETTERS: Mapping[str, str] = {KNOWN: "K", CANNOT: "C", NOTHING: "N", NO_MEANING: "R"}

#: What a cell of the matrix says, in words.
LEGEND = (
    "✓ agrees, and the number of trajectories of each side; **✗** disagrees; K not asked, since "
    "it is known to mishandle a construct of the model; C it cannot simulate the model, or has no "
    "exact answer; N no reaction or event changes a count, so that only the suite's table says "
    "something; R sbmlgrad refuses the model, since a law fires what is not there, or divides by "
    "nothing; T it failed or ran out of time; ! sbmlgrad failed. An empty cell is a comparison "
    "that there is not."
)

#: How `fsp` says that a network is too large for it.
TOO_MANY_STATES = " states are needed"

#: Longest words of a failure or a reason that a table shows.
LONGEST = 200


def is_settled(record: Mapping[str, Any]) -> bool:
    """Tell whether nothing speaks against sbmlgrad, or an exact answer for it."""
    if record["verdict"] == DISAGREES:
        return record.get("argument", {}).get("right") == OURS_RIGHT
    return record["verdict"] != OURS_FAILED


def cell(record: Mapping[str, Any] | None) -> str:
    """Return the sign of a record in the matrix, and how many trajectories each side had."""
    if record is None:
        return ""
    if record["verdict"] == SKIPPED:
        return LETTERS[record["kind"]]
    signs = {AGREES: "✓", DISAGREES: "**✗**", FAILED: "T", OURS_FAILED: "**!**"}
    return f"{signs[record['verdict']]} {of_each(record)}".strip()


def of_each(record: Mapping[str, Any]) -> str:
    """Return the number of trajectories of each side, in few signs; empty if there is none."""
    found = int(record.get("trajectories") or 0)
    return f"{found / 1000:.3g}k" if found >= 1000 else str(found or "")


def least_difference(record: Mapping[str, Any]) -> float:
    """Return the difference of means that a comparison finds with a chance of 90 %.

    Args:
        record: of one that has a bound on |z| and trajectories.

    Returns:
        In standard deviations of the count; of a normal one, which few trajectories only suggest.
    """
    bound, number = float(record["bound"]), int(record["trajectories"])
    if record["referee"] in EXACT:
        # Judged by Chernoff's bound, 2 exp(-z² / 2) of a normal count.
        level = 2.0 * (1.0 - NormalDist().cdf(bound))
        bound, number = math.sqrt(2.0 * math.log(2.0 / level)), 2 * number
    return (bound + NormalDist().inv_cdf(POWER)) * math.sqrt(2.0 / number)


def power(records: Records) -> str:
    """Say in sentences what comparisons with many and with few trajectories could have found."""
    made = [r for r in records if r.get("bound") and r.get("trajectories")]
    said = []
    for words, is_one in (
        (f"at least {FEWEST}", lambda r: int(r["trajectories"]) >= FEWEST),
        ("fewer", lambda r: int(r["trajectories"]) < FEWEST),
    ):
        found = sorted(least_difference(r) for r in made if is_one(r))
        if found:
            middle, largest = found[len(found) // 2], found[-1]
            said.append(
                f"{len(found)} comparisons have {words} trajectories a side; with a chance of 90 % "
                f"they find a difference of means of {middle:.2g} standard deviations of the count "
                f"(median; the worst {largest:.2g})"
            )
    by_table = sum(r["referee"] == TABLE and bool(r.get("tests")) for r in records)
    if said and by_table:
        said.append(f"{by_table} more are with the suite's table, whose bounds are others")
    return "; ".join(said) + "." if said else ""


def columns(records: Records) -> list[str]:
    """Return the referees that there are, those that are not in `NAMES` last."""
    found = dict.fromkeys(str(r["referee"]) for r in records)
    return sorted(found, key=lambda name: NAMES.index(name) if name in NAMES else len(NAMES))


def groups(records: Records) -> dict[str, list[str]]:
    """Return group → models, in the order of `TITLES`, models sorted."""
    found = {g: sorted({str(r["model"]) for r in records if r["group"] == g}) for g in TITLES}
    return {group: models for group, models in found.items() if models}


def by_place(records: Records) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """Return (group, model, referee) → record, the last one where there are several."""
    return {(r["group"], r["model"], r["referee"]): r for r in records}


def told(record: Mapping[str, Any]) -> str:
    """Return one line about a record."""
    where = f"{record['group']} {record['model']} · {record['referee']}"
    seconds = f" ({record['seconds']:g} s)" if "seconds" in record else ""
    return f"{where}: {record['verdict']}: {short(record['words'])}{seconds}"


def table(records: Records) -> str:
    """Return the whole report."""
    parts = ["# Cross-check campaign", sizes(records), counts(records), LEGEND]
    places, referees = by_place(records), columns(records)
    for group, models in groups(records).items():
        heads = ["case" if group == SUITE else "model", *referees]
        rows = [[m, *(cell(places.get((group, m, r))) for r in referees)] for m in models]
        parts += [f"## {TITLES[group]}", grid(heads, rows)]
    parts += ["## Disagreements", disagreements(records)]
    parts += ["## Failures", failures(records), "## Not compared", reasons(records)]
    return "\n\n".join(parts) + "\n"


def sizes(records: Records) -> str:
    """Return date, versions and how much was compared, in sentences."""
    dates = sorted({str(r["date"]) for r in records if r.get("date")})
    when = dates[0] if len(set(dates)) == 1 else f"{dates[0]} to {dates[-1]}" if dates else ""
    own = ", ".join(sorted({str(r["sbmlgrad"]) for r in records if r.get("sbmlgrad")}))
    versions = {
        (str(r["referee"]), str(r["version"]))
        for r in records
        if r.get("version") and r["referee"] not in ("fsp", "ode", "closed form")
    }
    others = ", ".join(f"{name} {version}" for name, version in sorted(versions))
    made = [r for r in records if r.get("tests")]
    tests = sum(int(r["tests"]) for r in made)
    numbers = sorted(int(r["trajectories"]) for r in made if r["group"] != "" and r["trajectories"])
    between = f"{numbers[0]:,} to {numbers[-1]:,} trajectories a side" if numbers else ""
    effort = ", ".join(sorted({str(r["effort"]) for r in records}))
    return (
        f"Effort {effort}, {when}; sbmlgrad {own}; {others or 'no simulators'}. "
        f"{len(made):,} comparisons, {tests:,} tests, {between}. A test counts only if it is found "
        "twice, the second time with fresh seeds and four times the trajectories: the chance that "
        f"right simulators disagree anywhere in this campaign is at most {chance(records):.1g}."
    )


def chance(records: Records) -> float:
    """Return a bound on the chance of any false alarm over all records.

    A comparison of N tests at level e / N each, made twice independently, has a false alarm with
    chance at most N (e / N)² = e² / N (Boole). With fewer than `FEWEST` trajectories a single run
    may exceed its bounds more often, so that e is what is known. The suite's table has its own e
    for all cases.
    """
    twice = [r for r in records if r.get("tests") and r.get("error")]
    by_table = any(r.get("tests") and "error" not in r for r in records)
    bounds = 0.001 * by_table
    for record in twice:
        error, is_known = float(record["error"]), record["referee"] in EXACT
        is_known |= int(record["trajectories"]) >= FEWEST
        bounds += error**2 / int(record["tests"]) if is_known else error
    return bounds


def counts(records: Records) -> str:
    """Return a table of verdicts by referee."""
    rows = []
    for name in columns(records):
        own = [r for r in records if r["referee"] == name]
        of = Counter(str(r["verdict"]) for r in own)
        kinds = Counter(str(r.get("kind", "")) for r in own)
        versions = ", ".join(sorted({str(r["version"]) for r in own if r.get("version")}))
        shown = (of[AGREES], of[DISAGREES], *(kinds[kind] for kind in LETTERS), of[FAILED])
        rows.append([name, versions, *map(str, shown), str(of[OURS_FAILED])])
    heads = ["referee", "version", "agrees", "disagrees", *LETTERS.values(), "T", "!"]
    return grid(heads, rows)


def disagreements(records: Records) -> str:
    """Return a table of what disagrees, and who is right by which exact answer."""
    found = [r for r in records if r["verdict"] == DISAGREES]
    if not found:
        return "No referee disagrees."
    rows = []
    for record in found:
        argument = record.get("argument", {})
        right = argument.get("right", OPEN)
        says = " / ".join(short(str(argument[k])) for k in ("ours", "theirs") if argument.get(k))
        rows.append(
            [
                str(record["model"]),
                str(record["referee"]),
                short(str(record["words"])),
                f"**{right}**",
                str(argument.get("by") or argument.get("why") or ""),
                says,
            ]
        )
    heads = ["model", "referee", "found", "right is", "by", "that says of ours / theirs"]
    return grid(heads, rows)


def failures(records: Records) -> str:
    """Return what failed, one line each."""
    found = [r for r in records if r["verdict"] in (FAILED, OURS_FAILED)]
    lines = [f"- {told(r)}" for r in found]
    return "\n".join(lines) or "None."


def reasons(records: Records) -> str:
    """Return reasons for which referees were not asked, and how often."""
    found: Counter[tuple[str, str, str]] = Counter()
    for record in records:
        if record["verdict"] == SKIPPED:
            # Divergences are listed so; other reasons may hold the same signs.
            words = str(record["words"])
            for reason in words.split("; ") if record["kind"] == KNOWN else [words]:
                found[record["referee"], record["kind"], _general(reason)] += 1
    order = sorted(found.items(), key=lambda pair: (pair[0][0], -pair[1]))
    rows = [[name, LETTERS[kind], str(n), why] for (name, kind, why), n in order]
    return grid(["referee", "", "models", "why"], rows) if rows else "Everything was compared."


def _general(reason: str) -> str:
    """Return a reason without what is of one model only."""
    if " that of '" in reason or "affine" in reason:
        return "means obey the rate equations only where laws are affine in the counts"
    if TOO_MANY_STATES in reason:
        return "more than 20,000 states are needed"
    return short(reason.rpartition(" (")[0] if reason.endswith(")") else reason, 110)


def short(text: str, longest: int = LONGEST) -> str:
    """Return text that a cell of a table can hold."""
    plain = FOLDERS.sub("", " ".join(text.split())).replace("|", "\\|")
    return plain if len(plain) <= longest else plain[:longest] + " …"


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
