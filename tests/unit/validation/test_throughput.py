"""The throughput benchmark: its documents, its processes, its statistics and its tables.

No test measures a speed; a small script written here stands in for other simulators.
"""

# ruff: noqa: E402  the benchmark is a folder of scripts, found only once its path is known

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import ROOT

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.model.operators import evaluate

FOLDER = ROOT / "validation" / "benchmarks"
sys.path += [str(FOLDER), str(FOLDER / "peers")]

import loop
import throughput
from engine_timing import process as throughput_process
from engine_timing.axes import Count, Plan, Results, Start
from engine_timing.contenders import installed, ours, peers
from engine_timing.measure import (
    Comparison,
    Effort,
    Expected,
    Measured,
    Moments,
    Round,
    compare,
    deviate,
    expect,
)
from engine_timing.models import MODELS, Model, Reaction, sbml_lines, sparse, write
from engine_timing.plots import plots
from engine_timing.process import Contender
from engine_timing.tables import as_json, fastest_peer, job_table, report

EFFORT = Effort(rounds=2, seconds=0.001, budget_s=60.0)
DEATH = Model("death", "death", ("X",), (40,), (Reaction({"X": 1}, {}, 1.0),), "X", 1.0, 3)

#: A worker that samples the death process right, at a count that its options may falsify.
WORKER = f"""
import sys
sys.path.insert(0, {str(FOLDER / "peers")!r})
import numpy as np
from loop import Drawn, Ready, serve

def prepare(model, options):
    if options.get("refuse"):
        raise ValueError("no such model")
    def plan(end, points):
        def sample(trajectories, seed):
            print("said by the library")
            if options.get("hang"):
                import time
                time.sleep(600.0)
            if options.get("die"):
                import os
                os.abort()
            draw = np.random.default_rng(seed)
            left = draw.binomial(model.counts[0], np.exp(-end), trajectories)
            return Drawn(left + options.get("off", 0))
        return sample
    return Ready(plan)

def software():
    if {{}}:
        raise ImportError("no such library")
    return "1.2"

serve(software, prepare)
"""


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of workers, `fake` and `absent`, that stands for the benchmark's own."""
    for name, is_absent in (("fake", False), ("absent", True)):
        (tmp_path / f"{name}_worker.py").write_text(WORKER.replace("{}", str(is_absent)))
    monkeypatch.setattr(throughput_process, "WORKERS", tmp_path)
    return tmp_path


def fake(worker: str = "fake", **options: object) -> Contender:
    return Contender(worker, worker, worker, sys.executable, options, None, "pip install it")


def expected() -> Expected:
    """Return the death process's moments, as of many trajectories: binomial(40, exp(-1))."""
    share, number = math.exp(-1.0), 100_000
    squares = (number - 1) * 40 * share * (1 - share)
    return Expected(
        Moments(number, 40 * (1 - share), squares), Moments(number, 40 * share, squares)
    )


def entry(name: str, speeds: list[float], *, is_ours: bool = False, z: float = 0.1) -> Measured:
    rounds = [Round(10, speed, 1.0, 1.0) for speed in speeds]
    return Measured(name, f"the {name}", is_ours, rounds=rounds, z=z)


def job(*entries: Measured, model: Model = DEATH, trajectories: int | None = None) -> Comparison:
    return Comparison(model, expected(), trajectories, list(entries))


SMALL = {**MODELS, "sparse_1000": lambda: sparse(10), "sparse_100000": lambda: sparse(40)}


@pytest.mark.parametrize("name", SMALL)
def test_a_document_has_the_propensities_and_changes_of_its_plain_data(name: str) -> None:
    model = SMALL[name]()
    text = "\n".join(sbml_lines(model))
    assert not [issue for issue in sg.check(text) if issue.blocks]
    lowered = lower(sg.load(text))
    assert tuple(lowered.species_ids) == model.species
    assert len(lowered.channels) == len(model.reactions)
    counts = dict(zip(model.species, (2 + i % 5 for i in range(100)), strict=False))
    parameters = {f"k{i}": r.constant for i, r in enumerate(model.reactions)}
    for channel, reaction in zip(lowered.channels, model.reactions, strict=True):
        wanted = reaction.constant * math.prod(
            math.perm(counts[s], times) for s, times in reaction.reactants.items()
        )
        assert evaluate(channel.propensity, {**counts, **parameters}) == pytest.approx(wanted)
        change = {
            s: reaction.products.get(s, 0) - reaction.reactants.get(s, 0)
            for s in {*reaction.products, *reaction.reactants}
        }
        assert dict(channel.change) == {s: n for s, n in change.items() if n}


def test_workers_read_back_the_plain_data(tmp_path: Path) -> None:
    model = MODELS["schloegl_lattice"]()
    read = loop.read_model(write(model, tmp_path))
    assert (read.species, read.counts) == (model.species, model.counts)
    assert read.reactions == tuple((r.reactants, r.products, r.constant) for r in model.reactions)
    assert loop.letters({"A": 2, "B": 1}) == ["A", "A", "B"]
    assert Path(read.document).read_text() == "\n".join(sbml_lines(model))


@pytest.mark.parametrize("reactions", [10, 11, 12, 100, 1000])
def test_a_firing_of_a_sparse_network_changes_few_propensities(reactions: int) -> None:
    model = sparse(reactions)
    readers = Counter(s for r in model.reactions for s in r.reactants)
    assert len(model.reactions) == reactions
    assert max(readers.values()) <= 4
    assert all(r.reactants != r.products for r in model.reactions)
    assert all(sum(r.reactants.values()) == sum(r.products.values()) for r in model.reactions)


def test_moments_add_up_to_those_of_the_whole() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, 30)
    whole = Moments()
    for part in (values[:4], values[4:5], values[5:]):
        whole += Moments(*loop._moments(part))
    assert whole.number == 30
    assert whole.mean == pytest.approx(values.mean())
    assert whole.sd == pytest.approx(values.std(ddof=1))
    assert whole.error == pytest.approx(values.std(ddof=1) / math.sqrt(30))


def test_a_deviate_is_normal_for_many_and_mild_for_few() -> None:
    many = Moments(10**6, 10.0, 4.0 * 10**6)
    assert deviate(Moments(100, 10.6), many) == pytest.approx(3.0, abs=1e-3)
    assert deviate(Moments(100, 9.0), many) == pytest.approx(-5.0, abs=1e-3)
    few = Moments(4, 10.0, 4.0 * 3)
    assert 0.0 < deviate(Moments(100, 16.0), few) < 3.0
    assert deviate(Moments(3, 2.0), Moments(64, 2.0)) == 0.0
    assert deviate(Moments(3, 1.0), Moments(64, 2.0)) == -math.inf
    assert deviate(Moments(10**6, 500.0), many) > 30.0


def test_a_round_costs_processor_time_and_counts_expected_firings(
    workers: Path, tmp_path: Path
) -> None:
    found = job(trajectories=400)
    compare(found, [fake(), fake(off=3)], write(DEATH, tmp_path), EFFORT, lambda _: None)
    right, wrong = found.entries
    assert (right.status, right.version, len(right.rounds)) == ("ran", "1.2", 2)
    assert right.rounds[0].firings == pytest.approx(400 * 40 * (1 - math.exp(-1.0)))
    assert right.last.number == 800
    assert not right.is_wrong
    assert wrong.is_wrong


@pytest.mark.parametrize(
    ("contender", "status", "said"),
    [
        (fake("absent"), "absent", "no such library"),
        (fake(refuse=True), "error", "no such model"),
        (fake(die=True), "crash", "signal 6"),
        (fake(hang=True), "over budget", "within 3 s"),
        (Contender("big", "big", "fake", sys.executable, {}, 0), "not tried", "above 0 reactions"),
    ],
    ids=lambda value: value.name if isinstance(value, Contender) else None,
)
def test_every_failure_has_its_word_and_stops_no_one_else(
    workers: Path, tmp_path: Path, contender: Contender, status: str, said: str
) -> None:
    found = job(trajectories=10)
    effort = replace(EFFORT, budget_s=3.0 if status == "over budget" else 60.0)
    compare(found, [contender, fake()], write(DEATH, tmp_path), effort, lambda _: None)
    failed, other = found.entries
    assert (failed.status, failed.speed) == (status, None)
    assert said in failed.message
    assert len(other.rounds) == 2
    assert f"{status}: " in job_table(found)


def test_a_peer_that_is_not_installed_is_named_with_what_installs_it(
    workers: Path, tmp_path: Path
) -> None:
    missing = installed([fake(), fake("absent")], tmp_path, lambda _: None)
    assert missing == {"absent": "absent: no such library; pip install it"}
    assert "- not installed: absent (absent: no such library" in report(Results(), {}, missing)


def test_our_firings_are_counted_and_agree_with_what_is_expected(tmp_path: Path) -> None:
    folder = write(DEATH, tmp_path)
    found = expect(DEATH, folder, sys.executable, EFFORT, 5)
    assert found.firings.number >= 64
    assert abs(deviate(found.firings, expected().firings)) < 5.0
    assert abs(deviate(found.last, expected().last)) < 5.0
    table = next(c for c in ours(sys.executable) if c.name == "table_float64_1")
    measured = job(trajectories=50)
    compare(measured, [table], folder, EFFORT, lambda _: None)
    (entry,) = measured.entries
    each = [r.firings / r.trajectories for r in entry.rounds]
    # Every molecule that is not left has died, so counts of firings follow from the last counts.
    assert np.mean(each) == pytest.approx(40.0 - entry.last.mean)
    assert each[0] != each[1]


def test_a_wrong_peer_is_no_yardstick() -> None:
    found = job(
        entry("fast", [90.0, 100.0, 110.0], z=6.0),
        entry("roadrunner", [10.0, 20.0, 30.0]),
        entry("ours", [200.0], is_ours=True),
    )
    best = fastest_peer(found)
    assert best is not None
    assert best.contender == "roadrunner"
    lines = job_table(found).splitlines()
    assert "**wrong**" in lines[4]
    assert "| 2.00e1 [1.00e1, 3.00e1] | 1 | 1 | 3 × 10 | +0.1 |" in lines[5]
    assert "| the ours | 2.00e2 [2.00e2, 2.00e2] | 10 | 10 |" in lines[6]


def full_results() -> Results:
    both = [entry("rebop", [1e6, 2e6]), entry("table_float64_1", [1e7, 2e7], is_ours=True)]
    two = replace(both[1], contender="table_float64_2")
    axes = {
        "grid": [job(*both, model=replace(DEATH, points=n)) for n in (2, 20)],
        "ensemble": [job(*both, trajectories=n) for n in (1, 10)],
        "threads": [job(both[1], two)],
        "sizes": [job(*both, model=sparse(n)) for n in (10, 20)],
    }
    starts = [Start("rebop", "rebop", [0.5]), Start("ours", "ours", [9.0], [1.0], (4, 4))]
    counts = [Count("rebop", "rebop", Moments(9, 5.0, 1.0), Moments(2, 5.0, 1.0), 0.0)]
    return Results(axes, starts, counts)


def test_reports_hold_every_axis_and_their_data_every_round(tmp_path: Path) -> None:
    results = full_results()
    text = report(results, {"processor": "slow"}, {})
    assert "processor: slow" in text
    assert "| 4 files, 0 more by later processes |" in text
    assert "| the table_float64_1 | 1.50e7 | 1.50e7 | 1.00 |" in text
    data = json.loads(as_json(results, {}, {}))
    assert data["axes"]["sizes"][1]["model"]["reactions"] == 20
    assert data["axes"]["grid"][0]["entries"][0]["rounds"][1]["firings"] == 2e6
    names = {path.name for path in plots(results, tmp_path)}
    assert names == {f"throughput_{n}.png" for n in ("grid", "ensemble", "sizes", "start")}
    assert all((tmp_path / name).stat().st_size > 10_000 for name in names)


def test_an_interrupt_keeps_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def grid(_plan: Plan, results: Results) -> None:
        results.axes["grid"] = [job(entry("rebop", [1e6]))]
        raise KeyboardInterrupt

    monkeypatch.setitem(throughput.AXES, "grid", grid)
    code = throughput.main(["--only", "grid", "--peers", "none", "--out", str(tmp_path)])
    assert code == 130
    assert "1.00e6" in (tmp_path / "throughput.md").read_text()
    assert (tmp_path / "throughput_grid.png").exists()
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("given", [["--only", "grid,nothing"], ["--budget", "0"], ["--peers", "x"]])
def test_wrong_arguments_end_with_two(given: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        throughput.main(given)
    assert ended.value.code == 2


def test_every_peer_has_a_worker() -> None:
    assert all((FOLDER / "peers" / f"{p.worker}_worker.py").exists() for p in peers("python"))
