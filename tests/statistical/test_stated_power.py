"""What a cross-check says that it finds with a chance of 90 % is found about as often.

The number of finds of so many runs is compared with 90 % of them. The sizes rest on what a run saw
of the law, and counts are whole, so that the true chance lies between 83 and 98 %; a statement that
takes the error of our side alone is found in 26 to 82 % of the runs for the rare counts below.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sbmlgrad.referees.statistics import first_firing, independence
from sbmlgrad.referees.statistics.growth import detectable_mean
from sbmlgrad.referees.statistics.second_moments import covariances

N, RUNS, LEVEL, CHANCE = 2000, 300, 4.7e-6, 0.9

BOUND = float(stats.t.isf(LEVEL / 2.0, N - 1))

#: |z| that a right package exceeds in one of a million tests.
Z = 4.9


def check(found: int, runs: int = RUNS, least: float = 0.83, most: float = 0.98) -> None:
    share = found / runs
    below = (share - least) / np.sqrt(least * (1.0 - least) / runs)
    above = (share - most) / np.sqrt(most * (1.0 - most) / runs)
    assert below > -Z, f"found {share:.3f}, z = {below:.2f} from {least}"
    assert above < Z, f"found {share:.3f}, z = {above:.2f} from {most}"


@pytest.mark.parametrize(
    ("mean", "fano"),
    [(0.003, 1.0), (0.01, 1.0), (0.1, 1.0), (1.0, 1.0), (10.0, 1.0), (0.3, 6.0), (10.0, 6.0)],
)
def test_biases_of_means(mean: float, fano: float) -> None:
    rng = np.random.default_rng(1)

    def counts(of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        size = (N, RUNS)
        if fano == 1.0:
            x = rng.poisson(of, size).astype(float)
        else:
            x = rng.negative_binomial(of / (fano - 1.0), 1.0 / fano, size).astype(float)
        return x.mean(axis=0), x.var(axis=0, ddof=1)

    m, v = counts(np.full(RUNS, mean))
    bias = detectable_mean(m, v, N, BOUND, CHANCE)
    can = np.isfinite(bias)
    assert can.mean() > 0.9
    m2, v2 = counts(mean * (1.0 + np.where(can, bias, 0.0)))
    found = np.abs(m - m2) > BOUND * np.sqrt((v + v2) / N)
    check(int(found[can].sum()), int(can.sum()))


@pytest.mark.parametrize("share", [0.5, 0.05, 0.01])
def test_correlations_between_trajectories(share: float) -> None:
    rng, matching = np.random.default_rng(2), independence.matchings(N)[0]
    found = asked = 0
    for _ in range(RUNS):
        above = int((rng.random(N) < share).sum())
        size = independence.BothAbove(N // 2, above).detectable(LEVEL, CHANCE)
        if not np.isfinite(size):
            continue
        asked += 1
        first, other = rng.random((2, N // 2)) < share
        second = np.where(rng.random(N // 2) < size, first, other)
        values = np.stack([first, second], axis=1).ravel().astype(float)
        found += independence.matched(values, matching)[0] < LEVEL
    assert asked > 0.8 * RUNS
    check(found, asked)


@pytest.mark.parametrize("mean", [0.1, 10.0])
def test_correlations_between_species(mean: float) -> None:
    rng, one, two = np.random.default_rng(3), np.array([0]), np.array([1])
    needed = BOUND + float(stats.norm.ppf(CHANCE))
    found = 0
    for _ in range(RUNS):
        ours = rng.poisson(mean, (N, 2)).astype(float)
        size = covariances(ours, ours, one, two, needed).detectable[0]
        # Firings that both species share.
        theirs = rng.poisson(mean * (1.0 - size), (N, 2)) + rng.poisson(mean * size, (N, 1))
        found += covariances(ours, theirs.astype(float), one, two, needed).p[0] < LEVEL
    check(found, most=0.99)


@pytest.mark.parametrize("chance", [0.001, 0.1, 0.5])
def test_chances_that_nothing_has_fired(chance: float) -> None:
    rng = np.random.default_rng(4)
    ours = rng.binomial(N, chance, RUNS)
    size = first_firing.detectable(ours, N, LEVEL, CHANCE)
    theirs = rng.binomial(N, chance + size)
    check(int((first_firing.p_values(rng.binomial(N, chance, RUNS), theirs, N) < LEVEL).sum()))


@pytest.mark.parametrize("law", ["two states", "rare state", "bursts"])
def test_few_trajectories_hold_the_error(law: str) -> None:
    # The chance of alarm of both stages is the product of those of each, as their seeds differ;
    # each is measured at a level at which it can be. With two trajectories it would be ten times
    # the level and more, as both products of deviations are equal.
    rng, runs, level = np.random.default_rng(5), 20_000, 1e-4
    n = 20

    def counts(size: tuple[int, int]) -> np.ndarray:
        if law == "bursts":
            return (rng.random(size) < 0.1) * 1000.0 + rng.poisson(3.0, size)
        return (rng.random(size) < (0.5 if law == "two states" else 0.1)).astype(float)

    def alarms(number: int) -> np.ndarray:
        first, second = (counts((number, runs)) for _ in range(2))
        bound = stats.t.isf(level / 2.0, number - 1)
        m, v = (np.stack([f(x) for x in (first, second)]) for f in (_mean, _variance))
        w = np.stack([_of_variance(x) for x in (first, second)])
        z, y = np.abs(m[0] - m[1]), np.abs(v[0] - v[1])
        wide = bound * np.sqrt(w.sum(axis=0))
        return np.array([(z > bound * np.sqrt(v.sum(axis=0) / number)).mean(), (y > wide).mean()])

    both = np.maximum(alarms(n), 5.0 / runs) * np.maximum(alarms(4 * n), 5.0 / runs)
    assert np.all(both < level), f"{both} of {level}"


def _mean(x: np.ndarray) -> np.ndarray:
    return x.mean(axis=0)


def _variance(x: np.ndarray) -> np.ndarray:
    return x.var(axis=0, ddof=1)


def _of_variance(x: np.ndarray) -> np.ndarray:
    n, away = len(x), x - x.mean(axis=0)
    return ((away**4).mean(axis=0) - (n - 3) / (n - 1) * _variance(x) ** 2) / n
