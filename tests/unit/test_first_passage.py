"""First passages of simulated networks against the master equation and closed forms."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import tensorflow as tf
from networks import antimony, network
from small_networks import HEAD

import sbmlgrad as sg
from sbmlgrad import cme
from sbmlgrad.gradients import CoupledDifference, FiniteDifference, ScoreFunction
from sbmlgrad.io.formula_text import formula_of
from sbmlgrad.passage_times import first_passage

BATCHES = 8
TIMES = [1.5, 3.0]
ENGINES = [sg.engines.Native(kernel="table"), sg.engines.Native(kernel="lockstep")]


@lru_cache
def exact():
    """X of immigration and death reaches 4."""
    return cme.first_passage(network("immigration_death"), lambda s: s[:, 0] >= 4, TIMES)


def passage(parameters=None, **options):
    options = {"trajectories": 4000, "seed": 3, "times": TIMES, **options}
    return first_passage(network("immigration_death"), ("X", 4, None), 3.0, parameters, **options)


@pytest.mark.parametrize("engine", [*ENGINES, sg.engines.Reference()], ids=lambda e: e.name)
def test_probabilities_and_waiting_times_are_those_of_the_master_equation(engine) -> None:
    found = passage(engine=engine, trajectories=300 if "Reference" in engine.name else 4000)
    z = (found.probability - exact().probability.value) / found.probability_error
    y = (found.waiting - exact().waiting.value[0]) / found.waiting_error
    assert np.all(np.abs([*z, y]) < 4.0), f"z = {z}, {y}"
    np.testing.assert_array_equal(found.times, TIMES)


def test_standard_errors_are_the_spread_of_the_estimates() -> None:
    rows = [passage(trajectories=200, seed=b) for b in range(60)]
    spread = np.std([r.waiting for r in rows], ddof=1)
    stated = np.mean([r.waiting_error for r in rows])
    # A standard deviation from 60 numbers is known to 9 %.
    assert abs(spread / stated - 1.0) < 0.4
    spread = np.std([r.probability[0] for r in rows], ddof=1)
    stated = np.mean([r.probability_error[0] for r in rows])
    assert abs(spread / stated - 1.0) < 0.4


@pytest.mark.parametrize(
    "estimator",
    [None, CoupledDifference(), ScoreFunction(), FiniteDifference()],
    ids=lambda e: "default" if e is None else e.name,
)
def test_gradients_are_those_of_the_master_equation(estimator) -> None:
    probability, waiting = [], []
    for batch in range(BATCHES):
        theta = tf.constant(network("immigration_death").parameter_values)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(theta)
            found = passage(theta, estimator=estimator, trajectories=1500, seed=batch)
            late = found.probability[-1]
        probability.append(tape.gradient(late, theta).numpy())
        waiting.append(tape.gradient(found.waiting, theta).numpy())
    truths = exact().probability.gradient[-1], exact().waiting.gradient[0]
    for rows, truth in zip((probability, waiting), truths, strict=True):
        error = np.std(rows, axis=0, ddof=1) / np.sqrt(BATCHES)
        # Differences over 5 % are off by less than a percent.
        z = (np.mean(rows, axis=0) - truth) / np.hypot(error, 0.01 * np.abs(truth))
        assert np.all(np.abs(z) < 6.0), f"z = {z}"
        assert np.all(error < 0.2 * np.abs(truth)), "the test has no power"


@pytest.mark.parametrize("least", [7, 8, 10])
def test_gradients_where_the_condition_begins_at_a_larger_count(least) -> None:
    """The law of entering holds at one count alone: lost, a twelfth of the gradient was missing."""
    model = antimony("""substanceOnly species X in cell; X = 0; make = 2; decay = 0.1;
        J0: => X; make; J1: X => ; decay*X;""")
    truth = cme.first_passage(model, lambda s: s[:, 0] >= least, [5.0]).probability.gradient[0]
    theta, rows = tf.constant(model.parameter_values), []
    for seed in range(BATCHES):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            found = first_passage(
                model, ("X", least, None), 5.0, theta, trajectories=2000, seed=seed
            )
            late = found.probability[0]
        rows.append(tape.gradient(late, theta).numpy())
    error = np.std(rows, axis=0, ddof=1) / np.sqrt(BATCHES)
    z = (np.mean(rows, axis=0) - truth) / error
    # |t| with 7 degrees of freedom exceeds 7.1 with p = 2e-4.
    assert np.all(np.abs(z) < 7.1), f"z = {z}"
    assert np.all(7.1 * error < 0.06 * np.abs(truth)), "the test has no power"


def test_a_rate_that_grows_with_time() -> None:
    """The first birth at the rate k t comes after t with probability exp(-k t²/2)."""
    model = antimony("substanceOnly species X in cell; X = 0; k = 0.8; J0: => X; k*time;")
    theta = tf.constant(model.parameter_values)
    with tf.GradientTape() as tape:
        tape.watch(theta)
        found = first_passage(
            model,
            ("X", 1, None),
            2.0,
            theta,
            times=[1.0, 2.0],
            trajectories=4000,
            seed=1,
            estimator=FiniteDifference(coupling="crn"),
        )
        value = found.probability[0]
    z = (found.probability - (1 - np.exp(-0.4 * np.array([1.0, 4.0])))) / found.probability_error
    assert np.all(np.abs(z) < 4.0), f"z = {z}"
    slope = float(tape.gradient(value, theta)[0])
    # Of 8 % of the trajectories the passage lies between the sides: the share of those is known to
    # 1/√(4000 p), p being the difference of the probabilities.
    truth = 0.5 * np.exp(-0.4)
    error = np.sqrt(truth * 0.08 / 4000) / 0.08
    assert abs(slope - truth) < 4.0 * error, f"z = {(slope - truth) / error}"


def test_where_the_condition_holds_from_the_start() -> None:
    found = passage(trajectories=20, times=[0.0, 3.0])
    assert found.probability[0] == 0.0
    model = antimony("substanceOnly species X in cell; X = 5; k = 1; J0: X => ; k*X;")
    inside = first_passage(model, ("X", 4, None), 3.0, trajectories=20, seed=1, times=[0.0, 3.0])
    np.testing.assert_array_equal(inside.probability, 1.0)
    assert inside.waiting == 0.0
    assert inside.waiting_error == 0.0


def test_a_start_that_is_drawn_and_a_parameter_that_sets_it() -> None:
    """From n in (4, 5), X = 5 with the share n - 4; pure death passes 3 molecules at last."""
    text = "substanceOnly species X in cell; n = 4.4; X = n; k = 1; J0: X => ; k*X;"
    model = sg.load(HEAD + text, initial="randomised")
    theta = tf.constant(model.parameter_values)
    options = {"trajectories": 6000, "seed": 1, "times": [0.0, 0.5]}
    with tf.GradientTape() as tape:
        tape.watch(theta)
        found = first_passage(
            model, ("X", None, 4), 0.5, theta, estimator=FiniteDifference(0.02), **options
        )
        start = found.probability[0]
    # Held from the start with the probability 5 - n.
    assert float(start) == pytest.approx(0.6, abs=4 * np.sqrt(0.24 / 6000))
    slope = float(tape.gradient(start, theta)[model.parameter_ids.index("n")])
    assert slope == pytest.approx(-1.0, abs=4 * np.sqrt(1.0 / (6000 * 0.176)))
    # Else after an exponential time of rate 5.
    waiting = 0.4 * (1 - np.exp(-2.5)) / 5
    z = (float(found.waiting) - waiting) / float(found.waiting_error)
    assert abs(z) < 4.0, f"z = {z}"
    with pytest.raises(sg.GradientError, match="initial counts depend on 'n'"):
        first_passage(model, ("X", None, 4), 0.5, theta, **options)


def test_batches_and_graphs() -> None:
    own = network("immigration_death").parameter_values
    sets = own * np.array([[1.0], [2.0]])

    def slope(theta):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            found = passage(theta, trajectories=100, estimator=ScoreFunction())
            loss = tf.reduce_sum(found.waiting) + tf.reduce_sum(found.probability)
        return tape.gradient(loss, theta), found.waiting_error

    found, errors = slope(tf.constant(sets))
    again, _ = tf.function(slope)(tf.constant(sets))
    np.testing.assert_allclose(again, found, rtol=1e-12)
    assert errors.shape == (2,)
    alone, error = slope(tf.constant(own))
    np.testing.assert_allclose(found[0], alone, rtol=1e-10)
    assert float(errors[0]) == pytest.approx(float(error))
    numbers = passage(sets, trajectories=100)
    assert numbers.probability.shape == (2, 2)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"estimator": sg.gradients.TwoSidedAdjoint()}, sg.GradientError, "is a jump"),
        ({"times": [1.0, 4.0]}, sg.RequestError, "after the horizon"),
        ({"horizon": 0.0}, sg.RequestError, "positive"),
        ({"condition": formula_of("X > alpha")}, sg.GradientError, "depends on 'alpha'"),
        ({"condition": ("X", None, None)}, sg.RequestError, "both ends"),
        ({"condition": ("X", 7, 3)}, sg.RequestError, "nothing lies between 7 and 3"),
        ({"condition": formula_of("X + 1")}, sg.RequestError, "not true or false"),
        ({"horizon": 10**400}, sg.RequestError, "horizon: an integer is beyond"),
        ({"times": 10**400}, sg.RequestError, "times: an integer is beyond"),
        ({"times": len}, sg.RequestError, "times: .* are not numbers"),
        ({"times": {1.0: 2.0}}, sg.RequestError, "times: .* are not numbers"),
        ({"estimator": 3}, sg.RequestError, "estimator=3: pass an estimator object"),
        ({"estimator": ScoreFunction}, sg.RequestError, "pass an estimator object"),
        ({"model": 3}, sg.RequestError, "loaded network"),
    ],
)
def test_bad_requests_are_refused(options, error, words) -> None:
    model = network("immigration_death")
    options = {"model": model, "condition": ("X", 4, None), "horizon": 3.0, **options}
    theta = tf.constant(model.parameter_values)
    arguments = [options.pop(name) for name in ("model", "condition", "horizon")]
    with pytest.raises(error, match=words):
        first_passage(*arguments, theta, trajectories=5, seed=1, **options)


def test_conditions_without_meaning_are_refused_in_the_same_words_everywhere() -> None:
    model = network("immigration_death")
    cells = sg.simulate(model, times=[1.0], trajectories=3, seed=1)
    options = {"trajectories": 40, "seed": 1}
    calls = {
        "first_passage": lambda: first_passage(model, ("X", 7, 3), 2.0, **options),
        "probability": lambda: cells.probability(("X", 7, 3)),
        "check_gradient": lambda: sg.check_gradient(
            model, times=[1.0], statistic=("probability", 7, 3), **options
        ),
    }
    said = {}
    for name, call in calls.items():
        with pytest.raises(sg.RequestError) as caught:
            call()
        said[name] = str(caught.value).partition(": ")[2]
    assert len(set(said.values())) == 1, said
    assert said["probability"].startswith("nothing lies between 7 and 3; give a lower end")
    words = "not true or false; compare"
    with pytest.raises(sg.RequestError, match=words):
        cells.probability(lambda x: x + 1.0, "X")
    with pytest.raises(sg.RequestError, match=words):
        first_passage(model, formula_of("X + 1"), 2.0, **options)


def test_parameters_that_are_ragged_are_refused() -> None:
    with pytest.raises(sg.RequestError, match=r"parameters: .* are not numbers"):
        passage([[1.0, 2.0], [3.0]], trajectories=5)
