"""The uncertainty of fitted parameters in the words of SBML's package distrib.

Every parameter with a known uncertainty gets one `<uncertainty>` (Smith et al. 2020, J. Integr.
Bioinform. 17, 20200018, sections 3.10 to 3.12):

- `mean` or `median`: the estimate, if it is one of them;
- `standardError`, or for credible intervals `standardDeviation`, that of the posterior;
- `confidenceInterval` or `credibleInterval` as a span; an infinite limit is left out, which the
  package reads as an open end.

The package has no place for the level of an interval, and readers may take it for 95 %; so the name
of the span states it, and so does an `estimate` of the namespace of our records in the annotation,
by which a later calibration finds what it has to replace. Uncertainties by others stay.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from sbmlgrad.io.sbml.annotation import PREFIX, PROVENANCE, estimate_attributes
from sbmlgrad.io.sbml.safe_xml import Edit, SourceDocument, set_attribute
from sbmlgrad.io.sbml.xml_lines import (
    Line,
    bound,
    double_text,
    element,
    insert_last,
    own_name,
    remove_attribute,
    remove_element,
    replace_element,
)
from sbmlgrad.model.provenance import Estimate, Provenance

#: Namespace of the package, the same in versions 1 and 2 of level 3.
DISTRIB = "http://www.sbml.org/sbml/level3/version1/distrib/version1"

_SYMBOLS = "http://www.sbml.org/sbml/symbols/distrib/"


def uncertainty_edits(
    document: SourceDocument,
    elements: Mapping[str, Any],
    stale: Iterable[str],
    provenance: Provenance | None,
) -> list[Edit]:
    """Return the edits that write the uncertainty of a calibration and take away an earlier one's.

    Args:
        document: the document, of level 3 where there is anything to write.
        elements: id → element of what the document has.
        stale: ids whose value is another one now, so that what we wrote is no longer true.
        provenance: the fit; None writes nothing.
    """
    written = {} if provenance is None else dict(provenance.estimates)
    written = {id: e for id, e in written.items() if e.is_uncertain and id in elements}
    edits: list[Edit] = []
    removed: list[Any] = []
    prefix, declarations = _package(document, needed=bool(written))
    edits += declarations
    for id in dict.fromkeys((*written, *stale)):
        if id not in elements:
            continue
        ours = _ours(elements[id])
        removed += ours
        if id in written and provenance is not None:
            lines = _uncertainty(elements[id], prefix, written[id], provenance.finished)
            edits += _put(document, elements[id], ours, prefix, lines)
        else:
            edits += _taken_away(document, ours)
    if removed and not written and not _is_used(document.root, removed):
        edits += _without_package(document, prefix)
    return edits


def _package(document: SourceDocument, *, needed: bool) -> tuple[str, list[Edit]]:
    """Return the prefix of the package, and the edits that declare it if need be."""
    root = document.root
    known = {uri: prefix for prefix, uri in root.nsmap.items() if prefix}
    if DISTRIB in known:
        return known[DISTRIB], []
    if not needed:
        return "distrib", []
    taken = {prefix for node in root.iter("{*}*") for prefix in node.nsmap}
    names = ("distrib", *(f"distrib{n}" for n in range(1, len(taken) + 2)))
    prefix = next(name for name in names if name not in taken)
    return prefix, [
        set_attribute(document, root, f"xmlns:{prefix}", DISTRIB),
        # The package demands it, whatever of it a document uses (rule distrib-20103).
        set_attribute(document, root, f"{prefix}:required", "true"),
    ]


def _ours(parent: Any) -> list[Any]:
    """Return the uncertainties that an earlier calibration wrote."""
    found = parent.findall(f"{{{DISTRIB}}}listOfUncertainties/{{{DISTRIB}}}uncertainty")
    return [u for u in found if u.find(f"{{*}}annotation/{{{PROVENANCE}}}estimate") is not None]


def _put(
    document: SourceDocument, parent: Any, ours: list[Any], prefix: str, lines: list[Line]
) -> list[Edit]:
    if ours:
        replaced, *others = ours
        removals = [remove_element(document, other) for other in others]
        return [replace_element(document, replaced, lines), *removals]
    there = parent.find(f"{{{DISTRIB}}}listOfUncertainties")
    if there is not None:
        return [insert_last(document, there, lines)]
    return [insert_last(document, parent, element(f"{prefix}:listOfUncertainties", {}, lines))]


def _taken_away(document: SourceDocument, ours: list[Any]) -> list[Edit]:
    """Remove uncertainties, with their list if nothing is left in it."""
    if not ours:
        return []
    container = ours[0].getparent()
    if set(ours).issuperset(container.iterchildren("*")):
        return [remove_element(document, container)]
    return [remove_element(document, uncertainty) for uncertainty in ours]


def _is_used(root: Any, removed: list[Any]) -> bool:
    """Tell whether a document uses the package beside the uncertainties that are removed."""
    gone = {node for uncertainty in removed for node in uncertainty.iter()}
    containers = {uncertainty.getparent() for uncertainty in removed}
    for node in root.iter("{*}*"):
        if str(node.get("definitionURL", "")).startswith(_SYMBOLS):
            return True
        if not node.tag.startswith(f"{{{DISTRIB}}}") or node in gone:
            continue
        if node not in containers or not gone.issuperset(node.iterchildren("*")):
            return True
    return False


def _without_package(document: SourceDocument, prefix: str) -> list[Edit]:
    names = (f"xmlns:{prefix}", f"{prefix}:required")
    return [remove_attribute(document, document.root, name) for name in names]


def _uncertainty(parent: Any, prefix: str, estimate: Estimate, finished: str) -> list[Line]:
    name, declared = bound(parent, PREFIX)
    marked = declared | {"finished": finished} | estimate_attributes(estimate)
    # Units that readers understand are those of the document.
    units = {} if parent.get("units") is None else {f"{prefix}:units": parent.get("units")}
    lines = element(
        own_name(parent, "annotation"), {}, element(f"{name['sbmlgrad']}:estimate", marked)
    )
    for kind, value in _numbers(estimate).items():
        given = {f"{prefix}:type": kind, f"{prefix}:value": double_text(value)}
        lines += element(f"{prefix}:uncertParameter", given | units)
    if estimate.interval is not None:
        lines += element(f"{prefix}:uncertSpan", _span(prefix, estimate) | units)
    return element(f"{prefix}:uncertainty", {f"{prefix}:name": "calibration"}, lines)


def _numbers(estimate: Estimate) -> dict[str, float]:
    found = {} if estimate.central is None else {estimate.central: estimate.value}
    if estimate.standard_error is not None:
        is_posterior = estimate.kind == "credible"
        kind = "standardDeviation" if is_posterior else "standardError"
        found[kind] = estimate.standard_error
    return found


def _span(prefix: str, estimate: Estimate) -> dict[str, str]:
    assert estimate.interval is not None, "asked only where there is one"
    percent = f"{100 * estimate.level:g} % {estimate.kind} interval"
    span = {f"{prefix}:name": percent, f"{prefix}:type": f"{estimate.kind}Interval"}
    for end, limit in zip(("Lower", "Upper"), estimate.interval, strict=True):
        if math.isfinite(limit):
            span[f"{prefix}:value{end}"] = double_text(limit)
    return span
