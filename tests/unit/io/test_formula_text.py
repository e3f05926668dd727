"""Formulas as text: read as SBML level 3 infix, names before constants, errors that name them."""

from __future__ import annotations

import math

import pytest

from sbmlgrad.errors import DataError
from sbmlgrad.io.formula_text import formula_of
from sbmlgrad.model.expression import TIME, Number, Symbol, symbols
from sbmlgrad.model.operators import evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("scale * (A + 2*AB) + offset", 3.0 * (5.0 + 4.0) + 1.0),
        ("log(A)", math.log(5.0)),
        ("ln(A)", math.log(5.0)),
        ("log10(A)", math.log10(5.0)),
        ("log(2, A)", math.log2(5.0)),
        ("A^2 / (4 + A^2)", 25.0 / 29.0),
        ("piecewise(1, A > 3, 0)", 1.0),
        ("-A", -5.0),
        ("1e-3", 1e-3),
        ("pi", math.pi),
    ],
)
def test_formulas_mean_what_they_say(text, value) -> None:
    values = {"scale": 3.0, "A": 5.0, "AB": 2.0, "offset": 1.0}
    assert evaluate(formula_of(text), values) == pytest.approx(value, rel=1e-14)


def test_numbers_and_names() -> None:
    assert formula_of(2) == Number(2.0)
    assert formula_of("time") == TIME
    assert symbols(formula_of("pi + avogadro", ["pi", "avogadro"])) == {"pi", "avogadro"}
    assert formula_of("Time") == Symbol("Time")
    assert symbols(formula_of("2 * time", ["time"])) == {"time"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A +", r"'A \+' cannot be read"),
        ("foo(A)", "'foo'"),
        ("", "cannot be read"),
        ("A B", "cannot be read"),
        ("2 A", "cannot be read"),
        ("scale * 2 A", "cannot be read"),
    ],
)
def test_what_is_no_formula_is_refused(text, message) -> None:
    with pytest.raises(DataError, match=message):
        formula_of(text)
