"""Predictions with slopes: those of `predict`, slopes against differences, and why there are none.

Differences are central, of solutions a thousand times tighter than those that are judged.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from networks import antimony

import sbmlgrad as sg
from sbmlgrad.codegen.deterministic import lower_deterministic
from sbmlgrad.codegen.programs import programs
from sbmlgrad.engines.ode.engine import ODE
from sbmlgrad.engines.ode.programs import Evaluator, ode_kernel
from sbmlgrad.errors import FitError, SimulationError
from sbmlgrad.fit.rate_equations.course import Course, clocked, started, values_of
from sbmlgrad.fit.rate_equations.least_squares import FORWARD, fit_rate_equations
from sbmlgrad.fit.rate_equations.likelihood import negative_log_likelihood, predict
from sbmlgrad.fit.rate_equations.scored_likelihood import RateLikelihood
from sbmlgrad.fit.rate_equations.slopes import sloped_problem
from sbmlgrad.fit.rate_equations.start_map import start_formulas
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.io.formula_text import formula_of
from sbmlgrad.model.expression import TIME
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.priors import Prior
from sbmlgrad.model.problem import Experiment, Observable, Period, Problem, ProblemParameter

#: Concentrations in a volume that is set, initial assignments, a rule, amounts and a fixed species.
MODEL = (
    "compartment box; box = 2; species A in box, B in box, $F in box; substanceOnly species C in "
    "box; F = 3; A = dose/(1 + leak); B = 0.5; C = 4; dose = 5; leak = 0.25; k = 0.8; both := A + B"
    "; late = 0.3; X: A -> B; box*k*A*F/3; Y: B -> C; box*leak*B; Z: C -> ; late*C*exp(-time);"
)
TIMES = (0.0, 0.5, 1.5, 4.0)


def problem(*, begin: float = 0.0, noise: str = "normal", text: str = MODEL, priors=()) -> Problem:
    """Return a problem with two conditions, of which one sets a start by fitted parameters."""
    count = len(TIMES)
    seen = (("one", 0), ("one", 1), ("two", 0), ("two", 1))
    parameters = [
        ProblemParameter("k", 0.8, 1e-3, 1e3),
        ProblemParameter("leak", 0.3, 1e-3, 1e3),
        ProblemParameter("factor", 1.5, 1e-3, 1e3, scale="lin"),
        ProblemParameter("sd", 0.2, 1e-3, 1e3),
        ProblemParameter("held", 0.3, is_estimated=False),
    ]
    second = {"A": formula_of("2*factor"), "late": formula_of("held*sd"), "box": formula_of("3")}
    return Problem(
        network=antimony(text),
        observables=(
            Observable("sum", formula_of("factor*both + X"), Noise(noise, formula_of("sd"))),
            Observable("c", formula_of("C + time + 1"), Noise(noise, formula_of("sd + 0.1*A"))),
        ),
        measurements=Measurements(
            ("sum", "c"),
            np.tile(np.array(TIMES) + begin, len(seen)),
            np.repeat([o for _, o in seen], count),
            np.linspace(1.0, 9.0, count * len(seen)),
            ("1",) * (count * len(seen)),
            tuple(np.repeat([c for c, _ in seen], count).tolist()),
        ),
        parameters=tuple(dataclasses.replace(p, prior=dict(priors).get(p.id)) for p in parameters),
        experiments=(
            Experiment("one", (Period(begin),)),
            Experiment("two", (Period(begin, second),)),
        ),
    )


def differences(made: Problem, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ids, tight = [p.id for p in made.free], ODE(1e-12, 1e-15)
    columns = []
    for place in range(len(values)):
        sides = []
        for sign in (1.0, -1.0):
            moved = values.copy()
            moved[place] *= 1.0 + sign * 1e-4
            sides.append(predict(made, dict(zip(ids, moved.tolist(), strict=True)), tight))
        span = 2e-4 * values[place]
        columns.append(
            [(getattr(sides[0], n) - getattr(sides[1], n)) / span for n in ("predicted", "scale")]
        )
    first, second = (np.stack([c[k] for c in columns], axis=-1) for k in range(2))
    return first, second


@pytest.mark.parametrize("begin", [0.0, 1.5])
def test_slopes_are_those_of_the_predictions(begin: float) -> None:
    made = problem(begin=begin)
    sloped, reason = sloped_problem(made, None)
    assert sloped is not None, reason
    values = np.array([0.7, 0.4, 1.3, 0.5])
    found = sloped.predict(values)
    plain = predict(made, dict(zip([p.id for p in made.free], values.tolist(), strict=True)))
    np.testing.assert_allclose(found.predictions.predicted, plain.predicted, rtol=1e-7)
    np.testing.assert_allclose(found.predictions.scale, plain.scale, rtol=1e-7)
    in_predicted, in_scale = differences(made, values)
    np.testing.assert_allclose(found.predicted, in_predicted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.scale, in_scale, rtol=1e-5, atol=1e-6)


def test_the_start_written_out_is_that_of_the_model() -> None:
    made = problem()
    nominal = {p.id: p.nominal for p in made.parameters}
    course = Course(made, nominal, ODE())
    for experiment in made.experiments:
        (period,) = experiment.periods
        network = clocked(made.network, period.start)
        values, state = started(network, course, values_of(course, period))
        system = lower_deterministic(network)
        formulas = start_formulas(system, period.values, list(nominal))
        tables = programs(formulas, (*nominal, TIME.id), ())
        ours = Evaluator(tables, np.zeros(0), ode_kernel())(0.0, np.array(list(nominal.values())))
        theirs = [*(values[id] for id in system.input_ids), *state]
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


@pytest.mark.parametrize("noise", ["normal", "log-normal", "laplace"])
@pytest.mark.parametrize("is_solved", [True, False])
def test_the_gradient_is_that_of_the_likelihood(noise: str, is_solved: bool) -> None:
    made = problem(noise=noise, priors={"k": Prior("normal", (0.6, 0.2))}.items())
    space = search_space(made)
    sloped = sloped_problem(made, None)[0] if is_solved else None
    likelihood = RateLikelihood(made, space, None, sloped)
    z = space.coordinates(np.array([0.7, 0.4, 1.3, 0.5]))
    steps = 1e-4 * np.eye(len(z))
    numeric = [(likelihood.total(z + e) - likelihood.total(z - e)) / 2e-4 for e in steps]
    np.testing.assert_allclose(likelihood.gradient(z), numeric, rtol=2e-3, atol=2e-3)
    if likelihood.is_gaussian:
        gradient, curvature = likelihood.curvature(z)
        np.testing.assert_allclose(gradient, numeric, rtol=2e-3, atol=2e-3)
        assert np.linalg.eigvalsh(curvature).min() > 0.0
    assert likelihood.checked_total(z) == pytest.approx(likelihood.total(z), rel=1e-6)


def test_both_kinds_of_slopes_lead_to_one_optimum() -> None:
    made = problem()
    start = np.array([[0.5, 0.5, 1.0, 1.0]])
    quick = fit_rate_equations(made, start)
    # An event that never happens leaves the model without slopes.
    slow = fit_rate_equations(problem(text=MODEL + "at (A > 1e6): A = 0;"), start)
    assert quick.slopes == FORWARD
    assert slow.slopes.startswith("differences of the rate equations (experiment 'one': event")
    best, other = quick.descents[0], slow.descents[0]
    assert best.negative_log_likelihood == pytest.approx(other.negative_log_likelihood, abs=1e-5)
    np.testing.assert_allclose(best.values, other.values, rtol=2e-3)
    assert 3 * best.evaluations < other.evaluations
    ids = [p.id for p in made.free]
    again = negative_log_likelihood(made, dict(zip(ids, best.values.tolist(), strict=True)))
    assert best.negative_log_likelihood == again


def test_results_say_how_slopes_were_found() -> None:
    result = sg.fit(problem(), engine=sg.engines.ODE(), seed=1)
    assert result.estimator == FORWARD


def test_a_start_whose_slopes_overflow_is_fitted_by_differences() -> None:
    """The square root has no slope at 0, where the model starts."""
    text = "species A in cell; A = 0; k = 1; U: -> A; k*(1 + A^0.5);"
    count = 4
    made = Problem(
        network=antimony(text),
        observables=(Observable("A", formula_of("A")),),
        measurements=Measurements(
            ("A",),
            np.array([0.5, 1.0, 2.0, 3.0]),
            np.zeros(count, int),
            np.array([1.0, 2.3, 5.9, 10.6]),
            ("1",) * count,
            ("",) * count,
        ),
        parameters=(ProblemParameter("k", 1.0, 0.1, 10.0),),
    )
    sloped, _ = sloped_problem(made, None)
    assert sloped is not None
    with pytest.raises(SimulationError, match=r"experiment '': .*slope is not a finite number"):
        sloped.predict(np.array([1.0]))
    best = fit_rate_equations(made, np.array([[2.0]])).descents[0]
    assert best.reason.endswith("(slopes by differences)")
    assert best.negative_log_likelihood < negative_log_likelihood(made, {"k": 2.0})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"text": MODEL + "at (time > 1): A = 0;"}, "event"),
        ({"text": MODEL + "W: -> A; piecewise(1, time < leak, 0);"}, "time at which a rate jumps"),
        ({"text": MODEL + "W: -> A; piecewise(1, A < leak, 0);"}, "depends on the state"),
    ],
)
def test_why_there_are_no_slopes(change, words: str) -> None:
    sloped, reason = sloped_problem(problem(**change), None)
    assert sloped is None
    assert words in reason


def test_several_periods_have_no_slopes() -> None:
    made = problem()
    steady = Experiment("one", (Period(-math.inf), Period(0.0)))
    made = dataclasses.replace(made, experiments=(steady, made.experiments[1]))
    assert sloped_problem(made, None) == (None, "experiment 'one': it has several periods")


def test_densities_that_are_not_finite_are_refused() -> None:
    made = problem(noise="log-normal")
    sloped, _ = sloped_problem(made, None)
    assert sloped is not None
    with pytest.raises(FitError, match="no finite"):
        sloped.predict(np.array([0.7, 0.4, -5.0, 0.5]))


def test_a_slope_whose_simulations_fail_ends_the_search_with_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither side of the second value can be simulated: it would count as without influence."""
    made = problem(noise="laplace")
    space, asked = search_space(made), []
    likelihood = RateLikelihood(made, space, ODE(), None)
    begin = space.coordinates(space.start)

    def failing(coordinates):
        asked.append(coordinates - begin)
        if coordinates[1] != begin[1]:
            likelihood.failure = "a planted failure"
            return None
        return predict(made, dict(zip(space.ids, space.values(coordinates), strict=True)), ODE())

    monkeypatch.setattr(likelihood, "_by_engine", failing)
    with pytest.raises(FitError, match=r"the slope in 'leak' is unknown.*a planted failure"):
        likelihood.gradient(begin)
    # Both sides were tried.
    assert {float(np.sign(moved[1])) for moved in asked} == {0.0, 1.0, -1.0}
