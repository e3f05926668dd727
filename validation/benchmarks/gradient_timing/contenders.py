"""Who competes in the gradient benchmark: our estimators, TensorFlow's tape and stochastix."""

from __future__ import annotations

import sys
from typing import Any

from engine_timing.process import Contender

from gradient_timing.measure import WORKER


def estimators(python: str = sys.executable) -> list[Contender]:
    """Return ours, the default estimator first."""
    chosen: list[tuple[str, str, dict[str, Any]]] = [
        ("two_sided", "TwoSidedAdjoint", {}),
        ("adjoint", "Adjoint", {}),
        ("straight_1", "StraightThrough", {"temperature": 1.0}),
        ("straight_0", "StraightThrough", {"temperature": 0.0}),
        ("score", "ScoreFunction", {}),
    ]
    return [
        Contender(
            name,
            f"{estimator}({', '.join(f'{v:g}' for v in settings.values())})",
            WORKER,
            python,
            {"estimator": estimator, "settings": settings},
        )
        for name, estimator, settings in chosen
    ]


def peers(python: str = sys.executable, jax_python: str = sys.executable) -> list[Contender]:
    """Return the peers: TensorFlow's tape with and without XLA, and stochastix."""
    tape = {"temperature": 1.0, "jit_compile": False}
    return [
        Contender("tape", "TensorFlow tape", "tensorflow_tape", python, tape),
        Contender(
            "tape_xla",
            "TensorFlow tape, XLA",
            "tensorflow_tape",
            python,
            {**tape, "jit_compile": True},
        ),
        Contender("stochastix", "stochastix", "stochastix", jax_python, {"temperature": 1.0}),
    ]
