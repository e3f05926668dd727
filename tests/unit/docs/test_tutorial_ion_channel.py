"""The tutorial on a single channel keeps its word: known rates come back, so do its numbers."""

from __future__ import annotations

import importlib.util
import re
import sys

import numpy as np
import pytest
from networks import ROOT, antimony

import sbmlgrad as sg
from sbmlgrad.errors import FitError
from sbmlgrad.fit.objectives.base import ExactObjective
from sbmlgrad.model.dwells import Dwells

TUTORIALS = ROOT / "docs" / "tutorials"
PAGE = (TUTORIALS / "ion-channel.md").read_text(encoding="utf-8")
RECORD = ROOT.parent / "shared" / "data" / "channel" / "nAChR_50nM_001004S2_2state.csv"

sys.path.insert(0, str(TUTORIALS))

import make_ion_channel as tutorial  # noqa: E402
from channel_reference import mixture  # noqa: E402
from channel_simulated import TRUE, simulated_record  # noqa: E402
from dwell_times import DwellTimes  # noqa: E402
from other_tools import errors, worst  # noqa: E402


@pytest.fixture(scope="module")
def record() -> Dwells:
    if not RECORD.exists():
        pytest.skip(f"published data, not shipped: shared/data/channel/{RECORD.name} is absent")
    return sg.load_dwells(RECORD, dead_time=tutorial.DEAD_TIME)


@pytest.fixture(scope="module")
def fits(record):
    return {
        name: tutorial.calibrate(sg.load(tutorial.MODELS / f"{name}.xml"), shut, record)
        for name, shut in tutorial.SCHEMES.items()
    }


def three_states() -> sg.ReactionNetwork:
    return sg.load(tutorial.MODELS / "gating_three_states.xml")


def test_known_rates_come_back_though_most_pauses_are_missed() -> None:
    seen = simulated_record(6000, 4, tutorial.DEAD_TIME)
    fit = tutorial.calibrate(three_states(), ("C", "P"), seen)
    found = fit.result.uncertainty
    assert found is not None
    error = np.sqrt(np.diag(found.covariance))
    off = np.log(fit.values / [TRUE[id] for id in found.ids])
    # The correction of missed dwells leaves up to 5 % of a rate, as long records show; beyond that,
    # chance of 1e-4 for the worst of four.
    z = np.maximum(np.abs(off) - 0.05, 0.0) / error
    assert (z < 4.1).all(), f"z = {dict(zip(found.ids, z.round(2), strict=True))}"
    assert (error < 0.15).all()


def test_the_gradient_is_that_of_the_loss() -> None:
    seen = simulated_record(500, 2, 0.025)
    objective = DwellTimes(seen, {"1": ("O",), "0": ("C", "P")})
    assert isinstance(objective, ExactObjective)
    problem = tutorial.problem_of(three_states(), seen)
    values = np.array([0.5, 0.1, 1.2, 30.0])
    loss, slopes = objective.exact_loss_and_gradient(problem, values)
    assert loss == pytest.approx(-2.0 * objective.log_likelihood(problem, values) / len(seen))
    for place, slope in enumerate(slopes):
        step = 1e-5 * values[place] * np.eye(4)[place]
        sides = [objective.log_likelihood(problem, values + s * step) for s in (1, -1)]
        difference = -2.0 * (sides[0] - sides[1]) / (2.0 * step[place]) / len(seen)
        assert slope == pytest.approx(difference, rel=1e-5)


def test_one_exponential_has_its_closed_form() -> None:
    seen = simulated_record(2000, 3, 0.0)
    problem = tutorial.problem_of(sg.load(tutorial.MODELS / "gating_two_states.xml"), seen)
    objective = DwellTimes(seen, {"1": ("O",), "0": ("C",)})
    best = np.array([1.0 / seen.of("1").mean(), 1.0 / seen.of("0").mean()])
    loss, slopes = objective.exact_loss_and_gradient(problem, best)
    expected = sum(mixture(seen.of(state), 1).log_likelihood for state in seen.states)
    assert loss == pytest.approx(-2.0 * expected / len(seen), rel=1e-12)
    assert slopes == pytest.approx([0.0, 0.0], abs=1e-12)


@pytest.mark.parametrize(
    ("text", "classes", "words"),
    [
        ("O=1; C=0; k=1; O -> C; k*O; C -> O; k*C", {"1": ("O",)}, "say for each"),
        ("O=1; C=0; k=1; O -> C; k*O; C -> O; k*C", {"1": ("O",), "0": ("D",)}, "each of them"),
        ("O=2; C=0; k=1; O -> C; k*O; C -> O; k*C", {"1": ("O",), "0": ("C",)}, "not one channel"),
        ("O=1; C=0; k=1; O -> C; k^2*O; C -> O; k*C", {"1": ("O",), "0": ("C",)}, "not linear"),
    ],
)
def test_what_it_cannot_fit_is_refused(text: str, classes, words: str) -> None:
    seen = simulated_record(50, 1, 0.0)
    problem = tutorial.problem_of(antimony(text), seen)
    with pytest.raises(FitError, match=words):
        DwellTimes(seen, classes).check(problem)


def test_rates_are_the_most_likely_ones(fits, record) -> None:
    rates, likelihoods = tutorial.references(record)
    for name, fit in fits.items():
        # The descent ends where it gains nothing more; 1e-4 is a hundredth of a standard error.
        assert fit.values == pytest.approx(rates[name], rel=1e-4)
        assert fit.log_likelihood == pytest.approx(likelihoods[name], abs=1e-3)
    assert fits["gating_three_states"].criterion < fits["gating_two_states"].criterion - 10_000


def test_the_page_has_these_numbers(fits) -> None:
    for name, fit in fits.items():
        for id, value in fit.result.values.items():
            low, high = fit.result.uncertainty.interval(id)
            row = f"| `{name}` | `{id}` | {value:.4g} | {low:.4g} to {high:.4g} |"
            assert row in PAGE, row
        assert f"{fit.log_likelihood:.1f}" in PAGE.replace("−", "-")


@pytest.mark.parametrize("name", tutorial.SCHEMES)
def test_calibrated_models_open_elsewhere(name: str, fits, tmp_path) -> None:
    path = tmp_path / f"{name}.xml"
    sg.save(fits[name].result.model, path)
    assert errors(path) == []
    assert sg.load(path) == fits[name].result.model
    for tool in ("roadrunner", "COPASI"):
        if importlib.util.find_spec(tool) is None:
            pytest.skip(f"{tool} comes with the extra 'validation'")
    assert len(list(worst(path, 40.0, 4, 1000, sys.executable))) == 2


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (TUTORIALS / target).exists(), target
