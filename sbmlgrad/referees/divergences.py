"""What referees are known to get wrong, so that they are not asked about it.

The record is `divergences.toml` beside this file: one entry per referee and construct, with the
version that was measured and what was seen.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

import numpy as np

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.model.expression import TIME, Apply, Expression, Number, symbols
from sbmlgrad.model.initial import initial_counts, initial_values, random_at_start


@dataclass(frozen=True, slots=True)
class Divergence:
    """One construct that a referee mishandles.

    Attributes:
        referee: name of the referee.
        construct: a key of `CONSTRUCTS`.
        version: version of the software that was measured.
        reason: what it does instead.
        evidence: the model and the figures.
    """

    referee: str
    construct: str
    version: str
    reason: str
    evidence: str

    def __str__(self) -> str:
        return f"{CONSTRUCTS[self.construct].words}: {self.reason} ({self.referee} {self.version})"


@dataclass(frozen=True, slots=True)
class Construct:
    """Something that a network may use.

    Attributes:
        words: what to call it.
        is_used: tells whether a network uses it.
    """

    words: str
    is_used: Callable[[LoweredNetwork], bool]


def _has_time_trigger(lowered: LoweredNetwork) -> bool:
    moving = {TIME.id, *(target for target, _ in lowered.flows)}
    return any(symbols(event.trigger) & moving for event in lowered.events)


def _has_time_in_law(lowered: LoweredNetwork) -> bool:
    return any(TIME.id in symbols(channel.propensity) for channel in lowered.channels)


def _has_count_trigger(lowered: LoweredNetwork) -> bool:
    species = set(lowered.species_ids)
    return any(symbols(event.trigger) & species for event in lowered.events)


def _has_event_on_parameter(lowered: LoweredNetwork) -> bool:
    others = set(lowered.network.variable_ids) & set(lowered.network.parameter_ids)
    return any(a.symbol in others for event in lowered.events for a in event.assignments)


def _divides_counts(lowered: LoweredNetwork) -> bool:
    species = frozenset(lowered.species_ids)
    return any(_holds_quotient_of_counts(c.propensity, species) for c in lowered.channels)


def _holds_quotient_of_counts(formula: Expression, species: frozenset[str]) -> bool:
    if not isinstance(formula, Apply):
        return False
    if formula.operator == "divide" and all(_is_whole(a, species) for a in formula.arguments):
        return True
    return any(_holds_quotient_of_counts(a, species) for a in formula.arguments)


def _is_whole(formula: Expression, species: frozenset[str]) -> bool:
    """Tell whether a formula is made of counts and whole numbers alone."""
    if isinstance(formula, Apply):
        is_kept = formula.operator in ("plus", "minus", "times")
        return is_kept and all(_is_whole(a, species) for a in formula.arguments)
    if isinstance(formula, Number):
        return formula.value.is_integer()
    return formula.id in species


def _takes_several(lowered: LoweredNetwork) -> bool:
    return any(change <= -2 for channel in lowered.channels for change in channel.change.values())


def _draws(lowered: LoweredNetwork) -> bool:
    in_events = any(event.draws for event in lowered.events)
    return in_events or bool(random_at_start(lowered.network))


#: Counts from here on do not fit into whole numbers of 32 bits with a sign.
BEYOND_32_BITS = 2.0**31


def _starts_large(lowered: LoweredNetwork) -> bool:
    network = lowered.network
    if random_at_start(network):
        return False
    counts = initial_counts(network, initial_values(network), {})
    return bool((np.abs(counts) >= BEYOND_32_BITS).any())


#: Constructs that some simulator mishandles, by name.
CONSTRUCTS: Mapping[str, Construct] = MappingProxyType(
    {
        "time_trigger": Construct("an event triggered by time", _has_time_trigger),
        "count_trigger": Construct("an event triggered by counts", _has_count_trigger),
        "event_on_parameter": Construct(
            "an event that changes a parameter", _has_event_on_parameter
        ),
        "delay": Construct("an event with a delay", lambda x: any(e.delay for e in x.events)),
        "time_in_law": Construct("a kinetic law that depends on time", _has_time_in_law),
        "quotient_of_counts": Construct(
            "a law that divides counts by counts or whole numbers", _divides_counts
        ),
        "takes_several": Construct(
            "a reaction that takes two or more molecules of one species", _takes_several
        ),
        "event": Construct("an event", lambda x: bool(x.events)),
        "rate_rule": Construct("a rate rule", lambda x: bool(x.flows)),
        "random_draw": Construct("a random draw", _draws),
        "large_count": Construct("a count of 2^31 or more at the start", _starts_large),
    }
)


def read_divergences() -> tuple[Divergence, ...]:
    """Return the whole record."""
    text = files("sbmlgrad.referees").joinpath("divergences.toml").read_text(encoding="utf-8")
    return tuple(
        Divergence(name, **{key: entry[key].strip() for key in _TEXTS})
        for entry in tomllib.loads(text)["divergence"]
        for name in entry["referee"]
    )


_TEXTS = ("construct", "version", "reason", "evidence")


def known_divergences(referee: str, lowered: LoweredNetwork) -> tuple[Divergence, ...]:
    """Return why a referee cannot judge a network; nothing if it can.

    Use it before asking a referee: what is in the record would only confirm a known difference.

    Args:
        referee: name of the referee; one without entries can judge everything.
        lowered: the network.

    Returns:
        The entries of the record that concern this referee and a construct that the network uses.
    """
    return tuple(
        divergence
        for divergence in read_divergences()
        if divergence.referee == referee and CONSTRUCTS[divergence.construct].is_used(lowered)
    )
