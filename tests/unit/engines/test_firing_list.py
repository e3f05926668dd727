"""`firings`: every firing of the reference, in lists of just the right size."""

from __future__ import annotations

import numpy as np
import pytest
from networks import antimony, network

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines import Outcome, firing_list
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.engines.reference import simulate_path
from sbmlgrad.engines.start import start_states
from sbmlgrad.firing_lists import FiringList, firings

NETWORKS = ["ion_channel", "small_dimer", "autoregulation", "hill", "michaelis_menten", "epidemic"]
DRAINED = "substanceOnly species X in cell, Y in cell; X = 3; Y = 0; k = 1; J0: X => Y; k;"


def reference(model: sg.ReactionNetwork, found: FiringList, row: int, limit: int = 10**9):
    """Follow one trajectory of a list by the executable specification."""
    lowered = lower(model)
    number = found.first_trajectory + row
    numbers = np.array([number], dtype=np.uint64)
    values, start = start_states(lowered, {}, {}, found.seed, numbers)
    inputs = np.array([values[i] for i in lowered.input_ids])
    request = Request(lowered, inputs, start, ValuesAt([found.until]), 1, found.seed)
    return simulate_path(request, number, start[0], limit)


@pytest.mark.parametrize(
    ("name", "kernel"),
    [(name, "table") for name in NETWORKS]
    + [(name, "lockstep") for name in ("small_dimer", "hill")],
)
def test_same_firings_as_the_reference(name: str, kernel: str) -> None:
    model = network(name)
    engine = sg.engines.Native(kernel=kernel)
    found = firings(model, until=2.5, trajectories=30, seed=7, first_trajectory=5, engine=engine)
    assert found.engine.startswith(f"Native(kernel='{kernel}')")
    assert found.trajectory_start[0] == 0
    assert found.trajectory_start[-1] == len(found.times) == len(found.reactions)
    for row in range(30):
        path = reference(model, found, row)
        times, counts = found.states(row)
        np.testing.assert_array_equal(counts, path.states)
        np.testing.assert_allclose(times, path.times, rtol=1e-12)
        part = slice(found.trajectory_start[row], found.trajectory_start[row + 1])
        np.testing.assert_array_equal(found.reactions[part], path.fired)
        assert found.outcomes[row] == path.outcome


@pytest.mark.parametrize("threads", [1, 2])
def test_the_trajectories_of_simulate(threads: int) -> None:
    model = network("autoregulation")
    engine = sg.engines.Native(threads=threads)
    options = {"trajectories": 300, "seed": 2, "engine": engine}
    found = firings(model, until=1.5, **options)
    cells = sg.simulate(model, times=[0.4, 1.5], **options)
    np.testing.assert_array_equal(np.diff(found.trajectory_start), cells.firings)
    for row in range(0, 300, 17):
        times, counts = found.states(row)
        assert (np.diff(times) > 0.0).all()
        assert times[-1] <= 1.5
        np.testing.assert_array_equal(counts[-1], cells.counts[row, 1])
        place = np.searchsorted(times, 0.4, side="right") - 1
        np.testing.assert_array_equal(counts[place], cells.counts[row, 0])


def test_threads_and_splits_do_not_matter() -> None:
    model = network("small_dimer")
    whole = firings(model, until=2.0, trajectories=300, seed=3)
    for threads, cut in ((1, 1), (2, 130)):
        engine = sg.engines.Native(threads=threads)
        options = {"until": 2.0, "seed": 3, "engine": engine}
        parts = [
            firings(model, trajectories=cut, **options),
            firings(model, trajectories=300 - cut, first_trajectory=cut, **options),
        ]
        np.testing.assert_array_equal(whole.times, np.concatenate([p.times for p in parts]))
        np.testing.assert_array_equal(whole.reactions, np.concatenate([p.reactions for p in parts]))


def test_parameters_and_initial_values_are_used() -> None:
    model = network("immigration_death")
    found = firings(model, {"mu": 0.0}, until=4.0, trajectories=5, seed=1, initial={"X": 8})
    assert set(found.reactions.tolist()) == {found.reaction_ids.index("J0")}
    for row in range(5):
        _, counts = found.states(row)
        np.testing.assert_array_equal(counts[:, 0], 8 + np.arange(len(counts)))


def test_random_starts() -> None:
    text = "substanceOnly species X in cell; X = 2.5; k = 1; J0: X => ; k*X;"
    head = "unit substance = item; unit extent = item; compartment cell = 1;\n"
    model = sg.load(head + text, initial="randomised")
    found = firings(model, until=9.0, trajectories=60, seed=1)
    cells = sg.simulate(model, times=[0.0], trajectories=60, seed=1)
    starts = [found.states(row)[1][0, 0] for row in range(60)]
    np.testing.assert_array_equal(starts, cells.counts[:, 0, 0])
    assert set(starts) == {2, 3}


def test_absorbed_trajectories_and_empty_lists() -> None:
    model = network("epidemic")
    nothing = firings(model, until=0.0, trajectories=3, seed=1)
    assert len(nothing.times) == 0
    np.testing.assert_array_equal(nothing.trajectory_start, [0, 0, 0, 0])
    times, counts = nothing.states(2)
    np.testing.assert_array_equal(times, [0.0])
    np.testing.assert_array_equal(counts, [[27, 3, 0]])
    ended = firings(model, until=1e6, trajectories=20, seed=1)
    assert (ended.outcomes == Outcome.ABSORBED).all()
    assert all(ended.states(row)[1][-1, 1] == 0 for row in range(20))


def test_failures() -> None:
    model = antimony(DRAINED)
    options = {"until": 50.0, "trajectories": 10, "seed": 1}
    with pytest.raises(sg.SimulationError, match="reaction 'J0' at time") as caught:
        firings(model, **options)
    assert (caught.value.outcomes == Outcome.NEGATIVE_COUNT).all()
    assert "X=0, Y=3" in str(caught.value)
    marked = firings(model, **options, on_failure="mark")
    np.testing.assert_array_equal(np.diff(marked.trajectory_start), np.full(10, 3))
    np.testing.assert_array_equal(marked.states(4)[1][-1], [0, 3])
    endless = antimony("substanceOnly species X in cell; X = 5; k = 1; J0: X => 2 X; k*X;")
    limited = sg.engines.Native(firing_limit=40)
    with pytest.raises(sg.SimulationError, match="firing_limit"):
        firings(endless, until=30.0, seed=1, engine=limited)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("at time > 1: X = 3;", "event '"),
        ("z = 1; z' = 0.1*z;", "rate rule of 'z'"),
        ("J1: => X; 0.5*time;", "depends on time"),
    ],
)
def test_models_with_a_clock_are_refused_by_name(text: str, reason: str) -> None:
    model = antimony("substanceOnly species X in cell; X = 5; k = 1; J0: X => ; k*X; " + text)
    with pytest.raises(sg.RequestError, match=reason) as caught:
        firings(model, until=1.0, seed=1)
    assert f"model '{model.id}'" in str(caught.value)


@pytest.mark.parametrize(("reactions", "dtype"), [(256, np.uint8), (257, np.uint16)])
def test_reactions_take_as_little_room_as_they_can(reactions: int, dtype: type) -> None:
    lines = [f"k{i} = 1; J{i}: => X; k{i};" for i in range(reactions)]
    model = antimony("substanceOnly species X in cell; X = 0; " + "\n".join(lines))
    found = firings(model, until=5.0, seed=1)
    assert found.reactions.dtype == dtype
    # Every reaction is as likely as any other, so some of the last ten fire as well.
    assert found.reactions.max() > reactions - 11
    assert found.states(0)[1][-1, 0] == len(found.times)


def test_table_has_a_row_for_every_firing() -> None:
    found = firings(network("small_dimer"), until=2.0, trajectories=4, seed=1, first_trajectory=3)
    frame = found.to_dataframe()
    assert list(frame.columns) == ["trajectory", "time", "reaction"]
    assert len(frame) == len(found.times)
    assert sorted(frame["trajectory"].unique()) == [3, 4, 5, 6]
    names = [found.reaction_ids[r] for r in found.reactions]
    assert list(frame["reaction"]) == names
    assert set(names) == {"J0", "J0_backward"}
    assert frame.attrs["seed"] == 1


def test_lists_that_do_not_fit_are_refused(monkeypatch) -> None:
    options = {"until": 2.0, "trajectories": 50, "seed": 1}
    needed = 9 * len(firings(network("small_dimer"), **options).times)
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", str(needed - 1))
    with pytest.raises(sg.RequestError, match=r"a list of .* firings.*first_trajectory"):
        firings(network("small_dimer"), **options)
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", str(needed))
    assert 9 * len(firings(network("small_dimer"), **options).times) == needed


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    firings(
        network("small_dimer"),
        until=1.0,
        trajectories=300,
        seed=1,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[-1] == (300, 300)


def test_a_second_pass_that_differs_is_noticed(monkeypatch) -> None:
    counts = firing_list.Lister.count

    def miscounted(self):
        sample = counts(self)
        sample.firings[0] += 1
        return sample

    monkeypatch.setattr(firing_list.Lister, "count", miscounted)
    with pytest.raises(sg.SbmlGradError, match="another number of firings"):
        firings(network("small_dimer"), until=1.0, trajectories=3, seed=1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"until": -1.0}, "until=-1"),
        ({"until": np.inf}, "until=inf"),
        ({"until": "x"}, "until"),
        ({"trajectories": 0}, "trajectories=0"),
        ({"first_trajectory": 2**32}, "first_trajectory"),
        ({"engine": sg.engines.Reference()}, "Native"),
        ({"on_failure": "ignore"}, "on_failure"),
        ({"progress": 1}, "progress=1"),
    ],
)
def test_requests_that_make_no_sense(changed, message: str) -> None:
    options = {"until": 1.0, "seed": 1} | changed
    with pytest.raises(sg.RequestError, match=message):
        firings(network("small_dimer"), **options)


def test_states_of_a_trajectory_that_is_not_there() -> None:
    found = firings(network("small_dimer"), until=1.0, trajectories=2, seed=1)
    with pytest.raises(sg.RequestError, match="trajectory=2"):
        found.states(2)
