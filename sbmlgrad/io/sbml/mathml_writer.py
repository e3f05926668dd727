"""Expressions → MathML as SBML has it, every number readable as the same double.

libSBML prints doubles with 15 digits and joins the mantissa and exponent of `1e-05` with an error
of rounding, so it does not write here.

In level 3 version 1, truth values and numbers do not mix. The network's formulas may mix them; what
is written never does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from sbmlgrad.model.distributions import DISTRIBUTIONS
from sbmlgrad.model.expression import ONE, TIME, ZERO, Apply, Expression, Number, Symbol
from sbmlgrad.model.operators import OPERATORS

MATHML = "http://www.w3.org/1998/Math/MathML"
#: Where the csymbols of random draws live.
DISTRIB_SYMBOLS = "http://www.sbml.org/sbml/symbols/distrib/"
_TIME_SYMBOL = "http://www.sbml.org/sbml/symbols/time"

#: Operators that SBML has from level 3 version 2 on.
_OF_VERSION_2 = frozenset({"max", "min", "rem", "quotient", "implies"})

#: Operators that MathML calls otherwise; a root has degree 2 and a logarithm base 10 unless they
#: say so.
_MATHML_NAMES = {"sqrt": "root", "log10": "log"}

#: Operators on truth values.
_CONNECTIVES = frozenset({"and", "or", "not", "xor", "implies"})


def needs_version_2(expressions: Iterable[Expression]) -> bool:
    """Tell whether expressions use an operator that SBML has from level 3 version 2 on."""
    return any(node.operator in _OF_VERSION_2 for node in applications(expressions))


def draws_at_random(expressions: Iterable[Expression]) -> bool:
    """Tell whether expressions hold a random draw, which takes the package distrib."""
    return any(node.operator in DISTRIBUTIONS for node in applications(expressions))


def applications(expressions: Iterable[Expression]) -> Iterator[Apply]:
    """Yield every applied operator of expressions, shared ones once."""
    stack, seen = list(expressions), set[int]()
    while stack:
        node = stack.pop()
        if isinstance(node, Apply) and id(node) not in seen:
            seen.add(id(node))
            yield node
            stack.extend(node.arguments)


def add_math(
    parent: Any, expression: Expression, ids: Mapping[str, str], *, is_condition: bool = False
) -> None:
    """Add a math element to an element of a document.

    Args:
        parent: lxml element.
        expression: over symbols that `ids` has, and `TIME`.
        ids: symbol → id in the document.
        is_condition: whether it is to be a truth value, as a trigger is, instead of a number.
    """
    math_element = etree.SubElement(parent, f"{{{MATHML}}}math", nsmap={None: MATHML})
    _write(math_element, expression, ids, is_condition=is_condition)


def _write(
    parent: Any, expression: Expression, ids: Mapping[str, str], *, is_condition: bool
) -> None:
    expression = _converted(expression, is_condition=is_condition)
    if expression == TIME:
        _csymbol(parent, _TIME_SYMBOL, "t")
    elif isinstance(expression, Symbol):
        _element(parent, "ci").text = ids[expression.id]
    elif isinstance(expression, Number):
        _write_number(parent, expression.value)
    elif expression.operator == "piecewise":
        _write_pieces(parent, expression.arguments, ids)
    elif not expression.arguments:
        _element(parent, expression.operator)  # true, false
    else:
        apply = _element(parent, "apply")
        _write_operator(apply, expression.operator)
        are_conditions = expression.operator in _CONNECTIVES
        for argument in expression.arguments:
            _write(apply, argument, ids, is_condition=are_conditions)


def _converted(expression: Expression, *, is_condition: bool) -> Expression:
    """Return a truth value as a number or a number as a truth value, where that is asked for."""
    is_logical = isinstance(expression, Apply) and (
        expression.operator in OPERATORS and OPERATORS[expression.operator].is_logical
    )
    if is_logical and not is_condition:
        return Apply("piecewise", (ONE, expression, ZERO))
    if is_condition and not is_logical:
        return Apply("neq", (expression, ZERO))
    return expression


def _write_operator(apply: Any, name: str) -> None:
    if name in DISTRIBUTIONS:
        _csymbol(apply, DISTRIB_SYMBOLS + name, name)
    else:
        _element(apply, _MATHML_NAMES.get(name, name))


def _write_pieces(parent: Any, arguments: tuple[Expression, ...], ids: Mapping[str, str]) -> None:
    pieces = _element(parent, "piecewise")
    for i in range(0, len(arguments) - 1, 2):
        piece = _element(pieces, "piece")
        _write(piece, arguments[i], ids, is_condition=False)
        _write(piece, arguments[i + 1], ids, is_condition=True)
    if len(arguments) % 2:
        _write(_element(pieces, "otherwise"), arguments[-1], ids, is_condition=False)


def _write_number(parent: Any, value: float) -> None:
    if math.isnan(value):
        _element(parent, "notanumber")
    elif value == math.inf:
        _element(parent, "infinity")
    elif value == -math.inf:
        apply = _element(parent, "apply")
        _element(apply, "minus")
        _element(apply, "infinity")
    else:
        _element(parent, "cn").text = decimal_text(value)


def decimal_text(value: float) -> str:
    """Return a finite number with every digit that counts and no exponent, which MathML lacks."""
    return format(Decimal(repr(float(value))), "f")


def _csymbol(parent: Any, url: str, text: str) -> None:
    symbol = _element(parent, "csymbol")
    symbol.set("encoding", "text")
    symbol.set("definitionURL", url)
    symbol.text = text


def _element(parent: Any, tag: str) -> Any:
    return etree.SubElement(parent, f"{{{MATHML}}}{tag}")
