"""Where a projection starts: one state, or a distribution over several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import RequestError, StateSpaceError, UnsupportedModelError
from sbmlgrad.model.initial import initial_counts, initial_values, random_at_start
from sbmlgrad.model.numbers import as_numbers
from sbmlgrad.model.readiness import start_issues
from sbmlgrad.model.units import whole_number

#: Species with a fractional count that are rounded at random: all combinations are kept.
MOST_RANDOMISED = 12
#: How far from 1 given probabilities may sum.
SLACK = 1e-12


@dataclass(frozen=True, eq=False)
class Start:
    """A distribution of initial states.

    Attributes:
        counts: int64 [state, species], all different.
        probability: positive, float64 [state].
    """

    counts: NDArray[np.int64]
    probability: NDArray[np.float64]


def given_start(lowered: LoweredNetwork, start: Any) -> Start:
    """Return a start that the user gives: states [state, species] and probabilities [state].

    Raises:
        RequestError: it is no such pair, or shapes, counts or probabilities make no distribution.
    """
    species = len(lowered.species_ids)
    if not isinstance(start, tuple | list) or len(start) != 2:
        raise RequestError(
            f"start={start!r}: give two arrays, (counts [state, {species}], probabilities [state]),"
            f" for instance ([{[1] * species}], [1.0])"
        )
    counts, chances = (as_numbers("start", part) for part in start)
    if counts.ndim != 2 or counts.shape[1] != species or chances.shape != counts.shape[:1]:
        raise RequestError(
            f"start: give counts [state, {species}] ({', '.join(lowered.species_ids)}) and "
            f"probabilities [state], not {list(counts.shape)} and {list(chances.shape)}"
        )
    # Up to here a float64 holds every whole number; NaN compares as false.
    if not ((counts == np.rint(counts)) & (counts >= 0.0) & (counts < 2.0**53)).all():
        raise RequestError("start: counts are whole numbers that are not negative, below 2^53")
    whole = counts.astype(np.int64)
    if not (chances > 0.0).all() or abs(chances.sum() - 1.0) > SLACK:
        raise RequestError(
            f"start: probabilities must be positive and sum to 1, they sum to {chances.sum()!r}"
        )
    if len(np.unique(whole, axis=0)) < len(whole):
        raise RequestError("start: a state is given twice; add its probabilities up")
    return Start(whole, chances)


def start_of(
    lowered: LoweredNetwork,
    parameters: Mapping[str, float],
    initial: Mapping[str, float],
    *,
    is_given: bool,
) -> tuple[dict[str, float], Start | None]:
    """Return every symbol at time 0, and the start unless it is given otherwise.

    A fractional count of a network loaded with `initial="randomised"` is the whole number below or
    above, with the fraction as the probability of the latter, independently for each species.

    Raises:
        UnsupportedModelError: a value is missing, or a count is not whole.
        StateSpaceError: initial values are drawn from distributions.
    """
    network = lowered.network
    drawn = sorted(random_at_start(network))
    if drawn and not (is_given and set(drawn) <= set(lowered.species_ids)):
        raise StateSpaceError(
            f"model '{network.id}': the initial value of {', '.join(map(repr, drawn))} is drawn at "
            "random; give the distribution of initial states by `start`, or simulate instead"
        )
    values = initial_values(network, parameters, initial)
    counts = initial_counts(network, values, initial)
    if is_given:
        counts = np.zeros(len(counts))
    problems = start_issues(network, lowered.formulas, values, counts)
    if problems:
        raise UnsupportedModelError(problems, what=f"model '{network.id}' cannot be projected:")
    return values, None if is_given else _rounded(lowered, counts)


def _rounded(lowered: LoweredNetwork, counts: NDArray[np.float64]) -> Start:
    near = [whole_number(float(c)) for c in counts]
    whole = np.array([c if n is None else n for c, n in zip(counts, near, strict=True)])
    broken = np.flatnonzero(whole != np.rint(whole))
    if lowered.network.initial == "round" or not broken.size:
        return Start(np.rint(whole)[None].astype(np.int64), np.ones(1))
    if len(broken) > MOST_RANDOMISED:
        raise StateSpaceError(
            f"model '{lowered.network.id}': the initial counts of {len(broken)} species are "
            f"rounded at random, which makes 2^{len(broken)} initial states; load the model with "
            'initial="round", or simulate instead'
        )
    states, chances = whole[None], np.ones(1)
    for s in broken:
        low, high = states.copy(), states.copy()
        low[:, s], high[:, s] = np.floor(whole[s]), np.floor(whole[s]) + 1.0
        fraction = whole[s] - np.floor(whole[s])
        states = np.concatenate([low, high])
        chances = np.concatenate([chances * (1.0 - fraction), chances * fraction])
    return Start(states.astype(np.int64), chances)
