"""THE table of kinetic-law operators: MathML name, arity, derivative, spelling per target.

To add a construct to kinetic laws, add one row to `_ROWS`. The importer, every code printer, the
symbolic derivative and the contract tests read this table.

`function` gives the meaning, on NumPy arrays. A spelling turns the already printed arguments into
source text of one target: `numba` (scalars inside a kernel) or `infix` (SBML level 3 formula
syntax). The table-driven kernel evaluates the `opcode` instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Any

import numpy as np

from sbmlgrad.model.expression import (
    ONE,
    ZERO,
    Apply,
    Expression,
    Number,
    Symbol,
    divide,
    multiply,
    negate,
    piecewise,
    power,
    subtract,
)

Arguments = tuple[Expression, ...]
Partials = Callable[[Arguments], tuple[Expression, ...]]
Spelling = Callable[[Sequence[str]], str]
Function = Callable[..., Any]

#: Code-generation targets; every row spells itself for each of them.
TARGETS = ("numba", "infix")


@dataclass(frozen=True, slots=True)
class Operator:
    """One row: a function that may stand in a kinetic law.

    Attributes:
        name: MathML element name, also the name used in `Apply`.
        arity: smallest and largest number of arguments; None means unbounded.
        function: its value for numbers or arrays, element by element, without warnings.
        partials: derivative of the result in each argument, as expressions of the arguments; None
            for operators with a truth value (derivative zero).
        spelling: how each target writes it.
        opcode: its number in the table-driven kernel's instruction set, where operators with any
            number of arguments are applied to two at a time.
        is_logical: True if the result is a truth value.
    """

    name: str
    arity: tuple[int, int | None]
    function: Function
    partials: Partials | None
    spelling: Mapping[str, Spelling]
    opcode: int
    is_logical: bool = False

    def accepts(self, count: int) -> bool:
        """Tell whether the operator may have that many arguments."""
        least, most = self.arity
        return count >= least and (most is None or count <= most)


# --- spellings ------------------------------------------------------------------------------------


def _joined(separator: str) -> Spelling:
    return lambda a: f"({separator.join(a)})" if len(a) > 1 else a[0]


def _call(function: str) -> Spelling:
    return lambda a: f"{function}({', '.join(a)})"


def _nested(function: str) -> Spelling:
    def spell(a: Sequence[str]) -> str:
        text = a[-1]
        for argument in reversed(a[:-1]):
            text = f"{function}({argument}, {text})"
        return text

    return spell


def _minus(a: Sequence[str]) -> str:
    return f"(-{a[0]})" if len(a) == 1 else f"({a[0]} - {a[1]})"


def _conditional(template: str) -> Spelling:
    def spell(a: Sequence[str]) -> str:
        text = a[-1] if len(a) % 2 else "nan"
        pairs = a[:-1] if len(a) % 2 else a
        for i in range(len(pairs) - 2, -1, -2):
            text = template.format(value=pairs[i], condition=pairs[i + 1], otherwise=text)
        return text

    return spell


def _same(spell: Spelling) -> dict[str, Spelling]:
    return dict.fromkeys(TARGETS, spell)


def _spelled(numba: Spelling, infix: Spelling) -> dict[str, Spelling]:
    return {"numba": numba, "infix": infix}


# --- values ---------------------------------------------------------------------------------------


def _folded(function: Function) -> Function:
    return lambda *a: reduce(function, a)


def _value_minus(*a: Any) -> Any:
    return np.negative(a[0]) if len(a) == 1 else np.subtract(a[0], a[1])


def _value_piecewise(*a: Any) -> Any:
    value = a[-1] if len(a) % 2 else np.nan
    for i in range(len(a) - 2 - len(a) % 2, -1, -2):
        value = np.where(a[i + 1], a[i], value)
    return value


# --- derivatives ----------------------------------------------------------------------------------


def _d_plus(a: Arguments) -> tuple[Expression, ...]:
    return (ONE,) * len(a)


def _d_minus(a: Arguments) -> tuple[Expression, ...]:
    return (Number(-1.0),) if len(a) == 1 else (ONE, Number(-1.0))


def _d_times(a: Arguments) -> tuple[Expression, ...]:
    return tuple(multiply(*a[:i], *a[i + 1 :]) for i in range(len(a)))


def _d_divide(a: Arguments) -> tuple[Expression, ...]:
    return divide(ONE, a[1]), negate(divide(a[0], multiply(a[1], a[1])))


def _d_power(a: Arguments) -> tuple[Expression, ...]:
    base, exponent = a
    in_base = multiply(exponent, power(base, subtract(exponent, ONE)))
    # 0^e ln 0 tends to 0 for e > 0; the plain product would be 0 * -inf = nan.
    logarithmic = multiply(power(base, exponent), Apply("ln", (base,)))
    return in_base, piecewise(logarithmic, Apply("gt", (base, ZERO)), ZERO)


def _d_exp(a: Arguments) -> tuple[Expression, ...]:
    return (Apply("exp", a),)


def _d_ln(a: Arguments) -> tuple[Expression, ...]:
    return (divide(ONE, a[0]),)


def _d_sqrt(a: Arguments) -> tuple[Expression, ...]:
    return (divide(Number(0.5), Apply("sqrt", a)),)


def _d_abs(a: Arguments) -> tuple[Expression, ...]:
    below = piecewise(Number(-1.0), Apply("lt", (a[0], ZERO)), ZERO)
    # At zero the derivative from the right: counts only come from there.
    return (piecewise(ONE, Apply("geq", (a[0], ZERO)), below),)


def _d_extremum(at_least_as_extreme: str, more_extreme: str) -> Partials:
    def partials(a: Arguments) -> tuple[Expression, ...]:
        # The first argument that attains the extremum carries the whole derivative.
        result: list[Expression] = []
        for i, candidate in enumerate(a):
            wins = tuple(
                Apply(more_extreme if j < i else at_least_as_extreme, (candidate, other))
                for j, other in enumerate(a)
                if j != i
            )
            result.append(piecewise(ONE, Apply("and", wins), ZERO) if wins else ONE)
        return tuple(result)

    return partials


def _d_piecewise(a: Arguments) -> tuple[Expression, ...]:
    # A value counts where it is the one selected; conditions have derivative zero.
    has_otherwise = len(a) % 2 == 1
    conditions = a[1::2]
    result: list[Expression] = []
    for i in range(len(a)):
        if i % 2 == 1:
            result.append(ZERO)
            continue
        flat: list[Expression] = []
        for j, condition in enumerate(conditions):
            flat += [ONE if 2 * j == i else ZERO, condition]
        is_otherwise = has_otherwise and i == len(a) - 1
        result.append(piecewise(*flat, ONE if is_otherwise else ZERO))
    return tuple(result)


# --- the table ------------------------------------------------------------------------------------


def _relation(name: str, sign: str, function: Function, opcode: int) -> Operator:
    spelling = _same(_joined(f" {sign} "))
    return Operator(name, (2, 2), function, None, spelling, opcode, is_logical=True)


def _truth(name: str, value: bool, opcode: int) -> Operator:
    spelling = _spelled(lambda a: str(value), lambda a: name)
    return Operator(name, (0, 0), lambda: value, None, spelling, opcode, is_logical=True)


def _elementary(
    name: str, function: Function, numba: str, partials: Partials, opcode: int
) -> Operator:
    return Operator(name, (1, 1), function, partials, _spelled(_call(numba), _call(name)), opcode)


def _logical(name: str, function: Function, sign: str, opcode: int) -> Operator:
    spelling = _spelled(_joined(f" {name} "), _joined(f" {sign} "))
    return Operator(name, (1, None), _folded(function), None, spelling, opcode, is_logical=True)


_ROWS = (
    Operator("plus", (1, None), _folded(np.add), _d_plus, _same(_joined(" + ")), 10),
    Operator("minus", (1, 2), _value_minus, _d_minus, _same(_minus), 11),
    Operator("times", (1, None), _folded(np.multiply), _d_times, _same(_joined(" * ")), 12),
    Operator("divide", (2, 2), np.divide, _d_divide, _same(_joined(" / ")), 13),
    Operator(
        "power",
        (2, 2),
        np.float_power,
        _d_power,
        _spelled(_joined(" ** "), _joined(" ^ ")),
        14,
    ),
    _elementary("exp", np.exp, "math.exp", _d_exp, 15),
    _elementary("ln", np.log, "math.log", _d_ln, 16),
    _elementary("sqrt", np.sqrt, "math.sqrt", _d_sqrt, 17),
    _elementary("abs", np.abs, "abs", _d_abs, 18),
    Operator(
        "min",
        (1, None),
        _folded(np.minimum),
        _d_extremum("leq", "lt"),
        _spelled(_nested("min"), _call("min")),
        19,
    ),
    Operator(
        "max",
        (1, None),
        _folded(np.maximum),
        _d_extremum("geq", "gt"),
        _spelled(_nested("max"), _call("max")),
        20,
    ),
    Operator(
        "piecewise",
        (1, None),
        _value_piecewise,
        _d_piecewise,
        _spelled(
            _conditional("({value} if {condition} else {otherwise})"),
            _call("piecewise"),
        ),
        21,
    ),
    _relation("lt", "<", np.less, 30),
    _relation("leq", "<=", np.less_equal, 31),
    _relation("gt", ">", np.greater, 32),
    _relation("geq", ">=", np.greater_equal, 33),
    _relation("eq", "==", np.equal, 34),
    _relation("neq", "!=", np.not_equal, 35),
    _logical("and", np.logical_and, "&&", 40),
    _logical("or", np.logical_or, "||", 41),
    Operator(
        "not",
        (1, 1),
        np.logical_not,
        None,
        _spelled(lambda a: f"(not {a[0]})", lambda a: f"!({a[0]})"),
        42,
        is_logical=True,
    ),
    _truth("true", True, 43),
    _truth("false", False, 44),
)

#: Rows by name.
OPERATORS: Mapping[str, Operator] = MappingProxyType({row.name: row for row in _ROWS})


def evaluate(expression: Expression, values: Mapping[str, Any]) -> Any:
    """Evaluate an expression on numbers or arrays, the meaning that every target must reproduce.

    Args:
        expression: the expression.
        values: symbol id → number or array; arrays broadcast.

    Returns:
        float64 number or array. Division by zero and the like give infinity or NaN, not a warning.
    """
    with np.errstate(all="ignore"):
        return _evaluate(expression, values)


def _evaluate(expression: Expression, values: Mapping[str, Any]) -> Any:
    if isinstance(expression, Number):
        return np.float64(expression.value)
    if isinstance(expression, Symbol):
        return values[expression.id]
    arguments = [_evaluate(a, values) for a in expression.arguments]
    return OPERATORS[expression.operator].function(*arguments)
