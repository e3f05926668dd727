"""Statistics of distributions, second moments and independence, where the answer is known."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, permutations, product

import numpy as np
import pytest
from scipy import stats

from sbmlgrad.referees.moments import moments
from sbmlgrad.referees.statistics import chernoff, independence, joint, marginals
from sbmlgrad.referees.statistics.sampled import COPIES, Names, Side, sampled_families
from sbmlgrad.referees.statistics.second_moments import covariances


def distance(a: np.ndarray, b: np.ndarray) -> float:
    values = np.unique(np.concatenate([a, b]))
    return max(abs(float((a <= v).mean() - (b <= v).mean())) for v in values)


@pytest.mark.parametrize("first", [(0, 1, 2, 3, 4), (0, 1, 3, 5, 9), (0, 3, 5, 6, 8)])
def test_two_samples_with_ties_by_all_arrangements(first: tuple[int, ...]) -> None:
    pool = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3, 5.0])
    a, b = pool[list(first)], np.delete(pool, list(first))
    found, p = marginals.two_samples(a, b)
    assert found == pytest.approx(distance(a, b))
    every = [distance(pool[list(c)], np.delete(pool, list(c))) for c in combinations(range(10), 5)]
    assert p == pytest.approx(np.mean(np.array(every) >= found - 1e-12), abs=1e-9)


def test_two_samples_without_ties_are_smirnovs() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 300))
    exact = stats.ks_2samp(a, b, method="exact")
    assert marginals.two_samples(a, b) == pytest.approx((exact.statistic, exact.pvalue), rel=1e-6)


@pytest.mark.parametrize("sample", [(0, 0, 1, 2), (2, 2, 2, 2), (1, 1, 1, 2)])
def test_one_sample_of_a_discrete_law_by_all_samples(sample: tuple[int, ...]) -> None:
    law, values = np.array([0.2, 0.5, 0.3]), np.arange(3.0)

    def away(x: tuple[int, ...]) -> float:
        return max(abs(float((np.array(x) <= v).mean() - law[: v + 1].sum())) for v in range(3))

    chance = sum(
        np.prod(law[list(x)])
        for x in product(range(3), repeat=4)
        if away(x) >= away(sample) - 1e-12
    )
    found, p = marginals.one_sample(np.array(sample, dtype=float), values, law)
    assert found == pytest.approx(away(sample), abs=1e-8)
    assert p == pytest.approx(chance, abs=1e-9)


def test_a_count_that_the_law_does_not_allow() -> None:
    assert marginals.one_sample(np.array([0.0, 7.0]), np.arange(3.0), np.full(3, 1 / 3))[1] == 0.0


def test_p_values_are_no_smaller_than_they_should_be() -> None:
    rng, runs = np.random.default_rng(1), 2000
    values = np.arange(40.0)
    law = stats.poisson.pmf(values, 5.0)
    law /= law.sum()
    ps = [
        marginals.one_sample(rng.poisson(5, 150).astype(float), values, law)[1] for _ in range(runs)
    ]
    for level in (0.05, 0.01):
        alarms = int((np.array(ps) < level).sum())
        z = (alarms - level * runs) / np.sqrt(level * (1 - level) * runs)
        assert z < 4.0, f"z = {z:.2f} at level {level}"


@pytest.mark.parametrize("samples", [1, 2])
def test_the_stated_distance_is_found(samples: int) -> None:
    n, level, runs = 1000, 1e-4, 300
    power = marginals.detectable(level, n, 0.9, samples)
    rng, share = np.random.default_rng(2), 0.3
    found = 0
    for _ in range(runs):
        ours = (rng.random(n) < share + power).astype(float)
        if samples == 2:
            p = marginals.two_samples(ours, (rng.random(n) < share).astype(float))[1]
        else:
            p = marginals.one_sample(ours, np.arange(2.0), np.array([1 - share, share]))[1]
        found += p < level
    z = (found - 0.9 * runs) / np.sqrt(0.09 * runs)
    assert z > -4.0, f"z = {z:.2f}"


def neighbours(counts: np.ndarray) -> tuple[float, float]:
    return independence.matched(counts, independence.matchings(len(counts))[0])


def test_pairs_above_the_median_by_all_orders() -> None:
    counts = np.array([0, 1, 1, 3, 0, 5, 1, 2.0])
    found, effect = neighbours(counts)
    seen = Counter(
        int(((x := np.array(o) > 1)[0::2] & x[1::2]).sum()) for o in permutations(counts)
    )
    total = sum(seen.values())
    here = int(((counts > 1)[0::2] & (counts > 1)[1::2]).sum())
    low = sum(k for j, k in seen.items() if j <= here) / total
    high = sum(k for j, k in seen.items() if j >= here) / total
    assert found == pytest.approx(min(1.0, 2.0 * min(low, high)))
    assert abs(effect) < 1.0


def test_rare_counts_are_no_sign_of_dependence() -> None:
    rng, runs, level = np.random.default_rng(3), 1500, 0.01
    ps = [neighbours((rng.random(2000) < 0.03).astype(float))[0] for _ in range(runs)]
    alarms = int((np.array(ps) < level).sum())
    z = (alarms - level * runs) / np.sqrt(level * runs)
    assert z < 4.0, f"z = {z:.2f}"


def test_mirrored_and_repeated_neighbours() -> None:
    half = np.random.default_rng(4).poisson(9, 500).astype(float)
    p, effect = neighbours(np.repeat(half, 2))
    assert p < 1e-20
    assert effect == pytest.approx(1.0, abs=0.01)
    p, effect = neighbours(np.stack([half, 18.0 - half], axis=1).ravel())
    assert p < 1e-20
    assert effect < -0.7
    assert neighbours(np.full(100, 3.0)) == (1.0, 0.0)


def test_copies_count_only_beyond_those_of_the_other_side() -> None:
    rng = np.random.default_rng(5)
    ours, theirs, half = (rng.poisson(3, (n, 4, 2)).astype(float) for n in (400, 400, 200))
    seen = joint.copies(ours, theirs, 1e-5, 0.9)
    assert (seen.p, seen.excess) == (1.0, 0.0)
    assert seen.found == pytest.approx(2.0 * np.log(2e5) / 400)
    seen = joint.copies(ours, np.concatenate([half, half]), 1e-5, 0.9)
    assert seen.p < 1e-20
    assert seen.excess == pytest.approx(1.0, abs=0.05)
    # Where copies are common by nature, both sides have them.
    flat = (rng.random((2, 400, 1, 1)) < 0.1).astype(float)
    seen = joint.copies(flat[0], flat[1], 1e-5, 0.9)
    assert seen.p > 1e-4
    # There it would take more than there are trajectories.
    assert seen.found > 400 / 2


@pytest.mark.parametrize("mean", [1e6, 150.0, 100.0])
def test_the_stated_excess_of_copies_is_found(mean: float) -> None:
    rng, n, level, runs = np.random.default_rng(8), 2000, 1e-5, 100

    def sample() -> np.ndarray:
        return rng.poisson(mean, (n, 2, 1)).astype(float)

    stated = joint.copies(sample(), sample(), level, 0.9).found
    hits = 0
    for _ in range(runs):
        theirs = sample()
        # Both of a pair are copies of each other.
        pairs = int(np.ceil(stated * n / 2))
        theirs[pairs : 2 * pairs] = theirs[:pairs]
        hits += joint.copies(sample(), theirs, level, 0.9).p < level
    # A statement that forgets natural twins is missed nearly always.
    z = (hits - 0.9 * runs) / np.sqrt(0.09 * runs)
    assert z > -4.0, f"z = {z:.2f}"
    assert 0.0 < stated < 1.0


def test_copies_are_looked_for_among_firing_counts() -> None:
    rng, n = np.random.default_rng(9), 600
    flat = [rng.integers(0, 2, (n, 1, 1)).astype(float) for _ in range(2)]
    firings = [rng.poisson(500, (n, 1, 2)).astype(float) for _ in range(2)]
    firings[1][n // 2 :] = firings[1][: n // 2]
    names = Names(("X",), ("up", "down"), np.ones(1))
    p = []
    for fired in (None, None), firings:
        ours, theirs = (
            Side(moments([x]), x, None if f is None else moments([f]), f)
            for x, f in zip(flat, fired, strict=True)
        )
        families = {f.name: f for f in sampled_families(ours, theirs, names, 1e-5, 0.9, {})}
        p.append(families[COPIES].p[0])
    assert p[0] > 1e-5
    assert p[1] < 1e-20


def test_differences_of_covariances() -> None:
    rng, needed = np.random.default_rng(6), 6.0
    ours, theirs = rng.poisson(4, (2, 500, 2)).astype(float)
    theirs[:, 1] += theirs[:, 0]
    found = covariances(ours, theirs, np.array([0]), np.array([1]), needed)
    products = [np.prod(side - side.mean(axis=0), axis=1) for side in (ours, theirs)]
    away = products[0].mean() - products[1].mean()
    error = np.sqrt(sum(c.var(ddof=1) for c in products) / 500)
    assert found.p[0] == pytest.approx(2.0 * stats.t.sf(abs(away) / error, 499))
    assert found.effect[0] == pytest.approx(away / np.prod(ours.std(axis=0)))
    assert np.cov(ours.T, ddof=0)[0, 1] == pytest.approx(products[0].mean())
    # A little more than the errors of ours say, as a covariance varies the more, the larger it is.
    size = needed * np.sqrt(2.0 * products[0].var() / 500) / np.prod(ours.std(axis=0))
    assert size < found.detectable[0] < 1.1 * size


def test_products_that_do_not_vary_say_nothing() -> None:
    one, two = np.array([0]), np.array([1])
    # Both products of two trajectories are equal, whatever the counts.
    ours, theirs = np.array([[1.0, 2.0], [4.0, 7.0]]), np.array([[1.0, 9.0], [4.0, 2.0]])
    found = covariances(ours, theirs, one, two, 5.0)
    assert (found.p[0], found.detectable[0]) == (1.0, np.inf)
    assert found.effect[0] != 0.0
    still = np.ones((50, 2))
    assert covariances(still, still, one, two, 5.0).p[0] == 1.0
    assert np.isnan(covariances(still, still, one, two, 5.0).detectable[0])


def test_no_correlation_beyond_one_is_said_to_be_found() -> None:
    counts = np.random.default_rng(7).poisson(0.05, (60, 2)).astype(float)
    found = covariances(counts, counts, np.array([0]), np.array([1]), 6.0)
    assert found.detectable[0] == np.inf


def test_times_that_are_compared() -> None:
    assert joint.time_pairs(1) == []
    assert joint.time_pairs(4) == [(0, 1), (1, 2), (2, 3), (0, 3), (1, 3)]


@pytest.mark.parametrize(("mean", "n"), [(0.001, 500), (4.0, 100)])
def test_chernoffs_bound_lies_above_the_exact_chance(mean: float, n: int) -> None:
    values = np.arange(60.0)
    law = stats.poisson.pmf(values, mean)
    law /= law.sum()
    for total in (round(n * mean) + k for k in (1, 3, 10, 40, 80)):
        exact = float(stats.poisson.sf(total - 1, n * mean))
        bound = chernoff.two_sided(values, law, total / n, n)
        assert bound >= exact
        # Chernoff's price: a few standard errors times √(2π), and two sides.
        assert bound < 60.0 * exact + 1e-300 or exact < 1e-280
    assert chernoff.two_sided(values, law, mean, n) == 1.0
    assert chernoff.two_sided(values[:2], law[:2] / law[:2].sum(), 3.0, n) == 0.0


@pytest.mark.parametrize("spread", [3.0, 3e2, 3e4])
def test_chernoffs_bound_of_wide_counts(spread: float) -> None:
    steps = np.arange(-8.0, 8.001, 0.02)
    values, law = spread * (steps + 8.0), stats.norm.pdf(steps)
    law /= law.sum()
    n, mean = 2000, float(values @ law)
    error = float(np.sqrt(law @ (values - mean) ** 2 / n))
    for z in (1.0, 5.0, 20.0):
        expected = 2.0 * np.exp(-(z**2) / 2.0)
        assert chernoff.two_sided(values, law, mean + z * error, n) == pytest.approx(
            min(1.0, expected), rel=1e-3
        )
    # Squares of wide counts are wider still.
    squares = (values - mean) ** 2
    variance = float(squares @ law)
    far = variance + 8.0 * float(np.sqrt(law @ (squares - variance) ** 2 / n))
    assert chernoff.two_sided(squares, law, far, n) < 1e-11


@pytest.mark.parametrize("mean", [1e-6, 0.3, 1e5])
def test_chernoffs_bound_from_cumulants_is_that_of_the_law(mean: float) -> None:
    n = 500
    for seen in (0.0, 0.5 * mean, 1.5 * mean, mean + 0.004, mean + 3.0):
        # Of a Poisson law: n times its relative entropy.
        entropy = mean if seen == 0.0 else seen * np.log(seen / mean) - seen + mean
        found = chernoff.by_cumulants(lambda t: mean * (np.expm1(t) - t), mean, seen - mean, n)
        if n * entropy < 50.0:
            assert found == pytest.approx(min(1.0, 2.0 * np.exp(-n * entropy)), rel=0.02)
        else:
            assert found < 1e-20
    assert chernoff.by_cumulants(lambda _: 0.0, 0.0, 0.0, n) == 1.0
    assert chernoff.by_cumulants(lambda _: 0.0, 0.0, 1.0, n) == 0.0


def test_chernoffs_bound_of_a_law_without_a_generating_function() -> None:
    assert chernoff.by_cumulants(lambda _: np.inf, 1.0, 9.0, 100) == 1.0

    # Exponential: finite below one alone.
    def cumulant(t: float) -> float:
        return -np.log1p(-t) - t if t < 1.0 else np.inf

    expected = 2.0 * np.exp(-100 * (2.0 - np.log(3.0)))
    assert chernoff.by_cumulants(cumulant, 1.0, 2.0, 100) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("mean", [0.001, 4.0])
def test_from_the_threshold_on_the_bound_is_below(mean: float) -> None:
    values, n, p = np.arange(60.0), 500, 1e-5
    law = stats.poisson.pmf(values, mean)
    law /= law.sum()
    found = chernoff.threshold(chernoff.of_law(values, law), mean, n, p)
    assert chernoff.two_sided(values, law, mean + 1.02 * found, n) < p
    assert chernoff.two_sided(values, law, mean + 0.95 * found, n) > p
