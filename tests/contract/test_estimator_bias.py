"""Every estimator of expectations against the exact gradient of the master equation."""

from __future__ import annotations

import sys
from functools import cache

import numpy as np
import pytest
from networks import ROOT, network

import sbmlgrad as sg

sys.path.insert(0, str(ROOT / "validation"))

from gradient_bias import measure, truth
from small_networks import CASES, HARD_CASES

UNBIASED = [sg.gradients.CoupledDifference(), sg.gradients.ScoreFunction()]
FITTED = sg.gradients.FittedValue()
EVERY_CASE = [*CASES, *HARD_CASES]

#: Kinds that a short test can resolve; the campaign `gradient_bias.py` has all.
SHORT = ("small_dimer", "epidemic", "hill", "michaelis_menten", "two_compartments")
FOR_FITTED = [CASES[-1], HARD_CASES[0]]


@cache
def exact(place: int) -> np.ndarray:
    return truth(EVERY_CASE[place])


def ids(case) -> str:
    return f"{case.name} to {case.readout.points[-1]:.3g}"


@pytest.mark.parametrize("estimator", UNBIASED, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("case", [c for c in CASES if c.name in SHORT], ids=ids)
def test_unbiased_ones_are_exact_within_their_error(case, estimator) -> None:
    """Detects a bias of 3.5 standard errors, up to a fifth of the gradient on the noisiest network.

    A forgotten factor of two is found on every one; the campaign resolves less.
    """
    bias, error, noise = measure(case, exact(EVERY_CASE.index(case)), estimator, 10_000, 3)
    # The norm of independent errors exceeds 3.5 of its root mean square with p < 0.001.
    assert bias <= 3.5 * error, f"bias {bias:.4f} > 3.5 standard errors of {error:.4f}"
    assert 3.5 * error < 0.2, f"the test has no power; noise-to-signal {noise:.2g}"


@pytest.mark.parametrize("case", FOR_FITTED, ids=ids)
def test_fitted_values_are_near_the_truth(case) -> None:
    """Detects a wrong weight of a slice or of a state; the campaign has all networks."""
    bias, error, _ = measure(case, exact(EVERY_CASE.index(case)), FITTED, 20_000, 5)
    # Each batch is a run of 1,000 trajectories.
    assert bias <= 0.01 + 3.5 * error, f"bias {bias:.4f}, standard error {error:.4f}"
    assert error < 0.02, "the test has no power"


def test_the_network_set_is_what_it_should_be() -> None:
    """At least eight, of the kinds that estimators are known to differ on."""
    assert len({case.name for case in EVERY_CASE}) >= 12
    for case in EVERY_CASE:
        assert set(case.parameters) <= set(network(case.name).parameter_ids)
