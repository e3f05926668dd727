"""The RDF of a calibrated model: its history goes on, and it says what it is derived from.

- The history gets one more `dcterms:modified`, if it is a history that SBML calls valid: one with a
  creator, in level 2 also with a creation date. Level 3 version 2 alone has creators that are not
  persons (vCard 4), so that there a model without any creator gets a history that begins with the
  calibration, by the software. In other levels none is begun; the date is in the record of the fit
  all the same.
- `bqmodel:isDerivedFrom` names what the model claims to be by `bqmodel:is`, if it is not named yet;
  for a model that names no origin at all it is the original document's hash as a `ni:` address
  (RFC 6920).

The metaid that RDF needs is made where there is none. Nothing that is there is changed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sbmlgrad.io.sbml.safe_xml import Edit, SourceDocument, set_attribute
from sbmlgrad.io.sbml.xml_lines import (
    Line,
    bound,
    element,
    insert_after,
    insert_first,
    insert_last,
)

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DCTERMS = "http://purl.org/dc/terms/"
BQMODEL = "http://biomodels.net/model-qualifiers/"
VCARD = "http://www.w3.org/2006/vcard/ns#"

#: Who begins a history where there is none.
SOFTWARE = "sbmlgrad"

_DC = "http://purl.org/dc/elements/1.1/"
_CREATORS = (f"{{{_DC}}}creator", f"{{{DCTERMS}}}creator")
_CREATED = f"{{{DCTERMS}}}created"
_HISTORY = (*_CREATORS, _CREATED, f"{{{DCTERMS}}}modified")
_ABOUT = f"{{{RDF}}}about"
_METAID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_RDF_AND_MODEL = {"rdf": RDF, "bqmodel": BQMODEL}
_RDF_AND_TERMS = {"rdf": RDF, "dcterms": DCTERMS}
_OF_A_NEW_HISTORY = {**_RDF_AND_TERMS, "vCard4": VCARD}


def rdf(
    document: SourceDocument,
    model: Any,
    annotation: Any,
    *,
    level: tuple[int, int],
    digest: bytes,
    finished: str,
) -> tuple[list[Edit], list[Line]]:
    """Return edits of the RDF that is there, and the lines of a new block if there is none.

    Args:
        document: the document.
        model: its `<model>` element.
        annotation: the model's `<annotation>`, or None.
        level: level and version of SBML.
        digest: SHA-256 of the original document.
        finished: when the fit ended, ISO 8601.
    """
    edits: list[Edit] = []
    blocks = [] if annotation is None else annotation.findall(f"{{{RDF}}}RDF")
    descriptions = [d for block in blocks for d in block.findall(f"{{{RDF}}}Description")]
    identity = model.get("metaid")
    if identity is None:
        identity = _new_metaid(document.root, descriptions)
        edits.append(set_attribute(document, model, "metaid", identity))
    for description in descriptions:
        if description.get(_ABOUT) == f"#{identity}":
            return edits + _extended(document, description, level, digest, finished), []
    scope = blocks[0] if blocks else model if annotation is None else annotation
    begins = level == (3, 2)
    name, declared = bound(scope, _RDF_AND_MODEL | (_OF_A_NEW_HISTORY if begins else {}))
    about = {f"{name['rdf']}:about": f"#{identity}"}
    inside = _begun(name, finished) if begins else []
    inside += _derived(name, [_named_information(digest)])
    if blocks:
        # libSBML reads the first description only.
        lines = element(f"{name['rdf']}:Description", declared | about, inside)
        return [*edits, insert_first(document, blocks[0], lines)], []
    lines = element(f"{name['rdf']}:Description", about, inside)
    return edits, element(f"{name['rdf']}:RDF", declared, lines)


def _extended(
    document: SourceDocument,
    description: Any,
    level: tuple[int, int],
    digest: bytes,
    finished: str,
) -> list[Edit]:
    edits: list[Edit] = []
    history = [part for part in description if part.tag in _HISTORY]
    tags = {part.tag for part in history}
    if tags.intersection(_CREATORS) and (level > (3, 0) or _CREATED in tags):
        name, declared = bound(description, _RDF_AND_TERMS)
        lines = _dated(name, "modified", finished, declared)
        edits.append(insert_after(document, history[-1], lines))
    elif level == (3, 2) and not history:
        name, declared = bound(description, _OF_A_NEW_HISTORY)
        edits.append(insert_first(document, description, _begun(name, finished, declared)))
    known = _resources(description, "isDerivedFrom")
    origins = [uri for uri in _resources(description, "is") if uri not in known]
    if not (origins or known):
        origins = [_named_information(digest)]
    if not origins:
        return edits
    name, declared = bound(description, _RDF_AND_MODEL)
    lines = _derived(name, origins, declared)
    if edits and not len(description):  # both in the place of an empty element
        new_name, new_declared = bound(description, _OF_A_NEW_HISTORY)
        begun = _begun(new_name, finished, new_declared)
        return [insert_last(document, description, begun + lines)]
    return [*edits, insert_last(document, description, lines)]


def _resources(description: Any, qualifier: str) -> list[str]:
    found = description.iterfind(f"{{{BQMODEL}}}{qualifier}/{{{RDF}}}Bag/{{{RDF}}}li")
    return [uri for li in found if (uri := li.get(f"{{{RDF}}}resource"))]


def _begun(
    name: Mapping[str, str], finished: str, declared: Mapping[str, str] | None = None
) -> list[Line]:
    """Return a history of one creator, the software, and one date."""
    terms, card, as_resource = name["dcterms"], name["vCard4"], _resource(name)
    full = element(f"{card}:fn", {}, [(0, f"<{card}:text>{SOFTWARE}</{card}:text>")])
    organisation = f"{card}:organization-name"
    full += [(0, f"<{organisation}>{SOFTWARE}</{organisation}>")]
    creator = element(f"{name['rdf']}:li", as_resource, full)
    bag = element(f"{name['rdf']}:Bag", {}, creator)
    return [
        *element(f"{terms}:creator", declared, bag),
        *_dated(name, "created", finished, declared),
        *_dated(name, "modified", finished, declared),
    ]


def _dated(
    name: Mapping[str, str], what: str, finished: str, declared: Mapping[str, str] | None
) -> list[Line]:
    terms = name["dcterms"]
    when = f"<{terms}:W3CDTF>{w3c_date(finished)}</{terms}:W3CDTF>"
    needed = {k: v for k, v in (declared or {}).items() if v in (RDF, DCTERMS)}
    return element(f"{terms}:{what}", needed | _resource(name), [(0, when)])


def _resource(name: Mapping[str, str]) -> dict[str, str]:
    return {f"{name['rdf']}:parseType": "Resource"}


def _derived(
    name: Mapping[str, str], resources: Iterable[str], declared: Mapping[str, str] | None = None
) -> list[Line]:
    prefix = name["rdf"]
    items = [
        line for uri in resources for line in element(f"{prefix}:li", {f"{prefix}:resource": uri})
    ]
    bag = element(f"{prefix}:Bag", {}, items)
    return element(f"{name['bqmodel']}:isDerivedFrom", declared, bag)


def _named_information(digest: bytes) -> str:
    return f"ni:///sha-256;{base64.urlsafe_b64encode(digest).decode('ascii').rstrip('=')}"


def w3c_date(finished: str) -> str:
    """Return the date as W3CDTF in UTC, the one form that every libSBML reads."""
    when = datetime.fromisoformat(finished)
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _new_metaid(root: Any, descriptions: Iterable[Any]) -> str:
    taken = set(root.xpath("//@metaid"))
    for about in (description.get(_ABOUT, "") for description in descriptions):
        # A description in the model's annotation of what is not there: the model lost its metaid.
        if _METAID.fullmatch(about[1:]) and about[1:] not in taken:
            return about[1:]
    return next(name for n in count(1) if (name := f"model_{n}") not in taken)
