"""Gradients over more trajectories than fit into memory, in parts."""

import numpy as np
import pytest
import tensorflow as tf

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import GradientError, RequestError
from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.gradients.ensemble_in_parts import EnsembleInParts
from sbmlgrad.gradients.memory import gradient_bytes, in_parts_bytes, part_size, part_sizes

BIRTHS = """
    unit substance = item; unit extent = item; compartment cell = 2;
    substanceOnly species X in cell, Y in cell; X = 0; Y = 3; make = 2; decay = 0.4;
    twice := 2*X + make;
    J0: => X; make;
    J1: X => Y; decay*X;
    J2: Y => ; 0.5*Y;
"""

#: Of 400 trajectories at two times the values alone are 12.8 kB.
LITTLE = "40kB"


@pytest.fixture(scope="module")
def model():
    return sg.load(BIRTHS)


def _found(model, statistic, estimator=None, seed=7):
    k = tf.Variable(model.parameter_values)
    scale = tf.Variable(1.5, dtype=tf.float64)
    with tf.GradientTape() as tape:
        cells = sg.simulate(
            model, k, times=[1.0, 2.0], trajectories=400, seed=seed, estimator=estimator
        )
        value = statistic(cells, scale)
    return (
        cells,
        np.asarray(value),
        *(np.asarray(g) for g in tape.gradient(value, [k, scale]) if g is not None),
    )


def _means(cells, scale):
    return cells.mean("X") * cells.mean("Y", "concentration") + cells.mean("twice")


def _spread(cells, scale):
    return cells.variance("X") + 0.3 * cells.covariance("X", "Y")


def _curved(cells, scale):
    return cells.expect(lambda x: tf.exp(-0.1 * scale * x), "X")


def _likely(cells, scale):
    return cells.probability(("X", 2, None))


@pytest.mark.parametrize(
    ("statistic", "estimator"),
    [
        (_means, None),
        (_spread, None),
        (_curved, None),
        (_means, sg.gradients.FiniteDifference()),
        (_spread, sg.gradients.FiniteDifference()),
        (_curved, sg.gradients.FiniteDifference()),
        (_likely, sg.gradients.FiniteDifference()),
    ],
)
def test_parts_give_what_the_whole_gives(model, statistic, estimator, monkeypatch):
    whole, *expected = _found(model, statistic, estimator)
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", LITTLE)
    cells, *found = _found(model, statistic, estimator)
    assert not isinstance(whole, EnsembleInParts)
    assert isinstance(cells, EnsembleInParts)
    assert len(cells.parts) > 1
    assert sum(cells.sizes) == 400
    assert f"{len(cells.parts)} parts" in cells.engine
    assert np.array_equal(cells.firings, whole.firings)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        # Differences of functions of the same trajectories: rounding alone.
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11)


def _fano(cells, scale):
    return cells.expect(lambda x: (x - tf.reduce_mean(x, 0)) ** 2 / tf.reduce_mean(x, 0), "X")


def _above_the_mean(cells, scale):
    return cells.probability(lambda x: x > tf.reduce_mean(x, 0), "X")


@pytest.mark.parametrize(
    ("statistic", "estimator"), [(_fano, None), (_above_the_mean, sg.gradients.FiniteDifference())]
)
def test_functions_that_mix_trajectories_are_refused(model, statistic, estimator, monkeypatch):
    """They would see one part at a time, and give what depends on the memory there is."""
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", LITTLE)
    with pytest.raises(GradientError, match=r"in parts.* mixes trajectories"):
        _found(model, statistic, estimator)


def test_functions_that_mix_trajectories_are_refused_in_graphs(model, monkeypatch):
    """The value would depend on the memory there is, and nobody would be told."""
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", LITTLE)
    cells, *_ = _found(model, lambda cells, scale: cells.mean("X"))
    graph = tf.function(lambda: _fano(cells, 1.0))
    with pytest.raises(tf.errors.OpError, match="mixes trajectories"):
        graph()


def test_functions_that_hold_tensors_of_a_graph_are_taken(model, monkeypatch):
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", LITTLE)
    cells, *_ = _found(model, lambda cells, scale: cells.mean("X"))
    outside = cells.expect(lambda x: (x - 3.0) ** 2, "X")
    graph = tf.function(lambda target: cells.expect(lambda x: (x - target) ** 2, "X"))
    inside = graph(tf.constant(3.0, tf.float64))
    np.testing.assert_allclose(inside.numpy(), outside.numpy(), rtol=1e-12)


@pytest.mark.parametrize("given", [None, 3.0, "a", [1.0, 2.0], np.ones(400)], ids=str)
@pytest.mark.parametrize("is_graph", [False, True])
def test_functions_without_a_number_for_each_trajectory_are_refused(
    given, is_graph, model, monkeypatch
):
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", LITTLE)
    cells, *_ = _found(model, lambda cells, scale: cells.mean("X"))

    def mean():
        return cells.expect(lambda _: given, "X")

    if is_graph:
        with pytest.raises(sg.SbmlGradError):
            tf.function(mean)()
    else:
        with pytest.raises(sg.GradientError, match="of which each needs its own"):
            mean()


def test_single_precision_and_graphs_are_no_mixing(model, monkeypatch):
    """Vector instructions round single precision differently by where a trajectory stands."""

    def single(x):
        return tf.exp(-0.1 * tf.cast(x, tf.float32))

    _, *expected = _found(model, lambda cells, scale: cells.expect(single, "X"))
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", LITTLE)
    cells, *found = _found(model, lambda cells, scale: cells.expect(single, "X"))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    inside = tf.function(lambda: cells.expect(single, "X"))()
    np.testing.assert_allclose(inside.numpy(), found[0], rtol=1e-5)


def test_further_symbols_keep_their_gradient(model, monkeypatch):
    from sbmlgrad.io.formula_text import formula_of

    light = formula_of("scale*X*X")

    def seen(cells, scale):
        return cells.mean(light, extra={"scale": scale})

    _, *expected = _found(model, seen)
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", LITTLE)
    cells, *found = _found(model, seen)
    assert isinstance(cells, EnsembleInParts)
    assert len(found) == 3
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_values_of_trajectories_are_refused_in_words(model, monkeypatch):
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", LITTLE)
    cells, *_ = _found(model, _means)
    for ask in (lambda: cells.values("X"), lambda: cells.counts, lambda: cells.to_dataframe()):
        with pytest.raises(RequestError, match=r"400 trajectories .* parts"):
            ask()


def test_plain_values_are_refused_in_words(model, monkeypatch):
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", LITTLE)
    cells, *_ = _found(model, _means)
    with pytest.raises(RequestError, match=r"400 trajectories .* SBMLGRAD_MEMORY_LIMIT"):
        Simulated(cells, {}).plain()


@pytest.mark.parametrize("estimator", [None, sg.gradients.FiniteDifference()])
def test_functions_may_hold_the_parameters_themselves(model, estimator, monkeypatch):
    """A closure over the very tensors that were passed is differentiated once, not twice."""
    from sbmlgrad.io.formula_text import formula_of

    light = formula_of("scale*X*X")

    def found():
        k = tf.constant(model.parameter_values)
        logs = tf.math.log(k)
        scale = tf.constant(1.5, tf.float64)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([k, logs, scale])
            results = []
            for theta in (k, tf.exp(logs)):
                cells = sg.simulate(
                    model, theta, times=[1.0, 2.0], trajectories=400, seed=7, estimator=estimator
                )
                results.append(cells.expect(lambda x, theta=theta: theta[0] * scale * x, "X"))
                results.append(cells.expect(lambda x: scale * x, light, extra={"scale": scale}))
        return cells, [
            np.asarray(slope)
            for value in results
            for slope in tape.gradient(value, [k, logs, scale])
            if slope is not None
        ]

    whole, expected = found()
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", LITTLE)
    cells, ours = found()
    assert not isinstance(whole, EnsembleInParts)
    assert isinstance(cells, EnsembleInParts)
    assert len(ours) == len(expected) == 8
    for one, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    "estimator",
    [
        sg.gradients.FittedValue(),
        sg.gradients.ScoreFunction(),
        sg.gradients.CoupledDifference(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_no_part_is_left_with_one_trajectory(model, estimator, monkeypatch):
    """One trajectory more than fills the parts: estimators that compare trajectories still can."""

    def found(trajectories):
        k = tf.Variable(model.parameter_values)
        with tf.GradientTape() as tape:
            cells = sg.simulate(
                model,
                k,
                times=[1.0, 2.0],
                trajectories=trajectories,
                seed=7,
                first_trajectory=1000,
                estimator=estimator,
            )
            value = cells.mean("X")[-1] + cells.expect(lambda x: tf.square(x), "Y")[-1]
        return cells, np.asarray(value), np.asarray(tape.gradient(value, k))

    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", LITTLE)
    lowered, readouts = lower(model), (sg.ValuesAt([1.0, 2.0]),)

    def most(n):
        return part_size(lowered, readouts, n, gradient_bytes(lowered, readouts, n), 40_000)

    trajectories = next(n for n in range(300, 400) if n % most(n) == 1)
    cells, value, slope = found(trajectories)
    assert isinstance(cells, EnsembleInParts)
    assert cells.sizes == part_sizes(trajectories, most(trajectories))
    assert sum(cells.sizes) == trajectories
    assert min(cells.sizes) >= max(cells.sizes) - 1 > 1
    monkeypatch.delenv("SBMLGRAD_MEMORY_LIMIT")
    whole, expected, other = found(trajectories)
    assert not isinstance(whole, EnsembleInParts)
    assert cells.first_trajectory == whole.first_trajectory == 1000
    assert np.array_equal(cells.firings, whole.firings)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    # Fits and centres are those of each part: near, and not the same.
    assert np.linalg.norm(slope - other) < 0.5 * np.linalg.norm(other)


def test_batches_and_graphs_are_refused_only_where_nothing_would_fit(model, monkeypatch):
    """800 trajectories: 110 kB for means alone, counted with 314 kB where parts are possible."""
    batch = tf.constant(np.tile(model.parameter_values, (2, 1)))
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", "150kB")
    cells = sg.simulate(model, batch, times=[1, 2], trajectories=400, seed=1)
    assert cells.is_batched
    assert not isinstance(cells, EnsembleInParts)

    @tf.function
    def of_graph(theta):
        return sg.simulate(model, theta, times=[1, 2], trajectories=800, seed=1).mean("X")

    assert of_graph(batch[0]).shape == (2,)
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", LITTLE)
    with pytest.raises(RequestError, match="gradient over 800 trajectories"):
        sg.simulate(model, batch, times=[1, 2], trajectories=400)


def test_what_cannot_even_be_in_parts_is_refused_before_it_runs(model, monkeypatch):
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", "4kB")
    with pytest.raises(RequestError, match="gradient over 400 trajectories, in parts"):
        sg.simulate(model, tf.constant(model.parameter_values), times=[1, 2], trajectories=400)


def test_start_states_of_all_trajectories_are_counted(model):
    lowered, readouts = lower(model), (sg.ValuesAt([1.0, 2.0]),)
    without = in_parts_bytes(lowered, readouts, 10**6, 100, has_starts=False)
    given = in_parts_bytes(lowered, readouts, 10**6, 100, has_starts=True)
    # Rows as they are drawn and as one array.
    assert given - without == 2 * 10**6 * 2 * 8
    assert without >= 10**6 * 34
