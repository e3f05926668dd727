"""`validate` with referees whose faults are known, and with libRoadRunner."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from networks import antimony, network
from numpy.typing import NDArray

from sbmlgrad.errors import RefereeError, RequestError, UnsupportedModelError
from sbmlgrad.io.formats import load
from sbmlgrad.referees import Referee, RefereeResult, RoadRunner
from sbmlgrad.referees.moments import moments
from sbmlgrad.referees.validate import validate
from sbmlgrad.simulation import simulate


@dataclass(frozen=True)
class Replay:
    """A referee that reads the document with sbmlgrad, with one parameter off by a factor."""

    factors: dict[str, float] = field(default_factory=dict)
    name: str = "replay"
    install_with: str = "nothing"
    seeds: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def is_available(self) -> bool:
        return True

    def sample(
        self,
        document: bytes,
        species: Sequence[str],
        times: NDArray[np.float64],
        trajectories: int,
        seed: int,
        timeout_s: float,
    ) -> RefereeResult:
        model = load(document.decode())
        values = dict(zip(model.parameter_ids, model.parameter_values, strict=True))
        wrong = {p: values[p] * factor for p, factor in self.factors.items()}
        found = simulate(model, wrong, times=times, trajectories=trajectories, seed=seed)
        places = [model.species_ids.index(s) for s in species]
        of = moments([found.counts[:, :, places]])
        self.seeds.append(seed)
        self.numbers.append(trajectories)
        return RefereeResult(
            self.name, "1", {"seed": str(seed)}, of.mean, of.variance, of.fourth_moment,
            trajectories, 0.0,
        )  # fmt: skip


@dataclass(frozen=True)
class Absent(Replay):
    name: str = "absent"
    install_with: str = "pip install absent"

    def is_available(self) -> bool:
        return False


def test_the_right_one_agrees() -> None:
    judge = Replay()
    assert isinstance(judge, Referee)
    report = validate(network("enzyme"), judge, times=[1, 2, 4], trajectories=500, seed=1)
    assert report.agrees
    assert report.seed == 1
    (found,) = report.comparisons
    assert found.species == ("S", "E", "ES", "P")
    assert found.confirmation is None
    assert found.names[1] == "replay 1"
    assert "no disagreement found" in str(report)
    assert json.loads(json.dumps(report.as_dict(), allow_nan=False))["agrees"] is True


def test_a_wrong_rate_disagrees_after_confirmation() -> None:
    judge = Replay({"kc": 1.5})
    report = validate(network("enzyme"), judge, times=[1, 2, 4], trajectories=400, seed=2)
    assert not report.agrees
    (found,) = report.comparisons
    assert found.confirmation is not None
    assert found.confirmation.ours.trajectories == 1600
    assert judge.numbers == [400, 1600]
    assert len(set(judge.seeds)) == 2
    assert "DISAGREEMENT" in str(report)


def test_the_seed_decides_everything() -> None:
    def run(seed: int | None) -> list[float]:
        report = validate(network("hill"), Replay(), times=[2], trajectories=50, seed=seed)
        return [report.comparisons[0].ours.mean.item(), report.comparisons[0].theirs.mean.item()]

    assert run(5) == run(5) != run(6)
    assert run(5)[0] != run(5)[1]
    drawn = validate(network("hill"), Replay(), times=[2], trajectories=50)
    assert run(drawn.seed) == [
        drawn.comparisons[0].ours.mean.item(),
        drawn.comparisons[0].theirs.mean.item(),
    ]


def test_parameters_reach_both_sides() -> None:
    model = network("immigration_death")
    given = {"alpha": 20.0}
    report = validate(model, Replay(), parameters=given, times=[1, 5], trajectories=400, seed=3)
    assert report.agrees
    expected = 50.0 * (1.0 - np.exp(-2.0))
    assert report.comparisons[0].theirs.mean[1, 0] == pytest.approx(expected, rel=0.05)


def test_volumes_local_parameters_and_fixed_species_are_resolved() -> None:
    report = validate(
        network("michaelis_menten"), Replay(), times=[0.5, 1, 3], trajectories=400, seed=4
    )
    assert report.agrees
    assert report.comparisons[0].ours.mean[0, 0] > 10.0  # counts, not concentrations


def test_small_batches_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> NDArray[np.float64]:
        report = validate(network("hill"), Replay(), times=[1, 2], trajectories=70, seed=9)
        return report.comparisons[0].ours.variance

    whole = run()
    monkeypatch.setattr("sbmlgrad.referees.sampling.BATCH_VALUES", 20)
    np.testing.assert_allclose(run(), whole, rtol=1e-12)


def test_species_without_reactions_are_left_out() -> None:
    model = antimony(
        "substanceOnly species A in cell, Idle in cell; A = 9; Idle = 4; k = 1; J: A => ; k*A;"
    )
    report = validate(model, Replay(), times=[1], trajectories=50, seed=1)
    assert report.comparisons[0].species == ("A",)
    still = antimony("substanceOnly species A in cell; A = 9; k = 1; J: A => A; k*A;")
    with pytest.raises(RequestError, match="no reaction changes any species"):
        validate(still, Replay(), times=[1])


def test_progress_ends_complete() -> None:
    calls: list[tuple[int, int]] = []
    validate(
        network("hill"), Replay(), times=[1], trajectories=50, seed=1,
        progress=lambda done, total: calls.append((done, total)),
    )  # fmt: skip
    # Trajectories under way may be told of, too.
    assert {(50, 100), (100, 100)} <= set(calls)
    assert calls == sorted(set(calls))
    calls.clear()
    validate(
        network("hill"), Replay({"v": 3.0}), times=[3], trajectories=100, seed=1,
        progress=lambda done, total: calls.append((done, total)),
    )  # fmt: skip
    assert {(100, 200), (200, 200), (600, 1000), (1000, 1000)} <= set(calls)
    assert calls == sorted(set(calls))
    assert calls[-1] == (1000, 1000)


def test_plots_of_several_referees(tmp_path: Path) -> None:
    judges = [Replay(name="one"), Replay(name="two")]
    report = validate(
        network("hill"), judges, times=[1, 2], trajectories=50, seed=1, plot=tmp_path / "o.png"
    )
    assert len(report.comparisons) == 2
    assert {p.name for p in tmp_path.iterdir()} == {"o_one.png", "o_two.png"}
    # The stated error is that of the whole run.
    assert [c.family_wise_error for c in report.comparisons] == [5e-4, 5e-4]
    validate(
        network("hill"), judges[0], times=[1], trajectories=50, seed=1, plot=tmp_path / "p.png"
    )
    assert (tmp_path / "p.png").stat().st_size > 1000


def test_absent_ones_are_left_out_where_others_remain() -> None:
    report = validate(network("hill"), [Absent(), Replay()], times=[1], trajectories=50, seed=1)
    assert [c.names[1] for c in report.comparisons] == ["replay 1"]
    assert report.skipped["absent"] == ("not installed; install it with pip install absent",)
    assert "'absent' was not asked: not installed" in str(report)


def test_refusals() -> None:
    model = network("hill")
    with pytest.raises(RequestError, match="must increase"):
        validate(model, Replay(), times=[2, 1])
    with pytest.raises(RequestError, match="no referee 'nobody'"):
        validate(model, "nobody", times=[1])
    with pytest.raises(RequestError, match="at least one referee"):
        validate(model, (), times=[1])
    with pytest.raises(RequestError, match="trajectories=1"):
        validate(model, Replay(), times=[1], trajectories=1)
    with pytest.raises(RequestError, match="timeout_s=0"):
        validate(model, Replay(), times=[1], timeout_s=0)
    with pytest.raises(RequestError, match="seed=-1"):
        validate(model, Replay(), times=[1], seed=-1)
    with pytest.raises(RequestError, match="family_wise_error=2"):
        validate(model, Replay(), times=[1], family_wise_error=2)
    with pytest.raises(
        RefereeError, match="'absent': not installed; install it with pip install absent"
    ):
        validate(model, Absent(), times=[1])
    with pytest.raises(RequestError, match="within_s=0"):
        validate(model, Replay(), times=[1], within_s=0)
    unknown = antimony("substanceOnly species A in cell; A = 9; const k; J: A => ; k*A;")
    with pytest.raises(UnsupportedModelError, match="parameter_value_missing"):
        validate(unknown, Replay(), times=[1])


needs_roadrunner = pytest.mark.skipif(
    not RoadRunner().is_available(), reason="roadrunner is not installed"
)


@needs_roadrunner
@pytest.mark.parametrize(
    "text",
    [
        """substanceOnly species G in cell, P in cell; G = 1; P = 3; on = 0.7; off = 1.1;
        J0: G -> ; off*G - on*(1 - G);
        J1: => P; 20*G; J2: P => ; 0.8*P;""",
        """compartment tube = 2.5; species A in tube, B in tube, D in tube;
        A = 24; B = 20; D = 0;
        J0: A + B -> D; tube*(0.02*A*B - 0.3*D);
        J1: D => 2 A; tube*0.05*D;""",
    ],
    ids=["gene", "volume"],
)
def test_roadrunner_agrees(text: str) -> None:
    report = validate(antimony(text), times=[0.3, 1, 1.7, 4], trajectories=4000, seed=11)
    assert report.agrees, str(report)
    assert report.comparisons[0].settings["integrator"] == "gillespie"
