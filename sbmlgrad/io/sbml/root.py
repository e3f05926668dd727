"""The root element of a document: its namespace must be the one of its level and version.

libSBML ends the whole process where they disagree, so this stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.parsers import expat

from sbmlgrad.io.sbml.support import refused
from sbmlgrad.model.issues import Issue

#: Namespace → its level and versions.
_NAMESPACES: Mapping[str, tuple[int, tuple[int, ...]]] = {
    "http://www.sbml.org/sbml/level1": (1, (1, 2)),
    "http://www.sbml.org/sbml/level2": (2, (1,)),
    **{f"http://www.sbml.org/sbml/level2/version{v}": (2, (v,)) for v in range(2, 6)},
    **{f"http://www.sbml.org/sbml/level3/version{v}/core": (3, (v,)) for v in (1, 2)},
}
_NUMBER = re.compile(r"[0-9]{1,3}")


class _FoundError(Exception):
    """Leaves expat at the first element."""

    def __init__(self, tag: str, attributes: Mapping[str, str]) -> None:
        super().__init__(tag)
        self.tag, self.attributes = tag, attributes


def root_issues(data: bytes) -> Iterator[Issue]:
    """Refuse levels that are not read, and namespaces of another level or version.

    Args:
        data: a document that `safe_xml.check_xml` accepts.
    """
    # As in the check before: no declaration overrules the bytes.
    is_utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    parser = expat.ParserCreate("utf-16" if is_utf16 else "utf-8", " ")

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        raise _FoundError(tag, attributes)

    parser.StartElementHandler = start
    try:
        parser.Parse(data, True)
    except _FoundError as found:
        namespace = found.tag.rpartition(" ")[0]
        level, version = (found.attributes.get(name, "") for name in ("level", "version"))
        yield from _issues(namespace, level, version, parser.CurrentLineNumber)


def _issues(namespace: str, level: str, version: str, line: int) -> Iterator[Issue]:
    if not (_NUMBER.fullmatch(level) and _NUMBER.fullmatch(version)):
        yield refused(
            "invalid_sbml",
            "sbml",
            line,
            f"its level '{level}' and version '{version}' are no numbers, so that it is not known "
            "how to read it.",
            'Write for instance level="3" version="2".',
        )
    elif int(level) not in (1, 2, 3):
        yield refused(
            "unsupported_level",
            "sbml",
            line,
            f"SBML level {level} is not read.",
            "Convert the file to level 3 version 2, for instance with libSBML.",
        )
    elif namespace not in _NAMESPACES or (
        int(level) != _NAMESPACES[namespace][0] or int(version) not in _NAMESPACES[namespace][1]
    ):
        yield refused(
            "invalid_sbml",
            "sbml",
            line,
            f"its namespace '{namespace}' is not that of level {level} version {version}.",
            "Correct the namespace, or the level and version.",
        )
