"""Checkpoints: what a resumed fit must have in common, and cuts at the worst moments."""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import pytest
from fit_jobs import Interrupting
from networks import network

import sbmlgrad as sg
from sbmlgrad.cli.fit_checks import check_checkpoint
from sbmlgrad.errors import FitError, WriteError
from sbmlgrad.fit import choice
from sbmlgrad.fit.descent.checkpoint import read_checkpoint, seed_in
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.fit.solve import Settings, solve
from sbmlgrad.model.expression import Number, Symbol, multiply
from sbmlgrad.model.measurements import Measurements

TIMES = np.array([1.0, 2.0, 4.0])


def problem(values=(1.7, 2.9, 4.1)):
    model = network("immigration_death")
    data = Measurements(
        ("X",), TIMES, np.zeros(3, int), np.array(values), ("1",) * 3, ("",) * 3, sha256="same"
    )
    return plain_problem(model, data, ["alpha"], start={"alpha": 1.0})[0]


def settings(**changes) -> Settings:
    given = {
        "seed": 7,
        "epochs": 12,
        "trajectories": 32,
        "evaluation_trajectories": 64,
        "engine": sg.engines.Native(threads=1, kernel="table"),
    }
    return Settings(**{**given, **changes})


@pytest.mark.parametrize(
    ("changes", "after"),
    [({}, 12), ({"starts": 4, "epochs": 14}, 12), ({"epochs": None, "most_trajectories": 64}, 24)],
    ids=["the last epoch", "before starts are dropped", "before a stage ends"],
)
def test_a_cut_before_a_decision_changes_nothing(tmp_path, changes, after) -> None:
    path = tmp_path / "state.npz"
    whole = solve(problem(), settings(**changes))
    cut = settings(**changes, checkpoint=path, progress=Interrupting(after))
    assert solve(problem(), cut).interrupted
    resumed = solve(problem(), settings(**changes, checkpoint=path, resume=True))
    np.testing.assert_array_equal(resumed.loss_history, whole.loss_history)
    assert dict(resumed.values) == dict(whole.values)
    assert [start.epochs for start in resumed.starts] == [start.epochs for start in whole.starts]


def test_a_spent_budget_keeps_everything(tmp_path) -> None:
    """The last state is in the file, and going on from it is as if it had not been spent."""
    path = tmp_path / "state.npz"
    whole = solve(problem(), settings())
    spent = solve(problem(), settings(checkpoint=path, max_seconds=1e-6))
    assert spent.reason.startswith("the budget")
    resumed = solve(problem(), settings(checkpoint=path, resume=True))
    np.testing.assert_array_equal(resumed.loss_history, whole.loss_history)


def unchecked(told: tuple[str, ...]) -> list[str]:
    return [words for words in told if choice.NOT_CHECKED in words]


def test_what_a_budget_left_out_is_made_up_for(tmp_path) -> None:
    path = tmp_path / "state.npz"
    whole = solve(problem(), settings())
    spent = solve(problem(), settings(checkpoint=path, max_seconds=1e-6))
    assert len(unchecked(spent.assumptions)) == 1
    resumed = solve(problem(), settings(checkpoint=path, resume=True))
    assert resumed.assumptions == whole.assumptions
    np.testing.assert_array_equal(resumed.parameter_history, whole.parameter_history)


def test_an_estimator_that_is_found_to_mislead_afterwards_is_replaced(
    tmp_path, monkeypatch
) -> None:
    path = tmp_path / "state.npz"
    spent = solve(problem(), settings(checkpoint=path, max_seconds=1e-6))
    places = []

    def misled(plan, values, first):
        places.append((values.tolist(), first))
        return True, "gradients by another", 1024

    monkeypatch.setattr("sbmlgrad.fit.solve.judge", misled)
    resumed = solve(problem(), settings(checkpoint=path, resume=True))
    assert places == [([1.0], 0)]
    assert spent.estimator.startswith("TwoSidedAdjoint")
    assert resumed.estimator.startswith("FiniteDifference")
    assert "gradients by another" in resumed.assumptions
    assert not unchecked(resumed.assumptions)
    # As many epochs as were asked for, after the one that was done before.
    assert len(resumed.loss_history) == len(spent.loss_history) + 12


def seven_times(made):
    seen = made.observables[0]
    changed = dataclasses.replace(seen, formula=multiply(Number(7.0), Symbol("X")))
    return dataclasses.replace(made, observables=(changed,))


def read_otherwise(made):
    """The same document, whose laws would be read in another way."""
    other = dataclasses.replace(made.network, mass_action="combinatorial")
    return dataclasses.replace(made, network=other)


def started_otherwise(made):
    other = dataclasses.replace(made.network, initial="randomised")
    return dataclasses.replace(made, network=other)


def on_a_linear_scale(made):
    free = dataclasses.replace(made.parameters[0], scale="lin")
    return dataclasses.replace(made, parameters=(free,))


@pytest.mark.parametrize(
    ("other", "changes"),
    [
        (seven_times(problem()), {}),
        (problem(values=(5.0, 9.0, 12.0)), {}),
        (on_a_linear_scale(problem()), {}),
        (read_otherwise(problem()), {}),
        (started_otherwise(problem()), {}),
        (problem(), {"learning_rate": 0.01}),
        (problem(), {"starts": 3}),
        (problem(), {"optimizer": "rmsprop"}),
    ],
    ids=["formula", "values", "scale", "laws", "start", "learning rate", "starts", "optimiser"],
)
def test_what_is_another_fit_is_refused(tmp_path, other, changes) -> None:
    path = tmp_path / "state.npz"
    solve(problem(), settings(epochs=2, checkpoint=path))
    with pytest.raises(FitError, match="another model, other data or other settings"):
        solve(other, settings(epochs=2, checkpoint=path, resume=True, **changes))


def archive(told) -> bytes:
    """Return a file like a checkpoint that tells something else."""
    buffer = io.BytesIO()
    text = told if isinstance(told, str) else json.dumps(told)
    np.savez(buffer, told=np.frombuffer(text.encode(), dtype=np.uint8))
    return buffer.getvalue()


def plain_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3.0))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"mine",
        b"",
        plain_array(),
        archive({"fingerprint": "x"}),
        archive({"seed": 1}),
        archive({"fingerprint": "x", "seed": "1"}),
        archive([1, 2]),
        archive("[" * 100_000),
        archive({"fingerprint": "x", "seed": 1})[:-30],
    ],
    ids=["text", "empty", "array", "no seed", "no hash", "words", "list", "nested", "cut off"],
)
def test_files_of_others_are_no_checkpoints(tmp_path, content) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(content)
    with pytest.raises(FitError, match=r"checkpoint\.npz: cannot be read as a checkpoint"):
        seed_in(path)
    with pytest.raises(
        WriteError, match="is there already and cannot be read as the state of a fit"
    ):
        check_checkpoint(path)
    assert path.read_bytes() == content


def test_a_checkpoint_that_lacks_something_says_what(tmp_path, monkeypatch) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(archive({"fingerprint": "x", "seed": 5}))
    assert seed_in(path) == 5
    check_checkpoint(path)
    monkeypatch.setattr("sbmlgrad.fit.descent.checkpoint.fingerprint", lambda plan: "x")
    with pytest.raises(FitError, match=r"checkpoint\.npz: lacks 'coordinates'"):
        read_checkpoint(None, path)
