"""Expressions: folding constructors, simultaneous substitution, derivatives, values."""

from __future__ import annotations

import math
import warnings
from dataclasses import FrozenInstanceError
from functools import reduce

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.expression import (
    ONE,
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
    rebuild,
    substitute,
    subtract,
    symbols,
)
from sbmlgrad.model.operators import OPERATORS, evaluate

X, Y, Z = Symbol("x"), Symbol("y"), Symbol("z")
TWO, THREE = Number(2.0), Number(3.0)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (add(), ZERO),
        (add(X), X),
        (add(X, ZERO), X),
        (add(X, TWO, Y, THREE), Apply("plus", (Number(5.0), X, Y))),
        (add(TWO, Number(-2.0), X), X),
        (multiply(), ONE),
        (multiply(X), X),
        (multiply(X, ONE), X),
        (multiply(X, TWO, Y, THREE), Apply("times", (Number(6.0), X, Y))),
        (multiply(X, ZERO, Y), ZERO),
        (multiply(Number(0.5), TWO, X), X),
        (negate(TWO), Number(-2.0)),
        (negate(negate(X)), X),
        (negate(subtract(X, Y)), Apply("minus", (Apply("minus", (X, Y)),))),
        (subtract(X, ZERO), X),
        (subtract(ZERO, X), Apply("minus", (X,))),
        (subtract(THREE, TWO), ONE),
        (subtract(X, X), Apply("minus", (X, X))),
        (divide(X, ONE), X),
        (divide(THREE, TWO), Number(1.5)),
        (divide(ZERO, X), ZERO),
        (divide(X, ZERO), Apply("divide", (X, ZERO))),
        (divide(ZERO, ZERO), Apply("divide", (ZERO, ZERO))),
        (power(X, ONE), X),
        (power(X, ZERO), ONE),
        (power(X, TWO), Apply("power", (X, TWO))),
        (power(TWO, X), Apply("power", (TWO, X))),
        (piecewise(X, Apply("gt", (X, Y)), X), X),
        (piecewise(X), X),
        (piecewise(X, Apply("gt", (X, Y))), Apply("piecewise", (X, Apply("gt", (X, Y))))),
    ],
)
def test_constructors_fold_constants_and_nothing_else(
    made: Expression, expected: Expression
) -> None:
    assert made == expected


def test_rebuild_folds_as_the_constructors_do() -> None:
    assert rebuild("plus", (X, ZERO)) == X
    assert rebuild("minus", (TWO,)) == Number(-2.0)
    assert rebuild("minus", (X, ZERO)) == X
    assert rebuild("divide", (X, ONE)) == X
    assert rebuild("power", (X, ONE)) == X
    assert rebuild("exp", (ZERO,)) == Apply("exp", (ZERO,))


def test_expressions_are_values() -> None:
    one, other = multiply(X, add(Y, TWO)), multiply(Symbol("x"), add(Symbol("y"), Number(2.0)))
    assert one == other
    assert len({one, other}) == 1
    with pytest.raises(FrozenInstanceError):
        X.id = "y"  # pyright: ignore[reportAttributeAccessIssue]


def test_substitution_is_simultaneous() -> None:
    law = subtract(X, multiply(TWO, Y))
    assert substitute(law, {"x": Y, "y": X}) == subtract(Y, multiply(TWO, X))
    # What is put in is not looked into again.
    assert substitute(X, {"x": add(X, ONE)}) == add(X, ONE)


def test_substitution_folds_what_becomes_constant() -> None:
    law = multiply(X, divide(Y, Z))
    assert substitute(law, {"z": ONE}) == multiply(X, Y)
    assert substitute(law, {"x": ZERO}) == ZERO


def test_substitution_shares_what_it_does_not_touch() -> None:
    untouched = power(Y, Z)
    law = Apply("times", (X, untouched))
    result = substitute(law, {"x": TWO})
    assert isinstance(result, Apply)
    assert result.arguments[1] is untouched
    assert substitute(law, {"other": ONE}) is law


def test_symbols_of_an_expression() -> None:
    law = piecewise(multiply(X, Y), Apply("gt", (Z, ONE)), X)
    assert symbols(law) == {"x", "y", "z"}
    assert symbols(TWO) == frozenset()


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "values", "expected"),
    [
        (Apply("divide", (X, Y)), {"x": 1.0, "y": 0.0}, math.inf),
        (Apply("divide", (X, Y)), {"x": 0.0, "y": 0.0}, math.nan),
        (Apply("divide", (X, Y)), {"x": 1, "y": 2}, 0.5),
        (Apply("ln", (X,)), {"x": 0.0}, -math.inf),
        (Apply("ln", (X,)), {"x": -1.0}, math.nan),
        (Apply("sqrt", (X,)), {"x": -1.0}, math.nan),
        (Apply("exp", (X,)), {"x": 1e6}, math.inf),
        (Apply("power", (X, Y)), {"x": 0.0, "y": -1.0}, math.inf),
        (Apply("power", (X, Y)), {"x": -1.0, "y": 0.5}, math.nan),
        (Apply("power", (X, Y)), {"x": 0, "y": 0}, 1.0),
        (Apply("power", (X, Y)), {"x": 2, "y": -1}, 0.5),
        (Apply("times", (X, Y)), {"x": math.inf, "y": 0.0}, math.nan),
        (Apply("piecewise", (X, Apply("gt", (X, Y)))), {"x": 0.0, "y": 1.0}, math.nan),
        (Apply("minus", (X,)), {"x": 3.0}, -3.0),
        (Apply("max", (X, Y, Z)), {"x": 1.0, "y": 7.0, "z": 3.0}, 7.0),
        (Apply("min", (X, Y, Z)), {"x": 1.0, "y": 7.0, "z": 3.0}, 1.0),
    ],
)
def test_values_follow_ieee_and_never_warn(
    expression: Expression, values: dict[str, float], expected: float
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert float(evaluate(expression, values)) == pytest.approx(expected, nan_ok=True)


def test_arrays_broadcast() -> None:
    law = piecewise(multiply(X, Y), Apply("gt", (X, ONE)), ZERO)
    found = evaluate(law, {"x": np.array([[0.0], [2.0]]), "y": np.array([1.0, 10.0, 100.0])})
    assert found.tolist() == [[0.0, 0.0, 0.0], [2.0, 20.0, 200.0]]


SMOOTH = ("plus", "minus", "times", "divide", "power", "exp", "ln", "sqrt")
KINKED = ("abs", "min", "max", "piecewise")


def _applied(inner: st.SearchStrategy[Expression], names: tuple[str, ...]):
    def build(name: str, arguments: list[Expression]) -> Expression:
        least, most = OPERATORS[name].arity
        count = max(least, min(len(arguments), most or len(arguments)))
        if name == "piecewise":
            return Apply(
                name, (arguments[0], Apply("gt", (arguments[1], arguments[2])), arguments[2])
            )
        return Apply(name, tuple(arguments[:count]))

    return st.builds(build, st.sampled_from(names), st.lists(inner, min_size=3, max_size=3))


LEAVES = st.one_of(
    st.sampled_from([X, Y]),
    st.floats(0.25, 4.0, allow_nan=False).map(lambda v: Number(round(v, 3))),
)
SMOOTH_EXPRESSIONS = st.recursive(LEAVES, lambda inner: _applied(inner, SMOOTH), max_leaves=10)
ANY_EXPRESSIONS = st.recursive(
    LEAVES, lambda inner: _applied(inner, SMOOTH + KINKED), max_leaves=12
)
POINTS = st.floats(0.3, 3.0, allow_nan=False, allow_infinity=False)


@settings(max_examples=200, deadline=None)
@given(ANY_EXPRESSIONS, st.floats(), st.floats())
def test_evaluating_anything_anywhere_never_warns(
    expression: Expression, x: float, y: float
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate(expression, {"x": x, "y": y})
        evaluate(derivative(expression, "x"), {"x": x, "y": y})


def at_an_edge(expression: Expression, values: dict[str, float]) -> bool:
    """Tell whether a root or a power within is taken of 0, where its slope may be infinite."""
    if not isinstance(expression, Apply):
        return False
    if expression.operator in ("sqrt", "power") and not evaluate(expression.arguments[0], values):
        return True
    return any(at_an_edge(argument, values) for argument in expression.arguments)


@settings(max_examples=300, deadline=None)
@given(ANY_EXPRESSIONS, POINTS, POINTS)
def test_derivatives_agree_with_central_differences(
    expression: Expression, x: float, y: float
) -> None:
    def value(at: float) -> float:
        return float(evaluate(expression, {"x": at, "y": y}))

    # The root of x - x is 0 for all x, and its slope by the chain rule is 0 times infinity.
    assume(not at_an_edge(expression, {"x": x, "y": y}))
    # Steps of two lengths: where the two differences agree the function is smooth nearby.
    wide, narrow = ((value(x + h) - value(x - h)) / (2.0 * h) for h in (2e-4, 1e-4))
    scale = 1.0 + abs(narrow) + abs(value(x))
    assume(math.isfinite(wide) and math.isfinite(narrow) and scale < 1e6)
    assume(abs(wide - narrow) < 1e-6 * scale)
    assume(abs(value(x + 1e-4) - 2.0 * value(x) + value(x - 1e-4)) < 1e-7 * scale)
    exact = float(evaluate(derivative(expression, "x"), {"x": x, "y": y}))
    assert exact == pytest.approx(narrow, abs=1e-4 * scale)


@settings(max_examples=100, deadline=None)
@given(SMOOTH_EXPRESSIONS, SMOOTH_EXPRESSIONS, POINTS, POINTS)
def test_substitution_commutes_with_evaluation(
    expression: Expression, inner: Expression, x: float, y: float
) -> None:
    at = {"x": x, "y": y}
    inside = float(evaluate(inner, at))
    assume(math.isfinite(inside))
    expected = float(evaluate(expression, {"x": inside, "y": y}))
    assume(math.isfinite(expected) and abs(expected) < 1e12)
    found = float(evaluate(substitute(expression, {"x": inner}), at))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_symbol_that_does_not_occur_has_derivative_zero() -> None:
    assert derivative(multiply(X, Y), "z") == ZERO
    assert derivative(Number(3.0), "x") == ZERO
    assert derivative(Apply("gt", (X, Y)), "x") == ZERO


def test_derivatives_where_a_species_is_absent_are_finite() -> None:
    # d/dn of x^n and d/dx of x^2 at x = 0, as in a Hill function without its activator.
    hill = divide(power(X, Y), add(ONE, power(X, Y)))
    at = {"x": 0.0, "y": 2.0}
    assert float(evaluate(derivative(hill, "y"), at)) == 0.0
    assert float(evaluate(derivative(hill, "x"), at)) == 0.0


def test_derivatives_of_long_sums_do_not_nest() -> None:
    law = Apply("plus", tuple(multiply(Number(float(i + 2)), X) for i in range(500)))
    slope = derivative(law, "x")
    assert slope == Number(float(sum(range(2, 502))))
    assert float(evaluate(law, {"x": 1.0})) == reduce(
        float.__add__, (float(i) for i in range(2, 502))
    )
