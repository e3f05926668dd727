"""Constructs that are refused as a whole, by reason code: packages, rules, events, and so on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libsbml

from sbmlgrad.model.issues import EVERY_MODE, NOTHING, Issue, Severity

#: Packages without any bearing on the mathematics; kept in the document when it is written.
IGNORED_PACKAGES = frozenset({"layout", "render", "groups"})

#: Kind of rule → reason code, what was found, what to do.
_RULES = {
    libsbml.SBML_ALGEBRAIC_RULE: (
        "algebraic_rule",
        "an algebraic rule constrains the state and is no part of a stochastic process.",
        "Solve it for one symbol and write that formula into the kinetic laws.",
    ),
    libsbml.SBML_ASSIGNMENT_RULE: (
        "assignment_rule",
        "assignment rules are not accepted yet.",
        "Write its formula into the kinetic laws that use it.",
    ),
    libsbml.SBML_RATE_RULE: (
        "rate_rule",
        "a rate rule changes a quantity continuously, which is not accepted yet.",
        "Write it as reactions, if the quantity counts molecules.",
    ),
}


def refused(code: str, element: str, line: int | None, message: str, advice: str) -> Issue:
    """Return an error that prevents every mode of simulation."""
    return Issue(code, Severity.ERROR, element, line, message, advice, EVERY_MODE)


def name_of(element: Any) -> str:
    """Return the name of an element for readers; in level 1 `name` is what later is the id."""
    return "" if element.getLevel() == 1 else element.getName()


def level_issues(document: Any) -> Iterator[Issue]:
    """Refuse levels that the importer does not read."""
    if document.getLevel() not in (1, 2, 3):
        yield refused(
            "unsupported_level",
            "sbml",
            document.getLine(),
            f"SBML level {document.getLevel()} is not read.",
            "Convert the file to level 3 version 2, for instance with libSBML.",
        )


def package_issues(document: Any) -> Iterator[Issue]:
    """Refuse packages that change what the model means; ignore those that cannot."""
    line = document.getLine()
    for i in range(document.getNumPlugins()):
        name = document.getPlugin(i).getPackageName()
        if name in IGNORED_PACKAGES or name == "l3v2extendedmath":
            continue
        if document.getPackageRequired(name) or _uses(document.getModel(), name):
            yield _package(name, line)
    for i in range(document.getNumUnknownPackages()):
        uri = document.getUnknownPackageURI(i)
        if document.getPackageRequired(uri):
            yield _package(document.getUnknownPackagePrefix(i), line)


def _uses(model: Any, package: str) -> bool:
    plugin = model.getPlugin(package) if model is not None else None
    return plugin is not None and plugin.getListOfAllElements().getSize() > 0


def _package(name: str, line: int) -> Issue:
    return refused(
        "unsupported_package",
        name,
        line,
        f"the model uses the SBML package '{name}', which changes its meaning.",
        "Remove the package, or flatten the model with libSBML (for comp).",
    )


def construct_issues(model: Any) -> Iterator[Issue]:
    """Refuse rules and events; say that constraints are not watched."""
    for i in range(model.getNumRules()):
        rule = model.getRule(i)
        code, message, advice = _RULES[rule.getTypeCode()]
        element = rule.getVariable() or "(algebraic rule)"
        yield refused(code, element, rule.getLine(), message, advice)
    for i in range(model.getNumEvents()):
        event = model.getEvent(i)
        yield refused(
            "event",
            event.getId() or f"event {i + 1}",
            event.getLine(),
            "events are not accepted yet.",
            "Remove the event, or simulate up to its time and start again from there.",
        )
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


def read_issues(document: Any) -> Iterator[Issue]:
    """Turn libSBML's reading errors into issues."""
    log = document.getErrorLog()
    for i in range(log.getNumErrors()):
        error = log.getError(i)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            is_package = error.getErrorId() == libsbml.RequiredPackagePresent
            yield refused(
                "unsupported_package" if is_package else "invalid_sbml",
                error.getCategoryAsString(),
                error.getLine() or None,
                " ".join(error.getMessage().split()),
                f"Correct the document (SBML rule {error.getErrorId()}).",
            )


def consistency_issues(document: Any) -> Iterator[Issue]:
    """Run libSBML's validation; its errors become warnings, since ours decide what can run."""
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, False)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    before = document.getNumErrors()
    document.checkConsistency()
    for i in range(before, document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            yield Issue(
                "sbml_rule_broken",
                Severity.WARNING,
                f"rule {error.getErrorId()}",
                error.getLine() or None,
                " ".join(error.getMessage().split()),
                "Correct the document: other tools may refuse it.",
                NOTHING,
            )
