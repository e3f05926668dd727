"""Gradient estimators: one file each, passed to `simulate(..., estimator=...)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sbmlgrad.gradients.adjoint import Adjoint
    from sbmlgrad.gradients.coupled_difference import CoupledDifference
    from sbmlgrad.gradients.finite_difference import FiniteDifference
    from sbmlgrad.gradients.fitted_value import FittedValue
    from sbmlgrad.gradients.score_function import ScoreFunction
    from sbmlgrad.gradients.straight_through import StraightThrough
    from sbmlgrad.gradients.straight_through_soft import simulate_soft
    from sbmlgrad.gradients.two_sided_adjoint import TwoSidedAdjoint
    from sbmlgrad.gradients.values.features import EveryState, Polynomial
    from sbmlgrad.gradients.values.network_features import SmallNetwork
    from sbmlgrad.gradients.values.spline_features import Spline

__all__ = [
    "Adjoint",
    "CoupledDifference",
    "EveryState",
    "FiniteDifference",
    "FittedValue",
    "Polynomial",
    "ScoreFunction",
    "SmallNetwork",
    "Spline",
    "StraightThrough",
    "TwoSidedAdjoint",
    "simulate_soft",
]

_HOMES = {
    "Adjoint": "sbmlgrad.gradients.adjoint",
    "CoupledDifference": "sbmlgrad.gradients.coupled_difference",
    "EveryState": "sbmlgrad.gradients.values.features",
    "FiniteDifference": "sbmlgrad.gradients.finite_difference",
    "FittedValue": "sbmlgrad.gradients.fitted_value",
    "Polynomial": "sbmlgrad.gradients.values.features",
    "ScoreFunction": "sbmlgrad.gradients.score_function",
    "SmallNetwork": "sbmlgrad.gradients.values.network_features",
    "Spline": "sbmlgrad.gradients.values.spline_features",
    "StraightThrough": "sbmlgrad.gradients.straight_through",
    "TwoSidedAdjoint": "sbmlgrad.gradients.two_sided_adjoint",
    "simulate_soft": "sbmlgrad.gradients.straight_through_soft",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sbmlgrad.gradients' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
