"""Hierarchical models (package comp): flattened by libSBML, after a check that this is safe.

libSBML follows references between models without bound and opens whatever file they name. So the
references are walked first: a model must not contain itself, the flat model must not grow beyond
`LARGEST_FLAT_MODEL` elements, and files must stand beside the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import libsbml

from sbmlgrad.errors import UnreadableFileError
from sbmlgrad.io.files import read_bytes
from sbmlgrad.io.sbml.comp_explicit import drop_twins, make_explicit, restore_names
from sbmlgrad.io.sbml.comp_factors import factor_issues
from sbmlgrad.io.sbml.exact_text import exact_bytes
from sbmlgrad.io.sbml.root import root_issues
from sbmlgrad.io.sbml.safe_xml import check_xml
from sbmlgrad.io.sbml.support import package_issues, refused
from sbmlgrad.model.issues import NOTHING, Issue, Severity

#: Most elements of the flat model, each submodel counted as ten of them: a few seconds.
LARGEST_FLAT_MODEL = 100_000
#: Deepest nesting of submodels.
MAX_DEPTH = 50

#: A file name or relative path: no address, no drive, no escape.
_PLAIN_PATH = re.compile(r"[^:?#%\\\0/][^:?#%\\\0]*")

#: A model of one document: the document's path (empty for the one that is read) and the id.
_Node = tuple[str, str]


def flatten(document: Any, folder: Path | None) -> tuple[bytes | None, tuple[Issue, ...]]:
    """Flatten a document in place, if its model has submodels.

    Args:
        document: `libsbml.SBMLDocument`.
        folder: where the document's file stands, or None for text: models of other files are then
            refused.

    Returns:
        The flat document's bytes, or None where there is nothing to flatten or it cannot be done;
        and what is to be said about it.
    """
    plugin = document.getModel().getPlugin("comp")
    if plugin is None or plugin.getNumSubmodels() == 0:
        return None, ()
    walk = _Walk(folder)
    walk.document(document, "")
    walk.measure(("", ""))
    if walk.issues:
        return None, tuple(walk.issues)
    if folder is not None:
        document.setLocationURI((folder.resolve() / "document.xml").as_uri())
    found = factor_issues(document)
    suffix, caught = make_explicit(document)
    if caught or any(issue.blocks for issue in found):
        return None, (*found, *caught)
    before = document.getNumErrors()
    properties = libsbml.ConversionProperties()
    properties.addOption("flatten comp", True)
    # Ours judge what can run, and the walk has found what libSBML would stumble over.
    properties.addOption("performValidation", False)
    # What is required and not understood has been refused; layout and the like are dropped.
    properties.addOption("abortIfUnflattenable", "none")
    status = document.convert(properties)
    problems = tuple(_conversion_problems(document, before))
    if status != libsbml.LIBSBML_OPERATION_SUCCESS or problems:
        fallback = _refused("model", None, f"libSBML cannot flatten it (status {status}).")
        return None, problems or (fallback,)
    restore_names(document, suffix)
    drop_twins(document)
    return exact_bytes(document), (*found, _flattened())


def _flattened() -> Issue:
    return Issue(
        "comp_flattened",
        Severity.INFO,
        "model",
        None,
        "its submodels were merged into one flat model, which is what is written when the network "
        "is saved.",
        "Keep the original document if its structure matters.",
        NOTHING,
    )


def _refused(element: str, line: int | None, message: str, advice: str = "") -> Issue:
    return refused("comp_flattening", element, line, message, advice or "Correct the submodels.")


def _conversion_problems(document: Any, before: int) -> Iterator[Issue]:
    for i in range(before, document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            message = " ".join(error.getMessage().split())
            yield _refused("model", error.getLine() or None, message)


@dataclass
class _Walk:
    """The references between models, across files."""

    folder: Path | None
    issues: list[Issue] = field(default_factory=list)
    sizes: dict[_Node, int] = field(default_factory=dict)
    parts: dict[_Node, list[_Node]] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)

    def document(self, document: Any, place: str) -> None:
        """Note the models of a document and of the files that it names."""
        self.read.add(place)
        main = document.getModel()
        # A reference without the name of a model means the main one.
        self._model(main, (place, ""), place)
        if place and main.getId():
            self._alias((place, main.getId()), (place, ""))
        plugin = document.getPlugin("comp")
        if plugin is None:
            return
        for i in range(plugin.getNumModelDefinitions()):
            definition = plugin.getModelDefinition(i)
            self._model(definition, (place, definition.getId()), place)
        for i in range(plugin.getNumExternalModelDefinitions()):
            self._external(plugin.getExternalModelDefinition(i), place)

    def _model(self, model: Any, node: _Node, place: str) -> None:
        if node in self.parts:
            message = "two models have this id, so that it is not known which one a submodel is."
            self.issues.append(_refused(node[1] or "model", None, message, "Rename one of them."))
        plugin = model.getPlugin("comp")
        submodels = (
            [] if plugin is None else map(plugin.getSubmodel, range(plugin.getNumSubmodels()))
        )
        self.parts[node] = [(place, submodel.getModelRef()) for submodel in submodels]
        self.sizes[node] = _elements(model)

    def _alias(self, node: _Node, meant: _Node) -> None:
        self.parts[node], self.sizes[node] = [meant], 0

    def _external(self, definition: Any, place: str) -> None:
        name, line, source = definition.getId(), definition.getLine(), definition.getSource()
        # Lines of other files would mislead.
        line = line if not place else None
        if self.folder is None:
            self.issues.append(
                _refused(
                    name,
                    line,
                    f"it stands in another file, '{source}', and text has no place beside it.",
                    "Load the document from its file.",
                )
            )
            return
        path = (self.folder / place).parent / source if place else self.folder / source
        root = self.folder.resolve()
        if not _PLAIN_PATH.fullmatch(source) or not path.resolve().is_relative_to(root):
            self.issues.append(
                _refused(
                    name,
                    line,
                    f"its source '{source}' is no file beside the document; others are not opened.",
                    "Put the file into the document's folder and name it without a path.",
                )
            )
            return
        other = str(path.resolve().relative_to(root))
        if other not in self.read:
            self._file(path, other, name, line)
        self._alias((place, name), (other, definition.getModelRef()))

    def _file(self, path: Path, place: str, name: str, line: int | None) -> None:
        self.read.add(place)
        try:
            data = read_bytes(path)
        except UnreadableFileError as error:
            self.issues.append(_refused(name, line, f"its file cannot be read: {error}."))
            return
        problems = check_xml(data, name=place) or tuple(root_issues(data))
        if problems:
            self.issues += problems
            return
        document = libsbml.readSBMLFromFile(str(path))
        self.issues += package_issues(document)
        if document.getModel() is None or document.getNumErrors(libsbml.LIBSBML_SEV_ERROR):
            message = f"its file '{place}' is no valid SBML document."
            self.issues.append(_refused(name, line, message, "Correct that file."))
            return
        self.document(document, place)

    def measure(self, top: _Node) -> None:
        """Refuse a model that contains itself, is missing, nests too deep or grows too large."""
        total: dict[_Node, int] = {}
        depth: dict[_Node, int] = {}
        open_nodes: set[_Node] = set()
        stack: list[tuple[_Node, bool]] = [(top, False)]
        while stack:
            node, is_done = stack.pop()
            if is_done:
                open_nodes.discard(node)
                parts = self.parts[node]
                total[node] = self.sizes[node] + sum(total.get(part, 0) for part in parts)
                depth[node] = 1 + max((depth.get(part, 0) for part in parts), default=0)
                continue
            if node in total or node in open_nodes:
                continue
            open_nodes.add(node)
            stack.append((node, True))
            for part in self.parts[node]:
                if part in open_nodes:
                    self.issues.append(_refused(part[1] or "model", None, "it contains itself."))
                elif part not in self.parts:
                    if not self.issues:  # else the file that it stands in was refused
                        message = "a submodel names a model that does not exist."
                        self.issues.append(_refused(part[1] or "model", None, message))
                else:
                    stack.append((part, False))
        if not self.issues and total[top] > LARGEST_FLAT_MODEL:
            message = f"the flat model would have {total[top]:,} elements; the limit is "
            self.issues.append(_refused("model", None, f"{message}{LARGEST_FLAT_MODEL:,}."))
        if not self.issues and depth[top] > MAX_DEPTH:
            message = f"submodels are nested {depth[top]} deep; the limit is {MAX_DEPTH}."
            self.issues.append(_refused("model", None, message))


def _elements(model: Any) -> int:
    return 10 + sum(
        getattr(model, f"getNum{kind}")()
        for kind in (
            "FunctionDefinitions",
            "UnitDefinitions",
            "Compartments",
            "Species",
            "Parameters",
            "InitialAssignments",
            "Rules",
            "Constraints",
            "Reactions",
            "Events",
        )
    )
