"""The paper's figure of throughput, small: all selections sample the same, and what is recorded."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from networks import ROOT

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.model.initial import initial_values

sys.path.append(str(ROOT / "validation" / "benchmarks" / "paper"))

import paper_throughput
from paper_records import kept
from selection.contenders import Contender, LeftOutError, contenders
from selection.loops import INVERSE, SELECTIONS, arrays, compiled
from selection.report import page
from selection.task import FIRINGS, Drawn, Task, benchmark, task
from selection.tensors import sample

#: Firings of a trajectory here, and the species that is looked at.
FEW, WATCHED = 30, "C"


def deviations(counts: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """Return z of the means, and of the mean squares about the expected mean."""
    about = expected.mean()
    found = []
    for one, other in ((counts, expected), ((counts - about) ** 2, (expected - about) ** 2)):
        error = np.sqrt(one.var() / len(one) + other.var() / len(other))
        found.append(float((one.mean() - other.mean()) / error))
    return found[0], found[1]


@pytest.fixture(scope="module")
def after_few() -> np.ndarray:
    """Return counts of C of the dimerisation after `FEW` firings, by the native engine."""
    model = sg.load(ROOT / "models" / "sbml" / "dimerization.xml")
    after = sg.AfterFirings([FEW])
    cells = sg.simulate(model, readouts=[after], trajectories=20_000, seed=1)
    return np.asarray(cells.values(WATCHED, readout=after), dtype=np.float64)[:, 0]


@pytest.mark.parametrize("selection", SELECTIONS)
def test_loops_sample_the_process(selection: str, after_few: np.ndarray) -> None:
    """Two z of 20,000 trajectories each: a selection that is 1 % off moves the mean by 10 z."""
    plain = benchmark("engine_timing.models").dimerization()
    start = np.array([*plain.counts, 1.0])
    place = plain.species.index(WATCHED)
    last, made, _, share = compiled(selection)(*arrays(plain), start, FEW, 20_000, 5, place, 0.1)
    assert made == 20_000 * FEW
    z = deviations(last, after_few)
    assert max(map(abs, z)) < 4.5, f"z = {z}"
    # The weight of what fired is computed, and more than its fair share at a low temperature.
    assert (share > made / 2) == (selection == SELECTIONS[2])


@pytest.mark.parametrize("selection", SELECTIONS[1:])
def test_gumbel_selections_on_tensors_sample_the_process(
    selection: str, after_few: np.ndarray
) -> None:
    """As above, with 4,000 trajectories: 1 % off moves the mean by 5 z."""
    counts = on_tensors(selection, 4_000)
    z = deviations(counts, after_few)
    assert max(map(abs, z)) < 4.5, f"z = {z}"


def test_the_inverse_on_tensors_has_the_firings_of_the_engine(after_few: np.ndarray) -> None:
    counts = on_tensors(INVERSE, 300, seed=1)
    np.testing.assert_array_equal(counts, after_few[:300])


def on_tensors(selection: str, trajectories: int, seed: int = 7) -> np.ndarray:
    model = sg.load(ROOT / "models" / "sbml" / "dimerization.xml")
    lowered, values = lower(model), initial_values(model)
    inputs = np.array([float(values[name]) for name in lowered.input_ids])
    start = np.array([float(values[name]) for name in model.species_ids])
    found = sample(lowered, selection, inputs, start, FEW, trajectories, seed, 0.1)
    return found[:, model.species_ids.index(WATCHED)]


@pytest.fixture(scope="module")
def job() -> Task:
    return task("dimerization", 1_000)


def test_engines_make_the_firings_that_are_timed(job: Task) -> None:
    everybody = contenders(None)
    for name in ("table", "lockstep", "loop_inverse"):
        drawn = everybody[name].prepare(job)(64, 3)
        assert drawn.firings == 64 * FIRINGS
        assert drawn.last is not None
        assert len(drawn.last) == 64
        assert drawn.cpu_s > 0.0
    assert job.by_end == pytest.approx(FIRINGS, rel=0.02)
    with pytest.raises(LeftOutError, match="--peers-python"):
        everybody["gillespy2"].prepare(job)


def steady(name: str, nanoseconds: float, off: float = 0.0, most: int | None = None) -> Contender:
    """Return a contender that says what it takes, and whose counts may be wrong."""

    def prepare(job: Task):
        def run(trajectories: int, seed: int) -> Drawn:
            rng = np.random.default_rng(seed)
            last = rng.choice(job.expected, trajectories) + off
            firings = float(trajectories * FIRINGS)
            seconds = 1e-9 * nanoseconds * firings
            return Drawn(firings, last, seconds, 2.0 * seconds)

        return run

    return Contender(name, name, INVERSE, "loop", prepare, most)


def test_rates_budgets_and_wrong_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = tmp_path / "found.jsonl"
    effort = paper_throughput.Effort(rounds=3, seconds=1e-4, budget_s=0.5, enough_s=0.04)
    asked = [steady("fast", 10.0), steady("slow", 1e4), steady("small", 10.0, most=10)]
    asked.append(steady("wrong", 10.0, off=5.0))
    monkeypatch.setattr(paper_throughput, "task", lambda name: task(name, 2_000))
    paper_throughput.measure("dimerization", asked, (10, 1_000), effort, records)
    found = {(r["contender"], r["size"]): r for r in kept(records)}
    assert len(found) == 8
    for size in (10, 1_000):
        assert found["fast", size]["firings a second"] == pytest.approx(1e8)
        assert found["fast", size]["by the clock"] == pytest.approx(5e7)
    assert found["fast", 1_000]["rounds"] == 3
    # 10 trajectories take 25 ms, a thousand 2.5 s; two turns are enough.
    assert found["slow", 10]["rounds"] == 2
    assert found["slow", 1_000]["left out"] == "a call would take about 2 s"
    assert "at most 10 trajectories" in found["small", 1_000]["left out"]
    assert abs(found["fast", 1_000]["z"]) < 4.5, found["fast", 1_000]
    assert found["wrong", 1_000]["z"] > 10.0
    before = records.read_text()
    paper_throughput.measure("dimerization", asked, (10, 1_000), effort, records)
    assert records.read_text() == before
    write = ["--models", "", "--records", str(records), "--out", str(tmp_path)]
    assert paper_throughput.main(write) == 1
    lines = [line for line in before.splitlines() if '"wrong"' not in line]
    records.write_text("".join(f"{line}\n" for line in lines))
    assert paper_throughput.main(write) == 0
    assert (tmp_path / "throughput.png").stat().st_size > 10_000


def test_the_page_is_that_of_the_records() -> None:
    results = ROOT / "validation" / "results" / "paper"
    records = kept(results / "throughput.jsonl")
    written = page(records, list(contenders(None).values()), quick=False)
    assert (results / "throughput.md").read_text(encoding="utf-8") == written
