"""The gradient campaigns: their networks, what they make of batches, what they keep."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from known_gradients import Known
from networks import ROOT

import sbmlgrad as sg
from sbmlgrad.model.expression import symbols

sys.path.insert(0, str(ROOT / "validation"))

from gradient_bias import EVERY_CASE
from gradient_checks.oscillator_found import STEPS, Found, Horizon, keep, kept
from gradient_checks.oscillator_report import components, report, summary
from gradient_oscillator import DOCUMENT, oscillator
from gradient_parameters import Ring
from gradient_recommendation import APART, RIGHT, Verdict, line, measured_error
from small_networks import Case


def found(mean, error, name="TwoSidedAdjoint()", seconds=0.5) -> Found:
    """Return twenty batches of 50 with exactly this mean and standard error."""
    pattern = np.tile([1.0, -1.0], 10)[:, None] * np.sqrt(19.0)
    return Found(name, np.asarray(mean) + pattern * np.asarray(error), 50, seconds)


def horizon(bias: float = 0.0, curvature: float = 0.0) -> Horizon:
    truth = np.array([30.0, -40.0])
    differences = tuple(
        found(truth * (1.0 + curvature * h**2), [0.3, 0.4], "FiniteDifference()") for h in STEPS
    )
    return Horizon(15.0, 4e4, found(truth * (1.0 + bias), [0.4, 0.3]), differences)


def test_every_reaction_of_the_oscillator_has_a_constant_of_its_own() -> None:
    model = oscillator()
    constants = [symbols(r.rate_law) & set(model.parameter_ids) for r in model.reactions]
    assert len(model.parameter_ids) == 16
    assert sorted(name for found in constants for name in found) == sorted(model.parameter_ids)


def test_the_oscillator_with_sixteen_constants_is_the_shipped_one() -> None:
    engine = sg.engines.Native(kernel="table", threads=1)
    runs = [
        sg.simulate(model, times=[0.02, 0.05], trajectories=3, seed=4, engine=engine).counts
        for model in (oscillator(), sg.load(DOCUMENT))
    ]
    assert np.array_equal(*runs)
    assert runs[0].any()


def test_means_errors_noise_and_effort_of_batches() -> None:
    one = found([30.0, -40.0], [0.3, 0.4])
    assert one.mean == pytest.approx([30.0, -40.0])
    assert one.error == pytest.approx([0.3, 0.4])
    assert one.trajectories == 1000
    # Relative error 1 % from 1,000 trajectories.
    assert one.noise == pytest.approx(0.01 * np.sqrt(1000.0))
    assert one.seconds_for(0.01) == pytest.approx(500.0)


def test_a_batch_that_makes_all_the_noise_is_seen() -> None:
    assert found([30.0, -40.0], [0.3, 0.4]).worst == pytest.approx(1.0 / 20.0)
    batches = np.zeros((20, 2))
    batches[7] = [30.0, 40.0]
    # Its deviation is 19/20 of it, and that of each other a twentieth.
    assert Found("one", batches, 50, 0.5).worst == pytest.approx(19.0 / 20.0)


def test_z_gap_and_cosine_of_two_gradients() -> None:
    one = horizon(bias=0.05)
    assert one.z == pytest.approx([1.5 / 0.5, -2.0 / 0.5])
    assert one.gap == pytest.approx((0.05, np.sqrt(0.5) / 50.0))
    assert one.cosine == pytest.approx(1.0)


def test_two_steps_tell_the_bias_of_differences() -> None:
    """An error of c·h² at the smaller step is found, whatever the noise that both share."""
    bias, noise = horizon(curvature=4.0).curvature
    assert bias == pytest.approx(4.0 * STEPS[0] ** 2 / (1.0 + 4.0 * STEPS[0] ** 2))
    assert noise == pytest.approx(0.01 * np.sqrt(2.0) / 3.0, rel=0.02)
    assert horizon().curvature[0] == pytest.approx(0.0, abs=1e-12)


def test_a_horizon_is_read_as_it_was_kept(tmp_path: Path) -> None:
    one = horizon(bias=0.05)
    keep(one, tmp_path / "15.npz")
    other = kept(tmp_path / "15.npz")
    assert (other.end, other.firings) == (one.end, one.firings)
    for first, second in zip(
        (one.adjoint, *one.differences), (other.adjoint, *other.differences), strict=True
    ):
        assert np.array_equal(first.batches, second.batches)
        assert (first.name, first.size, first.seconds) == (second.name, second.size, second.seconds)


def test_the_report_of_the_oscillator_has_every_constant() -> None:
    model = sg.load("k = 1; l = 2; J0: => X; k; J1: X => ; l*X; unit substance = item;")
    one = horizon(bias=0.05)
    rows = components(model, [one]).splitlines()
    assert rows[2] == "| `k` | 31.5 ± 0.4 | 30 ± 0.3 | 3.0 |"
    assert rows[3].startswith("| `l` | -42 ± 0.3 |")
    assert "5 ± 1.4 %" in summary([one])
    assert summary([one]) in report(model, [one], "")


@pytest.mark.parametrize("free", [5, 20])
def test_rings_differ_in_what_is_free_alone(free: int) -> None:
    model, whole = Ring(20, free).network(), Ring(20, 20).network()
    assert len(model.parameter_ids) == free
    engine = sg.engines.Native(kernel="table", threads=1)
    runs = [
        sg.simulate(m, times=[0.5], trajectories=4, seed=4, engine=engine) for m in (model, whole)
    ]
    assert np.array_equal(runs[0].counts, runs[1].counts)
    assert runs[0].firings.sum() > 0


CASE = Case(
    "straight",
    "X",
    sg.ValuesAt([1.0, 2.0]),
    ("k", "l"),
    source="unit substance = item; X = 0; k = 1; l = 2; J0: => X; k; J1: X => ; l*X;",
)


@pytest.mark.parametrize(("bias", "noise"), [(0.1, 0.0), (0.0, 3.0), (0.1, 1.0)])
def test_measured_errors_join_bias_and_noise(bias: float, noise: float) -> None:
    exact = np.array([[3.0, 4.0], [1.0, -1.0]])
    error = measured_error(CASE, exact, Known(exact * (1.0 + bias), noise), 1)
    expected = np.hypot(bias, (1.0 + bias) * noise / np.sqrt(10_000))
    # The variance of twenty or more batches is divided by one less than their number.
    assert error == pytest.approx(expected, rel=0.02)


def test_a_recommendation_is_right_within_half_as_much_again() -> None:
    errors = {"A": 0.03, "B": 0.02, "C": 0.04}
    right = Verdict("net", False, 10_000, 1.0, "A", 0.02, errors)
    wrong = Verdict("net", True, 10_000, 1.0, "C", 0.02, errors)
    assert (right.best, right.ratio, right.is_right) == ("B", pytest.approx(RIGHT), True)
    assert not wrong.is_right
    assert "| right |" in line(right)
    assert "**missed**" in line(wrong)


def test_networks_kept_apart_are_not_of_the_contract_set() -> None:
    assert len(APART) >= 4
    assert not {c.name for c in APART} & {c.name for c in EVERY_CASE}
    for case in APART:
        assert set(case.parameters) <= set(case.network().parameter_ids)
        assert case.species in case.network().species_ids
