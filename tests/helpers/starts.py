"""A decay with parts to be added, and the counts that it starts from."""

from __future__ import annotations

from sbml_text import model, parameter, reaction, species

import sbmlgrad as sg
from sbmlgrad.model.initial import (
    initial_counts,
    initial_values,
)
from sbmlgrad.model.network import ReactionNetwork

DECAY = reaction("J", "k*X", "X")


def network(**parts) -> ReactionNetwork:
    given = {"species": [species("X")], "parameters": [parameter("k")], **parts}
    return sg.load(model(DECAY, **given))


def counts(net: ReactionNetwork, parameters=None, initial=None) -> dict[str, float]:
    values = initial_values(net, parameters, initial)
    found = initial_counts(net, values, initial or {})
    return dict(zip(net.species_ids, found.tolist(), strict=True))
