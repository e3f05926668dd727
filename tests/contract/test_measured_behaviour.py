"""What other simulators were measured to do wrong, done right: one test a question.

Each test names the mistake it would detect, and checks where it can that its own criterion sees it.
"""

from __future__ import annotations

import numpy as np
import pytest
from events import accept, document, draw, load, load_random, reject, z_mean, z_variance
from sbml_text import event, reaction, species

import sbmlgrad as sg
from sbmlgrad.engines import Outcome


def test_a_reversible_law_has_the_noise_of_both_directions() -> None:
    """Firing on the net rate keeps the mean 33.3 but has a standard deviation of 0.47."""
    n, total, share = 1000, 100, 1 / 3
    model = load(
        reaction("J", "k1*A - k2*B", "A", "B", reversible=True),
        counts={"A": total, "B": 0},
        values={"k1": 1.0, "k2": 2.0},
    )
    cells = sg.simulate(model, times=[8.0], trajectories=n, seed=1)
    values = cells.values("B")
    mean, variance = total * share, total * share * (1 - share)
    assert (mean, variance**0.5) == pytest.approx((33.3, 4.71), abs=0.05)
    accept("reversible", z_mean(values, mean, variance), z_variance(values, mean, variance))
    net = mean + (values - mean) * 0.47 / 4.71
    reject("net rate", z_variance(net, mean, variance))


def test_a_loss_of_zeroth_order_at_zero_is_an_error() -> None:
    """Others go on to -24 molecules."""
    model = load(reaction("J", "k", "X"), counts={"X": 5}, values={"k": 1.0})
    with pytest.raises(sg.SimulationError, match="reaction 'J' at time") as caught:
        sg.simulate(model, times=[50.0], trajectories=20, seed=1)
    assert (caught.value.outcomes == Outcome.NEGATIVE_COUNT).all()
    np.testing.assert_array_equal(caught.value.ensemble.counts[:, -1, 0], 0)


def test_a_pair_reaction_from_an_odd_number_ends() -> None:
    """Others hang, or go below zero unseen: as written, k X X does not vanish at one molecule."""
    text = document(reaction("J", "k*X*X", "2 X"), counts={"X": 7}, values={"k": 1.0})
    with pytest.raises(sg.SimulationError) as caught:
        sg.simulate(sg.load(text), times=[1e3], trajectories=5, seed=1)
    assert (caught.value.outcomes == Outcome.NEGATIVE_COUNT).all()
    assert "combinatorial_form" in {issue.code for issue in sg.check(text)}
    read = sg.load(text, mass_action="combinatorial")
    cells = sg.simulate(read, times=[1e3], trajectories=5, seed=1)
    assert cells.counts.ravel().tolist() == [1] * 5
    even = sg.load(text.replace('initialAmount="7"', 'initialAmount="8"'))
    assert (sg.simulate(even, times=[1e9], trajectories=5, seed=1).counts == 0).all()


def test_an_amount_in_mole_is_so_many_molecules() -> None:
    """Ignoring the unit would leave the mean right and make the noise 1e11 times too small."""
    avogadro, amount, n = 6.02214076e23, 1e-21, 2000
    start = round(avogadro * amount)
    attributes = 'substanceUnits="mole" extentUnits="mole" timeUnits="second"'
    text = document(
        reaction("J", "k*X", "X"), counts={"X": start / avogadro}, values={"k": 0.5},
        attributes=attributes,
    )  # fmt: skip
    cells = sg.simulate(sg.load(text), times=[0.0, 1.0], trajectories=n, seed=1)
    assert (cells.counts[:, 0] == start).all()
    survival = np.exp(-0.5)
    mean, variance = start * survival, start * survival * (1 - survival)
    counts, amounts = cells.values("X", "counts")[:, 1], cells.values("X")[:, 1]
    accept("mole", z_mean(counts, mean, variance), z_variance(counts, mean, variance))
    np.testing.assert_allclose(amounts, counts / avogadro, rtol=1e-12)


def test_a_law_that_depends_on_time_is_not_frozen() -> None:
    """Frozen at the last firing, 0.4 t would stay 0 for ever."""
    model = load(reaction("J", "0.4*time", "", "X"), counts={"X": 0})
    times = np.array([1.0, 5.0, 10.0])
    cells = sg.simulate(model, times=times, trajectories=4000, seed=1)
    mean = 0.2 * times**2
    values = cells.values("X")
    accept("0.4 t", z_mean(values, mean, mean), z_variance(values, mean, mean))
    reject("frozen", z_mean(np.zeros_like(values), mean, mean))


def test_an_event_happens_while_no_reaction_can() -> None:
    """Others wait for the next firing, which never comes."""
    model = load(
        reaction("J", "k", "", "X"),
        counts={"X": 0},
        values={"k": 0.0},
        events=[event("E", "time >= 5", "k", "2")],
    )
    cells = sg.simulate(model, times=[4.999, 5.0, 10.0], trajectories=4000, seed=1)
    assert cells.values("k")[0].tolist() == [0.0, 2.0, 2.0]
    assert (cells.counts[:, :2] == 0).all()
    values = cells.values("X")[:, 2]
    accept("late start", z_mean(values, 10.0, 10.0), z_variance(values, 10.0, 10.0))
    reject("lost event", z_mean(np.zeros(4000), 10.0, 10.0))


def test_a_boundary_species_is_not_used_up() -> None:
    """Used up, the source would give 10 molecules at most."""
    model = load(
        reaction("J", "k*S", "S", "X"),
        counts={"X": 0},
        values={"k": 1.0},
        others=[species("S", 10, boundaryCondition="true")],
    )
    cells = sg.simulate(model, times=[4.0], trajectories=4000, seed=1)
    values = cells.values("X")
    assert (cells.values("S") == 10).all()
    accept("boundary", z_mean(values, 40.0, 40.0), z_variance(values, 40.0, 40.0))


def test_division_is_real_division() -> None:
    """In whole numbers 1/2 is 0, and X = 1 would live for ever."""
    model = load(reaction("J", "X/2", "X"), counts={"X": 1})
    cells = sg.simulate(model, times=[2.0], trajectories=4000, seed=1)
    survival = np.exp(-1.0)
    accept("X/2", z_mean(cells.values("X"), survival, survival * (1 - survival)))
    reject("integer division", z_mean(np.ones(4000), survival, survival * (1 - survival)))


def test_half_a_molecule_is_refused_or_the_user_chooses() -> None:
    """Others run to -0.5 molecules, or round without a word."""
    text = document(reaction("J", "k*X", "X"), counts={"X": 10.5}, values={"k": 1.0})
    (issue,) = [i for i in sg.check(text) if str(i.severity) == "error"]
    assert (issue.code, issue.element) == ("non_integer_initial_count", "X")
    with pytest.raises(sg.SbmlGradError, match="non_integer_initial_count"):
        sg.simulate(sg.load(text), times=[1.0], seed=1)
    rounded = sg.simulate(sg.load(text, initial="round"), times=[0.0], trajectories=5, seed=1)
    assert len(np.unique(rounded.counts)) == 1
    drawn = sg.simulate(sg.load(text, initial="randomised"), times=[0.0], trajectories=4000, seed=1)
    assert np.unique(drawn.counts).tolist() == [10, 11]
    accept("randomised", z_mean(drawn.values("X"), 10.5, 0.25))


def test_a_draw_in_an_event_has_its_variance() -> None:
    """Others assign the mean of the distribution: a standard deviation of 0."""
    model = load_random(
        values={"p": 0.0, "q": 0.0},
        events=[
            event(
                "E", "time >= 1", "p", draw("normal", "3", "2"), more=[("q", draw("poisson", "7"))]
            )
        ],
    )
    cells = sg.simulate(model, times=[2.0], trajectories=4000, seed=1)
    for name, mean, variance in (("p", 3.0, 4.0), ("q", 7.0, 7.0)):
        values = cells.values(name)
        accept(name, z_mean(values, mean, variance), z_variance(values, mean, variance))
        reject(
            "the mean of it", z_variance(np.full(4000, mean) + 1e-9 * values[:, 0], mean, variance)
        )
