"""Bootstrap: its spread is that of Fisher information; cells and replicates stay whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import network

import sbmlgrad as sg
from sbmlgrad.errors import FitError
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.fit.uncertainty import bootstrap as module
from sbmlgrad.fit.uncertainty.bootstrap import bootstrap
from sbmlgrad.fit.uncertainty.expected_information import gather
from sbmlgrad.fit.uncertainty.fisher import fisher
from sbmlgrad.fit.uncertainty.fitted import Fitted, with_measurements
from sbmlgrad.fit.uncertainty.refits import RefitOutcome
from sbmlgrad.fit.uncertainty.scoring import AVERAGED_STEPS
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.snapshots import Snapshots

ALPHA, MU = 2.0, 0.4
TIMES = np.arange(1, 13) * 0.6


def mean(times):
    return ALPHA / MU * (1.0 - np.exp(-MU * times))


def fitted(seed: int = 3, sd: float = 0.2) -> Fitted:
    """Return a fit of two parameters at the truth, on one thread."""
    value = mean(TIMES) + sd * np.random.default_rng(seed).normal(size=TIMES.size)
    blank = ("",) * TIMES.size
    index = np.zeros(TIMES.size, dtype=np.int64)
    data = Measurements(("X",), TIMES, index, value, blank, blank)
    problem, _ = plain_problem(network("immigration_death"), data, ["alpha", "mu"])
    return Fitted(
        problem,
        search_space(problem),
        np.array([ALPHA, MU]),
        MeanTrajectory(),
        sg.gradients.TwoSidedAdjoint(),
        sg.engines.Native(threads=1, kernel="table"),
        11,
    )


def test_spread_of_refits_is_that_of_the_noise() -> None:
    """The closed form, and the noise of the refits themselves, within four standard errors.

    The logarithm of a standard deviation of n values has the standard error 1 / sqrt(2 (n - 1)).
    """
    own, n = fitted(), 40
    seen: list[tuple[int, int]] = []
    found = bootstrap(own, 0.9, n, 400, progress=lambda *a: seen.append(a))
    assert seen[-1] == (n, n)
    fall = np.exp(-MU * TIMES)
    slopes = np.stack([mean(TIMES), ALPHA / MU * (MU * TIMES * fall - (1.0 - fall))], axis=1)
    rest = own.problem.measurements.value - mean(TIMES)
    variance = (rest**2).sum() / (TIMES.size - 2)
    bread = np.linalg.inv(slopes.T @ slopes)
    scatter = mean(np.minimum(TIMES[:, None], TIMES)) * np.exp(-MU * np.abs(TIMES[:, None] - TIMES))
    # Averaged steps of 400 trajectories.
    simulation = bread @ slopes.T @ scatter @ slopes @ bread / (400 * AVERAGED_STEPS)
    expected = np.sqrt(np.diag(bread * variance + simulation))
    z = np.log(np.sqrt(np.diag(found.covariance)) / expected) * np.sqrt(2.0 * (n - 1))
    assert (np.abs(z) < 4.0).all(), f"z = {z}"
    assert (found.lower < own.values).all()
    assert (found.upper > own.values).all()
    assert found.details["samples"].shape == (n, 2)
    assert found.estimates["mu"].central is None
    assert any("residuals" in flag for flag in found.flags)
    again = bootstrap(own, 0.9, 10, 400)
    np.testing.assert_array_equal(again.details["samples"], found.details["samples"][:10])


def test_counts_that_are_zero_at_the_start_say_nothing() -> None:
    """Poisson noise around a mean of exactly zero at time 0: the others tell the information."""
    own = fitted()
    m = own.problem.measurements
    blank = ("",) * (m.time.size + 1)
    data = Measurements(
        ("X",),
        np.append(0.0, m.time),
        np.zeros(m.time.size + 1, dtype=np.int64),
        np.append(0.0, np.rint(mean(TIMES))),
        blank,
        blank,
    )
    observables = tuple(
        replace(o, noise=replace(o.noise, distribution="poisson")) for o in own.problem.observables
    )
    own = replace(own, problem=replace(own.problem, measurements=data, observables=observables))
    found = gather(own, 300, 0.1)
    fall = np.exp(-MU * TIMES)
    slopes = np.stack([mean(TIMES), ALPHA / MU * (MU * TIMES * fall - (1.0 - fall))], axis=1)
    exact = np.linalg.inv(slopes.T @ (slopes / mean(TIMES)[:, None]))
    np.testing.assert_allclose(
        np.sqrt(np.diag(found.covariance)), np.sqrt(np.diag(exact)), rtol=0.4
    )
    assert (found.relative_error < 0.1).all()
    assert np.isfinite(found.shift).all()


def test_replicates_and_cells_are_resampled_whole() -> None:
    time = np.tile([1.0, 2.0, 4.0], 5)
    cell = np.repeat(np.arange(5), 3)
    value = 10.0 * cell + time
    data = Measurements(
        ("X",),
        time,
        np.zeros(15, dtype=np.int64),
        value,
        tuple(map(str, cell.tolist())),
        ("",) * 15,
    )
    problem, _ = plain_problem(network("immigration_death"), data, ["alpha"])
    cells = Snapshots(("X",), np.repeat([1.0, 2.0], 6), np.arange(12)[:, None])
    drawn = module._resampled(replace(problem, snapshots=cells), np.random.default_rng(1))
    m = drawn.measurements
    source = (m.value - m.time) / 10.0
    for label in set(m.replicate):
        own = source[[r == label for r in m.replicate]]
        assert np.ptp(own) == 0.0
        assert own[0] in range(5)
    assert len(set(source.tolist())) < 5
    assert drawn.snapshots is not None
    early, late = drawn.snapshots.at(1.0), drawn.snapshots.at(2.0)
    assert early.max() < 6 <= late.min()
    assert len(early) == len(late) == 6
    gone = replace(
        data,
        **{k: getattr(data, k)[:-1] for k in ("time", "value", "observable_index")},
        replicate=data.replicate[:-1],
        condition=data.condition[:-1],
    )
    incomplete = replace(problem, measurements=gone)
    with pytest.raises(FitError, match="cannot be resampled as a whole"):
        list(map(module._resampled, [incomplete] * 20, map(np.random.default_rng, range(20))))


def test_refits_that_fail_are_left_out_or_refused() -> None:
    fine, broken = RefitOutcome(np.zeros(2)), RefitOutcome(np.full(2, np.nan), "it broke")
    assert module._successful([fine] * 9 + [broken]).shape == (9, 2)
    with pytest.raises(FitError, match=r"2 of 10 refits failed.*it broke"):
        module._successful([fine] * 8 + [broken] * 2)
    assert "1 of 10" in module._flags([fine] * 9 + [broken], "words")[1]
    with pytest.raises(sg.RequestError, match="repeats=5"):
        bootstrap(fitted(), repeats=5)


def test_values_that_noise_cannot_give_are_refused() -> None:
    own = fitted()
    observables = tuple(
        replace(o, noise=replace(o.noise, distribution="log-normal"))
        for o in own.problem.observables
    )
    with pytest.raises(FitError, match="log-normal noise cannot give"):
        with_measurements(replace(own.problem, observables=observables), -np.ones(TIMES.size))


def test_other_objectives_are_sent_elsewhere() -> None:
    own = replace(fitted(), objective=_Distance())
    with pytest.raises(FitError, match='method="bootstrap"'):
        fisher(own)


class _Distance:
    """An objective that is no likelihood."""

    name = "Distance()"


def test_what_cannot_be_resampled_is_refused() -> None:
    """One record, drawn again, is the same record: its refits would differ by simulation alone."""
    one = Measurements(
        ("X",),
        np.array([1.0, 2.0]),
        np.zeros(2, dtype=np.int64),
        np.array([3.0, 4.0]),
        ("a", "a"),
        ("",) * 2,
    )
    problem, _ = plain_problem(network("immigration_death"), one, ["alpha"])
    with pytest.raises(FitError, match="the record holds one cell or replicate alone"):
        module._fewest(problem)
    alone = Snapshots(("X",), np.array([1.0, 1.0, 2.0]), np.arange(3)[:, None])
    two = replace(problem, measurements=replace(one, replicate=("a", "b")))
    with pytest.raises(FitError, match="time 2 holds one cell"):
        module._fewest(replace(two, snapshots=alone))
    assert module._fewest(two) == 2
