"""What libSBML holds → bytes that read back as the same doubles.

libSBML prints doubles with 15 digits. Here its text is read again, and every number that has
changed on the way is put back with all its digits.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import libsbml
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from sbmlgrad.errors import WriteError
from sbmlgrad.io.sbml.annotation import double_text
from sbmlgrad.io.sbml.mathml_writer import MATHML, decimal_text
from sbmlgrad.io.sbml.safe_xml import SourceDocument, source_document
from sbmlgrad.model.labels import first_of

#: Element → its attributes that hold doubles: name, getter and whether there is one; in level 1 a
#: size is a volume.
_NUMBERS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "compartment": (("size", "getSize", "isSetSize"), ("volume", "getSize", "isSetSize")),
    "species": (
        ("initialAmount", "getInitialAmount", "isSetInitialAmount"),
        ("initialConcentration", "getInitialConcentration", "isSetInitialConcentration"),
    ),
    "parameter": (("value", "getValue", "isSetValue"),),
    "localParameter": (("value", "getValue", "isSetValue"),),
    "speciesReference": (("stoichiometry", "getStoichiometry", "isSetStoichiometry"),),
    "unit": (
        ("multiplier", "getMultiplier", "isSetMultiplier"),
        ("exponent", "getExponentAsDouble", "isSetExponent"),
    ),
}
_LITERALS = frozenset(
    {libsbml.AST_INTEGER, libsbml.AST_REAL, libsbml.AST_REAL_E, libsbml.AST_RATIONAL}
)


def exact_bytes(document: Any) -> bytes:
    """Write a document so that every number reads back as the same double.

    Args:
        document: `libsbml.SBMLDocument`.

    Raises:
        WriteError: a number cannot be put back, as in the formulas of level 1, which are text.
    """
    text = libsbml.writeSBMLToString(document).encode()
    again = libsbml.readSBMLFromString(text.decode())
    changed = [pair for pair in _pairs(document, again) if _differs(*pair)]
    if not changed:
        return text
    source = source_document(text)
    by_line = _by_line(source)
    for element, read in changed:
        found = by_line.get(read.getLine())
        if found is None or etree.QName(found).localname != read.getElementName():
            raise _lost(element)
        _put_back(found, element, read)
    exact = etree.tostring(source.root, encoding="UTF-8", xml_declaration=True)
    last = libsbml.readSBMLFromString(exact.decode())
    for element, read in _pairs(document, last):
        if _differs(element, read):
            raise _lost(element)
    return exact


def _lost(element: Any) -> WriteError:
    return WriteError(
        f"element '{element.getId() or element.getElementName()}': a number in it cannot be "
        "written with all its digits in this level of SBML; convert to another level"
    )


def _pairs(document: Any, again: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the elements of a document beside those of its text read again."""
    ours, theirs = _elements(document), _elements(again)
    if len(ours) != len(theirs):
        level = f"SBML level {document.getLevel()} version {document.getVersion()}"
        if lost := _missing(ours, theirs):
            named = first_of(lost, 5, "elements")
            words = f"{named} would be lost, for which {level} has no place; choose another level"
            raise WriteError(f"{words}, or take {'it' if len(lost) == 1 else 'them'} out")
        raise WriteError(
            f"the document does not read back as it is written, as {level}: {len(ours)} elements "
            f"become {len(theirs)}; it may break rules of SBML, which `sbmlgrad check` lists"
        )
    yield from zip(ours, theirs, strict=True)


def _missing(ours: list[Any], theirs: list[Any]) -> list[str]:
    """Return what is among the first elements and not among the second, in words."""
    left = Counter(map(_described, theirs))
    found: list[str] = []
    for words in map(_described, ours):
        left[words] -= 1
        if left[words] < 0:
            found.append(words)
    return found


def _described(element: Any) -> str:
    is_reference = isinstance(element, libsbml.SimpleSpeciesReference)
    named = element.getSpecies() if is_reference else ""
    words = f"{element.getElementName()} '{named or element.getId()}'".removesuffix(" ''")
    owner = element.getAncestorOfType(libsbml.SBML_REACTION)
    return words if owner is None else f"{words} of reaction '{owner.getId()}'"


def _elements(document: Any) -> list[Any]:
    found = document.getListOfAllElements()
    elements = map(found.get, range(found.getSize()))
    # Of kinds that a level does not have, empty lists stay behind.
    return [e for e in elements if e.getTypeCode() != libsbml.SBML_LIST_OF]


def _differs(element: Any, again: Any) -> bool:
    for _, quantity, is_set in _NUMBERS.get(element.getElementName(), ()):
        # One that is not set has a default that depends on the level.
        if getattr(element, is_set)() and not _same(
            getattr(element, quantity)(), getattr(again, quantity)()
        ):
            return True
    ours, theirs = _literals(element), _literals(again)
    if len(ours) != len(theirs):
        return True
    return not all(map(_same, ours, theirs))


def _same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))


def _literals(element: Any) -> list[float]:
    """Return the finite numbers of a formula, from left to right."""
    math_node = element.getMath() if hasattr(element, "getMath") else None
    if math_node is None:
        return []
    found: list[float] = []
    stack = [math_node]
    while stack:
        node = stack.pop()
        if node.getType() in _LITERALS and math.isfinite(node.getValue()):
            found.append(float(node.getValue()))
        stack.extend(node.getChild(i) for i in reversed(range(node.getNumChildren())))
    return found


def _by_line(source: SourceDocument) -> dict[int, Any]:
    """Return line → the first element that starts there; libSBML begins a line with every one."""
    ends = [i for i, byte in enumerate(source.data) if byte == 0x0A]
    found: dict[int, Any] = {}
    for element, (start, _) in source.spans.items():
        found.setdefault(bisect_left(ends, start) + 1, element)
    return found


def _put_back(found: Any, element: Any, read: Any) -> None:
    for name, getter, _ in _NUMBERS.get(element.getElementName(), ()):
        if name in found.attrib:
            found.set(name, double_text(getattr(element, getter)()))
    values = _literals(element)
    formula = found.find(f"{{{MATHML}}}math")
    numbers = [] if formula is None else list(formula.iter(f"{{{MATHML}}}cn"))
    if len(numbers) != len(values):
        raise _lost(element)
    for number, value, was in zip(numbers, values, _literals(read), strict=True):
        if value == was:
            continue
        for child in list(number):  # the parts of a fraction or of a number with an exponent
            number.remove(child)
        number.attrib.pop("type", None)
        number.text = decimal_text(value)
