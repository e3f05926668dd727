"""Random draws taken out of a formula, so that what is left can be evaluated anywhere."""

from __future__ import annotations

from dataclasses import dataclass

from sbmlgrad.model.distributions import DISTRIBUTIONS
from sbmlgrad.model.expression import Apply, Expression, Symbol


@dataclass(frozen=True, slots=True)
class Draw:
    """A random draw: the symbol that stands for it in formulas, its distribution and arguments."""

    symbol: str
    distribution: str
    arguments: tuple[Expression, ...]


def without_draws(expression: Expression, draws: list[Draw]) -> Expression:
    """Return an expression with its random draws taken out and added to a list, innermost first."""
    if not isinstance(expression, Apply):
        return expression
    arguments = tuple(without_draws(argument, draws) for argument in expression.arguments)
    if expression.operator in DISTRIBUTIONS:
        draws.append(Draw(f"draw({len(draws)})", expression.operator, arguments))
        return Symbol(draws[-1].symbol)
    if all(new is old for new, old in zip(arguments, expression.arguments, strict=True)):
        return expression
    return Apply(expression.operator, arguments)
