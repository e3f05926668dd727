"""MathML, as libSBML parses it, → expressions; function definitions are inlined."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import libsbml

from sbmlgrad.io.sbml.function_definitions import (
    FunctionDefinition,
    Functions,
    MathError,
    define,
)
from sbmlgrad.io.sbml.mathml_names import draw_name
from sbmlgrad.io.sbml.mathml_nodes import NUMBERS, literal, operands, operator_name
from sbmlgrad.model.distributions import DISTRIBUTIONS, is_random
from sbmlgrad.model.expression import (
    TIME,
    Apply,
    Expression,
    Number,
    Symbol,
    divide,
    power,
    substitute,
)
from sbmlgrad.model.operators import OPERATORS

__all__ = [
    "AVOGADRO_CSYMBOL",
    "FunctionDefinition",
    "Functions",
    "MathError",
    "define",
    "to_expression",
]

#: Most operators and operands that function calls may add to a formula; the largest law of
#: BioModels has a few hundred.
MAX_NODES = 20_000
#: Deepest nesting of a formula; the models of BioModels stay below 20.
MAX_DEPTH = 95

#: The value that SBML L3 defines for the avogadro csymbol.
AVOGADRO_CSYMBOL = 6.02214179e23

_CONSTANTS: Mapping[int, Expression] = {
    libsbml.AST_CONSTANT_E: Number(math.e),
    libsbml.AST_CONSTANT_PI: Number(math.pi),
    libsbml.AST_CONSTANT_TRUE: Apply("true", ()),
    libsbml.AST_CONSTANT_FALSE: Apply("false", ()),
    libsbml.AST_NAME_AVOGADRO: Number(AVOGADRO_CSYMBOL),
    libsbml.AST_NAME_TIME: TIME,
}
#: What operators on any number of arguments give without any.
_EMPTY: Mapping[str, Expression] = {
    "plus": Number(0.0),
    "times": Number(1.0),
    "and": Apply("true", ()),
    "or": Apply("false", ()),
    "xor": Apply("false", ()),
    "piecewise": Number(math.nan),
}
_CHAINED = ("lt", "leq", "gt", "geq", "eq")


def to_expression(node: Any, functions: Functions, rename: Mapping[str, str]) -> Expression:
    """Return a libSBML ASTNode as an expression.

    The csymbol time becomes `expression.TIME`, rateOf and random draws become operators of that
    name. Relations between more than two arguments become comparisons of neighbours joined by and.

    Args:
        node: `libsbml.ASTNode`, or None where the math element is empty.
        functions: function id → definition; an error instead says why that function is unusable.
        rename: id in this scope → symbol; local parameters shadow global ones this way.

    Raises:
        MathError: a construct that has no meaning here, with its reason code.
    """
    if node is None:
        raise MathError("missing_math", "the math element is empty.", "Give a formula.")
    return _Reading(functions, rename).read(node, 1).expression


class _Formula(NamedTuple):
    """An expression with how many nodes it has and how deep they are nested, or a bit more."""

    expression: Expression
    size: int
    depth: int


class _Reading:
    """The reading of one formula; keeps count of what function calls have added to it."""

    def __init__(self, functions: Functions, rename: Mapping[str, str]) -> None:
        self._functions = functions
        self._rename = rename
        self._added = 0

    def read(self, node: Any, level: int) -> _Formula:
        """Return the formula of a node that stands at a level of nesting."""
        _refuse_depth(level)
        kind = node.getType()
        leaf = self._leaf(node, kind)
        if leaf is not None:
            return _Formula(leaf, 1, 1)
        if kind == libsbml.AST_FUNCTION_DELAY:
            raise MathError(
                "delay",
                "the delay csymbol needs the past of the trajectory.",
                "Rewrite the model without delays, for instance by intermediate species.",
            )
        parts = [self.read(child, level + 1) for child in operands(node, kind)]
        if kind == libsbml.AST_FUNCTION:
            formula = self._called(node.getName(), parts)
        elif (draw := draw_name(node, kind)) is not None:
            formula = _drawn(draw, parts)
        else:
            formula = self._applied(operator_name(node, kind), parts)
        _refuse_depth(formula.depth)
        return formula

    def _leaf(self, node: Any, kind: int) -> Expression | None:
        if kind in NUMBERS:
            return Number(literal(node, kind))
        if kind == libsbml.AST_NAME:
            name = node.getName()
            return Symbol(self._rename.get(name, name))
        return _CONSTANTS.get(kind)

    def _called(self, name: str, parts: Sequence[_Formula]) -> _Formula:
        definition = self._functions.get(name)
        if definition is None:
            raise MathError(
                "unsupported_math",
                f"the function '{name}' is neither defined in the model nor built in.",
                "Define it, or write the formula out.",
            )
        if isinstance(definition, MathError):
            raise definition.in_function(name)
        if len(parts) != len(definition.arguments):
            raise MathError(
                "invalid_sbml",
                f"the function '{name}' takes {len(definition.arguments)} arguments "
                f"and is given {len(parts)}.",
                "Correct the call.",
            )
        given = dict(zip(definition.arguments, parts, strict=True))
        for argument in definition.rates:
            if argument in given:
                _rate_target(given[argument].expression)
        size = definition.size
        depth = definition.depth
        for argument, part in given.items():
            uses = definition.uses.get(argument, 0)
            _refuse_copies(part, uses, f"the argument '{argument}' of the function '{name}'")
            size += uses * (part.size - 1)
            depth = max(depth, definition.levels.get(argument, 0) + part.depth - 1)
        # Ten functions that each call the last one ten times would grow without bound.
        self._grow(size, f"the call of the function '{name}'")
        values = {argument: part.expression for argument, part in given.items()}
        _refuse_depth(depth)
        return _Formula(substitute(definition.body, values), size, depth)

    def _grow(self, nodes: int, what: str) -> None:
        self._added += nodes
        if self._added > MAX_NODES:
            raise MathError(
                "unsupported_math",
                f"written out up to {what}, the formula has more than {MAX_NODES} operators and "
                "operands, which is the limit.",
                "Nest function definitions less.",
            )

    def _applied(self, name: str, parts: Sequence[_Formula]) -> _Formula:
        arguments = tuple(part.expression for part in parts)
        size = 1 + sum(part.size for part in parts)
        depth = 1 + max((part.depth for part in parts), default=0)
        if name == "root":
            return _Formula(_root(arguments), size + 2, depth + 1)
        if name == "log":
            return _Formula(_logarithm(arguments), size + 2, depth + 1)
        if name == "rateOf":
            _refuse_count(name, len(arguments), len(arguments) == 1)
            return _Formula(Apply(name, (_rate_target(arguments[0]),)), 2, 2)
        if not arguments and name in _EMPTY:
            return _Formula(_EMPTY[name], 1, 1)
        if len(arguments) > 2 and name in _CHAINED:
            self._grow(sum(part.size for part in parts[1:-1]), f"'{name}' of many arguments")
            for part in parts[1:-1]:
                _refuse_copies(part, 2, f"a comparison '{name}' of {len(parts)} values")
            pairs = tuple(Apply(name, pair) for pair in pairwise(arguments))
            return _Formula(Apply("and", pairs), 2 * size, depth + 1)
        _refuse_count(name, len(arguments), OPERATORS[name].accepts(len(arguments)))
        return _Formula(Apply(name, arguments), size, depth)


def _root(arguments: tuple[Expression, ...]) -> Expression:
    # One argument is a square root; two are degree and radicand.
    if len(arguments) == 1:
        return Apply("sqrt", arguments)
    _refuse_count("root", len(arguments), len(arguments) == 2)
    degree, radicand = arguments
    if degree == Number(2.0):
        return Apply("sqrt", (radicand,))
    return power(radicand, divide(Number(1.0), degree))


def _logarithm(arguments: tuple[Expression, ...]) -> Expression:
    # One argument is to base 10; two are base and argument.
    _refuse_count("log", len(arguments), len(arguments) in (1, 2))
    base = arguments[0] if len(arguments) == 2 else Number(10.0)
    if base == Number(10.0):
        return Apply("log10", (arguments[-1],))
    scale = (
        Number(math.log(base.value))
        if isinstance(base, Number) and base.value > 0.0
        else Apply("ln", (base,))
    )
    return divide(Apply("ln", (arguments[-1],)), scale)


def _rate_target(argument: Expression) -> Symbol:
    if isinstance(argument, Symbol) and argument != TIME:
        return argument
    raise MathError(
        "invalid_sbml",
        "the csymbol rateOf is applied to a formula; only an element of the model has a rate.",
        "Give the id of a species, compartment, parameter or species reference.",
    )


def _drawn(name: str, parts: Sequence[_Formula]) -> _Formula:
    distribution = DISTRIBUTIONS.get(name)
    if distribution is None:
        raise MathError(
            "unsupported_math",
            f"there is no distribution '{name}'.",
            "Draw from one of " + ", ".join(sorted(DISTRIBUTIONS)) + ".",
        )
    _refuse_count(name, len(parts), len(parts) in distribution.counts)
    size = 1 + sum(part.size for part in parts)
    depth = 1 + max(part.depth for part in parts)
    return _Formula(Apply(name, tuple(part.expression for part in parts)), size, depth)


def _refuse_copies(part: _Formula, uses: int, what: str) -> None:
    """Refuse to write out a random draw several times: each copy would be a draw of its own."""
    if uses > 1 and is_random(part.expression):
        raise MathError(
            "distribution_in_function",
            f"a random draw is {what}, which uses it {uses} times. That is one draw, and the "
            f"formula written out would draw {uses} times.",
            "Draw the value into a parameter, by an initial assignment or an event of its own, and "
            "use the parameter here.",
        )


def _refuse_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MathError(
            "unsupported_math",
            f"the formula is nested more than {MAX_DEPTH} deep, which is the limit.",
            "Rewrite it with less nesting, for instance as one sum or product of many terms.",
        )


def _refuse_count(name: str, count: int, is_accepted: bool) -> None:
    if not is_accepted:
        raise MathError(
            "invalid_sbml", f"'{name}' cannot have {count} argument(s).", "Correct the formula."
        )
