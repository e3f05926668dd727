"""The combinatorial form of mass action, on request only."""

from __future__ import annotations

import math

import pytest
from laws import codes, network, rate
from sbml_text import line_of, model, parameter, reaction, species

import sbmlgrad as sg
from sbmlgrad.model.channels import channels
from sbmlgrad.model.issues import Severity


def falling(x: float, n: int) -> float:
    return math.prod(x - i for i in range(n)) / math.factorial(n)


@pytest.mark.parametrize(
    ("arrow", "law", "n"),
    [
        ("2 A => B", "k1*A*A", 2),
        ("2 A => B", "A*k1*A", 2),
        ("2 A => B", "k1*A^2", 2),
        ("2 A => B", "k1*A^2/Keq*Keq", 2),
        ("2 A => B", "cell*k1*A*A/cell", 2),
        ("3 A => B", "k1*A^3", 3),
        ("3 A => B", "k1*A*A*A", 3),
        ("3 A => B", "k1*A*A^2", 3),
        ("2 A => 3 A", "k1*A^2", 2),
    ],
)
def test_powers_become_numbers_of_distinct_sets(arrow: str, law: str, n: int) -> None:
    net = network(f"J: {arrow}; {law}", mass_action="combinatorial")
    assert codes(net) == []
    for x in range(12):
        assert rate(net, 0, A=x) == pytest.approx(2 * falling(x, n), rel=1e-14)
    for x in range(n):
        assert rate(net, 0, A=x) == 0.0


def test_two_species_at_once() -> None:
    net = network("J: 2 A + 2 B => C; k1*A*A*B^2", mass_action="combinatorial")
    assert rate(net, 0, A=5, B=4) == pytest.approx(2 * 10 * 6)


@pytest.mark.parametrize(
    ("arrow", "law"),
    [
        ("A + B => C", "k1*A*B"),
        ("2 A => B", "k1*A*(A - 1)"),
        ("2 A => B", "k1*A*(A - 1)/2"),
        ("2 A => B", "k1*A"),
        ("2 A => B", "k1*A*A*A"),
        ("2 A => B", "k1*A^Ks"),
        ("A => B", "k1*A*A"),
        ("2 A => B", "k1*(A + B)*A"),
        ("A + B => C", "k1*A*B*B"),
    ],
)
def test_other_laws_are_untouched(arrow: str, law: str) -> None:
    plain = network(f"J: {arrow}; {law}")
    asked = network(f"J: {arrow}; {law}", mass_action="combinatorial")
    assert channels(plain)[0] == channels(asked)[0]
    assert "combinatorial_form" not in codes(plain)


def test_both_directions_of_a_reversible_reaction_are_read_so() -> None:
    net = network("J: 2 A -> 2 B; cell*(k1*A*A - k2*B^2/Keq)", mass_action="combinatorial")
    assert rate(net, 0, A=7) == pytest.approx(2 * 21)
    assert rate(net, 1, B=5) == pytest.approx(3 * 10 / 5)
    assert rate(net, 1, B=1) == 0.0
    plain = network("J: 2 A -> 2 B; cell*(k1*A*A - k2*B^2/Keq)")
    assert rate(plain, 0, A=7) == pytest.approx(2 * 49)
    assert codes(plain) == ["combinatorial_form", "combinatorial_form"]


@pytest.mark.parametrize("volume", [1.0, 4.0, 0.3])
def test_concentrations_are_counted_in_molecules(volume: float) -> None:
    text = f"""
        unit substance = item; unit extent = item; compartment cell = {volume};
        species A in cell, B in cell; A = {12 / volume}; B = 0; k = 2;
        J: 2 A => B; cell*k*A*A;
    """
    plain, asked = sg.load(text), sg.load(text, mass_action="combinatorial")
    for x in (0, 1, 2, 3, 12, 1001):
        assert rate(plain, 0, A=x) == pytest.approx(2 * x * x / volume, rel=1e-14)
        assert rate(asked, 0, A=x) == pytest.approx(2 * falling(x, 2) / volume, rel=1e-14)
    assert rate(asked, 0, A=1) == 0.0


def test_the_combinatorial_form_in_moles() -> None:
    text = model(
        reaction("J", "k*A*A", "2 A", "B"),
        species=[species("A", 5e-24), species("B", 0)],
        parameters=[parameter("k", 1e20)],
        attributes='substanceUnits="mole" extentUnits="mole"',
    )
    net = sg.load(text, mass_action="combinatorial", initial="round")
    molecules = 6.02214076e23
    for x in (0, 1, 2, 5):
        assert rate(net, 0, A=x) == pytest.approx(1e20 * falling(x, 2) / molecules, rel=1e-12)
    assert rate(net, 0, A=1) == 0.0


def test_a_boundary_species_is_counted_too() -> None:
    text = model(
        reaction("J", "k*F*F", "2 F", "B"),
        species=[species("F", 5, boundaryCondition="true"), species("B", 0)],
        parameters=[parameter("k", 2)],
    )
    assert rate(sg.load(text, mass_action="combinatorial"), 0) == pytest.approx(2 * 10)


def test_the_warning_names_reaction_line_and_option() -> None:
    text = model(
        reaction("dimerise", "k*A*A", "2 A", "B"),
        species=[species("A"), species("B")],
        parameters=[parameter("k")],
    )
    (issue,) = [i for i in sg.check(text) if i.code == "combinatorial_form"]
    assert (issue.element, issue.severity) == ("dimerise", Severity.WARNING)
    assert issue.line == line_of(text, '<reaction id="dimerise"')
    assert not issue.blocks
    assert 'mass_action="combinatorial"' in issue.advice
    assert issue in sg.load(text).issues
    asked = sg.load(text, mass_action="combinatorial")
    assert "combinatorial_form" not in [i.code for i in asked.issues]


def test_an_odd_molecule_cannot_dimerise() -> None:
    asked = network("J: 2 A => B; k1*A*A", mass_action="combinatorial")
    run = sg.simulate(asked, times=[100], trajectories=20, seed=4)
    assert (run.values("A")[:, -1] == 1).all()
    with pytest.raises(sg.SimulationError, match="'J'"):
        sg.simulate(network("J: 2 A => B; k1*A*A"), times=[100], trajectories=20, seed=4)
