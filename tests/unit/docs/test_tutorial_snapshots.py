"""The tutorial on snapshots of single cells keeps its word, in a form short enough to run often."""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
from networks import ROOT

import sbmlgrad as sg
from sbmlgrad.fit.objectives import StateSpaceLikelihood
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.model.snapshots import Snapshots

TUTORIALS = ROOT / "docs" / "tutorials"
PAGE = (TUTORIALS / "snapshots.md").read_text(encoding="utf-8")
CELLS = ROOT.parent / "shared" / "data" / "smfish" / "STL1.csv"

sys.path.insert(0, str(TUTORIALS))

import make_snapshots as tutorial  # noqa: E402
import stl1_reference  # noqa: E402
from other_tools import errors, worst  # noqa: E402

OBJECTIVE = StateSpaceLikelihood(background=tutorial.BACKGROUND)


@pytest.fixture(scope="module")
def cells() -> Snapshots:
    """The published cells, on the clock of the model."""
    if not CELLS.exists():
        pytest.skip(f"published data, not shipped: shared/data/smfish/{CELLS.name} is absent")
    return tutorial.shifted(sg.load_snapshots(CELLS))


def published() -> dict[str, float]:
    """Return the rates in the table of the page."""
    rows = re.findall(r"^\| `(k_\w+)` \| ([\d.]+) \|", PAGE, re.MULTILINE)
    assert {id for id, _ in rows} == {*tutorial.FREE}
    return {id: float(value) for id, value in rows}


def problem_of(cells: Snapshots, free: tuple[str, ...] = tutorial.FREE, **start: float):
    model = sg.load(tutorial.MODEL).with_parameters(start)
    return plain_problem(model, cells, list(free), mapping={cells.species[0]: "M"})[0]


def simulated(times: list[float], number: int) -> Snapshots:
    """Return cells of the model itself, other ones at every time."""
    model = sg.load(tutorial.MODEL)
    counts = []
    for place, time in enumerate(times):
        ensemble = sg.simulate(model, times=[time], trajectories=number, seed=7 + place)
        counts.append(ensemble.counts[:, 0, model.species_ids.index("M")])
    return Snapshots(
        ("rna",), np.repeat(times, number), np.concatenate(counts)[:, None].astype(np.int64)
    )


def test_the_reference_agrees_on_simulated_cells() -> None:
    cells = simulated([1.0, 6.0, 11.0], 60)
    problem = problem_of(cells)
    values = np.array([p.nominal for p in problem.free])
    reference = tutorial.for_reference(cells, limit=200)
    rates = dict(zip(problem.network.parameter_ids, problem.network.parameter_values, strict=True))
    expected = stl1_reference.log_likelihoods([rates], reference)[0]
    assert OBJECTIVE.log_likelihood(problem, values) == pytest.approx(expected, abs=1e-5)


def test_the_page_has_the_optimum(cells) -> None:
    rates = published()
    problem = problem_of(cells, **rates)
    values = np.array([rates[id] for id in tutorial.FREE])
    found = OBJECTIVE.log_likelihood(problem, values)
    words = re.search(r"log-likelihood is −([\d.]+)", PAGE)
    assert words
    # The rates of the table are rounded to four digits.
    assert found == pytest.approx(-float(words.group(1)), abs=0.05)
    reference = stl1_reference.log_likelihoods(
        [{"k_begin": 15.0, **rates}], tutorial.for_reference(cells)
    )[0]
    assert found == pytest.approx(reference, abs=1e-3)


def test_a_short_fit_finds_what_scipy_finds(cells) -> None:
    # Every tenth cell of the first minutes, and the two rates that these say most about.
    rows = np.flatnonzero(cells.time <= 9.0)[::10]
    some = replace(
        cells,
        time=cells.time[rows],
        counts=cells.counts[rows],
        condition=tuple(cells.condition[i] for i in rows),
    )
    free = ("k_wait", "k_transcription")
    rates = published()
    start = {**rates, "k_wait": 1.2, "k_transcription": 22.0}
    result = sg.fit(
        problem_of(some, free, **start),
        objective=OBJECTIVE,
        epochs=40,
        learning_rate=(0.1, 0.002),
        trajectories=2,
        evaluation_trajectories=2,
        seed=1,
    )
    reference = tutorial.for_reference(some, limit=180)
    fixed = {"k_begin": 15.0, **{id: v for id, v in rates.items() if id not in free}}
    best, value = stl1_reference.optimum({id: start[id] for id in free}, fixed, reference)
    found = OBJECTIVE.log_likelihood(result.problem, np.array([result.values[id] for id in free]))
    # A unit of log-likelihood is worth more than a standard error; the descent is cut short.
    assert value - 0.1 < found <= value + 1e-3
    assert result.values == pytest.approx(best, rel=0.01)


def test_the_calibrated_model_opens_elsewhere(tmp_path) -> None:
    path = tmp_path / "osmotic_shock.xml"
    sg.save(sg.load(tutorial.MODEL).with_parameters(published()), path)
    assert errors(path) == []
    for tool in ("roadrunner", "COPASI"):
        if importlib.util.find_spec(tool) is None:
            # The extra `test` installs it, so that only a bare installation goes without.
            pytest.skip(f"{tool} comes with the extra 'validation'")
    assert len(list(worst(path, 20.0, 4, 500, sys.executable))) == 2


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (TUTORIALS / target).exists(), target
