"""What `check_gradient` gives and refuses: table, plot, every estimator, bad arguments."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from networks import ROOT, antimony, network

import sbmlgrad as sg
from sbmlgrad import gradients
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages
from sbmlgrad.errors import WriteError
from sbmlgrad.gradients import FiniteDifference, StraightThrough, TwoSidedAdjoint
from sbmlgrad.gradients.check.plot import ORANGE
from sbmlgrad.gradients.check.run import check_gradient

IMMIGRATION = "immigration_death"


def test_refusals_stand_in_the_table() -> None:
    found = check_gradient(
        network(IMMIGRATION),
        times=[1.0],
        estimators=[StraightThrough(0.5), TwoSidedAdjoint(), FiniteDifference()],
        seed=1,
        statistic=("probability", 2, None),
        trajectories=400,
    )
    assert set(found.refusals) == {"StraightThrough(temperature=0.5)", "TwoSidedAdjoint()"}
    assert "cannot differentiate ValuesAt" in found.refusals["StraightThrough(temperature=0.5)"]
    assert "mean of a step" in found.refusals["TwoSidedAdjoint()"]
    table = found.to_dataframe()
    assert table["estimator"].iloc[0] == found.ranking[0].row.name
    assert table["recommended"].sum() == 1
    assert (table["refused"] != "").sum() == 2
    assert "Refused by TwoSidedAdjoint(): a probability" in " ".join(str(found).split())
    assert "The default, TwoSidedAdjoint(), refuses." in found.recommendation
    # The panel that is not there is spoken of.
    assert found.why_no_sweep.startswith("no sweep over temperature: values at times")
    assert "No sweep over temperature: values at times" in " ".join(str(found).split())
    assert found.why_no_sweep in found.plot().axes[0].get_title()


def test_an_event_that_never_happened_is_no_bias() -> None:
    """Of 40 trajectories none has 10 molecules, whose number is about 1.6."""
    found = check_gradient(
        network(IMMIGRATION),
        times=[1.0],
        statistic=("probability", 10, None),
        estimators=[sg.gradients.ScoreFunction()],
        trajectories=40,
        seed=1,
    )
    assert found.rows[0].bias == pytest.approx(1.0)
    assert np.isnan(found.rows[0].z)
    assert not found.rows[0].is_resolved
    assert found.recommendation.startswith("None is good with 40 trajectories")


def quick(**options):
    """Return a check of 200 trajectories, for what does not depend on its numbers."""
    kept = WindowAverages([0, 1])
    return check_gradient(
        network(IMMIGRATION), kept, free=["alpha"], trajectories=200, seed=1, **options
    )


def test_every_estimator_is_enrolled_and_the_plot_is_drawn(tmp_path) -> None:
    calls = []
    found = quick(
        temperatures=(0.0, 0.5),
        progress=lambda done, total: calls.append(done / total),
    )
    kinds = {type(row.estimator).__name__ for row in found.rows}
    estimators = {n for n in gradients.__all__ if hasattr(getattr(gradients, n), "pull_back")}
    assert kinds == estimators
    assert "FittedValue" in kinds
    assert not found.refusals
    assert found.why_no_sweep == ""
    assert found.row("StraightThrough(temperature=0.5)").seconds > 0.0
    assert calls == sorted(calls)
    assert calls[-1] == 1.0
    frame = found.gradients()
    assert len(frame) == len(found.rows)
    assert set(frame["parameter"]) == {"alpha"}
    path = tmp_path / "check.png"
    figure = found.plot(path)
    assert path.stat().st_size > 10_000
    assert len(figure.axes) == 2
    assert len(figure.axes[0].get_yticklabels()) == len(found.rows)


def test_biases_that_are_not_resolved_are_drawn_hollow(tmp_path) -> None:
    found = quick(
        estimators=[StraightThrough(temperature=t) for t in (0.0, 0.1, 0.5)],
    )
    # Which of them is resolved is no matter of the picture.
    z = dict(zip((row.name for row in found.rows), (9.0, 0.1, 8.0), strict=True))
    rows = tuple(replace(row, z=z[row.name]) for row in found.rows)
    ranking = tuple(replace(r, row=replace(r.row, z=z[r.row.name])) for r in found.ranking)
    figure = replace(found, rows=rows, ranking=ranking).plot(tmp_path / "check.png")
    drawn = {
        (line.get_markerfacecolor(), *np.asarray(line.get_xdata(), float))
        for line, *_ in figure.axes[1].containers
    }
    assert drawn == {(ORANGE, 0.0, 2.0), ("white", 1.0)}
    (legend,) = figure.legends
    assert "bias ± 2 standard errors, not resolved" in [t.get_text() for t in legend.get_texts()]


def test_a_place_that_cannot_be_drawn_into_is_refused(tmp_path) -> None:
    found = quick(estimators=[TwoSidedAdjoint()])
    with pytest.raises(WriteError, match=r"nowhere.*choose another place"):
        found.plot(tmp_path / "nowhere" / "check.png")
    with pytest.raises(WriteError, match=r"check\.foo.*no format 'foo'"):
        found.plot(tmp_path / "check.foo")
    with pytest.raises(sg.RequestError, match="path=3: give the name of a file"):
        found.plot(3)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"times": None}, sg.RequestError, "either `times` or a `readout`"),
        ({"readout": ValuesAt([1])}, sg.RequestError, "either `times` or a `readout`"),
        ({"of": "Y"}, sg.ParameterError, "no species"),
        ({"of": []}, sg.ParameterError, "no species"),
        ({"of": 3}, sg.ParameterError, r"of=3: give a list of ids, for instance \['X'\]"),
        ({"of": [["X"]]}, sg.ParameterError, r"of: \['X'\] is no id"),
        ({"free": "alpha"}, sg.ParameterError, r"free='alpha': .*list of ids.*\['alpha'\]"),
        ({"free": 3}, sg.ParameterError, "free=3: give a list of ids, for instance"),
        ({"free": [3]}, sg.ParameterError, "free: 3 is no id"),
        ({"free": ["k"]}, sg.ParameterError, "'k'"),
        ({"free": []}, sg.ParameterError, "no parameter is free"),
        ({"parameters": [1.0]}, sg.ParameterError, "2 parameters"),
        ({"parameters": {"mu": np.nan}}, sg.ParameterError, "not a finite number"),
        ({"statistic": "median"}, sg.RequestError, "choose"),
        ({"statistic": ("probability", None, None)}, sg.RequestError, "choose"),
        ({"statistic": ("probability", -np.inf, np.inf)}, sg.RequestError, "choose"),
        ({"statistic": ("probability", 3, 2)}, sg.RequestError, "nothing lies between"),
        (
            {"statistic": ("probability", np.ones(2), 2)},
            sg.RequestError,
            "lower end: .* not a num",
        ),
        ({"statistic": np.array([1, 2])}, sg.RequestError, r"statistic=array.*: choose"),
        ({"statistic": (np.array([1, 2]), 1, 2)}, sg.RequestError, "statistic=.*: choose"),
        ({"trajectories": 1010}, sg.RequestError, "multiple of 20"),
        ({"trajectories": 20}, sg.RequestError, "trajectories=20"),
        ({"estimators": TwoSidedAdjoint()}, sg.RequestError, "give a list of estimators"),
        ({"estimators": 3}, sg.RequestError, "estimators=3: give a list of estimators"),
        ({"estimators": [TwoSidedAdjoint]}, sg.RequestError, "no estimator object"),
        ({"estimators": []}, sg.RequestError, r"estimators=\[\]: give a list of estimators"),
        ({"temperatures": 3}, sg.RequestError, "temperatures=3: give a list of numbers"),
        ({"temperatures": ["a"]}, sg.RequestError, "temperature: 'a' is not a number"),
        ({"progress": 3}, sg.RequestError, r"progress=3: pass a function of \(done, total\)"),
        ({"engine": sg.engines.Reference()}, sg.RequestError, "Native"),
        ({"times": [0.0]}, sg.GradientError, "in alpha, mu is zero"),
    ],
)
def test_what_makes_no_sense_is_refused(options, error, words) -> None:
    with pytest.raises(error, match=words):
        check_gradient(network(IMMIGRATION), **{"times": [1.0], **options})


def test_models_that_nothing_can_differentiate_are_refused() -> None:
    text = "substanceOnly species X in cell; X = 3; k = 1; z = 0; J0: X => ; k*X*(time + z);"
    with pytest.raises(sg.GradientError, match=r"nothing to check against.*'z' is zero"):
        check_gradient(antimony(text), times=[1.0], trajectories=40)


def test_the_guide_runs(capsys) -> None:
    text = (ROOT / "docs" / "how-to" / "check-gradients.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"<!-- run -->\n```python\n(.*?)```", text, re.DOTALL)
    exec(compile(block, "check-gradients.md", "exec"), {})
    assert "Use FittedValue()" in capsys.readouterr().out


def test_numbers_of_firings_are_no_times() -> None:
    found = check_gradient(
        network(IMMIGRATION),
        sg.AfterFirings([3]),
        estimators=[TwoSidedAdjoint(), sg.gradients.ScoreFunction()],
        trajectories=100,
        seed=1,
    )
    assert found.targets == ("X after 3 firings",)
    text = " ".join(str(found).split())
    refused = "TwoSidedAdjoint()" in found.refusals
    assert f"what {'the fastest one' if refused else 'the default'} does in the same" in text
