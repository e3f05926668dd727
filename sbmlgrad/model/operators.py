"""THE table of kinetic-law operators: MathML name, arity, derivative, spelling per target.

To add a construct to kinetic laws, add one row to `_ROWS`. The importer, every code printer, the
symbolic derivative, interval bounds and the contract tests read this table. A new opcode also needs
its instruction in `codegen.table_driven` and `codegen.interval_driven` (functions of one argument:
`codegen.interval_elementary`).

`function` gives the meaning, on NumPy arrays. A spelling turns the already printed arguments into
source text of one target: `numba` (scalars inside a kernel) or `infix` (SBML level 3 formula
syntax). The table-driven kernel evaluates the `opcode` instead.

The inverse functions follow the convention of SBML: arcsec(x) = arccos(1/x), arccot(x) =
arctan(1/x) and so on, principal values. `rem` and `quotient` truncate towards zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from sbmlgrad.model import interval_rules as bounds
from sbmlgrad.model import operator_partials as slopes
from sbmlgrad.model import operator_values as values
from sbmlgrad.model.expression import Expression, Number, Symbol
from sbmlgrad.model.operator_row import Operator, elementary, logical, relation
from sbmlgrad.model.operator_spellings import (
    TARGETS,
    call,
    combined_truth,
    conditional,
    joined,
    joined_or_call,
    minus,
    paired,
    same,
    spelled,
    template,
)

__all__ = ["OPERATORS", "TARGETS", "Operator", "evaluate"]


_ROWS = (
    Operator(
        "plus",
        (1, None),
        values.folded(np.add),
        slopes.d_plus,
        same(joined(" + ")),
        10,
        bounds.plus,
    ),
    Operator("minus", (1, 2), values.minus, slopes.d_minus, same(minus), 11, bounds.minus),
    Operator(
        "times",
        (1, None),
        values.folded(np.multiply),
        slopes.d_times,
        same(joined(" * ")),
        12,
        bounds.times,
    ),
    Operator("divide", (2, 2), np.divide, slopes.d_divide, same(joined(" / ")), 13, bounds.divide),
    Operator(
        "power",
        (2, 2),
        np.float_power,
        slopes.d_power,
        spelled(joined(" ** "), joined(" ^ ")),
        14,
        bounds.power,
    ),
    Operator(
        "min",
        (1, None),
        values.folded(np.minimum),
        slopes.d_extremum("leq", "lt"),
        # Unlike Python's own, this minimum of a number and NaN is NaN.
        spelled(paired("np.minimum"), call("min")),
        19,
        bounds.minimum,
    ),
    Operator(
        "max",
        (1, None),
        values.folded(np.maximum),
        slopes.d_extremum("geq", "gt"),
        spelled(paired("np.maximum"), call("max")),
        20,
        bounds.maximum,
    ),
    Operator(
        "piecewise",
        (1, None),
        values.piecewise,
        slopes.d_piecewise,
        spelled(conditional, call("piecewise")),
        21,
        bounds.piecewise,
    ),
    Operator(
        "quotient",
        (2, 2),
        values.quotient,
        None,
        spelled(template("np.trunc({0} / {1})"), call("quotient")),
        22,
        bounds.quotient,
    ),
    Operator(
        "rem",
        (2, 2),
        np.fmod,
        slopes.d_rem,
        spelled(call("np.fmod"), call("rem")),
        23,
        bounds.rem,
    ),
    elementary("exp", np.exp, "math.exp({0})", slopes.d_exp, 15, bounds.exp),
    elementary("ln", np.log, "math.log({0})", slopes.d_ln, 16, bounds.ln),
    elementary("log10", np.log10, "math.log10({0})", slopes.d_log10, 53, bounds.log10),
    elementary("sqrt", np.sqrt, "math.sqrt({0})", slopes.d_sqrt, 17, bounds.sqrt),
    elementary("abs", np.abs, "abs({0})", slopes.d_abs, 18, bounds.magnitude),
    elementary("floor", np.floor, "np.floor({0})", None, 50, bounds.floor),
    elementary("ceiling", np.ceil, "np.ceil({0})", None, 51, bounds.ceiling),
    elementary(
        "factorial",
        values.factorial,
        # The rounding makes the gamma function exact where a float64 can be.
        "(lambda n: np.rint(math.gamma(n + 1.0)) if n >= 0.0 and n == np.floor(n) else nan)({0})",
        slopes.d_factorial,
        52,
        bounds.factorial,
    ),
    elementary("sin", np.sin, "math.sin({0})", slopes.d_sin, 110, bounds.sine),
    elementary("cos", np.cos, "math.cos({0})", slopes.d_cos, 111, bounds.cosine),
    elementary("tan", np.tan, "math.tan({0})", slopes.d_tan, 112, bounds.tangent),
    elementary(
        "sec", values.reciprocal_of(np.cos), "(1.0 / math.cos({0}))", slopes.d_sec, 113, bounds.sec
    ),
    elementary(
        "csc", values.reciprocal_of(np.sin), "(1.0 / math.sin({0}))", slopes.d_csc, 114, bounds.csc
    ),
    elementary(
        "cot",
        values.reciprocal_of(np.tan),
        "(1.0 / math.tan({0}))",
        slopes.d_cot,
        115,
        bounds.cotangent,
    ),
    elementary("sinh", np.sinh, "math.sinh({0})", slopes.d_sinh, 116, bounds.sinh),
    elementary("cosh", np.cosh, "math.cosh({0})", slopes.d_cosh, 117, bounds.hyperbolic_cosine),
    elementary("tanh", np.tanh, "math.tanh({0})", slopes.d_tanh, 118, bounds.tanh),
    elementary(
        "sech",
        values.reciprocal_of(np.cosh),
        "(1.0 / math.cosh({0}))",
        slopes.d_sech,
        119,
        bounds.sech,
    ),
    elementary(
        "csch",
        values.reciprocal_of(np.sinh),
        "(1.0 / math.sinh({0}))",
        slopes.d_csch,
        120,
        bounds.csch,
    ),
    elementary(
        "coth",
        values.reciprocal_of(np.tanh),
        "(1.0 / math.tanh({0}))",
        slopes.d_coth,
        121,
        bounds.coth,
    ),
    elementary("arcsin", np.arcsin, "math.asin({0})", slopes.d_arcsin, 122, bounds.arcsin),
    elementary("arccos", np.arccos, "math.acos({0})", slopes.d_arccos, 123, bounds.arccos),
    elementary("arctan", np.arctan, "math.atan({0})", slopes.d_arctan, 124, bounds.arctan),
    elementary(
        "arcsec",
        values.of_reciprocal(np.arccos),
        "math.acos(1.0 / {0})",
        slopes.d_arcsec,
        125,
        bounds.arcsec,
    ),
    elementary(
        "arccsc",
        values.of_reciprocal(np.arcsin),
        "math.asin(1.0 / {0})",
        slopes.d_arccsc,
        126,
        bounds.arccsc,
    ),
    elementary(
        "arccot",
        values.of_reciprocal(np.arctan),
        "math.atan(1.0 / {0})",
        slopes.d_arccot,
        127,
        bounds.arccot,
    ),
    elementary("arcsinh", np.arcsinh, "math.asinh({0})", slopes.d_arcsinh, 128, bounds.arcsinh),
    elementary("arccosh", np.arccosh, "math.acosh({0})", slopes.d_arccosh, 129, bounds.arccosh),
    elementary("arctanh", np.arctanh, "math.atanh({0})", slopes.d_arctanh, 130, bounds.arctanh),
    elementary(
        "arcsech",
        values.of_reciprocal(np.arccosh),
        "math.acosh(1.0 / {0})",
        slopes.d_arcsech,
        131,
        bounds.arcsech,
    ),
    elementary(
        "arccsch",
        values.of_reciprocal(np.arcsinh),
        "math.asinh(1.0 / {0})",
        slopes.d_arccsch,
        132,
        bounds.arccsch,
    ),
    elementary(
        "arccoth",
        values.of_reciprocal(np.arctanh),
        "math.atanh(1.0 / {0})",
        slopes.d_arccoth,
        133,
        bounds.arccoth,
    ),
    relation("lt", "<", np.less, 30),
    relation("leq", "<=", np.less_equal, 31),
    relation("gt", ">", np.greater, 32),
    relation("geq", ">=", np.greater_equal, 33),
    relation("eq", "==", np.equal, 34),
    relation("neq", "!=", np.not_equal, 35),
    logical(
        "and",
        (1, None),
        values.folded_truth(np.logical_and, True),
        spelled(combined_truth(" and ", "{} != 0.0"), joined_or_call(" && ", "and")),
        40,
    ),
    logical(
        "or",
        (1, None),
        values.folded_truth(np.logical_or, False),
        spelled(combined_truth(" or ", "{} != 0.0"), joined_or_call(" || ", "or")),
        41,
    ),
    logical(
        "not",
        (1, 1),
        values.truth(np.logical_not),
        spelled(template("(1.0 if {0} == 0.0 else 0.0)"), template("!({0})")),
        42,
    ),
    logical("true", (0, 0), lambda: 1.0, spelled(template("1.0"), template("true")), 43),
    logical("false", (0, 0), lambda: 0.0, spelled(template("0.0"), template("false")), 44),
    logical(
        "xor",
        (1, None),
        values.folded_truth(np.logical_xor, False),
        spelled(combined_truth(" ^ ", "({} != 0.0)"), call("xor")),
        45,
    ),
    logical(
        "implies",
        (2, 2),
        values.truth(values.implies),
        spelled(template("(1.0 if {0} == 0.0 or {1} != 0.0 else 0.0)"), call("implies")),
        46,
    ),
    # The rate of change of a symbol; what it stands for depends on the model, not on a value.
    Operator(
        "rateOf",
        (1, 1),
        values.without_value,
        slopes.d_without_value,
        same(call("rateOf")),
        None,
        bounds.unknown,
    ),
)

#: Rows by name.
OPERATORS: Mapping[str, Operator] = MappingProxyType({row.name: row for row in _ROWS})


def evaluate(expression: Expression, values: Mapping[str, Any]) -> Any:
    """Evaluate an expression on numbers or arrays, the meaning that every target must reproduce.

    Args:
        expression: the expression.
        values: symbol id → number or array; arrays broadcast.

    Returns:
        float64 number or array; truth values are 1.0 and 0.0. Division by zero and the like give
        infinity or NaN, not a warning.
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
