"""What rules, initial assignments and events may set, and what else they set twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sbmlgrad.io.sbml.support import refused
from sbmlgrad.model.issues import Issue

Problem = tuple[str, str, str]


def assigned_somewhere(model: Any) -> frozenset[str]:
    """Return every id that a rule, an initial assignment or an event sets, by a formula."""
    found = {e.getSymbol() for e in initial_assignments(model) if e.isSetMath()}
    found.update(r.getVariable() for r in rules(model) if r.isSetMath() and not r.isAlgebraic())
    for event in events(model):
        found.update(a.getVariable() for a in event_assignments(event) if a.isSetMath())
    return frozenset(found)


def refuse(issues: list[Issue], element: str, line: int | None, problem: Problem) -> None:
    """Add a problem (code, message, advice) to the issues."""
    code, message, advice = problem
    issues.append(refused(code, element, line, message, advice))


def unknown_target(target: str, what: str) -> Problem:
    """Return the problem of a formula for something that has no value to set."""
    return (
        "undefined_symbol",
        f"{what} sets '{target}', which is no compartment, species, parameter or species "
        "reference of the model.",
        "Define it or correct the name.",
    )


def constant_target(target: str, what: str) -> Problem:
    """Return the problem of a formula for something that the document calls constant."""
    return (
        "invalid_sbml",
        f"{what} sets '{target}', which the document calls constant.",
        f"Write constant=\"false\" for '{target}', or remove what sets it.",
    )


def twice(line: int, what: str) -> Problem:
    """Return the problem of a second formula for one symbol."""
    return (
        "invalid_sbml",
        f"it already has {what} in line {line}, and one symbol has one such formula.",
        "Keep one of them.",
    )


def initial_assignments(model: Any) -> Iterator[Any]:
    """Yield the initial assignments in document order."""
    for i in range(model.getNumInitialAssignments()):
        yield model.getInitialAssignment(i)


def rules(model: Any) -> Iterator[Any]:
    """Yield the rules in document order."""
    for i in range(model.getNumRules()):
        yield model.getRule(i)


def events(model: Any) -> Iterator[Any]:
    """Yield the events in document order."""
    for i in range(model.getNumEvents()):
        yield model.getEvent(i)


def event_assignments(event: Any) -> Iterator[Any]:
    """Yield the assignments of an event in document order."""
    for i in range(event.getNumEventAssignments()):
        yield event.getEventAssignment(i)
