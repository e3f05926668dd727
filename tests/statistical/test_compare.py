"""The comparison finds planted faults, and right simulators pass as often as stated."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from networks import antimony, network
from numpy.typing import NDArray
from scipy import stats

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.referees import Fsp
from sbmlgrad.referees.counted import with_counters
from sbmlgrad.referees.moments import Moments, moments
from sbmlgrad.referees.statistics.compare import Comparison, compare, confirmed
from sbmlgrad.referees.statistics.exact_compare import compare_exact, number_of_tests
from sbmlgrad.referees.statistics.pairs import Pairs, chosen_pairs
from sbmlgrad.referees.statistics.sampled import Names, Side, sampled_families

#: Chance that a right package fails one of these tests.
CHANCE = 1e-6


def simulated(
    model: sg.ReactionNetwork, times: list[float], n: int, seed: int, **k: float
) -> Moments:
    return moments([sg.simulate(model, k, times=times, trajectories=n, seed=seed).counts])


def test_a_rate_off_by_two_percent_is_found() -> None:
    model, times, n = network("immigration_death"), [1.0, 5.0], 100_000
    right = simulated(model, times, n, 1)
    # Ours is right, by the closed form: counts are Poisson.
    exact = 5.0 * (1.0 - np.exp(-0.4 * np.array(times)))[:, None]
    bound = stats.norm.isf(CHANCE / 4)
    assert np.abs((right.mean - exact) / np.sqrt(exact / n)).max() < bound
    assert np.abs((right.variance - exact) / np.sqrt((exact + 2 * exact**2) / n)).max() < bound

    def run(multiple: int, alpha: float) -> Comparison:
        theirs = simulated(model, times, n, 2 + multiple, alpha=alpha)
        ours = right if multiple == 1 else simulated(model, times, n, 20)
        return compare(["X"], np.array(times), ours, theirs)

    found = confirmed(lambda multiple: run(multiple, 2.0 * 1.02))
    assert not found.agrees
    assert found.disagreement[0, 1:].all()
    same = confirmed(lambda multiple: run(multiple, 2.0))
    assert same.agrees
    # What it says could be found is less than what was planted.
    assert same.detectable[0].mean < 0.02


def net_rate_counts(k1: float, k2: float, times: list[float], n: int) -> NDArray[np.float64]:
    """A simulator that fires a reversible reaction A -> B on its net rate, as some do."""
    rng = np.random.default_rng(0)
    a, b = np.full(n, 100.0), np.zeros(n)
    clock = np.zeros(n)
    result = np.empty((n, len(times), 2))
    pending = np.zeros(n, dtype=int)
    while (pending < len(times)).any():
        rate = k1 * a - k2 * b
        with np.errstate(divide="ignore"):
            clock += rng.exponential(size=n) / np.abs(rate)
        for t, time in enumerate(times):
            due = (pending == t) & (clock > time)
            result[due, t] = np.stack([a, b], axis=1)[due]
            pending[due] += 1
        step = np.sign(rate)
        a, b = a - step, b + step
    return result


def test_firing_on_the_net_rate_is_found_by_the_variance() -> None:
    model = antimony(
        "substanceOnly species A in cell, B in cell; A = 100; B = 0; k1 = 0.5; k2 = 1;"
        "J0: A -> B; k1*A - k2*B;"
    )
    times, n = [10.0], 2000
    ours = simulated(model, times, n, 1)
    found = compare(
        model.species_ids, np.array(times), ours, moments([net_rate_counts(0.5, 1.0, times, n)])
    )
    # Stationary binomial: two thirds of 100 are A.
    assert ours.deviation[0, 0] == pytest.approx(np.sqrt(100 * 2 / 9), rel=0.1)
    assert found.theirs.deviation[0, 0] < 1.0
    assert found.disagreement[1].all()
    # The means hardly differ; a comparison of means alone would need far more trajectories.
    assert np.abs(found.ours.mean - found.theirs.mean).max() < 0.5


@pytest.mark.parametrize("name", ["ion_channel", "autoregulation", "epidemic"])
def test_false_alarms_are_as_rare_as_stated(name: str) -> None:
    model, times, n, runs, error = network(name), [0.5, 1.0, 2.0, 4.0], 200, 200, 0.05
    counts = sg.simulate(model, times=times, trajectories=2 * n * runs, seed=17).counts
    sides = counts.reshape(runs, 2, n, len(times), -1)
    alarms = 0
    for ours, theirs in sides:
        found = compare(
            model.species_ids,
            np.array(times),
            moments([ours]),
            moments([theirs]),
            family_wise_error=error,
        )
        alarms += not found.agrees
    assert alarms <= stats.binom.ppf(1.0 - CHANCE, runs, error)


@pytest.mark.parametrize("name", ["ion_channel", "autoregulation", "epidemic"])
def test_false_alarms_of_all_families_are_as_rare_as_stated(name: str) -> None:
    times, n, runs, error = [0.5, 1.0, 3.0], 200, 100, 0.05
    document, counters = with_counters(normalised_sbml(lower(network(name))))
    model = sg.load(document.decode())
    found = sg.simulate(model, times=times, trajectories=2 * n * runs, seed=23)
    species = [s for s in model.species_ids if s not in counters.values()]
    states, fired = (
        np.stack([found.values(s, "counts") for s in ids], axis=2).reshape(
            runs, 2, n, len(times), -1
        )
        for ids in (species, counters.values())
    )
    pairs = chosen_pairs([frozenset()] * len(counters), len(species))
    names = Names(tuple(species), tuple(counters), np.array(times), pairs)
    alarms: Counter[str] = Counter()
    for both, firings in zip(states, fired, strict=True):
        ours, theirs = (
            Side(moments([x]), x, moments([y]), y, x) for x, y in zip(both, firings, strict=True)
        )
        families = sampled_families(ours, theirs, names, 0.5, 0.9, {})
        level = error / sum(len(family.of) for family in families)
        assert len(families) == 12
        alarms["any"] += any(family.found(level).any() for family in families)
        # Each family alone, sharing the error among its own tests.
        for family in families:
            alarms[family.name] += bool(family.found(error / len(family.of)).any())
    most = stats.binom.ppf(1.0 - CHANCE / 13, runs, error)
    assert max(alarms.values()) <= most, f"{alarms}, at most {most} of {runs}"


@pytest.mark.parametrize("name", ["ion_channel", "autoregulation", "epidemic"])
def test_false_alarms_against_an_exact_answer_are_as_rare_as_stated(name: str) -> None:
    model, times, n, runs, error = network(name), np.array([0.5, 1.0, 3.0]), 200, 100, 0.05
    exact = Fsp().solve(normalised_sbml(lower(model)), model.species_ids, times, 60.0)
    counts = sg.simulate(model, times=times, trajectories=n * runs, seed=29).counts.astype(float)
    pairs = Pairs(species=tuple(combinations(range(len(model.species_ids)), 2)))
    names = Names(model.species_ids, (), times, pairs)
    alarms = 0
    for part in counts.reshape(runs, n, len(times), -1):
        ours = Side(moments([part]), part)
        level = error / number_of_tests(ours, exact, names)
        alarms += not compare_exact(ours, exact, names, level, 0.9).agrees
    assert alarms <= stats.binom.ppf(1.0 - CHANCE, runs, error)


def test_single_statistics_alarm_as_often_as_stated() -> None:
    # Bonferroni's slack hides a bound that is too high; one test of one number has none.
    n, runs, error = 300, 4000, 0.05
    rng = np.random.default_rng(5)
    sides = rng.poisson(6.0, (2, n, runs, 1))
    found = compare(["X"], np.arange(float(runs)), *(moments([side]) for side in sides))
    level = stats.t.isf(error / 2, n - 1)
    least, most = stats.binom.ppf([CHANCE / 4, 1.0 - CHANCE / 4], runs, error)
    for statistic in (found.z, found.y):
        assert least <= (np.abs(statistic) > level).sum() <= most


def test_the_stated_detectable_bias_is_found_nine_times_in_ten() -> None:
    n, runs, mean = 2000, 400, 30.0
    rng = np.random.default_rng(8)

    def poisson(rate: float) -> Moments:
        return moments([rng.poisson(rate, (n, 1, 1))])

    stated = compare(["X"], np.ones(1), poisson(mean), poisson(mean)).detectable[0]
    assert 0.01 < stated.mean < 0.1

    def found(bias: float, excess: float) -> int:
        alarms = 0
        for _ in range(runs):
            wider = mean + (1.0 + excess) * (rng.poisson(mean, (n, 1, 1)) - mean)
            theirs = moments([wider + bias * mean])
            c = compare(["X"], np.ones(1), poisson(mean), theirs)
            alarms += int(abs((c.y if excess else c.z)[0, 0]) > c.bound)
        return alarms

    # The statement rests on estimated standard errors, hence the slack of 3 % of power.
    least, most = stats.binom.ppf([CHANCE / 4, 1.0 - CHANCE / 4], runs, 0.9)
    for bias, excess in ((stated.mean, 0.0), (0.0, stated.deviation)):
        assert least - 0.03 * runs <= found(bias, excess) <= most + 0.03 * runs
        assert found(bias / 2.0, excess / 2.0) < runs / 2
