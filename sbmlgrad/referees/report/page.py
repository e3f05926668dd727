"""The report of a cross-check as one page that needs no other file and makes no request."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sbmlgrad.pages.markup import Html, element, joined, listed
from sbmlgrad.pages.parts import Numbers, document, grid, key
from sbmlgrad.pages.style import INK
from sbmlgrad.pages.svg import panel
from sbmlgrad.pages.tables import ID, NUMBER, TEXT, pairs, table
from sbmlgrad.referees.report.plot import OURS, draw_panel
from sbmlgrad.referees.report.rows import SPECIES, VERDICT, columns, rows
from sbmlgrad.referees.report.text import (
    further_rows,
    how,
    mean_text,
    spread_text,
    verdict,
)
from sbmlgrad.referees.report.validation import READING
from sbmlgrad.referees.statistics.compare import POWER, Comparison

if TYPE_CHECKING:
    from sbmlgrad.referees.report.validation import ValidationReport

#: Rows of the table of means and variances.
ROWS = 20


def page(report: ValidationReport) -> str:
    """Return the report as HTML, also well-formed XML.

    Args:
        report: of `validate`.
    """
    numbers = Numbers()
    sections = [_section(comparison, numbers) for comparison in report.comparisons]
    return document(
        f"Cross-check of {report.model}", _opening(report), *sections, _again(report), _reading()
    )


def _opening(report: ValidationReport) -> Html:
    names = [comparison.names[1] for comparison in report.comparisons]
    asked = f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]
    tests = sum(comparison.tests for comparison in report.comparisons)
    found = [c.names[1] for c in report.comparisons if c.disagrees]
    if found:
        lead = f"Disagreement with {', '.join(found)}; {tests} tests of {asked} were made."
    elif report.still:
        still = ", ".join(c.names[1] for c in report.comparisons if c.is_still)
        lead = f"Nothing happened in the comparison with {still}, so that there is no verdict."
    else:
        lead = f"No disagreement with {asked} was found in {tests} tests."
    box = [f"{c.names[1]}: {verdict(c)}" for c in report.comparisons if c.disagrees]
    box += [report.still_sentence] if report.still else []
    box += [f"No result from {name}: {why}" for name, why in report.failed.items()]
    return joined(
        element("p", lead, class_="lead"),
        element("div", listed(*box), class_="look") if box else None,
        listed(*report.notes),
        element("p", f"Seed {report.seed}. Times: {_times(report)}.", class_="note"),
    )


def _times(report: ValidationReport) -> str:
    if report.chosen:
        return report.chosen
    first = report.comparisons[0]
    begin, end = f"{first.times[0]:g}", f"{first.times[-1]:g}"
    shown = end if len(first.times) == 1 else f"{len(first.times)} from {begin} to {end}"
    return f"{shown} {first.time_unit}".rstrip()


def _again(report: ValidationReport) -> Html:
    lines = (element("pre", element("code", line)) for line in report.repeating)
    return element("section", element("h2", "Repeat it exactly"), *lines)


def _section(comparison: Comparison, numbers: Numbers) -> Html:
    heading = element("h2", f"{comparison.names[1]}: {verdict(comparison)}")
    if comparison.is_still:
        # Numbers that cannot differ would look like agreement.
        return element("section", heading)
    shown = comparison.confirmation or comparison
    key_rows = [
        ("line", "blue", f"{comparison.names[0]}, mean"),
        ("area", "blue", "± 1 standard deviation, or share of trajectories"),
        ("dot", "ink", comparison.names[1]),
    ]
    if comparison.disagreement.any():
        key_rows.append(("dot", "orange", "mean or variance disagrees"))
    courses = [
        panel(
            partial(draw_panel, comparison=comparison, s=s, theirs_colour=INK),
            numbers(),
            f"{species}: mean and standard deviation of both sides over time",
        )
        for s, species in enumerate(comparison.species)
    ]
    shapes = [
        panel(partial(_draw_shares, of=of, unit=comparison.time_unit), numbers(), f"{of.species}")
        for of in shown.shares
    ]
    return element(
        "section",
        heading,
        *(element("p", f"{text}.") for text in how(comparison)),
        key(key_rows),
        grid(courses, "species"),
        element("h3", "Distributions at the last time") if shapes else None,
        grid(shapes, "distributions"),
        element("h3", "Means and standard deviations, those nearest to disagreement first"),
        _means(comparison),
        element("h3", "Further tests") if comparison.families else None,
        _families(comparison),
        element("h3", "What could have been found"),
        _power(comparison),
        element("h3", "Not compared") if comparison.left_out else None,
        listed(*comparison.left_out),
        element("h3", "Settings"),
        pairs(comparison.settings.items()),
    )


def _draw_shares(ax: Any, of: Any, unit: str) -> None:
    of.draw(ax, OURS, INK)
    ax.set_title(f"{of.species} at {of.time:g}{f' {unit}' if unit else ''}")


def _means(comparison: Comparison) -> Html:
    of_words = {SPECIES: ID, VERDICT: TEXT}
    kinds = [(name, of_words.get(name, NUMBER)) for name in columns(comparison)]
    return table(kinds, rows(comparison, ROWS))


def _families(comparison: Comparison) -> Html | None:
    if not comparison.families:
        return None
    columns = [
        ("tests of", TEXT),
        ("number", NUMBER),
        ("smallest p", NUMBER),
        ("where", TEXT),
        ("seen", NUMBER),
        (f"found with {POWER:.0%} chance", NUMBER),
        ("in", TEXT),
        ("", TEXT),
    ]
    rows = further_rows(comparison)
    return table(columns, rows)


def _power(comparison: Comparison) -> Html:
    unit = f" {comparison.time_unit}" if comparison.time_unit else ""
    rows = [
        (d.species, f"{d.time:g}{unit}", mean_text(d), spread_text(d))
        for d in comparison.detectable
    ]
    columns = [
        ("species", ID),
        ("at", NUMBER),
        ("bias of the mean", NUMBER),
        ("of the standard deviation", NUMBER),
    ]
    return table(columns, rows, f"Biases that a run like this finds with a chance of {POWER:.0%}")


def _reading() -> Html:
    return element(
        "section",
        element("h2", "How to read this"),
        element(
            "p",
            "z is the difference of means and y that of variances in standard errors. Two samples "
            "are judged by these, one beside an exact answer by p, the chance of a difference as "
            "large, or a bound of it. A value beyond its bound is looked for again in a second run "
            "with other seeds, and counts only if it is found there too. Agreement means that no "
            "difference of the sizes stated was found, at these times and parameters; it does not "
            "prove that either side is right.",
        ),
        element("p", READING),
    )
