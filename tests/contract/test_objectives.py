"""Every objective: its value, gradient, minimum and error, for one parameter set and for several.

An objective enrols by its name in `OBJECTIVES` and by a case in `objective_cases`.
"""

from __future__ import annotations

import ast

import numpy as np
import pytest
from objective_cases import CASES, TRUTH, ObjectiveCase
from scipy import stats

import sbmlgrad as sg
from sbmlgrad.fit.objectives.base import (
    OBJECTIVES,
    ExactObjective,
    Objective,
    objective_class,
    standard_error,
)
from sbmlgrad.fit.objectives.sets import row

#: Family-wise chance that a right objective fails one of the statistical tests here.
LEVEL = 1e-4
VALUES = np.array([*TRUTH.values()])
#: Away from the truth, where every gradient is large.
ASIDE = VALUES * [1.3, 0.8]

each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def test_every_objective_is_enrolled() -> None:
    assert {type(case.objective).__name__ for case in CASES} == {*OBJECTIVES}


@each
def test_is_an_objective_whose_name_is_code(case: ObjectiveCase) -> None:
    kind = type(case.objective).__name__
    assert objective_class(kind) is type(case.objective)
    assert isinstance(case.objective, Objective)
    call = ast.parse(case.name, mode="eval").body
    assert isinstance(call, ast.Call)
    settings = {k.arg: k.value for k in call.keywords if k.arg is not None}
    assert {*case.data} <= {*settings}
    plain = {id: ast.literal_eval(v) for id, v in settings.items() if id not in case.data}
    again = objective_class(kind)(**plain, **case.data)
    assert again == case.objective
    assert hash(again) == hash(case.objective)
    assert all(isinstance(word, str) for word in case.objective.check(case.problem()))


@each
def test_value_is_that_of_a_slow_computation(case: ObjectiveCase) -> None:
    (one,) = case.simulated(ASIDE, 150).values()
    assert case.loss(ASIDE, 150) == pytest.approx(case.slow(case.problem(), one, ASIDE), rel=1e-8)


@each
def test_a_batch_gives_what_single_sets_give(case: ObjectiveCase) -> None:
    both = np.stack([VALUES, ASIDE])
    simulated = case.simulated(both, 130)
    (one,) = simulated.values()
    n = one.ensemble.outcomes.shape[-1]
    single = [case.loss(values, 130, first=i * n) for i, values in enumerate(both)]
    assert case.objective.loss(case.problem(), simulated) == pytest.approx(single, rel=1e-12)
    errors = standard_error(case.objective, case.problem(), simulated)
    each = [
        standard_error(case.objective, case.problem(), case.simulated(v, 130, i * n))
        for i, v in enumerate(both)
    ]
    assert errors == pytest.approx(each, rel=1e-9)


def gradients(case: ObjectiveCase, values, trajectories: int, first: int, estimator):
    """Return loss and gradient by a tape, NumPy arrays [...] and [..., free]."""
    import tensorflow as tf

    theta = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(theta)
        simulated = case.simulated(theta, trajectories, first, estimator)
        losses = case.objective.loss(case.problem(), simulated)
        total = tf.reduce_sum(losses)
    return np.asarray(losses), np.asarray(tape.gradient(total, theta))


ESTIMATORS = (
    sg.gradients.TwoSidedAdjoint(),
    sg.gradients.FiniteDifference(parameters=tuple(TRUTH)),
)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
@each
def test_gradient_is_that_of_differences(case: ObjectiveCase, estimator) -> None:
    """Batches in pairs: the gradient, and central differences with the same random numbers."""
    if case.is_pathwise_only and not isinstance(estimator, type(ESTIMATORS[0])):
        with pytest.raises(sg.GradientError):
            gradients(case, ASIDE, 120, 0, estimator)
        return
    is_exact = isinstance(case.objective, ExactObjective)
    batches, n, step = (1 if is_exact else 10), (2 if is_exact else 240), 0.1
    found, truth = [], []
    for batch in range(batches):
        first = batch * 10_000
        loss, slope = gradients(case, ASIDE, n, first, estimator)
        assert loss == pytest.approx(case.loss(ASIDE, n, first), rel=1e-9)
        found.append(slope * ASIDE)
        truth.append(
            [
                (
                    case.loss(ASIDE * (1 + step * unit), n, first)
                    - case.loss(ASIDE * (1 - step * unit), n, first)
                )
                / (2 * step)
                for unit in np.eye(2)
            ]
        )
    difference = np.array(found) - truth
    size = np.linalg.norm(np.mean(truth, axis=0))
    if is_exact:
        # No noise: what is left is the curvature over the step.
        assert np.abs(difference).max() < 0.03 * size
        return
    error = difference.std(axis=0, ddof=1) / np.sqrt(batches)
    z = difference.mean(axis=0) / error
    assert (error < 0.15 * size).all(), f"no power: errors {error}, gradient {size}"
    most = stats.t.ppf(1 - LEVEL / 4 / len(CASES) / 2, batches - 1)
    assert (np.abs(z) < most).all(), f"z = {z} in {truth[0]}, at most {most:.1f}"


@each
def test_gradient_of_a_batch_is_that_of_single_sets(case: ObjectiveCase) -> None:
    both = np.stack([VALUES, ASIDE])
    (one,) = case.simulated(VALUES, 120).values()
    n = one.ensemble.outcomes.shape[-1]
    for estimator in ESTIMATORS[: 1 if case.is_pathwise_only else 2]:
        _, together = gradients(case, both, 120, 0, estimator)
        single = [gradients(case, v, 120, i * n, estimator)[1] for i, v in enumerate(both)]
        assert together == pytest.approx(np.array(single), rel=1e-8, abs=1e-10)


@each
def test_what_has_gradients_says_the_same_without(case: ObjectiveCase) -> None:
    """Losses with groups left out, single sets and plain arrays, of tensors as of NumPy arrays."""
    import tensorflow as tf

    both = np.stack([VALUES, ASIDE])
    for values in (VALUES, both):
        arrays = case.simulated(values, 130)
        for estimator in ESTIMATORS[: 1 if case.is_pathwise_only else 2]:
            tensors = case.simulated(tf.constant(values), 130, 0, estimator)
            expected = standard_error(case.objective, case.problem(), arrays)
            found = standard_error(case.objective, case.problem(), tensors)
            assert found == pytest.approx(expected, rel=1e-9)
            is_exact = isinstance(case.objective, ExactObjective)
            assert (np.asarray(expected) == 0.0).all() if is_exact else (expected > 0.0).all()
            for id, one in tensors.items():
                plain = one.plain().ensemble
                symbol = plain.species[-1]
                mean = plain.mean(symbol)
                assert type(mean) is np.ndarray
                assert type(plain.values(symbol)) is np.ndarray
                assert mean == pytest.approx(arrays[id].ensemble.mean(symbol), rel=1e-12)


@each
def test_a_row_of_a_batch_has_its_own_statistics(case: ObjectiveCase) -> None:
    import tensorflow as tf

    both = np.stack([VALUES, ASIDE])
    (arrays,) = case.simulated(both, 130).values()
    (tensors,) = case.simulated(tf.constant(both), 130, 0, ESTIMATORS[0]).values()
    for one in (arrays, tensors):
        for symbol in one.ensemble.species:
            mean, variance = one.ensemble.mean(symbol), one.ensemble.variance(symbol)
            for i in range(2):
                own = row(one, i).ensemble
                assert own.mean(symbol).shape == mean.shape[1:]
                assert np.asarray(own.mean(symbol)) == pytest.approx(np.asarray(mean[i]), rel=1e-12)
                assert np.asarray(own.variance(symbol)) == pytest.approx(
                    np.asarray(variance[i]), rel=1e-12
                )


@each
def test_data_from_the_truth_have_their_minimum_near_it(case: ObjectiveCase) -> None:
    """The loss of the truth is below that of values a quarter away, by three errors and more."""
    problem, n = case.problem(), 700
    truth = case.simulated(VALUES, n)
    best, error = (
        case.objective.loss(problem, truth),
        standard_error(case.objective, problem, truth),
    )
    for unit in np.eye(2):
        for factor in (0.75, 4 / 3):
            other = case.simulated(VALUES * factor**unit, n, first=10**6)
            loss = case.objective.loss(problem, other)
            noise = np.hypot(error, standard_error(case.objective, problem, other))
            assert loss - best > 3 * noise, f"{loss} against {best}, z = {(loss - best) / noise}"


@each
def test_standard_error_is_the_scatter_over_streams(case: ObjectiveCase) -> None:
    if isinstance(case.objective, ExactObjective):
        simulated = case.simulated(ASIDE, 100)
        assert standard_error(case.objective, case.problem(), simulated) == 0.0
        return
    runs = 14
    ensembles = [case.simulated(ASIDE, 300, first=run * 10_000) for run in range(runs)]
    losses = [case.objective.loss(case.problem(), e) for e in ensembles]
    said = np.mean([standard_error(case.objective, case.problem(), e) ** 2 for e in ensembles])
    ratio = float(np.var(losses, ddof=1) / said)
    tail = LEVEL / len(CASES) / 2
    low, high = stats.chi2.ppf([tail, 1 - tail], runs - 1) / (runs - 1)
    # What the jackknife says has an error of its own, mostly where there are only four groups.
    assert 0.7 * low < ratio < 1.4 * high, f"scatter over said variance {ratio}, {low} to {high}"
