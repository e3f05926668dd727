"""Every engine: same firings as the reference, absorption, streams, batch splits."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from networks import antimony, network, shipped

import sbmlgrad as sg
from sbmlgrad import engines
from sbmlgrad.engines import Engine, Outcome
from sbmlgrad.engines.kernel_choice import AUTO, KERNELS
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, ValuesAt, WindowAverages


def has_device() -> bool:
    from numba import cuda

    return cuda.is_available()


CLASSES = [
    value
    for name in engines.__all__
    if inspect.isclass(value := getattr(engines, name)) and hasattr(value, "sample")
    # Without a GPU this one runs on numba's simulator, in a process of its own: see
    # tests/unit/engines/test_cuda_engine.py, which runs this very module there.
    if value is not Engine and (value.__name__ != "Cuda" or has_device())
]


def variants(cls: type) -> list:
    if cls.__name__ == "Native":
        kernels = [cls(kernel=kernel) for kernel in KERNELS if kernel != AUTO]
        return [*kernels, cls(threads=1), cls(threads=2)]
    return [cls()]


ENGINES = [engine for cls in CLASSES for engine in variants(cls)]
READOUTS = [
    ValuesAt([0, 0.3, 1, 2.5]),
    WindowAverages([0, 0.5, 0.7, 2]),
    WindowAverages([0.4, 0.9, 1.0]),
    Interpolated([0, 0.2, 1.1]),
    AfterFirings([0, 1, 7, 20]),
]
NETWORKS = ["ion_channel", "small_dimer", "autoregulation", "hill", "michaelis_menten"]


def test_every_engine_is_enrolled() -> None:
    assert {type(e).__name__ for e in ENGINES} >= {"Reference", "Native"}
    assert all(isinstance(e, Engine) for e in ENGINES)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_same_trajectories_as_the_reference(engine: Engine, name: str) -> None:
    options = {"readouts": READOUTS, "trajectories": 40, "seed": 7}
    ours = sg.simulate(network(name), engine=engine, **options)
    reference = sg.simulate(network(name), engine=sg.engines.Reference(), **options)
    for readout, a, b in zip(READOUTS, ours.states, reference.states, strict=True):
        if isinstance(readout, ValuesAt):
            np.testing.assert_array_equal(a, b)
        else:
            # Clocks differ in the last bits (log, order of sums), so averages do too.
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(ours.outcomes, reference.outcomes)
    np.testing.assert_array_equal(ours.firings, reference.firings)


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_absorbed_trajectories_keep_their_state(engine: Engine) -> None:
    cells = sg.simulate(
        network("epidemic"), times=[0, 5, 60, 80], trajectories=50, seed=3, engine=engine
    )
    assert (cells.outcomes == Outcome.ABSORBED).all()
    infected = cells.counts[:, :, cells.species.index("I")]
    assert (infected[:, 2:] == 0).all()
    np.testing.assert_array_equal(cells.counts[:, 2], cells.counts[:, 3])


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_split_batches_give_the_same_trajectories(engine: Engine) -> None:
    model = network("small_dimer")
    options = {"times": [0.5, 2], "seed": 11, "engine": engine}
    whole = sg.simulate(model, trajectories=300, **options)
    parts = [
        sg.simulate(model, trajectories=n, first_trajectory=first, **options)
        for first, n in ((0, 1), (1, 130), (131, 169))
    ]
    np.testing.assert_array_equal(whole.counts, np.concatenate([p.counts for p in parts]))


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_output_grid_does_not_change_trajectories(engine: Engine) -> None:
    model = network("small_dimer")
    options = {"seed": 5, "trajectories": 60, "engine": engine}
    fine = sg.simulate(model, times=np.linspace(0, 2, 41), **options)
    coarse = sg.simulate(model, times=[0, 1, 2], **options)
    np.testing.assert_array_equal(fine.counts[:, ::20], coarse.counts)


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_seeds_and_trajectories_differ(engine: Engine) -> None:
    model = network("immigration_death")
    times = np.linspace(1, 30, 30)
    one = sg.simulate(model, times=times, trajectories=20, seed=1, engine=engine).counts
    two = sg.simulate(model, times=times, trajectories=20, seed=2, engine=engine).counts
    paths = {tuple(path.ravel()) for batch in (one, two) for path in batch}
    assert len(paths) == 40


@pytest.mark.parametrize("engine", ENGINES, ids=str)
@pytest.mark.parametrize(
    ("text", "outcome", "message"),
    [
        ("X = 3; k = 1; J0: X => ; k;", Outcome.NEGATIVE_COUNT, "count that would turn negative"),
        (
            "X = 3; k = 1; J0: => X; k; J1: X => ; X*ln(X/4 + 0.3);",
            Outcome.NEGATIVE_PROPENSITY,
            "negative propensity",
        ),
        ("X = 3; k = 1; J0: X => ; k*X/(X - 2)^2;", Outcome.NON_FINITE, "not finite"),
    ],
)
def test_failures_are_reported_with_reaction_time_and_state(
    engine: Engine, text: str, outcome: Outcome, message: str
) -> None:
    model = antimony("substanceOnly species X in cell; " + text)
    with pytest.raises(sg.SimulationError, match=message) as caught:
        sg.simulate(model, times=[0, 50], trajectories=30, seed=1, engine=engine)
    assert "reaction 'J" in str(caught.value)
    assert "at time" in str(caught.value)
    assert "X=" in str(caught.value)
    assert (caught.value.outcomes == outcome).any()
    marked = sg.simulate(
        model, times=[0, 50], trajectories=30, seed=1, engine=engine, on_failure="mark"
    )
    np.testing.assert_array_equal(marked.outcomes, caught.value.outcomes)
    with pytest.raises(sg.StatisticsError, match="failed"):
        marked.mean("X")


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_runaway_hits_the_firing_limit(cls: type) -> None:
    model = antimony("substanceOnly species X in cell; X = 5; k = 1; J0: X => 2 X; k*X;")
    with pytest.raises(sg.SimulationError, match="firing_limit"):
        sg.simulate(model, times=[30], trajectories=3, seed=1, engine=cls(firing_limit=500))


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_a_failure_beyond_the_last_time_never_happens(engine: Engine) -> None:
    model = antimony("substanceOnly species X in cell; X = 1; k = 0.01; J0: X => ; k;")
    cells = sg.simulate(model, times=[0, 1e-6], trajectories=50, seed=1, engine=engine)
    assert (cells.counts == 1).all()


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_no_reactions_and_no_propensity(engine: Engine) -> None:
    model = antimony("substanceOnly species X in cell; X = 4;")
    cells = sg.simulate(model, times=[0, 1], trajectories=3, seed=1, engine=engine)
    assert (cells.counts == 4).all()
    assert (cells.outcomes == Outcome.ABSORBED).all()


def test_oscillator_kernels_agree_bit_for_bit() -> None:
    options = {"times": [1, 2, 5], "trajectories": 8, "seed": 2}
    table = sg.simulate(shipped("oscillator"), engine=sg.engines.Native(kernel="table"), **options)
    special = sg.simulate(
        shipped("oscillator"), engine=sg.engines.Native(kernel="lockstep"), **options
    )
    np.testing.assert_array_equal(table.counts, special.counts)
    assert table.firings.min() > 1000
