"""Executors: one order and one result whether tasks run here, on workers, or on lost ones."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from networks import network

import sbmlgrad as sg
from sbmlgrad.fit.experiments import prepared
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.parallel import Dask, ExecutorError, Serial
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.fit.simulated import Simulator
from sbmlgrad.fit.uncertainty.bootstrap import bootstrap
from sbmlgrad.fit.uncertainty.fitted import Fitted
from sbmlgrad.model.measurements import Measurements

distributed = pytest.importorskip("distributed", reason="the extra `distributed` is missing")
cloudpickle = pytest.importorskip("cloudpickle", reason="the extra `distributed` is missing")


def simulator() -> Simulator:
    times = np.array([1.0, 2.0, 4.0])
    data = Measurements(
        ("X",), times, np.zeros(3, dtype=np.int64), np.array([1.6, 2.8, 4.0]), ("",) * 3, ("",) * 3
    )
    problem, _ = plain_problem(network("immigration_death"), data, ["alpha", "mu"])
    return Simulator(
        problem,
        search_space(problem),
        prepared(problem),
        MeanTrajectory().times(problem),
        sg.engines.Native(threads=1, kernel="table"),
        7,
    )


@dataclass(frozen=True)
class Task:
    """A simulation to do, and a file that lets the first one that finds it missing die."""

    simulator: Simulator
    number: int
    mark: str = ""


# Sent by value: workers cannot import the modules of tests.
def mean_at_end(task: Task) -> float:
    if task.mark and not Path(task.mark).exists():
        Path(task.mark).write_text("")
        os._exit(1)
    values = task.simulator.space.start
    found = task.simulator(values, 200, 200 * task.number)[""]
    return float(found.mean(task.simulator.problem.observables[0].formula)[-1])


def refuse(number: int) -> int:
    if number == 2:
        raise ValueError("number 2 is refused")
    time.sleep(0.01)
    return number


@pytest.fixture(autouse=True)
def _by_value():
    import sys

    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    yield
    cloudpickle.unregister_pickle_by_value(module)


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    one = simulator()
    return [Task(one, number) for number in range(6)]


@pytest.fixture(scope="module")
def here(tasks) -> list[float]:
    return Serial().map(mean_at_end, tasks)


def test_what_tasks_are_made_of_survives_pickling(tasks, here) -> None:
    again = cloudpickle.loads(cloudpickle.dumps(tasks))
    assert again[0].simulator.problem.network == tasks[0].simulator.problem.network
    assert again[0].simulator.problem.measurements == tasks[0].simulator.problem.measurements
    assert [mean_at_end(task) for task in again] == here


def test_serial_keeps_the_order_and_tells_progress() -> None:
    seen: list[tuple[int, int]] = []
    assert Serial().map(refuse, [4, 1, 3], lambda *a: seen.append(a)) == [4, 1, 3]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert Serial().map(refuse, []) == []


def test_two_workers_give_the_same_numbers_and_survive_the_loss_of_one(
    tasks, here, tmp_path
) -> None:
    """The third task kills the first worker that takes it."""
    seen: list[tuple[int, int]] = []
    deadly = [
        replace(task, mark=str(tmp_path / "lost")) if task.number == 2 else task for task in tasks
    ]
    found = Dask(workers=2).map(mean_at_end, deadly, lambda *a: seen.append(a))
    assert (tmp_path / "lost").exists()
    assert found == here
    assert seen == [(n, 6) for n in range(1, 7)]


def test_a_bootstrap_on_workers_is_that_of_one_process() -> None:
    one = simulator()
    own = Fitted(
        one.problem,
        one.space,
        one.space.start,
        MeanTrajectory(),
        sg.gradients.TwoSidedAdjoint(),
        sg.engines.Native(threads=2, kernel="table"),
        3,
    )
    settings = {"repeats": 10, "trajectories": 100}
    alone = bootstrap(own, **settings)
    spread = bootstrap(own, executor=Dask(workers=2), **settings)
    np.testing.assert_array_equal(alone.details["samples"], spread.details["samples"])
    assert spread.settings["executor"] == "Dask(workers=2)"


def test_what_a_task_raises_is_raised_and_the_name_tells_the_cluster() -> None:
    assert Dask(workers=3).name == "Dask(workers=3)"
    assert Dask(address="tcp://x:1").name == "Dask(address='tcp://x:1')"
    assert Dask().map(refuse, []) == []
    with pytest.raises(ValueError, match="number 2 is refused"):
        Dask(workers=1).map(refuse, [1, 2, 3])


def test_an_interruption_ends_the_work_and_the_cluster() -> None:
    def stop(done: int, tasks: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Dask(workers=1).map(refuse, [1, 3, 4], stop)


def test_a_scheduler_that_is_not_there() -> None:
    with pytest.raises(ExecutorError, match="cannot be reached"):
        Dask(address="tcp://127.0.0.1:9").map(refuse, [1])
    with pytest.raises(sg.RequestError, match="workers=0"):
        Dask(workers=0)


def test_without_the_extra_it_says_so(monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(sg.RequestError, match=r"sbmlgrad\[distributed\]"):
        Dask().map(refuse, [1])
