"""Page of the verdicts on schemes of real records, and of the calibration of their test."""

from __future__ import annotations

from typing import Any

import numpy as np
from paper_records import paragraph, table
from scipy.stats import binomtest

from dwells.bootstrap import LEVEL, Verdict
from dwells.calibration import DRIFT, p_values
from dwells.halves import LONGEST
from dwells.statistics import AHEAD, COURSE, DISTANCES, GAP, SCALES
from dwells.work import accepted, chosen, done, latest, verdict_of

#: Levels at which rejections of the calibration are counted.
LEVELS = (0.01, 0.05, 0.1)


def page(lines: list[dict[str, Any]]) -> str:
    """Return the results as a page."""
    records = done(lines, kind="record")
    files = " ".join(f"DIR/{own['record']}.csv:{own['dead_time']:g}" for own in records)
    made = done(lines, kind="verdict")[-1]
    text = ["# Single-channel records against models", ""]
    text += paragraph(
        "Real records, idealised, with their resolution imposed. Every other stretch of at most "
        f"{LONGEST} dwells was fitted, and the others were judged. A scheme has open and shut "
        "states, each open one leading to each shut one and back, with rates such that dwells "
        "beyond the dead time are mixtures of exponentials. With tied shares the next state does "
        "not depend on the last, with free shares it does. Schemes are fitted by maximum "
        "likelihood to pairs of an opening and the shutting behind it, and simulated exactly, one "
        "firing a dwell. They describe a record as it is seen; they are no mechanisms."
    )
    text += [
        "```sh",
        "python validation/benchmarks/paper/paper_channel_records.py --calibrate 250 \\",
        f"    {files}",
        "```",
        "",
    ]
    text += paragraph(
        "This makes the verdicts and measures the test; without a file, page and figure are "
        "written again from the lines that are kept. The dead times, in ms, are the "
        "`resolution_ms` of the first line of each file: the resolution that was imposed on the "
        f"record. Verdicts of {made['date']}; {made['machine']}."
    )
    text += _of_the_test(made["replicates"])
    for own in records:
        name = own["record"]
        text += _of_a_record(own, latest(lines, name), done(lines, kind="earlier", record=name))
    text += _of_the_calibration(lines)
    return "\n".join(text)


def _of_the_test(replicates: int) -> list[str]:
    return [
        "## The test",
        "",
        *paragraph(
            f"From the fitted scheme {replicates} records are simulated and cut as the real one. "
            "The first half of each is fitted again, by the same rule, and its second half is "
            "compared with what that fit expects. So the replicates know as much of the truth as "
            "the record does (parametric bootstrap with estimated parameters). A statistic is "
            "scored by how many standard deviations of the replicates its difference from the fit "
            "is off, on a logarithmic scale if it is positive, and the largest score of all "
            f"{len(SCALES)} statistics is ranked among the largest of each replicate. A scheme is "
            f"rejected at p ≤ {100 * LEVEL:g} %; the p-values of single statistics are adjusted "
            "in the same way, so that this is the error over all of them. `without refitting` is "
            "the smallest p-value if the fitted scheme were known to be the truth."
        ),
        *paragraph(
            "Distances are the largest differences from what the fit expects: of the distributions "
            "of dwells, of the ensemble mean of channels aligned at their openings, from "
            f"{COURSE[0]:g} to {COURSE[-1]:g} ms, and of the share of bursts with at least so many "
            "openings. Of them the page gives the median of the replicates instead of what the "
            f"scheme expects. A burst ends at a shutting of more than {GAP:g} ms. Correlations are "
            "those of ranks of neighbours. `Open 1 ms after an opening began` is that ensemble "
            f"mean at one time; it takes channels with {AHEAD} pairs left in their stretch. "
            "Everything else is expected in closed form."
        ),
    ]


def _of_a_record(
    own: dict[str, Any], found: list[dict[str, Any]], earlier: list[dict[str, Any]]
) -> list[str]:
    verdicts = [verdict_of(line) for line in found]
    names = list(SCALES)
    pairs = [sum(own["layout"][first::2]) for first in (0, 1)]
    text = [f"## {own['record']}", ""]
    text += paragraph(
        f"Dead time {own['dead_time']:g} ms. {pairs[0]} pairs of dwells fitted, {pairs[1]} judged. "
        f"The longest shutting is {own['longest'][0]:.0f} ms in the half that was fitted and "
        f"{own['longest'][1]:.0f} ms in the other. {_conclusion(found)}{_changed(found, earlier)}"
    )
    rows = []
    for verdict in verdicts:
        size = np.where(_is_distance(), verdict.scores, np.abs(verdict.scores))
        most = int(np.argmax(size))
        p = f"{verdict.p_value:.3f}"
        rows.append(
            (
                words(verdict),
                str(verdict.scheme.free),
                f"{verdict.criterion:.0f}",
                f"{names[most]} ({verdict.scores[most]:+.1f})",
                f"**{p}**" if verdict.is_rejected else p,
                f"{verdict.naive:.3f}",
            )
        )
    head = (
        "open and shut states, shares",
        "parameters",
        "criterion",
        "most off (score)",
        "p",
        "without refitting",
    )
    text += [*table(head, rows), ""]
    text += paragraph(
        "What every scheme expects of the unseen half, with the score; bold: rejected by this "
        "statistic, over all of them. Distances are those of the unseen half from the scheme."
    )
    cells = []
    for at, name in enumerate(names):
        seen = "" if name in DISTANCES else _number(verdicts[0].seen[at])
        cells.append((name, seen, *(_cell(verdict, at) for verdict in verdicts)))
    text += [*table(("statistic", "record", *map(words, verdicts)), cells), ""]
    for verdict in _shown(found):
        text += _in_detail(verdict)
    return text


def _shown(found: list[dict[str, Any]]) -> list[Verdict]:
    """Return the chosen scheme and the one with tied shares that has as many states, or most."""
    best = verdict_of(chosen(found))
    tied = [v for v in map(verdict_of, found) if not v.is_free]
    same = [verdict for verdict in tied if verdict.states == best.states] or tied[-1:]
    return [best, *(verdict for verdict in same if verdict.is_free != best.is_free)]


def shown(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines of the schemes that are drawn: the chosen one, and the tied one beside."""
    wanted = [(*verdict.states, verdict.is_free) for verdict in _shown(found)]
    by_scheme = {tuple(line["scheme"]): line for line in found}
    return [by_scheme[scheme] for scheme in wanted]


def _in_detail(verdict: Verdict) -> list[str]:
    state = "rejected" if verdict.is_rejected else "not rejected"
    rows = [
        (
            name,
            _number(verdict.seen[at]),
            _number(verdict.told[at]),
            f"{_number(verdict.spread[0, at])} to {_number(verdict.spread[1, at])}",
            f"{verdict.scores[at]:+.1f}",
            f"{verdict.p_values[at]:.3f}",
        )
        for at, name in enumerate(SCALES)
    ]
    head = ("statistic", "record", "scheme", "95 % of replicates", "score", "p")
    return [f"**{words(verdict)}**, {state}:", "", *table(head, rows), ""]


def _conclusion(found: list[dict[str, Any]]) -> str:
    passing = [words(verdict_of(x)) for x in found if not verdict_of(x).is_rejected]
    best = accepted(found)
    if best is None:
        text = "**Every scheme is rejected.**"
    else:
        text = (
            f"Not rejected: {'; '.join(passing)}. Of these {words(verdict_of(best))} has the "
            "lowest criterion."
        )
    verdicts = map(verdict_of, found)
    spared = [words(v) for v in verdicts if v.naive <= LEVEL and not v.is_rejected]
    if spared:
        return f"{text} Without refitting, also rejected: {'; '.join(spared)}."
    return f"{text} Without refitting, no other scheme would be rejected."


def _changed(found: list[dict[str, Any]], earlier: list[dict[str, Any]]) -> str:
    """Return which schemes an earlier version of the test rejected and this one does not."""
    passing = {tuple(x["scheme"]): words(verdict_of(x)) for x in found if _passes(x)}
    changed = [
        f"{passing[scheme]} ({', '.join(line['rejected'])})"
        for line in earlier
        if (scheme := tuple(line["scheme"])) in passing
    ]
    if not changed:
        return ""
    return (
        " The version of this test that took fitted schemes for the truth, from poorer fits, "
        f"rejected what is not rejected any more: {'; '.join(changed)}."
    )


def _passes(line: dict[str, Any]) -> bool:
    return not verdict_of(line).is_rejected


def words(verdict: Verdict) -> str:
    """Return a scheme in words."""
    shares = "free" if verdict.is_free else "tied"
    return ", ".join((*map(str, verdict.states), shares))


def _cell(verdict: Verdict, at: int) -> str:
    value = verdict.seen[at] if _is_distance()[at] else verdict.told[at]
    text = f"{_number(value)} ({verdict.scores[at]:+.1f})"
    return f"**{text}**" if verdict.p_values[at] <= LEVEL else text


def _is_distance() -> np.ndarray:
    return np.array([name in DISTANCES for name in SCALES])


def _number(value: float) -> str:
    # Correlations that vanish come out as sums of rounding errors.
    plain = 0.0 if abs(value) < 1e-12 else value
    return f"{plain:.3g}" if abs(plain) < 1e3 else f"{plain:.0f}"


def _of_the_calibration(lines: list[dict[str, Any]]) -> list[str]:
    made = done(lines, kind="calibration")
    text = ["## Level and power", ""]
    if not made:
        return [*text, *paragraph("Not measured yet; `--calibrate N` does that.")]
    text += paragraph(
        "Records simulated from the chosen scheme of a real one, as long as that and cut as that, "
        "both halves fitted and judged as above. The first row of a record counts how often the "
        "true class of schemes is rejected, the others how often a wrong one is, or a record whose "
        f"openings are {100 * DRIFT:g} % shorter in the half that is judged. Each data set is "
        "given one replicate, drawn from its own fit and fitted again, and is ranked among those "
        "of all data sets of its row (warp-speed bootstrap, Giacomini, Politis and White 2013). "
        "In brackets: 95 % of the binomial distribution (Clopper and Pearson), which leaves out "
        "that as many replicates tell the null distribution only so well. The last two columns "
        "rank among the same replicates, but do not fit them again."
    )
    rows = []
    groups = dict.fromkeys((line["record"], tuple(line["truth"]), line["plan"]) for line in made)
    for name, truth, plan in sorted(groups, key=lambda group: group[0]):
        own = done(made, record=name, truth=list(truth), plan=plan)
        found = p_values(own)
        naive = p_values(own, "not refitted")
        shares = [_rejections(found, level) for level in LEVELS]
        shares += [_rejections(naive, level) for level in LEVELS[:2]]
        scheme = f"{truth[0]}, {truth[1]}, {'free' if truth[2] else 'tied'}"
        rows.append((name, scheme, plan, str(len(own)), *shares))
    columns = [f"rejected at {100 * level:g} %" for level in LEVELS]
    columns += [f"without refitting, at {100 * level:g} %" for level in LEVELS[:2]]
    return [*text, *table(("record", "truth", "judged by", "data sets", *columns), rows), ""]


def _rejections(p_values: np.ndarray, level: float) -> str:
    # With too few data sets no p-value is as small as the level.
    if level * (len(p_values) + 1) < 1.0:
        return "–"
    found = int((p_values <= level + 1e-12).sum())
    low, high = binomtest(found, len(p_values)).proportion_ci()
    share = 100 * found / len(p_values)
    return f"{found}, {share:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)"
