"""What concerns a whole document: its level, its packages, and what libSBML says about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import libsbml

from sbmlgrad.model.issues import EVERY_MODE, NOTHING, Issue, Severity

#: Packages without any bearing on the mathematics; kept in the document when it is written.
IGNORED_PACKAGES = frozenset({"layout", "render", "groups"})

#: The same as libSBML names them; the last is layout's form in annotations of level 2.
_HARMLESS = frozenset({*IGNORED_PACKAGES, "layout_L2"})
_ABOUT_PACKAGE = re.compile(r"L3 package '(\w+)' cannot be used|Level 3 Version \d Package (\w+)")

#: Packages that the importer reads.
_READ_PACKAGES = frozenset({"comp", "distrib", "l3v2extendedmath"})


def refused(code: str, element: str, line: int | None, message: str, advice: str) -> Issue:
    """Return an error that prevents every mode of simulation."""
    return Issue(code, Severity.ERROR, element, line, message, advice, EVERY_MODE)


def name_of(element: Any) -> str:
    """Return the name of an element for readers; in level 1 `name` is what later is the id."""
    return "" if element.getLevel() == 1 else element.getName()


def document_issues(document: Any) -> tuple[tuple[Issue, ...], bool]:
    """Say what is wrong with a document as a whole: its packages, and how it could be read.

    Args:
        document: `libsbml.SBMLDocument`, as it was read.

    Returns:
        The issues; and whether the core of the document was read without an error, so that the rest
        of it can be judged too. What a refused package says wrongly does no harm there.
    """
    packages = tuple(package_issues(document))
    refused_names = {issue.element for issue in packages}
    unknown = map(document.getUnknownPackagePrefix, range(document.getNumUnknownPackages()))
    # Of a required package that is not known, libSBML says the same and not which one it is.
    is_named = not refused_names.isdisjoint(unknown)
    kept = [
        (package, issue)
        for package, issue in _read_issues(document)
        if not (is_named and issue.code == "unsupported_package")
    ]
    is_sound = all(not i.blocks or package in refused_names for package, i in kept)
    return (*packages, *(issue for _, issue in kept)), is_sound


def package_issues(document: Any) -> Iterator[Issue]:
    """Refuse packages that change what the model means; ignore those that cannot.

    What comp says is for `comp.flatten` to judge. Of distrib, random draws in formulas are read
    with the formulas; what it says about the uncertainty of values has no bearing on a simulation.
    A package that libSBML could not read counts as used: it is not known what it says.
    """
    line = document.getLine()
    models = list(_models(document))
    unreadable = {package for package, issue in _read_issues(document) if issue.blocks}
    for i in range(document.getNumPlugins()):
        name = document.getPlugin(i).getPackageName()
        if name in IGNORED_PACKAGES or name in _READ_PACKAGES:
            continue
        is_used = name in unreadable or any(_uses(model, name) for model in models)
        if document.getPackageRequired(name) or is_used:
            yield _package(name, line)
    for i in range(document.getNumUnknownPackages()):
        uri = document.getUnknownPackageURI(i)
        if document.getPackageRequired(uri):
            yield _package(document.getUnknownPackagePrefix(i), line)


def _models(document: Any) -> Iterator[Any]:
    """Yield the model of a document and the definitions that it may be composed of."""
    if document.getModel() is not None:
        yield document.getModel()
    plugin = document.getPlugin("comp")
    if plugin is not None:
        yield from map(plugin.getModelDefinition, range(plugin.getNumModelDefinitions()))


def _uses(model: Any, package: str) -> bool:
    plugin = model.getPlugin(package)
    return plugin is not None and plugin.getListOfAllElements().getSize() > 0


def _package(name: str, line: int) -> Issue:
    return refused(
        "unsupported_package",
        name,
        line,
        f"the model uses the SBML package '{name}', which changes its meaning.",
        "Remove the package, or write what it says in SBML core.",
    )


def remarks(document: Any) -> Iterator[Issue]:
    """Say what of a model is not taken into account, because it does not change the simulation."""
    model = document.getModel()
    if model.getNumConstraints():
        yield Issue(
            "constraint_ignored",
            Severity.INFO,
            "listOfConstraints",
            model.getListOfConstraints().getLine(),
            "constraints say when a simulation is not to be trusted; they are not watched.",
            "Check the results against them.",
            NOTHING,
        )
    if document.getPlugin("distrib") is not None:
        elements = model.getListOfAllElements()
        found = (elements.get(i) for i in range(elements.getSize()))
        first = next((e for e in found if e.getElementName() == "uncertainty"), None)
        if first is not None:
            yield Issue(
                "uncertainty_ignored",
                Severity.INFO,
                first.getAncestorOfType(libsbml.SBML_MODEL).getId() or "model",
                first.getLine() or None,
                "uncertainties of values are notes about them; the values themselves are used.",
                "Draw a value in an initial assignment if it is meant to vary.",
                NOTHING,
            )


def read_issues(document: Any) -> Iterator[Issue]:
    """Turn libSBML's reading errors into issues; those of ignored packages are warnings."""
    return (issue for _, issue in _read_issues(document))


def _read_issues(document: Any) -> Iterator[tuple[str, Issue]]:
    """Yield the package that each reading error is about, empty for core, and the issue."""
    log = document.getErrorLog()
    for i in range(log.getNumErrors()):
        error = log.getError(i)
        if error.getSeverity() < libsbml.LIBSBML_SEV_ERROR:
            continue
        message = " ".join(error.getMessage().split())
        # Of errors that are filed under core, only the words say which package they are about.
        found = _ABOUT_PACKAGE.search(message)
        package = found[found.lastindex or 0] if found else error.getPackage()
        if package in _HARMLESS:
            yield package, rule_broken(error)
            continue
        is_package = error.getErrorId() == libsbml.RequiredPackagePresent
        issue = refused(
            "unsupported_package" if is_package else "invalid_sbml",
            error.getCategoryAsString(),
            error.getLine() or None,
            message,
            f"Correct the document (SBML rule {error.getErrorId()}).",
        )
        yield package, issue


def rule_broken(error: Any) -> Issue:
    """Return a rule of SBML that libSBML finds broken, as a warning."""
    return Issue(
        "sbml_rule_broken",
        Severity.WARNING,
        f"rule {error.getErrorId()}",
        error.getLine() or None,
        " ".join(error.getMessage().split()),
        "Correct the document: other tools may refuse it.",
        NOTHING,
    )
