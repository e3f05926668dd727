"""Statistics of the numbers themselves: waiting times, selections, bits, pairs, many streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from sbmlgrad.engines.random import EVENTS, FIRINGS
from stream_quality.checks import (
    Check,
    binomial,
    chi_square,
    contingency,
    kolmogorov,
    pooled,
    standard_normal,
)
from stream_quality.kernels import BITS, SLICE

#: Propensities of the selection test: they differ by up to 10^8, and rare reactions stand first,
#: last and between common ones. Their sum is 1, the last but one being what is left.
RARE = (1e-8, 0.2, 3e-7, 1e-6, 0.05, 1e-8, 1e-3, 0.0, 0.6, 1e-7, 1e-4, 1e-5)
PROPENSITIES = np.array([*RARE, 1.0 - sum(RARE) - 1e-8, 1e-8])

#: Cells of waiting times: for Kolmogorov-Smirnov, and beside selections.
FINE_CELLS, COARSE_CELLS = 2**20, 32

#: Cells of one number of a pair.
PAIR_CELLS = 64

#: Draws of a stream, in tests of pairs of streams, and rows of a block of their products.
STREAM_DRAWS, ROWS = 1000, 500

#: Pairs tabulated in one call.
CHUNK = 2**18


def firings(module: ModuleType, seed: int, draws: int, *, narrow: bool = False) -> list[Check]:
    """Test waiting times and selections of `table.kernel.next_firing` at unit total propensity.

    Args:
        module: of `stream_quality.kernels.stream_module`.
        seed: of the streams.
        draws: how many firings.
        narrow: whether to take the streams of single precision.
    """
    each = max(min(draws // 100, 10_000), 1)
    trajectories = draws // each
    n = each * trajectories
    decades = int(np.log10(n))
    fine = np.zeros(min(FINE_CELLS, 2 ** int(np.log2(n / 16))), dtype=np.int64)
    low, high = np.zeros(decades, dtype=np.int64), np.zeros(decades, dtype=np.int64)
    table = np.zeros((COARSE_CELLS, len(PROPENSITIES)), dtype=np.int64)
    others = np.zeros(128, dtype=np.int64)
    module.tabulate_firings(
        PROPENSITIES, seed, 0, trajectories, each, narrow, fine, low, high, table, others
    )
    checks = [
        binomial("a firing is found every time", n - int(others.sum()), n, 1.0),
        kolmogorov("waiting times against Exp(1), Kolmogorov-Smirnov", fine),
        chi_square(
            f"waiting times, {len(fine):,} cells of equal probability",
            fine,
            np.full(len(fine), 1 / len(fine)),
        ),
    ]
    for k in range(2, decades):
        checks.append(binomial(f"waiting times in the lowest 1e-{k}", int(low[k]), n, 10.0**-k))
        checks.append(binomial(f"waiting times in the highest 1e-{k}", int(high[k]), n, 10.0**-k))
    chosen = table.sum(axis=0)
    checks += [
        binomial(f"reaction {j} of propensity {a:.4g} selected", int(chosen[j]), n, float(a))
        for j, a in enumerate(PROPENSITIES)
    ]
    checks.append(
        chi_square("selections, all reactions together", *pooled(chosen, PROPENSITIES, n))
    )
    common = n / COARSE_CELLS * PROPENSITIES >= 10
    checks.append(contingency("selection and waiting time independent", table[:, common]))
    return checks


def bits(module: ModuleType, seed: int, draws: int) -> list[Check]:
    """Test the 53 bits of each number, eight by eight, the lowest first."""
    each = max(min(draws // 100, 10_000), 1)
    slices = -(-BITS // SLICE)
    table = np.zeros((2, slices, 2**SLICE), dtype=np.int64)
    module.tabulate_bits(seed, 0, draws // each, each, table)
    checks = []
    for number, name in enumerate("uv"):
        for k in range(slices):
            width = min(SLICE, BITS - SLICE * k)
            title = f"bits {SLICE * k} to {SLICE * k + width - 1} of {name}"
            probability = np.zeros(2**SLICE)
            probability[: 2**width] = 2.0**-width
            checks.append(chi_square(title, table[number, k], probability))
    return checks


Address = tuple[NDArray[np.uint64], NDArray[np.uint64]]


def _pairs(kind: str, seed: int, low: int, high: int) -> Address:
    """Return left and right addresses (seed, trajectory, draw, purpose) of pairs low to high.

    Pairs have no address in common, so that they are independent if the numbers are.
    """
    i = np.arange(low, high, dtype=np.uint64)
    left = np.empty((high - low, 4), dtype=np.uint64)
    left[:, 0], left[:, 3] = seed, FIRINGS
    left[:, 1], left[:, 2] = i // np.uint64(1000), i % np.uint64(1000)
    right = left.copy()
    two, one = np.uint64(2), np.uint64(1)
    if kind == "seed":
        # Draws of trajectory 0 of many consecutive seeds.
        left[:, 0] = np.uint64(seed) + left[:, 1]
        left[:, 1] = 0
        right = left.copy()
    place = {"trajectory": 1, "draw": 2, "seed": 0}.get(kind)
    if place is not None:
        left[:, place] *= two
        right[:, place] = left[:, place] + one
    elif kind == "purpose":
        right[:, 3] = EVENTS
    elif kind == "far draw":
        right[:, 2] += np.uint64(2**32)
    elif kind == "far seed":
        right[:, 0] += np.uint64(2**32)
    elif kind == "far trajectory":
        right[:, 1] += np.uint64(2**31)
    return left, right


PAIRS = {
    "draw": "a draw and the next one",
    "trajectory": "a trajectory and the next one",
    "seed": "a seed and the next one",
    "purpose": "firings and events",
    "far draw": "draws 2^32 apart",
    "far trajectory": "trajectories 2^31 apart",
    "far seed": "seeds 2^32 apart",
}


def neighbours(
    module: ModuleType, seed: int, draws: int, kinds: Sequence[str] = tuple(PAIRS)
) -> list[Check]:
    """Test that u and v, and numbers of neighbouring addresses, are independent in pairs.

    Args:
        module: of `stream_quality.kernels.stream_module`.
        seed: of the streams, or the first of many.
        draws: how many for each kind of pairs; half as many pairs.
        kinds: keys of `PAIRS`.
    """
    checks = []
    for kind in kinds:
        tables = np.zeros((5, PAIR_CELLS, PAIR_CELLS), dtype=np.int64)
        sums = np.zeros(5)
        for low, high in _chunks(draws // 2):
            module.tabulate_pairs(*_pairs(kind, seed, low, high), tables, sums)
        names = [f"{PAIRS[kind]}: {a}, {b}" for a in "uv" for b in "uv"]
        names.append("u and v of one draw")
        for k, name in enumerate(names if kind == "draw" else names[:4]):
            flat = np.full(tables[k].shape, PAIR_CELLS**-2.0)
            checks.append(chi_square(f"{name}, {PAIR_CELLS} × {PAIR_CELLS} cells", tables[k], flat))
            z = float(sums[k] / np.sqrt(draws // 2))
            checks.append(standard_normal(f"{name}, correlation", draws // 2, z, "√n r"))
    return checks


def _chunks(total: int) -> Iterator[tuple[int, int]]:
    for low in range(0, total, CHUNK):
        yield low, min(low + CHUNK, total)


def many_streams(module: ModuleType, seed: int, streams: int) -> list[Check]:
    """Test all pairs of many streams: consecutive trajectories, and consecutive seeds."""
    checks = []
    first = np.full(streams, seed, dtype=np.uint64)
    numbers = np.arange(streams, dtype=np.uint64)
    for name, seeds, trajectories in (
        ("trajectories", first, numbers),
        ("seeds", first + numbers, np.zeros_like(numbers)),
    ):
        u, v = np.empty((streams, STREAM_DRAWS)), np.empty((streams, STREAM_DRAWS))
        module.fill_streams(seeds, trajectories, u, v)
        repeated = u.size - len(np.unique(u))
        expected = u.size**2 / 2.0**54
        checks.append(
            Check(
                f"{name}: numbers u that are repeated",
                u.size,
                f"{repeated} of {expected:.2g} expected",
                float(stats.poisson.sf(repeated - 1, expected)),
            )
        )
        for letter, values in (("u", 1.0 - u), ("v", v)):
            # Both ends stay open: 2^-55 is lost where it is not needed.
            normal = special.ndtri(values + 2.0**-55)
            checks += correlations(f"{streams:,} {name}, {letter}", normal)
    return checks


def correlations(name: str, normal: NDArray[np.float64]) -> list[Check]:
    """Test the correlations r of all pairs of rows of standard normal numbers.

    About the known mean 0, directions of rows are uniform on a sphere, so that (1 + r) / 2 has the
    law Beta((L - 1) / 2, (L - 1) / 2) exactly (Muirhead 1982, "Aspects of multivariate statistical
    theory", theorem 1.5.7), and two different pairs are independent, even if they share a row.
    Sums over pairs thus have the variance of independent terms.

    Args:
        name: of the rows.
        normal: float64 [row, number].
    """
    rows, length = normal.shape
    shape = 0.5 * (length - 1)
    law = stats.beta(shape, shape, loc=-1.0, scale=2.0)
    unit = normal / np.linalg.norm(normal, axis=1)[:, None]
    pairs = rows * (rows - 1) // 2
    widest = 8.0 / np.sqrt(length)
    edges = np.linspace(-widest, widest, 321)
    counts = np.zeros(len(edges) - 1, dtype=np.int64)
    thresholds = law.isf(0.5 * 10.0 ** -np.arange(3, max(int(np.log10(pairs)), 4)))
    beyond = np.zeros(len(thresholds), dtype=np.int64)
    total = squares = largest = 0.0
    for low in range(0, rows, ROWS):
        block = unit[low : low + ROWS] @ unit[low:].T
        r = block[np.triu_indices(block.shape[0], k=1, m=block.shape[1])]
        total += r.sum()
        squares += (r * r).sum()
        largest = max(largest, float(np.abs(r).max(initial=0.0)))
        # What lies beyond belongs to the outermost cells, which are joined with others.
        counts += np.histogram(np.clip(r, edges[0], edges[-1]), edges)[0]
        beyond += (np.abs(r)[:, None] > thresholds).sum(axis=0)
    # r² has mean 1 / L and variance 2 (L - 1) / (L² (L + 2)).
    deviation = np.sqrt(2.0 * (length - 1) / (length**2 * (length + 2)))
    one = float(law.sf(largest) * 2.0)
    none_larger = np.exp(pairs * np.log1p(-one))
    median = float(law.isf(0.5 * np.log(2.0) / pairs))
    checks = [
        standard_normal(f"{name}: mean of r", pairs, total * np.sqrt(length / pairs)),
        standard_normal(
            f"{name}: mean of r²", pairs, (squares - pairs / length) / deviation / np.sqrt(pairs)
        ),
        Check(
            f"{name}: largest r, either sign",
            pairs,
            f"{largest:.4f}, median of its law {median:.4f}",
            float(min(1.0, 2.0 * min(none_larger, 1.0 - none_larger))),
        ),
    ]
    for threshold, count, k in zip(thresholds, beyond, range(3, 99), strict=False):
        title = f"{name}: r beyond ±{threshold:.4f}"
        checks.append(binomial(title, int(count), pairs, 10.0**-k))
    probability = np.diff(law.cdf(edges))
    probability[0] += law.cdf(edges[0])
    probability[-1] += law.sf(edges[-1])
    checks.append(chi_square(f"{name}: law of r", *pooled(counts, probability, pairs)))
    return checks
