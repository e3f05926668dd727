"""Every kernel samples the distribution of the master equation: chi-square at a late time.

The whole campaign, at 10^6 trajectories and with more engines, is validation/stationary.py.
"""

from __future__ import annotations

import numpy as np
import pytest
from stationary import Contender, closed_form, judge, measure
from stationary_networks import CASES, Case, Truth, truth

import sbmlgrad as sg

#: At this number a rate 2 % off gives a chi-square of more than 100 above its mean, 12 of its
#: standard deviations or more (test_a_rate_2_percent_off_is_found). That excess grows with n and
#: with the square of the fault: a quarter of n still finds 2 % nearly always.
N = 100_000

#: 2 p-values for each of 12 tests: right kernels fail anywhere with probability at most 2.4e-4.
LEAST_P = 1e-5

KERNELS = [
    ("table", "float64", N // 4),
    ("lockstep", "float64", N),
    ("tree", "float64", N // 4),
    ("lockstep", "float32", N),
]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def solved(request: pytest.FixtureRequest) -> tuple[Case, Truth]:
    return request.param, truth(request.param)


@pytest.mark.parametrize(("kernel", "dtype", "trajectories"), KERNELS)
def test_states_have_the_law_of_the_master_equation(
    solved: tuple[Case, Truth], kernel: str, dtype: str, trajectories: int
) -> None:
    engine = sg.engines.Native(threads=1, kernel=kernel, dtype=dtype)
    seed = 40 + KERNELS.index((kernel, dtype, trajectories))
    result = measure(*solved, Contender(engine), trajectories, seed, 1.0)
    assert result.least > LEAST_P, result


def test_a_rate_2_percent_off_is_found(solved: tuple[Case, Truth]) -> None:
    """The check itself."""
    engine = sg.engines.Native(threads=1, kernel="lockstep")
    result = measure(*solved, Contender(engine), N, 50, 1.02)
    assert result.p < 1e-12, result


def test_the_truth_of_birth_death_is_poisson() -> None:
    assert closed_form(CASES[0]) < 1e-12


def test_the_voxel_is_bistable_and_gene_states_are_judged() -> None:
    """What makes the networks worth testing: two modes; a joint law that is no product."""
    voxel = truth(CASES[2])
    by_count = voxel.probability[np.argsort(voxel.states[:, 0])]
    low, high = int(np.argmax(by_count[:10])), 20 + int(np.argmax(by_count[20:]))
    assert by_count[low:high].min() < 0.8 * by_count[high]
    gene = truth(CASES[1])
    without = gene.states[:, 2] == 0
    active = gene.states[:, 1] == 1
    p = gene.probability
    joint = p[without & active].sum()
    assert joint < 0.2 * p[without].sum() * p[active].sum()


def test_probability_out_of_the_states_is_found() -> None:
    """Counts where the truth has no mass must fail, not vanish."""
    probability = np.full(10, 0.1)
    observed = np.append(np.random.default_rng(6).multinomial(10_000, probability), 0)
    assert judge(observed, probability)[1] > 1e-6
    observed[-1] = 500
    assert judge(observed, probability)[1] < 1e-9
