"""Rate rules and random starts: laws of the trajectories against exact answers.

See `test_explicit_time` for the scores.
"""

from __future__ import annotations

import numpy as np
from events import accept, draw, load, load_random, reject, z_mean, z_variance
from few_states import N, evolve, moments, pair_loss, poisson, simulated
from sbml_text import assignment, compartment, event, reaction, rule, species

import sbmlgrad as sg


def test_a_law_with_a_parameter_that_decays() -> None:
    """Finds parameters frozen between firings."""
    model = load(
        reaction("J", "k", "", "X"),
        counts={"X": 0},
        values={"k": 4.0},
        rules=[rule("rate", "k", "-0.2*k")],
    )
    times = np.array([1.0, 5.0, 15.0])
    poisson("decaying", simulated(model, times).values("X"), 20.0 * (1 - np.exp(-0.2 * times)))


def test_an_oscillator_drives_a_law() -> None:
    """The same law as an explicit sine, moved by two rate rules."""
    model = load(
        reaction("J", "2*(1 + p)", "", "X"),
        counts={"X": 0},
        values={"p": 0.0, "q": 0.9},
        rules=[rule("rate", "p", "q"), rule("rate", "q", "-p")],
    )
    times = np.array([1.0, 3.0, 9.0])
    poisson("oscillator", simulated(model, times, 1000).values("X"),
            2 * (times + 0.9 * (1 - np.cos(times))))  # fmt: skip


def test_counts_drive_a_rate_rule_that_drives_a_law() -> None:
    """Finds motion that does not see firings: A is Poisson, k' = A - k, X fires at rate k."""
    model = load(
        reaction("JA", "3", "", "A"),
        reaction("JX", "k", "", "X"),
        counts={"A": 0, "X": 0},
        values={"k": 0.0},
        rules=[rule("rate", "k", "A - k")],
    )
    t = 2.0
    cells = simulated(model, [t])
    grid = np.linspace(0.0, t, 20_001)
    # One firing of A at time s adds 1 - exp(-(t-s)) to k and its integral to the mean of X.
    in_k, in_x = 1 - np.exp(-grid), grid - (1 - np.exp(-grid))
    integral = np.trapezoid
    accept(
        "k",
        z_mean(cells.values("k"), 3 * integral(in_k, grid), 3 * integral(in_k**2, grid)),
        z_variance(cells.values("k"), 3 * integral(in_k, grid), 3 * integral(in_k**2, grid)),
    )
    mean = 3 * integral(in_x, grid)
    variance = mean + 3 * integral(in_x**2, grid)
    accept("X", z_mean(cells.values("X"), mean, variance))
    accept("X", z_variance(cells.values("X"), mean, variance))
    # Without the noise of A, the count would be Poisson.
    reject("mean of A alone", z_variance(cells.values("X"), mean, mean), bound=4.0)


def test_a_growing_volume_thins_a_second_order_law() -> None:
    """Finds volumes frozen between firings, against the integrated master equation."""
    model = load(
        reaction("J", "cell*0.2*C*C", "2 C"),
        others=[species("C", 12, hasOnlySubstanceUnits="false")],
        compartments=[compartment("cell", 1.0, constant="false")],
        rules=[rule("rate", "cell", "1.5*cell")],
    )
    exact = evolve(pair_loss(12, lambda t: 0.2 * np.exp(-1.5 * t)), 2.0, 7)
    mean, variance = moments(exact)
    cells = simulated(model, [2.0])
    values = cells.values("C", "counts")
    accept("growing", z_mean(values, mean, variance), z_variance(values, mean, variance))
    np.testing.assert_allclose(cells.values("C"), values / np.exp(3.0), rtol=1e-8)


def test_a_trigger_on_a_moving_symbol_switches_a_law_in_time() -> None:
    """Finds crossings noticed at the next firing only: at rate 0.5 those come 2 time units late."""
    model = load(
        reaction("J", "a", "", "X"),
        counts={"X": 0},
        values={"k": 1.0, "a": 0.5},
        rules=[rule("rate", "k", "-k")],
        events=[event("E", "k < 0.25", "a", "20")],
    )
    crossing = np.log(4.0)
    poisson("crossing", simulated(model, [3.0]).values("X"), 0.5 * crossing + 20 * (3 - crossing))


def test_values_drawn_at_the_start_differ_between_trajectories() -> None:
    """Finds draws replaced by their mean, and counts that do not see the drawn parameter.

    X is Poisson given k, so that its variance is that of k on top; rules and other initial
    assignments follow the drawn values in order.
    """
    model = load_random(
        reaction("J", "r", "", "X"),
        counts={"X": 0, "S": 0},
        values={"k": 0.0, "h": 0.0, "r": None},
        compartments=[compartment("cell", None)],
        assignments=[
            assignment("h", "k/2"),
            assignment("k", draw("gamma", "4", "2")),
            assignment("S", draw("binomial", "10", "0.3")),
            assignment("cell", draw("uniform", "1", "3")),
        ],
        rules=[rule("assignment", "r", "2*h")],
    )
    cells = simulated(model, [0.0, 1.0])
    k, x = cells.values("k")[:, 0], cells.values("X")[:, 1]
    accept("k", z_mean(k, 8.0, 16.0), z_variance(k, 8.0, 16.0))
    np.testing.assert_allclose(cells.values("h")[:, 0], k / 2, rtol=1e-12)
    accept("X", z_mean(x, 8.0, 24.0), z_variance(x, 8.0, 24.0))
    reject("mean of k", z_variance(x, 8.0, 8.0))
    s, size = cells.values("S")[:, 0], cells.values("cell")[:, 0]
    accept("S", z_mean(s, 3.0, 2.1), z_variance(s, 3.0, 2.1))
    accept("cell", z_mean(size, 2.0, 1 / 3), z_variance(size, 2.0, 1 / 3))
    np.testing.assert_allclose(cells.values("S", "concentration")[:, 0], s / size, rtol=1e-12)
    accept("k and S", np.corrcoef(k, s)[0, 1] * np.sqrt(N))
    halves = [
        sg.simulate(
            model, times=[0.0, 1.0], trajectories=N // 2, first_trajectory=first, seed=20
        ).states[0]
        for first in (0, N // 2)
    ]
    np.testing.assert_array_equal(np.concatenate(halves), cells.states[0])


def test_an_explicit_parameter_wins_over_its_draw() -> None:
    model = load_random(values={"k": 0.0}, assignments=[assignment("k", draw("gamma", "4", "2"))])
    cells = sg.simulate(model, {"k": 5.0}, times=[0.0], trajectories=10, seed=1)
    assert cells.values("k").tolist() == [[5.0]] * 10
