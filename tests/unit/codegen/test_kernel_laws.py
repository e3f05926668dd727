"""Laws rewritten for kernels mean what the laws mean as they are written."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import TEXTS, antimony, network, shipped

from sbmlgrad.codegen.kernel_laws import (
    KernelLaws,
    Monomial,
    kernel_inputs,
    kernel_laws,
    written_laws,
)
from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.model.channels import Channel
from sbmlgrad.model.expression import Apply, Expression, Number, Symbol
from sbmlgrad.model.operators import evaluate

SHIPPED = (
    "birth_death",
    "dimerization",
    "immigration_death",
    "ion_channel",
    "oscillator",
    "sir",
    "telegraph",
)
FORMS = (
    "k*A*A - k2*C",
    "k*A*(A - 1)/2",
    "k*A*(A - 1)*(A - 2)/6",
    "k*A*(A - 1/cell)/2*cell",
    "cell*k*A^3/nucleus",
    "-(-k*A)*cell",
    "A*k2*C/(cell*nucleus)",
    "2*A",
    "A*C",
    "k^2*exp(k2)*A",
    "k*A/(1 + C)",
    "k*A^k2",
    "k*A/C",
)
#: The law, its rewriting, as many roundings on either side: each is off by 2^-53 at most.
TOLERANCE = 4e-15


def with_form(form: str, *, amounts: bool):
    kind = "substanceOnly " if amounts else ""
    return antimony(
        f"compartment nucleus = 3; cell = 1.7; {kind}species A in cell, C in nucleus; A = 20; "
        f"C = 3; k = 0.1; k2 = 0.3; J: 2 A -> C; {form};"
    )


def networks() -> list[LoweredNetwork]:
    found = [network(name) for name in TEXTS] + [shipped(name) for name in SHIPPED]
    for form in FORMS:
        for amounts in (True, False):
            if amounts or form in FORMS[:1] + FORMS[3:]:
                found.append(with_form(form, amounts=amounts))
    return [lower(net) for net in found]


def values_of(laws: KernelLaws, lowered: LoweredNetwork, inputs, counts) -> np.ndarray:
    known = kernel_inputs(laws, inputs)
    assert known is not None
    values = dict(zip(laws.input_ids, known.tolist(), strict=True))
    values |= dict(zip(lowered.species_ids, counts.tolist(), strict=True))
    return np.array([float(evaluate(law, values)) for law in laws.laws])


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=0.0)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))
    np.testing.assert_array_equal(found == 0.0, expected == 0.0)


@pytest.mark.parametrize("lowered", networks(), ids=lambda lowered: lowered.network.id)
def test_rewritten_laws_have_the_values_of_the_written_ones(lowered: LoweredNetwork) -> None:
    rng = np.random.default_rng(4)
    for _ in range(40):
        inputs = rng.lognormal(0.0, 2.0, len(lowered.input_ids))
        counts = rng.integers(0, 6, len(lowered.species_ids)).astype(float)
        written = values_of(written_laws(lowered), lowered, inputs, counts)
        assert_same(values_of(kernel_laws(lowered), lowered, inputs, counts), written)


@pytest.mark.parametrize(
    ("form", "factors"),
    [
        ("k*A*(A - 1)/2", ((0, 0.0), (0, 1.0))),
        ("k*A*(A - 1)*(A - 2)/6", ((0, 0.0), (0, 1.0), (0, 2.0))),
        ("cell*k*A^3/nucleus", ((0, 0.0),) * 3),
        ("A*k2*C/(cell*nucleus)", ((0, 0.0), (1, 0.0))),
        ("k", ()),
    ],
)
def test_products_are_monomials(form: str, factors: tuple[tuple[int, float], ...]) -> None:
    laws = kernel_laws(lower(with_form(form, amounts=True)))
    (monomial,) = laws.monomials
    assert monomial is not None
    assert monomial.factors == factors


def test_falling_factorials_of_concentrations_are_monomials() -> None:
    laws = kernel_laws(lower(with_form("k*A*(A - 1/cell)*cell", amounts=False)))
    assert laws.monomials == (Monomial(len(laws.input_ids) - 1, ((0, 0.0), (0, 1.0))),)


@pytest.mark.parametrize("form", ["k*A/(1 + C)", "k*A^k2", "k*A/C", "k*A^9"])
def test_other_laws_stay_as_they_are(form: str) -> None:
    lowered = lower(with_form(form, amounts=True))
    laws = kernel_laws(lowered)
    assert laws.monomials == (None,)
    assert laws.laws == (lowered.channels[0].propensity,)


def test_one_input_is_its_own_coefficient_and_equal_coefficients_are_one() -> None:
    lowered = lower(
        antimony(
            "cell = 2; species A in cell, B in cell; A = 1; B = 1; k = 3; J0: A => B; k*A;"
            "J1: A => B; cell*k*A; J2: B => A; cell*k*B; J3: B => A; k*cell*B*cell;"
        )
    )
    laws = kernel_laws(lowered)
    slots = [m.coefficient for m in laws.monomials if m is not None]
    first = len(lowered.input_ids)
    assert slots[1] == slots[2]
    assert len(laws.coefficient_ids) == max(slots) + 1 - first
    assert not set(laws.coefficient_ids) & set(lowered.network.by_id)
    direct = lower(antimony("substanceOnly species A in cell; A = 1; k = 3; J0: A => ; A*k;"))
    assert kernel_laws(direct).coefficient_ids == ()
    assert kernel_laws(direct).laws == (Apply("times", (Symbol("k"), Symbol("A"))),)


def test_a_time_dependent_factor_is_no_coefficient() -> None:
    lowered = lower(antimony("substanceOnly species A in cell; A = 9; k = 1; J: A => ; k*time*A;"))
    assert kernel_laws(lowered).monomials == (None,)


@pytest.mark.parametrize(
    ("values", "is_usable"),
    [
        ({"a": 2.0, "b": 3.0, "c": 5.0}, True),
        ({"a": 0.0, "b": 3.0, "c": 5.0}, True),
        ({"a": 6e23, "b": 1e-30, "c": 1e-15}, True),
        ({"a": 1e-200, "b": 1e-200, "c": 1e300}, False),
        ({"a": 1e200, "b": 1e200, "c": 1e300}, False),
        ({"a": 1.0, "b": 1.0, "c": 0.0}, False),
        ({"a": 1.0, "b": math.inf, "c": 1.0}, False),
        ({"a": math.nan, "b": 1.0, "c": 1.0}, False),
        ({"a": 0.0, "b": math.inf, "c": 1.0}, False),
    ],
)
def test_products_out_of_range_are_left_as_written(
    values: dict[str, float], is_usable: bool
) -> None:
    lowered = lower(
        antimony(
            "substanceOnly species A in cell; A = 9; a = 1; b = 1; c = 1; J: A => ; a*A*b*A/c;"
        )
    )
    inputs = np.array([values[i] for i in lowered.input_ids])
    assert (kernel_inputs(kernel_laws(lowered), inputs) is not None) == is_usable
    found = kernel_inputs(written_laws(lowered), inputs)
    assert found is not None
    np.testing.assert_array_equal(found, inputs)


INPUTS = ("a", "b", "c")
COUNTS = ("x", "y")
LEAVES = st.one_of(
    st.sampled_from([Symbol(s) for s in (*INPUTS, *COUNTS)]),
    st.sampled_from([Number(v) for v in (0.5, 1.0, 3.0, -2.0, 6.02e23)]),
    st.sampled_from([Apply("minus", (Symbol(s), Number(n))) for s in COUNTS for n in (1.0, 2.0)]),
    st.sampled_from([Apply("plus", (Number(-1.0), Symbol(s))) for s in COUNTS]),
    st.sampled_from([Apply("minus", (Symbol(s), Number(0.5))) for s in COUNTS]),
    st.sampled_from([Apply("exp", (Symbol("a"),)), Apply("plus", (Symbol("a"), Symbol("b")))]),
)


def nodes(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda a: Apply("times", tuple(a))),
        st.tuples(inner, st.sampled_from([Symbol("b"), Symbol("c"), Number(3.0)])).map(
            lambda a: Apply("divide", a)
        ),
        inner.map(lambda a: Apply("minus", (a,))),
        st.tuples(inner, st.sampled_from([Number(2.0), Number(3.0)])).map(
            lambda a: Apply("power", a)
        ),
    )


def lowered_law(law: Expression) -> LoweredNetwork:
    lowered = LoweredNetwork(network("dimer"), (Channel("J", "J", law, {}),))
    lowered.__dict__.update(species_ids=COUNTS, input_ids=INPUTS)
    return lowered


def test_a_count_less_a_fraction_is_no_factor() -> None:
    law = Apply("times", (Symbol("a"), Apply("minus", (Symbol("x"), Number(0.5)))))
    assert kernel_laws(lowered_law(law)).monomials == (None,)


@settings(max_examples=300, deadline=None)
@given(
    law=st.recursive(LEAVES, nodes, max_leaves=8),
    inputs=st.tuples(*[st.sampled_from([0.0, 1e-3, 0.3, 1.0, 7.1, 6.02e23]) for _ in INPUTS[:2]]),
    counts=st.tuples(*[st.integers(0, 9) for _ in COUNTS]),
)
def test_any_product_keeps_its_value(law, inputs, counts) -> None:
    laws = kernel_laws(lowered_law(law))
    values = dict(zip(INPUTS, (*inputs, 0.7), strict=True))
    known = kernel_inputs(laws, np.array(list(values.values())))
    state = dict(zip(COUNTS, (float(n) for n in counts), strict=True))
    if known is None:
        assert max(values.values()) > 1e20 or 0.0 in values.values()
        return
    expected = np.array([float(evaluate(law, values | state))])
    found = evaluate(laws.laws[0], dict(zip(laws.input_ids, known.tolist(), strict=True)) | state)
    assert_same(np.array([float(found)]), expected)
