"""Ensembles of networks with a clock: every symbol, tables, counts and averages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from clock_models import (
    CONCENTRATION,
    growing,
)
from events import document, load
from sbml_text import at_level, compartment, event, reaction, rule, species

import sbmlgrad as sg
from sbmlgrad.engines.readouts import WindowAverages


def full_ensemble() -> sg.Ensemble:
    model = load(
        reaction("J", "c*A", "A", "B"),
        reaction("K", "0*F", "F"),
        counts={"A": 40, "B": 0},
        values={"c": 0.5, "p": 1.0, "ruled": None},
        others=[
            species("R", None, boundaryCondition="true", **CONCENTRATION),
            species("F", 8, **CONCENTRATION),
        ],
        compartments=[compartment("cell", 2.0, constant="false")],
        rules=[
            rule("assignment", "ruled", "2*A + p + time"),
            rule("assignment", "R", "B + 1"),
            rule("rate", "p", "1"),
        ],
        events=[event("E", "time >= 1", "cell", "4")],
    )
    return sg.simulate(model, times=[0.5, 1, 2], trajectories=50, seed=1)


def test_every_symbol_has_values_in_every_quantity() -> None:
    cells = full_ensemble()
    a, b = cells.values("A"), cells.values("B")
    np.testing.assert_array_equal(a + b, 40.0)
    size, time = np.array([2.0, 4.0, 4.0]), np.array([0.5, 1.0, 2.0])
    np.testing.assert_array_equal(cells.values("cell"), np.tile(size, (50, 1)))
    np.testing.assert_allclose(cells.values("p"), np.tile(1 + time, (50, 1)), rtol=1e-12)
    np.testing.assert_allclose(cells.values("ruled"), 2 * a + 1 + 2 * time, rtol=1e-12)
    np.testing.assert_allclose(cells.values("J"), 0.5 * a, rtol=1e-12)
    np.testing.assert_allclose(cells.values("A", "concentration"), a / size, rtol=1e-12)
    np.testing.assert_allclose(cells.values("R"), b + 1, rtol=1e-12)
    np.testing.assert_allclose(cells.values("R", "amount"), (b + 1) * size, rtol=1e-12)
    np.testing.assert_allclose(cells.values("R", "counts"), (b + 1) * size, rtol=1e-12)
    np.testing.assert_allclose(cells.values("F"), np.tile(8 / size, (50, 1)), rtol=1e-12)
    np.testing.assert_allclose(cells.mean("ruled"), cells.values("ruled").mean(axis=0))
    np.testing.assert_allclose(cells.variance("R"), b.var(axis=0, ddof=1))


def test_tables_hold_the_state_by_its_names() -> None:
    cells = full_ensemble()
    frame, data = cells.to_dataframe(), cells.to_xarray()
    assert list(frame.columns) == ["trajectory", "time", "A", "B", "F", "p", "cell"]
    assert frame["A"].dtype == np.int64
    np.testing.assert_array_equal(frame["cell"].to_numpy()[:3], [2, 4, 4])
    np.testing.assert_array_equal(data["cell"].values, cells.values("cell"))
    assert data["p"].dims == ("trajectory", "time")


def mixed() -> sg.ReactionNetwork:
    """A counted species A, one that events set to fractions, one with a rate rule."""
    return load(
        reaction("J", "0.2*A", "A"),
        counts={"A": 20},
        others=[
            species("X", 1, boundaryCondition="true"),
            species("R", 1, boundaryCondition="true"),
        ],
        rules=[rule("rate", "R", "0.3")],
        events=[event("E", "time >= 1", "X", "2.5")],
    )


def test_counts_that_are_not_whole_are_refused_by_name() -> None:
    cells = sg.simulate(mixed(), times=[0, 2], seed=1)
    with pytest.raises(sg.RequestError) as caught:
        _ = cells.counts
    message = str(caught.value)
    assert "'R' follows a rate rule" in message
    assert "'X' takes values that are no whole numbers (an event sets it)" in message
    assert "'A'" not in message
    assert 'values("X", "counts")' in message


def test_counts_of_single_species_are_there_whatever_the_others_are() -> None:
    cells = sg.simulate(mixed(), times=[0, 2], trajectories=30, seed=1)
    assert cells.species == ("A", "X", "R")
    counts = cells.values("A", "counts")
    np.testing.assert_array_equal(counts, np.rint(counts))
    assert counts[:, 0].tolist() == [20.0] * 30
    assert len(np.unique(counts[:, 1])) > 3
    assert cells.values("X", "counts").tolist() == [[1.0, 2.5]] * 30
    np.testing.assert_allclose(cells.values("R", "counts"), [[1.0, 1.6]] * 30, rtol=1e-12)


def test_counts_that_happen_to_be_whole_are_counts() -> None:
    model = load(
        reaction("J", "0.2*A", "A"),
        counts={"A": 20},
        others=[species("X", 1, boundaryCondition="true")],
        events=[event("E", "time >= 1", "X", "5")],
    )
    cells = sg.simulate(model, times=[0, 2], seed=1)
    assert cells.counts.dtype == np.int64
    assert cells.counts[0, :, 1].tolist() == [1, 5]


@pytest.mark.parametrize("value", ["1/0", "1e300"])
def test_counts_that_no_integer_can_hold_are_refused(value: str) -> None:
    model = load(
        others=[species("X", 1, boundaryCondition="true")],
        events=[event("E", "time >= 1", "X", value)],
    )
    cells = sg.simulate(model, times=[0, 2], seed=1)
    with pytest.raises(sg.RequestError, match="'X'"):
        _ = cells.counts
    assert cells.to_dataframe()["X"].dtype == np.float64


@pytest.mark.parametrize(
    ("formula", "is_affine"),
    [
        ("3*X + 2", True),
        ("X*X", False),
        ("floor(X/2)", False),
        ("piecewise(1, X > 3, 0)", False),
        ("ceil(X)", False),
        ("quotient(X, 2)", False),
        ("X + time", False),
    ],
)
def test_the_average_of_a_rule_is_given_where_it_follows_and_refused_elsewhere(
    formula: str, is_affine: bool
) -> None:
    text = document(
        reaction("J", "1", "", "X"),
        counts={"X": 0},
        values={"r": None},
        rules=[rule("assignment", "r", formula)],
    )
    model = sg.load(at_level(text, 3, 2))
    cells = sg.simulate(model, readouts=[WindowAverages([0, 10])], trajectories=3, seed=1)
    if is_affine:
        np.testing.assert_allclose(cells.values("r"), 3 * cells.values("X") + 2, rtol=1e-12)
    else:
        with pytest.raises(sg.SbmlGradError, match="average"):
            cells.values("r")


def test_linear_means_agree_with_the_rate_equations() -> None:
    """Without noise in what the events see, the means obey the rate equations exactly."""
    lists: dict[str, Any] = {
        "values": {"k": 1.0, "d": 0.5},
        "rules": [rule("rate", "k", "-0.3*k")],
        "events": [event("E", "time >= 2", "d", "0", delay="1")],
    }
    births = reaction("J", "10*k*(1 + cos(time))", "", "X")
    model = load(births, reaction("D", "d*X", "X"), counts={"X": 5}, **lists)
    times = [1.0, 2.5, 3.0, 6.0]
    exact = sg.simulate(model, times=times, engine=sg.engines.ODE()).mean("X")
    cells = sg.simulate(model, times=times, trajectories=2000, seed=1)
    z = (cells.mean("X") - exact) / np.sqrt(cells.variance("X") / 2000)
    assert np.abs(z).max() < 4.0, f"z = {z}"


def test_gradients_through_events_are_refused() -> None:
    import tensorflow as tf

    model = sg.load(growing(events=[event("E", "time >= 1", "a", "1")]))
    with pytest.raises(sg.GradientError, match="event 'E'"):
        sg.simulate(model, tf.constant(model.parameter_values), times=[1], seed=1)
