"""SBML level 3 version 1 → version 2 by a few edits, so that every other byte stays.

The versions differ in what is allowed, not in how it is written: another namespace, another number,
and no attribute `fast` of reactions (SBML L3V2, section 8). libSBML's converter writes the whole
document anew, without its comments.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sbmlgrad.io.sbml.safe_xml import SourceDocument, apply_edits, set_attribute, source_document
from sbmlgrad.io.sbml.xml_lines import remove_attribute

_OLD = "http://www.sbml.org/sbml/level3/version1/core"
_NEW = "http://www.sbml.org/sbml/level3/version2/core"
_DECLARATION = re.compile(rb"(xmlns(?::[^\s=]+)?\s*=\s*[\"'])" + re.escape(_OLD.encode()))
_IS_FALSE = ("false", "0")


def raised_in_place(data: bytes) -> bytes | None:
    """Return a document of level 3 version 1 as one of version 2, or None where it takes more.

    Args:
        data: a document that `check_xml` accepted.

    Returns:
        The new document, or None for one of another level or with fast reactions.
    """
    document = source_document(data)
    root = document.root
    if root.tag != f"{{{_OLD}}}sbml" or (root.get("level"), root.get("version")) != ("3", "1"):
        return None
    edits = [set_attribute(document, root, "version", "2")]
    for reaction in root.iter(f"{{{_OLD}}}reaction"):
        fast = reaction.get("fast")
        if fast is not None:
            if fast.strip() not in _IS_FALSE:
                return None
            edits.append(remove_attribute(document, reaction, "fast"))
    return _renamed(document, edits)


def _renamed(document: SourceDocument, edits: list[Any]) -> bytes:
    """Apply edits and put the namespace of version 2 in the place of every declaration of 1."""
    text = apply_edits(replace(document, codec="utf-8"), edits)
    renamed = _DECLARATION.sub(lambda found: found[1] + _NEW.encode(), text)
    return renamed if document.codec == "utf-8" else renamed.decode().encode(document.codec)
