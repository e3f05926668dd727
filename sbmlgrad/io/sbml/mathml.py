"""MathML, as libSBML parses it, → expressions; function definitions are inlined."""

from __future__ import annotations

import math
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
    """Mathematics that is refused; the reader turns it into an `Issue` that names the element."""

    def __init__(self, code: str, message: str, advice: str) -> None:
        super().__init__(message)
        self.code, self.message, self.advice = code, message, advice


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A user-defined function, its body already free of other user-defined functions."""

    arguments: tuple[str, ...]
    body: Expression


def to_expression(
    node: Any, functions: Mapping[str, FunctionDefinition | str], rename: Mapping[str, str]
) -> Expression:
    """Return a libSBML ASTNode as an expression.

    Args:
        node: `libsbml.ASTNode`, or None where the math element is empty.
        functions: function id → definition; a text instead says why that function is unusable.
        rename: id in this scope → symbol; local parameters shadow global ones this way.

    Raises:
        MathError: a construct that has no meaning here, with its reason code.
    """
    if node is None:
        raise MathError("missing_math", "the math element is empty.", "Give a formula.")
    kind = node.getType()
    if kind in _NUMBERS:
        return Number(float(node.getValue()))
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
    children = [node.getChild(i) for i in range(node.getNumChildren())]
    arguments = tuple(to_expression(child, functions, rename) for child in children)
    if kind == libsbml.AST_FUNCTION:
        return _called(node.getName(), arguments, functions)
    return _applied(node, kind, arguments)


def _called(
    name: str,
    arguments: tuple[Expression, ...],
    functions: Mapping[str, FunctionDefinition | str],
) -> Expression:
    definition = functions.get(name)
    if definition is None:
        raise MathError(
            "unsupported_math",
            f"the function '{name}' is neither defined in the model nor built in.",
            "Define it, or write the formula out.",
        )
    if isinstance(definition, str):
        raise MathError("unsupported_math", definition, "Correct the function definition.")
    if len(arguments) != len(definition.arguments):
        raise MathError(
            "invalid_sbml",
            f"the function '{name}' takes {len(definition.arguments)} arguments "
            f"and is given {len(arguments)}.",
            "Correct the call.",
        )
    return substitute(definition.body, dict(zip(definition.arguments, arguments, strict=True)))


def _applied(node: Any, kind: int, arguments: tuple[Expression, ...]) -> Expression:
    if kind == libsbml.AST_FUNCTION_ROOT:
        # One argument is a square root; two are degree and radicand.
        if len(arguments) == 1:
            return Apply("sqrt", arguments)
        degree, radicand = arguments
        if degree == Number(2.0):
            return Apply("sqrt", (radicand,))
        return power(radicand, divide(Number(1.0), degree))
    if kind == libsbml.AST_FUNCTION_LOG:
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
    if not row.accepts(len(arguments)):
        raise MathError(
            "invalid_sbml",
            f"'{name}' cannot have {len(arguments)} argument(s).",
            "Correct the formula.",
        )
    if len(arguments) > 2 and row.is_logical and row.arity == (2, 2):
        raise MathError("unsupported_math", f"chained '{name}'.", "Write it with 'and'.")
    return Apply(name, arguments)


def _operator_name(node: Any, kind: int) -> str:
    if kind in (libsbml.AST_FUNCTION_POWER, libsbml.AST_POWER):
        return "power"
    return node.getOperatorName() or node.getName() or f"MathML node type {kind}"
