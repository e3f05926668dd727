"""The report as one page that needs no other file and makes no request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sbmlgrad.errors import SimulationError
from sbmlgrad.fit.pictures.distribution_panels import distributions
from sbmlgrad.fit.report import figures, repetition, tables, words
from sbmlgrad.fit.report.citations import citations
from sbmlgrad.fit.report.kind import is_exact
from sbmlgrad.fit.result import FitResult
from sbmlgrad.pages.markup import Content, Html, element, joined, listed
from sbmlgrad.pages.parts import document
from sbmlgrad.pages.tables import pairs

#: Settings of the record that the page says in another place.
_SAID_ELSEWHERE = frozenset(
    {"objective", "optimizer", "engine", "assumptions", "startAndBounds", "end", "observables"}
)

#: Settings that say nothing about a fit whose objective needs no simulation.
_OF_ENSEMBLES = frozenset({"trajectories", "commonRandomNumbers"})


def report_html(result: FitResult) -> str:
    """Return the report; use it to show a fit to people who do not program.

    Args:
        result: of a fit.

    Returns:
        HTML, also well-formed XML: figures are part of it, colours follow light or dark, and it
        reads on a telephone and on paper.
    """
    title = f"Fit of {result.model.name or result.model.id}"
    numbers = figures.Numbers()
    sections = [
        element("section", element("h2", heading), *parts)
        for heading, parts in _sections(result, numbers)
        if any(parts)
    ]
    return document(title, _opening(result), *sections)


def _opening(result: FitResult) -> Html:
    paragraphs = words.lead(result)
    first = element("p", paragraphs[0], class_="lead")
    rest = [element("p", text) for text in paragraphs[1:]]
    concerns = words.look_first(result)
    box = (
        element("div", element("strong", "Look at this first"), listed(*concerns), class_="look")
        if concerns
        else None
    )
    return joined(first, *rest, box)


def _sections(
    result: FitResult, numbers: figures.Numbers
) -> Iterator[tuple[str, tuple[Content, ...]]]:
    yield "Parameters", (tables.parameters(result), tables.fixed_parameters(result))
    data = figures.data_panels(result, numbers)
    yield "Data and model", (data and figures.data_key(result), data)
    yield "Distributions over cells", _distributions(result, numbers)
    yield "Residuals", _residuals(result, numbers)
    yield "How sure the values are", _uncertainty(result, numbers)
    yield "Course of the fit", _course(result, numbers)
    yield "What was assumed", (listed(*result.assumptions),)
    yield "Data", _data(result)
    yield "How it was done", _settings(result)
    yield "How to repeat it", _repetition(result)
    yield "What to cite", (listed(*citations(result)),)


def _distributions(result: FitResult, numbers: figures.Numbers) -> tuple[Content, ...]:
    try:
        shown = distributions(result)
    except SimulationError as error:
        return (element("p", f"They cannot be drawn: {error}", class_="note"),)
    if not shown:
        return ()
    said = (
        "How many cells have how many molecules, for each species by itself, and what the fitted "
        f"model gives in {len(shown[0].model)} trajectories. Heights are drawn by their roots, so "
        "that bars scatter alike and rare cells can be seen. Few bars should end outside of the "
        "blue region."
    )
    pictures = figures.distribution_panels_of(result, shown, numbers)
    return element("p", said, class_="note"), figures.distribution_key(), pictures


def _residuals(result: FitResult, numbers: figures.Numbers) -> tuple[Content, ...]:
    pictures = figures.residual_panels(result, numbers)
    if not pictures:
        return ()
    said = (
        "Each residual is the distance of a measurement from the fitted mean in standard "
        "deviations of the noise model (a quantile residual where the noise is not normal). If "
        "model and noise model are right, residuals show no trend over time and lie in the grey "
        "region of the second picture."
    )
    if words.has_assumed_noise(result):
        said += (
            " Here the size of the noise is not known and taken from these residuals themselves, "
            "so that only trends and single outliers among them tell something."
        )
    return element("p", said, class_="note"), pictures


def _uncertainty(result: FitResult, numbers: figures.Numbers) -> tuple[Content, ...]:
    found = result.uncertainty
    if found is None:
        return ()
    how = ", ".join(f"{name} {value}" for name, value in found.settings.items())
    said = (
        f"{100 * found.level:g} % {found.kind} intervals by {found.method}"
        f"{f' ({how})' if how else ''}; the limits stand in the table of parameters."
    )
    return element("p", said), listed(*found.flags), figures.uncertainty_panels(result, numbers)


def _course(result: FitResult, numbers: figures.Numbers) -> tuple[Content, ...]:
    said = (
        f"{words.course_words(result)}{words.size_words(result)}, {result.optimizer}, gradients "
        f"{words.gradient_words(result)}; {words.ended(result)}."
    )
    table = tables.starts(result)
    folded = element("details", element("summary", "All starts"), table) if table else None
    key, pictures = figures.course_key(), figures.course_panels(result, numbers)
    return element("p", said), key, pictures, folded


def _data(result: FitResult) -> tuple[Content, ...]:
    m, snapshots = result.problem.measurements, result.problem.snapshots
    files = [
        (seen.source_name, f"SHA-256 {seen.sha256}" if seen.sha256 else "")
        for seen in (m, snapshots)
        if seen is not None and seen.source_name
    ]
    notes = [*m.notes, *(() if snapshots is None else snapshots.notes)]
    return (
        pairs((name, hash or "read from memory") for name, hash in files) if files else None,
        element("h3", "Read as follows") if notes else None,
        listed(*notes),
        element("h3", "Observables"),
        tables.observables(result),
        element("h3", "Experiments"),
        tables.experiments(result),
    )


def _settings(result: FitResult) -> tuple[Content, ...]:
    provenance = result.model.provenance
    behind = f"trajectories behind the {'curves' if is_exact(result) else 'final loss'}"
    rows: list[tuple[str, Content]] = [
        ("objective", result.objective),
        ("gradients", words.gradient_words(result).removeprefix("by ")),
        ("optimiser", result.optimizer),
        ("engine", result.engine),
        ("seed", str(result.seed)),
        (behind, str(result.evaluation_trajectories or "")),
    ]
    if provenance is None:
        return (pairs(rows),)
    left_out = _SAID_ELSEWHERE | (_OF_ENSEMBLES if is_exact(result) else set())
    rows += [
        (_in_words(name), text)
        for name, text in provenance.settings.items()
        if name not in left_out
    ]
    rows.append(("finished", provenance.finished))
    rows += [(f"version of {name}", version) for name, version in provenance.software.items()]
    return (pairs(rows),)


def _in_words(name: str) -> str:
    """Return a name such as `learningRate` or `uncertainty.level` as words."""
    parted = name.replace(".", ": ")
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f" {found[0].lower()}", parted)


def _repetition(result: FitResult) -> tuple[Content, ...]:
    said = (
        "Everything about this fit is in fit.nc, beside this page: model, data, problem, settings "
        f"and histories. {repetition.promise(result)}"
    )
    exception = repetition.kept_elsewhere(result)
    command = repetition.reproduction(result)
    return (
        element("p", f"{said} {exception}".rstrip()),
        element("pre", command) if command else None,
    )
