"""The gradient benchmark: its jobs, its processes, its statistics and its tables.

No test measures a speed; a small script written here stands in for all contenders.
"""

# ruff: noqa: E402  the benchmark is a folder of scripts, found only once its path is known

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from networks import ROOT

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.model.operators import evaluate

FOLDER = ROOT / "validation" / "benchmarks"
sys.path += [str(FOLDER), str(FOLDER / "peers")]

import tensorflow_tape_worker
from engine_timing import process as throughput_process
from engine_timing.process import Contender
from gradient_timing import measure as gradients_measure
from gradient_timing import variance as gradients_variance
from gradient_timing.jobs import JOBS, parse, plain
from gradient_timing.measure import Comparison, Effort, compare
from gradient_timing.plots import plot
from gradient_timing.tables import job_table, ratio_table, variance_report
from gradient_timing.variance import CASES, Row, Study, association, repressilator

EFFORT = Effort(rounds=3, seconds=0.001, budget_s=300.0)

#: A worker with known answers: the statistic is Poisson(3), its gradient its options'.
WORKER = f"""
import sys
sys.path.insert(0, {str(FOLDER / "peers")!r})
import numpy as np
from gradients_loop import Calls, Outcome, serve

def software():
    if OPTIONS_ABSENT:
        raise ImportError("no such library")
    return "1.2"

def prepare(job, options):
    def draw(number, seed):
        return np.random.default_rng(seed).poisson(3.0, number) + options.get("off", 0)
    def forward(number, seed):
        return Outcome(draw(number, seed), np.full(number, 5))
    def gradient(number, seed):
        if number > options.get("most", number):
            raise MemoryError("too many")
        taken = np.ones(options.get("megabytes", 0) * 2**17)
        return Outcome(draw(number, seed), np.full(number, 5), options["slope"])
    return Calls(forward, gradient)

serve(software, prepare)
"""


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of workers that stands for the benchmark's own."""
    for name, is_absent in ((gradients_measure.WORKER, False), ("peer", False), ("absent", True)):
        text = WORKER.replace("OPTIONS_ABSENT", str(is_absent))
        (tmp_path / f"{name}_worker.py").write_text(text)
    monkeypatch.setattr(throughput_process, "WORKERS", tmp_path)
    monkeypatch.setattr(gradients_measure, "PILOT", 200)
    return tmp_path


def ours(name: str, **options: object) -> Contender:
    return Contender(name, f"our {name}", gradients_measure.WORKER, sys.executable, options)


def peer(name: str, worker: str = "peer", **options: object) -> Contender:
    return Contender(name, f"their {name}", worker, sys.executable, options)


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_the_network_of_its_document(name: str) -> None:
    """Contenders that read plain data simulate what the document says."""
    data = plain(JOBS[name], 10)
    lowered = lower(sg.load(JOBS[name].path))
    assert tuple(lowered.species_ids) == data.species
    counts = {s: 3.0 + 2.0 * i for i, s in enumerate(data.species)}
    parameters = dict(zip(sg.load(JOBS[name].path).parameter_ids, data.parameters, strict=True))
    wanted = Counter(
        (
            round(evaluate(c.propensity, {**counts, **parameters}), 9),
            tuple(c.change.get(s, 0) for s in data.species),
        )
        for c in lowered.channels
    )
    found: Counter = Counter()
    for left, right, k in zip(data.reactants, data.products, data.constants, strict=True):
        rate = data.parameters[k] * np.prod([counts[data.species[s]] for s in left])
        change = [right.count(s) - left.count(s) for s in range(len(data.species))]
        found[round(float(rate), 9), tuple(change)] += 1
    assert found == wanted


def test_reactions_are_read_from_lines() -> None:
    (channel,) = parse("A + B -> : k_1")
    assert (channel.reactants, channel.products, channel.parameter) == (("A", "B"), (), "k_1")


def test_contenders_are_compared_and_the_wrong_and_failing_ones_named(workers: Path) -> None:
    contenders = [
        ours("two_sided", slope=[1.0, 2.0]),
        ours("straight_1", slope=[3.0, 4.0]),
        peer("same", slope=[3.0, 4.0], megabytes=64),
        peer("off", slope=[3.0, 9.0], off=5),
        peer("broken", slope=[float("nan"), 0.0]),
        peer("absent", "absent", slope=[0.0]),
    ]
    job = JOBS["dimerisation"]
    result = compare(job, contenders, EFFORT, workers, lambda _: None)
    assert result.firings == 5.0
    by_name = {e.contender.name: e for e in result.entries}
    assert [by_name[n].status for n in ("same", "off", "broken", "absent")] == [
        "ran",
        "ran",
        "error",
        "absent",
    ]
    assert "not finite" in by_name["broken"].message
    assert not result.is_wrong(by_name["same"])
    assert result.is_wrong(by_name["off"])
    same = by_name["same"]
    assert same.memory is not None
    assert 60e6 < same.memory < 80e6
    assert same.memory_firings == 5 * same.rounds[0].trajectories
    text = job_table(result)
    rows = {line.split(" | ")[0].strip("| "): line for line in text.splitlines()}
    assert "0 ± 0 %" in rows["their same 1.2"]
    assert "1e+02 ± 0 %" in rows["their off 1.2"]
    assert "**wrong**" in rows["their off 1.2"]
    assert "no such library" in rows["their absent"]


def test_a_peer_short_of_memory_gets_fewer_trajectories(workers: Path) -> None:
    contenders = [ours("two_sided", slope=[1.0]), peer("same", slope=[1.0], most=300)]
    contenders.append(peer("small", slope=[1.0], most=3))
    result = compare(JOBS["dimerisation"], contenders, EFFORT, workers, lambda _: None)
    assert [e.status for e in result.entries] == ["ran", "ran", "error"]
    assert result.entries[1].rounds[0].trajectories == gradients_measure.MOST_PEER // 16
    assert "MemoryError: too many" in result.entries[2].message


def test_ratios_leave_out_who_is_wrong(workers: Path) -> None:
    contenders = [
        ours("two_sided", slope=[1.0]),
        peer("same", slope=[1.0]),
        peer("off", slope=[1.0], off=5),
    ]
    result = compare(JOBS["dimerisation"], contenders, EFFORT, workers, lambda _: None)
    for entry in result.entries:
        cost = 1.0 if entry.is_ours else 12.0
        entry.rounds = [replace(r, gradient_s=cost, firings=(5, 10)) for r in entry.rounds]
    lines = ratio_table([result]).splitlines()
    assert [cell.strip() for cell in lines[2].split("|")][2:4] == ["their same", "12"]
    assert [cell.strip() for cell in lines[3].split("|")][2:4] == ["their off", ""]


def test_peers_are_not_tried_on_trajectories_too_long_for_them(
    workers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradients_measure, "MOST_STEPS", 4)
    contenders = [ours("two_sided", slope=[1.0]), peer("same", slope=[1.0])]
    result: Comparison = compare(JOBS["dimerisation"], contenders, EFFORT, workers, lambda _: None)
    assert [e.status for e in result.entries] == ["ran", "not tried"]
    assert result.named("same") is None


def test_the_tape_simulates_the_same_process() -> None:
    data = plain(JOBS["ion_channel"], 60)
    options = {"temperature": 1.0, "jit_compile": False}
    calls = tensorflow_tape_worker.prepare(SimpleNamespace(**vars(data)), options)
    outcome = calls.gradient(2000, 5)
    totals = np.asarray(outcome.totals)
    cells = sg.simulate(
        sg.load(JOBS["ion_channel"].path),
        readouts=[sg.WindowAverages(data.edges)],
        trajectories=20_000,
        seed=1,
    )
    exact = cells.values("O").sum(axis=1)
    error = np.hypot(totals.std() / np.sqrt(2000), exact.std() / np.sqrt(20_000))
    assert abs(totals.mean() - exact.mean()) < 5.0 * error
    assert np.isfinite(np.asarray(outcome.gradient)).all()
    # Too little room: the statistic of an unfinished trajectory is no number.
    short = tensorflow_tape_worker.prepare(
        SimpleNamespace(**{**vars(data), "steps": 2}), options
    ).forward(50, 5)
    assert np.isnan(np.asarray(short.totals)).all()


def test_bias_and_noise_of_a_known_sample() -> None:
    sample = np.random.default_rng(1).normal([3.0, 5.0], [0.2, 0.0], (4000, 2))
    bias, error, noise = gradients_variance.compare(sample, 16, np.array([3.0, 4.0]), 0.03)
    assert bias == pytest.approx(1.0 / 5.0, rel=0.01)
    assert error == pytest.approx(np.hypot(0.2 / np.sqrt(4000), 0.03) / 5.0, rel=0.05)
    assert noise == pytest.approx(0.2 * 4.0 / 5.0, rel=0.05)


def test_the_models_of_the_study_load_and_their_regimes_differ() -> None:
    for base, regimes in CASES.values():
        assert base in regimes
        assert len({case.at for case in regimes}) == len(regimes)
        for case in regimes:
            assert set(case.parameters) <= set(sg.load(case.text).parameter_ids)


def test_noise_is_tabled_and_drawn(tmp_path: Path) -> None:
    rows = []
    for case in (association(0.1), association(1.0), repressilator(5.0)):
        for temperature in (1.0, 0.1, 0.0):
            rows.append(Row(case, "StraightThrough", temperature, 100, 0.5, 0.01, 7.0))
        rows.append(Row(case, "TwoSidedAdjoint", None, 100, 0.001, 0.002, 0.3))
        rows.append(Row(case, "ScoreFunction", None, 100, message="refused by name"))
    exact = {(r.case.model, r.case.at): "exact" for r in rows}
    study = Study(rows, exact)
    text = variance_report(study, {"cores": "1"}, "noise.png")
    assert "| StraightThrough(0.1) | 7 | 50 ± 1 % | 100 |" in text
    assert "| TwoSidedAdjoint | 0.3 / 0.1 ± 0.2 % | 0.3 / 0.1 ± 0.2 % |" in text
    assert "| ScoreFunction | refused |  | 100 |" in text
    plot(study, tmp_path / "noise.png")
    assert (tmp_path / "noise.png").stat().st_size > 10_000
