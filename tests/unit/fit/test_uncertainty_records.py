"""Records of refits: what is there is not done again, and numbers stay as they were."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sbmlgrad.errors import FitError
from sbmlgrad.fit.parallel import Serial
from sbmlgrad.fit.uncertainty.profile_points import Point
from sbmlgrad.fit.uncertainty.records import Recorded, read_records
from sbmlgrad.fit.uncertainty.refits import RefitOutcome


@dataclass(frozen=True, eq=False)
class Task:
    """What decides a result, as tasks of uncertainty have it: a seed, and where to begin."""

    seed: int
    start: np.ndarray


class Stopping:
    """A function that counts its calls, and is interrupted in one of them."""

    def __init__(self, after: int = 10**6) -> None:
        self.calls, self.after = 0, after
        self.__qualname__ = "refit"

    def __call__(self, task: Task) -> RefitOutcome:
        if self.calls == self.after:
            raise KeyboardInterrupt
        self.calls += 1
        if task.seed == 3:
            return RefitOutcome(np.full(2, np.nan), "no optimum")
        return RefitOutcome(task.start / (task.seed + 1.0))


TASKS = [Task(seed, np.array([0.1, -1.0 / 3.0])) for seed in range(6)]


def equal(found: list[RefitOutcome], wanted: list[RefitOutcome]) -> None:
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one.coordinates, other.coordinates)
        assert one.failure == other.failure


def test_what_was_done_before_an_interruption_is_not_done_again(tmp_path) -> None:
    path = tmp_path / "records.jsonl"
    whole = Serial().map(Stopping(), TASKS)
    with pytest.raises(KeyboardInterrupt):
        Recorded(Serial(), path).map(Stopping(after=4), TASKS)
    assert len(read_records(path)) == 4
    seen: list[tuple[int, int]] = []
    kept: list[int] = []
    function = Stopping()
    found = Recorded(Serial(), path).map(
        function, TASKS, lambda *a: seen.append(a), lambda place, _: kept.append(place)
    )
    assert function.calls == 2
    assert seen == [(5, 6), (6, 6)]
    assert kept == [4, 5]
    equal(found, whole)
    again = Stopping()
    equal(Recorded(Serial(), path).map(again, TASKS), whole)
    assert again.calls == 0


def test_other_tasks_are_done(tmp_path) -> None:
    """Another seed or start is another task, in whatever place it stands."""
    path = tmp_path / "records.jsonl"
    Recorded(Serial(), path).map(Stopping(), TASKS)
    others = [Task(0, np.array([0.1, -1.0 / 3.0 + 1e-16])), Task(9, TASKS[0].start), TASKS[5]]
    function = Stopping()
    equal(Recorded(Serial(), path).map(function, others), Serial().map(Stopping(), others))
    assert function.calls == 2


def test_a_line_that_was_cut_off_is_done_again(tmp_path) -> None:
    path = tmp_path / "records.jsonl"
    Recorded(Serial(), path).map(Stopping(), TASKS)
    data = path.read_bytes()
    path.write_bytes(data[:-30])
    function = Stopping()
    equal(Recorded(Serial(), path).map(function, TASKS), Serial().map(Stopping(), TASKS))
    assert function.calls == 1
    assert path.read_bytes() == data


def test_what_is_no_record_is_refused_by_its_line(tmp_path) -> None:
    path = tmp_path / "records.jsonl"
    Recorded(Serial(), path).map(Stopping(), TASKS)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "something else", *lines[1:]]) + "\n")
    with pytest.raises(FitError, match=r"records\.jsonl, line 2: is no record of a refit"):
        Recorded(Serial(), path).map(Stopping(), TASKS)


def test_points_of_profiles_keep_every_digit(tmp_path) -> None:
    points = [
        Point(0.1 + 0.2, 1.0 / 3.0, 1e-300, np.array([np.pi])),
        Point(-2.0, math.nan, math.nan, np.array([]), "failed, \n“so”"),
    ]

    def point(task: Task) -> Point:
        return points[task.seed]

    path: Path = tmp_path / "records.jsonl"
    executor = Recorded(Serial(), path)
    assert executor.name == "Serial()"
    assert not executor.is_parallel
    executor.map(point, TASKS[:2])
    first, second = read_records(path).values()
    assert (first.place, first.deviance, first.error) == (0.1 + 0.2, 1.0 / 3.0, 1e-300)
    assert first.others.tolist() == [np.pi]
    assert math.isnan(second.deviance)
    assert second.failure == points[1].failure
    assert second.others.shape == (0,)
