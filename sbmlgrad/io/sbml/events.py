"""Events of an SBML document (SBML L3V2 section 4.11).

Level 2 has no attributes `initialValue` and `persistent`, and before version 4 no
`useValuesFromTriggerTime`: all three mean true there. Where level 3 version 2 leaves out a formula,
an event without a condition never happens, an assignment without a formula does nothing, and a
delay or priority without one is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from sbmlgrad.io.sbml.scope import Scope
from sbmlgrad.io.sbml.support import name_of
from sbmlgrad.io.sbml.targets import (
    Problem,
    constant_target,
    event_assignments,
    events,
    refuse,
    twice,
    unknown_target,
)
from sbmlgrad.model.distributions import is_random
from sbmlgrad.model.elements import Event
from sbmlgrad.model.expression import TIME, Apply, Expression, symbols, uses_rate_of
from sbmlgrad.model.issues import ODE, Issue, Severity
from sbmlgrad.model.operators import evaluate

_NEVER = Apply("false", ())


def read_events(model: Any, scope: Scope, ruled: frozenset[str]) -> tuple[Event, ...]:
    """Return the events, those without an id called `event 1`, `event 2`, ... by their place.

    Args:
        model: `libsbml.Model`.
        scope: what formulas may name; its issues get the problems.
        ruled: targets of assignment rules, which nothing else may set.
    """
    found = []
    for i, event in enumerate(events(model)):
        found.append(_event(event, event.getId() or f"event {i + 1}", scope, ruled))
    return tuple(found)


def _event(event: Any, name: str, scope: Scope, ruled: frozenset[str]) -> Event:
    trigger = event.getTrigger()
    condition = _optional(trigger, f"{name}/trigger", event, scope)
    # Levels and versions without an attribute mean true by it; libSBML says the same.
    starts_true = trigger is None or bool(trigger.getInitialValue())
    return Event(
        id=name,
        trigger=_NEVER if condition is None else condition,
        assignments=_assignments(event, name, scope, ruled),
        delay=_optional(event.getDelay(), f"{name}/delay", event, scope),
        priority=_optional(event.getPriority(), f"{name}/priority", event, scope),
        initial_value=starts_true,
        persistent=trigger is None or bool(trigger.getPersistent()),
        use_trigger_values=bool(event.getUseValuesFromTriggerTime()),
        line=event.getLine() or None,
        name=name_of(event),
    )


def with_starts(found: tuple[Event, ...], values: Mapping[str, float]) -> tuple[Event, ...]:
    """Return events that say whether they fire at time 0.

    Args:
        found: the events.
        values: every symbol at time 0.
    """
    known = {**values, TIME.id: 0.0}
    return tuple(
        replace(event, fires_at_start=not event.initial_value and _is_true(event.trigger, known))
        for event in found
    )


def _is_true(condition: Expression, values: Mapping[str, float]) -> bool:
    if uses_rate_of(condition) or not symbols(condition) <= values.keys():
        return False
    value = float(evaluate(condition, values))
    return value == value and value != 0.0


def _optional(element: Any, where: str, event: Any, scope: Scope) -> Expression | None:
    if element is None or not element.isSetMath():
        return None
    return scope.formula(element.getMath(), where, element.getLine() or event.getLine())


def _assignments(
    event: Any, name: str, scope: Scope, ruled: frozenset[str]
) -> Mapping[str, Expression]:
    result: dict[str, Expression] = {}
    seen: dict[str, int] = {}
    for assignment in event_assignments(event):
        if not assignment.isSetMath():
            continue
        target, line = assignment.getVariable(), assignment.getLine() or event.getLine()
        where = f"{name}/{target}"
        problem = _problem(target, seen, scope, ruled)
        seen.setdefault(target, line)
        formula = scope.formula(assignment.getMath(), where, line, may_draw=True)
        if problem is not None:
            refuse(scope.issues, where, line, problem)
        elif formula is not None:
            result[target] = formula
    return MappingProxyType(result)


def _problem(
    target: str, seen: Mapping[str, int], scope: Scope, ruled: frozenset[str]
) -> Problem | None:
    if target in seen:
        return twice(seen[target], "an assignment of the same event")
    if target not in scope.targets:
        return unknown_target(target, "the event")
    if target in scope.constant:
        return constant_target(target, "the event")
    if target in ruled:
        return (
            "invalid_sbml",
            f"the event sets '{target}', which an assignment rule determines at all times.",
            "Remove one of the two.",
        )
    return None


def draw_issues(
    initial: Mapping[str, Expression], lines: Mapping[str, int], found: tuple[Event, ...]
) -> Iterator[Issue]:
    """Say which values are drawn at random: a deterministic simulation has no single one for them.

    Args:
        initial: initial assignments.
        lines: symbol → line of its initial assignment.
        found: the events.
    """
    for symbol, formula in initial.items():
        if is_random(formula):
            yield _draw(symbol, lines.get(symbol), "its initial value")
    for event in found:
        drawn = [target for target, formula in event.assignments.items() if is_random(formula)]
        if drawn:
            yield _draw(event.id, event.line, f"what it sets {', '.join(map(repr, drawn))} to")


def _draw(element: str, line: int | None, what: str) -> Issue:
    return Issue(
        "distribution",
        Severity.INFO,
        element,
        line,
        f"{what} is drawn at random, so that a deterministic simulation has no single value.",
        "Simulate it stochastically.",
        frozenset({ODE}),
    )
