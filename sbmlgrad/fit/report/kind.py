"""Which kind of fit a result is of, as far as the words of the report depend on it."""

from __future__ import annotations

from sbmlgrad.fit.result import FitResult


def is_exact(result: FitResult) -> bool:
    """Tell whether an objective for exact simulation needed none of it."""
    return result.has_exact_loss and not result.is_deterministic


def objective_kind(result: FitResult) -> str:
    """Return the name of the objective without its settings."""
    return result.objective.split("(", 1)[0]
