"""The sign structure of laws: what is non-negative as it stands, and what splits, exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbmlgrad.io.sbml.mathml import to_expression
from sbmlgrad.model.expression import (
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
    symbols,
)
from sbmlgrad.model.laws.falling_factorials import Molecules
from sbmlgrad.model.laws.intervals import Bounds
from sbmlgrad.model.laws.signs import can_turn_negative, is_nonnegative, split
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.terms import factors, terms

CONSTANTS = {
    **{"k1": 2.0, "k2": 0.7, "K": 3.0, "Keq": 1.5, "c": 0.5, "n": 2.0, "Vf": 4.0, "Vr": 2.5},
    **{"Ks": 1.2, "Kp": 0.8, "off": 0.0, "unset": math.nan, "below": -2.0},
}


def law(formula: str) -> Expression:
    import libsbml

    return to_expression(libsbml.parseL3Formula(formula), {}, {})


def known(expression: Expression) -> Bounds:
    """What is known of a law whose symbols are constants and numbers of molecules."""
    counted = {s: Molecules(1.0) for s in symbols(expression) - CONSTANTS.keys()}
    return Bounds(CONSTANTS, molecules=counted)


def states(expression: Expression, count: int = 200):
    """Whole numbers for every symbol that is no constant, zero among them."""
    rng = np.random.default_rng(11)
    names = sorted(symbols(expression) - CONSTANTS.keys())
    for _ in range(count):
        yield {
            **CONSTANTS,
            "unset": 1.0,
            "off": 0.3,
            **{s: float(rng.integers(0, 12)) for s in names},
        }


WHOLE = [
    "k1*A",
    "k1*A*B/(K + A)",
    "k1*X*(X - 1)",
    "k1*(X - 1)*X/2",
    "X*(X - 1)*(X - 2)/6",
    "X*(X - 1)*(X - 2)*(X - 3)",
    "k1*X*Y*(Y - 1)*(X - 1)",
    "k1*(100 - 2*X)*(99 - 2*X)",
    "k1*(A + B)*(A + B - 1)",
    "1 - X/(K + X)",
    "1 - X/(X + K)",
    "1 - K*X/(1 + X*K)",
    "1 - (X/K)/(1 + X/K)",
    "k1*(1 - X^n/(K^n + X^n))",
    "k1*(1 - (X/K)^n/(1 + (X/K)^n))",
    "1 - X*A/(B + X)/(1 + A)",
    "k1*(1 - 1/(1 + X/K)^n)",
    "k1*(1 - c*X/(K + X))",
    "k1*(1 - exp(-X))",
    "k1*(1 - exp(-k2*X))",
    "max(0, k1*A - k2*B)",
    "k1*max(A - B, 0)",
    "abs(A - B)",
    "(A - B)^2",
    "k1*A - below*B",
    "below*A*below",
    "-(below)*A",
    "below*(0 - A)",
    "piecewise(k1*A, A > B, k2)",
    "piecewise(A - B, A > B, 0)",
    "piecewise(0, A < B, k1)",
    "gt(A, B)*k1",
    "unset*A",
    "off*A",
    "k1*sqrt(A)",
    "k1*exp(A - B)",
    "k1*ln(1 + A)",
]


@pytest.mark.parametrize("formula", WHOLE)
def test_non_negative_laws_are_known_to_be(formula: str) -> None:
    expression = law(formula)
    assert is_nonnegative(expression, known(expression))
    # Parts that are already non-negative are never opened.
    assert split(expression, known(expression)) == (expression, ZERO)
    for state in states(expression):
        assert not float(evaluate(expression, state)) < -1e-12  # 0 / 0 is no number


SIGNED = [
    "k1*A - k2*B",
    "c*(k1*A - k2*B)",
    "c*(k1*A - k2*B/Keq)",
    "c*k1*(A - B/Keq)/K",
    "(Vf*A/Ks - Vr*B/Kp)/(1 + A/Ks + B/Kp)",
    "k1*(A - B)*(X*(X - 1))",
    "-k1*(B - A)",
    "-1*k1*(B - A)",
    "(-Vf)*(B - A/Keq)/(K + A)",
    "below*(A - B)",
    "(A - B)/below",
    "(A - B)/(below*K)",
    "k1*A*A - k2*B",
    "k1*X*(X - 1)/2 - k2*B",
    "off*A - k2*B",
    "k1*A - off*B",
    "unset*A - k2*B",
    "off*(k1*A - k2*B)",
    "piecewise(k1*A - k2*B, X > 3, k1*A)",
    "piecewise(k1*A - k2*B, X > 3, 0)",
    "k1*X*(1 - X/K)",
    "k1 - k2*X",
    "k1*A - k2*B + k1*X - k2*Y",
    "k1*A - (k2*B - k1*X)",
    "k1*A - k2*B*(1 - X/(K + X))",
    "A - (1 - exp(-B))",
    "1 - exp(-A) - k2*B",
    "k1*(K - A)",
    "X - 1",
    "(X - 1)*A",
    "X^3 - Y^3",
]


@pytest.mark.parametrize("formula", SIGNED)
def test_differences_split_exactly(formula: str) -> None:
    expression = law(formula)
    assert not is_nonnegative(expression, known(expression))
    parts = split(expression, known(expression))
    assert parts is not None
    assert ZERO not in parts
    signs = set()
    for state in states(expression):
        forward, backward = (float(evaluate(part, state)) for part in parts)
        value = float(evaluate(expression, state))
        assert forward >= 0.0
        assert backward >= 0.0
        assert forward - backward == pytest.approx(value, rel=1e-12, abs=1e-9)
        signs.add(np.sign(forward))
        signs.add(-np.sign(backward))
    assert signs & {1.0, -1.0}


@pytest.mark.parametrize(
    "formula",
    [
        "(A - B)*(X - Y)",
        "k1*A - (A - B)*(X - Y)",
        "(A - B)^3",
        "(A - B)/(X - Y)",
        "A/(K - B)",
        "exp(A)*(A - B)*(K - X)",
        "min(A - B, X)",
        "ln(A) - B",
    ],
)
def test_what_is_no_difference_of_known_signs_is_not_split(formula: str) -> None:
    assert split(law(formula), known(law(formula))) is None


def test_a_law_that_is_never_positive_has_only_a_backward_part() -> None:
    for expression in (law("-(k1*A)"), law("(-k1)*A"), law("below*A"), law("0 - k1*A")):
        parts = split(expression, known(expression))
        assert parts is not None
        assert parts[0] == ZERO
        assert float(evaluate(parts[1], {**CONSTANTS, "A": 3.0})) == 6.0


def test_a_parameter_that_is_zero_now_does_not_hide_the_structure() -> None:
    parts = split(law("k1*A - off*B"), known(law("k1*A - off*B")))
    assert parts is not None
    assert "off" in symbols(parts[1])
    assert split(law("off*(k1*A - k2*B)"), known(law("off*(k1*A - k2*B)"))) != (
        law("off*(k1*A - k2*B)"),
        ZERO,
    )


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("A", (0.0, math.inf)),
        ("2", (2.0, 2.0)),
        ("-3", (-3.0, -3.0)),
        ("k1", (2.0, 2.0)),
        ("below", (-2.0, -2.0)),
        ("off", (0.0, math.inf)),
        ("unset", (0.0, math.inf)),
        ("k1 + A", (2.0, math.inf)),
        ("k1 - A", (-math.inf, 2.0)),
        ("1/(1 + A)", (0.0, 1.0)),
        ("k1/(2 + A)", (0.0, 1.0)),
        ("A/(A + B)", (0.0, 1.0)),
        ("k1*A/(A + B)", (0.0, 2.0)),
        ("exp(-A)", (0.0, 1.0)),
        ("exp(A)", (1.0, math.inf)),
        ("ln(1 + A)", (0.0, math.inf)),
        ("ln(A)", (-math.inf, math.inf)),
        ("(1 + A)^2", (1.0, math.inf)),
        ("(1 + A)^0.5", (1.0, math.inf)),
        ("(1 + A)^(-1)", (0.0, 1.0)),
        ("(A - 1)^3", (-math.inf, math.inf)),
        ("min(A, 3)", (0.0, 3.0)),
        ("max(A, 3)", (3.0, math.inf)),
        ("piecewise(1, A > 2, 5)", (1.0, 5.0)),
        ("gt(A, B)", (0.0, 1.0)),
        ("A/(0 - 2)", (-math.inf, 0.0)),
    ],
)
def test_bounds(formula: str, expected: tuple[float, float]) -> None:
    assert known(law(formula)).of(law(formula)) == expected


def test_bounds_hold_on_random_states() -> None:
    for formula in (*WHOLE, *SIGNED):
        expression = law(formula)
        low, high = known(expression).of(expression)
        for state in states(expression, 40):
            value = float(evaluate(expression, state))
            assert math.isnan(value) or low - 1e-9 <= value <= high + 1e-9, formula


def test_a_law_of_infinite_or_huge_numbers_is_judged_without_complaint() -> None:
    for value in (math.inf, math.nan, 1e308, -1e308):
        expression = multiply(Symbol("A"), Apply("plus", (Symbol("A"), Number(value))))
        assert isinstance(is_nonnegative(expression, Bounds({})), bool)


def test_factors_and_terms_keep_the_value() -> None:
    expression = law("k1*A/(K*B)*(2/(A + 1))/c")
    above, below = factors(expression)
    state = {**CONSTANTS, "A": 3.0, "B": 5.0}
    found = math.prod(float(evaluate(f, state)) for f in above) / math.prod(
        float(evaluate(f, state)) for f in below
    )
    assert found == pytest.approx(float(evaluate(expression, state)), rel=1e-14)
    expression = law("A - (B - (c - A) + -(k1*B))")
    total = sum(sign * float(evaluate(term, state)) for sign, term in terms(expression))
    assert total == pytest.approx(float(evaluate(expression, state)), rel=1e-14)


def test_what_can_turn_negative_at_all() -> None:
    assert can_turn_negative(law("A - B"))
    assert can_turn_negative(multiply(Number(-1.0), Symbol("A")))
    assert not can_turn_negative(law("k1*ln(A)"))


# --- properties -----------------------------------------------------------------------------------

A, B, K1, K2 = Symbol("A"), Symbol("B"), Symbol("k1"), Symbol("k2")
NON_NEGATIVE = st.recursive(
    st.one_of(
        st.sampled_from([A, B, K1, K2]),
        st.floats(0.1, 9.0).map(lambda v: Number(round(v, 2))),
    ),
    lambda inner: st.one_of(
        st.builds(multiply, inner, inner),
        st.builds(add, inner, inner),
        st.builds(lambda a, b: divide(a, add(Number(1.0), b)), inner, inner),
        st.builds(lambda a: power(a, Number(2.0)), inner),
        st.builds(lambda a: Apply("exp", (negate(a),)), inner),
        st.builds(lambda a: subtract(Number(1.0), Apply("exp", (negate(a),))), inner),
        st.builds(lambda a, b: piecewise(a, Apply("gt", (A, B)), b), inner, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(NON_NEGATIVE, NON_NEGATIVE, NON_NEGATIVE, st.booleans())
def test_forward_minus_backward_splits_into_just_that(
    forward: Expression, backward: Expression, factor: Expression, is_turned: bool
) -> None:
    whole = multiply(factor, subtract(forward, backward))
    if is_turned:
        whole = negate(multiply(factor, subtract(backward, forward)))
    parts = split(whole, known(whole))
    assert parts is not None
    rng = np.random.default_rng(17)
    for _ in range(10):
        state = {**CONSTANTS, "A": float(rng.integers(0, 9)), "B": float(rng.integers(0, 9))}
        up, down = (float(evaluate(part, state)) for part in parts)
        values = [float(evaluate(e, state)) for e in (factor, forward, backward, whole)]
        if not all(math.isfinite(v) and abs(v) < 1e100 for v in values):
            continue
        f, g, h, value = values
        assert up >= 0.0
        assert down >= 0.0
        slack = 1e-9 * (1.0 + f * (g + h))
        assert up - down == pytest.approx(value, rel=1e-9, abs=slack)
        if not is_nonnegative(whole, known(whole)) and parts[0] != ZERO:
            # Neither part holds more than the sum it stands for: nothing is added to both.
            assert up <= f * g + slack
            assert down <= f * h + slack


@settings(max_examples=200, deadline=None)
@given(NON_NEGATIVE)
def test_non_negative_laws_are_never_opened(expression: Expression) -> None:
    assert split(expression, known(expression)) == (expression, ZERO)
