"""The formulas of a normalised document: events with their draws in place, and whole counts.

A network loaded with `initial="round"` or `"randomised"` makes whole numbers of what events and
random starts set counts to. SBML has no such option, so the document's formulas do it themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sbmlgrad.codegen.jumps_and_flows import LoweredEvent
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import WriteError
from sbmlgrad.io.sbml.mathml_writer import applications, draws_at_random
from sbmlgrad.model.distributions import DISTRIBUTIONS
from sbmlgrad.model.expression import (
    ONE,
    TIME,
    Apply,
    Expression,
    Number,
    Symbol,
    add,
    multiply,
    substitute,
    subtract,
    symbols,
)
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import OPERATORS
from sbmlgrad.model.random_draws import Draw

_HALF, _TWO = Number(0.5), Number(2.0)
_WHOLE_OF_WHOLE = frozenset({"plus", "minus", "times", "min", "max", "abs", "rem"})


@dataclass(frozen=True, slots=True)
class ExportedEvent:
    """An event as it is written.

    Attributes:
        id, trigger, delay, priority, initial_value, persistent, use_trigger_values: as in
            `LoweredEvent`.
        assignments: (state symbol, its new value), random draws in place.
    """

    id: str
    trigger: Expression
    assignments: tuple[tuple[str, Expression], ...]
    delay: Expression | None
    priority: Expression | None
    initial_value: bool
    persistent: bool
    use_trigger_values: bool


def exported_events(lowered: LoweredNetwork) -> tuple[ExportedEvent, ...]:
    """Return the events with their draws in place and counts made whole as the network says.

    Raises:
        WriteError: an event whose meaning SBML cannot say in counts; names all of them.
    """
    problems: list[str] = []
    found: list[ExportedEvent] = []
    for event in lowered.events:
        assignments: list[tuple[str, Expression]] = []
        inline = _in_place(event.draws)
        for a in event.assignments:
            value = substitute(a.value, inline)
            try:
                counted = value if a.size is None else multiply(value, a.size)
                assignments.append((a.symbol, made_whole(lowered.network, a.symbol, counted)))
            except WriteError as error:
                problems.append(f"event '{event.id}': {error}")
        may_wait = _can_be_evaluated_late(lowered, event)
        if not may_wait and (resized := _resized_meanwhile(lowered, event)):
            problems.append(
                f"event '{event.id}': it sets the concentration of {', '.join(resized)} to a value "
                "from the time of its trigger, in a volume that may change before it is executed, "
                "which is no number of molecules known at either time; evaluate the event when it "
                "is executed (useValuesFromTriggerTime)"
            )
        found.append(
            ExportedEvent(
                id=event.id,
                trigger=event.trigger,
                assignments=tuple(assignments),
                delay=event.delay,
                priority=event.priority,
                initial_value=event.initial_value,
                persistent=event.persistent,
                use_trigger_values=event.use_trigger_values and not may_wait,
            )
        )
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise WriteError(f"model '{lowered.network.id}' cannot be written as SBML:\n{listed}")
    return tuple(found)


def _can_be_evaluated_late(lowered: LoweredNetwork, event: LoweredEvent) -> bool:
    """Tell whether an event with volumes has values that are the same at trigger and execution.

    It is then written as evaluated at execution, where its volumes are those of the network.
    """
    formulas = [a.value for a in event.assignments]
    formulas += [argument for draw in event.draws for argument in draw.arguments]
    moving = {TIME.id, *lowered.state_ids}
    has_volume = any(a.size is not None for a in event.assignments)
    return has_volume and not any(symbols(formula) & moving for formula in formulas)


def _resized_meanwhile(lowered: LoweredNetwork, event: LoweredEvent) -> list[str]:
    """Return the species whose volume may change between the event's trigger and execution."""
    if not event.use_trigger_values:
        return []
    if event.delay is not None:
        moving = {TIME.id, *lowered.state_ids}
    else:
        others = (other for other in lowered.events if other.id != event.id)
        moving = {a.symbol for other in others for a in other.assignments}
    sized = ((a.symbol, a.size) for a in event.assignments)
    return [f"'{s}'" for s, size in sized if size is not None and symbols(size) & moving]


def _in_place(draws: Iterable[Draw]) -> dict[str, Expression]:
    inline: dict[str, Expression] = {}
    for draw in draws:  # innermost first
        arguments = tuple(substitute(argument, inline) for argument in draw.arguments)
        inline[draw.symbol] = Apply(draw.distribution, arguments)
    return inline


def made_whole(network: ReactionNetwork, target: str, value: Expression) -> Expression:
    """Return what a symbol is set to, made whole if it is a count and the network says so.

    Raises:
        WriteError: it holds a random draw, which cannot be named twice as that would take.
    """
    if network.initial == "strict" or target not in network.counted:
        return value
    if _is_whole(value, network.counted):
        return value
    if draws_at_random([value]):
        raise WriteError(
            f"'{target}' is set to a random value that is made a whole number by "
            f'initial="{network.initial}", which a formula of SBML cannot say; '
            "round it in the model, for instance by the operator floor"
        )
    return _nearest(value) if network.initial == "round" else _randomised(value)


def _nearest(value: Expression) -> Expression:
    """Return the nearest whole number, ties to even, as IEEE 754 has it."""
    below = Apply("floor", (value,))
    rest = subtract(value, below)
    above = add(below, ONE)
    half = Apply("times", (_TWO, Apply("floor", (Apply("times", (_HALF, below)),))))
    cases = (
        *(below, Apply("lt", (rest, _HALF))),
        *(above, Apply("gt", (rest, _HALF))),
        *(below, Apply("eq", (below, half))),
    )
    return Apply("piecewise", (*cases, above))


def _randomised(value: Expression) -> Expression:
    below = Apply("floor", (value,))
    return add(below, Apply("bernoulli", (subtract(value, below),)))


def _is_whole(expression: Expression, counted: frozenset[str]) -> bool:
    """Tell whether an expression has whole values only; False where that is not evident."""
    if isinstance(expression, Number):
        return expression.value == float(round(expression.value)) if _finite(expression) else False
    if isinstance(expression, Symbol):
        return expression.id in counted
    name, arguments = expression.operator, expression.arguments
    row = OPERATORS.get(name)
    # All steps of the table are of whole height.
    if row is not None and (row.is_logical or row.moves_in_steps):
        return True
    if name in DISTRIBUTIONS:
        return DISTRIBUTIONS[name].is_discrete
    if name == "piecewise":
        arguments = arguments[::2]
    elif name not in _WHOLE_OF_WHOLE:
        return False
    return all(_is_whole(argument, counted) for argument in arguments)


def _finite(number: Number) -> bool:
    return abs(number.value) < float("inf")


def literals(expressions: Iterable[Expression]) -> list[float]:
    """Return the numbers that stand in expressions."""
    whole = list(expressions)
    found = [e.value for e in whole if isinstance(e, Number)]
    for node in applications(whole):
        found += [a.value for a in node.arguments if isinstance(a, Number)]
    return found


def refuse_unreadable(name: str, places: Iterable[tuple[str, float]]) -> None:
    """Raise a `WriteError` that names every number that SBML software does not read back.

    Args:
        name: id of the model.
        places: (where it stands, number).
    """
    named = [f"{where} holds {v}" for where, v in places if 0.0 < abs(v) < sys.float_info.min]
    if named:
        raise WriteError(
            f"model '{name}': libSBML does not read numbers below {sys.float_info.min} back, and "
            f"{', '.join(dict.fromkeys(named))}; choose other units"
        )


def in_state(
    network: ReactionNetwork,
    formula: Expression,
    values: Mapping[str, float],
    random: frozenset[str],
) -> Expression:
    """Return a formula of an initial assignment over the state, what is certain as a number.

    Args:
        network: the network.
        formula: over symbols in their own meaning.
        values: every symbol at time 0, in its own meaning; NaN where it is drawn.
        random: symbols whose value is drawn.
    """
    known: dict[str, Expression] = {s: Number(v) for s, v in values.items()}
    known.update((s, network.in_counts[s]) for s in random)
    return substitute(formula, known)
