"""Random streams: the published generator, uniform and independent."""

from __future__ import annotations

import numpy as np
from scipy import stats

from sbmlgrad.engines.random import FIRINGS, INITIAL_STATE, philox, uniform_pair, uniform_pairs


def words(key: tuple[int, int], counter: tuple[int, int, int, int]) -> tuple[int, ...]:
    seed = np.uint64(key[0] | key[1] << 32)
    draw = np.uint64(counter[0] | counter[1] << 32)
    with np.errstate(over="ignore"):
        result = philox(seed, draw, np.uint64(counter[2]), np.uint64(counter[3]))
    return tuple(int(w) for w in result)


def test_known_answers_of_the_random123_suite() -> None:
    ones = 0xFFFFFFFF
    assert words((0, 0), (0, 0, 0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    assert words((ones, ones), (ones,) * 4) == (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)
    assert words((0xA4093822, 0x299F31D0), (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)) == (
        0xD16CFE09,
        0x94FDCCEB,
        0x5001E420,
        0x24126EA1,
    )


def test_array_and_scalar_forms_agree() -> None:
    numbers = np.arange(5, dtype=np.uint64)
    u, v = uniform_pairs(9, 3, numbers, FIRINGS)
    for i in range(5):
        with np.errstate(over="ignore"):
            one = uniform_pair(np.uint64(9), np.uint64(3), np.uint64(i), np.uint64(FIRINGS))
        assert (u[i], v[i]) == tuple(float(x) for x in one)


def test_uniforms_are_uniform_and_in_range() -> None:
    """Kolmogorov-Smirnov at 10^6 draws: finds a deviation of the distribution above 0.003."""
    u, v = uniform_pairs(1, 0, np.arange(10**6, dtype=np.uint64), FIRINGS)
    assert u.min() > 0.0
    assert u.max() <= 1.0
    assert v.min() >= 0.0
    assert v.max() < 1.0
    for sample in (u, v):
        assert stats.kstest(sample, "uniform").pvalue > 1e-4


def test_streams_are_uncorrelated() -> None:
    """Between draws, trajectories, seeds and purposes; |r| sqrt(n) is standard normal."""
    n = 10**6
    numbers = np.arange(n, dtype=np.uint64)
    u, v = uniform_pairs(1, 0, numbers, FIRINGS)
    others = {
        "pair": v,
        "next draw": uniform_pairs(1, 1, numbers, FIRINGS)[0],
        "next trajectory": uniform_pairs(1, 0, numbers + np.uint64(1), FIRINGS)[0],
        "next seed": uniform_pairs(2, 0, numbers, FIRINGS)[0],
        "purpose": uniform_pairs(1, 0, numbers, INITIAL_STATE)[0],
    }
    for name, other in others.items():
        z = np.corrcoef(u, other)[0, 1] * np.sqrt(n)
        assert abs(z) < 4.5, f"{name}: z = {z:.2f}"
