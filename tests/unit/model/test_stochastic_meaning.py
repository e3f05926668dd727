"""From laws to firing channels: what is split, what is not, and the structure that follows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import antimony, network, shipped

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.model.channels import channels
from sbmlgrad.model.expression import Symbol, add, divide, multiply, subtract
from sbmlgrad.model.laws.falling_factorials import Molecules
from sbmlgrad.model.laws.intervals import Bounds
from sbmlgrad.model.laws.signs import split
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.structure import conservation_laws

SPECIES = "substanceOnly species A in cell, B in cell, X in cell; A = 9; B = 4; X = 6;"
VALUES = "k1 = 2; k2 = 3; K = 5; n = 2; r = 1; zero = 0;"

SPLIT = [
    ("A -> B", "k1*A - k2*B"),
    ("A -> B", "cell*(k1*A - k2*B/K)"),
    ("A -> B", "k1*(A - B/K)/(1 + A/K + B/K)"),
    ("A -> B", "(k1*A/K - k2*B/K)/(1 + A + B)"),
    ("A -> B", "zero*A - k2*B"),
    ("A -> B", "piecewise(k1*A - k2*B, X > 3, k1*A)"),
    ("=> X", "k1 - k2*X"),
    ("X -> 2 X", "r*X*(1 - X/K)"),
]
WHOLE = [
    ("2 X => A", "k1*X*(X - 1)/2"),
    ("3 X => A", "k1*X*(X - 1)*(X - 2)/6"),
    ("=> X", "k1*(100 - 2*X)*(99 - 2*X)"),
    ("=> X", "k1*(1 - A/(K + A))"),
    ("=> X", "k1*(1 - A^n/(K^n + A^n))"),
    ("=> X", "k1*(1 - exp(-k2*A))"),
    ("X => ", "k1*max(0, X - A)"),
    ("X => ", "k1*piecewise(X - A, X > A, 0)"),
    ("X => ", "k1*(X - 2)^2"),
    ("X => ", "k1*X*ln(X + 1)"),
]
REFUSED = [
    ("A -> B", "k1*A - k2"),
    ("A -> B", "k1*A - k2*X"),
    ("A -> B", "(A - B)*(X - K)"),
    ("A -> B", "k1*A - exp(X)*(A - B)*(X - B)"),
]


def model(reaction: str, law: str):
    return antimony(f"{SPECIES}{VALUES}J: {reaction}; {law};")


@pytest.mark.parametrize(("reaction", "law"), SPLIT)
def test_differences_become_two_channels(reaction: str, law: str) -> None:
    net = model(reaction, law)
    found, issues = channels(net)
    assert [c.id for c in found] == ["J", "J_backward"]
    assert not [i for i in issues if i.code == "reversible_not_separable"]
    assert found[1].change == {s: -n for s, n in found[0].change.items()}
    constants = dict(zip(net.parameter_ids, net.parameter_values, strict=True)) | {"cell": 1.0}
    rng = np.random.default_rng(1)
    for _ in range(50):
        values = {**constants, **{s: float(rng.integers(0, 40)) for s in "ABX"}}
        forward, backward = (float(evaluate(c.propensity, values)) for c in found)
        assert forward >= 0.0
        assert backward >= 0.0
        net_rate = float(evaluate(net.reactions[0].rate_law, values))
        assert forward - backward == pytest.approx(net_rate, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize(("reaction", "law"), WHOLE)
def test_laws_that_stay_non_negative_are_kept_whole(reaction: str, law: str) -> None:
    found, issues = channels(model(reaction, law))
    assert [c.id for c in found] == ["J"]
    assert not [i for i in issues if i.blocks]


@pytest.mark.parametrize(("reaction", "law"), REFUSED)
def test_what_is_no_reversible_law_is_refused(reaction: str, law: str) -> None:
    _, issues = channels(model(reaction, law))
    (issue,) = [i for i in issues if i.code == "reversible_not_separable"]
    assert issue.element == "J"
    assert issue.blocks == {"ssa"}


def test_an_irreversible_difference_is_said() -> None:
    codes = {i.code: str(i.severity) for i in channels(model("A => B", "k1*A - k2*B"))[1]}
    assert codes == {"reversible_split": "warning"}


def test_backward_ids_never_collide() -> None:
    net = antimony(f"{SPECIES}{VALUES}J: A -> B; k1*A - k2*B; J_backward: X => ; k1*X;")
    ids = [c.id for c in channels(net)[0]]
    assert len(ids) == len(set(ids)) == 3


A, B, K = Symbol("A"), Symbol("B"), Symbol("K")
POSITIVE = st.recursive(
    st.sampled_from([A, B, K]),
    lambda inner: st.one_of(
        st.builds(multiply, inner, inner),
        st.builds(add, inner, inner),
        st.builds(lambda a, b: divide(a, add(K, b)), inner, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(POSITIVE, POSITIVE, POSITIVE)
def test_factored_differences_split_exactly(forward, backward, factor) -> None:
    law = multiply(factor, subtract(forward, backward))
    counted = {"A": Molecules(1.0), "B": Molecules(1.0)}
    parts = split(law, Bounds({"K": 2.5}, molecules=counted))
    rng = np.random.default_rng(3)
    for _ in range(5):
        values = {"A": float(rng.integers(0, 20)), "B": float(rng.integers(0, 20)), "K": 2.5}
        truth = float(evaluate(law, values))
        if parts is None:
            continue
        up, down = (float(evaluate(p, values)) for p in parts)
        assert min(up, down) >= 0.0
        assert up - down == pytest.approx(truth, rel=1e-9, abs=1e-9)
    assert parts is not None


@pytest.mark.parametrize(
    "name", ["dimerization", "oscillator", "ion_channel", "sir", "telegraph", "birth_death"]
)
def test_conservation_laws_are_a_basis(name: str) -> None:
    matrix = lower(shipped(name)).stoichiometry
    laws = conservation_laws(matrix)
    assert not (laws @ matrix).any()
    assert len(laws) == matrix.shape[0] - np.linalg.matrix_rank(matrix)
    assert np.linalg.matrix_rank(laws) == len(laws) if len(laws) else True


def test_conserved_totals_of_an_enzyme() -> None:
    lowered = lower(network("enzyme"))
    laws = {tuple(law) for law in conservation_laws(lowered.stoichiometry).tolist()}
    totals = {
        frozenset(s for s, n in zip(lowered.species_ids, law, strict=True) if n) for law in laws
    }
    assert frozenset({"E", "ES"}) in totals
    assert len(laws) == 2


def test_dependency_graph_is_what_brute_force_finds() -> None:
    lowered = lower(shipped("oscillator"))
    rng = np.random.default_rng(5)
    values = dict(zip(lowered.input_ids, lowered.network.parameter_values, strict=False))
    for j, change in enumerate(lowered.stoichiometry.T):
        moved = set()
        for _ in range(5):
            state = rng.integers(5, 50, len(lowered.species_ids)).astype(float)
            before = dict(zip(lowered.species_ids, state, strict=True))
            after = dict(zip(lowered.species_ids, state + change, strict=True))
            for i, channel in enumerate(lowered.channels):
                one, two = (
                    float(evaluate(channel.propensity, {**values, **s})) for s in (before, after)
                )
                if one != two:
                    moved.add(i)
        assert moved <= set(lowered.dependents[j])
