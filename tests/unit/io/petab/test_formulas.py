"""The mathematics of PEtab: meaning as in its own library, and text that reads back the same."""

from __future__ import annotations

import math

import pytest
from petab.v1.math import sympify_petab

from sbmlgrad.errors import DataError, WriteError
from sbmlgrad.io.petab.formula_text import petab_text
from sbmlgrad.io.petab.formulas import petab_formula
from sbmlgrad.model.expression import TIME, Apply, Number, Symbol, add, symbols
from sbmlgrad.model.operators import evaluate

VALUES = {"a": 0.3, "b": 1.7, "c": 2.4, "E": 0.9, "pi": 5.0}

FORMULAS = [
    "a + b*c - a/b",
    "a - b - c + 1",
    "a/b/c*2",
    "-a^2",
    "2^3^a",
    "2^-a*3",
    "a^-b^2",
    "--a",
    "-a*-b",
    "(a + b)*(c - 2.5e-1)^2",
    "(a^b)^c",
    "(a - (b - c))",
    "a*(b*c)",
    "log(a) + ln(b) + log10(c) + log2(a)",
    "log(c, b)",
    "pow(a, b) + min(a, b) + max(b, c)",
    "exp(a)*sqrt(b)/abs(-c)",
    "sign(a) + sign(-b) + sign(a - a)",
    "piecewise(1, a > b, 2, b >= c, 3)",
    "piecewise(a, a < b && b < c, c)",
    "piecewise(1, a > b || c > b && a > c, 0)",
    "piecewise(1, !(a > b), 0)",
    "piecewise(1, a == 0.3, 0) + piecewise(1, a != 0.3, 0) + piecewise(1, a <= 0.3, 0)",
    "sin(a)+cos(a)+tan(a)+sinh(a)+cosh(a)+tanh(a)+arcsin(a)+arccos(a)+arctan(a)",
    "sec(a)+csc(a)+cot(a)+sech(a)+csch(a)+coth(a)+arcsinh(a)+arccosh(b)+arctanh(a)",
    "arcsec(b)+arccsc(b)+arccot(b)+arcsech(a)+arccsch(a)+arccoth(b)",
    "E*pi + 1e3 - 2E-1",
    "12",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_mean_what_petab_says(text) -> None:
    theirs = sympify_petab(text)
    value = complex(theirs.subs({s: VALUES[str(s)] for s in theirs.free_symbols}))
    assert value.imag == pytest.approx(0.0, abs=1e-12)
    ours = petab_formula(text)
    assert symbols(ours) <= VALUES.keys()
    assert float(evaluate(ours, VALUES)) == pytest.approx(value.real, rel=1e-12)


@pytest.mark.parametrize("text", FORMULAS)
def test_written_formulas_read_back_the_same(text) -> None:
    formula = petab_formula(text)
    written = petab_text(formula)
    assert petab_formula(written) == formula
    theirs = sympify_petab(written)
    value = complex(theirs.subs({s: VALUES[str(s)] for s in theirs.free_symbols})).real
    assert value == pytest.approx(float(evaluate(formula, VALUES)), rel=1e-12)


def test_time_is_the_clock() -> None:
    assert petab_formula("time + time_2") == add(TIME, Symbol("time_2"))
    assert petab_text(petab_formula("2*time")) == "2.0 * time"


def test_ids_are_renamed_when_written() -> None:
    local = add(Symbol("R1.k"), Symbol("a"))
    assert petab_text(local, {"R1.k": "R1__k"}) == "R1__k + a"


@pytest.mark.parametrize("value", [0.1, 1e-300, 123456789.123456789, -2.5, 1 / 3])
def test_numbers_keep_every_bit(value) -> None:
    assert petab_formula(petab_text(Number(value))) == Number(value)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a +", "its end"),
        ("a b", "left over"),
        ("a $ b", "means nothing"),
        ("(a", "should"),
        ("floor(a)", "no function 'floor'"),
        ("exp(a, b)", "does not take 2"),
        ("piecewise(1, a > b)", "does not take 2"),
        ("inf", "no quantity"),
        ("a + NaN", "no quantity"),
        ("*a", "should"),
        ("a..b", "means nothing"),
        ("", "its end"),
    ],
)
def test_what_is_no_formula_is_refused(text, word) -> None:
    with pytest.raises(DataError, match=word) as error:
        petab_formula(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize(
    ("formula", "word"),
    [
        (Apply("floor", (Symbol("a"),)), "floor"),
        (Apply("rateOf", (Symbol("a"),)), "rateOf"),
        (Apply("piecewise", (Symbol("a"), Symbol("b"))), "otherwise"),
        (Number(math.inf), "inf"),
    ],
)
def test_what_petab_cannot_say_is_refused(formula, word) -> None:
    with pytest.raises(WriteError, match=word):
        petab_text(formula)
