"""Moments, distributions and exact likelihoods of cells: their parts, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import antimony, shipped
from objective_cases import (
    TIMES,
    ObjectiveCase,
    joint_law,
    mean_problem,
    model,
    snapshot_problem,
)
from scipy import stats

from sbmlgrad.errors import DataError, FitError, StateSpaceError
from sbmlgrad.fit.objectives.base import losses_without, objective_class
from sbmlgrad.fit.objectives.distribution import Distribution
from sbmlgrad.fit.objectives.moments import Moments, statistic
from sbmlgrad.fit.objectives.state_space import StateSpaceLikelihood
from sbmlgrad.fit.problems.plain import count_of, plain_problem
from sbmlgrad.model.expression import Number, Symbol, multiply
from sbmlgrad.model.problem import Experiment, Period, ProblemParameter
from sbmlgrad.model.snapshots import Snapshots

TRUE = np.array([8.0, 0.4])


def test_sampling_errors_are_the_scatter_of_moments() -> None:
    """Skewed and correlated cells; 4000 samples of 40, z of the mean said variance."""
    rng = np.random.default_rng(1)
    shared = rng.gamma(2.0, 3.0, (4000, 40, 1))
    cells = shared + rng.gamma(1.0, 2.0, (4000, 40, 2))
    found = {
        "mean": [statistic(one[:, :1]) for one in cells],
        "variance": [statistic(one[:, [0, 0]]) for one in cells],
        "covariance": [statistic(one) for one in cells],
    }
    for what, pairs in found.items():
        values, errors = np.array(pairs).T
        scatter = values.var(ddof=1)
        kurtosis = float(stats.kurtosis(values, fisher=False))
        noise = np.hypot(
            scatter * np.sqrt((kurtosis - 1) / 4000), (errors**2).std() / np.sqrt(4000)
        )
        # Plugging estimated moments in errs by order 1/n: 6/n allowed, here 15 %.
        off = abs((errors**2).mean() - scatter) - 0.15 * scatter
        assert off < 4 * noise, f"{what}: z = {off / noise}"


def test_statistics_without_an_error_are_left_out_and_said() -> None:
    counts = np.concatenate([np.full((20, 1), 20), np.arange(20)[:, None]])
    data = Snapshots(("X",), np.repeat([0.0, 1.0], 20), counts)
    problem, _ = plain_problem(model(), data, ["a"])
    words = Moments().check(problem)
    assert sum("at time 0 is left out: all values are equal" in word for word in words) == 2
    few, _ = plain_problem(model(), Snapshots(("X",), np.array([1.0]), np.array([[3]])), ["a"])
    with pytest.raises(FitError, match="at least 2 are needed"):
        Moments().check(few)


@pytest.mark.parametrize("kind", ["energy", "mmd"])
def test_groups_left_out_fast_are_those_left_out_one_by_one(kind: str) -> None:
    """Joint distances of two species, a batch of two sets, groups of unequal sizes."""
    objective = Distribution(kind, bandwidth=0.8)
    case = ObjectiveCase(objective, lambda: snapshot_problem(cells=30), lambda *_: 0.0)
    simulated = case.simulated(np.stack([TRUE, TRUE * 1.2]), 67)
    group = {"": np.arange(67) % 9}
    fast = objective.losses_without(case.problem(), simulated, group)
    slow = losses_without(objective, case.problem(), simulated, group)
    assert fast.shape == (9, 2)
    assert fast == pytest.approx(slow, rel=1e-10, abs=1e-12)


def test_the_unit_of_a_constant_observable_is_said() -> None:
    data = Snapshots(("X",), np.repeat([1.0, 2.0], 5), np.full((10, 1), 7))
    problem, _ = plain_problem(model(), data, ["a"])
    assert any("its unit is one molecule" in word for word in Distribution().check(problem))
    lonely = Snapshots(("X",), np.array([1.0, 2.0, 2.0]), np.array([[1], [2], [3]]))
    problem, _ = plain_problem(model(), lonely, ["a"])
    with pytest.raises(FitError, match="a single cell at time 1"):
        Distribution().check(problem)


def test_missed_molecules_are_those_of_a_thinned_law() -> None:
    """Binomial thinning of Poisson and binomial numbers, against the law thinned by hand."""
    problem = snapshot_problem()
    data = problem.snapshots
    assert data is not None
    rng = np.random.default_rng(2)
    seen = replace(data, counts=rng.binomial(data.counts, [0.7, 1.0]))
    objective = StateSpaceLikelihood(detection={"X": 0.7})
    found = objective.log_likelihood(replace(problem, snapshots=seen), TRUE)
    expected = 0.0
    for time in TIMES:
        law = joint_law(time, {"a": 8.0, "c": 0.4}, (90, 90))
        x = np.arange(91)
        thin = stats.binom.pmf(x[:, None], x[None, :], 0.7)
        thinned = thin @ law
        cells = seen.counts[seen.time == time]
        expected += float(np.log(thinned[cells[:, 0], cells[:, 1]]).sum())
    assert found == pytest.approx(expected, rel=1e-6)


def test_gradients_of_all_observation_models_are_exact() -> None:
    problem = snapshot_problem(cells=40)
    for objective in (
        StateSpaceLikelihood(),
        StateSpaceLikelihood(detection=0.6),
        StateSpaceLikelihood(background=0.02),
    ):
        _, slope = objective.exact_loss_and_gradient(problem, TRUE * 1.1)
        for i, step in enumerate(np.diag(1e-4 * TRUE)):
            ends = [
                objective.exact_loss_and_gradient(problem, TRUE * 1.1 + s * step)[0]
                for s in (1, -1)
            ]
            assert slope[i] == pytest.approx((ends[0] - ends[1]) / (2 * step[i]), rel=1e-4)


def test_an_unseen_species_is_summed_over() -> None:
    problem = snapshot_problem()
    data = problem.snapshots
    assert data is not None
    only = replace(data, species=("Y",), counts=data.counts[:, 1:])
    found = StateSpaceLikelihood().log_likelihood(replace(problem, snapshots=only), TRUE)
    laws = [joint_law(t, {"a": 8.0, "c": 0.4}, (90, 90)).sum(axis=0) for t in TIMES]
    cells = [only.counts[only.time == t][:, 0] for t in TIMES]
    expected = sum(float(np.log(p[c]).sum()) for p, c in zip(laws, cells, strict=True))
    assert found == pytest.approx(expected, rel=1e-6)


def test_impossible_cells_are_an_error_or_background() -> None:
    data = Snapshots(("X",), np.array([1.0, 1.0, 1.0]), np.array([[20], [21], [400]]))
    problem, _ = plain_problem(model(), data, ["a", "c"])
    with pytest.raises(StateSpaceError, match=r"cell with \{'X': 400\} at time 1 .*a = 8, c = 0.4"):
        StateSpaceLikelihood().exact_loss_and_gradient(problem, TRUE)
    objective = StateSpaceLikelihood(background=0.01)
    assert "0.01 of the cells" in " ".join(objective.check(problem))
    loss, slope = objective.exact_loss_and_gradient(problem, TRUE)
    law = joint_law(1.0, {"a": 8.0, "c": 0.4}, (90, 90)).sum(axis=1)
    p = [0.99 * law[20] + 0.01 / 401, 0.99 * law[21] + 0.01 / 401, 0.01 / 401]
    assert loss == pytest.approx(2 * np.mean(np.log(1 / 3) - np.log(p)), rel=1e-6)
    assert np.isfinite(slope).all()


def test_counts_are_molecules_whatever_symbols_mean() -> None:
    """A species that means a concentration, in a compartment of size 4."""
    text = "compartment tube = 4; species S in tube; S = 5; k = 0.5; J: S => ; k*S*tube;"
    network = antimony(text)
    assert count_of(network, "S") != Symbol("S")
    data = Snapshots(("S",), np.repeat(1.0, 3), np.array([[11], [12], [13]]))
    problem, _ = plain_problem(network, data, ["k"])
    p = stats.binom.pmf([11, 12, 13], 20, np.exp(-0.5))
    found = StateSpaceLikelihood().log_likelihood(problem, np.array([0.5]))
    assert found == pytest.approx(float(np.log(p).sum()))
    halves = [replace(o, formula=Symbol("S")) for o in problem.observables]
    wrong = replace(problem, observables=tuple(halves))
    with pytest.raises(FitError, match=r"observable 'S' is \d+\.[257]+ in state"):
        StateSpaceLikelihood().log_likelihood(wrong, np.array([0.5]))


def test_a_free_parameter_outside_the_network_has_no_slope_in_exact_counts() -> None:
    problem = snapshot_problem(cells=20)
    scale = ProblemParameter("scale", 2.0, 0.1, 10.0)
    more = replace(problem, parameters=(scale, *problem.parameters))
    loss, slope = StateSpaceLikelihood().exact_loss_and_gradient(more, np.array([2.0, *TRUE]))
    expected = StateSpaceLikelihood().exact_loss_and_gradient(problem, TRUE)
    assert (loss, slope[0], *slope[1:]) == pytest.approx((expected[0], 0.0, *expected[1]))
    used = [replace(o, formula=multiply(Symbol("scale"), o.formula)) for o in more.observables]
    for objective in (StateSpaceLikelihood(), Distribution()):
        with pytest.raises(FitError, match="the formula of 'X' uses scale"):
            objective.check(replace(more, observables=tuple(used)))


@pytest.mark.parametrize("name", ["Distribution", "StateSpaceLikelihood"])
def test_objectives_of_distributions_need_snapshots(name: str) -> None:
    with pytest.raises(FitError, match="no snapshots of single cells"):
        objective_class(name)().check(mean_problem())


def test_columns_of_snapshots_are_bound_like_those_of_a_sheet() -> None:
    network = shipped("telegraph")
    counts = np.array([[9, 2], [9, 4], [9, 6]])
    data = Snapshots(("marker", "mRNA"), np.array([1.0, 2.0, 2.0]), counts, source_name="cells.csv")
    problem, words = plain_problem(network, data, ["k_on"], mapping={"marker": None})
    assert problem.snapshots is not None
    assert problem.snapshots.species == ("M",)
    assert problem.snapshots.counts[:, 0].tolist() == [2, 4, 6]
    assert problem.name == problem.measurements.source_name == "cells.csv"
    assert not words
    with pytest.raises(DataError, match="matches no SBML id"):
        plain_problem(network, data, ["k_on"])
    two = replace(data, condition=("a", "b", "b"))
    with pytest.raises(FitError, match="2 conditions"):
        plain_problem(network, two, ["k_on"], mapping={"marker": None})


def test_cells_under_several_conditions_are_fitted_one_at_a_time() -> None:
    model = antimony("A=5; k=1; d=0.2; -> A; k; A -> ; d*A")
    cells = Snapshots(("A",), np.array([1.0, 1.0]), np.array([[3], [4]]), ("low", "high"))
    with pytest.raises(FitError, match=r"2 conditions \('high', 'low'\).*cells\.of\('low'\)"):
        plain_problem(model, cells)
    problem, _ = plain_problem(model, cells.of("low"))
    assert [e.id for e in problem.experiments] == ["low"]
    assert problem.snapshots is not None
    assert problem.snapshots.counts.tolist() == [[3]]
    # The other advice.
    both = replace(
        problem,
        snapshots=cells,
        experiments=(*problem.experiments, Experiment("high", (Period(0.0, {"k": Number(2.0)}),))),
    )
    assert both.snapshots == cells


def test_a_problem_checks_its_snapshots() -> None:
    problem = snapshot_problem()
    data = problem.snapshots
    assert data is not None
    with pytest.raises(FitError, match="snapshots of 'Z', which is no observable"):
        replace(problem, snapshots=replace(data, species=("X", "Z")))
    with pytest.raises(FitError, match="snapshots under condition 'salt', which is no experiment"):
        replace(problem, snapshots=replace(data, condition=("salt",) * len(data)))
