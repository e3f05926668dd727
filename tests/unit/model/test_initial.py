"""Initial amounts, concentrations and sizes, and what a user gives instead."""

from __future__ import annotations

import math

import pytest
from sbml_text import compartment, model, parameter, species
from starts import DECAY, counts, network

import sbmlgrad as sg
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.elements import Compartment, Parameter, Species
from sbmlgrad.model.expression import Number, Symbol, divide, multiply
from sbmlgrad.model.initial import (
    check_initial_names,
    initial_values,
    start_expression,
)
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate


@pytest.mark.parametrize(
    ("attributes", "amount", "value", "count"),
    [
        ({}, 6, 6.0, 6.0),
        ({"hasOnlySubstanceUnits": "false"}, 6, 3.0, 6.0),
        ({"initialConcentration": 6}, None, 12.0, 12.0),
        ({"initialConcentration": 6, "hasOnlySubstanceUnits": "false"}, None, 6.0, 12.0),
    ],
)
def test_amounts_and_concentrations(
    attributes: dict[str, object], amount: float | None, value: float, count: float
) -> None:
    net = network(
        compartments=[compartment(size=2.0)], species=[species("X", amount, **attributes)]
    )
    assert initial_values(net)["X"] == value
    assert counts(net) == {"X": count}
    run = sg.simulate(net, times=[0], seed=1)
    assert run.counts[0, 0, 0] == count
    assert run.values("X")[0, 0] == value


def test_counts_come_from_amounts_exactly() -> None:
    # 7 / 0.1 * 0.1 is not 7 in doubles for every size; amounts must not take the detour.
    for size in (0.1, 0.3, 1e-15, 7.7e-13):
        net = network(
            compartments=[compartment(size=size)],
            species=[species("X", 7, hasOnlySubstanceUnits="false")],
        )
        assert counts(net) == {"X": 7.0}


def test_a_species_in_a_point_means_an_amount() -> None:
    net = network(
        compartments=[compartment(size=None, spatialDimensions=0)],
        species=[species("X", 7, hasOnlySubstanceUnits="false")],
    )
    assert initial_values(net)["X"] == 7
    assert sg.simulate(net, times=[0], seed=1).counts.ravel().tolist() == [7]


def test_initial_concentrations_scale_with_a_size_that_the_user_gives() -> None:
    net = network(
        species=[
            species("X", 7, hasOnlySubstanceUnits="false"),
            species("Y", None, initialConcentration=5, hasOnlySubstanceUnits="false"),
        ]
    )
    assert counts(net, initial={"cell": 3.0}) == {"X": 7, "Y": 15}
    assert initial_values(net, initial={"cell": 2.0})["X"] == 3.5
    assert counts(net, initial={"cell": 2.0, "X": 8.0}) == {"X": 16, "Y": 10}


def test_an_unset_size_is_no_value_and_not_one() -> None:
    net = network(
        compartments=[compartment(size=None)],
        species=[species("X", 7), species("Y", 7, hasOnlySubstanceUnits="false")],
    )
    values = initial_values(net)
    assert math.isnan(values["cell"])
    assert math.isnan(values["Y"])
    assert counts(net) == {"X": 7, "Y": 7}


def test_a_species_without_any_value_has_none() -> None:
    net = network(species=[species("X", None)])
    assert math.isnan(initial_values(net)["X"])
    assert math.isnan(counts(net)["X"])


def test_molecules_of_a_mole() -> None:
    net = sg.load(
        model(
            DECAY,
            species=[species("X", 2e-21)],
            parameters=[parameter("k")],
            attributes='substanceUnits="mole" extentUnits="mole"',
        )
    )
    assert counts(net)["X"] == pytest.approx(1204.428152, rel=1e-12)


def test_start_expressions_are_functions_of_parameters() -> None:
    net = ReactionNetwork(
        "m",
        compartments=(Compartment("c", 2.0), Compartment("d", 3.0)),
        species=(
            Species("F", "c", initial_amount=6.0, boundary=True),
            Species("G", "d", initial_amount=6.0, boundary=True),
            Species("H", "c", initial_concentration=6.0, only_substance_units=True, constant=True),
            Species("I", "c", boundary=True),
        ),
        parameters=(Parameter("p", 4.0), Parameter("q", 5.0)),
        initial_assignments={
            "c": multiply(Symbol("p"), Symbol("q")),
            "q": multiply(Number(2.0), Symbol("p")),
            "I": divide(Symbol("F"), Symbol("c")),
        },
    )
    at = {"p": 4.0, "q": 5.0}

    def value(symbol: str) -> float:
        return float(evaluate(start_expression(net, symbol), at))

    def slope(symbol: str, of: str) -> float:
        return float(evaluate(derivative(start_expression(net, symbol), of), at))

    assert start_expression(net, "q") == Symbol("q")
    assert (value("c"), value("F"), value("G"), value("H")) == (20, 6 / 20, 2, 120)
    # The concentration of F falls as the compartment grows.
    assert slope("F", "p") == pytest.approx(-6 / (4**2 * 5))
    assert slope("G", "p") == 0.0
    assert slope("H", "q") == pytest.approx(6 * 4)
    assert value("I") == pytest.approx(6 / 400)
    assert slope("I", "p") == pytest.approx(-2 * 6 / (4**3 * 25))
    every = initial_values(net, at)
    assert {s: value(s) for s in "cdFGHI"} == pytest.approx({s: every[s] for s in "cdFGHI"})


def test_names_and_values_of_initial_are_checked() -> None:
    net = network()
    check_initial_names(net, {"X": 3.0, "cell": 2.0})
    with pytest.raises(sg.ParameterError, match="no species or compartment 'k'"):
        check_initial_names(net, {"k": 3.0})
    with pytest.raises(sg.ParameterError, match="'zz'"):
        sg.simulate(net, times=[1], seed=1, initial={"zz": 3})
    for bad in (-1.0, math.nan, math.inf):
        with pytest.raises(sg.ParameterError, match="'X'"):
            check_initial_names(net, {"X": bad})
