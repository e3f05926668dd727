"""What a problem says of how to fit it is done, unless the caller says something else."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
from networks import antimony

import sbmlgrad as sg
from sbmlgrad.cli.app import run
from sbmlgrad.cli.exit import BAD_INPUT, OK
from sbmlgrad.errors import DataError, RequestError
from sbmlgrad.fit import run as fit_module
from sbmlgrad.fit.objectives import MeanTrajectory, Moments
from sbmlgrad.fit.problem_settings import overruled, settings_of, with_problem_settings
from sbmlgrad.fit.settings import Settings
from sbmlgrad.fit.spelled import ESTIMATORS, spelled_estimator
from sbmlgrad.gradients import FiniteDifference, TwoSidedAdjoint
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.io.formula_text import formula_of
from sbmlgrad.io.petab import load_petab, write_petab
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.problem import Experiment, Observable, Problem, ProblemParameter

SAID = {
    "trajectories": 40,
    "seed": 11,
    "estimator": "FiniteDifference(relative_step=0.2)",
    "objective": "Moments",
}


def problem_saying(**settings: object) -> Problem:
    """Return a problem with replicates, so that means and moments can be fitted."""
    times = np.array([1.0, 1.0, 3.0, 3.0])
    return Problem(
        network=antimony("species X in cell; X = 0; a = 2; mu = 0.4; B: -> X; a; D: X -> ; mu*X;"),
        observables=(Observable("seen", formula_of("X"), Noise("normal", formula_of("1"))),),
        measurements=Measurements(
            ("seen",), times, np.zeros(4, dtype=np.int64), np.array([1.0, 2.0, 3.0, 4.0]),
            ("1", "2", "1", "2"), ("e",) * 4,
        ),
        parameters=(ProblemParameter("a", 1.5, 0.1, 10.0),),
        experiments=(Experiment("e"),),
        name="birth",
        settings=MappingProxyType(settings),
    )  # fmt: skip


def test_settings_of_a_problem_decide_where_nothing_is_said() -> None:
    problem = problem_saying(**SAID)
    result = sg.fit(problem, epochs=2, refine=False)
    assert result.trajectories_history.tolist() == [40, 40]
    assert result.seed == 11
    assert result.objective == Moments().name
    assert result.estimator == FiniteDifference(relative_step=0.2).name
    for name, value in (("trajectories", 40), ("seed", 11)):
        assert f"{name} {value}, as the problem says" in result.assumptions
    assert f"objective {Moments().name}, as the problem says" in result.assumptions
    same = sg.fit(
        problem_saying(),
        epochs=2,
        refine=False,
        trajectories=40,
        seed=11,
        objective=Moments(),
        estimator=FiniteDifference(relative_step=0.2),
    )
    np.testing.assert_array_equal(result.loss_history, same.loss_history)
    assert result.arguments == same.arguments
    assert not any("as the problem says" in one for one in same.assumptions)


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"trajectories": 30}, "trajectories"),
        ({"seed": 3}, "seed"),
        ({"objective": MeanTrajectory()}, "objective"),
        ({"estimator": TwoSidedAdjoint()}, "estimator"),
    ],
)
def test_what_the_caller_says_wins(given, left) -> None:
    settings, words = with_problem_settings(problem_saying(**SAID), Settings(**given))
    assert getattr(settings, left) == given[left]
    assert not any(one.startswith(left) for one in words)
    assert len(words) == 3
    others = {"trajectories": 40, "seed": 11, "objective": Moments(),
              "estimator": FiniteDifference(relative_step=0.2)}  # fmt: skip
    for name in others.keys() - {left}:
        assert getattr(settings, name) == others[name]


@pytest.mark.parametrize(("given", "taken"), [(None, 40), (256, 256), (8, 8)])
def test_an_argument_of_fit_wins_even_if_it_is_the_default(monkeypatch, given, taken) -> None:
    seen = []

    def solved(problem, settings, assumptions):
        seen.append(with_problem_settings(problem, settings)[0].trajectories)

    monkeypatch.setattr(fit_module, "solve", solved)
    fit_module.fit(problem_saying(trajectories=40), trajectories=given)
    assert seen == [taken]


def test_settings_that_say_nothing_new_are_not_mentioned() -> None:
    plain = Settings()
    settings, words = with_problem_settings(
        problem_saying(trajectories=plain.trajectories, noise="estimated from the data"), plain
    )
    assert settings.trajectories == plain.trajectories
    assert words == ()


def test_rate_equations_take_the_seed_and_say_what_they_cannot_use() -> None:
    problem = problem_saying(**SAID, note="for the paper")
    result = sg.fit(problem, engine=sg.engines.ODE())
    assert result.seed == 11
    told = [one for one in result.assumptions if one.startswith("setting ")]
    assert [one.split("'")[1] for one in told] == ["trajectories", "estimator", "objective", "note"]
    assert all("the rate equations do not use it" in one for one in told[:3])
    assert told[3] == "setting 'note' of the problem is kept; a fit does not use it"


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("trajectories", "many", "whole number"),
        ("trajectories", 1, "whole number"),
        ("trajectories", True, "whole number"),
        ("seed", -1, "whole number"),
        ("seed", 0.5, "whole number"),
        ("objective", "mean", "choose one of Distribution"),
        ("objective", "Moments(covariances=True)", "no setting covariances"),
        ("objective", 3, "is no text"),
        ("objective", "Moments(open('x'))", "settings as in Python"),
        ("objective", "DwellTimes", "fit from Python"),
        ("estimator", "two_sided_adjoint", "choose one of Adjoint"),
        ("estimator", "StraightThrough(temperature=-1.0)", "temperature"),
        ("estimator", "open('x')", "choose one of Adjoint"),
        ("estimator", ["TwoSidedAdjoint"], "is no text"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(setting, value, words) -> None:
    problem = problem_saying(**{setting: value})
    with pytest.raises(DataError, match=words) as caught:
        sg.fit(problem, epochs=1)
    assert f"problem 'birth', setting '{setting}'" in str(caught.value)
    with pytest.raises(DataError, match=f"^problem.yaml, setting '{setting}'"):
        settings_of(problem, "problem.yaml")


def test_estimators_are_spelled_as_results_record_them() -> None:
    for name in ESTIMATORS:
        estimator = spelled_estimator(name, "here", "")
        assert isinstance(estimator, Estimator)
        assert spelled_estimator(estimator.name, "here", "") == estimator


def test_a_caller_overrules_what_is_kept_of_a_problem() -> None:
    problem = problem_saying(**SAID)
    changed = overruled(problem, {"trajectories": 256, "seed": None, "objective": None})
    assert changed.settings == {**SAID, "trajectories": 256}
    assert overruled(problem_saying(), {"trajectories": 256}).settings == {}


def test_results_say_of_the_problem_what_was_done() -> None:
    given = {"trajectories": 30, "seed": 3, "objective": MeanTrajectory()}
    given["estimator"] = TwoSidedAdjoint()
    result = sg.fit(problem_saying(**SAID, note="kept"), epochs=2, refine=False, **given)
    assert dict(result.problem.settings) == {
        "trajectories": 30,
        "seed": 3,
        "objective": MeanTrajectory().name,
        "estimator": TwoSidedAdjoint().name,
        "note": "kept",
    }
    again = sg.fit(result.problem, epochs=2, refine=False)
    np.testing.assert_array_equal(again.loss_history, result.loss_history)


class Unspelled(MeanTrajectory):
    """An objective of the caller's own."""

    @property
    def name(self) -> str:
        """Of which nothing can be made again."""
        return "Unspelled(data=...)"


def test_an_objective_that_no_text_can_say_leaves_no_other_in_the_problem() -> None:
    result = sg.fit(problem_saying(**SAID), epochs=1, refine=False, objective=Unspelled())
    assert result.objective == "Unspelled(data=...)"
    assert result.problem.settings.keys() == SAID.keys() - {"objective"}


@pytest.mark.parametrize("given", [{"seed": -1}, {"trajectories": 1}])
def test_a_wrong_argument_is_not_taken_for_a_setting_of_the_problem(given) -> None:
    with pytest.raises(RequestError, match=f"^{next(iter(given))}"):
        sg.fit(problem_saying(**SAID), **given)


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_petab(problem_saying(**SAID), tmp_path / "problem")


def test_the_command_line_follows_the_problem(file, capsys) -> None:
    arguments = ["fit", str(file), "--epochs", "2", "--uncertainty", "none", "--quiet"]
    assert run([*arguments, "--out", "out"]) == OK
    result = sg.load_result("out/fit.nc")
    assert result.trajectories_history.tolist() == [40, 40]
    assert (result.seed, result.objective) == (11, Moments().name)
    assert "trajectories 40, as the problem says" in result.assumptions
    assert "as the problem says" in (file.parent.parent / "out" / "report.html").read_text("utf-8")


def test_options_of_the_command_line_win(file, capsys) -> None:
    """Also the number that would be taken anyway, 256: it is given, so it is no default."""
    options = ["--trajectories", "256", "--seed", "5", "--objective", "MeanTrajectory"]
    arguments = ["fit", str(file), "--epochs", "1", "--uncertainty", "none", "--quiet"]
    assert run([*arguments, *options, "--out", "out"]) == OK
    result = sg.load_result("out/fit.nc")
    assert result.trajectories_history.tolist() == [256]
    assert (result.seed, result.objective) == (5, MeanTrajectory().name)
    assert result.estimator == FiniteDifference(relative_step=0.2).name
    written = load_petab("out/petab/problem.yaml").settings
    assert written["trajectories"] == 256
    # What is kept of the problem repeats the fit.
    again = sg.fit(result.problem, epochs=1, seed=5, objective=MeanTrajectory())
    assert again.trajectories_history.tolist() == [256]


def test_a_dry_run_tells_what_the_problem_says(file, capsys) -> None:
    assert run(["fit", str(file), "--dry-run", "--out", "out"]) == OK
    assert "trajectories 40, as the problem says" in capsys.readouterr().out
    assert run(["fit", str(file), "--most-trajectories", "39", "--out", "out"]) == BAD_INPUT
    assert "is below --trajectories 40" in capsys.readouterr().err


def test_the_command_line_names_file_and_setting(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_petab(problem_saying(trajectories=1000), tmp_path / "problem")
    path.write_text(path.read_text().replace("trajectories: 1000", "trajectories: a lot"))
    assert run(["fit", str(path), "--out", "out"]) == BAD_INPUT
    assert "problem.yaml, setting 'trajectories'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    # What is overruled need not be understood.
    assert run(["fit", str(path), "--trajectories", "50", "--dry-run", "--out", "out"]) == OK


def test_a_fit_that_goes_on_keeps_the_seed_that_it_began_with(tmp_path) -> None:
    problem = problem_saying(**SAID)
    how = {"epochs": 3, "checkpoint": tmp_path / "c.npz", "refine": False}
    begun = sg.fit(problem, seed=7, **how)
    again = sg.fit(problem, resume=True, **how)
    assert (begun.seed, again.seed) == (7, 7)
    fresh = sg.fit(problem, resume=True, **{**how, "checkpoint": tmp_path / "d.npz"})
    assert fresh.seed == 11
