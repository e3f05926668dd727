"""Exact sums: against rational arithmetic, in any order, in any pieces."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from sbmlgrad.engines.accumulate import (
    BITS,
    ROWS,
    Moments,
    added,
    moments_of,
    no_moments,
    pairs_of,
)


def exact_mean(values) -> float:
    numbers = [Fraction(float(v)) for v in values]
    return float(sum(numbers, Fraction(0)) / len(numbers))


def exact_covariance(one, other) -> float:
    a = [Fraction(float(v)) for v in one]
    b = [Fraction(float(v)) for v in other]
    n = len(a)
    products = sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
    return float((n * products - sum(a) * sum(b)) / (n * (n - 1)))


def numbers(kind: str, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(20)
    if kind == "counts":
        return rng.poisson(300.0, shape).astype(float)
    if kind == "large counts":
        return np.floor(rng.random(shape) * 2.0**53) - 2.0**52
    if kind == "limb edges":
        return rng.choice([0.0, 1.0, 2.0**BITS - 1, 2.0**BITS, -(2.0**BITS), 2.0**53], shape)
    if kind == "real":
        return rng.normal(1e6, 1e-3, shape)
    if kind == "far apart":
        return rng.normal(size=shape) * 10.0 ** rng.integers(-40, 40, shape)
    if kind == "tiny":
        return rng.normal(size=shape) * 10.0 ** rng.integers(-320, -290, shape)
    assert kind == "whole range"
    return np.ldexp(rng.normal(size=shape), rng.integers(-1073, 500, shape).astype(np.intc))


KINDS = ["counts", "large counts", "limb edges", "real", "far apart", "tiny", "whole range"]


def same(a: Moments, b: Moments) -> bool:
    columns = range(a.sums.shape[1])
    means = all(np.array_equal(a.mean(c), b.mean(c), equal_nan=True) for c in columns)
    pairs = range(len(a.pairs))
    return means and all(
        np.array_equal(a.covariance(p), b.covariance(p), equal_nan=True) for p in pairs
    )


@pytest.mark.parametrize("kind", KINDS)
def test_statistics_are_rational_ones_rounded_once(kind: str) -> None:
    values = numbers(kind, (37, 2, 3))
    pairs = pairs_of(3, covariances=True)
    moments = moments_of(values, pairs)
    assert moments.count == 37
    for point in range(2):
        for column in range(3):
            assert moments.mean(column)[point] == exact_mean(values[:, point, column])
        for place, (i, j) in enumerate(pairs):
            expected = exact_covariance(values[:, point, i], values[:, point, j])
            assert moments.covariance(place)[point] == expected


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_and_order_do_not_matter(kind: str) -> None:
    values = numbers(kind, (60, 3, 2))
    pairs = pairs_of(2, covariances=True)
    at_once = moments_of(values, pairs)
    shuffled = values[np.random.default_rng(1).permutation(60)]
    for cuts in ([1, 2, 30], [59], [20, 40]):
        pieces = [moments_of(piece, pairs) for piece in np.split(shuffled, cuts)]
        total = no_moments(3, 2, pairs)
        for piece in reversed(pieces):
            total = added(total, piece)
        assert total.count == 60
        assert same(total, at_once)


def test_more_trajectories_than_one_product_takes() -> None:
    # The largest limbs there are, all of one sign: the sums that the proof is about.
    values = np.full((2 * ROWS + 3, 1, 1), 2.0**BITS - 1)
    values[0] = 0.0
    moments = moments_of(values, pairs_of(1, covariances=False))
    n, limb = 2 * ROWS + 3, 2**BITS - 1
    assert moments.sums[0, 0] == (n - 1) * limb
    assert moments.products[0, 0] == (n - 1) * limb**2
    assert moments.covariance(0)[0] == exact_covariance(values[:, 0, 0], values[:, 0, 0])


def test_variance_does_not_cancel() -> None:
    values = np.array([2.0**52, 2.0**52 + 1, 2.0**52 + 2]).reshape(3, 1, 1)
    assert moments_of(values, pairs_of(1, covariances=False)).covariance(0)[0] == 1.0


def test_values_that_are_not_finite_spoil_their_own_statistics_only() -> None:
    values = numbers("counts", (10, 2, 2))
    values[3, 0, 0] = np.inf
    values[4, 1, 1] = np.nan
    moments = moments_of(values, pairs_of(2, covariances=True))
    np.testing.assert_array_equal(moments.not_finite, [[1, 0], [0, 1]])
    assert np.isnan(moments.mean(0)[0])
    assert moments.mean(0)[1] == exact_mean(values[:, 1, 0])
    assert moments.mean(1)[0] == exact_mean(values[:, 0, 1])
    np.testing.assert_array_equal(np.isnan(moments.covariance(2)), [True, True])
    np.testing.assert_array_equal(np.isnan(moments.covariance(1)), [False, True])


def test_pairs_without_covariances_are_the_columns_themselves() -> None:
    pairs = pairs_of(3, covariances=False)
    np.testing.assert_array_equal(pairs, [[0, 0], [1, 1], [2, 2]])
    values = numbers("far apart", (9, 1, 3))
    full = moments_of(values, pairs_of(3, covariances=True))
    alone = moments_of(values, pairs)
    for column in range(3):
        assert alone.covariance(column)[0] == full.covariance(column)[0]


def test_variance_beyond_the_largest_number_is_infinite() -> None:
    values = np.array([-1e200, 1e200]).reshape(2, 1, 1)
    moments = moments_of(values, pairs_of(1, covariances=False))
    assert moments.covariance(0)[0] == np.inf
    assert moments.mean(0)[0] == 0.0
