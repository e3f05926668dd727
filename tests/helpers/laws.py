"""Reactions in Antimony on three species, and the channels that they become."""

from __future__ import annotations

import sbmlgrad as sg
from sbmlgrad.model.channels import Channel, channels
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate

SPECIES = "substanceOnly species A in cell, B in cell, C in cell; A = 9; B = 4; C = 2;\n"
VALUES = "k1 = 2; k2 = 3; Keq = 5; Vf = 2; Vr = 3; Ks = 4; Kp = 5; off = 0;\n"


def network(*reactions: str, **options: str) -> ReactionNetwork:
    head = "unit substance = item; unit extent = item; compartment cell = 1;\n"
    return sg.load(head + SPECIES + VALUES + "\n".join(reactions), **options)


def found(*reactions: str, **options: str) -> tuple[Channel, ...]:
    return channels(network(*reactions, **options))[0]


def codes(net: ReactionNetwork) -> list[str]:
    return [issue.code for issue in channels(net)[1]]


def rate(net: ReactionNetwork, place: int, **counts: float) -> float:
    """The propensity of a channel at the given counts, everything else as at the start."""
    return float(evaluate(channels(net)[0][place].propensity, {**initial_values(net), **counts}))
