"""Histograms that need no range: exact while it fits, the same in any order, mergeable."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from sbmlgrad.engines.sketch import (
    Sketch,
    empty_sketch,
    merged,
    ordered,
    quantile_bounds,
    sketch_of,
)

WHOLE, REAL = np.array([True]), np.array([False])


def column(values) -> np.ndarray:
    return np.asarray(values, dtype=float).reshape(-1, 1, 1)


def identical(a: Sketch, b: Sketch) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("minimum", "maximum", "exponent", "counts")
    )


def samples() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(5)
    return {
        "counts that fit": (rng.integers(40, 50, 300), WHOLE),
        "counts that outgrow": (rng.geometric(0.001, 300), WHOLE),
        "negative counts": (rng.integers(-900, 900, 300), WHOLE),
        "large counts": (rng.integers(2**52, 2**53, 300), WHOLE),
        "one count": (np.full(300, 7), WHOLE),
        "zero": (np.zeros(300), REAL),
        "one number": (np.full(300, 0.1), REAL),
        "real": (rng.normal(size=300), REAL),
        "far apart": (rng.normal(size=300) * 10.0 ** rng.integers(-30, 30, 300), REAL),
        "from nothing to everything": (
            np.ldexp(1.0, np.linspace(-1074, 1023, 300, dtype=int)),
            REAL,
        ),
        "negative and tiny": (-(10.0 ** rng.uniform(-300, 0, 300)), REAL),
        "largest": (rng.choice([-1.7e308, 1.7e308], 300), REAL),
    }


@pytest.mark.parametrize("name", samples())
@pytest.mark.parametrize("bins", [2, 16, 1024])
def test_order_and_pieces_do_not_matter(name: str, bins: int) -> None:
    values, is_whole = samples()[name]
    at_once = sketch_of(column(values), is_whole, bins)
    assert at_once.counts.sum() == 300
    for order in (np.arange(300), np.argsort(values), np.argsort(-values)):
        pieces = np.split(values[order], [1, 2, 10, 200])
        total = empty_sketch(1, is_whole, bins)
        for piece in pieces:
            total = merged(total, sketch_of(column(piece), is_whole, bins))
        assert identical(total, at_once)
        sketches = [sketch_of(column(piece), is_whole, bins) for piece in pieces]
        inner = merged(sketches[4], merged(sketches[2], sketches[3]))
        assert identical(merged(merged(sketches[1], sketches[0]), inner), at_once)


@pytest.mark.parametrize("name", samples())
@pytest.mark.parametrize("bins", [2, 64])
def test_bounds_hold_the_quantile(name: str, bins: int) -> None:
    values, is_whole = samples()[name]
    values = values.astype(float)
    sketch = sketch_of(column(values), is_whole, bins)
    for q in (
        Fraction(0),
        Fraction(1, 100),
        Fraction(1, 3),
        Fraction(1, 2),
        Fraction(9, 10),
        Fraction(1),
    ):
        rank = max(-(-q.numerator * 300 // q.denominator), 1)
        truth = np.sort(values)[rank - 1]
        low, high = quantile_bounds(sketch, 0, q)
        assert low[0] <= truth <= high[0]
        # Halves, since the widest bins are wider than the largest number.
        half = np.ldexp(0.5, int(sketch.exponent[0, 0]))
        assert high[0] / 2 - low[0] / 2 <= half
        if rank in (1, 300):
            assert low[0] == truth == high[0]


def test_whole_numbers_are_exact_while_their_range_fits() -> None:
    values = np.arange(100, 228)
    sketch = sketch_of(column(values), WHOLE, 128)
    assert sketch.exponent[0, 0] == 0
    first, counts = ordered(sketch, 0, 0)
    assert first == 100
    np.testing.assert_array_equal(counts, np.ones(128))
    low, high = quantile_bounds(sketch, 0, Fraction(1, 2))
    assert low[0] == high[0] == 163.0
    # One more value and pairs of neighbours share a bin.
    wider = merged(sketch, sketch_of(column([228]), WHOLE, 128))
    assert wider.exponent[0, 0] == 1
    first, counts = ordered(wider, 0, 0)
    assert first == 50
    np.testing.assert_array_equal(counts, [2] * 64 + [1])
    low, high = quantile_bounds(wider, 0, Fraction(1, 2))
    assert (low[0], high[0]) == (164.0, 165.0)


def test_bins_of_real_numbers_are_as_narrow_as_they_can_be() -> None:
    rng = np.random.default_rng(2)
    values = rng.uniform(3.0, 4.0, 1000)
    sketch = sketch_of(column(values), REAL, 256)
    width = np.ldexp(1.0, int(sketch.exponent[0, 0]))
    numbers = np.floor(values / width)
    assert numbers.max() - numbers.min() < 256
    narrower = np.floor(values / (width / 2))
    assert narrower.max() - narrower.min() >= 256
    first, counts = ordered(sketch, 0, 0)
    expected = np.bincount((numbers - first).astype(int))
    np.testing.assert_array_equal(counts, expected)


def test_infinite_values_are_left_out() -> None:
    sketch = sketch_of(column([np.nan, 1.0, np.inf, -np.inf, 3.0]), REAL, 16)
    assert sketch.counts.sum() == 2
    assert (sketch.minimum[0, 0], sketch.maximum[0, 0]) == (1.0, 3.0)
    nothing = sketch_of(column([np.nan]), REAL, 16)
    assert identical(merged(nothing, sketch), sketch)
    assert identical(nothing, empty_sketch(1, REAL, 16))


def test_points_and_columns_have_bins_of_their_own() -> None:
    rng = np.random.default_rng(8)
    values = rng.integers(0, 5, (50, 2, 2)) * np.array([[1.0, 100.0], [1e5, 0.25]])
    is_whole = np.array([True, False])
    sketch = sketch_of(values, is_whole, 8)
    for point in range(2):
        for c in range(2):
            alone = sketch_of(column(values[:, point, c]), is_whole[c : c + 1], 8)
            np.testing.assert_array_equal(sketch.counts[point, c], alone.counts[0, 0])
            assert sketch.exponent[point, c] == alone.exponent[0, 0]
