"""Laws that depend on time: trajectories against exact answers.

Scores are in standard errors (`events.BOUND`); seeds are fixed, so verdicts never change by chance.
Every test says which mistake it would detect; where that mistake is cheap to plant, the test's own
criterion must see it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from events import accept, load, reject, z_mean, z_variance
from few_states import FloatArray, N, evolve, moments, pair_loss, poisson, simulated
from sbml_text import compartment, reaction, rule

import sbmlgrad as sg
from sbmlgrad.engines.readouts import AfterFirings, WindowAverages

EARLY, WHOLE = np.array([0.7, 2.0, 4.0]), np.array([1.0, 2.0, 3.0])


#: Law, times and its integral up to those.
LAWS: dict[str, tuple[str, FloatArray, Callable[[FloatArray], FloatArray]]] = {
    "linear": ("0.4*time", EARLY, lambda t: 0.2 * t**2),
    "periodic": ("2 + 1.5*sin(3*time)", EARLY, lambda t: 2 * t + 0.5 * (1 - np.cos(3 * t))),
    "touching 0": ("3*(1 - cos(2*time))", EARLY, lambda t: 3 * t - 1.5 * np.sin(2 * t)),
    "fast": ("2*(1 + sin(1e5*time))", EARLY, lambda t: 2 * t + 2e-5 * (1 - np.cos(1e5 * t))),
    "falling": ("8*exp(-time)", EARLY, lambda t: 8 * (1 - np.exp(-t))),
    "one step": ("piecewise(5, time < 2, 1)", WHOLE, lambda t: 4 * np.minimum(t, 2) + t),
    "many steps": ("1 + floor(time)", WHOLE, lambda t: t * (t + 1) / 2),
}


@pytest.mark.parametrize("name", LAWS)
def test_counts_follow_the_integral_of_the_law(name: str) -> None:
    """Finds laws frozen between firings and wrong bounds: a count is Poisson with the integral."""
    law, times, integral = LAWS[name]
    model = load(reaction("J", law, "", "X"), counts={"X": 0})
    values = simulated(model, times).values("X")
    poisson(name, values, integral(times))
    reject("a law 10 % too high", z_mean(values, integral(times) / 1.1, integral(times)), bound=4.5)


@pytest.mark.parametrize(("height", "width"), [("1e4", "1e-4"), ("1e9", "1e-9")])
def test_a_pulse_is_never_stepped_over(height: str, width: str) -> None:
    """Finds windows that are looked at by their ends alone: the mean would be 0."""
    law = f"piecewise({height}, (time >= 5) && (time < 5 + {width}), 0)"
    model = load(reaction("J", law, "", "X"), counts={"X": 0})
    values = simulated(model, [4.999, 6.0]).values("X")
    assert (values[:, 0] == 0).all()
    # In floating point the second pulse is 1e-6 wider than written.
    poisson("pulse", values[:, 1], 1.0)


def test_waiting_times_of_a_law_that_depends_on_time() -> None:
    """The integrated propensity at the n-th firing has a gamma law, a finer test than counts."""
    model = load(reaction("J", "0.4*time", "", "X"), counts={"X": 0})
    cells = sg.simulate(model, readouts=[AfterFirings([1, 4])], trajectories=N, seed=3)
    shape = np.array([1.0, 4.0])
    accept(
        "firing times",
        z_mean(0.2 * cells.values("time") ** 2, shape, shape),
        z_variance(0.2 * cells.values("time") ** 2, shape, shape),
    )


def test_window_averages_under_a_law_that_depends_on_time() -> None:
    """Finds averages that leave out parts of a window: exact mean T^2/15 and variance T^2/30."""
    model = load(reaction("J", "0.4*time", "", "X"), counts={"X": 0})
    window = 6.0
    cells = sg.simulate(model, readouts=[WindowAverages([0, window])], trajectories=N, seed=4)
    # cov(X_s, X_t) = 0.2 min(s, t)^2, whose integral over the square is 0.2 T^4 / 6.
    mean, variance = 0.2 * window**2 / 3, 0.2 * window**2 / 6
    values = cells.values("X")
    accept("window", z_mean(values, mean, variance), z_variance(values, mean, variance))


def test_rules_and_volumes_that_depend_on_time_enter_the_law() -> None:
    """Finds rules and volumes frozen at the start, against the integrated master equation."""
    model = load(
        reaction("J", "cell*r*(X/cell)^2", "2 X"),
        counts={"X": 12},
        values={"r": None},
        compartments=[compartment("cell", None, constant="false")],
        rules=[
            rule("assignment", "r", "0.2*(1 + time)"),
            rule("assignment", "cell", "1 + 9*time^2"),
        ],
    )
    # X means an amount here: propensity r x^2 / V.
    exact = evolve(pair_loss(12, lambda t: 0.2 * (1 + t) / (1 + 9 * t * t)), 1.5, 7)
    mean, variance = moments(exact)
    values = simulated(model, [1.5]).values("X")
    accept("moving volume", z_mean(values, mean, variance), z_variance(values, mean, variance))
    frozen = moments(evolve(pair_loss(12, lambda _: 0.2), 1.5, 7))
    reject("frozen volume", z_mean(values, *frozen))
