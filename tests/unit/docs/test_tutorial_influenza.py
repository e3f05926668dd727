"""The tutorial on influenza keeps its word: the spreadsheet gives its rates and a sound model."""

from __future__ import annotations

import importlib.util
import re
import sys

import numpy as np
import pytest
from networks import ROOT

import sbmlgrad as sg
from sbmlgrad.gradients import FiniteDifference

TUTORIALS = ROOT / "docs" / "tutorials"
PAGE = (TUTORIALS / "influenza.md").read_text(encoding="utf-8")

sys.path.insert(0, str(TUTORIALS))

import make_influenza as tutorial  # noqa: E402
from other_tools import errors, worst  # noqa: E402


@pytest.fixture(scope="module")
def short() -> sg.FitResult:
    """A shorter fit than that of the page, by the gradients that it takes in the end."""
    return tutorial.calibrate(
        seed=12,
        estimator=FiniteDifference(relative_step=0.05, coupling="split"),
        epochs=20,
        trajectories=64,
        learning_rate=(0.1, 0.01),
        evaluation_trajectories=500,
    )


def published() -> dict[str, tuple[float, float, float, float]]:
    """Return parameter → value, standard error and interval in the table of the page."""
    number = r"([\d.]+)"
    row = rf"^\| `(\w+)` \| {number} \| {number} \| {number} to {number} \|$"
    found = {id: tuple(map(float, told)) for id, *told in re.findall(row, PAGE, re.MULTILINE)}
    assert set(found) == {*tutorial.FREE}
    return found  # pyright: ignore[reportReturnType]


def test_the_spreadsheet_gives_the_rates_of_the_page(short) -> None:
    for id, (value, _, low, high) in published().items():
        # Relative scatter over five seeds: 0.7 % of the values, as so short a fit is still on its
        # way, and 0.2 % of the ends of intervals, which lie around the optimum that is measured.
        # It would show a loss or weights that move the optimum by half a standard error.
        z = np.log(short.values[id] / value) / 0.007
        assert abs(z) < 4.1, f"{id}: z = {z:.2f}"
        z = np.log(np.array(short.uncertainty.interval(id)) / [low, high]) / (np.sqrt(2) * 0.002)
        assert (np.abs(z) < 4.1).all(), f"interval of {id}: z = {z.round(2)}"


def test_the_script_prints_what_the_page_holds(short) -> None:
    rates = published()
    beta, gamma = (rates[id][0] for id in tutorial.FREE)
    # As many digits and the same words as the script has for a fit of its own.
    for told in (*tutorial.rows(short), *tutorial.combinations(short)):
        words = re.escape(told)
        assert re.search(re.sub(r"\d+(?=\\\.)|(?<=\\\.)\d+", r"\\d+", words), PAGE), told
    assert f"1/`gamma` = {1.0 / gamma:.2f} days" in PAGE
    # Of rates with three decimals.
    ratio = re.search(r"`beta`/`gamma` = ([\d.]+)", PAGE)
    assert ratio
    assert float(ratio.group(1)) == pytest.approx(beta / gamma, rel=3e-3)


def test_the_equations_have_other_rates_and_a_higher_peak() -> None:
    words, rates = " ".join(PAGE.split()), tutorial.by_rate_equations()
    assert "come nearest with `beta` = {:.3f} and `gamma` = {:.3f}".format(*rates) in words
    course, mean = tutorial.peaks(rates)
    # The same seed as in the script, so the same number.
    assert (
        f"There they peak at {course:.0f} boys, and the mean over epidemics at {mean:.0f}" in words
    )


def test_few_boys_start_no_epidemic() -> None:
    rates = {id: told[0] for id, told in published().items()}
    share = tutorial.died_out(sg.load(tutorial.MODEL).with_parameters(rates))
    expected = (rates["gamma"] / rates["beta"]) ** tutorial.FIRST
    z = (share - expected) / np.sqrt(expected * (1.0 - expected) / tutorial.MANY)
    # The branching process has infinitely many boys; that of 763 dies out hardly more often.
    assert abs(z) < 4.1, f"z = {z:.2f}"


def test_the_calibrated_model_opens_elsewhere(short, tmp_path) -> None:
    path = tmp_path / "sir.xml"
    sg.save(short.model, path)
    assert errors(path) == []
    assert sg.load(path) == short.model
    for tool in ("roadrunner", "COPASI"):
        if importlib.util.find_spec(tool) is None:
            # The extra `test` installs it, so that only a bare installation goes without.
            pytest.skip(f"{tool} comes with the extra 'validation'")
    assert len(list(worst(path, tutorial.END, 4, 500, sys.executable))) == 2


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (TUTORIALS / target).exists(), target
