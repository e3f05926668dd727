"""User-defined functions as their calls need them, and the error of mathematics that is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sbmlgrad.model.expression import RATE_OF, Apply, Expression, Symbol


class MathError(Exception):
    """Mathematics that is refused; the reader turns it into an `Issue` that names the element.

    Attributes:
        code, message, advice: as in `Issue`.
        is_in_function: whether the message already names the function definition at fault.
    """

    def __init__(
        self, code: str, message: str, advice: str, *, is_in_function: bool = False
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.advice = code, message, advice
        self.is_in_function = is_in_function

    def in_function(self, name: str) -> MathError:
        """Return the error as one of a function definition, the first at fault where they nest."""
        if self.is_in_function:
            return self
        what = f"the function '{name}' cannot be used: {self.message}"
        return MathError(self.code, what, self.advice, is_in_function=True)


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A user-defined function, its body already free of other user-defined functions.

    Attributes:
        arguments: names of the arguments.
        body: what it stands for.
        size: nodes of the body.
        depth: how deep the body is nested.
        uses: argument → how often the body uses it.
        levels: argument → how deep its deepest use stands.
        rates: arguments whose rate of change the body uses.
    """

    arguments: tuple[str, ...]
    body: Expression
    size: int
    depth: int
    uses: Mapping[str, int]
    levels: Mapping[str, int]
    rates: frozenset[str]


#: A function definition, or why calling it is an error.
Functions = Mapping[str, FunctionDefinition | MathError]


def define(arguments: tuple[str, ...], body: Expression) -> FunctionDefinition:
    """Return a function definition with what its calls need to know of the body."""
    uses: Counter[str] = Counter()
    levels: dict[str, int] = {}
    rates: set[str] = set()
    size = depth = 0
    stack = [(body, 1)]
    while stack:
        node, level = stack.pop()
        size += 1
        depth = max(depth, level)
        if isinstance(node, Apply):
            if node.operator == RATE_OF:
                rates |= {a.id for a in node.arguments if isinstance(a, Symbol)}
            stack.extend((argument, level + 1) for argument in node.arguments)
        elif isinstance(node, Symbol):
            uses[node.id] += 1
            levels[node.id] = max(levels.get(node.id, 0), level)
    return FunctionDefinition(arguments, body, size, depth, uses, levels, frozenset(rates))
