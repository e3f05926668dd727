"""The deterministic likelihood: against solutions in closed form, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats as st
from networks import antimony

import sbmlgrad as sg
from sbmlgrad.errors import FitError, ParameterError, SimulationError, UnsupportedModelError
from sbmlgrad.fit.rate_equations.likelihood import negative_log_likelihood, predict
from sbmlgrad.io.formula_text import formula_of
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.problem import Experiment, Observable, Period, Problem, ProblemParameter

#: Birth and death towards u/k, from a0.
LINEAR = "species A in cell; A = a0; a0 = 10; k = 0.5; u = 1; U: -> A; u; D: A -> ; k*A;"
TIMES = (0.0, 0.5, 1.0, 2.0, 3.0)


def linear(times, start, k=0.5, u=1.0):
    return u / k + (start - u / k) * np.exp(-k * np.asarray(times))


def problem(
    text=LINEAR,
    *,
    times=TIMES,
    values=None,
    periods=None,
    formula="A",
    noise=None,
    parameters=(),
) -> Problem:
    """Return a problem with one observable and one experiment."""
    n = len(times)
    return Problem(
        network=antimony(text),
        observables=(Observable("seen", formula_of(formula), noise or Noise()),),
        measurements=Measurements(
            ("seen",),
            np.array(times, dtype=np.float64),
            np.zeros(n, dtype=np.int64),
            np.full(n, 3.0) if values is None else np.array(values, dtype=np.float64),
            ("1",) * n,
            ("one",) * n,
        ),
        parameters=tuple(
            p if isinstance(p, ProblemParameter) else ProblemParameter(p[0], p[1], 1e-6, 1e6)
            for p in parameters
        ),
        experiments=(Experiment("one", tuple(periods or (Period(),))),),
    )


def period(start, **values) -> Period:
    return Period(start, {id: formula_of(value) for id, value in values.items()})


def test_predictions_are_the_solution() -> None:
    found = predict(problem(formula="2*A + time"))
    np.testing.assert_allclose(found.predicted, 2 * linear(TIMES, 10.0) + TIMES, rtol=1e-8)
    assert found.scale.tolist() == [1.0] * len(TIMES)


def test_parameters_of_the_problem_reach_model_observable_noise_and_conditions() -> None:
    made = problem(
        parameters=[("k", 0.5), ("s", 2.0), ("sd", 0.3), ("first", 4.0)],
        formula="s*A",
        noise=Noise("normal", formula_of("sd*s*A")),
        periods=[period(0.0, a0="2*first")],
    )
    found = predict(made, {"k": 0.25, "s": 3.0, "sd": 0.1})
    expected = 3.0 * linear(TIMES, 8.0, k=0.25)
    np.testing.assert_allclose(found.predicted, expected, rtol=1e-8)
    np.testing.assert_allclose(found.scale, 0.1 * expected, rtol=1e-8)
    theirs = st.norm(expected, 0.1 * expected).logpdf(3.0)
    np.testing.assert_allclose(found.log_density, theirs, rtol=1e-7)
    assert negative_log_likelihood(made, {"k": 0.25, "s": 3.0, "sd": 0.1}) == pytest.approx(
        -theirs.sum()
    )
    # Nominal values where nothing is said.
    assert predict(made).predicted[0] == pytest.approx(2.0 * 8.0)


def test_a_condition_wins_over_the_problem_parameter_of_the_model() -> None:
    made = problem(parameters=[("k", 0.5)], periods=[period(0.0, k="0.125")])
    np.testing.assert_allclose(predict(made).predicted, linear(TIMES, 10.0, k=0.125), rtol=1e-8)


@pytest.mark.parametrize("target", ["A", "a0"])
def test_initial_values_are_set_by_species_or_through_the_model(target) -> None:
    made = problem(periods=[period(0.0, **{target: "7"})])
    np.testing.assert_allclose(predict(made).predicted, linear(TIMES, 7.0), rtol=1e-8)


def test_pre_equilibration_hands_over_the_steady_state() -> None:
    made = problem(periods=[period(-math.inf, u="6"), period(0.0, u="1")], parameters=[("k", 0.5)])
    np.testing.assert_allclose(predict(made).predicted, linear(TIMES, 12.0), rtol=1e-5)
    found = predict(made, {"k": 0.1})
    np.testing.assert_allclose(found.predicted, linear(TIMES, 60.0, k=0.1), rtol=1e-5)


def test_what_only_an_earlier_period_sets_stays() -> None:
    made = problem(periods=[period(-math.inf, u="6"), period(0.0, A="5")])
    np.testing.assert_allclose(predict(made).predicted, linear(TIMES, 5.0, u=6.0), rtol=1e-8)


def test_periods_follow_each_other_and_a_value_at_the_border_is_the_later_one() -> None:
    made = problem(periods=[period(0.0), period(1.0, u="3", A="20"), period(2.0, k="0")])
    t = np.array(TIMES)
    second = linear(t - 1.0, 20.0, u=3.0)
    expected = np.where(t < 1.0, linear(t, 10.0), second)
    # Without decay it grows by u.
    expected = np.where(t >= 2.0, linear(1.0, 20.0, u=3.0) + 3.0 * (t - 2.0), expected)
    np.testing.assert_allclose(predict(made).predicted, expected, rtol=1e-7)


def test_the_clock_goes_on_over_periods() -> None:
    text = "species A in cell; A = 0; s = 1; U: -> A; s*time;"
    made = problem(text, periods=[period(0.0), period(1.5, s="2")], formula="A + 10*time")
    t = np.array(TIMES)
    grown = np.where(t < 1.5, t**2 / 2, 1.5**2 / 2 + (t**2 - 1.5**2))
    np.testing.assert_allclose(predict(made).predicted, grown + 10 * t, rtol=1e-7, atol=1e-9)
    late = problem(text, times=(2.0, 3.0), periods=[period(2.0)])
    np.testing.assert_allclose(predict(late).predicted, [0.0, 2.5], rtol=1e-8, atol=1e-12)


def test_events_fire_once_though_a_period_ends_between() -> None:
    text = "species A in cell; A = 1; h = 0; U: -> A; h; at (A >= 1.5): A = A + 10;"
    made = problem(text, times=(0.5, 1.5, 2.5), periods=[period(0.0, h="1"), period(1.0, h="0")])
    # At 0.5 it fires; at 1 it was true already, and does not fire again.
    np.testing.assert_allclose(predict(made).predicted, [11.5, 12.0, 12.0], rtol=1e-8)
    jump = problem(text, times=(0.5, 1.5), periods=[period(0.0), period(1.0, A="2")])
    # The change that begins a period can be what makes it fire.
    np.testing.assert_allclose(predict(jump).predicted, [1.0, 12.0], rtol=1e-8)


def test_concentrations_are_set_in_the_volume_of_the_period() -> None:
    text = "compartment c2; c2 = 2; species B in c2; B = 5; k = 0; D: B -> ; k*B;"
    made = problem(text, times=(0.0, 1.0, 2.0), formula="B", periods=[
        period(0.0), period(1.0, c2="4"), period(2.0, c2="1", B="3")])  # fmt: skip
    # Molecules stay when the volume doubles.
    np.testing.assert_allclose(predict(made).predicted, [5.0, 2.5, 3.0], rtol=1e-12)


def test_reactions_and_rules_can_be_observed() -> None:
    made = problem(LINEAR + " twice := 2*A;", formula="D + twice")
    np.testing.assert_allclose(predict(made).predicted, 2.5 * linear(TIMES, 10.0), rtol=1e-8)


def test_a_system_without_a_steady_state_is_refused() -> None:
    text = (
        "species A in cell, B in cell; A = 2; B = 1; "
        "X: A -> 2 A; A; Y: A + B -> 2 B; A*B; Z: B -> ; B;"
    )
    made = problem(text, periods=[period(-math.inf), period(0.0)])
    with pytest.raises(FitError, match=r"experiment 'one': no steady state up to time .*'[AB]'"):
        predict(made)
    growing = problem("species A in cell; A = 0; U: -> A; 1;", periods=made.experiments[0].periods)
    with pytest.raises(FitError, match=r"'A' still changed by 0\.9 of its size"):
        predict(growing)


def test_slow_systems_reach_theirs() -> None:
    made = problem(periods=[period(-math.inf, k="1e-4", u="2e-3"), period(0.0, k="0.5", u="1")])
    np.testing.assert_allclose(predict(made).predicted, linear(TIMES, 20.0), rtol=1e-5)


def test_densities_that_are_not_finite_are_refused_by_measurement() -> None:
    made = problem(times=(0.0, 1.0), values=(3.0, -1.0), noise=Noise("log-normal", formula_of("1")))
    with pytest.raises(
        FitError, match=r"1 of 2 .*\n  - 'seen' at time 1, condition 'one': meas.*-1"
    ):
        predict(made)
    counts = problem(times=(0.0,), values=(2.5,), noise=Noise("poisson"))
    with pytest.raises(FitError, match="whole"):
        predict(counts)
    narrow = problem(times=(0.0,), noise=Noise("normal", formula_of("A - A")))
    with pytest.raises(FitError, match="with scale 0"):
        predict(narrow)


def test_unknown_parameters_and_values_are_refused() -> None:
    made = problem(parameters=[("k", 0.5)])
    with pytest.raises(ParameterError, match=r"'kk' is no parameter .*mean 'k'"):
        predict(made, {"kk": 1.0})
    with pytest.raises(ParameterError, match="'k': nan"):
        predict(made, {"k": math.nan})


def test_experiments_that_cannot_be_followed_are_refused() -> None:
    with pytest.raises(FitError, match=r"begin at \[1.0, 0.0\]"):
        predict(problem(periods=[period(1.0), period(0.0)]))
    with pytest.raises(FitError, match="measured at 0 and begins at 1"):
        predict(problem(periods=[period(1.0)]))
    with pytest.raises(FitError, match="not all of them before"):
        predict(problem(periods=[period(-math.inf)]))
    delayed = LINEAR + " at 1 after (A > 100): A = 1;"
    with pytest.raises(FitError, match="a delay"):
        predict(problem(delayed, periods=[period(0.0), period(1.0)]))


def test_failures_of_the_simulation_name_the_experiment() -> None:
    explosive = "species A in cell; A = 1; U: -> A; A*A;"
    with pytest.raises(SimulationError, match="experiment 'one': "):
        predict(problem(explosive))
    with pytest.raises(UnsupportedModelError, match="experiment 'one' cannot be simulated"):
        predict(problem("species A in cell; A = 1; D: A -> ; k*A;"))


def test_other_tolerances_can_be_asked_for() -> None:
    coarse = predict(problem(), engine=sg.engines.ODE(rtol=1e-4, atol=1e-6))
    fine = predict(problem())
    assert coarse.negative_log_likelihood != fine.negative_log_likelihood
    assert coarse.negative_log_likelihood == pytest.approx(fine.negative_log_likelihood, rel=1e-3)
