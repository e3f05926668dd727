"""Events: trajectories against exact answers; see `test_explicit_time` for the scores."""

from __future__ import annotations

import numpy as np
from events import accept, draw, load, load_random, reject, z_mean, z_share, z_variance
from few_states import FloatArray, N, moments, pair_loss, simulated
from sbml_text import compartment, event, reaction, species
from scipy.linalg import expm
from scipy.stats import gamma

import sbmlgrad as sg


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
