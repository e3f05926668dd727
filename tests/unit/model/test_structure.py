"""Structure of a network: stoichiometry, dependency graph, conservation laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from networks import antimony, network, shipped

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.model.channels import Channel
from sbmlgrad.model.expression import ONE, Symbol, multiply, symbols
from sbmlgrad.model.structure import conservation_laws, dependency_graph, stoichiometry_matrix

SMALL = ["small_dimer", "enzyme", "epidemic", "autoregulation", "hill", "michaelis_menten"]


def test_the_matrix_holds_net_changes() -> None:
    found = (
        Channel("J0", "J0", ONE, {"A": -2, "B": 1}),
        Channel("J1", "J1", ONE, {}),
        Channel("J2", "J2", ONE, {"B": -1}),
    )
    matrix = stoichiometry_matrix(found, ("A", "B", "C"))
    assert matrix.dtype == np.int64
    assert matrix.tolist() == [[-2, 0, 0], [1, 0, -1], [0, 0, 0]]
    assert stoichiometry_matrix((), ("A",)).shape == (1, 0)


# --- conservation laws ----------------------------------------------------------------------------


def check(laws: np.ndarray, matrix: np.ndarray) -> None:
    assert not (laws @ matrix).any()
    rank = np.linalg.matrix_rank(matrix) if matrix.size else 0
    assert rank + len(laws) == matrix.shape[0]
    if len(laws):
        assert np.linalg.matrix_rank(laws) == len(laws)
        assert (np.gcd.reduce(laws, axis=1) == 1).all()
        assert all(law[np.flatnonzero(law)[0]] > 0 for law in laws)


def spans(laws: np.ndarray, expected: list[list[int]]) -> bool:
    """Whether two bases span the same space."""
    other = np.array(expected)
    together = np.vstack([laws, other])
    return np.linalg.matrix_rank(together) == len(laws) == len(other)


def test_totals_of_a_dimerisation() -> None:
    lowered = lower(shipped("dimerization"))
    assert lowered.species_ids == ("A", "B", "C")
    laws = conservation_laws(lowered.stoichiometry)
    check(laws, lowered.stoichiometry)
    assert spans(laws, [[1, 0, 1], [0, 1, 1]])


def test_totals_of_an_enzyme() -> None:
    lowered = lower(network("enzyme"))
    assert lowered.species_ids == ("S", "E", "ES", "P")
    laws = conservation_laws(lowered.stoichiometry)
    check(laws, lowered.stoichiometry)
    assert spans(laws, [[0, 1, 1, 0], [1, 0, 1, 1]])


def test_totals_of_the_oscillator_are_its_two_genes() -> None:
    lowered = lower(shipped("oscillator"))
    laws = conservation_laws(lowered.stoichiometry)
    check(laws, lowered.stoichiometry)
    genes = [
        [1 if s in pair else 0 for s in lowered.species_ids]
        for pair in (("DA", "DA_prime"), ("DR", "DR_prime"))
    ]
    assert spans(laws, genes)


@pytest.mark.parametrize("name", SMALL)
def test_totals_of_small_networks(name: str) -> None:
    matrix = lower(network(name)).stoichiometry
    check(conservation_laws(matrix), matrix)


def test_laws_need_not_be_sums() -> None:
    # 2 A -> B: A + 2 B; and X, Y made together: X - Y.
    lowered = lower(
        antimony(
            """
            substanceOnly species A in cell, B in cell, X in cell, Y in cell;
            A = 9; B = 0; X = 0; Y = 0; k = 1;
            J0: 2 A => B; k*A*(A - 1); J1: => X + Y; k;
            """
        )
    )
    laws = conservation_laws(lowered.stoichiometry)
    check(laws, lowered.stoichiometry)
    assert spans(laws, [[1, 2, 0, 0], [0, 0, 1, -1]])


def test_extremes() -> None:
    assert conservation_laws(np.zeros((3, 0), dtype=np.int64)).tolist() == np.eye(3).tolist()
    assert conservation_laws(np.zeros((2, 4), dtype=np.int64)).tolist() == np.eye(2).tolist()
    assert conservation_laws(np.zeros((0, 4), dtype=np.int64)).shape == (0, 0)
    assert conservation_laws(np.array([[1, -1]])).shape == (0, 1)


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
        lambda shape: arrays(np.int64, shape, elements=st.integers(-4, 4))
    )
)
def test_random_matrices(matrix: np.ndarray) -> None:
    check(conservation_laws(matrix), matrix)


def test_totals_stay_constant_along_trajectories() -> None:
    import sbmlgrad as sg

    for name in ("enzyme", "small_dimer"):
        lowered = lower(network(name))
        laws = conservation_laws(lowered.stoichiometry)
        counts = sg.simulate(
            network(name), times=np.linspace(0, 5, 11), trajectories=20, seed=1
        ).counts
        totals = counts @ laws.T
        assert (totals == totals[:, :1, :]).all()


# --- dependency graph -----------------------------------------------------------------------------


def brute_force(found: tuple[Channel, ...]) -> list[set[int]]:
    return [
        {j for j, other in enumerate(found) if symbols(other.propensity) & channel.change.keys()}
        for channel in found
    ]


@pytest.mark.parametrize("name", SMALL)
def test_dependents_are_those_that_use_a_changed_species(name: str) -> None:
    lowered = lower(network(name))
    assert [set(d) for d in lowered.dependents] == brute_force(lowered.channels)


def test_dependents_of_the_oscillator() -> None:
    lowered = lower(shipped("oscillator"))
    found = dependency_graph(lowered.channels)
    assert [set(d) for d in found] == brute_force(lowered.channels)
    assert all(list(d) == sorted(d) for d in found)


def test_a_catalyst_is_no_reason_to_recompute() -> None:
    found = (
        Channel("J0", "J0", Symbol("E"), {"P": 1}),
        Channel("J1", "J1", multiply(Symbol("E"), Symbol("P")), {"P": -1}),
    )
    assert dependency_graph(found) == ((1,), (1,))
