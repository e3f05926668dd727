"""`validate` where nothing happens, referees fail, time runs out, or a run is to be repeated."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faulty_referee import Judge
from networks import MODELS, antimony, network

from sbmlgrad.cli.app import BAD_INPUT, FAILED, NO, OK, run
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import RefereeError, RequestError, SimulationError
from sbmlgrad.referees import Fsp, RateEquations, RefereeResult, RefusedError
from sbmlgrad.referees.report.validation import READING
from sbmlgrad.referees.still import not_compared
from sbmlgrad.referees.validate import validate
from sbmlgrad.referees.work import Work

SLOW = "substanceOnly species A in cell; A = 100; k = 1e-9; J: A => ; k*A;"
FAST = "substanceOnly species X in cell; X = 0; k = 1e9; J: => X; k;"
CHANNEL = str(MODELS / "ion_channel.xml")
SHORT = ["--times", "0:2:2", "--trajectories", "100", "--seed", "1"]


def test_nothing_happened_is_no_agreement() -> None:
    report = validate(antimony(SLOW), Judge(), times=[1, 10], trajectories=100, seed=1)
    assert not report.agrees
    assert not report.disagrees
    assert report.comparisons[0].is_still
    text = str(report)
    assert "NOTHING HAPPENED" in text
    assert "\nNothing happened by time 10" in text
    # Ten firings at 100 molecules times 1e-9 each.
    assert "--times 0:1e+08:10" in text
    assert " agree" not in text.replace("no agreement", "")
    assert "Nothing happened" in report.as_html()
    assert report.as_dict()["agrees"] is False
    assert "nothing happened by time 10" in report.as_dict()["nothing_happened"]


def test_one_side_that_moves_is_a_disagreement() -> None:
    lively = Judge(factors={"k": 1e9})
    report = validate(antimony(SLOW), lively, times=[1], trajectories=100, seed=1)
    assert report.disagrees
    assert not report.agrees
    assert not report.still
    # The same the other way round: ours moves and the referee does nothing.
    dead = Judge(factors={"k": 1e-12})
    model = antimony(SLOW).with_parameters({"k": 1.0})
    assert validate(model, dead, times=[1], trajectories=100, seed=1).disagrees


def test_nothing_can_happen_where_every_propensity_is_zero() -> None:
    model = antimony("substanceOnly species X in cell; X = 0; k = 1; J: X => ; k*X;")
    report = validate(model, Judge(), trajectories=50, seed=1)
    assert "every propensity is 0" in report.still
    assert report.chosen.startswith("0:10:10,")


def test_a_state_that_only_firings_betray_has_moved() -> None:
    # Whenever it is looked at, the state is the same; firings there are all the same.
    model = antimony(
        "substanceOnly species X in cell, Y in cell; X = 0; Y = 5; J: => X; 3; K: X => ; X;"
    )
    assert validate(model, Judge(), times=[1], trajectories=100, seed=1).agrees


def test_the_command_ends_with_2_where_nothing_happened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "slow.ant"
    file.write_text(f"model slow\n compartment cell = 1; {SLOW}\nend\n", encoding="utf-8")
    asked = ["validate", str(file), "--against", "fsp", "--trajectories", "100", "--seed", "1"]
    assert run([*asked, "--times", "0:10:2"]) == BAD_INPUT
    assert "NOTHING HAPPENED" in capsys.readouterr().out
    # The times that are chosen where none are named follow the model.
    assert run(asked) == OK
    assert "times: 0:5e+09:10, chosen since none were named" in capsys.readouterr().out


def test_a_failure_loses_no_disagreement() -> None:
    model = network("hill")
    judges = [Judge("wrong", {"v": 3.0}), Judge("broken", breaks_from=0)]
    report = validate(model, judges, times=[3], trajectories=100, seed=1)
    assert report.disagrees
    assert dict(report.failed) == {"broken": "referee 'broken' burnt down"}
    for text in (str(report), report.as_html()):
        assert "burnt down" in text
    assert "DISAGREEMENT; no result from 'broken'" in str(report)
    assert report.as_dict()["failed"] == {"broken": "referee 'broken' burnt down"}
    # Of a right one the comparison stands, and what failed is told beside it.
    report = validate(model, [judges[1], Judge()], times=[3], trajectories=100, seed=1)
    assert report.agrees
    assert set(report.failed) == {"broken"}


@dataclass(frozen=True)
class Clumsy(Judge):
    """Raises what no referee should."""

    name: str = "clumsy"

    def sample(self, *_: Any, **__: Any) -> RefereeResult:
        raise KeyError("spam")


def test_one_referee_twice_is_refused() -> None:
    with pytest.raises(RequestError, match=r"'judge' is there more than once"):
        validate(antimony(SLOW), [Judge(), Judge()], times=[1], trajectories=100, seed=1)


def test_what_the_confirming_run_does_not_tell_is_no_agreement() -> None:
    class Forgetful(Judge):
        def sample(self, *arguments: Any) -> RefereeResult:
            found = super().sample(*arguments)
            return found if found.trajectories <= 400 else replace(found, counts=None)

    model = antimony("substanceOnly species A in cell; A = 100; k = 1; J: A => ; k*A;")
    with pytest.raises(RefereeError, match=r"that was to confirm it told nothing of .*no verdict"):
        validate(model, Forgetful(factors={"k": 1.5}), times=[1], trajectories=400, seed=1)


def test_whatever_a_referee_raises_is_its_own_failure() -> None:
    model = network("hill")
    report = validate(model, [Clumsy(), Judge()], times=[3], trajectories=100, seed=1)
    assert report.agrees, "the others are asked all the same"
    assert "referee 'clumsy' ended by an unforeseen KeyError: 'spam'" in report.failed["clumsy"]
    # What failed took a share of the error, so that the rest repeats with its own.
    (again,) = report.repeating
    assert f"family_wise_error={report.comparisons[0].family_wise_error!r}" in again


@pytest.mark.parametrize("given", [None, "lists", "words"])
def test_answers_are_looked_at_before_they_are_compared(given: str | None) -> None:
    class Odd(Judge):
        def sample(self, *arguments: Any, **named: Any) -> Any:
            right = super().sample(*arguments, **named)
            assert right.counts is not None
            if given == "lists":
                return replace(right, counts=right.counts.tolist(), mean=right.mean.tolist())
            return None if given is None else replace(right, counts=[["a"]])

    report = validate(network("hill"), [Odd("odd"), Judge()], times=[3], trajectories=50, seed=1)
    assert report.agrees
    assert bool(report.failed) == (given != "lists")


def test_objections_that_break_leave_a_referee_out() -> None:
    class Lost(Judge):
        def objections(self, *_: Any) -> tuple[str, ...]:
            raise IndexError("lost")

    report = validate(network("hill"), [Lost("lost"), Judge()], times=[3], trajectories=50, seed=1)
    assert report.agrees
    assert "IndexError: lost" in report.skipped["lost"][0]


def test_one_that_cannot_tell_whether_it_is_installed_is_left_out() -> None:
    class Lost(Judge):
        def is_available(self) -> bool:
            raise OSError("no disk")

    options = {"times": [3], "trajectories": 50, "seed": 1}
    report = validate(network("hill"), [Lost("lost"), Judge()], **options)
    assert report.agrees
    assert "OSError: no disk" in report.skipped["lost"][0]
    with pytest.raises(RefereeError, match="no referee is left") as caught:
        validate(network("hill"), Lost("lost"), **options)
    assert "'lost': referee 'lost' ended by an unforeseen OSError: no disk" in str(caught.value)


def test_a_referee_hears_of_the_times_that_are_chosen() -> None:
    class Even(Judge):
        def objections(self, _: Any, times: Any) -> tuple[str, ...]:
            return () if np.allclose(np.diff(times, 2), 0.0) else ("it takes even steps only",)

    model = antimony("substanceOnly species X in cell; X = 0; J0: => X; 1;")
    options = {"trajectories": 50, "seed": 1}
    report = validate(model, [Even("even"), Judge()], **options)
    assert report.skipped["even"] == ("it takes even steps only",)
    with pytest.raises(RefereeError, match="it takes even steps only"):
        validate(model, Even("even"), **options)
    assert not validate(model, Even("even"), times=[0, 1, 2], **options).skipped


def test_what_is_no_network_is_refused_whoever_is_asked() -> None:
    class Absent(Judge):
        def is_available(self) -> bool:
            return False

    with pytest.raises(RequestError, match="validate"):
        validate("model.xml", Absent("absent"), times=[1])  # type: ignore[arg-type]


def test_a_failure_in_the_confirming_run_leaves_no_verdict() -> None:
    model = network("hill")
    wrong = Judge("wrong", {"v": 3.0}, breaks_from=400)
    report = validate(model, [wrong, Judge()], times=[3], trajectories=100, seed=1)
    assert [c.referee for c in report.comparisons] == ["judge"]
    assert "DISAGREE, and the run that was to confirm it failed" in report.failed["wrong"]
    assert "burnt down" in report.failed["wrong"]


def test_no_comparison_at_all_is_an_error() -> None:
    model, broken = network("hill"), Judge("broken", breaks_from=0)
    with pytest.raises(RefereeError, match=r"^referee 'broken' burnt down$"):
        validate(model, broken, times=[3], trajectories=100, seed=1)
    judges = [broken, Judge("again", breaks_from=0), Judge("silent", words=("it is tired",))]
    with pytest.raises(RefereeError, match="no comparison could be made") as caught:
        validate(model, judges, times=[3], trajectories=100, seed=1)
    for words in ("'broken' failed", "'again' failed", "'silent': it is tired"):
        assert words in str(caught.value)


def test_a_failure_of_ours_loses_nothing_either(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Work.first

    def first(self: Work, judge: Any, trajectories: int) -> Any:
        if judge.name == "late":
            raise SimulationError("too many firings")
        return right(self, judge, trajectories)

    monkeypatch.setattr(Work, "first", first)
    model, late = network("hill"), Judge("late")
    report = validate(model, [Judge(), late], times=[3], trajectories=100, seed=1)
    assert report.agrees
    assert dict(report.failed) == {"late": "too many firings"}
    with pytest.raises(SimulationError, match="too many firings"):
        validate(model, [late, Judge()], times=[3], trajectories=100, seed=1)


@pytest.fixture
def broken_ode(monkeypatch: pytest.MonkeyPatch) -> None:
    def solve(self: RateEquations, *_: Any) -> Any:
        raise RefereeError("the tape tore")

    monkeypatch.setattr(RateEquations, "solve", solve)


def test_the_command_ends_with_3_where_one_failed(
    broken_ode: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "checked"
    asked = ["validate", CHANNEL, "--against", "ode,fsp", *SHORT, "--out", str(out)]
    assert run(asked) == FAILED
    assert "no disagreement found; no result from 'ode'" in capsys.readouterr().out
    data = json.loads((out / "validation.json").read_text(encoding="utf-8"))
    assert len(data["comparisons"]) == 1
    assert data["failed"] == {"ode": "the tape tore"}
    assert "the tape tore" in (out / "validation.html").read_text(encoding="utf-8")


def test_a_disagreement_counts_more_than_a_failure(
    broken_ode: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = Fsp.solve

    def solve(self: Fsp, document: bytes, species: Any, times: Any, timeout_s: float) -> Any:
        # What is true at another time.
        return right(self, document, species, np.asarray(times) * 3.0, timeout_s)

    monkeypatch.setattr(Fsp, "solve", solve)
    assert run(["validate", CHANNEL, "--against", "ode,fsp", *SHORT]) == NO
    assert "the tape tore" in capsys.readouterr().out


@pytest.mark.parametrize("limits", [{"timeout_s": 0.4, "trajectories": 20}, {"within_s": 0.4}])
def test_our_own_side_has_a_time_limit(limits: dict[str, float]) -> None:
    with pytest.raises(SimulationError, match=r"did not end within 0\.4 s") as caught:
        validate(antimony(FAST), Judge(), times=[1e4], seed=1, **limits)  # pyright: ignore[reportArgumentType]
    # 1e5 firings of one in 1e-9, within one per cent.
    found = re.search(r"makes 100,000 firings by time (\S+) already", str(caught.value))
    assert found is not None
    assert float(found[1]) == pytest.approx(1e-4, rel=0.02)
    assert "timeout_s, --timeout" in str(caught.value)


def test_structural_refusals_come_before_any_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    def simulated(*_: Any, **__: Any) -> Any:
        raise AssertionError("simulated")

    monkeypatch.setattr("sbmlgrad.referees.validate.simulate", simulated)
    monkeypatch.setattr("sbmlgrad.referees.horizon.simulate", simulated)
    judge = Judge(words=("it is tired",))
    with pytest.raises(RefereeError, match="'judge': it is tired"):
        validate(network("hill"), judge, seed=1)
    with pytest.raises(AssertionError, match="simulated"):
        validate(network("hill"), [judge, Judge("ready")], seed=1)


def test_a_referee_has_the_same_seeds_whoever_else_is_asked() -> None:
    model, one, two = network("hill"), Judge("one"), Judge("two")
    both = validate(model, [one, two], times=[2], trajectories=50, seed=4)
    alone = validate(model, two, times=[2], trajectories=50, seed=4)
    np.testing.assert_array_equal(both.comparisons[1].z, alone.comparisons[0].z)
    assert (both.comparisons[0].ours.mean != both.comparisons[1].ours.mean).any()


def test_a_report_says_how_to_repeat_it(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {"one": 60, "two": 90}
    monkeypatch.setattr(Work, "fitting", lambda self, judge, *_: numbers[judge.name])
    model, judges = network("hill"), [Judge("one"), Judge("two")]
    both = validate(model, judges, times=[2], seed=4)
    assert len(both.repeating) == 2
    for comparison, judge, line in zip(both.comparisons, judges, both.repeating, strict=True):
        assert f"against='{judge.name}', trajectories={numbers[judge.name]}, seed=4" in line
        again = validate(
            model, judge, times=[2], seed=4, trajectories=comparison.ours.trajectories,
            family_wise_error=comparison.family_wise_error,
        ).comparisons[0]  # fmt: skip
        np.testing.assert_array_equal(again.z, comparison.z)
        assert again.bound == pytest.approx(comparison.bound, rel=1e-12)
    one = validate(model, judges[0], times=[2], seed=4)
    assert one.repeating == ("validate(..., trajectories=60, seed=4)",)


def test_the_command_says_how_to_repeat_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = {"fsp": 60, "ode": 90}
    monkeypatch.setattr(Work, "fitting", lambda self, judge, *_: numbers[judge.name])
    asked = ["validate", CHANNEL, "--against", "fsp,ode", "--json"]
    assert run([*asked, "--set", "c_o=0.6", "--initial", "round"]) == OK
    first = json.loads(capsys.readouterr().out)
    assert first["times_chosen"].startswith("0:10:10,")
    for line, expected in zip(first["repeat_with"], first["comparisons"], strict=True):
        words = shlex.split(line)
        assert words[0] == "sbmlgrad"
        assert run([*words[1:], "--json"]) == OK
        again = json.loads(capsys.readouterr().out)
        assert again["comparisons"][0]["mean"] == expected["mean"]
        assert again["comparisons"][0]["bound"] == pytest.approx(expected["bound"], rel=1e-9)


def test_species_that_are_not_compared_are_listed() -> None:
    text = (
        "substanceOnly species A in cell, Idle in cell, $B in cell, C in cell, M in cell{}; A = 9;"
        "Idle = 4; B = 3; C = 2; M := 2*A; k = 1; J: A + B => ; k*A; K: C => C; k; {}"
    )
    words = {
        "Idle": "changed by no reaction or event",
        "B": "constant or at the boundary, so that reactions do not change it",
        "C": "what reactions take of it they give back",
        "M": "set by an assignment rule",
    }
    report = validate(antimony(text.format("", "")), Judge(), times=[1], trajectories=50, seed=1)
    assert dict(report.left_out) == words
    for shown in (str(report), report.as_html()):
        assert f"Species that are not compared: Idle ({words['Idle']}); B" in shown
    assert report.as_dict()["left_out"] == words
    rates = antimony(text.format(", R in cell, E in cell", "R = 1; R' = 0.1*R; at 3: E = 2.5;"))
    more = not_compared(lower(rates), ["A"])
    assert more.pop("R") == "moved by a rate rule, not in whole molecules"
    assert more.pop("E") == "set by events alone, to amounts that need not be whole"
    assert more == words


def test_what_no_comparison_can_find_is_said() -> None:
    report = validate(network("hill"), Judge(), times=[1], trajectories=50, seed=1)
    assert READING in str(report)
    assert "a wrong reading of the file shows on neither" in report.as_html()


def test_a_refusal_beside_a_failure_is_told_apart() -> None:
    @dataclass(frozen=True)
    class Refuser(Judge):
        def sample(self, *_: Any, **__: Any) -> Any:
            raise RefusedError("it knows no such thing")

    judges = [Refuser("shy"), Judge("broken", breaks_from=0), Judge()]
    report = validate(network("hill"), judges, times=[1], trajectories=50, seed=1)
    assert set(report.skipped) == {"shy"}
    assert set(report.failed) == {"broken"}
