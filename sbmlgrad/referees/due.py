"""What is due at a time that a network states: events and switches of laws that await a clock."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.expression import TIME, Apply, Expression, subtract, symbols
from sbmlgrad.model.labels import first_of
from sbmlgrad.model.operators import evaluate

#: Operators that compare two values.
_RELATIONS = frozenset({"lt", "leq", "gt", "geq", "eq", "neq"})

#: Of these, those that hold for small values of the left side, and for large ones.
_BELOW, _ABOVE = frozenset({"lt", "leq"}), frozenset({"gt", "geq"})

#: Events and laws that a sentence names.
MOST_NAMED = 4


@dataclass(frozen=True, order=True)
class Due:
    """Something that happens when the clock comes to a time.

    Attributes:
        time: in the model's unit, above 0.
        what: in words, such as `event 'dose'`.
        is_seen_at_once: whether counts differ at that very time; what a law does takes a while.
    """

    time: float
    what: str
    is_seen_at_once: bool

    def is_reached(self, last: float) -> bool:
        """Tell whether a comparison until `last` can see it."""
        return self.time <= last if self.is_seen_at_once else self.time < last


def due(lowered: LoweredNetwork, values: Mapping[str, Any]) -> tuple[Due, ...]:
    """Return what is due, the earliest first.

    Found are comparisons of the time, or of something linear in it, with what does not change, in
    triggers, laws and rate rules; delays that do not change are added. An event whose delay may
    change is left out, and what depends on counts or on variables that rate rules move is due when
    they say so, which no text tells.

    Args:
        lowered: the network.
        values: of every symbol, as the network starts.
    """
    found: set[Due] = set()
    for event in lowered.events:
        later = 0.0 if event.delay is None else _constant(event.delay, lowered, values)
        for time in _times(event.trigger, lowered, values, rising=True):
            if math.isfinite(time + later):
                found.add(Due(time + later, f"event '{event.id}'", is_seen_at_once=True))
    laws = [(f"a switch in the law of '{c.id}'", c.propensity) for c in lowered.channels]
    laws += [(f"a switch in the rate rule of '{symbol}'", rate) for symbol, rate in lowered.flows]
    for what, formula in laws:
        for time in _times(formula, lowered, values, rising=False):
            found.add(Due(time, what, is_seen_at_once=False))
    return tuple(sorted(found))


def not_reached(found: Iterable[Due], last: float) -> tuple[str, ...]:
    """Return sentences on what is due after the last time that is compared, one for each time.

    Of what is due more than once the first such time is told.

    Args:
        found: of `due`.
        last: the last time.
    """
    first: dict[str, Due] = {}
    for each in found:
        if not each.is_reached(last):
            first.setdefault(each.what, each)
    told: list[str] = []
    for time, group in groupby(sorted(first.values()), key=lambda each: each.time):
        what = first_of([each.what for each in group], MOST_NAMED)
        told.append(
            f"Due at time {time:g}, not before the last time that is compared ({last:g}): {what}. "
            "A simulator that leaves that out would be found right; name later times to compare it."
        )
    return tuple(told)


def _constant(expression: Expression, lowered: LoweredNetwork, values: Mapping[str, Any]) -> float:
    if symbols(expression) & {*lowered.state_ids, TIME.id}:
        return math.nan
    return float(evaluate(expression, values))


def _times(
    formula: Expression, lowered: LoweredNetwork, values: Mapping[str, Any], *, rising: bool
) -> Iterator[float]:
    """Yield the times above 0 at which a comparison with the time turns.

    Args:
        formula: a law or a trigger.
        lowered: the network.
        values: of every symbol.
        rising: whether only those count at which the comparison makes the formula true.
    """
    state = {*lowered.state_ids}
    for relation, is_negated in _relations(formula):
        for one, other in zip(relation.arguments, relation.arguments[1:], strict=False):
            difference = subtract(one, other)
            slope = derivative(difference, TIME.id)
            # Curved ones may turn often or never.
            if symbols(difference) & state or symbols(slope) & {TIME.id}:
                continue
            rate = float(evaluate(slope, values))
            if rate == 0.0 or not math.isfinite(rate):
                continue
            turns_false = _BELOW if rate > 0.0 else _ABOVE
            if rising and (relation.operator in turns_false) != is_negated:
                continue
            time = -float(evaluate(difference, {**values, TIME.id: 0.0})) / rate
            if 0.0 < time < math.inf:
                yield float(f"{time:.12g}")


def _relations(formula: Expression) -> Iterator[tuple[Apply, bool]]:
    """Yield every comparison in a formula, and whether it stands under an odd number of `not`."""
    seen: set[tuple[int, bool]] = set()
    stack = [(formula, False)]
    while stack:
        node, is_negated = stack.pop()
        if not isinstance(node, Apply) or (id(node), is_negated) in seen:
            continue
        seen.add((id(node), is_negated))
        if node.operator in _RELATIONS:
            yield node, is_negated
        stack += [(a, is_negated != (node.operator == "not")) for a in node.arguments]
