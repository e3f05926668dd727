"""What a normalised document says about time 0: values, and formulas where SBML draws at random."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import ParameterError, RequestError, UnsupportedModelError
from sbmlgrad.io.sbml.normalised_formulas import in_state, made_whole
from sbmlgrad.model.elements import Species
from sbmlgrad.model.expression import TIME, ZERO, Expression, Number, multiply, substitute
from sbmlgrad.model.initial import initial_counts as counts_at_start
from sbmlgrad.model.initial import initial_values, random_at_start
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.readiness import start_issues
from sbmlgrad.model.units import whole_number

_SID = re.compile("[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Start:
    """The start of a network.

    Attributes:
        values: every symbol at time 0, in its own meaning; NaN where there is none or it is drawn.
        counts: species of the state → molecules; those without a certain number are left out.
        drawn: symbol of the state → formula of its initial assignment, over the state.
    """

    values: Mapping[str, float]
    counts: Mapping[str, float]
    drawn: Mapping[str, Expression]


def start_of(
    lowered: LoweredNetwork, parameters: ArrayLike | None, initial_counts: ArrayLike | None
) -> Start:
    """Return where the document starts; arguments and errors as of `normalised_sbml`."""
    network = lowered.network
    explicit = _explicit(network, parameters)
    values = initial_values(network, explicit)
    # One that the user gave is certain, and so may be what depends on it.
    random = frozenset(s for s in random_at_start(network) if math.isnan(values[s]))
    drawn = {
        symbol: formula
        for symbol in lowered.state_ids
        if (formula := _drawn(network, symbol, values, random)) is not None
    }
    if initial_counts is not None:
        drawn = {s: f for s, f in drawn.items() if s not in lowered.species_ids}
    counts = _counts(lowered, values, initial_counts, drawn)
    certain = zip(lowered.species_ids, counts, strict=True)
    return Start(values, {s: n for s, n in certain if s not in drawn}, drawn)


def is_sid(text: str) -> bool:
    """Tell whether a text can be an SBML id."""
    return _SID.fullmatch(text) is not None


def _explicit(network: ReactionNetwork, parameters: ArrayLike | None) -> dict[str, float]:
    if parameters is None:
        return {}
    array = np.asarray(parameters, dtype=np.float64)
    if array.shape != (len(network.parameter_ids),):
        raise ParameterError(
            f"parameters: model '{network.id}' has {len(network.parameter_ids)} parameters "
            f"({', '.join(network.parameter_ids) or 'none'}), got an array of shape {array.shape}"
        )
    given = dict(zip(network.parameter_ids, array.tolist(), strict=True))
    # A value that is drawn shows as NaN in a network's own parameters.
    random = random_at_start(network)
    return {p: v for p, v in given.items() if p not in random or math.isfinite(v)}


def _drawn(
    network: ReactionNetwork, symbol: str, values: Mapping[str, float], random: frozenset[str]
) -> Expression | None:
    """Return the formula of a symbol of the state that is drawn, or None if it is certain."""
    element = network.by_id[symbol]
    formula = network.initial_assignments.get(symbol)
    if not isinstance(element, Species):
        if symbol not in random or formula is None:
            return None
        return _at_start(in_state(network, formula, values, random))
    is_assigned = formula is not None
    by_amount = element.initial_amount is not None and not is_assigned
    has_size = not (element.only_substance_units or by_amount)
    is_random = (symbol in random and not by_amount) or (has_size and element.compartment in random)
    if not is_random:
        return None
    value: Expression = Number(values[symbol])
    if symbol in random and formula is not None:
        value = in_state(network, formula, values, random)
    elif symbol in random:  # a concentration in a compartment of random size, meant as an amount
        assert element.initial_concentration is not None
        size = network.in_counts[element.compartment]
        value = multiply(Number(element.initial_concentration), size)
    count = multiply(Number(element.items_per_substance), value)
    if has_size:
        place = element.compartment
        size = network.in_counts[place] if place in random else Number(values[place])
        count = multiply(count, size)
    return made_whole(network, symbol, _at_start(count))


def _at_start(formula: Expression) -> Expression:
    return substitute(formula, {TIME.id: ZERO})


def _counts(
    lowered: LoweredNetwork,
    values: Mapping[str, float],
    given: ArrayLike | None,
    drawn: Mapping[str, Expression],
) -> list[float]:
    """Return the molecules of every species at time 0, or raise for what prevents a start."""
    network = lowered.network
    counts = counts_at_start(network, values, {}) if given is None else np.asarray(given, float)
    if counts.shape != (len(lowered.species_ids),):
        raise RequestError(
            f"initial_counts: model '{network.id}' has {len(lowered.species_ids)} species that can "
            f"change, got an array of shape {counts.shape}"
        )
    # What is drawn is judged when it is drawn.
    judged = [0.0 if s in drawn else n for s, n in zip(lowered.species_ids, counts, strict=True)]
    problems = start_issues(network, lowered.formulas, values, np.array(judged))
    if problems:
        raise UnsupportedModelError(
            problems, what=f"model '{network.id}' cannot be written for a stochastic simulation:"
        )
    return _whole(network, lowered.species_ids, judged, is_given=given is not None)


def _whole(
    network: ReactionNetwork, species: tuple[str, ...], counts: list[float], *, is_given: bool
) -> list[float]:
    found: list[float] = []
    broken: list[str] = []
    for name, count in zip(species, counts, strict=True):
        whole = count if name not in network.counted else whole_number(float(count))
        if whole is None and (is_given or network.initial == "randomised"):
            broken.append(f"{name}={count:g}")
        found.append(float(np.rint(count)) if whole is None else float(whole))
    if broken:
        raise RequestError(
            f"model '{network.id}': initial counts that are not whole ({', '.join(broken)}) have "
            "no place in a document with one start; round them, or load the model with "
            'initial="round"'
        )
    return found
