"""Which kind of fit a result is of, as far as the words of the report depend on it."""

from __future__ import annotations

from sbmlgrad.fit.result import FitResult


def is_exact(result: FitResult) -> bool:
    """Tell whether the objective needed no simulation: it then is where the gradients are from."""
    return not result.is_deterministic and result.estimator == result.objective


def objective_kind(result: FitResult) -> str:
    """Return the name of the objective without its settings."""
    return result.objective.split("(", 1)[0]
