"""What a calibrated model tells people: a paragraph and a table in its notes, as XHTML.

Notes that are there stay; each calibration adds one `<div>` after them, inside the body where the
notes are a whole page.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from sbmlgrad.io.sbml.history import w3c_date
from sbmlgrad.io.sbml.safe_xml import Edit, SourceDocument
from sbmlgrad.io.sbml.xml_lines import Line, child, element, insert_last, own_name
from sbmlgrad.model.provenance import Estimate, Provenance

XHTML = "http://www.w3.org/1999/xhtml"

#: Digits of numbers in the table; the record in the annotation has them all.
_DIGITS = 6
_HEAD = ("parameter", "value", "standard error", "interval", "unit")
_UNKNOWN = "–"


def notes(
    document: SourceDocument, model: Any, provenance: Provenance
) -> tuple[list[Edit], list[Line]]:
    """Return edits of the notes that are there, and the lines of new ones if there are none.

    Args:
        document: the document.
        model: its `<model>` element.
        provenance: the fit.
    """
    told = _division(provenance)
    there = child(model, "notes")
    if there is None:
        return [], element(own_name(model, "notes"), {}, told)
    return [insert_last(document, _body(there), told)], []


def _body(there: Any) -> Any:
    """Return where XHTML goes: the body of a page, else the notes themselves."""
    page = there.find(f"{{{XHTML}}}html")
    body = (there if page is None else page).find(f"{{{XHTML}}}body")
    return there if body is None else body


def _division(provenance: Provenance) -> list[Line]:
    version = provenance.software.get("sbmlgrad", "")
    day, clock = w3c_date(provenance.finished).rstrip("Z").split("T")
    told = (
        f"Calibrated with sbmlgrad {version} on {day} at {clock} UTC. "
        f"Data: {provenance.data_name} (SHA-256 {provenance.data_sha256}). "
        f"Gradient estimator: {provenance.estimator}; seed {provenance.seed}; loss "
        f"{_number(provenance.loss)} with standard error "
        f"{_number(provenance.loss_standard_error)}."
    )
    rows = [_row("th", _HEAD)]
    for name in dict.fromkeys((*provenance.fitted, *provenance.estimates)):
        estimate = provenance.estimates.get(name)
        if estimate is None:
            estimate = Estimate(provenance.fitted[name])
        rows.append(_row("td", _cells(name, estimate)))
    lines = [(0, f"<p>{escape(told)}</p>")]
    lines += element("table", {}, rows)
    return element("div", {"xmlns": XHTML}, lines)


def _cells(name: str, estimate: Estimate) -> tuple[str, ...]:
    error, interval = estimate.standard_error, estimate.interval
    limits = _UNKNOWN
    if interval is not None:
        ends = f"{_number(interval[0])} to {_number(interval[1])}"
        limits = f"{ends} ({100 * estimate.level:g} % {estimate.kind})"
    return (
        name,
        _number(estimate.value),
        _UNKNOWN if error is None else _number(error),
        limits,
        estimate.unit,
    )


def _row(cell: str, texts: tuple[str, ...]) -> Line:
    cells = "".join(f"<{cell}>{escape(text)}</{cell}>" for text in texts)
    return 0, f"<tr>{cells}</tr>"


def _number(value: float) -> str:
    return f"{value:.{_DIGITS}g}"
