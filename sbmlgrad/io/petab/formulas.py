"""Formulas in PEtab tables: a notation of its own, close to but not SBML's infix.

Powers group from the right, `log(x, b)` names the base last, "and" and "or" bind alike, and there
are no constants such as `pi`. See "Math expressions syntax" in the PEtab specification.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple, NoReturn

from sbmlgrad.errors import DataError
from sbmlgrad.model.expression import (
    TIME,
    ZERO,
    Apply,
    Expression,
    Number,
    Symbol,
    add,
    divide,
    multiply,
    negate,
    piecewise,
    power,
    subtract,
)

#: How PEtab spells the clock.
CLOCK = "time"

#: Words that cannot name a quantity.
_RESERVED = frozenset({"true", "false", "inf", "nan"})

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>\|\||&&|>=|<=|==|!=|[-+*/^!(),<>]))",
    re.ASCII,
)
_COMPARISONS = {"<": "lt", "<=": "leq", ">": "gt", ">=": "geq", "==": "eq", "!=": "neq"}
_LOGICAL = {"&&": "and", "||": "or"}
_LOG_TWO = Number(math.log(2.0))

#: Functions of one argument that are rows of the operator table under the same name.
ELEMENTARY = (
    *("exp", "ln", "log10", "sqrt", "abs", "sin", "cos", "tan", "sec", "csc", "cot"),
    *("sinh", "cosh", "tanh", "sech", "csch", "coth", "arccos", "arcsin", "arctan", "arcsec"),
    *("arccsc", "arccot", "arcsinh", "arccosh", "arctanh", "arcsech", "arccsch", "arccoth"),
)


class _Function(NamedTuple):
    counts: Collection[int]
    build: Callable[..., Expression]


def _elementary(name: str) -> _Function:
    return _Function((1,), lambda x: Apply(name, (x,)))


def _sign(x: Expression) -> Expression:
    above, below = Apply("gt", (x, ZERO)), Apply("lt", (x, ZERO))
    return Apply("piecewise", (Number(1.0), above, Number(-1.0), below, ZERO))


def _log(x: Expression, *base: Expression) -> Expression:
    natural = Apply("ln", (x,))
    return divide(natural, Apply("ln", base)) if base else natural


_FUNCTIONS: Mapping[str, _Function] = MappingProxyType(
    {
        **{name: _elementary(name) for name in ELEMENTARY},
        "log": _Function((1, 2), _log),
        "log2": _Function((1,), lambda x: divide(Apply("ln", (x,)), _LOG_TWO)),
        "sign": _Function((1,), _sign),
        "pow": _Function((2,), power),
        "min": _Function((2,), lambda a, b: Apply("min", (a, b))),
        "max": _Function((2,), lambda a, b: Apply("max", (a, b))),
        "piecewise": _Function(range(1, 10_000, 2), piecewise),
    }
)


def petab_formula(text: str) -> Expression:
    """Return a formula of a PEtab table as an expression; `time` is the clock.

    Args:
        text: the formula, or a number.

    Raises:
        DataError: it is no formula, or uses a function that PEtab does not have.
    """
    parser = _Parser(text)
    result = parser.logical()
    parser.expect_end()
    return result


class _Parser:
    """Recursive descent, one method a level of binding, loosest first."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = []
        place = 0
        while place < len(text.rstrip()):
            found = _TOKEN.match(text, place)
            if found is None:
                self._refuse(f"{text[place:].strip()[:1]!r} means nothing there")
            self._tokens.append(found[0].strip())
            place = found.end()
        self._next = 0

    def _refuse(self, what: str) -> NoReturn:
        raise DataError(
            f"the formula {self._text!r} cannot be read: {what}; write it as PEtab has it, for "
            "instance 'scale * (A + 2*AB) + offset'"
        )

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str:
        token = self._peek()
        if not token or (wanted and token not in wanted):
            return ""
        self._next += 1
        return token

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            self._refuse(f"{self._peek() or 'its end'!r} stands where {sign!r} should")

    def expect_end(self) -> None:
        if self._peek():
            self._refuse(f"{self._peek()!r} is left over")

    def logical(self) -> Expression:
        left = self._comparison()
        while sign := self._take(*_LOGICAL):
            left = Apply(_LOGICAL[sign], (left, self._comparison()))
        return left

    def _comparison(self) -> Expression:
        left = self._sum()
        while sign := self._take(*_COMPARISONS):
            left = Apply(_COMPARISONS[sign], (left, self._sum()))
        return left

    def _sum(self) -> Expression:
        terms = [self._product()]
        while sign := self._take("+", "-"):
            if sign == "+":
                terms.append(self._product())
            else:
                terms = [subtract(_joined(terms, add), self._product())]
        return _joined(terms, add)

    def _product(self) -> Expression:
        factors = [self._unary()]
        while sign := self._take("*", "/"):
            if sign == "*":
                factors.append(self._unary())
            else:
                factors = [divide(_joined(factors, multiply), self._unary())]
        return _joined(factors, multiply)

    def _unary(self) -> Expression:
        sign = self._take("-", "+", "!")
        if sign == "-":
            return negate(self._unary())
        if sign == "!":
            return Apply("not", (self._unary(),))
        return self._unary() if sign else self._power()

    def _power(self) -> Expression:
        base = self._operand()
        return power(base, self._unary()) if self._take("^") else base

    def _operand(self) -> Expression:
        if self._take("("):
            inner = self.logical()
            self._expect(")")
            return inner
        token = self._take()
        if token[:1].isdigit():
            return Number(float(token))
        if not (token[:1].isalpha() or token[:1] == "_"):
            self._refuse(f"{token or 'its end'!r} stands where a number or a name should")
        if self._peek() == "(":
            return self._call(token)
        if token in ("true", "false"):
            return Number(float(token == "true"))
        if token.lower() in _RESERVED:
            self._refuse(f"{token!r} is no quantity")
        return TIME if token == CLOCK else Symbol(token)

    def _call(self, name: str) -> Expression:
        self._expect("(")
        arguments = [self.logical()]
        while self._take(","):
            arguments.append(self.logical())
        self._expect(")")
        function = _FUNCTIONS.get(name)
        if function is None:
            self._refuse(f"PEtab has no function {name!r}; it has {', '.join(_FUNCTIONS)}")
        if len(arguments) not in function.counts:
            self._refuse(f"{name!r} does not take {len(arguments)} arguments")
        return function.build(*arguments)


def _joined(parts: list[Expression], join: Callable[..., Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else join(*parts)
