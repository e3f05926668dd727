"""Events, explicit time and rate rules: laws of the trajectories against exact answers.

Scores are in standard errors (`events.BOUND`); seeds are fixed, so verdicts never change by chance.
Every test says which mistake it would detect; where that mistake is cheap to plant, the test's own
criterion must see it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from events import accept, draw, load, load_random, reject, z_mean, z_share, z_variance
from numpy.typing import NDArray
from sbml_text import assignment, compartment, event, reaction, rule, species
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.stats import gamma

import sbmlgrad as sg
from sbmlgrad.engines.readouts import AfterFirings, WindowAverages

FloatArray = NDArray[np.float64]
N = 4000


def simulated(model: sg.ReactionNetwork, times: object, n: int = N, seed: int = 20) -> sg.Ensemble:
    return sg.simulate(model, times=times, trajectories=n, seed=seed)  # type: ignore[arg-type]


def poisson(name: str, values: FloatArray, mean: object) -> None:
    """Accept values whose law is Poisson with this mean."""
    accept(name, z_mean(values, mean, mean), z_variance(values, mean, mean))


# --- exact answers for networks with few states ---------------------------------------------------


def pair_loss(start: int, rate: Callable[[float], float]) -> Callable[[float], FloatArray]:
    """Generator of 2 X -> nothing at propensity rate(t) x^2 from `start` (even), [state, state]."""
    numbers = np.arange(0, start + 1, 2)

    def generator(time: float) -> FloatArray:
        out = rate(time) * numbers**2
        return np.diag(out[1:], 1) - np.diag(out)

    return generator


def moments(probability: FloatArray) -> tuple[float, float]:
    numbers = 2.0 * np.arange(len(probability))
    mean = float(probability @ numbers)
    return mean, float(probability @ (numbers - mean) ** 2)


def evolve(generator: Callable[[float], FloatArray], until: float, states: int) -> FloatArray:
    """Probability [state] at a time, from the highest state on, by integration."""
    start = np.zeros(states)
    start[-1] = 1.0
    result = solve_ivp(lambda t, p: generator(t) @ p, (0, until), start, rtol=1e-9, atol=1e-12)
    return result.y[:, -1]


# --- explicit time --------------------------------------------------------------------------------

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


# --- events ---------------------------------------------------------------------------------------


def test_a_first_passage_stops_at_its_level() -> None:
    """Finds triggers that are checked late: the time to ten firings at rate 2 is gamma, X stays."""
    model = load(
        reaction("J", "k", "", "X"),
        counts={"X": 0},
        values={"k": 2.0, "T": 0.0},
        events=[event("E", "X >= 10", "T", "time", more=[("k", "0")])],
    )
    cells = simulated(model, [40.0])
    assert (cells.counts == 10).all()
    values = cells.values("T")
    accept("first passage", z_mean(values, 5.0, 2.5), z_variance(values, 5.0, 2.5))


def test_a_delay_from_a_random_trigger() -> None:
    """Finds delays counted from the wrong moment: output after passage and delay of 0.5 T."""
    model = load(
        reaction("J", "2", "", "X"),
        counts={"X": 0},
        values={"T": 0.0},
        events=[event("E", "X >= 3", "T", "time", delay="0.5*time", use_trigger_values=False)],
    )
    times = np.array([1.0, 2.0, 4.0])
    done = simulated(model, times).values("T") > 0
    for place, time in enumerate(times):
        share = float(gamma.cdf(time / 1.5, 3, scale=0.5))
        accept(f"delay at {time}", z_share(done[:, place], share))


def test_ties_of_priority_are_broken_evenly() -> None:
    """Finds an order of the document: each of three events is last with probability 1/3."""
    events = [event(f"E{i}", "time >= 1", "n", str(i), priority="1") for i in (1, 2, 3)]
    last = simulated(load(values={"n": 0.0}, events=events), [1.0]).values("n")
    for i in (1, 2, 3):
        accept(f"last is {i}", z_share(last == i, 1 / 3))
    reject("document order", z_share(np.full(N, 3) == 3, 1 / 3))


def test_ties_are_broken_anew_every_time() -> None:
    """Finds one draw used for all: two events at ten times agree with the first in half of them."""
    events = [
        event("up", "sin(time) > 0.5", "n", "1", priority="1"),
        event("down", "sin(time) > 0.5", "n", "-1", priority="1"),
    ]
    times = 1.0 + 2 * np.pi * np.arange(10)
    last = simulated(load(values={"n": 0.0}, events=events), times, 1000).values("n")
    accept("each time", [z_share(last[:, i] > 0, 0.5) for i in range(10)])
    pairs = last[:, 1:] * last[:, :-1]
    accept("neighbouring times", z_share(pairs > 0, 0.5))


def test_draws_differ_between_executions_and_trajectories() -> None:
    """Finds a stream used twice: correlation between times, between symbols, between neighbours."""
    model = load_random(
        values={"p": 0.0, "q": 0.0},
        events=[
            event(
                "E",
                "sin(time) > 0.5",
                "p",
                draw("normal", "10", "3"),
                more=[("q", draw("exponential", "0.5"))],
            )
        ],
    )
    cells = simulated(model, 1.0 + 2 * np.pi * np.arange(3))
    p, q = cells.values("p"), cells.values("q")
    accept("p", z_mean(p, 10.0, 9.0), z_variance(p, 10.0, 9.0))
    accept("q", z_mean(q, 2.0, 4.0), z_variance(q, 2.0, 4.0))

    def correlation(x: FloatArray, y: FloatArray) -> float:
        return float(np.corrcoef(x, y)[0, 1] * np.sqrt(len(x)))

    accept(
        "correlations",
        correlation(p[:, 0], p[:, 1]),
        correlation(p[:, 1], p[:, 2]),
        correlation(p[:, 0], q[:, 0]),
        correlation(p[1:, 0], p[:-1, 0]),
        correlation(q[1:, 0], q[:-1, 0]),
    )


def test_trajectories_side_by_side_are_independent() -> None:
    """Finds firing streams that overlap between neighbours, or with those of events."""
    model = load_random(
        reaction("J", "5*(1 + sin(time))", "", "X"),
        counts={"X": 0},
        values={"p": 0.0},
        events=[event("E", "time >= 1", "p", draw("uniform", "0", "1"))],
    )
    cells = simulated(model, [2.0])
    x, p = cells.values("X")[:, 0], cells.values("p")[:, 0]
    accept("neighbours", np.corrcoef(x[1:], x[:-1])[0, 1] * np.sqrt(N - 1))
    accept("firings and draws", np.corrcoef(x, p)[0, 1] * np.sqrt(N))


def test_a_second_order_law_after_a_volume_changes() -> None:
    """Finds concentrations kept instead of counts, and propensities that are not recomputed."""
    model = load(
        reaction("J", "cell*0.2*C*C", "2 C"),
        others=[species("C", 12, hasOnlySubstanceUnits="false")],
        compartments=[compartment("cell", 2.0, constant="false")],
        events=[event("E", "time >= 0.3", "cell", "20")],
    )
    start = np.eye(7)[-1]
    first = expm(0.3 * pair_loss(12, lambda _: 0.2 / 2)(0.0)) @ start
    exact = expm(1.7 * pair_loss(12, lambda _: 0.2 / 20)(0.0)) @ first
    values = simulated(model, [2.0]).values("C", "counts")
    mean, variance = moments(exact)
    accept("volume", z_mean(values, mean, variance), z_variance(values, mean, variance))
    unchanged = expm(2.0 * pair_loss(12, lambda _: 0.2 / 2)(0.0)) @ start
    reject("event without effect", z_mean(values, *moments(unchanged)))


def test_assigned_counts_are_rounded_at_random_with_the_right_mean() -> None:
    """Finds rounding to the nearest: 2.3 would become 2, a mean 0.3 too low."""
    from events import document

    text = document(
        reaction("J", "0*X", "X"), counts={"X": 0}, events=[event("E", "time >= 1", "X", "2.3")]
    )
    values = simulated(sg.load(text, initial="randomised"), [1.0]).values("X")
    assert np.unique(values).tolist() == [2, 3]
    accept("2.3", z_mean(values, 2.3, 0.21))
    reject("rounded", z_mean(np.full(N, 2.0), 2.3, 0.21))


def test_an_event_that_never_happens_changes_no_law() -> None:
    """The kernel with a clock against the exact law of a pair loss, as the one without it."""
    lists = {"counts": {"X": 12}, "values": {"k": 0.1, "a": 0.0}}
    law = reaction("J", "k*X*X", "2 X")
    mean, variance = moments(expm(0.4 * pair_loss(12, lambda _: 0.1)(0.0)) @ np.eye(7)[-1])
    for events in ([], [event("E", "X > 1000", "a", "1"), event("F", "time > 99", "a", "1")]):
        values = simulated(load(law, events=events, **lists), [0.4]).values("X")
        accept(f"{len(events)} events", z_mean(values, mean, variance))
        accept(f"{len(events)} events", z_variance(values, mean, variance))


# --- rate rules -----------------------------------------------------------------------------------


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


# --- random starts --------------------------------------------------------------------------------


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
