"""Gradients over more trajectories than fit into memory, in parts."""

import numpy as np
import pytest
import tensorflow as tf

import sbmlgrad as sg
from sbmlgrad.errors import RequestError
from sbmlgrad.gradients.ensemble_in_parts import EnsembleInParts

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


def test_what_cannot_be_in_parts_is_refused_before_it_runs(model, monkeypatch):
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", LITTLE)
    batch = tf.constant(np.tile(model.parameter_values, (2, 1)))
    with pytest.raises(RequestError, match="gradient over 800 trajectories"):
        sg.simulate(model, batch, times=[1, 2], trajectories=400)
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", "4kB")
    with pytest.raises(RequestError, match="gradient over 400 trajectories, in parts"):
        sg.simulate(model, batch[0], times=[1, 2], trajectories=400)
