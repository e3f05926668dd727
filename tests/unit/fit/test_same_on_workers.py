"""Fits, profiles and bootstraps: the same numbers here, on one worker and on two, lost ones too."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lost_workers import Deadly, replicates, sent_by_value

import sbmlgrad as sg
from sbmlgrad.fit.solve import Settings, solve
from sbmlgrad.fit.uncertainty.records import Recorded, read_records

distributed = pytest.importorskip("distributed", reason="the extra `distributed` is missing")
cloudpickle = pytest.importorskip("cloudpickle", reason="the extra `distributed` is missing")


def fitted(seed: int) -> sg.FitResult:
    """Return a fit from three places, of which the worse are dropped."""
    settings = Settings(
        starts=3,
        epochs=14,
        trajectories=40,
        evaluation_trajectories=200,
        engine=sg.engines.Native(threads=1, kernel="table"),
        seed=seed,
    )
    return solve(replicates(), settings)


@lru_cache
def here(seed: int = 5) -> sg.FitResult:
    return fitted(seed)


@pytest.fixture(scope="module", autouse=True)
def _by_value():
    with sent_by_value(__name__):
        yield


def same(one: sg.FitResult, other: sg.FitResult) -> None:
    assert dict(one.values) == dict(other.values)
    assert one.loss == other.loss
    for name in ("loss_history", "error_history", "parameter_history"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert [(s.fate, s.loss, s.epochs) for s in one.starts] == [
        (s.fate, s.loss, s.epochs) for s in other.starts
    ]


@lru_cache
def uncertain(method: str, executor: Any) -> Any:
    settings: dict[str, Any] = {"repeats": 12} if method == "bootstrap" else {"points": 5}
    if method == "profile":
        settings |= {"deviance_trajectories": 500}
    return sg.uncertainty(here(), method, trajectories=100, executor=executor, **settings)


def same_uncertainty(one: Any, other: Any) -> None:
    for name in ("standard_errors", "lower", "upper", "covariance", "values"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.parameter_flags == other.parameter_flags


def test_fits_from_several_starts_are_the_same_in_two_workers() -> None:
    """Two whole fits at once, each in a process of its own."""
    alone = [here(5), here(6)]
    for one, other in zip(alone, sg.Dask(workers=2).map(fitted, [5, 6]), strict=True):
        same(one, other)
    assert dict(alone[0].values) != dict(alone[1].values)


@pytest.mark.parametrize("method", ["bootstrap", "profile"])
def test_uncertainty_is_the_same_on_workers_of_which_one_is_lost(method, tmp_path) -> None:
    alone = uncertain(method, sg.Serial())
    if method == "bootstrap":
        # Profiles are tasks in the same way; workers take long to start.
        same_uncertainty(uncertain(method, sg.Dask(workers=1)), alone)
    mark = tmp_path / "lost"
    same_uncertainty(uncertain(method, Deadly(sg.Dask(workers=2), str(mark))), alone)
    assert mark.exists()


def test_what_workers_did_is_recorded_for_one_process(tmp_path) -> None:
    """Half of the refits on workers, the other half without, as after an interruption."""
    path: Path = tmp_path / "records.jsonl"
    found = uncertain("bootstrap", Recorded(sg.Dask(workers=2), path))
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == len(read_records(path)) == 12
    path.write_bytes(b"".join(lines[::2]))
    again = uncertain("bootstrap", replace(Recorded(sg.Serial(), path)))
    same_uncertainty(again, found)
    assert len(read_records(path)) == 12
