"""Terms that cancel are no rates: laws that are equal in algebra are read alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sbmlgrad as sg
from sbmlgrad.model.channels import channels
from sbmlgrad.model.expression import Expression, Number, Symbol, add, divide, multiply, subtract
from sbmlgrad.model.laws.collected import collected
from sbmlgrad.model.operators import evaluate

A, B, K = Symbol("A"), Symbol("B"), Symbol("K")


@pytest.mark.parametrize(
    "text",
    [
        "T := A + B; J: B -> A; k*(T - A);",
        "J: B -> A; k*((A + B) - A);",
        "J: B -> A; k*(2*A + B - A - A);",
        "J: B -> A; k*(A/2 + B - 0.5*A);",
        "J: B -> A; k*B + (A - A);",
    ],
)
def test_a_total_of_two_less_one_is_the_other(text: str) -> None:
    net = sg.load(
        "unit substance = item; unit extent = item; compartment V = 1;"
        f"substanceOnly species A in V, B in V; A = 30; B = 70; k = 1; {text}"
    )
    found, issues = channels(net)
    assert [c.id for c in found] == ["J"]
    assert not issues
    rate = evaluate(found[0].propensity, {"A": 30.0, "B": 70.0, "k": 1.0})
    assert float(rate) == pytest.approx(70.0)


def test_a_sum_in_which_nothing_cancels_stays_as_it_is() -> None:
    law = multiply(K, subtract(add(A, A, B), multiply(K, B)))
    assert collected(law) is law


SUMS = st.recursive(
    st.sampled_from([A, B, K, Number(2.0), multiply(Number(3.0), A)]),
    lambda inner: st.one_of(
        st.builds(add, inner, inner),
        st.builds(subtract, inner, inner),
        st.builds(multiply, inner, inner),
        st.builds(lambda a, b: divide(a, add(K, multiply(b, b))), inner, inner),
    ),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(SUMS)
def test_the_value_stays(expression: Expression) -> None:
    rng = np.random.default_rng(3)
    for _ in range(3):
        values = {s: float(rng.integers(1, 20)) for s in ("A", "B", "K")}
        before, after = (float(evaluate(e, values)) for e in (expression, collected(expression)))
        assert after == pytest.approx(before, rel=1e-9, abs=1e-6 * (1.0 + abs(before)))
