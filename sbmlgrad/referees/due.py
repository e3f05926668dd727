"""What is due at a time that a network states: events and switches of laws that await a clock."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.model.expression import TIME, Apply, Expression, symbols
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.traversal import from_the_leaves

#: Operators that compare two values.
_RELATIONS = frozenset({"lt", "leq", "gt", "geq", "eq", "neq"})


@dataclass(frozen=True, order=True)
class Due:
    """Something that happens when the clock comes to a time.

    Attributes:
        time: in the model's unit, above 0.
        what: in words, such as `event 'dose'`.
    """

    time: float
    what: str


def due(lowered: LoweredNetwork, values: Mapping[str, Any]) -> tuple[Due, ...]:
    """Return what is due, the earliest first.

    Found are comparisons of the time, or of something linear in it, with what does not change, in
    triggers, laws and rate rules; delays that do not change are added. What depends on counts is
    due when they say so, which no text tells.

    Args:
        lowered: the network.
        values: of every symbol, as the network starts.
    """
    found: set[Due] = set()
    for event in lowered.events:
        later = 0.0 if event.delay is None else _constant(event.delay, lowered, values)
        for time in _times(event.trigger, lowered, values):
            found.add(Due(time + (0.0 if math.isnan(later) else later), f"event '{event.id}'"))
    for channel in lowered.channels:
        for time in _times(channel.propensity, lowered, values):
            found.add(Due(time, f"a switch in the law of '{channel.id}'"))
    for symbol, rate in lowered.flows:
        for time in _times(rate, lowered, values):
            found.add(Due(time, f"a switch in the rate rule of '{symbol}'"))
    return tuple(sorted(found))


def not_reached(found: tuple[Due, ...], last: float) -> tuple[str, ...]:
    """Return sentences on what is due after the last time that is compared.

    Args:
        found: of `due`.
        last: the last time.
    """
    first: dict[str, float] = {}
    reached = {each.what for each in found if each.time <= last}
    for each in found:
        if each.time > last and each.what not in reached:
            first.setdefault(each.what, each.time)
    return tuple(
        f"{what[:1].upper()}{what[1:]} is due at time {time:g}, after the last time that is "
        f"compared ({last:g}): a simulator that leaves it out would be found right. Name later "
        "times to compare it."
        for what, time in first.items()
    )


def _constant(expression: Expression, lowered: LoweredNetwork, values: Mapping[str, Any]) -> float:
    if symbols(expression) & {*lowered.state_ids, TIME.id}:
        return math.nan
    return float(evaluate(expression, values))


def _times(
    formula: Expression, lowered: LoweredNetwork, values: Mapping[str, Any]
) -> Iterator[float]:
    """Yield the times above 0 at which a comparison with the time turns."""
    state = {*lowered.state_ids}
    for one, other in _comparisons(formula):
        used = symbols(one) | symbols(other)
        if TIME.id not in used or used & state:
            continue
        sides = [{**values, TIME.id: t} for t in (0.0, 1.0, 2.0)]
        at = [float(evaluate(one, v)) - float(evaluate(other, v)) for v in sides]
        slope = at[1] - at[0]
        # Curved ones may turn often or never.
        is_linear = math.isclose(at[2] - at[1], slope, rel_tol=1e-9)
        if is_linear and slope != 0.0 and math.isfinite(at[0]):
            time = -at[0] / slope
            if 0.0 < time < math.inf:
                yield float(f"{time:.12g}")


def _comparisons(formula: Expression) -> list[tuple[Expression, Expression]]:
    found: list[tuple[Expression, Expression]] = []

    def look(node: Expression, _: tuple[None, ...]) -> None:
        if isinstance(node, Apply) and node.operator in _RELATIONS:
            found.extend(zip(node.arguments, node.arguments[1:], strict=False))

    from_the_leaves(formula, look)
    return found
