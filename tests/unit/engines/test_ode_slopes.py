"""The solver with slopes: against closed forms, the other solver, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from networks import antimony

from sbmlgrad.codegen.deterministic import DeterministicNetwork, lower_deterministic
from sbmlgrad.engines.ode.engine import ODE
from sbmlgrad.engines.ode.slopes import integrate_with_slopes, slope_programs, why_no_slopes
from sbmlgrad.engines.ode.tableau import radau
from sbmlgrad.errors import SimulationError
from sbmlgrad.model.initial import initial_values

BIRTH_DEATH = "species A in cell; A = 10; k = 0.5; u = 1; U: -> A; u; D: A -> ; k*A;"


def ready(text: str) -> tuple[DeterministicNetwork, np.ndarray, np.ndarray]:
    """Return a network with its inputs and start."""
    network = antimony(text)
    system = lower_deterministic(network)
    values = initial_values(network)
    inputs = np.array([values[id] for id in system.input_ids])
    return system, inputs, np.array([values[id] for id in system.state_ids])


def solved(text: str, times, engine: ODE | None = None):
    """Return states and slopes in every input, then in every start."""
    system, inputs, start = ready(text)
    parameters = len(inputs) + len(start)
    shifts, moved = np.split(np.eye(parameters), [len(inputs)])
    found = integrate_with_slopes(
        engine or ODE(), system, inputs, shifts, start, moved, np.array(times, dtype=np.float64)
    )
    return system, *found


def test_three_stages_have_the_published_numbers() -> None:
    """Hairer & Wanner 1996, table IV.5.6, and section IV.8 for the error."""
    tableau = radau(3)
    root = np.sqrt(6.0)
    np.testing.assert_allclose(tableau.nodes, [(4 - root) / 10, (4 + root) / 10, 1.0], rtol=1e-14)
    np.testing.assert_allclose(
        tableau.weights[-1], [(16 - root) / 36, (16 + root) / 36, 1 / 9], rtol=1e-13
    )
    assert tableau.weights[0, 1] == pytest.approx((296 - 169 * root) / 1800, rel=1e-13)
    first = tableau.error_first
    assert 1.0 / first == pytest.approx(3.0 + 3.0 ** (2 / 3) - 3.0 ** (1 / 3), rel=1e-12)
    theirs = first / 3.0 * np.array([-13 - 7 * root, -13 + 7 * root, -1.0])
    np.testing.assert_allclose(tableau.error_weights, theirs, rtol=1e-10)


def test_slopes_of_a_linear_system_are_those_of_its_formula() -> None:
    times = np.array([0.0, 0.3, 1.0, 4.0, 10.0])
    system, states, slopes = solved(BIRTH_DEATH, times)
    k, u, a, e = 0.5, 1.0, 10.0, np.exp(-0.5 * times)
    np.testing.assert_allclose(states[:, 0], u / k + (a - u / k) * e, rtol=1e-9)
    column = {id: i for i, id in enumerate((*system.input_ids, *system.state_ids))}
    in_k = -u / k**2 * (1.0 - e) - (a - u / k) * times * e
    for id, exact in {"k": in_k, "u": (1.0 - e) / k, "A": e}.items():
        np.testing.assert_allclose(slopes[:, 0, column[id]], exact, rtol=1e-7, atol=1e-8)


def test_a_stiff_system_agrees_with_the_other_solver() -> None:
    """Robertson's reactions, whose rates span nine orders of magnitude (Hairer & Wanner 1996)."""
    text = (
        "species A in cell, B in cell, C in cell; A = 1; B = 0; C = 0; a = 0.04; b = 3e7; c = 1e4;"
        "X: A -> B; a*A; Y: 2 B -> B + C; b*B*B; Z: B + C -> A + C; c*B*C;"
    )
    times = np.array([0.0, 0.4, 40.0, 4e3])
    system, inputs, start = ready(text)
    _, states, slopes = solved(text, times)
    np.testing.assert_allclose(states, ODE().integrate(system, inputs, start, times), rtol=1e-6)
    # Matter is conserved, whatever the parameters.
    np.testing.assert_allclose(slopes[:, :, : len(inputs)].sum(axis=1), 0.0, atol=1e-12)
    place = system.input_ids.index("a")
    tight, sides = ODE(1e-12, 1e-14), []
    for sign in (1.0, -1.0):
        moved = inputs.copy()
        moved[place] *= 1.0 + sign * 1e-4
        sides.append(tight.integrate(system, moved, start, times))
    differences = (sides[0] - sides[1]) / (2e-4 * inputs[place])
    np.testing.assert_allclose(slopes[1:, :, place], differences[1:], rtol=1e-5)


def test_a_dose_that_ends_by_the_clock_is_met_exactly() -> None:
    text = "species A in cell; A = 0; u = 3; U: -> A; piecewise(u, time < 1.25, 0);"
    system, states, slopes = solved(text, [0.0, 0.5, 1.25, 2.0])
    np.testing.assert_allclose(states[:, 0], [0.0, 1.5, 3.75, 3.75], rtol=1e-12)
    place = system.input_ids.index("u")
    np.testing.assert_allclose(slopes[:, 0, place], [0.0, 0.5, 1.25, 1.25], rtol=1e-12)


@pytest.mark.parametrize("condition", ["time > 0", "sin(2*time) > 0"])
def test_a_change_just_after_time_0_is_no_step(condition: str) -> None:
    """It lies at the next number after 0, nearer than any solver can step."""
    text = f"species A in cell; A = 0; u = 3; U: -> A; piecewise(u, {condition}, 0);"
    system, states, slopes = solved(text, [0.0, 0.5, 1.25])
    np.testing.assert_allclose(states[:, 0], [0.0, 1.5, 3.75], rtol=1e-9)
    place = system.input_ids.index("u")
    np.testing.assert_allclose(slopes[:, 0, place], [0.0, 0.5, 1.25], rtol=1e-9)


def test_what_the_time_of_a_change_depends_on_is_told() -> None:
    text = "species A in cell; A = 0; stop = 1; U: -> A; piecewise(1, time < stop, 0);"
    assert slope_programs(ready(text)[0]).clock_inputs == {"stop"}


def test_output_times_between_steps_cost_nothing_in_accuracy() -> None:
    sparse = solved(BIRTH_DEATH, [0.0, 7.0])
    dense = solved(BIRTH_DEATH, np.linspace(0.0, 7.0, 141))
    np.testing.assert_array_equal(dense[1][-1], sparse[1][-1])
    np.testing.assert_array_equal(dense[2][-1], sparse[2][-1])
    times = np.linspace(0.0, 7.0, 141)
    np.testing.assert_allclose(dense[1][:, 0], 2.0 + 8.0 * np.exp(-0.5 * times), rtol=2e-9)


def test_looser_tolerances_are_looser() -> None:
    """Predator and prey have an invariant, A - log A + B - log B."""
    text = (
        "species A in cell, B in cell; A = 2; B = 1; "
        "X: A -> 2 A; A; Y: A + B -> 2 B; A*B; Z: B -> ; B;"
    )
    errors = []
    for rtol in (1e-3, 1e-10):
        states = solved(text, [0.0, 200.0], ODE(rtol, rtol * 1e-3))[1]
        invariant = (states - np.log(states)).sum(axis=1)
        errors.append(abs(invariant[1] - invariant[0]))
    assert errors[1] < 1e-7 < errors[0] < 0.1


def test_what_stays_has_slopes_too() -> None:
    """What nothing changes but is part of the state is a constant of the equations."""
    text = "species A in cell, C in cell; A = 1; C = 5; U: -> A; C; Y: C -> C; 1;"
    system, states, slopes = solved(text, [0.0, 2.0])
    assert system.state_ids == ("A", "C")
    assert system.moving == (0,)
    np.testing.assert_allclose(states, [[1.0, 5.0], [11.0, 5.0]], rtol=1e-12)
    inputs = len(system.input_ids)
    np.testing.assert_allclose(slopes[1, :, inputs:], [[1.0, 2.0], [0.0, 1.0]], rtol=1e-12)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("at (A > 20): A = 1;", "event"),
        ("V: -> A; piecewise(1, A < 5, 0);", "depends on the state"),
        ("", ""),
    ],
)
def test_what_has_no_slopes_is_told(more: str, words: str) -> None:
    reason = why_no_slopes(ready(BIRTH_DEATH + more)[0])
    assert words in reason
    assert bool(reason) == bool(words)


def test_a_solution_that_ends_is_an_error() -> None:
    with pytest.raises(SimulationError, match=r"time (1|0\.9+)\d* .*in state A="):
        solved("species A in cell; A = 1; U: -> A; A*A;", [0.0, 2.0])


def test_a_slope_that_is_not_finite_is_an_error() -> None:
    with pytest.raises(SimulationError, match="its slope is not a finite number"):
        solved("species A in cell; A = 0; U: -> A; 1 + A^0.5;", [0.0, 2.0])
