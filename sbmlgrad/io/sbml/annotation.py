"""What a calibrated model says about itself: modification date, origin, and a record of each fit.

Three things in the annotation of `<model>`, each added without touching what is there:

- the model history (RDF) gets one more `dcterms:modified`, if it is a history that SBML calls
  valid: one with a creator, in level 2 also with a creation date. Otherwise none is begun, since
  software cannot say who made the model; the date is in the record all the same;
- `bqmodel:isDerivedFrom`, unless there is one: what the model claims by `bqmodel:is`, else the
  original document's hash as a `ni:` address (RFC 6920);
- one element `provenance` of the namespace `https://sbmlgrad.org/provenance/1`, a list of records,
  newest last; values are in SBML's units and written so that reading gives the same double:

```
<sbmlgrad:provenance xmlns:sbmlgrad="https://sbmlgrad.org/provenance/1">
  <sbmlgrad:run finished= estimator= seed= loss= lossStandardError= >      one fit
    <sbmlgrad:source sha256= />                         the document before the fit
    <sbmlgrad:data name= sha256= />                     the measurements
    <sbmlgrad:software name= version= />                one per package
    <sbmlgrad:setting name= value= />                   one per setting
    <sbmlgrad:fitted parameter= value= />               one per fitted parameter
    <sbmlgrad:removedInitialAssignment symbol= />       it would have overridden the new value
  </sbmlgrad:run>
  <sbmlgrad:edit> source, removedInitialAssignment </sbmlgrad:edit>        values set without a fit
</sbmlgrad:provenance>
```
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any
from xml.sax.saxutils import quoteattr

from sbmlgrad.io.sbml.safe_xml import Edit, SourceDocument, element_stop, open_tag, set_attribute
from sbmlgrad.model.provenance import Provenance

#: Namespace of the records.
PROVENANCE = "https://sbmlgrad.org/provenance/1"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DCTERMS = "http://purl.org/dc/terms/"
BQMODEL = "http://biomodels.net/model-qualifiers/"

_DC = "http://purl.org/dc/elements/1.1/"
_CREATORS = (f"{{{_DC}}}creator", f"{{{DCTERMS}}}creator")
_CREATED = f"{{{DCTERMS}}}created"
_HISTORY = (*_CREATORS, _CREATED, f"{{{DCTERMS}}}modified")
_ABOUT = f"{{{RDF}}}about"
_METAID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_PREFIXES = {"rdf": RDF, "dcterms": DCTERMS, "bqmodel": BQMODEL, "sbmlgrad": PROVENANCE}
#: One line of new XML: how deep it is indented, and its text.
Line = tuple[int, str]


def double_text(value: float) -> str:
    """Return an XML Schema double that reads back as the same double."""
    text = repr(float(value))
    return {"nan": "NaN", "inf": "INF", "-inf": "-INF"}.get(text, text)


def annotate(
    document: SourceDocument,
    model: Any,
    *,
    level: int,
    source: bytes,
    provenance: Provenance | None,
    removed: Iterable[str],
) -> list[Edit]:
    """Return the edits that annotate a model.

    Args:
        document: the document.
        model: its `<model>` element.
        level: SBML level; level 1 has no RDF, so that only the record is added.
        source: the original document's bytes, for its hash.
        provenance: the fit that gave the values, or None if there was none.
        removed: symbols whose initial assignment is removed.
    """
    is_first = level == 1 and document.root.get("version") == "1"
    tag = "annotations" if is_first else "annotation"
    annotation = _child(model, tag)
    scope = model if annotation is None else annotation
    digest = hashlib.sha256(source).digest()
    edits: list[Edit] = []
    new: list[Line] = []
    if provenance is not None and level > 1:
        rdf_edits, new = _rdf(document, model, annotation, level, digest, provenance.finished)
        edits += rdf_edits
    earlier = None if annotation is None else annotation.find(f"{{{PROVENANCE}}}provenance")
    name, declared = _bound(scope if earlier is None else earlier, "sbmlgrad")
    record = _record(name["sbmlgrad"], digest, provenance, removed)
    if earlier is None:
        new += _element(f"{name['sbmlgrad']}:provenance", declared, record)
    else:
        edits.append(_insert_last(document, earlier, record))
    if annotation is not None:
        return [*edits, _insert_last(document, annotation, new)] if new else edits
    lines = _element(f"{model.prefix}:{tag}" if model.prefix else tag, {}, new)
    notes = _child(model, "notes")
    if notes is not None:
        return [*edits, _insert_after(document, notes, lines)]
    return [*edits, _insert_first(document, model, lines)]


def _record(
    prefix: str, digest: bytes, provenance: Provenance | None, removed: Iterable[str]
) -> list[Line]:
    def one(name: str, /, **attributes: str) -> list[Line]:
        return _element(f"{prefix}:{name}", attributes)

    lines = one("source", sha256=digest.hex())
    dropped = [line for s in removed for line in one("removedInitialAssignment", symbol=s)]
    if provenance is None:
        return _element(f"{prefix}:edit", {}, lines + dropped)
    lines += one("data", name=provenance.data_name, sha256=provenance.data_sha256)
    for name, version in provenance.software.items():
        lines += one("software", name=name, version=version)
    for name, value in provenance.settings.items():
        lines += one("setting", name=name, value=value)
    for name, number in provenance.fitted.items():
        lines += one("fitted", parameter=name, value=double_text(number))
    run = {
        "finished": provenance.finished,
        "estimator": provenance.estimator,
        "seed": str(provenance.seed),
        "loss": double_text(provenance.loss),
        "lossStandardError": double_text(provenance.loss_standard_error),
    }
    return _element(f"{prefix}:run", run, lines + dropped)


# --- RDF ------------------------------------------------------------------------------------------


def _rdf(
    document: SourceDocument, model: Any, annotation: Any, level: int, digest: bytes, finished: str
) -> tuple[list[Edit], list[Line]]:
    """Return edits of the RDF that is there, and the lines of a new block if there is none."""
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
    name, declared = _bound(scope, "rdf", "bqmodel")
    about = {f"{name['rdf']}:about": f"#{identity}"}
    origin = _derived(name, [_named_information(digest)])
    if blocks:
        # libSBML reads the first description only.
        lines = _element(f"{name['rdf']}:Description", declared | about, origin)
        return [*edits, _insert_first(document, blocks[0], lines)], []
    lines = _element(f"{name['rdf']}:Description", about, origin)
    return edits, _element(f"{name['rdf']}:RDF", declared, lines)


def _extended(
    document: SourceDocument, description: Any, level: int, digest: bytes, finished: str
) -> list[Edit]:
    edits: list[Edit] = []
    history = [child for child in description if child.tag in _HISTORY]
    tags = {child.tag for child in history}
    if tags.intersection(_CREATORS) and (level > 2 or _CREATED in tags):
        name, declared = _bound(history[-1], "rdf", "dcterms")
        when = f"<{name['dcterms']}:W3CDTF>{w3c_date(finished)}</{name['dcterms']}:W3CDTF>"
        as_resource = declared | {f"{name['rdf']}:parseType": "Resource"}
        lines = _element(f"{name['dcterms']}:modified", as_resource, [(0, when)])
        edits.append(_insert_after(document, history[-1], lines))
    if description.find(f"{{{BQMODEL}}}isDerivedFrom") is None:
        name, declared = _bound(description, "rdf", "bqmodel")
        same = description.iterfind(f"{{{BQMODEL}}}is/{{{RDF}}}Bag/{{{RDF}}}li")
        origins = [uri for li in same if (uri := li.get(f"{{{RDF}}}resource"))]
        lines = _derived(name, origins or [_named_information(digest)], declared)
        edits.append(_insert_last(document, description, lines))
    return edits


def _derived(
    name: Mapping[str, str], resources: Iterable[str], declared: Mapping[str, str] | None = None
) -> list[Line]:
    rdf = name["rdf"]
    items = [line for uri in resources for line in _element(f"{rdf}:li", {f"{rdf}:resource": uri})]
    bag = _element(f"{rdf}:Bag", {}, items)
    return _element(f"{name['bqmodel']}:isDerivedFrom", declared or {}, bag)


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


# --- new XML --------------------------------------------------------------------------------------


def _child(parent: Any, name: str) -> Any:
    """Return the child of that name in the parent's own namespace, or None."""
    return parent.find(f"{parent.tag.rpartition('}')[0]}}}{name}")


def _bound(scope: Any, *wanted: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the prefix of each wanted namespace at a place, and the declarations still missing."""
    bound = {uri: prefix for prefix, uri in scope.nsmap.items() if prefix}
    names = {usual: bound.get(_PREFIXES[usual], usual) for usual in wanted}
    missing = [usual for usual in wanted if _PREFIXES[usual] not in bound]
    return names, {f"xmlns:{usual}": _PREFIXES[usual] for usual in missing}


def _element(name: str, attributes: Mapping[str, str], children: Iterable[Line] = ()) -> list[Line]:
    quoted = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    inner = [(depth + 1, text) for depth, text in children]
    if not inner:
        return [(0, f"<{name}{quoted}/>")]
    return [(0, f"<{name}{quoted}>"), *inner, (0, f"</{name}>")]


def _insert_after(document: SourceDocument, sibling: Any, lines: Iterable[Line]) -> Edit:
    """Insert lines of XML after an element, indented like it."""
    stop = element_stop(document, sibling)
    return Edit(stop, stop, _printed(document, lines, _indent(document, sibling)))


def _insert_first(document: SourceDocument, parent: Any, lines: Iterable[Line]) -> Edit:
    """Insert lines of XML as the first children of an element."""
    if not len(parent):
        return _insert_last(document, parent, lines)
    stop = document.spans[parent][0] + len(open_tag(document, parent))
    return Edit(stop, stop, _printed(document, lines, _child_indent(document, parent)))


def _insert_last(document: SourceDocument, parent: Any, lines: Iterable[Line]) -> Edit:
    """Insert lines of XML as the last children of an element, also of an empty one."""
    indent = _child_indent(document, parent)
    text = _printed(document, lines, indent)
    closing = "" if indent is None else document.newline + (_indent(document, parent) or "")
    start, end = document.spans[parent]
    tag = open_tag(document, parent)
    if tag.endswith(b"/>"):
        first = start + len(tag[:-2].rstrip())
        name = parent.tag.rpartition("}")[2]
        qualified = f"{parent.prefix}:{name}" if parent.prefix else name
        return Edit(first, start + len(tag), f">{text}{closing}</{qualified}>")
    content = document.data[start:end].rstrip()
    if indent is not None and b"\n" in document.data[start + len(content) : end]:
        return Edit(start + len(content), start + len(content), text)
    return Edit(end, end, text + closing)


def _indent(document: SourceDocument, element: Any) -> str | None:
    """Return the white space before an element, or None if it does not begin its line."""
    start = document.spans[element][0]
    line = document.data.rfind(b"\n", 0, start) + 1
    white = document.data[line:start].decode("utf-8")
    return white if line and not white.strip() else None


def _child_indent(document: SourceDocument, parent: Any) -> str | None:
    for child in parent.iterchildren("*"):
        return _indent(document, child)
    own = _indent(document, parent)
    return None if own is None else own + _unit(document)


def _unit(document: SourceDocument) -> str:
    root, model = _indent(document, document.root) or "", None
    for child in document.root.iterchildren("*"):
        model = _indent(document, child)
    return model[len(root) :] if model and model.startswith(root) and model != root else "  "


def _printed(document: SourceDocument, lines: Iterable[Line], indent: str | None) -> str:
    if indent is None:
        return "".join(text for _, text in lines)
    unit, newline = _unit(document), document.newline
    return "".join(f"{newline}{indent}{unit * depth}{text}" for depth, text in lines)
