"""Gradients of models with events, rate rules and laws of time, against closed forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, exp, sin

import numpy as np
import pytest
import tensorflow as tf
from small_networks import HEAD

import sbmlgrad as sg
from sbmlgrad.gradients import FiniteDifference
from sbmlgrad.gradients.check.run import check_gradient

COMMON = FiniteDifference(coupling="crn")
TIME = 3.0
BATCHES = 10

#: |t| with 9 degrees of freedom that a test of a dozen numbers exceeds with p < 0.002.
LARGEST_Z = 6.0


@dataclass(frozen=True)
class Timed:
    """A model with a linear mean: its text, the mean as a function of parameters, reasons."""

    text: str
    mean: Callable[[dict[str, float]], float]
    reason: str


def driven(p: dict[str, float]) -> float:
    """m' = k (1 + sin w t) - d m from 0."""
    k, w, d = p["k"], p["w"], p["d"]
    wave = (d * sin(w * TIME) - w * cos(w * TIME) + w * exp(-d * TIME)) / (d * d + w * w)
    return k * (1 - exp(-d * TIME)) / d + k * wave


def dosed(p: dict[str, float]) -> float:
    """m' = k - d m from 0, and dose added at T."""
    k, d = p["k"], p["d"]
    return k * (1 - exp(-d * TIME)) / d + p["dose"] * exp(-d * (TIME - p["T"]))


def fading(p: dict[str, float]) -> float:
    """m' = r exp(-g t) - d m from 0; r is what the moving rate starts from."""
    return p["r"] * (exp(-p["g"] * TIME) - exp(-p["d"] * TIME)) / (p["d"] - p["g"])


CASES = {
    "explicit time": Timed(
        "substanceOnly species X in cell; X = 0; k = 20; w = 2; d = 0.5;"
        "J0: => X; k*(1 + sin(w*time)); J1: X => ; d*X;",
        driven,
        "law of 'J0' that depends on time",
    ),
    "an event": Timed(
        "substanceOnly species X in cell; X = 0; k = 4; d = 0.5; dose = 30; T = 1.3;"
        "J0: => X; k; J1: X => ; d*X; E: at (time >= T): X = X + dose;",
        dosed,
        "event 'E'",
    ),
    "a rate rule": Timed(
        "substanceOnly species X in cell; X = 0; r = 5; g = 0.3; d = 0.5; r' = -g*r;"
        "J0: => X; r; J1: X => ; d*X;",
        fading,
        "rate rule of 'r'",
    ),
}


def timed(name: str, initial: str = "randomised") -> sg.ReactionNetwork:
    return sg.load(HEAD + CASES[name].text, initial=initial)


def simulated(model, theta=None, estimator=COMMON, **options):
    options = {"times": [1.0, TIME], "trajectories": 200, "seed": 1, **options}
    if theta is not None:
        options["estimator"] = estimator
    return sg.simulate(model, theta, **options)


def gradient(statistic, model, **options):
    theta = tf.constant(model.parameter_values)
    with tf.GradientTape() as tape:
        tape.watch(theta)
        value = statistic(simulated(model, theta, **options))
    return tape.gradient(value, theta).numpy()


def exact(case: Timed, model: sg.ReactionNetwork) -> np.ndarray:
    values = dict(zip(model.parameter_ids, model.parameter_values.tolist(), strict=True))
    found = []
    for id, value in values.items():
        step = 1e-6 * value
        high, low = (case.mean({**values, id: value + s}) for s in (step, -step))
        found.append((high - low) / (2 * step))
    return np.array(found)


@pytest.mark.parametrize("name", CASES)
def test_means_have_the_gradient_of_their_closed_form(name) -> None:
    model = timed(name)
    rows = np.array(
        [
            gradient(lambda c: c.mean("X")[-1], model, first_trajectory=200 * b)
            for b in range(BATCHES)
        ]
    )
    error = rows.std(axis=0, ddof=1) / np.sqrt(BATCHES)
    truth = exact(CASES[name], model)
    # Steps of 5 % bias central differences of these means by less than 1 %.
    z = (rows.mean(axis=0) - truth) / np.hypot(error, 0.01 * np.abs(truth))
    assert np.all(np.abs(z) < LARGEST_Z), f"z = {z} of {model.parameter_ids}"
    assert np.all(error < 0.4 * np.abs(truth) + 0.05), "the test has no power"


@pytest.mark.parametrize("name", CASES)
def test_common_random_numbers_save_noise_between_firings_too(name) -> None:
    """The variance of a difference against that of independent trajectories, which it halves."""
    model = timed(name)
    first = model.parameter_ids[0]
    value = float(model.parameter_values[0])
    sides = [
        simulated(model.with_parameters({first: factor * value}), trajectories=1500).values("X")
        for factor in (1.05, 0.95)
    ]
    shared = np.var(sides[0] - sides[1], axis=0)
    apart = np.var(sides[0], axis=0) + np.var(sides[1], axis=0)
    assert np.all(shared < 0.5 * apart), f"ratios {shared / apart}"


def test_probabilities_and_formulas_are_differentiated_as_means_are() -> None:
    model = timed("a rate rule")
    statistics = {
        "probability": lambda c: c.probability(("X", None, 5))[-1],
        "rate": lambda c: c.mean("r")[-1],
        "square": lambda c: c.expect(lambda x: x * x, "X")[-1],
    }
    for name, statistic in statistics.items():
        found = gradient(statistic, model)
        for place, value in enumerate(model.parameter_values):
            sides = []
            for sign in (1.0, -1.0):
                theta = model.parameter_values.copy()
                theta[place] = value * (1.0 + 0.05 * sign)
                sides.append(
                    np.asarray(
                        statistic(
                            simulated(
                                model.with_parameters(
                                    dict(zip(model.parameter_ids, theta, strict=True))
                                )
                            )
                        )
                    )
                )
            expected = float(sides[0] - sides[1]) / (0.1 * value)
            assert found[place] == pytest.approx(expected, rel=1e-9, abs=1e-12), name


def test_a_batch_of_sets_and_a_graph() -> None:
    model = timed("a rate rule")
    sets = model.parameter_values * np.array([[1.0], [1.5]])

    def slope(theta):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            cells = simulated(model, theta, trajectories=20)
            value = tf.reduce_sum(cells.mean("X")[..., -1])
        return tape.gradient(value, theta)

    found = slope(tf.constant(sets))
    np.testing.assert_allclose(tf.function(slope)(tf.constant(sets)), found, rtol=1e-12)
    alone = gradient(lambda c: c.mean("X")[-1], model, trajectories=20)
    np.testing.assert_allclose(found[0], alone, rtol=1e-12)


def test_parameters_of_a_random_start() -> None:
    """The mean count at t is mu t, whatever the spread of the rate that is drawn."""
    text = "substanceOnly species X in cell; X = 0; mu = 5; sd = 0.5; r = normal(mu, sd);"
    model = sg.load(HEAD + text + "J0: => X; r;")
    rows = np.array(
        [
            gradient(lambda c: c.mean("X")[-1], model, first_trajectory=200 * b)
            for b in range(BATCHES)
        ]
    )
    z = (rows.mean(axis=0) - [TIME, 0.0, 0.0])[:2] / (rows.std(axis=0, ddof=1) / BATCHES**0.5)[:2]
    assert np.all(np.abs(z) < LARGEST_Z), f"z = {z}"
    assert not rows[:, 2].any()
    assert rows[:, 0].std() < 0.3 * TIME, "the test has no power"


def test_a_parameter_that_an_event_changes_is_moved_at_its_start() -> None:
    """Births at the rate k until time 1, at 2 k from then on; k itself is read, too."""
    text = "substanceOnly species X in cell; X = 0; k = 6; J0: => X; k;"
    model = sg.load(HEAD + text + "E: at (time >= 1): k = 2*k;")
    found = gradient(lambda c: c.mean("k")[-1], model)
    assert found[0] == pytest.approx(2.0, rel=1e-12)
    rows = [
        gradient(lambda c: c.mean("X")[-1], model, first_trajectory=200 * b)[0]
        for b in range(BATCHES)
    ]
    z = (np.mean(rows) - 5.0) / (np.std(rows, ddof=1) / np.sqrt(BATCHES))
    assert abs(z) < LARGEST_Z, f"z = {z}"


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "estimator", [None, FiniteDifference(), sg.gradients.ScoreFunction()], ids=str
)
def test_other_estimators_name_the_reasons_and_what_can(name, estimator) -> None:
    model = timed(name)
    with pytest.raises(sg.GradientError, match=CASES[name].reason) as caught:
        simulated(model, tf.constant(model.parameter_values), estimator)
    assert 'FiniteDifference(coupling="crn") differentiates' in str(caught.value)


def test_doses_that_are_no_whole_numbers() -> None:
    mean = lambda c: c.mean("X")[-1]  # noqa: E731
    with pytest.raises(sg.GradientError, match=r'fail at dose = 31\.5.*initial="rand'):
        gradient(mean, timed("an event", "strict"))
    with pytest.raises(sg.GradientError, match="sets 'X' by 'dose' and rounds it"):
        gradient(mean, timed("an event", "round"))
    some = FiniteDifference(coupling="crn", parameters=("k", "d", "T"))
    found = gradient(mean, timed("an event", "strict"), estimator=some)
    assert np.isnan(found[2])
    assert np.isfinite(np.delete(found, 2)).all()


# --- checks of gradients --------------------------------------------------------------------------


def test_a_check_holds_differences_against_finer_ones() -> None:
    model = timed("an event")
    found = check_gradient(model, times=[TIME], trajectories=2000, seed=1)
    assert "whose bias is of the order of the step squared" in found.reference.words
    able = [row for row in found.rows if row.gradients is not None]
    assert [row.name for row in able] == [COMMON.name]
    assert able[0].z < 3.0
    truth = exact(CASES["an event"], model) * model.parameter_values
    got, error = found.reference.value[0], found.reference.standard_error[0]
    z = (got - truth) / np.hypot(error, 0.01 * np.abs(truth))
    assert np.all(np.abs(z) < 4.5), f"z = {z}"
    refused = [row for row in found.rows if "event 'E'" in row.refusal]
    assert len(refused) >= 5
    assert f"Use {COMMON.name}" in found.recommendation
