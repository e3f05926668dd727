"""What a calibrated model says about itself: history, origin, notes, and a record of each fit.

Three things in `<model>`, each added without touching what is there:

- RDF in its annotation: model history and origin (`sbmlgrad.io.sbml.history`);
- a paragraph and a table for people in its notes (`sbmlgrad.io.sbml.notes`);
- in its annotation one element `provenance` of the namespace `https://sbmlgrad.org/provenance/1`, a
  list of records, newest last; values are in SBML's units and written so that reading gives the
  same double:

```
<sbmlgrad:provenance xmlns:sbmlgrad="https://sbmlgrad.org/provenance/1">
  <sbmlgrad:run finished= estimator= seed= loss= lossStandardError= >      one fit
    <sbmlgrad:source sha256= />                         the document before the fit
    <sbmlgrad:data name= sha256= />                     the measurements
    <sbmlgrad:software name= version= />                one per package
    <sbmlgrad:setting name= value= />                   one per setting
    <sbmlgrad:fitted parameter= value= />               one per fitted parameter
    <sbmlgrad:estimate parameter= value= central= unit= kind= standardError= lower= upper= level= />
                                                        its uncertainty; what is not known is absent
    <sbmlgrad:removedInitialAssignment symbol= />       it would have overridden the new value
  </sbmlgrad:run>
  <sbmlgrad:edit> source, removedInitialAssignment </sbmlgrad:edit>        values set without a fit
</sbmlgrad:provenance>
```
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from sbmlgrad.io.sbml.history import BQMODEL, DCTERMS, RDF, rdf, w3c_date
from sbmlgrad.io.sbml.notes import notes
from sbmlgrad.io.sbml.safe_xml import Edit, SourceDocument
from sbmlgrad.io.sbml.xml_lines import (
    Line,
    bound,
    child,
    double_text,
    element,
    insert_after,
    insert_first,
    insert_last,
    own_name,
)
from sbmlgrad.model.provenance import Estimate, Provenance

__all__ = [
    "BQMODEL",
    "DCTERMS",
    "PROVENANCE",
    "RDF",
    "annotate",
    "double_text",
    "estimate_attributes",
    "provenance_problems",
]

#: Namespace of the records.
PROVENANCE = "https://sbmlgrad.org/provenance/1"
#: Its usual prefix.
PREFIX = {"sbmlgrad": PROVENANCE}

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def annotate(
    document: SourceDocument,
    model: Any,
    *,
    level: tuple[int, int],
    source: bytes,
    provenance: Provenance | None,
    removed: Iterable[str],
) -> list[Edit]:
    """Return the edits that annotate a model.

    Args:
        document: the document.
        model: its `<model>` element.
        level: SBML level and version; level 1 has no RDF, so that only notes and record are added.
        source: the original document's bytes, for its hash.
        provenance: the fit that gave the values, or None if there was none.
        removed: symbols whose initial assignment is removed.
    """
    tag = "annotations" if level == (1, 1) else "annotation"
    annotation = child(model, tag)
    scope = model if annotation is None else annotation
    digest = hashlib.sha256(source).digest()
    edits: list[Edit] = []
    new: list[Line] = []
    if provenance is not None and level > (2, 0):
        rdf_edits, new = rdf(
            document, model, annotation, level=level, digest=digest, finished=provenance.finished
        )
        edits += rdf_edits
    earlier = None if annotation is None else annotation.find(f"{{{PROVENANCE}}}provenance")
    name, declared = bound(scope if earlier is None else earlier, PREFIX)
    record = _record(name["sbmlgrad"], digest, provenance, removed)
    if earlier is None:
        new += element(f"{name['sbmlgrad']}:provenance", declared, record)
    else:
        edits.append(insert_last(document, earlier, record))
    # Notes come first, before the annotation; both may be new, and then stand in one place.
    head: list[Line] = []
    if provenance is not None:
        note_edits, head = notes(document, model, provenance)
        edits += note_edits
    if annotation is not None:
        if head:
            edits.append(insert_first(document, model, head))
        return [*edits, insert_last(document, annotation, new)] if new else edits
    lines = element(own_name(model, tag), {}, new)
    there = child(model, "notes")
    if there is not None:
        return [*edits, insert_after(document, there, lines)]
    return [*edits, insert_first(document, model, head + lines)]


def _record(
    prefix: str, digest: bytes, provenance: Provenance | None, removed: Iterable[str]
) -> list[Line]:
    def one(name: str, /, **attributes: str) -> list[Line]:
        return element(f"{prefix}:{name}", attributes)

    lines = one("source", sha256=digest.hex())
    dropped = [line for s in removed for line in one("removedInitialAssignment", symbol=s)]
    if provenance is None:
        return element(f"{prefix}:edit", {}, lines + dropped)
    lines += one("data", name=provenance.data_name, sha256=provenance.data_sha256)
    for name, version in provenance.software.items():
        lines += one("software", name=name, version=version)
    for name, value in provenance.settings.items():
        lines += one("setting", name=name, value=value)
    for name, number in provenance.fitted.items():
        lines += one("fitted", parameter=name, value=double_text(number))
    for name, estimate in provenance.estimates.items():
        lines += one("estimate", parameter=name, **estimate_attributes(estimate))
    run = {
        "finished": provenance.finished,
        "estimator": provenance.estimator,
        "seed": str(provenance.seed),
        "loss": double_text(provenance.loss),
        "lossStandardError": double_text(provenance.loss_standard_error),
    }
    return element(f"{prefix}:run", run, lines + dropped)


def estimate_attributes(estimate: Estimate) -> dict[str, str]:
    """Return an estimate as the attributes of a record; what is not known is left out."""
    found = {"value": double_text(estimate.value)}
    if estimate.central is not None:
        found["central"] = estimate.central
    if estimate.unit:
        found["unit"] = estimate.unit
    if estimate.is_uncertain:
        found["kind"] = estimate.kind
    if estimate.standard_error is not None:
        found["standardError"] = double_text(estimate.standard_error)
    if estimate.interval is not None:
        lower, upper = map(double_text, estimate.interval)
        found |= {"lower": lower, "upper": upper, "level": double_text(estimate.level)}
    return found


def provenance_problems(provenance: Provenance) -> Iterator[str]:
    """Say what of a record XML cannot hold."""
    texts = {
        "data_name": provenance.data_name,
        "data_sha256": provenance.data_sha256,
        "estimator": provenance.estimator,
        **{f"software '{name}'": f"{name} {v}" for name, v in provenance.software.items()},
        **{f"setting '{name}'": f"{name} {v}" for name, v in provenance.settings.items()},
        **{f"estimate '{name}'": f"{name} {e.unit}" for name, e in provenance.estimates.items()},
    }
    for what, text in texts.items():
        if found := _FORBIDDEN.search(text):
            yield f"provenance, {what}: XML cannot hold the character {found[0]!r}; leave it out"
    try:
        w3c_date(provenance.finished)
    except ValueError:
        yield (
            f"provenance, finished: {provenance.finished!r} is no ISO 8601 date and time; "
            "give one such as 2026-01-31T12:00:00Z"
        )
