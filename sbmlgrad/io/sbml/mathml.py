"""MathML, as libSBML parses it, → expressions; function definitions are inlined."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import libsbml

from sbmlgrad.model.expression import (
    Apply,
    Expression,
    Number,
    Symbol,
    divide,
    power,
    substitute,
)
from sbmlgrad.model.operators import OPERATORS

#: Most nodes that a function call may stand for; the largest law of BioModels has a few hundred.
MAX_NODES = 20_000
#: Deepest nesting of a formula; the models of BioModels stay below 20.
MAX_DEPTH = 100

#: The value that SBML L3 defines for the avogadro csymbol.
AVOGADRO_CSYMBOL = 6.02214179e23

_NUMBERS = (
    libsbml.AST_INTEGER,
    libsbml.AST_REAL,
    libsbml.AST_REAL_E,
    libsbml.AST_RATIONAL,
)
_CONSTANTS: Mapping[int, Expression] = {
    libsbml.AST_CONSTANT_E: Number(math.e),
    libsbml.AST_CONSTANT_PI: Number(math.pi),
    libsbml.AST_CONSTANT_TRUE: Apply("true", ()),
    libsbml.AST_CONSTANT_FALSE: Apply("false", ()),
    libsbml.AST_NAME_AVOGADRO: Number(AVOGADRO_CSYMBOL),
}


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
        uses: argument → how often the body uses it.
    """

    arguments: tuple[str, ...]
    body: Expression
    size: int
    uses: Mapping[str, int]


#: A function definition, or why calling it is an error.
Functions = Mapping[str, FunctionDefinition | MathError]


def define(arguments: tuple[str, ...], body: Expression) -> FunctionDefinition:
    """Return a function definition with the size that calling it will have."""
    uses: Counter[str] = Counter()
    size, _ = _extent(body, uses)
    return FunctionDefinition(arguments, body, size, uses)


def to_expression(node: Any, functions: Functions, rename: Mapping[str, str]) -> Expression:
    """Return a libSBML ASTNode as an expression.

    Args:
        node: `libsbml.ASTNode`, or None where the math element is empty.
        functions: function id → definition; an error instead says why that function is unusable.
        rename: id in this scope → symbol; local parameters shadow global ones this way.

    Raises:
        MathError: a construct that has no meaning here, with its reason code.
    """
    if node is None:
        raise MathError("missing_math", "the math element is empty.", "Give a formula.")
    expression = _expression(node, functions, rename)
    _, depth = _extent(expression, Counter())
    if depth > MAX_DEPTH:
        raise MathError(
            "unsupported_math",
            f"the formula is nested {depth} deep; the limit is {MAX_DEPTH}.",
            "Rewrite it with less nesting, for instance as one sum or product of many terms.",
        )
    return expression


def _expression(node: Any, functions: Functions, rename: Mapping[str, str]) -> Expression:
    kind = node.getType()
    if kind in _NUMBERS:
        value = float(node.getValue())
        if not math.isfinite(value):
            raise MathError(
                "unsupported_math",
                f"the number {value} is not finite.",
                "Write a finite number.",
            )
        return Number(value)
    if kind in _CONSTANTS:
        return _CONSTANTS[kind]
    if kind == libsbml.AST_NAME:
        name = node.getName()
        return Symbol(rename.get(name, name))
    if kind == libsbml.AST_NAME_TIME:
        raise MathError(
            "explicit_time",
            "the formula depends on time explicitly, which is not accepted yet.",
            "Remove the time symbol from the formula.",
        )
    if kind == libsbml.AST_FUNCTION_DELAY:
        raise MathError(
            "delay",
            "the delay csymbol needs the past of the trajectory.",
            "Rewrite the model without delays, for instance by intermediate species.",
        )
    arguments = tuple(_expression(child, functions, rename) for child in _operands(node, kind))
    if kind == libsbml.AST_FUNCTION:
        return _called(node.getName(), arguments, functions)
    return _applied(node, kind, arguments)


def _operands(node: Any, kind: int) -> list[Any]:
    """Return the operands; libSBML nests long sums and products, which are taken apart again."""
    last: list[Any] = []
    while kind in (libsbml.AST_PLUS, libsbml.AST_TIMES):
        if node.getNumChildren() < 2 or node.getChild(0).getType() != kind:
            break
        last += [node.getChild(i) for i in reversed(range(1, node.getNumChildren()))]
        node = node.getChild(0)
    return [*(node.getChild(i) for i in range(node.getNumChildren())), *reversed(last)]


def _called(
    name: str,
    arguments: tuple[Expression, ...],
    functions: Functions,
) -> Expression:
    definition = functions.get(name)
    if definition is None:
        raise MathError(
            "unsupported_math",
            f"the function '{name}' is neither defined in the model nor built in.",
            "Define it, or write the formula out.",
        )
    if isinstance(definition, MathError):
        raise definition.in_function(name)
    if len(arguments) != len(definition.arguments):
        raise MathError(
            "invalid_sbml",
            f"the function '{name}' takes {len(definition.arguments)} arguments "
            f"and is given {len(arguments)}.",
            "Correct the call.",
        )
    _refuse_overgrowth(name, definition, arguments)
    return substitute(definition.body, dict(zip(definition.arguments, arguments, strict=True)))


def _refuse_overgrowth(
    name: str, definition: FunctionDefinition, arguments: tuple[Expression, ...]
) -> None:
    """Refuse calls that grow without bound: ten functions that each call the last one ten times."""
    nodes = definition.size
    for parameter, argument in zip(definition.arguments, arguments, strict=True):
        nodes += definition.uses[parameter] * (_extent(argument, Counter())[0] - 1)
    if nodes > MAX_NODES:
        raise MathError(
            "unsupported_math",
            f"written out, the call of the function '{name}' has {nodes} operators and operands; "
            f"the limit is {MAX_NODES}.",
            "Nest function definitions less.",
        )


def _extent(expression: Expression, uses: Counter[str]) -> tuple[int, int]:
    """Return how many nodes an expression has and how deep they are nested; count its symbols."""
    size = deepest = 0
    stack = [(expression, 1)]
    while stack:
        node, depth = stack.pop()
        size += 1
        deepest = max(deepest, depth)
        if isinstance(node, Apply):
            stack.extend((argument, depth + 1) for argument in node.arguments)
        elif isinstance(node, Symbol):
            uses[node.id] += 1
    return size, deepest


def _applied(node: Any, kind: int, arguments: tuple[Expression, ...]) -> Expression:
    if kind == libsbml.AST_FUNCTION_ROOT:
        # One argument is a square root; two are degree and radicand.
        if len(arguments) == 1:
            return Apply("sqrt", arguments)
        _refuse_count("root", len(arguments), len(arguments) == 2)
        degree, radicand = arguments
        if degree == Number(2.0):
            return Apply("sqrt", (radicand,))
        return power(radicand, divide(Number(1.0), degree))
    if kind == libsbml.AST_FUNCTION_LOG:
        _refuse_count("log", len(arguments), len(arguments) in (1, 2))
        base, argument = arguments if len(arguments) == 2 else (Number(10.0), arguments[0])
        scale = (
            Number(math.log(base.value))
            if isinstance(base, Number) and base.value > 0.0
            else Apply("ln", (base,))
        )
        return divide(Apply("ln", (argument,)), scale)
    name = _operator_name(node, kind)
    row = OPERATORS.get(name)
    if row is None:
        raise MathError(
            "unsupported_math",
            f"the operator '{name}' is not accepted in kinetic laws.",
            "Rewrite the formula with " + ", ".join(sorted(OPERATORS)) + ".",
        )
    if not arguments and name in ("plus", "times"):
        return Number(0.0 if name == "plus" else 1.0)
    if len(arguments) > 2 and row.is_logical and row.arity == (2, 2):
        raise MathError(
            "unsupported_math",
            f"'{name}' with {len(arguments)} arguments, a chain of comparisons, is not accepted.",
            "Compare two at a time and join the comparisons with 'and'.",
        )
    _refuse_count(name, len(arguments), row.accepts(len(arguments)))
    return Apply(name, arguments)


def _refuse_count(name: str, count: int, is_accepted: bool) -> None:
    if not is_accepted:
        raise MathError(
            "invalid_sbml", f"'{name}' cannot have {count} argument(s).", "Correct the formula."
        )


def _operator_name(node: Any, kind: int) -> str:
    if kind in (libsbml.AST_FUNCTION_POWER, libsbml.AST_POWER):
        return "power"
    return node.getOperatorName() or node.getName() or f"MathML node type {kind}"
