"""`check_gradient`: planted faults are found, references, refusals, words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from expectation_gradients import poisson_at_most, poisson_mean, slopes
from networks import antimony, network
from scipy import stats

import sbmlgrad as sg
from sbmlgrad.engines.readouts import WindowAverages
from sbmlgrad.gradients import (
    Adjoint,
    CoupledDifference,
    FittedValue,
    TwoSidedAdjoint,
)
from sbmlgrad.gradients.check import task
from sbmlgrad.gradients.check.measurement import Gradients, Measured, joint_z
from sbmlgrad.gradients.check.recommendation import ranked
from sbmlgrad.gradients.check.run import check_gradient

TABLE = sg.engines.Native(kernel="table")
IMMIGRATION = "immigration_death"


@dataclass(frozen=True)
class Scaled:
    """A planted fault: gradients of another estimator, times a factor."""

    factor: float

    @property
    def name(self) -> str:
        return f"Scaled({self.factor})"

    @property
    def readouts(self) -> frozenset[type]:
        return TwoSidedAdjoint().readouts

    def pull_back(self, engine, request, cotangent):
        return self.factor * TwoSidedAdjoint().pull_back(engine, request, cotangent)


def check(name: str, estimators, *, times=(1.0, 2.0), trajectories=2000, **options):
    return check_gradient(
        network(name),
        times=times,
        estimators=estimators,
        trajectories=trajectories,
        seed=1,
        engine=TABLE,
        **options,
    )


@dataclass(frozen=True)
class Watched(TwoSidedAdjoint):
    """Keeps by which kernels it was asked to walk back."""

    kernels: list[str] = field(default_factory=list)

    def pull_back(self, engine, request, cotangent):
        self.kernels.append(engine.kernel)
        return super().pull_back(engine, request, cotangent)


@pytest.mark.parametrize(("pays", "kernel"), [(False, "auto"), (True, "lockstep")])
def test_all_batches_together_decide_on_the_kernel(pays, kernel, monkeypatch) -> None:
    """Twenty batches of a hundred are a job of two thousand trajectories, and judged as one."""
    judged = []

    def judge(_engine, request):
        judged.append(request.trajectories)
        return pays

    monkeypatch.setattr(task, "pays_lockstep", judge)
    watched = Watched()
    check_gradient(network(IMMIGRATION), times=[1.0], estimators=[watched], trajectories=2000)
    assert judged == [2000]
    assert set(watched.kernels) == {kernel}


# --- the truth ------------------------------------------------------------------------------------


def test_exact_reference_is_in_logarithms_of_parameters() -> None:
    model = network(IMMIGRATION)
    found = check(IMMIGRATION, [TwoSidedAdjoint()], trajectories=40)
    values = np.array(model.parameter_values)
    for target, time in enumerate((1.0, 2.0)):
        exact = slopes(lambda a, mu, time=time: poisson_mean(a, mu, time)) * values
        np.testing.assert_allclose(found.reference.value[target], exact, rtol=1e-6)
    assert found.targets == ("X at 1", "X at 2")
    assert found.is_logarithmic == (True, True)
    # A Poisson number has variance equal to its mean.
    spread = check(IMMIGRATION, [TwoSidedAdjoint()], trajectories=40, statistic="variance")
    np.testing.assert_allclose(spread.reference.value, found.reference.value, rtol=1e-6)


def test_exact_reference_of_a_probability() -> None:
    found = check(
        IMMIGRATION,
        [CoupledDifference()],
        trajectories=40,
        times=[1.0],
        statistic=("probability", None, 1),
    )
    values = np.array(network(IMMIGRATION).parameter_values)
    exact = slopes(lambda a, mu: poisson_at_most(a, mu, 1.0, 1)) * values
    np.testing.assert_allclose(found.reference.value[0], exact, rtol=1e-6)


def test_estimated_reference_agrees_with_the_exact_one_to_its_error() -> None:
    options = {"times": [1.0], "of": "C", "trajectories": 2000}
    exact = check("small_dimer", [TwoSidedAdjoint()], **options).reference
    found = check("small_dimer", [TwoSidedAdjoint()], largest_state_space=3, **options).reference
    assert exact.is_exact
    assert not found.is_exact
    assert "states" in found.why_not_exact
    assert "CoupledDifference" in found.words
    # Two normal numbers: 4.5 standard errors are exceeded with p < 0.0001.
    assert (np.abs(found.value - exact.value) <= 4.5 * found.standard_error).all()
    assert found.error < 0.1


def test_parameters_given_are_those_of_the_reference() -> None:
    doubled = network(IMMIGRATION).with_parameters({"alpha": 4.0})
    found = check_gradient(
        network(IMMIGRATION),
        parameters={"alpha": 4.0},
        times=[1.0],
        estimators=[TwoSidedAdjoint()],
        trajectories=40,
        seed=1,
    )
    other = check_gradient(
        doubled, times=[1.0], estimators=[TwoSidedAdjoint()], trajectories=40, seed=1
    )
    np.testing.assert_array_equal(found.reference.value, other.reference.value)
    own = [check.rows[0].gradients.mean for check in (found, other)]
    np.testing.assert_array_equal(*own)


# --- planted faults -------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"largest_state_space": 3}])
def test_a_planted_fault_is_found_and_not_recommended(options) -> None:
    """5 % too large is found against the exact truth and against an estimate of it."""
    found = check(
        "small_dimer",
        [Scaled(1.05), TwoSidedAdjoint()],
        times=[1.0],
        of="C",
        trajectories=10_000 if options else 4000,
        **options,
    )
    wrong, right = found.rows
    assert wrong.is_resolved
    assert wrong.z > 3.0
    # The error of the reference counts: as much as is left must be the planted 5 %.
    assert abs(wrong.bias - 0.05) < 3.0 * wrong.bias_error
    assert not right.is_resolved
    assert found.recommended == TwoSidedAdjoint()
    assert found.recommendation.startswith("Use TwoSidedAdjoint()")


def test_a_planted_fault_of_an_unbiased_estimator_is_found() -> None:
    @dataclass(frozen=True)
    class Late(CoupledDifference):
        """A fault in one number only: derivatives in the second input are lost."""

        def pull_back_expectation(self, engine, request, functional):
            found = super().pull_back_expectation(engine, request, functional)
            found[1] = 0.0
            return found

    found = check("small_dimer", [Late(), CoupledDifference()], times=[1.0], of="C")
    assert found.rows[0].z > 3.0 > found.rows[1].z
    assert found.recommended == CoupledDifference()


def test_the_z_score_has_its_law() -> None:
    """Correlated entries of unequal size without bias: |z| of a standard normal number."""
    rng = np.random.default_rng(3)
    mixing = rng.normal(size=(6, 6)) * np.array([3.0, 1.0, 1.0, 0.3, 0.1, 0.1])
    found, both = [], []
    for _ in range(2000):
        first, second = (
            Gradients((rng.normal(size=(20, 6)) @ mixing.T)[:, None], 1, 0.0) for _ in range(2)
        )
        found.append(joint_z(first.mean.ravel(), [first.centred], 0.0)[0])
        difference = (first.mean - second.mean).ravel()
        both.append(joint_z(difference, [first.centred, second.centred], 0.0)[0])
    for scores in (found, both):
        # Shares of 2,000 draws with p = 0.317 and 0.0455, to five standard errors.
        assert abs(np.mean(np.array(scores) > 1.0) - 0.317) < 0.052
        assert abs(np.mean(np.array(scores) > 2.0) - 0.0455) < 0.023


def test_z_of_one_number_is_that_of_student() -> None:
    sample = Gradients(np.array([1.0, 2.0, 4.0, 7.0])[:, None, None], 1, 0.0)
    z, entries = joint_z(sample.mean.ravel(), [sample.centred], 0.0)
    chance = stats.ttest_1samp([1.0, 2.0, 4.0, 7.0], 0.0).pvalue
    assert entries == pytest.approx(1.0)
    assert z == pytest.approx(stats.norm.isf(chance / 2.0))


def test_many_numbers_are_combined_so_that_errors_stay() -> None:
    times = list(np.linspace(0.2, 4.0, 20))
    found = check("small_dimer", [Scaled(1.2), TwoSidedAdjoint()], times=times, trajectories=400)
    assert len(found.targets) == 8
    assert found.targets[0] == "combination 1 of 60"
    assert found.rows[0].bias == pytest.approx(0.2, abs=0.05)
    assert found.recommended == TwoSidedAdjoint()


# --- what is recommended --------------------------------------------------------------------------


def row(estimator, bias: float, noise: float, seconds: float = 1e-5) -> Measured:
    gradients = Gradients(np.zeros((20, 1, 1)), 50, seconds)
    return Measured(
        estimator,
        estimator.name,
        gradients,
        bias=bias,
        bias_error=0.001,
        z=9.0 * (bias > 0.0),
        noise=noise,
        likely_bias=bias,
    )


def test_the_least_error_depends_on_the_number_of_trajectories() -> None:
    rows = [row(Adjoint(), 0.05, 0.5), row(CoupledDifference(), 0.0, 5.0)]
    assert ranked(rows, 100)[0].row is rows[0]
    assert ranked(rows, 1_000_000)[0].row is rows[1]
    assert ranked(rows, 100)[0].error == pytest.approx(np.hypot(0.05, 0.05))


def test_time_counts_and_the_default_wins_among_equals() -> None:
    slow = row(FittedValue(), 0.0, 0.9, seconds=1e-3)
    default = row(TwoSidedAdjoint(), 0.0, 1.0)
    order = ranked([slow, default], 1000)
    assert order[0].row is default
    assert order[1].at_equal_time == pytest.approx(0.9 * 10.0 / np.sqrt(1000.0))
    equal = row(Adjoint(), 0.0, 0.95)
    assert ranked([equal, default], 1000)[0].row is default
    assert ranked([replace(equal, noise=0.5), default], 1000)[0].row is not default


def test_weak_spots_are_named_where_they_are_seen() -> None:
    text = """
        substanceOnly species G in cell, B in cell, P in cell; G = 1; B = 0; P = 0;
        bind = 0.05; make = 10; decay = 1; on = 0.2;
        J0: G + P => B + P; bind*G*P;   J1: G => G + P; make*G;
        J2: P => ; decay*P;             J3: B => G; on*B;
    """
    found = check_gradient(
        antimony(text),
        WindowAverages([0, 10]),
        of="P",
        estimators=[TwoSidedAdjoint()],
        trajectories=4000,
        seed=1,
    )
    assert found.rows[0].is_resolved
    assert "known weak spot" in found.recommendation
    assert "slow switching of G, B" in found.recommendation
    assert check(IMMIGRATION, [TwoSidedAdjoint()], trajectories=40).weak_spots == ()


def test_bistability_and_variances_near_zero_are_seen() -> None:
    """The voxel has states near 5 and 60 and a valley near 25, where it starts."""
    voxel = """
        substanceOnly species X in cell; X = 25; c1 = 0.45; c2 = 0.005; c3 = 37.5; c4 = 9.6;
        J0: => X; c1*X*(X - 1);  J1: X => ; c2*X*(X - 1)*(X - 2);  J2: => X; c3;  J3: X => ; c4*X;
    """
    options = {"estimators": [TwoSidedAdjoint()], "trajectories": 40, "seed": 1}
    late = check_gradient(antimony(voxel), times=[1.0], **options)
    assert late.weak_spots == ("bistability: two states of X",)
    early = check_gradient(antimony(voxel), times=[0.02], **options)
    assert early.weak_spots == ()
    spread = check(IMMIGRATION, [TwoSidedAdjoint()], trajectories=40, statistic="variance")
    assert spread.weak_spots == ("the variance is of counts near zero (X)",)
