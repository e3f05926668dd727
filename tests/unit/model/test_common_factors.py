"""A law multiplied out means what it means as a product."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sbmlgrad as sg
from sbmlgrad.model.channels import channels
from sbmlgrad.model.common_factors import with_common_factors
from sbmlgrad.model.expression import (
    Apply,
    Expression,
    Number,
    Symbol,
    divide,
    multiply,
    power,
    subtract,
    symbols,
)
from sbmlgrad.model.operators import evaluate

A, B, K = Symbol("A"), Symbol("B"), Symbol("k")


def pairs(law: str, arrow: str = "2A => P", declared: str = "substanceOnly species") -> str:
    return f"""
        compartment V = 2; {declared} A in V, P in V; A = 11; P = 0;
        k = 0.5; d = 1; b = 1;
        J: {arrow}; {law};
    """


@pytest.mark.parametrize(
    ("law", "product"),
    [
        (
            subtract(multiply(K, A, A), multiply(K, A)),
            multiply(K, A, subtract(A, Number(1.0))),
        ),
        (
            subtract(multiply(K, power(A, Number(2.0))), multiply(A, K)),
            multiply(K, A, subtract(A, Number(1.0))),
        ),
        (
            subtract(divide(multiply(A, B), K), divide(A, K)),
            divide(multiply(A, subtract(B, Number(1.0))), K),
        ),
    ],
)
def test_what_all_terms_share_stands_before_the_sum(law: Expression, product: Expression) -> None:
    assert with_common_factors(law) == product


@pytest.mark.parametrize("law", [subtract(A, B), subtract(multiply(K, A), B), multiply(K, A), A])
def test_a_sum_that_shares_nothing_stays(law: Expression) -> None:
    assert with_common_factors(law) is law


formulas = st.recursive(
    st.sampled_from([A, B, K, Number(2.0), Number(3.0)]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["plus", "minus", "times", "divide"]), inner, inner).map(
            lambda drawn: Apply(drawn[0], drawn[1:])
        ),
        inner.map(lambda base: power(base, Number(2.0))),
    ),
    max_leaves=12,
)


@given(formulas, st.integers(0, 2**32 - 1))
def test_the_value_stays(law: Expression, seed: int) -> None:
    rng = np.random.default_rng(seed)
    place = {s: float(rng.uniform(0.5, 2.0)) for s in symbols(law)}
    expected = evaluate(law, place)
    # Relative to the largest term a sum may hold: differences of equal terms lose digits.
    if np.isfinite(expected) and abs(expected) < 1e6:
        found = evaluate(with_common_factors(law), place)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("law", "arrow"),
    [
        ("k*(A*A - A)", "2A => P"),
        ("k*A^2 - k*A", "2A -> P"),
        ("(k*A*A - k*A)/2", "2A => A"),
        ("k*A*A/2 - k*A/2", "2A => "),
    ],
)
def test_pairs_multiplied_out_are_pairs(law: str, arrow: str) -> None:
    found, issues = channels(sg.load(pairs(law, arrow), substance="item"))
    assert [c.id for c in found] == ["J"]
    assert "reversible_not_separable" not in {issue.code for issue in issues}
    rates = [float(evaluate(found[0].propensity, {"A": n, "k": 0.5})) for n in range(5)]
    assert rates == pytest.approx([n * (n - 1) * rates[2] / 2.0 for n in range(5)])


@pytest.mark.parametrize("law", ["k*V*(A*A - A/V)", "k*V*A^2 - k*A"])
def test_pairs_of_concentrations_end_with_the_last_pair(law: str) -> None:
    text = pairs(law, declared="species").replace("A = 11;", "A = 5.5;")
    model = sg.load(text, substance="item")
    assert [c.id for c in channels(model)[0]] == ["J"]
    ensemble = sg.simulate(model, times=[1000.0], trajectories=20, seed=3)
    assert (ensemble.values("A", "counts") == 1.0).all()


def test_rates_that_happen_to_be_equal_stay_two_directions() -> None:
    found, _ = channels(sg.load(pairs("d*A*A - b*A", "A -> "), substance="item"))
    assert [c.id for c in found] == ["J", "J_backward"]


def test_logistic_growth_stays_two_directions() -> None:
    found, _ = channels(sg.load(pairs("k*A - k*A*A/10", " => A"), substance="item"))
    assert [c.id for c in found] == ["J", "J_backward"]
