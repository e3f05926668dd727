"""A law multiplied out means what it means as a product."""

from __future__ import annotations

import numpy as np
import pytest
from events import accept, z_mean, z_variance
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

import sbmlgrad as sg
from sbmlgrad.model.channels import channels
from sbmlgrad.model.expression import (
    Apply,
    Expression,
    Number,
    Symbol,
    add,
    divide,
    multiply,
    power,
    subtract,
)
from sbmlgrad.model.laws.falling_factorials import Molecules
from sbmlgrad.model.laws.falling_products import with_falling_products
from sbmlgrad.model.operators import evaluate

A, B, K, V = Symbol("A"), Symbol("B"), Symbol("k"), Symbol("V")
COUNTS = {"A": Molecules(1.0), "B": Molecules(1.0)}


def pairs(law: str, arrow: str = "2A => P", declared: str = "substanceOnly species") -> str:
    return f"""
        compartment V = 2; {declared} A in V, P in V; A = 11; P = 0;
        k = 0.5; k1 = 0.1; k2 = 0.3; K = 3; d = 1; b = 1;
        J: {arrow}; {law};
    """


def less(number: float) -> Expression:
    return subtract(A, Number(number))


@pytest.mark.parametrize(
    ("law", "product"),
    [
        (
            subtract(multiply(K, A, A), multiply(K, A)),
            multiply(K, multiply(A, less(1.0))),
        ),
        (
            add(subtract(power(A, Number(2.0)), A), K),
            add(multiply(A, less(1.0)), K),
        ),
        (
            add(power(A, Number(3.0)), multiply(Number(-3.0), A, A), multiply(Number(2.0), A)),
            multiply(A, less(1.0), less(2.0)),
        ),
        # Two roots without a common factor, as in Horner's form of three.
        (
            add(power(A, Number(2.0)), multiply(Number(-3.0), A), Number(2.0)),
            multiply(less(1.0), less(2.0)),
        ),
        (subtract(A, multiply(A, A)), Apply("minus", (multiply(A, less(1.0)),))),
    ],
)
def test_products_are_found_again(law: Expression, product: Expression) -> None:
    found, _ = with_falling_products(law, COUNTS, {})
    assert found == product
    assert with_falling_products(found, COUNTS, {})[0] == product


@pytest.mark.parametrize(
    "law",
    [
        subtract(A, B),
        subtract(multiply(K, A, A), multiply(B, A)),
        subtract(multiply(A, A), multiply(Number(3.0), A)),
        subtract(multiply(K, A), multiply(Number(0.1), K, A, A)),
        # More pairs than singles are still births and deaths: nothing is used up exactly.
        subtract(A, multiply(Number(2.0), A, A)),
        subtract(multiply(A, A), multiply(Number(0.5), A)),
        # A small remainder is a rate of its own.
        add(multiply(Number(1e10), A, A), multiply(Number(-1e10 + 1.0), A)),
        add(multiply(A, A), multiply(Number(-20000.0), A), Number(100000000.05)),
        # Numbers beyond floating point.
        subtract(multiply(Number(1e300), Number(1e300), A, A), A),
        subtract(multiply(power(Number(1e200), Number(2.0)), A, A), A),
        add(multiply(A, A), A),
    ],
)
def test_other_sums_stay(law: Expression) -> None:
    assert with_falling_products(law, COUNTS, {})[0] is law


@pytest.mark.parametrize("degree", [2, 7, 13, 14, 16, 20])
def test_high_powers_of_moles(degree: int) -> None:
    mole = Molecules(6.02214076e23, in_moles=True)
    law = subtract(
        power(A, Number(float(degree))),
        divide(power(A, Number(degree - 1.0)), Number(6.02214076e23)),
    )
    found, _ = with_falling_products(law, {"A": mole}, {})
    # Avogadro's number to the power of 13 is beyond floating point, and the law stays.
    assert (found is law) == (degree >= 13)


def test_a_wide_sum_stays_flat() -> None:
    # As deep as a chain of sums, it would be too deep to be walked through.
    others = [multiply(K, Symbol(f"S{i}")) for i in range(3000)]
    law = add(*others, multiply(K, A, A), Apply("minus", (multiply(K, A),)))
    found, _ = with_falling_products(law, COUNTS, {})
    assert isinstance(found, Apply)
    assert len(found.arguments) == 3001


terms = st.tuples(
    st.lists(
        st.sampled_from([A, A, B, K, V, Number(0.5), Number(3.0), power(A, Number(2.0))]),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([Number(1.0), V, K, Number(2.0)]),
).map(lambda drawn: divide(multiply(*drawn[0]), drawn[1]))
sums = st.recursive(
    terms,
    lambda inner: st.tuples(st.sampled_from([add, subtract, multiply]), inner, inner).map(
        lambda drawn: drawn[0](*drawn[1:])
    ),
    max_leaves=8,
)


@given(sums, st.sampled_from(["amount", "constant", "moving"]), st.integers(0, 2**32 - 1))
def test_the_value_stays(law: Expression, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = float(rng.choice([1.0, 0.3, 7.0]))
    unit = {
        "amount": Molecules(1.0),
        "constant": Molecules(size, frozenset({"V"})),
        "moving": Molecules(1.0, size="V"),
    }[kind]
    sizes = {"V": size} if kind == "constant" else {}
    found, uses = with_falling_products(law, {"A": unit, "B": unit}, sizes)
    assert uses <= set(sizes)
    place = {"A": float(rng.integers(0, 9)), "B": 2.0, "k": float(rng.uniform(0.5, 2.0)), "V": size}
    expected = float(evaluate(law, place))
    # Differences of large terms lose digits: relative to the law with all its terms added.
    scale = float(evaluate(_with_plus(law), place))
    assert float(evaluate(found, place)) == pytest.approx(expected, abs=1e-9 * scale)


def _with_plus(law: Expression) -> Expression:
    if not isinstance(law, Apply):
        return law
    arguments = tuple(_with_plus(argument) for argument in law.arguments)
    return Apply("plus" if law.operator == "minus" else law.operator, arguments)


@pytest.mark.parametrize(
    ("law", "arrow"),
    [
        ("k*(A*A - A)", "2A => P"),
        ("k*A^2 - k*A", "2A -> P"),
        ("(k*A*A - k*A)/2", "2A => A"),
        ("k*A*A/2 - k*A/2", "2A => "),
        ("-k*(A - A*A)", "2A => A"),
    ],
)
def test_pairs_multiplied_out_are_pairs(law: str, arrow: str) -> None:
    found, issues = channels(sg.load(pairs(law, arrow), substance="item"))
    assert [c.id for c in found] == ["J"]
    assert not issues
    rates = [float(evaluate(found[0].propensity, {"A": n, "k": 0.5})) for n in range(5)]
    assert rates == pytest.approx([n * (n - 1) * rates[2] / 2.0 for n in range(5)])


@pytest.mark.parametrize("law", ["k*V*(A*A - A/V)", "k*V*A^2 - k*A"])
@pytest.mark.parametrize("moving", ["", "V' = 0.01*V;"])
def test_pairs_of_concentrations_end_with_the_last_pair(law: str, moving: str) -> None:
    text = pairs(law, declared="species").replace("A = 11;", f"A = 5.5; {moving}")
    model = sg.load(text, substance="item")
    assert [c.id for c in channels(model)[0]] == ["J"]
    ensemble = sg.simulate(model, times=[100.0], trajectories=20, seed=3)
    assert (ensemble.values("A", "counts") == 1.0).all()


@pytest.mark.parametrize(
    ("law", "arrow", "forward", "backward"),
    [
        ("k*(A*A - A)/2 + k1*A", "2A -> A", "k*A*(A - 1)/2 + k1*A", None),
        ("k1 - k*(A*A - A)", " -> 2A", "k1", "k*A*(A - 1)"),
        ("k1 - k*A*A + k*A", " -> 2A", "k1", "k*A*(A - 1)"),
        ("k*(A^3 - 3*A^2 + 2*A)", "3A -> 2A", "k*A*(A - 1)*(A - 2)", None),
        ("k*A*(A^2 - 3*A + 2)", "3A -> 2A", "k*A*(A - 1)*(A - 2)", None),
        ("k*A*A - k*A - k2*P", "2A -> P", "k*A*(A - 1)", "k2*P"),
        ("k2*P - k*(A*A - A)", "P -> 2A", "k2*P", "k*A*(A - 1)"),
        ("k*(A*A - A)/(K + A*A - A)", "2A -> P", "k*A*(A - 1)/(K + A*(A - 1))", None),
        ("k*(A*A - A)/(K + A) - k2*P", "2A -> P", "k*A*(A - 1)/(K + A)", "k2*P"),
        ("d*A*A - b*A", "A -> ", "d*A*A", "b*A"),
        ("k*A - k*A*A/10", " -> A", "k*A", "k*A*A/10"),
        ("A - 2*A*A", "A -> 2A", "A", "2*A*A"),
    ],
)
def test_within_larger_sums(law: str, arrow: str, forward: str, backward: str | None) -> None:
    model = sg.load(pairs(law, arrow), substance="item")
    found, _ = channels(model)
    values = dict(zip(model.parameter_ids, model.parameter_values.tolist(), strict=True))
    expected = [forward] if backward is None else [forward, backward]
    assert len(found) == len(expected)
    for channel, formula in zip(found, expected, strict=True):
        for n in range(6):
            place = {**values, "A": float(n), "P": 3.0}
            right = eval(formula, {}, place)
            assert float(evaluate(channel.propensity, place)) == pytest.approx(right, abs=1e-12)


def test_coalescence_with_decay_against_the_master_equation() -> None:
    # Taken for two directions, the mean at 2 is 1.39 and the variance 0.95.
    text = "substanceOnly species A; A = 4; R: 2A -> A; k*(A^2-A)/2 + k1*A; k = 0.5; k1 = 0.1;"
    n = np.arange(5.0)
    rates = 0.5 * n * (n - 1.0) / 2.0 + 0.1 * n
    chances = expm(2.0 * (np.diag(rates[1:], 1) - np.diag(rates)))[:, 4]
    mean = chances @ n
    sample = sg.simulate(sg.load(text, substance="item"), times=[2.0], trajectories=4000, seed=8)
    counts = sample.values("A", "counts")[:, 0]
    variance = chances @ n**2 - mean**2
    accept("moments", z_mean(counts, mean, variance), z_variance(counts, mean, variance))
