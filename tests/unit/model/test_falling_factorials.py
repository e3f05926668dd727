"""Falling factorials are recognised in whatever the law is written in, and never split."""

from __future__ import annotations

import numpy as np
import pytest

import sbmlgrad as sg
from sbmlgrad.model.channels import channels
from sbmlgrad.model.expression import Number, Symbol, power, subtract
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.laws.falling_factorials import Molecules, falling_factorials
from sbmlgrad.model.operators import evaluate

A = Symbol("A")


def dimerization(law: str, size: float, arrow: str = "2A -> ", unit: str = "item") -> str:
    """Eleven molecules of A, as a concentration, in a volume of this size."""
    return f"""
        unit substance = {unit}; unit extent = {unit};
        compartment V = {size}; species A in V, B in V; A = {11.0 / size}; B = 0;
        k = 0.1; one = 1; two = 2;
        J: {arrow}; {law};
    """


@pytest.mark.parametrize(
    ("law", "size"),
    [
        ("k*A*(A - 1)", 1.0),
        ("k*A*(A - one)", 1.0),
        ("k*V*A*(A - 1/V)", 2.0),
        ("k*V*A*(A - one/V)", 0.3),
        ("k*(A*V)*(A*V - 1)/V", 7.0),
        ("k*(A - 1/V)*A", 0.7),
        ("k*(2*A - two/V)*A/two", 0.7),
    ],
)
def test_the_law_is_one_channel_that_ends_with_the_last_pair(law: str, size: float) -> None:
    net = sg.load(dimerization(law, size))
    found, issues = channels(net)
    assert [c.id for c in found] == ["J"]
    assert "reversible_not_separable" not in {issue.code for issue in issues}
    rates = [
        float(evaluate(found[0].propensity, {**initial_values(net), "A": float(n)}))
        for n in range(12)
    ]
    assert rates[0] == rates[1] == 0.0
    expected = np.array([n * (n - 1) for n in range(12)], dtype=float)
    assert rates == pytest.approx(expected * rates[2] / 2.0)
    ensemble = sg.simulate(net, times=[1000.0], trajectories=20, seed=3)
    assert (ensemble.values("A", "counts") == 1.0).all()


def test_moles_and_avogadro() -> None:
    text = """
        unit substance = mole; unit extent = mole; unit volume = litre;
        compartment V = 1e-20; substanceOnly species A in V; A = 1.8273e-23;
        J: 2A -> ; 6e22*A*(A - 1/avogadro)*6.02214076e23;
    """
    net = sg.load(text, initial="round")
    (channel,), _ = channels(net)
    rates = [float(evaluate(channel.propensity, {"A": float(n)})) for n in range(4)]
    assert rates[0] == rates[1] == 0.0
    assert rates[3] == pytest.approx(3.0 * rates[2])


def test_a_law_of_three_molecules_and_a_reversible_one() -> None:
    net = sg.load(dimerization("k*A*(A - 1/V)*(A - 2/V)", 0.3, "3A -> B"))
    assert [c.id for c in channels(net)[0]] == ["J"]
    net = sg.load(dimerization("V*(k*A*(A - 1/V) - k*B)", 0.3, "2A -> B"))
    assert [c.id for c in channels(net)[0]] == ["J", "J_backward"]


@pytest.mark.parametrize(
    "law", ["k*A*(A - 1/V)", "k*A*(A - two)", "k*A*(A - 1.5)", "k*A*A - two*k*A"]
)
def test_what_ends_at_another_number_is_no_falling_factorial(law: str) -> None:
    # A - 1/V counts amounts here: two of a pair would come back out of one molecule.
    text = f"""
        unit substance = item; unit extent = item;
        compartment V = 0.25; substanceOnly species A in V; A = 11; k = 0.1; two = 2;
        J: 2A -> ; {law};
    """
    with pytest.raises(sg.UnsupportedModelError, match="reversible_not_separable"):
        sg.simulate(sg.load(text), times=[1.0])


def test_other_values_are_judged_anew() -> None:
    net = sg.load(dimerization("k*A*(A - one)", 1.0))
    assert float(sg.simulate(net, times=[500.0], seed=1).values("A")[0, 0]) == 1.0
    with pytest.raises(sg.UnsupportedModelError, match="reversible_not_separable"):
        sg.simulate(net, {"one": 2.0}, times=[1.0])
    moved = sg.load(dimerization("k*V*A*(A - 1/V)", 2.0))
    ended = sg.simulate(moved, times=[500.0], seed=1, initial={"V": 3.0, "A": 4.0})
    # The law is written with the volume, so that it still ends with the last pair: of 12, none.
    assert float(ended.values("A", "counts")[0, 0]) == 0.0


def test_parameters_are_no_numbers_of_molecules() -> None:
    # k (k - 1) is negative for k = 0.5; a species beside it changes nothing.
    found = falling_factorials([Symbol("k"), subtract(Symbol("k"), Number(1.0))], {}, {"k": 0.5})
    assert not found.places


def test_powers_and_conserved_totals() -> None:
    counted = {"A": Molecules(1.0), "B": Molecules(1.0)}
    above = [power(A, Number(2.0)), subtract(A, Number(1.0))]
    assert falling_factorials(above, counted, {}).places == {0, 1}
    left = subtract(Number(100.0), A)
    pair = [left, subtract(subtract(Number(99.0), A), Number(0.0))]
    assert falling_factorials(pair, counted, {}).places == {0, 1}
    # Negative between: at A = 2.
    gap = [subtract(A, Number(1.0)), subtract(A, Number(3.0))]
    assert not falling_factorials(gap, counted, {}).places
    # Of opposite signs: A (1 - A) is never positive.
    assert not falling_factorials([A, subtract(Number(1.0), A)], counted, {}).places


@pytest.mark.parametrize("change", ["V' = 0.3*V;", "at time > 0.3: V = 3;"])
def test_a_volume_that_grows(change: str) -> None:
    text = dimerization("k*V*A*(A - 1/V)", 2.0)
    net = sg.load(text + change)
    assert [c.id for c in channels(net)[0]] == ["J"]
    assert sg.simulate(net, times=[2000.0], seed=1).values("A", "counts")[0, 0] == 1.0
    wrong = sg.load(text.replace("A - 1/V", "A - 1") + change)
    with pytest.raises(sg.UnsupportedModelError, match="reversible_not_separable"):
        sg.simulate(wrong, times=[1.0], seed=1)
