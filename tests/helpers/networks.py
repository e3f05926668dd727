"""Networks that tests use: small ones with exact answers, and the shipped ones."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from small_networks import CASES, HEAD, TEXTS, Case

import sbmlgrad as sg

ROOT = Path(__file__).resolve().parents[2]
__all__ = ["CASES", "MODELS", "ROOT", "Case", "antimony", "network", "shipped"]

MODELS = ROOT / "models" / "sbml"


@lru_cache
def network(name: str) -> sg.ReactionNetwork:
    """Load one of the small networks."""
    return sg.load(HEAD + TEXTS[name])


@lru_cache
def shipped(name: str) -> sg.ReactionNetwork:
    """Load a model of models/sbml."""
    return sg.load(MODELS / f"{name}.xml")


def antimony(text: str) -> sg.ReactionNetwork:
    """Load Antimony text with substance in items and a compartment `cell` of size 1."""
    return sg.load(HEAD + text)
