"""Gradient estimators: one file each, passed to `simulate(..., estimator=...)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sbmlgrad.gradients.finite_difference import FiniteDifference
    from sbmlgrad.gradients.straight_through import StraightThrough
    from sbmlgrad.gradients.two_sided_adjoint import TwoSidedAdjoint

__all__ = ["FiniteDifference", "StraightThrough", "TwoSidedAdjoint"]

_HOMES = {
    "FiniteDifference": "sbmlgrad.gradients.finite_difference",
    "StraightThrough": "sbmlgrad.gradients.straight_through",
    "TwoSidedAdjoint": "sbmlgrad.gradients.two_sided_adjoint",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sbmlgrad.gradients' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
