"""Objectives of single-cell time courses: noise, segments, covariances, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import antimony
from numpy.typing import NDArray
from objective_cases import (
    LAW,
    TIMES,
    ObjectiveCase,
    course_problem,
    model,
)
from scipy import stats

import sbmlgrad as sg
from sbmlgrad.errors import FitError, StatisticsError
from sbmlgrad.fit.objectives.distribution import Distribution
from sbmlgrad.fit.objectives.moments import Moments
from sbmlgrad.fit.objectives.rates_of_change import RateOfChange
from sbmlgrad.fit.objectives.scatter import adds_noise
from sbmlgrad.fit.objectives.segments import segments_of
from sbmlgrad.fit.objectives.state_space import StateSpaceLikelihood
from sbmlgrad.fit.objectives.synthetic import SyntheticLikelihood
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.model.expression import Symbol, add, multiply
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.problem import ProblemParameter
from sbmlgrad.model.snapshots import Snapshots

TRUE = np.array([8.0, 0.4])


def course(values: dict[float, float]) -> Measurements:
    """Return X of one cell over time."""
    n = len(values)
    times, counts = np.array(list(values)), np.array(list(values.values()))
    return Measurements(("X",), times, np.zeros(n, dtype=np.int64), counts, ("",) * n, ("",) * n)


def of_rows(m: Measurements, rows: NDArray[np.intp]) -> Measurements:
    """Return some of the measurements."""
    return replace(
        m,
        time=m.time[rows],
        observable_index=m.observable_index[rows],
        value=m.value[rows],
        replicate=tuple(m.replicate[i] for i in rows),
        condition=tuple(m.condition[i] for i in rows),
    )


def test_noise_of_a_plain_sheet_is_not_added_again() -> None:
    assert adds_noise(course_problem(), None)[0] is False
    assert adds_noise(course_problem(), True)[0] is True
    noisy = course_problem(noise=1.5)
    assert adds_noise(noisy, None)[0] is True
    observables = [replace(o, noise=Noise("log-normal")) for o in noisy.observables]
    other = replace(noisy, observables=tuple(observables))
    for objective in (Moments(), SyntheticLikelihood()):
        with pytest.raises(FitError, match="log-normal noise does not simply add"):
            objective.check(other)


def test_added_noise_is_that_of_noisy_replicates() -> None:
    """Variances with noise against variances of trajectories plus it."""
    noisy = course_problem(cells=300, noise=6.0)
    losses = {}
    for adds in (True, False):
        case = ObjectiveCase(Moments(measurement_noise=adds), lambda: noisy, lambda *_: 0.0)
        losses[adds] = float(case.loss(TRUE, 4000))
    # 12 statistics of expectation 1 at the truth.
    assert losses[True] < stats.chi2.ppf(1 - 1e-4, 12) / 12
    assert losses[False] > 10 * losses[True]


def test_models_with_a_clock_have_no_state_space_and_no_segments() -> None:
    network = antimony("substanceOnly species X in cell; X = 3; k = 1; J: X => ; k*X/(1 + time);")
    data = Snapshots(("X",), np.array([1.0, 1.0]), np.array([[1], [2]]))
    problem, _ = plain_problem(network, data, ["k"])
    with pytest.raises(FitError, match="laws of time"):
        StateSpaceLikelihood().check(problem)
    with pytest.raises(FitError, match="has a clock"):
        RateOfChange().check(plain_problem(network, course({0.0: 3.0, 1.0: 1.0}), ["k"])[0])


def test_changes_want_something_that_changes_and_paths_that_see_it() -> None:
    text = "substanceOnly species X in cell; X = 3; k = 1; J: X => ; {law};"
    smooth = antimony(text.format(law="k*X*(X >= 1)"))
    still, moving = course({0.0: 3.0, 1.0: 3.0}), course({0.0: 3.0, 1.0: 1.0})
    with pytest.raises(FitError, match="X never changes from one measurement to the next"):
        RateOfChange().check(plain_problem(smooth, still, ["k"])[0])
    jumping = antimony(text.format(law="piecewise(k*X, X >= 2, 0)"))
    with pytest.raises(FitError, match=r"the law of 'J' jumps .* no path sees"):
        sg.fit(jumping, moving, ["k"], objective=RateOfChange(), trajectories=64, epochs=1, seed=1)


def test_segments_are_neighbouring_whole_states() -> None:
    problem = course_problem(cells=4)
    m = problem.measurements
    # Y of the first cell was missed at the second time, so that cell gives one long segment.
    kept = ~((np.array(m.replicate) == "000") & (m.observable_index == 1) & (m.time == TIMES[1]))
    rows = np.flatnonzero(kept)
    missed = of_rows(m, rows)
    found = segments_of(replace(problem, measurements=missed), None, None)
    own = found.of[""]
    assert own.windows == (1.0, 1.5, 2.5)
    assert np.bincount(own.window).tolist() == [3, 3, 1]
    assert segments_of(replace(problem, measurements=missed), 1.5, None).total == 6
    assert segments_of(problem, None, 5).total == 5


def test_incomplete_or_fractional_states_cannot_be_started_from() -> None:
    only = course({0.0: 20.0, 1.0: 18.0})
    with pytest.raises(FitError, match="Y was not measured"):
        RateOfChange().check(plain_problem(model(), only, ["a"])[0])
    with pytest.raises(FitError, match="molecules, and a simulation starts from whole numbers"):
        RateOfChange().check(course_problem(noise=1.5))


def test_seed_and_split_of_started_trajectories() -> None:
    """Started trajectories are those of their numbers, whatever the ensemble."""
    case = ObjectiveCase(RateOfChange(most_starts=5), course_problem, lambda *_: 0.0)
    (whole,) = case.simulated(TRUE, 40).values()
    (later,) = case.simulated(TRUE, 20, first=20).values()
    assert (whole.ensemble.counts[20:] == later.ensemble.counts).all()


def test_a_singular_covariance_is_refused() -> None:
    case = ObjectiveCase(SyntheticLikelihood(), course_problem, lambda *_: 0.0)
    with pytest.raises(StatisticsError, match="7 trajectories for 6 values"):
        case.loss(TRUE, 7)
    shrunk = ObjectiveCase(SyntheticLikelihood(shrinkage=0.2), course_problem, lambda *_: 0.0)
    assert np.isfinite(shrunk.loss(TRUE, 7))
    m = course_problem().measurements
    start = replace(m, time=np.where(m.time == TIMES[0], 0.0, m.time))
    problem = replace(course_problem(), measurements=start)
    with pytest.raises(FitError, match="'X' at time 0 is the same in all trajectories"):
        ObjectiveCase(SyntheticLikelihood(), lambda: problem, lambda *_: 0.0).loss(TRUE, 50)


@pytest.mark.parametrize(
    "objective", [Moments(), SyntheticLikelihood(), SyntheticLikelihood(shrinkage=0.3)], ids=str
)
def test_scale_and_noise_of_observables_have_exact_gradients(objective) -> None:
    """Trajectories do not follow them, so differences over the same trajectories have no noise."""
    import tensorflow as tf

    problem = course_problem(noise=1.5)
    more = (ProblemParameter("scale", 1.0, 0.1, 10.0), ProblemParameter("sd", 1.0, 0.1, 10.0))
    observables = [
        replace(
            o,
            formula=add(multiply(Symbol("scale"), o.formula), multiply(o.formula, o.formula)),
            noise=Noise("normal", multiply(Symbol("sd"), Symbol("scale"))),
        )
        for o in problem.observables
    ]
    parameters = (*more, *problem.parameters)
    whole = replace(problem, parameters=parameters, observables=tuple(observables))
    case = ObjectiveCase(objective, lambda: whole, lambda *_: 0.0)
    values = np.array([1.3, 0.8, *TRUE])
    for estimator in (sg.gradients.TwoSidedAdjoint(), sg.gradients.ScoreFunction()):
        theta = tf.constant(values)
        with tf.GradientTape() as tape:
            tape.watch(theta)
            loss = objective.loss(whole, case.simulated(theta, 80, 0, estimator))
        slope = np.asarray(tape.gradient(loss, theta))
        for i in range(2):
            step = 1e-5 * np.eye(4)[i]
            ends = [case.loss(values + s * step, 80) for s in (1, -1)]
            assert slope[i] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


def test_cells_need_not_all_be_measured_at_the_same_times() -> None:
    """Two patterns; the density of each cell is that of what was measured."""
    whole = course_problem(cells=10, noise=1.5)
    m = whole.measurements
    rows = np.flatnonzero(~((np.array(m.replicate) < "004") & (m.time == TIMES[2])))
    some = of_rows(m, rows)
    problem = replace(whole, measurements=some)
    case = ObjectiveCase(SyntheticLikelihood(), lambda: problem, lambda *_: 0.0)
    (one,) = case.simulated(TRUE, 300).values()
    vectors = np.concatenate([one.ensemble.values("X"), one.ensemble.values("Y")], axis=1)
    mean, covariance = vectors.mean(axis=0), np.cov(vectors.T) + 1.5**2 * np.eye(6)
    total = 0.0
    for cell in sorted(set(some.replicate)):
        own = np.array(some.replicate) == cell
        place = some.observable_index[own] * 3 + np.searchsorted(TIMES, some.time[own])
        square = covariance[np.ix_(place, place)]
        total -= 2.0 * float(LAW.logpdf(some.value[own], mean[place], square))
    assert case.loss(TRUE, 300) == pytest.approx(total / len(some), rel=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Distribution("chi-square"), "choose one of energy"),
        (lambda: Distribution("mmd", bandwidth=0.0), "positive number"),
        (lambda: StateSpaceLikelihood(detection=1.2), "at most 1"),
        (lambda: StateSpaceLikelihood(background=1.0), "below 1"),
        (lambda: SyntheticLikelihood(shrinkage=1.0), "below 1"),
        (lambda: RateOfChange(window=-1.0), "positive time"),
    ],
)
def test_settings_outside_their_range_are_refused(make, message: str) -> None:
    with pytest.raises(FitError, match=message):
        make()
