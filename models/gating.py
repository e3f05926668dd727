"""Gating of a single channel with two and with three states, for records of dwell times."""

from __future__ import annotations

from description import (
    CONFORMATIONAL_TRANSITION,
    FORWARD_RATE_CONSTANT,
    PROTEIN,
    REVERSE_RATE_CONSTANT,
    Model,
    Parameter,
    Reaction,
    Species,
)

_SOURCE = (
    "Colquhoun D, Hawkes AG. On the stochastic properties of single ion channels. Proceedings of "
    "the Royal Society B 211:205-235 (1981)"
)
_DOI = "10.1098/rspb.1981.0003"

_OPEN = Species("O", 1, "open", PROTEIN)
_SHUT = Species("C", 0, "shut for long", PROTEIN)
_PAUSED = Species("P", 0, "shut briefly", PROTEIN)

_PARAMETERS = (
    Parameter("k_close", 1.0, "per_time", "closing, from O to C", REVERSE_RATE_CONSTANT),
    Parameter("k_open", 0.1, "per_time", "opening, from C to O", FORWARD_RATE_CONSTANT),
    Parameter("k_pause", 1.0, "per_time", "pausing, from O to P", REVERSE_RATE_CONSTANT),
    Parameter("k_resume", 10.0, "per_time", "reopening, from P to O", FORWARD_RATE_CONSTANT),
)


def _step(id: str, source: str, target: str, parameter: str, name: str) -> Reaction:
    law = f"{parameter}*{source}"
    return Reaction(id, f"{source} -> {target}", law, name, CONFORMATIONAL_TRANSITION)


_REACTIONS = (
    _step("closing", "O", "C", "k_close", "closing"),
    _step("opening", "C", "O", "k_open", "opening"),
    _step("pausing", "O", "P", "k_pause", "pausing"),
    _step("resuming", "P", "O", "k_resume", "reopening after a pause"),
)

GATING_TWO_STATES = Model(
    id="gating_two_states",
    name="Channel with one open and one shut state",
    time="millisecond",
    place="membrane_patch",
    about="One channel, open at first, opens and closes. The values are round numbers to start a "
    "fit from.",
    purpose="exponential dwell times; fitting to records of single channels",
    source=_SOURCE,
    doi=_DOI,
    species=(_OPEN, _SHUT),
    parameters=_PARAMETERS[:2],
    reactions=_REACTIONS[:2],
)

GATING_THREE_STATES = Model(
    id="gating_three_states",
    name="Channel with one open and two shut states",
    time="millisecond",
    place="membrane_patch",
    about="One channel, open at first, shuts into either of two states, a long and a brief one, "
    "and opens from both. The values are round numbers to start a fit from.",
    purpose="bursts of openings; fitting to records of single channels",
    source=_SOURCE,
    doi=_DOI,
    species=(_OPEN, _SHUT, _PAUSED),
    parameters=_PARAMETERS,
    reactions=_REACTIONS,
)
