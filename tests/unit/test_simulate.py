"""`simulate`: what it accepts, what it refuses, and tensors beside arrays."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from networks import antimony, network, shipped

import sbmlgrad as sg

FLASK = """
    compartment flask = 4;
    species A in flask, F in flask; A = 2.5; const species F = 0.5;
    k = 0.3; J0: A => ; flask*k*A*F;
"""


def test_quantities_of_a_concentration_species() -> None:
    cells = sg.simulate(antimony(FLASK), times=[0, 1], trajectories=5, seed=1)
    counts = cells.counts[:, :, 0]
    assert counts.dtype == np.int64
    assert (counts[:, 0] == 10).all()
    np.testing.assert_array_equal(cells.values("A", "counts"), counts)
    np.testing.assert_array_equal(cells.values("A", "amount"), counts)
    np.testing.assert_array_equal(cells.values("A", "concentration"), counts / 4)
    np.testing.assert_array_equal(cells.values("A"), counts / 4)
    assert (cells.values("F") == 0.5).all()
    assert (cells.values("F", "counts") == 2.0).all()
    assert (cells.values("flask") == 4.0).all()
    assert (cells.values("k") == 0.3).all()
    np.testing.assert_allclose(cells.values("J0"), 0.3 * counts * 0.5)


@pytest.mark.parametrize("symbol", ["A", "F", "flask", "k"])
def test_tensors_give_the_same_symbols(symbol: str) -> None:
    model = antimony(FLASK)
    options = {"times": [0, 1], "trajectories": 50, "seed": 1}
    array = sg.simulate(model, model.parameter_values, **options).mean(symbol)
    tensor = sg.simulate(model, tf.constant(model.parameter_values), **options).mean(symbol)
    assert isinstance(tensor, tf.Tensor)
    np.testing.assert_allclose(tensor.numpy(), array, rtol=1e-12)


def test_every_form_of_parameters_means_the_same() -> None:
    model = shipped("dimerization")
    options = {"times": [1], "trajectories": 20, "seed": 3}
    values = model.parameter_values * [2.0, 1.0]
    forms = [
        values,
        values.tolist(),
        {"k1": values[0]},
        tf.constant(values),
        tf.Variable(values),
    ]
    means = [np.asarray(sg.simulate(model, form, **options).mean("C")) for form in forms]
    means.append(sg.simulate(model.with_parameters({"k1": values[0]}), **options).mean("C"))
    for mean in means[1:]:
        np.testing.assert_allclose(mean, means[0], rtol=1e-12)


def test_inside_a_graph_with_a_fresh_seed_each_time() -> None:
    model = network("small_dimer")

    @tf.function
    def loss_and_gradient(k, seed):
        with tf.GradientTape() as tape:
            tape.watch(k)
            cells = sg.simulate(model, k, times=[0.5, 1], trajectories=200, seed=seed)
            loss = tf.reduce_sum(cells.mean("C"))
        return loss, tape.gradient(loss, k)

    k = tf.constant(model.parameter_values)
    for seed in (1, 2):
        with tf.GradientTape() as tape:
            tape.watch(k)
            cells = sg.simulate(model, k, times=[0.5, 1], trajectories=200, seed=seed)
            eager = tf.reduce_sum(cells.mean("C"))
        loss, gradient = loss_and_gradient(k, tf.constant(seed, tf.int64))
        # A graph may add up in another order.
        assert float(loss) == pytest.approx(float(eager), rel=1e-12)
        np.testing.assert_array_equal(gradient, tape.gradient(eager, k))


def test_second_use_in_one_tape_and_a_jacobian() -> None:
    model = network("small_dimer")
    k = tf.constant(model.parameter_values)
    options = {"times": [0.5, 1], "trajectories": 100, "seed": 1}
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(k)
        first = sg.simulate(model, k, **options).mean("C")
        both = first[0] + sg.simulate(model, 2.0 * k, **options).mean("C")[1]
    with tf.GradientTape() as other:
        other.watch(k)
        second = sg.simulate(model, 2.0 * k, **options).mean("C")[1]
    rows = tape.jacobian(first, k, experimental_use_pfor=True).numpy()
    total = tape.gradient(both, k).numpy()
    np.testing.assert_allclose(total, rows[0] + other.gradient(second, k).numpy(), rtol=1e-12)


def test_compartment_that_follows_a_parameter() -> None:
    """Its gradient reaches the parameter through the law; concentrations are refused by name."""
    model = antimony(
        "compartment V; p = 2; V = 2*p; substanceOnly species X in cell; X = 0;"
        "k = 3; J0: => X; k*V;"
    )
    k = tf.constant(model.parameter_values)
    with tf.GradientTape() as tape:
        tape.watch(k)
        mean = sg.simulate(model, k, times=[1], trajectories=4000, seed=1).mean("X")[0]
    slopes = dict(zip(model.parameter_ids, tape.gradient(mean, k).numpy(), strict=True))
    # E[X(1)] = 2 p k exactly, and the law is affine: no bias.
    assert slopes["p"] == pytest.approx(6.0, rel=0.05)
    assert slopes["k"] == pytest.approx(4.0, rel=0.05)


def test_signs_follow_the_values_given() -> None:
    """A law that is a difference only for the values given still fires both ways."""
    model = antimony(
        "substanceOnly species A in cell, B in cell; A = 40; B = 0; k = 1; b = -1;"
        "J0: A -> B; k*A - b*B;"
    )
    cells = sg.simulate(model, {"b": 0.5}, times=[20], trajectories=20_000, seed=1)
    # Equilibrium is binomial with 40 molecules and share 2/3 in B.
    mean, variance = 40 * 2 / 3, 40 * 2 / 9
    z = (cells.mean("B")[0] - mean) / np.sqrt(variance / 20_000)
    y = (cells.variance("B")[0] / variance - 1) / np.sqrt(2 / 20_000)
    assert max(abs(z), abs(y)) < 4.0, f"z = {z}, y = {y}"


def test_an_infinite_derivative_is_refused() -> None:
    model = antimony("substanceOnly species X in cell; X = 3; k = 1; J0: X => ; k*sqrt(X);")
    k = tf.constant(model.parameter_values)
    with tf.GradientTape() as tape:
        tape.watch(k)
        mean = sg.simulate(model, k, times=[9], trajectories=50, seed=1).mean("X")[0]
    with pytest.raises(sg.GradientError, match="not finite"):
        tape.gradient(mean, k)


def test_absolute_value_is_differentiated_at_zero_from_the_right() -> None:
    model = antimony("substanceOnly species X in cell; X = 5; k = 0.5; J0: X => ; k*abs(X);")
    k = tf.constant(model.parameter_values)
    with tf.GradientTape() as tape:
        tape.watch(k)
        mean = sg.simulate(model, k, times=[3], trajectories=20_000, seed=1).mean("X")[0]
    # Linear death: E[X] = 5 exp(-k t).
    assert float(tape.gradient(mean, k)[0]) == pytest.approx(-15 * np.exp(-1.5), rel=0.03)


REFUSED = [
    ({"times": "abc"}, "not numbers"),
    ({"times": None}, "nothing to keep"),
    ({"times": [1, 1]}, "must increase"),
    ({"times": [-1, 1]}, "negative"),
    ({"times": [np.nan]}, "finite"),
    ({"trajectories": 0}, "trajectories=0"),
    ({"trajectories": 2.5}, "trajectories=2.5"),
    ({"seed": -1}, "seed=-1"),
    ({"seed": "x"}, "seed='x'"),
    ({"engine": "native"}, "engine='native'"),
    ({"engine": sg.engines.Native}, "pass an engine object"),
    ({"readouts": sg.WindowAverages([0, 1])}, "pass a list of readouts"),
    ({"readouts": ["x"]}, "pass a list of readouts"),
    ({"readouts": 3}, "readouts=3: pass a list of readouts"),
    ({"readouts": 3, "parameters": tf.constant([1.0])}, "readouts=3: pass a list of readouts"),
    ({"readouts": np.ones(2), "engine": sg.engines.ODE()}, "pass a list of readouts"),
    ({"times": 10**400}, "times: an integer is beyond the largest"),
    ({"parameters": {"k1": 10**400}}, "parameter 'k1': an integer is beyond the largest"),
    ({"parameters": {"k9": 1.0}}, "no parameter 'k9'"),
    ({"parameters": {"k1": "a"}}, "not a number"),
    ({"parameters": {"k1": np.inf}}, "not a finite number"),
    ({"parameters": [1.0]}, "shape"),
    ({"parameters": tf.constant([1.0])}, "shape"),
    ({"initial": {"nope": 1}}, "nope"),
    ({"initial": {"A": -1}}, "'A' = -1"),
    ({"initial": "A"}, "mapping"),
    ({"initial": {"A": 1.5}}, "not a whole number"),
    ({"progress": 3}, "progress=3"),
    ({"on_failure": "ignore"}, "on_failure"),
    ({"on_failure": np.ones(2)}, "on_failure=array.*: choose 'raise' or 'mark'"),
    ({"streams": "mine"}, "streams='mine': choose"),
    ({"streams": np.ones(2)}, "streams=array.*: choose"),
    ({"estimator": sg.gradients.TwoSidedAdjoint()}, "tensor"),
    ({"first_trajectory": 2**32}, "first_trajectory"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=[str(o)[:50] for o, _ in REFUSED])
def test_bad_requests_are_refused_by_name(options: dict, message: str) -> None:
    with pytest.raises(sg.SbmlGradError, match=message):
        sg.simulate(shipped("dimerization"), **{"times": [1], **options})


def test_readouts_may_come_from_a_generator() -> None:
    windows = (sg.WindowAverages([0, last]) for last in (1, 2))
    cells = sg.simulate(shipped("dimerization"), times=[1], readouts=windows, seed=1)
    assert [type(one).__name__ for one in cells.readouts] == ["ValuesAt"] + 2 * ["WindowAverages"]


def test_seed_is_drawn_and_recorded() -> None:
    model = network("small_dimer")
    first = sg.simulate(model, times=[1], trajectories=50)
    again = sg.simulate(model, times=[1], trajectories=50, seed=first.seed)
    np.testing.assert_array_equal(first.counts, again.counts)


def test_arrays_of_parameters_are_finite_but_for_what_a_document_lacks() -> None:
    model = sg.load("model m; k = 1; unused = NaN; A = 5; J: A -> ; k*A; end", substance="item")
    own = model.parameter_values
    assert np.isnan(own).sum() == 1
    assert sg.simulate(model, times=[1.0], parameters=own, seed=1).seed == 1
    for wrong in (np.inf, np.nan):
        values = np.where(np.isnan(own), own, wrong)
        with pytest.raises(sg.ParameterError, match=r"'k': the value .* is not a finite number"):
            sg.simulate(model, times=[1.0], parameters=values, seed=1)


@pytest.mark.parametrize("options", [{"first_trajectory": 3}, {"estimator": object()}])
def test_rate_equations_have_one_solution(options: dict) -> None:
    model = sg.load("model m; k = 1; A = 5; J: A -> ; k*A; end", substance="item")
    with pytest.raises(sg.RequestError, match="one solution"):
        sg.simulate(model, times=[1.0], engine=sg.engines.ODE(), **options)


def test_initial_values_in_the_meaning_of_the_symbol() -> None:
    cells = sg.simulate(antimony(FLASK), times=[0], initial={"A": 5.0, "flask": 2.0}, seed=1)
    assert cells.counts.ravel().tolist() == [10]
    assert cells.values("A", "concentration").ravel().tolist() == [5.0]


def test_tables_and_datasets() -> None:
    cells = sg.simulate(shipped("dimerization"), times=[0, 1], trajectories=3, seed=1)
    data = cells.to_xarray()
    assert dict(data.sizes) == {"trajectory": 3, "time": 2}
    assert data.attrs["seed"] == 1
    frame = cells.to_dataframe()
    assert list(frame.columns) == ["trajectory", "time", "A", "B", "C"]
    assert frame["C"].tolist() == cells.counts[:, :, 2].ravel().tolist()


def test_fit_refuses_parameters_that_would_be_dragged_along(tmp_path) -> None:
    model = antimony(
        "substanceOnly species X in cell; X = 0; k1 = 10; k2 = 2*k1; J0: => X; k1 + k2;"
        "J1: X => ; X;"
    )
    path = tmp_path / "d.csv"
    path.write_text("time,X\n1,40\n2,60\n")
    data = sg.load_measurements(path)
    with pytest.raises(sg.SbmlGradError, match="'k2' is set by an initial assignment"):
        sg.fit(model, data, free=["k1"])
