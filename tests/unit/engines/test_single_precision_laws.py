"""Single precision keeps the law: rare reactions, clocks that are far on, moments."""

from __future__ import annotations

import math

import numpy as np
import pytest
from kernel_jobs import request_of
from networks import antimony, network
from scipy import stats

from sbmlgrad.engines import Native
from sbmlgrad.engines.readouts import AfterFirings, ValuesAt, WindowAverages

FLOATS = Native(kernel="lockstep", dtype="float32")

#: Firings of the test of rare reactions, and their share of all firings.
FIRINGS, RARE = 10**9, 1e-8
#: How often each of them may fire: a right engine is outside with a probability of 1e-3.
LEAST, MOST = (int(q) for q in stats.poisson(FIRINGS * RARE).ppf([5e-4, 1 - 5e-4]))

#: A rare reaction before, between and after two that fire all the time.
RARE_AMONG_MANY = """
    substanceOnly species A in cell, B in cell, C in cell, D in cell;
    substanceOnly species R in cell, S in cell, T in cell;
    A = 1; B = 0; C = 1; D = 0; R = 0; S = 0; T = 0;
    J0: => R; 1; J1: A => B; 5e7*A; J2: B => A; 5e7*B; J3: => S; 1; J4: C => D; 5e7*C;
    J5: D => C; 5e7*D; J6: => T; 1;
"""


def test_reactions_of_a_hundred_millionth_of_the_total_fire_as_often_as_they_should() -> None:
    trajectories = 128
    time = FIRINGS * RARE / trajectories
    found = FLOATS.sample(request_of(antimony(RARE_AMONG_MANY), ValuesAt([time]), trajectories))
    assert abs(found.firings.sum() - FIRINGS) < 6 * math.sqrt(FIRINGS)
    rare = found.values[:, 0, 4:].sum(axis=0)
    assert rare.shape == (3,)
    assert ((rare >= LEAST) & (rare <= MOST)).all()


@pytest.mark.parametrize("bits", [23, 24])
def test_a_choice_in_single_precision_alone_would_not_pass(bits: int) -> None:
    # All uniform numbers that there are, so that the shares are exact and not estimates.
    v = np.arange(2**bits, dtype=np.float32) * np.float32(2.0**-bits)
    sums = np.cumsum([1.0, 5e7, 0.0, 1.0, 5e7, 0.0, 1.0], dtype=np.float32)
    chosen = np.minimum(np.searchsorted(sums, v * sums[-1], side="right"), 6)
    passes = 1.0
    for reaction in (0, 3, 6):
        wrong = stats.poisson(FIRINGS * float(np.mean(chosen == reaction)))
        passes *= wrong.cdf(MOST) - wrong.cdf(LEAST - 1)
    assert passes < 1e-3


FAR = 1e6


def test_counts_of_a_process_that_has_run_for_a_million_firings_are_poisson() -> None:
    net = antimony("substanceOnly species X in cell; X = 0; rate = 1; J0: => X; rate;")
    late = np.linspace(0.9 * FAR, FAR, 1001)
    counts = FLOATS.sample(request_of(net, ValuesAt(late), 64)).values[:, :, 0]
    ends = (counts[:, -1] - FAR) / math.sqrt(FAR)
    assert np.abs(ends).max() < 4.5
    assert abs(ends.sum()) < 4 * 8
    step = (late[1] - late[0]) * np.ones((64, 1000))
    steps = np.diff(counts, axis=1)
    assert abs((steps - step).sum() / math.sqrt(step.sum())) < 4
    dispersion = ((steps - step) ** 2 / step).sum()
    assert abs(dispersion - step.size) < 4 * math.sqrt((2 + 1 / 100) * step.size)


def test_waiting_times_that_begin_far_out_are_exponential() -> None:
    net = antimony(
        "substanceOnly species A in cell, B in cell, X in cell; A = 1; B = 0; X = 0;"
        "J0: A => B; 1e-6*A; J1: B => B + X; 100*B;"
    )
    readout = AfterFirings(range(1, 66))
    clocks = FLOATS.sample(request_of(net, readout, 256)).values[:, :, -1]
    assert np.median(clocks[:, 0]) > 4e5
    assert_exponential(100.0 * np.diff(clocks, axis=1).ravel())
    # A clock of single precision has steps of 1/16 there.
    narrow = clocks.astype(np.float32).astype(np.float64)
    with pytest.raises(AssertionError):
        assert_exponential(100.0 * np.diff(narrow, axis=1).ravel())


def assert_exponential(waiting: np.ndarray) -> None:
    assert stats.kstest(waiting, "expon").pvalue > 1e-3
    assert abs(waiting.mean() - 1.0) < 4 / math.sqrt(waiting.size)


def test_moments_of_immigration_and_death_are_those_of_poisson() -> None:
    trajectories, rate, death = 100_000, 2.0, 0.4
    times = np.array([0.25, 1.0, 4.0])
    net = network("immigration_death")
    values = FLOATS.sample(request_of(net, ValuesAt(times), trajectories)).values[:, :, 0]
    mean = rate / death * (1 - np.exp(-death * times))
    z = (values.mean(axis=0) - mean) / np.sqrt(mean / trajectories)
    assert np.abs(z).max() < 4
    z = (values.var(axis=0) - mean) / np.sqrt((mean + 2 * mean**2) / trajectories)
    assert np.abs(z).max() < 4


def test_averages_over_windows_have_the_right_mean() -> None:
    trajectories, rate, death = 50_000, 2.0, 0.4
    edges = np.array([0.5, 0.75, 3.0])
    net = network("immigration_death")
    request = request_of(net, WindowAverages(edges), trajectories, seed=8)
    values = FLOATS.sample(request).values[:, :, 0]
    integral = rate / death * (edges + np.exp(-death * edges) / death)
    mean = np.diff(integral) / np.diff(edges)
    z = (values.mean(axis=0) - mean) / (values.std(axis=0) / math.sqrt(trajectories))
    assert np.abs(z).max() < 4
