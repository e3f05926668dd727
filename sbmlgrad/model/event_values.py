"""Triggers, delays and new numbers of molecules that cannot be, where they are known at the start.

An error is what happens at time 0 for certain. A delay or a number of molecules that is constant
and cannot be is worth a warning otherwise: the event may never be triggered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from sbmlgrad.model.distributions import is_random
from sbmlgrad.model.elements import Event, Species
from sbmlgrad.model.expression import TIME, Expression, symbols
from sbmlgrad.model.issues import NOTHING, STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.start_state import StartState
from sbmlgrad.model.units import whole_number

_LATER = ". A simulation stops where the event is executed"
_WHOLE = (
    "Let it set a whole number of molecules that is not negative; for fractions, load with "
    'initial="round" or initial="randomised".'
)


def event_issues(start: StartState, event: Event) -> Iterator[Issue]:
    """Yield what is wrong with the values of an event.

    Args:
        start: the state at time 0.
        event: one of the network's events.
    """
    trigger = start.in_counts(event.trigger)
    value = start.value(trigger)
    if value is not None and math.isnan(value):
        yield _error(
            "not_finite_at_start",
            event.id,
            event.line,
            f"its trigger has no value at time 0{start.shown(trigger)}.",
            "Look for a division by zero in it, or a piecewise function without a value there.",
        )
        return
    # Where its trigger is not known it is only possible that it fires.
    fires = event.id in start.firing and value is not None
    yield from _of_delay(start, event, fires)
    for target, formula in event.assignments.items():
        species = start.network.by_id[target]
        if not isinstance(species, Species) or is_random(formula):
            continue
        if target in start.network.counted:
            yield from _of_count(start, event, species, fires)


def _error(code: str, element: str, line: int | None, message: str, advice: str) -> Issue:
    return Issue(code, Severity.ERROR, element, line, message, advice, STOCHASTIC_ONLY)


def _finding(code: str, event: Event, element: str, message: str, advice: str, now: bool) -> Issue:
    return Issue(
        code,
        Severity.ERROR if now else Severity.WARNING,
        element,
        event.line,
        message,
        advice,
        STOCHASTIC_ONLY if now else NOTHING,
    )


def _of_delay(start: StartState, event: Event, fires: bool) -> Iterator[Issue]:
    if event.delay is None:
        return
    delay = start.in_counts(event.delay)
    value = start.value(delay)
    if value is None or value >= 0.0 or not (fires or _is_constant(start.network, delay)):
        return
    when = ", and it is triggered at time 0" if fires else ". A simulation stops at its trigger"
    yield _finding(
        "negative_delay",
        event,
        event.id,
        f"its delay is {value:g}{start.shown(delay)}{when}: nothing can happen before its cause.",
        "Give a delay that is a number and not negative.",
        fires,
    )


def _of_count(start: StartState, event: Event, species: Species, fires: bool) -> Iterator[Issue]:
    network = start.network
    parts = [start.in_counts(event.assignments[species.id])]
    if not species.only_substance_units:
        parts.append(network.in_counts[species.compartment])
    values = [value for part in parts if (value := start.value(part)) is not None]
    is_constant = all(_is_constant(network, part) for part in parts)
    # Others that fire may come first, and change what this one sets or whether it does.
    is_first = len(start.firing) == 1 or (event.persistent and event.use_trigger_values)
    now = fires and event.delay is None and is_first
    if len(values) < len(parts) or not (now or is_constant):
        return
    count = math.prod(values) * species.items_per_substance
    message = f"the event gives it {count:.10g} molecules{' at time 0' if now else _LATER}."
    element = f"{event.id}/{species.id}"
    is_strict = network.initial == "strict"
    if not math.isfinite(count) or (is_strict and whole_number(count) is None):
        yield _finding("non_integer_assignment", event, element, message, _WHOLE, now)
    elif (math.ceil(count) if network.initial == "randomised" else round(count)) < 0:
        yield _finding("negative_assignment", event, element, message, _WHOLE, now)


def _is_constant(network: ReactionNetwork, formula: Expression) -> bool:
    changing = {*network.species_ids, *network.variable_ids, TIME.id}
    return not symbols(formula) & changing
