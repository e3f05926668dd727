"""Is everything there to start a stochastic simulation? Counts, volumes and parameter values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.model.elements import Compartment, Parameter, Species
from sbmlgrad.model.expression import Expression, symbols
from sbmlgrad.model.initial import random_at_start
from sbmlgrad.model.issues import STOCHASTIC_ONLY, Issue, Severity
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
    return tuple(issues)


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
