"""Writes what the cross-check campaign found: table, figure, and the page of the documentation."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from pathlib import Path

from campaign.compare import (
    AGREES,
    DISAGREES,
    FAILED,
    OURS_FAILED,
    SKIPPED,
    Effort,
)
from campaign.plot import draw
from campaign.report import (
    EXACT,
    LEGEND,
    Records,
    chance,
    columns,
    counts,
    disagreements,
    groups,
    is_settled,
    power,
    sizes,
    table,
)
from campaign.subjects import TITLES

WHAT = """
Every model is compared with every referee that can take it. A referee is another simulator, in a
process of its own, or an exact answer:

| referee | what it is |
|---|---|
| roadrunner, tellurium | the Gillespie integrator of libRoadRunner; two ways to load a model |
| copasi, gillespy2, rebop, bngsim | the direct methods of other projects |
| fsp | the master equation of `sbmlgrad.cme` with an error bound, up to 20,000 states |
| ode | the rate equations where they are exact for the mean, which is where laws are affine |
| closed form | distributions of shipped models written down by hand; shares no code of ours |
| suite table | means and standard deviations that the stochastic test suite prints |

What is compared, and when two sides disagree, says [the guide](../how-to/cross-check.md): means,
variances, distributions, covariances, firing counts, times of first firing, waiting times where a
simulator tells them, independence of trajectories.

A simulator gets no model that it is *known* to mishandle. Every such entry has its measurement in
`sbmlgrad/referees/divergences.toml`. So an agreement here means: on what a simulator can do, it and
sbmlgrad sample the same process, as far as these ensembles can tell.
""".strip()

WHO = """
A disagreement between two simulators proves neither wrong. So both are sampled once more and
compared with an exact answer: the closed form, the master equation of up to 200,000 states, the
rate equations where laws are affine, or the suite's table. What no exact answer decides stays
*open*, and the campaign ends with exit code 1.
""".strip()


def write(
    records: Records, absent: Sequence[str], effort: Effort, out: Path, page: Path
) -> list[Path]:
    """Write the table and the figure into a folder, and the page.

    Args:
        records: of one effort.
        absent: referees that are not installed, in words.
        effort: how much was compared.
        out: folder of `campaign.md` and `campaign.png`.
        page: file of the documentation.

    Returns:
        The files.
    """
    out.mkdir(parents=True, exist_ok=True)
    left_out = "".join(f"\nLeft out: {words}.\n" for words in absent)
    report, figure = out / "campaign.md", out / "campaign.png"
    report.write_text(table(records) + left_out, encoding="utf-8")
    draw(records, figure)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_page(records, effort, page, report, figure), encoding="utf-8")
    return [report, figure, page]


def _page(records: Records, effort: Effort, page: Path, report: Path, figure: Path) -> str:
    to = {file: Path(os.path.relpath(file, page.parent)).as_posix() for file in (report, figure)}
    parts = [
        "# sbmlgrad beside other simulators",
        "Written by `python validation/run.py --write`; do not edit. The whole table is in\n"
        f"[`campaign.md`]({to[report]}).",
        _wrapped(_found(records)),
        f"![Every model and every referee]({to[figure]})",
        "## What is compared",
        WHAT,
        "## How much",
        _wrapped(sizes(records) + _effort(effort)),
        counts(records),
        _wrapped(LEGEND),
        "## Who is right",
        WHO,
        disagreements(records),
        "## What this does not show",
        _limits(records),
    ]
    return "\n\n".join(parts) + "\n"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def _found(records: Records) -> str:
    number = {word: sum(r["verdict"] == word for r in records) for word in _WORDS}
    models = sum(len(names) for names in groups(records).values())
    open_still = sum(not is_settled(r) for r in records)
    of_groups = ", ".join(
        f"{len(names)} of *{TITLES[group]}*" for group, names in groups(records).items()
    )
    lines = (
        f"{models} networks ({of_groups}) and {len(columns(records))} referees: "
        f"{number[AGREES]} comparisons agree and {number[DISAGREES]} disagree; "
    )
    if open_still:
        lines += f"**{open_still} of all are not explained**; "
    elif number[DISAGREES]:
        lines += "in all of these an exact answer says that sbmlgrad is right; "
    if number[OURS_FAILED]:
        lines += f"**sbmlgrad failed in {number[OURS_FAILED]}**; "
    beside = {(r["group"], r["model"]) for r in records if r["referee"] in EXACT and r.get("tests")}
    return lines + (
        f"{number[SKIPPED]} were skipped for reasons that the table gives, and "
        f"{number[FAILED]} because the referee failed or ran out of time. {len(beside)} of the "
        "networks have an exact answer beside them, the others simulators alone."
    )


_WORDS = (AGREES, DISAGREES, SKIPPED, FAILED, OURS_FAILED)


def _effort(effort: Effort) -> str:
    if effort.trajectories is None:
        return ""
    return (
        f" This was a quick run, {effort.trajectories:,} trajectories of some models; "
        "`python validation/run.py` without `--quick` makes the full one."
    )


def _limits(records: Records) -> str:
    return (
        f"- Agreement is that of these ensembles. {power(records)} What a comparison could have "
        "found in detail is printed by `validate` itself. Confirmed differences only are counted; "
        "right simulators disagree "
        f"anywhere with a chance of at most {chance(records):.1g}, as far as p-values from samples "
        "of this size hold.\n"
        "- Referees are fed the normalised network, in which reversible laws are split and "
        "everything is counted in molecules. What they make of the files as they stand is another "
        "question, which `validation/dsmts.py --peers` and `validation/biomodels.py --peers` "
        "answer.\n"
        "- `fsp` and `ode` share our reader of models; the closed forms and the suite's table do "
        "not."
    )
