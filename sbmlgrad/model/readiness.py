"""Is everything there to start a stochastic simulation? Counts, volumes and parameter values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.model.channels import Channel
from sbmlgrad.model.elements import Compartment, Parameter, Species
from sbmlgrad.model.expression import Expression, substitute, symbols
from sbmlgrad.model.graphs import in_order
from sbmlgrad.model.initial import initial_counts, initial_values, random_at_start, start_needs
from sbmlgrad.model.issues import EVERY_MODE, STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.lines import located
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.units import LARGEST_COUNT, whole_number

#: Codes of values that are not there, which prevent every mode of simulation that uses them.
MISSING_VALUES = frozenset({"initial_value_missing", "parameter_value_missing", "volume_undefined"})


def start_issues(
    network: ReactionNetwork,
    formulas: Sequence[Expression],
    values: Mapping[str, float],
    counts: NDArray[np.float64],
) -> tuple[Issue, ...]:
    """Return what prevents an exact simulation from starting with these values.

    Args:
        network: the network.
        formulas: what a simulation evaluates, over the state.
        values: every symbol at time 0, in the model's own meaning.
        counts: initial molecules, float64 [species], as computed, not rounded.
    """
    issues = [
        issue
        for species, count in zip(network.species_ids, counts, strict=True)
        if (issue := _count_issue(network, species, float(count), values)) is not None
    ]
    used = set().union(*(symbols(formula) for formula in formulas)) & network.by_id.keys()
    used.difference_update(network.species_ids, network.variable_ids)
    used |= {v for v in network.variable_ids if v not in _set_at_start(network)}
    issues += [
        _value_issue(network, s) for s in sorted(used) if not _is_usable(network, s, values[s])
    ]
    return located(network, issues)


def start_issues_as_written(
    network: ReactionNetwork, channels: Sequence[Channel], issues: Iterable[Issue]
) -> tuple[Issue, ...]:
    """Return what prevents an exact simulation from starting, of a model that may be refused.

    Use it where not everything can be lowered, to find what else is missing; random values, which
    are known only when they are drawn, are left alone.

    Args:
        network: the network; what was refused is left out of it.
        channels: its firing channels, as far as there are any.
        issues: what was refused so far. What has no value for such a reason alone is not reported.
    """
    values = initial_values(network)
    counts = initial_counts(network, values, {})
    found = start_issues(network, _formulas(network, channels), values, counts)
    refused = {issue.element for issue in issues if issue.blocks >= EVERY_MODE}
    silent = dependents_at_start(network, refused)
    drawn = random_at_start(network)
    return tuple(
        issue
        for issue in found
        if issue.element not in drawn
        and not (issue.code in MISSING_VALUES and issue.element in silent)
    )


def dependents_at_start(network: ReactionNetwork, first: Iterable[str]) -> frozenset[str]:
    """Return some symbols, and those whose value at time 0 depends on them."""
    found = set(first)
    if found:
        needs = start_needs(network)
        for symbol in in_order(needs):
            if needs[symbol] & found:
                found.add(symbol)
    return frozenset(found)


def _formulas(network: ReactionNetwork, channels: Sequence[Channel]) -> list[Expression]:
    """Return what a simulation would evaluate, over the state."""
    meanings = network.in_counts
    fired = {channel.reaction for channel in channels}
    found = [channel.propensity for channel in channels]
    found += [meanings[r.id] for r in network.reactions if r.id not in fired and r.id in meanings]
    set_by_formulas = [*network.rate_rules]
    formulas = [*network.rate_rules.values()]
    for event in network.events:
        formulas += [e for e in (event.trigger, event.delay, event.priority) if e is not None]
        formulas += event.assignments.values()
        set_by_formulas += event.assignments
    found += [substitute(formula, meanings) for formula in formulas]
    for target in set_by_formulas:
        element = network.by_id[target]
        if isinstance(element, Species) and not element.only_substance_units:
            found.append(meanings[element.compartment])
    return found


def _set_at_start(network: ReactionNetwork) -> frozenset[str]:
    """Return the variables that get their first value from an event, or draw it."""
    found = random_at_start(network)
    return found.union(*(e.assignments for e in network.events)) - network.rate_rules.keys()


def _is_usable(network: ReactionNetwork, symbol: str, value: float) -> bool:
    """Tell whether a symbol has a value; infinity is one where the document itself says so."""
    if math.isinf(value):
        element = network.by_id[symbol]
        return isinstance(element, Parameter) and math.isinf(element.value)
    return not math.isnan(value)


def _error(code: str, element: str, message: str, advice: str) -> Issue:
    return Issue(code, Severity.ERROR, element, None, message, advice, STOCHASTIC_ONLY)


def _count_issue(
    network: ReactionNetwork, name: str, count: float, values: Mapping[str, float]
) -> Issue | None:
    species = network.by_id[name]
    assert isinstance(species, Species)
    if not math.isfinite(count):
        is_concentration = math.isfinite(values[name]) or (
            species.initial_concentration is not None and name not in network.initial_assignments
        )
        if not math.isfinite(values[species.compartment]) and is_concentration:
            return _error(
                "volume_undefined",
                name,
                f"its initial count needs the size of '{species.compartment}', which is not set.",
                f"Give the compartment a size, or pass initial={{'{species.compartment}': size}}.",
            )
        return _error(
            "initial_value_missing",
            name,
            "it has no initial amount or concentration, or none that can be computed.",
            f"Give one in the model, or pass initial={{'{name}': value}}.",
        )
    if count < 0.0:
        return _error(
            "negative_initial_count",
            name,
            f"its initial count is {count:g}.",
            "Give a number of molecules that is not negative.",
        )
    if name not in network.counted:
        return None
    if count > LARGEST_COUNT:
        return _error(
            "count_too_large",
            name,
            f"its initial count is {count:.3g} molecules; whole numbers above 2^53 cannot be "
            "counted exactly in double precision.",
            'If amounts are molecules, load with substance="item"; else scale the volume down.',
        )
    if network.initial == "strict" and whole_number(count) is None:
        return _error(
            "non_integer_initial_count",
            name,
            f"its initial count is {count!r}, not a whole number of molecules.",
            'Correct the amount, or load with initial="round" or initial="randomised".',
        )
    return None


def _value_issue(network: ReactionNetwork, symbol: str) -> Issue:
    element = network.by_id[symbol]
    if isinstance(element, Compartment):
        return _error(
            "volume_undefined",
            symbol,
            "a formula needs its size, which is not set.",
            f"Give it a size, or pass initial={{'{symbol}': size}}.",
        )
    if isinstance(element, Species):
        return _error(
            "initial_value_missing",
            symbol,
            "a formula needs its value, which is not set.",
            f"Give it one, or pass initial={{'{symbol}': value}}.",
        )
    return _error(
        "parameter_value_missing",
        symbol,
        "a formula needs its value, which is not set.",
        f"Give it one, or pass parameters={{'{symbol}': value}}.",
    )
