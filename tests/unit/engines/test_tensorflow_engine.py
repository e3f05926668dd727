"""The TensorFlow engine: readouts, faults, batches, tracing, interruption, what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from networks import ROOT, antimony, network

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Outcome, Request, Sample
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, Readout, ValuesAt, WindowAverages
from sbmlgrad.engines.reference import Reference
from sbmlgrad.engines.tensorflow import engine as module
from sbmlgrad.engines.tensorflow.engine import ROWS_STEP, TensorFlow, plan_batches
from sbmlgrad.engines.tensorflow.loop import block_function
from sbmlgrad.errors import RequestError
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.network import ReactionNetwork

tf = pytest.importorskip("tensorflow")


def request(net: ReactionNetwork, readout: Readout, trajectories: int = 20, **options) -> Request:
    lowered, values = lower(net), initial_values(net)
    return Request(
        lowered,
        np.array([values[i] for i in lowered.input_ids]),
        np.array([[values[s] for s in lowered.species_ids]]),
        readout,
        trajectories,
        options.pop("seed", 5),
        **options,
    )


def assert_same(ours: Sample, theirs: Sample) -> None:
    for field in ("outcomes", "firings", "failed_reaction", "end_states"):
        np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field), err_msg=field)
    # Clocks may differ in the last bits: of the logarithm, and of sums with products in them.
    np.testing.assert_allclose(ours.end_times, theirs.end_times, rtol=1e-12)
    np.testing.assert_allclose(ours.values, theirs.values, rtol=1e-9, atol=1e-12)


# --- the same samples as the reference ------------------------------------------------------------

READOUTS = (
    ValuesAt([0, 0.3, 1, 2.5]),
    WindowAverages([0.4, 0.5, 0.9, 1.0]),
    Interpolated([0, 0.2, 1.1]),
    AfterFirings([0, 1, 7, 20]),
)


@pytest.mark.parametrize("readout", READOUTS, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize("jit", [False, True])
def test_every_readout_with_and_without_xla(readout: Readout, jit: bool) -> None:
    asked = request(network("autoregulation"), readout)
    assert_same(TensorFlow(jit_compile=jit).sample(asked), Reference().sample(asked))


def test_no_firing_asked_for() -> None:
    asked = request(network("hill"), AfterFirings([0]), 3)
    sample = TensorFlow().sample(asked)
    assert_same(sample, Reference().sample(asked))
    np.testing.assert_array_equal(sample.values[:, 0], [[2.0, 0.0]] * 3)


def test_many_blocks_make_one_trajectory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 8 firings, each of which reaches a few of the points or none."""
    monkeypatch.setattr(module, "MOST_STEPS", 8)
    net = network("immigration_death")
    for readout in (
        ValuesAt(np.linspace(0, 20, 41)),
        WindowAverages(np.linspace(1, 21, 41)),
        WindowAverages([0, 20]),
        Interpolated(np.linspace(0, 20, 41)),
        AfterFirings([3, 8, 9, 16, 30]),
    ):
        asked = request(net, readout)
        assert plan_batches(asked).steps == 8
        assert_same(TensorFlow().sample(asked), Reference().sample(asked))


def test_more_reactions_than_are_written_out() -> None:
    lines = ["k = 1;"]
    for i in range(140):
        lines.append(f"substanceOnly species X{i} in cell; X{i} = {i % 3};")
        lines.append(f"J{i}: X{i} => X{(i + 1) % 140}; k*X{i};")
    asked = request(antimony("\n".join(lines)), ValuesAt([0.1, 0.5]), 5)
    assert_same(TensorFlow().sample(asked), Reference().sample(asked))


def test_reactions_that_change_no_species() -> None:
    net = antimony("substanceOnly species $S in cell; S = 4; k = 2; J: S => ; k*S;")
    asked = request(net, AfterFirings([1, 5]), 6)
    assert asked.lowered.species_ids == ()
    assert_same(TensorFlow().sample(asked), Reference().sample(asked))


@pytest.mark.parametrize("readout", READOUTS[:3], ids=lambda r: type(r).__name__)
@pytest.mark.parametrize(
    ("reactions", "outcome"),
    [
        # The first reaction at fault decides, whatever the later ones are.
        ("J0: X => ; k*X; J1: X => ; k/(X - 2)^2; J2: => X; ln(X/2.5);", Outcome.NON_FINITE),
        (
            "J0: X => ; k*X; J1: => X; ln(X/2.5); J2: X => ; k/(X - 2)^2;",
            Outcome.NEGATIVE_PROPENSITY,
        ),
        ("J0: X => ; k*X; J1: X => ; sqrt(X - 2); J2: => X; ln(X/1.5);", Outcome.NON_FINITE),
        ("J0: X => ; 1e308*X^2; J1: X => ; 1e308*X;", Outcome.NON_FINITE),
        ("J0: X => ; k;", Outcome.NEGATIVE_COUNT),
        ("J0: 2 X => ; k*X;", Outcome.NEGATIVE_COUNT),
        ("J0: X => ; k*X;", Outcome.ABSORBED),
    ],
)
def test_faults_are_those_of_the_reference(
    reactions: str, outcome: Outcome, readout: Readout
) -> None:
    net = antimony(f"substanceOnly species X in cell; X = 5; k = 9; {reactions}")
    asked = request(net, readout)
    sample = TensorFlow().sample(asked)
    assert (sample.outcomes == outcome).any()
    assert_same(sample, Reference().sample(asked))


@pytest.mark.parametrize("readout", READOUTS, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize("limit", [1, 6])
def test_the_firing_limit_is_that_of_the_reference(readout: Readout, limit: int) -> None:
    asked = request(network("autoregulation"), readout)
    sample = TensorFlow(firing_limit=limit).sample(asked)
    assert (sample.outcomes == Outcome.FIRING_LIMIT).any()
    assert_same(sample, Reference(firing_limit=limit).sample(asked))


# --- batches --------------------------------------------------------------------------------------


def test_several_batches_are_the_same_trajectories(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request(network("hill"), ValuesAt([0.5, 3]), 150, first_trajectory=2**32 - 150)
    whole = TensorFlow().sample(asked)
    monkeypatch.setattr(module, "MOST_ROWS", ROWS_STEP)
    assert plan_batches(asked).rows == ROWS_STEP
    assert_same(TensorFlow().sample(asked), whole)
    np.testing.assert_array_equal(whole.values, Reference().sample(asked).values)


def test_tensors_are_bounded() -> None:
    net = network("hill")
    for points, trajectories in ((1, 10), (1, 10**6), (10**5, 1000), (300, 10**9)):
        readout = ValuesAt(np.arange(points))
        plan = plan_batches(request(net, readout, trajectories))
        assert plan.rows % ROWS_STEP == 0
        assert plan.rows < trajectories + ROWS_STEP
        assert 4 * plan.rows * (points + 5 * plan.steps) <= module.MOST_NUMBERS
    with pytest.raises(RequestError, match="fewer points"):
        plan_batches(request(net, ValuesAt(np.arange(10**6)), 5))


def test_starts_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state for every trajectory, in more than one batch."""
    monkeypatch.setattr(module, "MOST_ROWS", ROWS_STEP)
    one = request(network("hill"), ValuesAt([0, 1]), 100)
    start = np.arange(100.0)[:, None]
    asked = Request(one.lowered, one.inputs, start, one.readout, 100, 1)
    sample = TensorFlow().sample(asked)
    np.testing.assert_array_equal(sample.values[:, 0], start)
    assert_same(sample, Reference().sample(asked))


def test_the_second_sample_traces_nothing() -> None:
    net = network("small_dimer")
    asked = request(net, ValuesAt([0.1, 0.2]), 70)
    engine = TensorFlow()
    engine.sample(asked)
    plan = plan_batches(asked)
    block = block_function(asked.lowered, asked.readout.kind, 2, plan.rows, plan.steps, None)
    traced = block.experimental_get_tracing_count()
    assert traced == 1
    other = request(net.with_parameters({"k1": 0.7}), ValuesAt([0.4, 0.8]), 66, seed=9)
    engine.sample(Request(asked.lowered, other.inputs, other.start, other.readout, 66, 9, 1000))
    assert block.experimental_get_tracing_count() == traced


# --- interruption ---------------------------------------------------------------------------------


def test_progress_is_told_within_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STEPS", 8)
    seen: list[tuple[int, int]] = []
    net = network("immigration_death")
    asked = request(net, ValuesAt([30]), 100, progress=lambda *a: seen.append(a))
    TensorFlow().sample(asked)
    assert len(seen) > 3
    assert seen == sorted(seen)
    assert seen[-1] == (100, 100)


def test_an_interrupt_stops_a_run_without_end() -> None:
    net = antimony("substanceOnly species X in cell; X = 5; k = 1; J0: => X; k;")
    calls = []

    def interrupt(done: int, total: int) -> None:
        calls.append(done)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TensorFlow().sample(request(net, ValuesAt([1e12]), progress=interrupt))
    assert calls == [0, 0, 0]


# --- within TensorFlow ----------------------------------------------------------------------------


def test_gradients_through_its_samples() -> None:
    model = network("ion_channel")
    options = {"readouts": [WindowAverages([0, 1])], "trajectories": 64, "seed": 3}

    def gradient(engine) -> np.ndarray:
        theta = tf.constant(model.parameter_values)
        with tf.GradientTape() as tape:
            tape.watch(theta)
            cells = sg.simulate(model, theta, engine=engine, **options)
            loss = cells.mean("O")[0]
        return tape.gradient(loss, theta).numpy()

    expected = gradient(sg.engines.Native(threads=1))
    assert np.any(expected)
    np.testing.assert_allclose(gradient(TensorFlow()), expected, rtol=1e-9)


def test_samples_while_a_graph_is_built() -> None:
    asked = request(network("hill"), ValuesAt([1]))
    expected = TensorFlow().sample(asked).values

    @tf.function
    def graph():
        return tf.constant(TensorFlow().sample(asked).values)

    np.testing.assert_array_equal(graph().numpy(), expected)


#: A gradient by itself and within a graph, as lines of JSON.
CHILD = """
import json
import sys

import numpy as np
import tensorflow as tf

import sbmlgrad as sg

model = sg.load(sys.argv[1])
theta = tf.constant(model.parameter_values)


def gradient():
    with tf.GradientTape() as tape:
        tape.watch(theta)
        cells = sg.simulate(
            model,
            theta,
            readouts=[sg.WindowAverages([0, 1])],
            trajectories=16,
            seed=3,
            engine=sg.engines.TensorFlow(),
        )
        loss = cells.mean("X")[0]
    return tape.gradient(loss, theta).numpy()


print(json.dumps(gradient().tolist()))
graph = tf.function(lambda: tf.numpy_function(gradient, [], tf.float64))
try:
    print(json.dumps(graph().numpy().tolist()))
except tf.errors.OpError as error:
    print(json.dumps(str(error)))
"""


@pytest.mark.parametrize("operations", [1, 2])
def test_gradients_within_a_graph_or_a_refusal(operations: int) -> None:
    """A graph holds an inter-op thread; operations within would wait for ever for the only one.

    In a process of its own, since TensorFlow reads the number once.
    """
    model = str(ROOT / "models" / "sbml" / "birth_death.xml")
    done = subprocess.run(
        [sys.executable, "-c", CHILD, model],
        env={**os.environ, "TF_NUM_INTEROP_THREADS": str(operations)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    alone, within = (json.loads(line) for line in done.stdout.splitlines())
    assert np.any(alone)
    if operations == 1:
        assert "RequestError" in within
        assert "set_inter_op_parallelism_threads(2)" in within
    else:
        np.testing.assert_allclose(within, alone, rtol=1e-12)


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "J: => X; k; at time > 1: X = 0;",
        "J: => X; k*time;",
        "p = 1; p' = 0.1; J: => X; k*p;",
    ],
)
def test_what_happens_between_firings_is_refused(text: str) -> None:
    model = antimony(f"substanceOnly species X in cell; X = 1; k = 1; {text}")
    with pytest.raises(RequestError, match="Native"):
        sg.simulate(model, times=[1], engine=TensorFlow(), seed=1)


@pytest.mark.parametrize(
    "settings",
    [{"firing_limit": 0}, {"jit_compile": 1}, {"jit_compile": "yes"}, {"device": 0}],
)
def test_settings_that_make_no_sense(settings: dict) -> None:
    with pytest.raises(RequestError, match=next(iter(settings))):
        TensorFlow(**settings)


def test_devices() -> None:
    asked = request(network("hill"), ValuesAt([1]))
    sample = TensorFlow(device="CPU:0").sample(asked)
    np.testing.assert_array_equal(sample.values, TensorFlow().sample(asked).values)
    assert "CPU:0" in sample.engine
    with pytest.raises(RequestError, match="it has CPU:0"):
        TensorFlow(device="ABACUS:0").sample(asked)
