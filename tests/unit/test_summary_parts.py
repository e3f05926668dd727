"""Summaries do not depend on parts, threads, kernels and splits."""

from __future__ import annotations

import numpy as np
import pytest
from networks import antimony, network
from summaries import GROWING, TIMES, identical

import sbmlgrad as sg
from sbmlgrad import summary as summary_module
from sbmlgrad.summary import summarise


@pytest.fixture
def small_parts(monkeypatch):
    """Return a function that sets how many trajectories make a part."""

    def set_size(size: int) -> None:
        monkeypatch.setattr(summary_module, "LARGEST_PART", size)

    return set_size


@pytest.mark.parametrize("size", [1, 7, 64, 200])
def test_size_of_parts_does_not_matter(size: int, small_parts) -> None:
    model = network("small_dimer")
    options = {"times": TIMES, "trajectories": 150, "seed": 5, "bins": 4}
    at_once = summarise(model, **options)
    small_parts(size)
    identical(summarise(model, **options), at_once)


@pytest.mark.parametrize(
    "engine",
    [
        sg.engines.Native(threads=1),
        sg.engines.Native(threads=2),
        sg.engines.Native(kernel="table"),
        sg.engines.Native(kernel="lockstep"),
        sg.engines.Reference(),
    ],
    ids=str,
)
def test_engine_and_threads_do_not_matter(engine) -> None:
    model = network("small_dimer")
    options = {"times": TIMES, "trajectories": 150, "seed": 5}
    identical(summarise(model, **options, engine=engine), summarise(model, **options))


def test_merged_summaries_are_that_of_all(small_parts) -> None:
    model = antimony(GROWING)
    asked = [("A", "counts"), "z", "J0"]
    options = {"times": TIMES, "seed": 5, "bins": 4, "quantities": asked}
    at_once = summarise(model, trajectories=90, first_trajectory=10, **options)
    parts = [
        summarise(model, trajectories=n, first_trajectory=first, **options)
        for first, n in ((10, 20), (60, 40), (30, 30))
    ]
    identical(parts[0].merge(parts[1]).merge(parts[2]), at_once)
    identical(parts[1].merge(parts[2].merge(parts[0])), at_once)
    assert parts[0].merge(parts[1]).parts == ((10, 30), (60, 100))


def test_merge_refuses_what_does_not_belong_together() -> None:
    model = network("small_dimer")
    options = {"times": [1.0], "trajectories": 10, "seed": 1}
    one = summarise(model, **options)
    with pytest.raises(sg.RequestError, match="trajectories 5 to 9 are in both"):
        one.merge(summarise(model, **options, first_trajectory=5))
    others = {
        "the seed": options | {"seed": 2},
        "times": options | {"times": [2.0]},
        "bins": options | {"bins": 16},
        "quantities": options | {"quantities": ["A"]},
        "covariances": options | {"covariances": False},
        "parameters": options | {"parameters": {"k1": 0.4}},
    }
    for what, changed in others.items():
        with pytest.raises(sg.RequestError, match=f"differ in .*{what}"):
            one.merge(summarise(model, **changed, first_trajectory=10))
    with pytest.raises(sg.RequestError, match="differ in the model"):
        one.merge(summarise(network("dimer"), **options, first_trajectory=10))
    with pytest.raises(sg.RequestError, match="another summary"):
        one.merge(None)  # pyright: ignore[reportArgumentType]


def test_progress_counts_on_across_parts(small_parts) -> None:
    small_parts(300)
    told: list[tuple[int, int]] = []
    summarise(
        network("small_dimer"),
        times=[1.0],
        trajectories=1000,
        seed=1,
        progress=lambda done, total: told.append((done, total)),
    )
    done = [d for d, _ in told]
    assert {total for _, total in told} == {1000}
    assert done == sorted(done)
    assert {300, 600, 900, 1000} <= set(done)


def test_kernel_is_chosen_once_for_the_whole_job(small_parts, monkeypatch) -> None:
    seen: list[int] = []

    def choose(self, request):
        seen.append(request.trajectories)
        return "table", ": as told"

    monkeypatch.setattr(sg.engines.Native, "choose_kernel", choose)
    small_parts(40)
    short = summarise(network("small_dimer"), times=[1.0], trajectories=100, seed=1)
    # The first number is the whole job; then the kernel has a name and the answer is that name.
    assert seen[0] == 100
    assert short.engine == "Native(kernel='table'): as told"


def test_nothing_can_fire_and_the_reason_is_said_once(small_parts) -> None:
    small_parts(3)
    model = antimony("substanceOnly species X in cell; X = 4;")
    short = summarise(model, times=[0.0, 1.0], trajectories=10, seed=1, quantities=["X"])
    np.testing.assert_array_equal(short.mean("X"), [4.0, 4.0])
    np.testing.assert_array_equal(short.variance("X"), [0.0, 0.0])
    assert short.engine.count("no reactions") <= 1
