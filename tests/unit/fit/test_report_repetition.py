"""The lines of a report that repeat a fit can be run, or say what they lack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fit_results import usual_result
from networks import antimony

import sbmlgrad as sg
from sbmlgrad.engines import Native
from sbmlgrad.fit.objectives import DwellTimes, MeanTrajectory
from sbmlgrad.fit.report.page import report_html
from sbmlgrad.fit.report.repetition import kept_elsewhere, promise, reproduction
from sbmlgrad.fit.settings import Settings, arguments_of
from sbmlgrad.gradients import FiniteDifference

MODEL = "O=1; C=0; k=1; l=0.1; O -> C; k*O; C -> O; l*C"
CLASSES = {"1": ("O",), "0": ("C",)}
TABLE = "state,dwell [ms]\n" + "".join(f"{i % 2},{0.7 + 3.1 * ((i * 7) % 11)}\n" for i in range(60))


def repeated(result, folder, monkeypatch, **known):
    """Run the lines in a folder with the result file, as a reader of the report would."""
    result.save(folder / "fit.nc")
    monkeypatch.chdir(folder)
    names = dict(known)
    exec(reproduction(result), names)
    return names["again"]


@pytest.mark.parametrize("source", ["a.csv", ""])
def test_a_fit_of_dwells_is_repeated(source, tmp_path, monkeypatch) -> None:
    (tmp_path / "a.csv").write_text(TABLE)
    record = replace(sg.load_dwells(tmp_path / "a.csv"), source_name=source)
    settings = {"seed": 1, "epochs": 2, "trajectories": 2, "evaluation_trajectories": 2}
    result = sg.fit(antimony(MODEL), record, objective=DwellTimes(record, CLASSES), **settings)
    lines = reproduction(result)
    if not source:
        with pytest.raises(NameError, match="'record'"):
            repeated(result, tmp_path, monkeypatch)
    known = {} if source else {"record": record}
    assert repeated(result, tmp_path, monkeypatch, **known).values == result.values
    made = "# record: it was made in Python: 60 dwells, dead_time=0.0, unit='ms'; make it again"
    assert (made in lines) == (not source)
    assert "not in there" in kept_elsewhere(result)
    assert kept_elsewhere(result) in report_html(result)


def test_what_arguments_name_is_imported(tmp_path, monkeypatch) -> None:
    model = antimony("A=50; k=0.1; A -> ; k*A")
    data = sg.Measurements(
        ("A",), [0.0, 5.0, 10.0], [0, 0, 0], [50.0, 30.0, 18.0], ("1",) * 3, ("",) * 3
    )
    result = sg.fit(
        model,
        data,
        objective=MeanTrajectory(),
        estimator=FiniteDifference(),
        engine=Native(kernel="table"),
        learning_rate=lambda epoch, epochs: 0.1,
        seed=1,
        epochs=2,
        trajectories=2,
        evaluation_trajectories=2,
    )
    assert "# learning_rate: what was given is <function" in reproduction(result)
    again = repeated(result, tmp_path, monkeypatch, learning_rate=lambda epoch, epochs: 0.1)
    assert again.values == result.values


def test_without_arguments_no_command_is_claimed() -> None:
    assert reproduction(replace(usual_result(), arguments={})) == ""
    assert "seed=3, epochs=60" in reproduction(usual_result())
    assert kept_elsewhere(usual_result()) == ""


def test_a_fit_cut_by_the_clock_does_not_promise_its_numbers(tmp_path, monkeypatch) -> None:
    """It goes the same way again as far as both go; `epochs` would take another one."""
    model = antimony("A=50; k=0.1; A -> ; k*A")
    data = sg.Measurements(
        ("A",), [0.0, 5.0, 10.0], [0, 0, 0], [50.0, 30.0, 18.0], ("1",) * 3, ("",) * 3
    )
    options = {"seed": 1, "trajectories": 4, "evaluation_trajectories": 2, "refine": False}
    options["estimator"] = FiniteDifference()

    def stop(done: int, of: int, loss: float) -> None:
        if done == 3:
            raise KeyboardInterrupt

    late = sg.fit(model, data, **options, max_seconds=1e-9)
    cut = sg.fit(model, data, **options, progress=stop)
    for result, why in ((late, "budget of time after 1 epoch."), (cut, "after 3 epochs.")):
        said = promise(result)
        assert why in said
        assert "may end earlier or later" in said
        assert said in report_html(result)
    again = repeated(late, tmp_path, monkeypatch)
    same = min(len(again.parameter_history), 3)
    assert (again.parameter_history[:same] == cut.parameter_history[:same]).all()
    fixed = sg.fit(model, data, **options, epochs=3)
    assert not (fixed.parameter_history == cut.parameter_history).all()
    assert "give the same numbers" in promise(fixed)
    steps = replace(late, evaluation_trajectories=0)
    assert "need not give the same numbers" in promise(steps)
    assert "epoch" not in promise(steps)


def test_what_only_the_caller_has_is_said(tmp_path) -> None:
    """Numbers of NumPy are plain ones; what has no home here is a variable, with a comment."""
    result = usual_result()
    given = {"seed": "1", "estimator": "Mine(step=0.1)"}
    lines = reproduction(replace(result, arguments=given))
    assert "# estimator: what was given is Mine(step=0.1), where Mine has to be imported" in lines
    assert "estimator=estimator" in lines
    settings = Settings(learning_rate=np.float64(0.1), trajectories=np.int64(100))
    told = arguments_of(settings, 1)
    assert (told["learning_rate"], told["trajectories"]) == ("0.1", "100")
