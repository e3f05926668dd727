"""Every estimator of expectations against the exact gradient of the master equation."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from networks import ROOT, network

import sbmlgrad as sg
from sbmlgrad.cme import project

sys.path.insert(0, str(ROOT / "validation"))

from gradient_bias import measure, truth
from gradient_checks.bias_measure import is_affine, label
from small_networks import CASES, FIRST_CASES, HARD_CASES, SQUARED_CASES, Case

UNBIASED = [sg.gradients.CoupledDifference(), sg.gradients.ScoreFunction()]
FITTED = sg.gradients.FittedValue()
EVERY_CASE = [*CASES, *HARD_CASES]
BY_NAME = {case.name: case for case in EVERY_CASE}

#: Kinds that a short test can resolve; the campaign `gradient_bias.py` has all.
SHORT = (
    "ion_channel",
    "small_dimer",
    "autoregulation",
    "epidemic",
    "immigration_death",
    "hill",
    "michaelis_menten",
    "two_compartments",
)

#: Two bistable voxels before the noise of unbiased estimators has grown.
BISTABLE = replace(BY_NAME["lattice"], readout=sg.WindowAverages([0, 0.25]))

FEW_STATES = ("ion_channel", "immigration_death", "michaelis_menten")
FOR_FITTED = [
    *(BY_NAME[name] for name in FEW_STATES),
    BY_NAME["autoregulation"],
    BY_NAME["two_compartments"],
    HARD_CASES[0],
]


@cache
def exact(case: Case) -> np.ndarray:
    return truth(case)


@pytest.mark.parametrize("estimator", UNBIASED, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("case", [*(BY_NAME[n] for n in SHORT), BISTABLE], ids=label)
def test_unbiased_ones_are_exact_within_their_error(case: Case, estimator) -> None:
    """Detects a bias of 3.5 standard errors, up to a fifth of the gradient on the noisiest network.

    A forgotten factor of two is found on every one; the campaign resolves less.
    """
    found = measure(case, exact(case), estimator, 10_000, 3)
    # The norm of independent errors exceeds 3.5 of its root mean square with p < 0.001.
    assert found.bias <= 3.5 * found.error, f"{found.bias / found.error:.2f} standard errors"
    assert 3.5 * found.error < 0.2, f"the test has no power; noise-to-signal {found.noise:.2g}"


@pytest.mark.parametrize("case", [c for c in CASES if is_affine(c)], ids=label)
@pytest.mark.parametrize(
    "estimator",
    [sg.gradients.Adjoint(), sg.gradients.TwoSidedAdjoint()],
    ids=lambda e: type(e).__name__,
)
def test_path_adjoints_are_exact_for_affine_propensities(case: Case, estimator) -> None:
    """Detects a bias of 2 to 3 %; the one-sided form is off by 3 to 25 % on other networks."""
    found = measure(case, exact(case), estimator, 20_000, 3)
    assert found.bias <= 3.5 * found.error, f"{found.bias / found.error:.2f} standard errors"
    assert 3.5 * found.error < 0.03, f"the test has no power; noise-to-signal {found.noise:.2g}"


@pytest.mark.parametrize("case", [c for c in FIRST_CASES if c.name != "schloegl"], ids=label)
def test_the_default_on_networks_it_was_chosen_on(case: Case) -> None:
    """Detects that a claim of 1 % no longer holds; the one-sided form is off by 3 to 13 % on most.

    The promoter over ten times its life is a documented weak spot: its bias must be seen.
    """
    found = measure(case, exact(case), sg.gradients.TwoSidedAdjoint(), 10_000, 3)
    assert found.bias <= case.largest_bias + 3.5 * found.error, f"bias {found.bias:.4f}"
    assert 3.5 * found.error < 0.04, f"the test has no power; noise-to-signal {found.noise:.2g}"
    if case.largest_bias > 0.01:
        assert found.bias - 3.5 * found.error > 0.05, f"bias {found.bias:.4f} ± {found.error:.4f}"


@pytest.mark.parametrize("name", ["small_dimer", "hill", "epidemic"])
def test_differences_have_the_bias_of_their_step_and_no_other(name: str) -> None:
    """At a large step the bias is O(h²) and is seen; what is left over is none.

    Detects a wrong step or weight of a few percent: of the difference of exact means nothing but
    noise may be left.
    """
    case, step = BY_NAME[name], 0.4
    estimator = sg.gradients.FiniteDifference(relative_step=step)
    expected = exact_differences(case, step)
    found = measure(case, expected, estimator, 10_000, 3)
    assert found.bias <= 3.5 * found.error, f"{found.bias / found.error:.2f} standard errors"
    assert 3.5 * found.error < 0.06, f"the test has no power; noise-to-signal {found.noise:.2g}"


@pytest.mark.parametrize("name", SHORT)
def test_differences_at_the_default_step_are_within_their_margin(name: str) -> None:
    """Detects a default step whose bias would pass 1 %; the campaign measures it with noise."""
    case, step = BY_NAME[name], sg.gradients.FiniteDifference().relative_step
    norm = np.linalg.norm(exact(case))
    errors = [np.linalg.norm(exact_differences(case, h) - exact(case)) / norm for h in (step, 0.2)]
    assert errors[0] < 0.01
    # Of order h²; at the larger step the fourth order takes part as well.
    assert errors[1] / errors[0] == pytest.approx((0.2 / step) ** 2, rel=0.2)


def exact_differences(case: Case, step: float) -> np.ndarray:
    """Return central differences of the exact means, in logarithms [parameter, point]."""
    model, until = case.network(), float(case.readout.points[-1])
    rows = []
    for name in case.parameters:
        value = model.parameter_values[model.parameter_ids.index(name)]
        sides = [
            project(model, until=until, parameters={name: value * (1.0 + h)}, tolerance=1e-9)
            .expect(case.readout, case.species)
            .value
            for h in (step, -step)
        ]
        rows.append((sides[0] - sides[1]) / (2.0 * step))
    return np.array(rows)


@pytest.mark.parametrize("case", FOR_FITTED, ids=label)
def test_fitted_values_are_near_the_truth(case: Case) -> None:
    """Detects a wrong weight of a slice or of a state; the campaign has all networks."""
    found = measure(case, exact(case), FITTED, 20_000, 5)
    # Each batch is a run of 1,000 trajectories.
    assert found.bias <= 0.01 + 3.5 * found.error, f"bias {found.bias:.4f} ± {found.error:.4f}"
    assert found.error < 0.02, "the test has no power"


@pytest.mark.parametrize(
    ("name", "temperature", "known"),
    [
        ("ion_channel", 1.0, 0.62),
        ("autoregulation", 1.0, 0.32),
        ("autoregulation", 0.0, 0.083),
        ("dimer", 0.0, 0.004),
    ],
)
def test_straight_through_has_the_bias_that_is_known(name, temperature, known) -> None:
    """Two implementations agree on a bias: these numbers are those of an independent prototype.

    Detects another method in its place, such as one without a bias, and on the dimer, where it is
    nearly unbiased, an error of 2 %.
    """
    case = BY_NAME[name]
    estimator = sg.gradients.StraightThrough(temperature)
    found = measure(case, exact(case), estimator, 10_000, 3)
    # Rounded to two digits there, with a standard error of its own; noise makes norms longer.
    shift = np.hypot(known, found.error) - known
    allowed = 0.01 + shift + 3.5 * found.error
    assert abs(found.bias - known) <= allowed, f"bias {found.bias:.4f} ± {found.error:.4f}"
    assert allowed < max(known, 0.025), "the test has no power"


SQUARES = {case.name: case for case in SQUARED_CASES if case.statistic == "square"}


@pytest.mark.parametrize(("name", "known"), [("few", -0.037), ("fewer", -0.088)])
def test_the_default_falls_short_for_squares_near_zero_as_is_documented(name, known) -> None:
    """Detects that the documented weak spot has changed, for better or worse.

    `known` is from an independent implementation; the gradient is too short, not too long.
    """
    case = SQUARES[name]
    found = measure(case, exact(case), sg.gradients.TwoSidedAdjoint(), 100_000, 3)
    assert found.along < -3.5 * found.along_error, f"{found.along:.4f} ± {found.along_error:.4f}"
    assert abs(found.along - known) < 0.005 + 3.5 * found.along_error, f"{found.along:.4f}"
    assert found.bias < case.largest_bias


@pytest.mark.parametrize("case", SQUARED_CASES, ids=label)
def test_scores_are_unbiased_for_squares_near_zero(case: Case) -> None:
    """Detects a bias of 3.5 standard errors: 6 % at most, on a variance of half a molecule."""
    found = measure(case, exact(case), sg.gradients.ScoreFunction(), 200_000, 3)
    assert found.bias <= 3.5 * found.error, f"{found.bias / found.error:.2f} standard errors"
    assert 3.5 * found.error < 0.1, f"the test has no power; noise-to-signal {found.noise:.2g}"


def test_the_network_set_is_what_it_should_be() -> None:
    """At least eight, of the kinds that estimators are known to differ on."""
    assert len({case.name for case in EVERY_CASE}) >= 12
    assert {"schloegl", "toggle", "lattice"} <= {case.name for case in HARD_CASES}
    for case in EVERY_CASE:
        assert set(case.parameters) <= set(network(case.name).parameter_ids)
