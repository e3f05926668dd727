"""XML bytes from anywhere: a check before libSBML sees them, and edits that spare all other bytes.

`check_xml` uses the standard library's expat alone, which expands nothing and loads nothing.
`source_document` pairs lxml's tree (to find things) with expat's byte offsets (to change them),
since lxml's printer would rewrite quotes, empty tags and line ends all over the document.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from sbmlgrad.errors import SbmlGradError, UnreadableFileError
from sbmlgrad.model.issues import EVERY_MODE, Issue, Severity

#: Largest document, in bytes.
MAX_BYTES = 256 * 2**20
#: Deepest nesting of elements; the models of BioModels stay below 40.
MAX_DEPTH = 256
#: Longest tag, comment or processing instruction in bytes: the limit of libxml2, under lxml.
MAX_TOKEN = 10_000_000

_CHUNK = 2**20
_ENCODINGS = ("utf-8", "utf-16")
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_MATHML = "{http://www.w3.org/1998/Math/MathML}"
_OPEN_TAG = re.compile(rb"<[^<>\"']*(?:\"[^\"]*\"[^<>\"']*|'[^']*'[^<>\"']*)*>")
_ATTRIBUTE = re.compile(rb"([^\s=/<>\"']+)\s*=\s*(\"[^\"]*\"|'[^']*')")


class _Refused(SbmlGradError):
    """Leaves expat at the first offence, so that the work done is bounded."""

    def __init__(self, code: str, message: str, advice: str) -> None:
        super().__init__(message)
        self.code, self.message, self.advice = code, message, advice


def check_xml(data: bytes, *, name: str) -> tuple[Issue, ...]:
    """Refuse bytes that are not a plain, well-formed SBML document; use before any other parser.

    Args:
        data: the document as it came.
        name: what to call it in the issue, for instance its file name.

    Returns:
        Nothing for a document that may be parsed; otherwise the one issue that stopped the check,
        with code `unsafe_xml` (document type, depth or size), `broken_xml` (not well-formed, not
        UTF-8 or UTF-16) or `not_sbml` (another root element).
    """
    codec = _codec(data)
    # The encoding comes from us, so that no declaration makes expat read what libSBML will not.
    parser = expat.ParserCreate("utf-8" if codec == "utf-8" else "utf-16", " ")
    line: int | None = None
    try:
        _refuse_size(len(data), MAX_BYTES, "the document")
        _refuse_undecodable(data, codec)
        _watch(parser)
        for start in range(0, len(data), _CHUNK):
            stop = min(start + _CHUNK, len(data))
            line = parser.CurrentLineNumber
            parser.Parse(data[start:stop], False)
            # Expat reads an unfinished token anew with every chunk: unbounded, that is quadratic.
            _refuse_size(stop - max(parser.CurrentByteIndex, 0), MAX_TOKEN, "one tag or comment")
        parser.Parse(b"", True)
    except _Refused as refused:
        line, problem = line and parser.CurrentLineNumber, refused
    except expat.ExpatError as error:
        line, problem = error.lineno, _broken(data, parser.ErrorByteIndex, error)
    else:
        return ()
    code, message, advice = problem.code, problem.message, problem.advice
    return (Issue(code, Severity.ERROR, name, line, message, advice, EVERY_MODE),)


def _watch(parser: Any) -> None:
    depth = 0

    def declared(version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise _Refused(
                "broken_xml",
                f"the document declares the encoding '{encoding}'; SBML is written in UTF-8.",
                'Save it as UTF-8 and declare encoding="UTF-8".',
            )

    def doctype(*_: object) -> None:
        raise _Refused(
            "unsafe_xml",
            "the document has a DOCTYPE, which SBML forbids: the entities it may define can read "
            "other files or grow without bound.",
            "Remove the DOCTYPE and write the entities out.",
        )

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            what = f"elements are nested more than {MAX_DEPTH} deep, which can exhaust the stack."
            raise _Refused("unsafe_xml", what, "Split the formula or annotation nested so deeply.")
        local_name = tag.rpartition(" ")[2]
        if depth == 1 and local_name != "sbml":
            raise _Refused(
                "not_sbml",
                f"the root element is <{local_name}>, so this is XML but no SBML model.",
                "Give a file whose root element is <sbml>.",
            )

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1

    parser.XmlDeclHandler = declared
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end


def _codec(data: bytes) -> str:
    return _UTF_16.get(data[:2], "utf-8")


def _refuse_undecodable(data: bytes, codec: str) -> None:
    if codec == "utf-8" and b"\0" in data[:2]:
        raise _not_text(codec, 0)  # UTF-16 without its mark, which not every parser recognises
    try:
        if codec != "utf-8":  # expat sees to UTF-8, and knows the line
            data.decode(codec)
    except UnicodeDecodeError as error:
        raise _not_text(codec, error.start) from None


def _not_text(codec: str, offset: int) -> _Refused:
    what = f"the byte at offset {offset} is not {codec.upper()}, so the text cannot be read."
    return _Refused("broken_xml", what, "Save the document as UTF-8.")


def _broken(data: bytes, offset: int, error: expat.ExpatError) -> _Refused:
    try:
        data[offset : offset + 4].decode("utf-8")
    except UnicodeDecodeError as undecodable:
        if undecodable.start == 0 and _codec(data) == "utf-8":
            return _not_text("utf-8", offset)
    return _Refused(
        "broken_xml",
        f"the XML is not well-formed: {expat.ErrorString(error.code)} at column {error.offset}.",
        "Correct it there, or fetch the file again if it was cut off.",
    )


def _refuse_size(size: int, limit: int, what: str) -> None:
    if size > limit:
        raise _Refused(
            "unsafe_xml",
            f"{what} has {size} bytes or more, over the limit of {limit}.",
            "Remove embedded data that is no part of the model.",
        )


# --- edits in place -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the bytes from `start` up to `stop` of a document by a text."""

    start: int
    stop: int
    text: str


@dataclass(frozen=True)
class SourceDocument:
    """A document to be edited in place.

    Attributes:
        data: the document in UTF-8.
        codec: Python codec of the original bytes.
        root: lxml's root element.
        spans: element → byte offsets of its start tag and its end tag (for an empty-element tag the
            second is of no use); mathematics left out.
        newline: how its lines end.
    """

    data: bytes
    codec: str
    root: Any
    spans: Mapping[Any, tuple[int, int]]
    newline: str


def source_document(data: bytes) -> SourceDocument:
    """Parse bytes that `check_xml` accepted, for editing.

    Raises:
        UnreadableFileError: lxml refuses what expat accepted.
    """
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs

    codec = _codec(data)
    text = data if codec == "utf-8" else data.decode(codec).encode("utf-8")
    reader = etree.XMLParser(
        encoding="utf-8",  # wins over the declaration, which may say UTF-16
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        remove_blank_text=False,
    )
    try:
        root = etree.fromstring(text, reader)
    except etree.XMLSyntaxError as error:
        raise UnreadableFileError(
            f"the SBML document cannot be parsed for writing: {error}; correct it at that line"
        ) from error
    starts, ends = _offsets(text)
    # Both parsers meet the elements in document order.
    spans = {
        element: (starts[i], ends[i])
        for i, element in enumerate(root.iter(etree.Element))
        if not element.tag.startswith(_MATHML)
    }
    newline = "\r\n" if b"\r\n" in text else "\n"
    return SourceDocument(text, codec, root, spans, newline)


def _offsets(text: bytes) -> tuple[array[int], array[int]]:
    parser = expat.ParserCreate(encoding="utf-8")
    starts, ends, unfinished = array("q"), array("q"), array("q")

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        unfinished.append(len(starts))
        starts.append(parser.CurrentByteIndex)
        ends.append(0)

    def end(tag: str) -> None:
        ends[unfinished.pop()] = parser.CurrentByteIndex

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(text, True)
    return starts, ends


def apply_edits(document: SourceDocument, edits: Iterable[Edit]) -> bytes:
    """Return the document with the edits, in its original encoding; the edits do not overlap."""
    pieces: list[bytes] = []
    done = 0
    for edit in sorted(edits, key=lambda e: (e.start, e.stop)):
        pieces += (document.data[done : edit.start], edit.text.encode("utf-8"))
        done = edit.stop
    edited = b"".join((*pieces, document.data[done:]))
    if document.codec == "utf-8":
        return edited
    return edited.decode("utf-8").encode(document.codec)


def set_attribute(
    document: SourceDocument, element: Any, name: str, value: str, *, instead_of: str | None = None
) -> Edit:
    """Give an attribute a value, which needs no escaping, in place of its old value.

    Args:
        document: the document.
        element: the element that has or gets the attribute.
        name: the attribute, without a namespace.
        value: its new value.
        instead_of: an attribute to take the place of; else an attribute not there comes last.
    """
    start = document.spans[element][0]
    tag = open_tag(document, element)
    wanted = (instead_of or name).encode("utf-8")
    for found in _ATTRIBUTE.finditer(tag):
        if found[1] == wanted:
            quote = found[2][:1].decode("ascii")
            text = f"{quote}{value}{quote}"
            first = found.start(2)
            if instead_of is not None:
                first, text = found.start(), f"{name}={text}"
            return Edit(start + first, start + found.end(2), text)
    last = start + len(tag.rstrip(b"/> \t\r\n"))
    return Edit(last, last, f' {name}="{value}"')


def open_tag(document: SourceDocument, element: Any) -> bytes:
    """Return the bytes of an element's start tag or empty-element tag."""
    found = _OPEN_TAG.match(document.data, document.spans[element][0])
    assert found is not None, "expat found a start tag here"
    return found[0]


def element_stop(document: SourceDocument, element: Any) -> int:
    """Return the byte offset just after an element."""
    start, end = document.spans[element]
    tag = open_tag(document, element)
    return start + len(tag) if tag.endswith(b"/>") else document.data.index(b">", end) + 1
