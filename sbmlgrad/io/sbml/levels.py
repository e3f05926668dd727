"""SBML of any level and version → another level and version, through libSBML's converter.

Only level 3 version 1 becomes version 2 by a few edits of the text (`sbmlgrad.io.sbml.in_place`).
The converter drops some of what a target cannot say without a word. So both documents are read as
networks, where they can be, and a difference is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import libsbml

from sbmlgrad.errors import RequestError, UnsupportedModelError, WriteError
from sbmlgrad.io.sbml import support
from sbmlgrad.io.sbml.comp import flatten
from sbmlgrad.io.sbml.exact_text import exact_bytes
from sbmlgrad.io.sbml.in_place import raised_in_place
from sbmlgrad.io.sbml.losses import refuse_losses
from sbmlgrad.io.sbml.reader import read_sbml
from sbmlgrad.io.sbml.root import root_issues
from sbmlgrad.io.sbml.safe_xml import check_xml, source_document
from sbmlgrad.model.issues import Issue
from sbmlgrad.model.network import ReactionNetwork

#: Levels and versions that documents are converted to; libSBML writes no level 1 version 1.
TARGETS = ((1, 2), *((2, v) for v in range(1, 6)), (3, 1), (3, 2))


def at_level(data: bytes, level: int, version: int, *, name: str = "SBML text") -> bytes:
    """Convert a document to another level and version; use it for tools that read no other.

    Args:
        data: the document's bytes.
        level: 1, 2 or 3.
        version: version of that level.
        name: what to call the document in messages.

    Returns:
        The new document, UTF-8; the document itself where it is of that level and version.

    Raises:
        RequestError: there is no such level and version.
        UnsupportedModelError: the document is no valid SBML.
        WriteError: the target cannot say what the document says.
    """
    if (level, version) not in TARGETS:
        known = ", ".join(f"{target[0]}.{target[1]}" for target in TARGETS)
        raise RequestError(f"there is no SBML level {level} version {version}; choose from {known}")
    document = open_document(data, name=name)
    if (document.getLevel(), document.getVersion()) == (level, version):
        return data
    target = f"SBML level {level} version {version}"
    _refuse_packages(document, name, level, target)
    network = _network(data, name)
    # Not validated as the converter does, which takes minutes for thousands of reactions: but for
    # fast reactions version 2 allows all that version 1 does.
    if (level, version) == (3, 2) and (edited := raised_in_place(data)) is not None:
        refuse_losses(network, _network(edited, name), target)
        return edited
    refusals: list[WriteError] = []
    # Level 2 counts in moles by default, which is made explicit; not where numbers are read as
    # molecules as long as nothing says otherwise.
    for in_moles in (True, False):
        try:
            converted = _converted(data, level, version, name, in_moles=in_moles)
            refuse_losses(network, _network(converted, name), target)
        except WriteError as error:
            refusals.append(error)
        else:
            return converted
    raise refusals[-1]


def _converted(data: bytes, level: int, version: int, name: str, *, in_moles: bool) -> bytes:
    found: list[Any] = []
    # Units that do not fit are reported by `check`; they are lost by no conversion.
    for is_strict in (True, False):
        document = open_document(data, name=name)
        before = document.getNumErrors()
        properties = libsbml.ConversionProperties(libsbml.SBMLNamespaces(level, version))
        properties.addOption("setLevelAndVersion", True)
        properties.addOption("strict", is_strict)
        had_substance = document.getModel().getUnitDefinition("substance") is not None
        if document.convert(properties) == libsbml.LIBSBML_OPERATION_SUCCESS:
            if not (in_moles or had_substance):
                _leave_substance_open(document.getModel())
            return exact_bytes(document)
        errors = [document.getError(i) for i in range(before, document.getNumErrors())]
        errors = [e for e in errors if e.getSeverity() >= libsbml.LIBSBML_SEV_ERROR] or errors
        found = [
            (e.getCategory(), e.getErrorId(), " ".join(e.getMessage().split())) for e in errors
        ]
        if any(category != libsbml.LIBSBML_CAT_UNITS_CONSISTENCY for category, _, _ in found):
            break
    raise _refusal(found, name, f"SBML level {level} version {version}")


def _leave_substance_open(model: Any) -> None:
    if model.getLevel() < 3:
        return
    model.unsetSubstanceUnits()
    model.unsetExtentUnits()
    for species in map(model.getSpecies, range(model.getNumSpecies())):
        if species.getSubstanceUnits() == "substance":
            species.unsetSubstanceUnits()


def flattened(data: bytes, folder: Path | None, *, name: str = "SBML text") -> bytes:
    """Return a document with its submodels (package comp) merged into one flat model.

    Args:
        data: the document's bytes.
        folder: where its file stands, for models in files beside it; None for text.
        name: what to call the document in messages.

    Returns:
        The flat document; the document itself where there is nothing to flatten.

    Raises:
        UnsupportedModelError: the document is no valid SBML, or cannot be flattened.
    """
    document = open_document(data, name=name)
    flat, remarks = flatten(document, folder)
    _refuse(remarks, f"{name} cannot be flattened:")
    return data if flat is None else flat


def has_submodels(data: bytes, *, name: str = "SBML text") -> bool:
    """Tell whether the model of a document is composed of submodels."""
    document = open_document(data, name=name)
    plugin = document.getModel().getPlugin("comp")
    return plugin is not None and plugin.getNumSubmodels() > 0


def open_document(data: bytes, *, name: str) -> Any:
    """Return libSBML's document of bytes from anywhere.

    Raises:
        UnsupportedModelError: it is unsafe, or no valid SBML.
    """
    what = f"{name} cannot be converted:"
    _refuse(check_xml(data, name=name) or tuple(root_issues(data)), what)
    text = source_document(data).data.decode("utf-8-sig")
    # libSBML insists on a declaration with the encoding of the bytes that it is handed.
    text = re.sub(r"\A\s*<\?xml.*?\?>", "", text, flags=re.DOTALL)
    document = libsbml.readSBMLFromString(f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    _refuse(support.read_issues(document), what)
    if document.getModel() is None:
        missing = support.refused("invalid_sbml", "sbml", None, "no model element.", "Add a model.")
        _refuse([missing], what)
    return document


def _refuse(issues: Iterable[Issue], what: str) -> None:
    problems = [issue for issue in issues if issue.blocks]
    if problems:
        raise UnsupportedModelError(problems, what=what)


def _refuse_packages(document: Any, name: str, level: int, target: str) -> None:
    packages = [document.getPlugin(i).getPackageName() for i in range(document.getNumPlugins())]
    packages = [p for p in packages if document.isPackageURIEnabled(_uri(document, p))]
    # libSBML's own name for what level 3 version 2 adds to MathML, present in all its documents.
    packages = [p for p in packages if p != "l3v2extendedmath"]
    unknown = [document.getUnknownPackagePrefix(i) for i in range(document.getNumUnknownPackages())]
    if level < 3 and (found := [*packages, *unknown]):
        raise WriteError(
            f"{name} cannot be written as {target}: it uses the package(s) {', '.join(found)}, "
            "which only level 3 has; remove them first"
        )


def _uri(document: Any, package: str) -> str:
    return str(document.getPlugin(package).getURI())


def _refusal(errors: list[tuple[int, int, str]], name: str, target: str) -> WriteError:
    lines = [f"  - {message} (SBML rule {number})" for _, number, message in errors]
    listed = "\n".join(dict.fromkeys(lines)) or "  - libSBML gives no reason"
    return WriteError(
        f"{name} cannot be written as {target}; libSBML refuses it, as something would be lost or "
        f"break a rule of that level:\n{listed}"
    )


def _network(data: bytes, name: str) -> ReactionNetwork | None:
    return read_sbml(data, name=name)[0]
