"""Functions that join points through rare events are told from those of single points."""

from __future__ import annotations

import numpy as np
import pytest
from networks import antimony
from rarely_high import FROM_ZERO, SIZES, TIMES

import sbmlgrad as sg
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.expectations import as_functional
from sbmlgrad.gradients.functional import JOINS
from sbmlgrad.gradients.pointwise import why_joined


def counts(trajectories: int, seed: int, times=TIMES) -> np.ndarray:
    cells = sg.simulate(antimony(FROM_ZERO), times=times, trajectories=trajectories, seed=seed)
    return np.asarray(cells.states[0], dtype=np.float64)


OF_SEVERAL = {
    "both high": lambda x: (x >= 5.0) * (x[:, :1] >= 5.0) * 1.0,
    "if high": lambda x: x * (x[:, :1] >= 5.0),
    "if high at the end": lambda x: x * (x[:, -1:] >= 5.0),
    "if high everywhere": lambda x: x * (x >= 5.0).all(axis=1, keepdims=True),
    "if high anywhere": lambda x: x * (x >= 5.0).any(axis=1, keepdims=True),
    "if first at a level": lambda x: x * (x[:, :1] == 6.0),
    "if higher than ever": lambda x: x * (x >= np.maximum.accumulate(x, axis=1)),
    # Amounts of single molecules, in moles.
    "very small": lambda x: 1e-24 * x * (x[:, :1] >= 5.0),
    "not a number elsewhere": lambda x: np.where(x[:, :1] >= 5.0, np.nan, x),
}


@pytest.mark.parametrize("name", OF_SEVERAL)
@pytest.mark.parametrize("trajectories", SIZES)
@pytest.mark.parametrize("times", [TIMES, [0.25 * i for i in range(1, 8)]], ids=len)
def test_the_decision_depends_on_neither_size_nor_seed(name, trajectories, times) -> None:
    for seed in range(4):
        values = counts(trajectories, seed, times)
        assert why_joined(lambda v: OF_SEVERAL[name](v[:, :, 0]), values) == JOINS, seed


OF_ONE = {
    "square": lambda x: x * x,
    "exponential": lambda x: np.exp(-x / 4.0),
    "threshold": lambda x: (x >= 5.0) * 1.0,
    "logarithm": np.log,
    "reciprocal": lambda x: 1.0 / (x - 2.0),
    "overflow": lambda x: np.exp(500.0 * x),
    "weights": lambda x: x * np.arange(1.0, x.shape[1] + 1.0),
    "several numbers": lambda x: np.stack([x, x >= 5.0], axis=-1),
    "not a number": lambda x: np.sqrt(x - 2.0),
    "table": lambda x: np.arange(10.0)[x.astype(int)],
}


@pytest.mark.parametrize("name", OF_ONE)
@pytest.mark.parametrize("trajectories", [2, 300, 20_000])
def test_functions_of_single_points_are_accepted(name, trajectories) -> None:
    for seed in range(4):
        assert why_joined(lambda v: OF_ONE[name](v[:, :, 0]), counts(trajectories, seed)) == ""


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e5])
def test_one_column_of_many_whatever_its_scale(scale) -> None:
    """Of whole numbers and of others; fewer than one value in a hundred is part of the event."""
    rng = np.random.default_rng(5)
    values = scale * rng.poisson(2.0, (4000, 3, 12)) + (0.0 if scale == 1.0 else rng.random())
    edge = values[:, :, 7].mean() + 5.0 * scale

    def joined(v):
        return v[:, :, 3] * (v[:, :1, 7] >= edge)

    def rare_in_both(v):
        return (v[:, :, 3] >= edge) * (v[:, ::-1, 7] >= edge) * 1.0

    assert (values[:, :, 7] >= edge).mean() < 0.01
    assert why_joined(joined, values) == JOINS
    assert why_joined(rare_in_both, values) == JOINS
    assert why_joined(lambda v: v[:, :, 3] * (v[:, :, 7] >= edge), values) == ""


def resting(points: int) -> np.ndarray:
    """Return 500 trajectories of a monomer and a dimer of constant sum that never change."""
    dimer = np.random.default_rng(2).integers(0, 2000, (500, 1, 1)).astype(np.float64)
    return np.repeat(np.concatenate([4000.0 - 2.0 * dimer, dimer], axis=2), points, axis=1)


def has_sum(v):
    return v @ [1.0, 2.0] == 4000.0


def in_turn(v):
    """Tell where the dimer is high, low, low and high at the first four points."""
    return (v[:, :4, 1] >= 1000.0) == np.array([True, False, False, True])


def at_monomer(v):
    return np.abs(v[:, :, 0] - 1234.0) < 8.0


#: What all points have to show; each needs trials of a kind of its own.
PATTERNS = {
    "unseen combinations in turn": lambda v: in_turn(v) & (v[:, :4, 0] <= v[:, :4, 1]),
    "states seen in turn": lambda v: in_turn(v) & has_sum(v[:, :4]),
    "the same unseen combination": lambda v: at_monomer(v) & (v[:, :, 1] < 1000.0),
    "the same state seen": lambda v: at_monomer(v) & has_sum(v),
    "rising": lambda v: np.diff(v[:, :, 1]) > 0.0,
    "falling": lambda v: np.diff(v[:, :, 1]) < 0.0,
}


@pytest.mark.parametrize("name", PATTERNS)
def test_what_is_joined_by_a_pattern_over_points(name) -> None:
    def joined(v):
        return PATTERNS[name](v).all(axis=1, keepdims=True) * np.ones(8)

    values = resting(8)
    if name == "the same state seen":
        values = np.random.default_rng(1).permuted(values, axis=0)
        values[:, :, 0] = 4000.0 - 2.0 * values[:, :, 1]
    assert why_joined(joined, values) == JOINS


def test_what_only_trajectories_show_is_tried_on_them() -> None:
    values = resting(4)
    for point in range(1, 4):
        values[:, point] = 7919.0 * values[:, point - 1] % 4001.0

    def joined(v):
        follows = v[:, 1:] == 7919.0 * v[:, :-1] % 4001.0
        return v[:, :, 0] * follows.all(axis=(1, 2))[:, None]

    assert why_joined(joined, values) == JOINS


def test_a_function_that_raises_is_not_decided() -> None:
    """Its mean is one of single points, but nothing but its words would say so."""

    def of_few(v):
        if (v[:, :, 0] == 6.0).any():
            raise ValueError("six is not allowed\nfor some reason")
        return v[:, :, 0]

    values = np.full((300, 2, 1), 3.0)
    values[::2] = 9.0
    found = as_functional(of_few, values, np.ones(2), "test")
    assert not found.is_pointwise
    assert "raises ValueError (six is not allowed) on combinations" in found.reason
    with pytest.raises(GradientError, match=r"test: .*ValueError \(six is not allowed\).*NaN"):
        as_functional(of_few, values - 4.0, np.ones(2), "test")


def test_faults_of_the_trial_itself_are_not_taken_for_the_functions() -> None:
    with pytest.raises(IndexError):
        why_joined(lambda v: v[:, 0, 0].sum(), np.zeros((10, 2, 1)))


def test_several_numbers_a_point_keep_their_points() -> None:
    """Every one of them has its weight, and none is known before its point."""
    values = counts(300, 1)
    weights = np.array([[1.0, 10.0], [2.0, -3.0]])
    found = as_functional(
        lambda v: np.stack([v[:, :, 0], v[:, :, 0] ** 2], axis=-1), values, weights, "test"
    )
    assert found.is_pointwise
    x = values[:, :, 0]
    expected = np.stack([x[:, 0] + 10 * x[:, 0] ** 2, 2 * x[:, 1] - 3 * x[:, 1] ** 2], axis=1)
    np.testing.assert_allclose(found.contributions(values), expected, rtol=1e-12)
