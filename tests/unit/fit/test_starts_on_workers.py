"""The starts of one fit as tasks: the same numbers here, on workers, and on lost workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from lost_workers import Deadly, replicates, sent_by_value
from networks import network
from objective_cases import CASES, TRUTH, ObjectiveCase

import sbmlgrad as sg
from sbmlgrad.fit.descent import spread_starts
from sbmlgrad.fit.descent.evaluation import loss_and_gradient
from sbmlgrad.fit.descent.spread_starts import spread
from sbmlgrad.fit.descent.starts import starting_values
from sbmlgrad.fit.packed import packed_for
from sbmlgrad.fit.parallel import Executor
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.fit.rate_equations.least_squares import fit_rate_equations
from sbmlgrad.fit.solve import Settings, solve

TRUE = np.array([*TRUTH.values()])


def fitted(executor: Executor | None, **settings: Any) -> sg.FitResult:
    """Return a fit from three places, of which the worst is dropped after epoch 12."""
    usual: dict[str, Any] = {
        "starts": 3,
        "epochs": 14,
        "estimator": sg.gradients.TwoSidedAdjoint(),
        "trajectories": 40,
        "evaluation_trajectories": 200,
        "engine": sg.engines.Native(kernel="table"),
        "seed": 5,
    }
    return solve(replicates(), Settings(executor=executor, **{**usual, **settings}))


@pytest.fixture(scope="module")
def here() -> sg.FitResult:
    return fitted(sg.Serial())


def same(one: sg.FitResult, other: sg.FitResult) -> None:
    assert dict(one.values) == dict(other.values)
    assert one.loss == other.loss
    for name in ("loss_history", "error_history", "parameter_history", "trajectories_history"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert [(s.fate, s.loss, s.epochs) for s in one.starts] == [
        (s.fate, s.loss, s.epochs) for s in other.starts
    ]
    for one_start, other_start in zip(one.starts, other.starts, strict=True):
        np.testing.assert_array_equal(one_start.values, other_start.values)


@dataclass(eq=False)
class Noted:
    """Runs tasks here, and keeps what happens.

    Attributes:
        is_parallel: as it says it is.
        rounds: numbers of tasks.
        sessions: how often workers were started and dismissed.
        stop_at: round in which Ctrl-C is pressed.
    """

    is_parallel: bool = False
    rounds: list[int] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    stop_at: int = 0
    name: str = "Noted()"

    @contextmanager
    def session(self) -> Iterator[Executor]:
        self.sessions.append("open")
        yield self
        self.sessions.append("closed")

    def map(self, function: Callable[[Any], Any], tasks: Sequence[Any], *more: Any) -> list[Any]:
        self.rounds.append(len(tasks))
        if len(self.rounds) == self.stop_at:
            raise KeyboardInterrupt
        return sg.Serial().map(function, tasks, *more)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_start_by_itself_is_what_it_is_among_others(case: ObjectiveCase) -> None:
    simulator = case.simulator()
    rows = simulator.space.coordinates(TRUE * np.array([[1.0, 1.0], [1.3, 0.8], [0.7, 1.2]]))
    arguments = (case.objective, simulator, rows, 60, 500, sg.gradients.TwoSidedAdjoint())
    together = loss_and_gradient(*arguments)
    with spread(sg.Serial()) as evaluate:
        apart = evaluate(*arguments)
    assert apart[3] == together[3]
    for mine, theirs in zip(apart[:3], together[:3], strict=True):
        # Sums over a batch are rounded in another order.
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-13)


def test_two_experiments_number_their_trajectories_as_together() -> None:
    """All sets of the first experiment come before those of the second."""
    from dataclasses import replace as changed

    from sbmlgrad.fit.experiments import prepared
    from sbmlgrad.fit.objectives import MeanTrajectory
    from sbmlgrad.fit.search_space import search_space
    from sbmlgrad.fit.simulated import Simulator
    from sbmlgrad.model.expression import Number
    from sbmlgrad.model.problem import Experiment, Period

    one = replicates()
    m = one.measurements
    both = changed(
        one,
        measurements=changed(m, condition=("low",) * 3 + ("high",) * 3),
        experiments=(
            Experiment("low", (Period(values={"X": Number(1.0)}),)),
            Experiment("high", (Period(values={"X": Number(9.0)}),)),
        ),
    )
    simulator = Simulator(
        both,
        search_space(both),
        prepared(both),
        MeanTrajectory().times(both),
        sg.engines.Native(kernel="table"),
        3,
    )
    values = simulator.space.start * np.array([[1.0, 1.0], [1.5, 0.7], [0.6, 1.1]])
    together = simulator(values, 50, 700)
    for place in range(3):
        alone = replace(simulator, part=(place, 3))(values[place : place + 1], 50, 700)
        for id in ("low", "high"):
            np.testing.assert_array_equal(
                alone[id].ensemble.counts[0], together[id].ensemble.counts[place]
            )


def test_without_an_executor_it_is_the_same_fit_but_for_rounding(here) -> None:
    together = fitted(None)
    np.testing.assert_allclose(together.parameter_history, here.parameter_history, rtol=1e-9)
    assert [s.fate for s in together.starts] == [s.fate for s in here.starts]
    assert here.arguments["executor"] == "Serial()"
    assert "executor" not in together.arguments


def test_workers_are_kept_over_epochs_and_dismissed_with_the_last_but_one_start(here) -> None:
    noted = Noted()
    same(fitted(noted), here)
    assert noted.rounds == [3] * 12 + [2] * 2
    assert noted.sessions == ["open", "closed"]
    alone = Noted()
    fitted(alone, starts=2, epochs=13)
    # The last epoch has one start, which takes all cores here.
    assert alone.rounds == [2] * 12
    assert alone.sessions == ["open", "closed"]


def test_what_tasks_share_is_pickled_once(here, monkeypatch) -> None:
    """An executor that is parallel gets bytes, and numbers stay the same."""
    packs: list[Any] = []

    def noting(executor: Any, things: Any) -> Any:
        packs.append(packed_for(executor, things))
        return packs[-1]

    monkeypatch.setattr(spread_starts, "packed_for", noting)
    same(fitted(Noted(is_parallel=True)), here)
    assert len(packs) == 1
    assert packs[0].pickled
    assert packs[0].unpacked is packs[0].unpacked


@pytest.mark.parametrize("stop_at", [3, 14])
def test_an_interruption_keeps_what_was_done_and_resume_goes_on(stop_at, here, tmp_path) -> None:
    path = tmp_path / "checkpoint.npz"
    cut = fitted(Noted(stop_at=stop_at), checkpoint=path)
    assert cut.interrupted
    assert len(cut.loss_history) == stop_at - 1
    same(fitted(sg.Serial(), checkpoint=path, resume=True), here)


def test_a_budget_of_time_ends_it_and_resume_goes_on(here, tmp_path) -> None:
    path = tmp_path / "checkpoint.npz"
    cut = fitted(sg.Serial(), checkpoint=path, max_seconds=1e-9)
    assert not cut.interrupted
    assert len(cut.loss_history) == 1
    resumed = fitted(sg.Serial(), checkpoint=path, resume=True)
    same(resumed, here)


def test_progress_is_told_after_every_epoch() -> None:
    seen: list[int] = []
    fitted(sg.Serial(), epochs=3, progress=lambda done, of, loss: seen.append(done))
    assert seen == [1, 2, 3]


def test_a_start_that_fails_is_given_up_as_without_tasks() -> None:
    """At the third place molecules run away beyond what the engine allows."""
    engine = sg.engines.Native(kernel="table", firing_limit=300)
    bounds = {"alpha": (1e-3, 1e4)}
    data = replicates().measurements
    model = network("immigration_death")

    def run(executor: Executor | None) -> sg.FitResult:
        own = plain_problem(model, data, ["alpha", "mu"], bounds=bounds)[0]
        settings = Settings(
            starts=6,
            epochs=2,
            estimator=sg.gradients.TwoSidedAdjoint(),
            trajectories=40,
            evaluation_trajectories=200,
            engine=engine,
            seed=5,
            executor=executor,
        )
        return solve(own, settings)

    together, apart = run(None), run(sg.Serial())
    fates = [start.fate for start in apart.starts]
    assert any("firing" in fate for fate in fates), fates
    assert fates == [start.fate for start in together.starts]
    np.testing.assert_allclose(together.parameter_history, apart.parameter_history, rtol=1e-9)


def test_one_start_leaves_nothing_to_spread() -> None:
    with pytest.raises(sg.RequestError, match="there is one"):
        fitted(sg.Serial(), starts=1)
    with pytest.raises(sg.RequestError, match="pass an executor object"):
        fitted("dask")  # type: ignore[arg-type]


def test_what_cannot_be_pickled_is_refused() -> None:
    with pytest.raises(sg.FitError, match="cannot be sent to other processes"):
        packed_for(Noted(is_parallel=True), (value for value in range(2)))


# --- the rate equations ---------------------------------------------------------------------------


def searched(executor: Executor | None, **settings: Any):
    own = replicates()
    return fit_rate_equations(own, starting_values(own, 4, 3), executor=executor, **settings)


def same_search(one: Any, other: Any) -> None:
    assert one.slopes == other.slopes
    assert len(one.descents) == len(other.descents)
    for mine, theirs in zip(one.descents, other.descents, strict=True):
        np.testing.assert_array_equal(mine.values, theirs.values)
        np.testing.assert_array_equal(mine.path, theirs.path)
        assert mine.objective == theirs.objective


@dataclass(eq=False)
class Backwards(Noted):
    """Runs the last task first."""

    def map(self, function: Any, tasks: Any, progress: Any = None, keep: Any = None) -> list[Any]:
        places = [*range(len(tasks))][::-1]
        found = {}
        for place in places:
            found[place] = function(tasks[place])
            keep(place, found[place])
        return [found[place] for place in range(len(tasks))]


def test_starts_of_the_rate_equations_are_tasks_in_any_order() -> None:
    alone = searched(None)
    same_search(searched(sg.Serial()), alone)
    same_search(searched(Backwards(is_parallel=True)), alone)


def test_a_budget_keeps_the_starts_that_are_done() -> None:
    seen: list[tuple[int, int]] = []
    cut = searched(
        sg.Serial(), max_seconds=1e-9, progress=lambda done, of, best: seen.append((done, of))
    )
    assert cut.cut == "the budget of 1e-09 s was spent after 1 starts"
    assert len(cut.descents) == 1
    assert seen == [(1, 4)]


def test_an_interruption_keeps_the_starts_that_are_done() -> None:
    def stop(done: int, of: int, best: float) -> None:
        if done == 2:
            raise KeyboardInterrupt

    cut = searched(sg.Serial(), progress=stop)
    assert cut.is_interrupted
    assert len(cut.descents) == 2


# --- workers --------------------------------------------------------------------------------------


@pytest.fixture
def _by_value():
    pytest.importorskip("cloudpickle", reason="the extra `distributed` is missing")
    with sent_by_value(__name__):
        yield


@pytest.mark.usefixtures("_by_value")
def test_one_worker_gives_the_same_numbers(here) -> None:
    pytest.importorskip("distributed", reason="the extra `distributed` is missing")
    same(fitted(sg.Dask(workers=1)), here)


@pytest.mark.usefixtures("_by_value")
def test_two_workers_of_which_one_is_lost_give_the_same_numbers(here, tmp_path) -> None:
    pytest.importorskip("distributed", reason="the extra `distributed` is missing")
    mark = tmp_path / "lost"
    same(fitted(Deadly(sg.Dask(workers=2), str(mark))), here)
    assert mark.exists()


@pytest.mark.usefixtures("_by_value")
def test_the_rate_equations_on_workers_of_which_one_is_lost(tmp_path) -> None:
    pytest.importorskip("distributed", reason="the extra `distributed` is missing")
    mark = tmp_path / "lost"
    same_search(searched(Deadly(sg.Dask(workers=2), str(mark))), searched(None))
    assert mark.exists()
