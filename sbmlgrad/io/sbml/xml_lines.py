"""New XML in an edited document: printed in lines that are indented like their neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from sbmlgrad.io.sbml.safe_xml import Edit, SourceDocument, element_stop, open_tag

#: One line of new XML: how deep it is indented, and its text.
Line = tuple[int, str]


def double_text(value: float) -> str:
    """Return an XML Schema double that reads back as the same double."""
    text = repr(float(value))
    return {"nan": "NaN", "inf": "INF", "-inf": "-INF"}.get(text, text)


def element(
    name: str, attributes: Mapping[str, str] | None = None, children: Iterable[Line] = ()
) -> list[Line]:
    """Return the lines of an element with other elements or text inside."""
    quoted = "".join(f" {key}={quoteattr(value)}" for key, value in (attributes or {}).items())
    inner = [(depth + 1, text) for depth, text in children]
    if not inner:
        return [(0, f"<{name}{quoted}/>")]
    return [(0, f"<{name}{quoted}>"), *inner, (0, f"</{name}>")]


def child(parent: Any, name: str) -> Any:
    """Return the child of that name in the parent's own namespace, or None."""
    return parent.find(f"{parent.tag.rpartition('}')[0]}}}{name}")


def own_name(parent: Any, name: str) -> str:
    """Return the qualified name of a new child in the parent's own namespace."""
    return f"{parent.prefix}:{name}" if parent.prefix else name


def bound(scope: Any, wanted: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return prefixes for namespaces at a place, and the declarations that are still missing.

    Args:
        scope: the element that new XML goes into.
        wanted: usual prefix → namespace.

    Returns:
        Usual prefix → the prefix to use, and `xmlns:` attributes to declare.
    """
    known = {uri: prefix for prefix, uri in scope.nsmap.items() if prefix}
    names = {usual: known.get(uri, usual) for usual, uri in wanted.items()}
    missing = {f"xmlns:{usual}": uri for usual, uri in wanted.items() if uri not in known}
    return names, missing


def insert_after(document: SourceDocument, sibling: Any, lines: Iterable[Line]) -> Edit:
    """Insert lines of XML after an element, indented like it."""
    stop = element_stop(document, sibling)
    return Edit(stop, stop, _printed(document, lines, _indent(document, sibling)))


def insert_first(document: SourceDocument, parent: Any, lines: Iterable[Line]) -> Edit:
    """Insert lines of XML as the first children of an element."""
    if not len(parent):
        return insert_last(document, parent, lines)
    stop = document.spans[parent][0] + len(open_tag(document, parent))
    return Edit(stop, stop, _printed(document, lines, _child_indent(document, parent)))


def insert_last(document: SourceDocument, parent: Any, lines: Iterable[Line]) -> Edit:
    """Insert lines of XML as the last children of an element, also of an empty one."""
    indent = _child_indent(document, parent)
    text = _printed(document, lines, indent)
    closing = "" if indent is None else document.newline + (_indent(document, parent) or "")
    start, end = document.spans[parent]
    tag = open_tag(document, parent)
    if tag.endswith(b"/>"):
        first = start + len(tag[:-2].rstrip())
        qualified = own_name(parent, parent.tag.rpartition("}")[2])
        return Edit(first, start + len(tag), f">{text}{closing}</{qualified}>")
    content = document.data[start:end].rstrip()
    if indent is not None and b"\n" in document.data[start + len(content) : end]:
        return Edit(start + len(content), start + len(content), text)
    return Edit(end, end, text + closing)


def replace_element(document: SourceDocument, old: Any, lines: Iterable[Line]) -> Edit:
    """Put lines of XML in the place of an element."""
    indent = _indent(document, old)
    text = _printed(document, lines, indent)
    lead = 0 if indent is None else len(document.newline + indent)
    return Edit(document.spans[old][0], element_stop(document, old), text[lead:])


def remove_element(document: SourceDocument, old: Any) -> Edit:
    """Remove an element, with its lines if nothing else stands on them."""
    start, stop = document.spans[old][0], element_stop(document, old)
    before = document.data.rfind(b"\n", 0, start) + 1
    after = document.data.find(b"\n", stop) + 1
    alone = not document.data[before:start].strip() and not document.data[stop:after].strip()
    return Edit(before, after, "") if alone and after else Edit(start, stop, "")


def remove_attribute(document: SourceDocument, element: Any, name: str) -> Edit:
    """Remove an attribute, or a declaration of a namespace, with the white space before it."""
    start, tag = document.spans[element][0], open_tag(document, element)
    found = re.search(rb"\s+" + re.escape(name.encode()) + rb"\s*=\s*(\"[^\"]*\"|'[^']*')", tag)
    if found is None:
        return Edit(start, start, "")
    return Edit(start + found.start(), start + found.end(), "")


def _indent(document: SourceDocument, element: Any) -> str | None:
    """Return the white space before an element, or None if it does not begin its line."""
    start = document.spans[element][0]
    line = document.data.rfind(b"\n", 0, start) + 1
    white = document.data[line:start].decode("utf-8")
    return white if line and not white.strip() else None


def _child_indent(document: SourceDocument, parent: Any) -> str | None:
    for inside in parent.iterchildren("*"):
        return _indent(document, inside)
    own = _indent(document, parent)
    return None if own is None else own + _unit(document)


def _unit(document: SourceDocument) -> str:
    root, model = _indent(document, document.root) or "", None
    for inside in document.root.iterchildren("*"):
        model = _indent(document, inside)
    return model[len(root) :] if model and model.startswith(root) and model != root else "  "


def _printed(document: SourceDocument, lines: Iterable[Line], indent: str | None) -> str:
    if indent is None:
        return "".join(text for _, text in lines)
    unit, newline = _unit(document), document.newline
    return "".join(f"{newline}{indent}{unit * depth}{text}" for depth, text in lines)
