"""The root element of a document: its namespace must be the one of its level and version.

libSBML ends the whole process where they disagree, or where a package's short name is declared as a
namespace, so this stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.parsers import expat

import libsbml

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


def root_issues(data: bytes) -> Iterator[Issue]:
    """Refuse levels that are not read, and namespaces of another level or version.

    Args:
        data: a document that `safe_xml.check_xml` accepts.
    """
    # As in the check before: no declaration overrules the bytes.
    is_utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    parser = expat.ParserCreate("utf-16" if is_utf16 else "utf-8", " ")
    names = {libsbml.SBMLExtensionRegistry.getRegisteredPackageName(i) for i in range(_packages())}
    found: list[Issue] = []

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        parser.StartElementHandler = None
        level, version = (attributes.get(name, "") for name in ("level", "version"))
        found.extend(_issues(tag.rpartition(" ")[0], level, version, parser.CurrentLineNumber))

    def declared(prefix: str | None, namespace: str | None) -> None:
        # The library takes its own short name for a namespace, and ends the process over it.
        if namespace in names:
            found.append(_no_namespace(prefix, namespace, parser.CurrentLineNumber))

    parser.StartElementHandler = start
    parser.StartNamespaceDeclHandler = declared
    parser.Parse(data, True)
    yield from found


def _packages() -> int:
    return libsbml.SBMLExtensionRegistry.getNumRegisteredPackages()


def _no_namespace(prefix: str | None, namespace: str | None, line: int) -> Issue:
    return refused(
        "invalid_sbml",
        prefix or "xmlns",
        line,
        f"'{namespace}' is declared as a namespace, and it is the name of a package.",
        f"Write the package's namespace, http://www.sbml.org/sbml/level3/version1/{namespace}/...",
    )


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
