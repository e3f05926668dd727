"""The chemical master equation: exact distributions, expectations and gradients.

`project` finds the states that matter and solves on them; `expectation`, `covariance` and
`first_passage` give statistics with gradients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sbmlgrad.cme.functions import Expectation
    from sbmlgrad.cme.projected import Projection
    from sbmlgrad.cme.projection import project
    from sbmlgrad.cme.statistics import (
        FirstPassage,
        Statistic,
        covariance,
        expectation,
        first_passage,
    )

__all__ = [
    "Expectation",
    "FirstPassage",
    "Projection",
    "Statistic",
    "covariance",
    "expectation",
    "first_passage",
    "project",
]

_HOMES = {
    "Expectation": "sbmlgrad.cme.functions",
    "FirstPassage": "sbmlgrad.cme.statistics",
    "Projection": "sbmlgrad.cme.projected",
    "Statistic": "sbmlgrad.cme.statistics",
    "covariance": "sbmlgrad.cme.statistics",
    "expectation": "sbmlgrad.cme.statistics",
    "first_passage": "sbmlgrad.cme.statistics",
    "project": "sbmlgrad.cme.projection",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sbmlgrad.cme' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
