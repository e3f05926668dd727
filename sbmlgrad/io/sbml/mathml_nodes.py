"""Reading one node of libSBML's syntax trees: numbers, operands and the name of the operator."""

from __future__ import annotations

import math
from typing import Any

import libsbml

from sbmlgrad.io.sbml.function_definitions import MathError
from sbmlgrad.io.sbml.mathml_names import OPERATOR_NAMES
from sbmlgrad.model.operators import OPERATORS

#: Most operands of one operator as libSBML holds it, which finds the last by counting from the
#: first; sums and products come nested in twos and have no such limit.
MAX_OPERANDS = 10_000

#: Types of nodes that are numbers.
NUMBERS = (
    libsbml.AST_INTEGER,
    libsbml.AST_REAL,
    libsbml.AST_REAL_E,
    libsbml.AST_RATIONAL,
)


def literal(node: Any, kind: int) -> float:
    """Return the value of a number."""
    value = float(node.getValue())
    # MathML's infinity and notanumber come as plain reals.
    if not math.isfinite(value) and kind != libsbml.AST_REAL:
        raise MathError(
            "unsupported_math",
            f"a literal number has the value {value}: it is too large, or divided by zero.",
            "Write a finite number, or the element infinity or notanumber if that is meant.",
        )
    return value


def operands(node: Any, kind: int) -> list[Any]:
    """Return the operands; libSBML nests long sums and products, which are taken apart again."""
    if node.getNumChildren() > MAX_OPERANDS:
        raise MathError(
            "unsupported_math",
            f"an operator has {node.getNumChildren()} operands; the limit is {MAX_OPERANDS}.",
            "Rewrite the formula in several steps, for instance with assignment rules.",
        )
    last: list[Any] = []
    while kind in (libsbml.AST_PLUS, libsbml.AST_TIMES):
        if node.getNumChildren() < 2 or node.getChild(0).getType() != kind:
            break
        last += [node.getChild(i) for i in reversed(range(1, node.getNumChildren()))]
        node = node.getChild(0)
    return [*(node.getChild(i) for i in range(node.getNumChildren())), *reversed(last)]


def operator_name(node: Any, kind: int) -> str:
    """Return the name of an operator, or raise a `MathError` for what is none."""
    name = OPERATOR_NAMES.get(kind)
    if kind == libsbml.AST_UNKNOWN and not (node.getNumChildren() or node.getOperatorName()):
        raise MathError(
            "missing_math",
            "the math element, or an apply element in it, is empty.",
            "Give a formula.",
        )
    if name is None:
        found = node.getOperatorName() or node.getName() or f"MathML node type {kind}"
        if kind == libsbml.AST_CSYMBOL_FUNCTION:
            found = f"csymbol {node.getDefinitionURLString()}"
        raise MathError(
            "unsupported_math",
            f"the operator '{found}' is not one of SBML's mathematics.",
            "Rewrite the formula with " + ", ".join(sorted(OPERATORS)) + ".",
        )
    return name
