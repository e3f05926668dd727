"""What each operator of kinetic laws is in TensorFlow: functions of float64 tensors.

Truth values are 1.0 and 0.0, as in `model.operator_values`. `piecewise` is not here, since its
pieces need care before they are evaluated (`codegen.tensorflow_graph`). Derivatives at kinks follow
the operator table: from one side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce
from types import MappingProxyType
from typing import Any

Function = Callable[..., Any]


def _tf() -> Any:
    import tensorflow as tf

    return tf


def _named(name: str) -> Function:
    return lambda *a: getattr(_tf().math, name)(*a)


def _folded(name: str) -> Function:
    return lambda *a: reduce(getattr(_tf().math, name), a)


def _reciprocal_of(name: str) -> Function:
    return lambda x: 1.0 / getattr(_tf().math, name)(x)


def _of_reciprocal(name: str) -> Function:
    return lambda x: getattr(_tf().math, name)(1.0 / x)


def _number(truth: Any) -> Any:
    return _tf().cast(truth, _tf().float64)


def _is_true(x: Any) -> Any:
    return _tf().not_equal(x, 0.0)


def _relation(name: str) -> Function:
    return lambda a, b: _number(getattr(_tf().math, name)(a, b))


def _combined(name: str, start: bool) -> Function:
    def combine(*a: Any) -> Any:
        function = getattr(_tf().math, name)
        return _number(reduce(function, (_is_true(x) for x in a), _tf().constant(start)))

    return combine


def _constant(value: float) -> Function:
    return lambda: _tf().constant(value, _tf().float64)


def _minus(*a: Any) -> Any:
    return -a[0] if len(a) == 1 else a[0] - a[1]


def _implies(a: Any, b: Any) -> Any:
    return _number(_tf().logical_or(_tf().logical_not(_is_true(a)), _is_true(b)))


def _extremum(name: str) -> Function:
    def extremum(*a: Any) -> Any:
        tf = _tf()
        function = getattr(tf.math, name)

        def of_two(x: Any, y: Any) -> Any:
            # Compilers may drop a NaN; a sum keeps it.
            return tf.where(tf.math.is_nan(x) | tf.math.is_nan(y), x + y, function(x, y))

        return reduce(of_two, a)

    return extremum


def _absolute(x: Any) -> Any:
    # Not tf.abs, whose derivative at 0 is 0: counts come to 0 from the right.
    return _tf().where(x < 0.0, -x, x + 0.0)


def _truncated(x: Any) -> Any:
    tf = _tf()
    return tf.where(x < 0.0, tf.math.ceil(x), tf.math.floor(x))


def _remainder(a: Any, b: Any) -> Any:
    tf = _tf()

    @tf.custom_gradient
    def remainder(a: Any, b: Any) -> Any:
        def gradient(cotangent: Any) -> Any:
            return cotangent, -cotangent * _truncated(a / b)

        return tf.truncatemod(a, b), gradient

    # The gradient above has the shape of the result.
    shape = tf.broadcast_dynamic_shape(tf.shape(a), tf.shape(b))
    return remainder(tf.broadcast_to(a, shape), tf.broadcast_to(b, shape))


def _log10(x: Any) -> Any:
    """Return the decimal logarithm, exact at powers of ten, where the quotient may not be."""
    tf = _tf()
    quotient = tf.math.log(x) / math.log(10.0)
    last = 308
    powers = tf.constant([float(f"1e{n}") for n in range(-last, last + 1)], tf.float64)
    nearest = tf.math.rint(tf.where(tf.math.abs(quotient) <= last, quotient, 0.0))
    is_power = tf.equal(tf.gather(powers, tf.cast(nearest, tf.int32) + last), x)
    return quotient + tf.stop_gradient(tf.where(is_power, nearest - quotient, 0.0))


def _factorial(x: Any) -> Any:
    """Return `x!` of whole numbers >= 0, NaN of all others, and NaN as derivative."""
    tf = _tf()
    last = 170  # 171! exceeds the largest float64.
    table = [*(float(math.factorial(n)) for n in range(last + 1)), math.inf, math.nan]

    @tf.custom_gradient
    def factorial(x: Any) -> Any:
        is_whole = (x >= 0.0) & tf.equal(x, tf.math.floor(x))
        place = tf.where(is_whole, tf.where(x <= last, x, last + 1.0), last + 2.0)
        value = tf.gather(tf.constant(table, tf.float64), tf.cast(place, tf.int32))
        return value, lambda cotangent: cotangent * math.nan

    return factorial(x)


#: Functions by the names of the operator table.
FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "plus": _folded("add"),
        "minus": _minus,
        "times": _folded("multiply"),
        "divide": _named("divide"),
        "power": _named("pow"),
        "min": _extremum("minimum"),
        "max": _extremum("maximum"),
        "quotient": lambda a, b: _truncated(a / b),
        "rem": _remainder,
        "exp": _named("exp"),
        "ln": _named("log"),
        "log10": _log10,
        "sqrt": _named("sqrt"),
        "abs": _absolute,
        "floor": _named("floor"),
        "ceiling": _named("ceil"),
        "factorial": _factorial,
        "sin": _named("sin"),
        "cos": _named("cos"),
        "tan": _named("tan"),
        "sec": _reciprocal_of("cos"),
        "csc": _reciprocal_of("sin"),
        "cot": _reciprocal_of("tan"),
        "sinh": _named("sinh"),
        "cosh": _named("cosh"),
        "tanh": _named("tanh"),
        "sech": _reciprocal_of("cosh"),
        "csch": _reciprocal_of("sinh"),
        "coth": _reciprocal_of("tanh"),
        "arcsin": _named("asin"),
        "arccos": _named("acos"),
        "arctan": _named("atan"),
        "arcsec": _of_reciprocal("acos"),
        "arccsc": _of_reciprocal("asin"),
        "arccot": _of_reciprocal("atan"),
        "arcsinh": _named("asinh"),
        "arccosh": _named("acosh"),
        "arctanh": _named("atanh"),
        "arcsech": _of_reciprocal("acosh"),
        "arccsch": _of_reciprocal("asinh"),
        "arccoth": _of_reciprocal("atanh"),
        "lt": _relation("less"),
        "leq": _relation("less_equal"),
        "gt": _relation("greater"),
        "geq": _relation("greater_equal"),
        "eq": _relation("equal"),
        "neq": _relation("not_equal"),
        "and": _combined("logical_and", True),
        "or": _combined("logical_or", False),
        "xor": _combined("logical_xor", False),
        "not": lambda x: _number(_tf().equal(x, 0.0)),
        "implies": _implies,
        "true": _constant(1.0),
        "false": _constant(0.0),
    }
)
