"""Propensities as TensorFlow operations: every operator, families, derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from networks import antimony, network, shipped

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.codegen.tensorflow_graph import families, propensities
from sbmlgrad.errors import RequestError, SbmlGradError
from sbmlgrad.model.channels import Channel
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.elements import Parameter
from sbmlgrad.model.expression import Apply, Expression, Number, Symbol
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import OPERATORS, evaluate

tf = pytest.importorskip("tensorflow")

SMOOTH_POINTS = ((1.7, 0.6, 2.3), (0.4, 2.5, 0.9), (-0.3, 1.4, -2.6))
POINTS = np.array(
    [
        *SMOOTH_POINTS,
        (5.0, 3.0, 4.0),
        (0.0, 1.0, 0.0),
        (-7.0, 2.0, 2.0),
        (0.0, 0.0, 0.0),
        (1000.0, -3.0, 0.5),
        (171.0, 170.0, 4.0),
        (math.inf, math.nan, 1.0),
        (1.0, -math.inf, math.nan),
        (math.nan, 1.0, 2.0),
    ]
)
X, Y, Z = Symbol("x"), Symbol("y"), Symbol("z")
EVALUABLE = [name for name, row in OPERATORS.items() if row.is_evaluable]


def laws(name: str) -> list[Expression]:
    """Every number of arguments up to three that the operator accepts."""
    row = OPERATORS[name]
    low, high = Apply("lt", (X, Y)), Apply("gt", (Y, Z))
    if name == "piecewise":
        product = Apply("times", (X, Y))
        return [
            Apply(name, (X,)),
            Apply(name, (X, low)),
            Apply(name, (X, low, product, high, Z)),
            Apply(name, (low, X, high)),
        ]
    found: list[Expression] = [Apply(name, (X, Y, Z)[:n]) for n in range(4) if row.accepts(n)]
    if row.is_logical and row.accepts(2):
        found.append(Apply(name, (low, high)))
    return found


CASES = [(name, e) for name in EVALUABLE for e in laws(name)]


def lowered(*expressions: Expression) -> LoweredNetwork:
    net = ReactionNetwork("one", parameters=tuple(Parameter(i, 1.0) for i in "xyz"))
    found = (Channel(f"J{i}", "J", e, {}) for i, e in enumerate(expressions))
    return LoweredNetwork(net, tuple(found))


@cache
def all_laws() -> LoweredNetwork:
    return lowered(*(e for _, e in CASES))


def at(net: LoweredNetwork, inputs) -> object:
    return propensities(net, tf.zeros((len(inputs), 0), tf.float64), inputs)


@cache
def run(how: str) -> np.ndarray:
    def function(inputs):
        return at(all_laws(), inputs)

    call = function if how == "eager" else tf.function(function, jit_compile=how == "xla")
    return call(tf.constant(POINTS)).numpy()


@pytest.mark.parametrize("how", ["eager", "graph", "xla"])
@pytest.mark.parametrize("name", EVALUABLE)
def test_every_operator_has_its_value(name: str, how: str) -> None:
    # XLA has approximations of its own; the others use the C library.
    tolerance = 1e-14 if how == "xla" else 2e-15
    for place, (case, law) in enumerate(CASES):
        if case == name:
            values = dict(zip("xyz", POINTS.T, strict=True))
            expected = np.broadcast_to(evaluate(law, values), len(POINTS))
            np.testing.assert_allclose(
                run(how)[:, place], expected, rtol=tolerance, atol=0.0, err_msg=str(law)
            )


@pytest.mark.parametrize("name", [n for n in EVALUABLE if not OPERATORS[n].is_logical])
def test_every_operator_has_its_derivative(name: str) -> None:
    inputs = tf.constant(SMOOTH_POINTS, tf.float64)
    for law in laws(name):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = at(lowered(law), inputs)
        found = tape.gradient(value, inputs, unconnected_gradients="zero").numpy()
        values = dict(zip("xyz", np.array(SMOOTH_POINTS).T, strict=True))
        for i, symbol in enumerate("xyz"):
            expected = np.broadcast_to(evaluate(derivative(law, symbol), values), 3)
            defined = ~np.isnan(evaluate(law, values) * expected)
            np.testing.assert_allclose(
                found[defined, i], expected[defined], rtol=1e-12, atol=1e-15, err_msg=str(law)
            )


def slopes(law: Expression, *point: float) -> list[float]:
    inputs = tf.constant([point], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = at(lowered(law), inputs)
    return tape.gradient(value, inputs, unconnected_gradients="zero").numpy()[0].tolist()


def test_derivatives_at_kinks_are_those_of_the_operator_table() -> None:
    assert slopes(Apply("abs", (X,)), 0.0, 1.0, 1.0) == [1.0, 0.0, 0.0]
    assert slopes(Apply("min", (X, Y, Z)), 2.0, 2.0, 2.0) == [1.0, 0.0, 0.0]
    assert slopes(Apply("max", (X, Y, Z)), 1.0, 2.0, 2.0) == [0.0, 1.0, 0.0]
    assert np.isnan(slopes(Apply("factorial", (X,)), 3.0, 1.0, 1.0)[0])


def test_a_piece_that_is_not_selected_leaves_the_derivative_alone() -> None:
    """Its own derivative is infinite, and zero times that would be NaN."""
    safe = Apply("piecewise", (Apply("divide", (Y, X)), Apply("gt", (X, Number(0.0))), Z))
    assert slopes(safe, 0.0, 3.0, 5.0) == [0.0, 0.0, 1.0]
    assert slopes(safe, 2.0, 3.0, 5.0) == [-0.75, 0.5, 0.0]
    nested = Apply("piecewise", (safe, Apply("lt", (Y, Number(9.0))), Apply("sqrt", (X,))))
    assert slopes(nested, 0.0, 3.0, 5.0) == [0.0, 0.0, 1.0]


def test_an_operator_without_an_operation_is_refused() -> None:
    with pytest.raises(SbmlGradError, match="rateOf"):
        at(lowered(Apply("rateOf", (X,))), tf.ones((1, 3), tf.float64))


# --- networks -------------------------------------------------------------------------------------

NETWORKS: dict[str, Callable[[], ReactionNetwork]] = {
    **{
        name: lambda name=name: network(name)
        for name in ("ion_channel", "autoregulation", "epidemic", "hill", "michaelis_menten")
    },
    **{name: lambda name=name: shipped(name) for name in ("oscillator", "dimerization")},
}


def inputs_of(net: LoweredNetwork) -> np.ndarray:
    values = initial_values(net.network)
    return np.array([values[i] for i in net.input_ids])


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_the_symbolic_partials(name: str) -> None:
    net = lower(NETWORKS[name]())
    rng = np.random.default_rng(4)
    counts = rng.integers(1, 30, (5, len(net.species_ids))).astype(float)
    inputs = np.tile(inputs_of(net), (5, 1)) * rng.uniform(0.5, 2.0, (5, 1))
    tensors = tf.constant(counts), tf.constant(inputs)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(tensors)
        rates = propensities(net, *tensors)
    in_state, in_input = (tape.batch_jacobian(rates, tensor).numpy() for tensor in tensors)

    values = dict(zip(net.species_ids, counts.T, strict=True))
    values |= dict(zip(net.input_ids, inputs.T, strict=True))
    expected = np.stack([np.broadcast_to(evaluate(c.propensity, values), 5) for c in net.channels])
    np.testing.assert_allclose(rates.numpy(), expected.T, rtol=1e-14)
    # Constants are inputs too, but have partials only where they follow from parameters.
    wanted = {p.variable for p in net.input_partials}
    for found, partials, columns in (
        (in_state, net.state_partials, set(range(len(net.species_ids)))),
        (in_input, net.input_partials, wanted),
    ):
        exact = np.zeros_like(found)
        for p in partials:
            exact[:, p.reaction, p.variable] = evaluate(p.expression, values)
        kept = sorted(columns)
        assert np.any(exact)
        np.testing.assert_allclose(found[..., kept], exact[..., kept], rtol=1e-11, atol=1e-13)


def chain(length: int) -> ReactionNetwork:
    """Laws of three shapes in turn, with numbers, parameters and species of their own."""
    lines = [f"substanceOnly species X{i} in cell; X{i} = {i % 7 + 1};" for i in range(length)]
    for i in range(length - 1):
        law = (f"k{i}*X{i}", f"{i + 0.5}*X{i}", f"k{i}*X{i}/(2 + X{i + 1})")[i % 3]
        lines.append(f"k{i} = {1 + i / 10}; J{i}: X{i} => X{i + 1}; {law};")
    return antimony("\n".join(lines))


def test_reactions_of_one_shape_are_one_family() -> None:
    net = lower(chain(60))
    assert len(net.channels) == 59
    groups = families(net)
    assert len(groups) == 3
    assert families(net) is groups
    counts = np.random.default_rng(1).integers(0, 20, (4, 60)).astype(float)
    values = dict(zip(net.species_ids, counts.T, strict=True)) | initial_inputs(net)
    expected = np.stack([evaluate(c.propensity, values) for c in net.channels], axis=1)
    found = propensities(net, counts, inputs_of(net))
    np.testing.assert_array_equal(found.numpy(), expected)


def initial_inputs(net: LoweredNetwork) -> dict[str, float]:
    return dict(zip(net.input_ids, inputs_of(net), strict=True))


def test_laws_that_use_the_time_are_refused() -> None:
    net = lower(antimony("substanceOnly species X in cell; X = 1; k = 1; J: => X; k*time;"))
    with pytest.raises(RequestError, match="reaction 'J'"):
        propensities(net, np.ones((1, 1)), inputs_of(net))


def test_without_reactions() -> None:
    net = lower(antimony("substanceOnly species X in cell; X = 1;"))
    assert propensities(net, np.ones((3, 1)), inputs_of(net)).shape == (3, 0)
