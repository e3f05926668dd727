"""Sampling algorithms behind one protocol; pick one with `simulate(..., engine=...)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sbmlgrad.engines.base import Engine, Outcome
    from sbmlgrad.engines.cuda.engine import Cuda
    from sbmlgrad.engines.native import Native
    from sbmlgrad.engines.ode.engine import ODE
    from sbmlgrad.engines.reference import Reference
    from sbmlgrad.engines.tensorflow.engine import TensorFlow

__all__ = ["ODE", "Cuda", "Engine", "Native", "Outcome", "Reference", "TensorFlow"]

_HOMES = {
    "Cuda": "sbmlgrad.engines.cuda.engine",
    "Engine": "sbmlgrad.engines.base",
    "Outcome": "sbmlgrad.engines.base",
    "Native": "sbmlgrad.engines.native",
    "ODE": "sbmlgrad.engines.ode.engine",
    "Reference": "sbmlgrad.engines.reference",
    "TensorFlow": "sbmlgrad.engines.tensorflow.engine",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sbmlgrad.engines' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
