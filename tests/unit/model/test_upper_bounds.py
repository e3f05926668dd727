"""Laws that end at a total are no differences: the total is never exceeded."""

from __future__ import annotations

import math

import pytest

import sbmlgrad as sg
from sbmlgrad.model.channels import channels, judge
from sbmlgrad.model.initial import initial_values

HEAD = """
    unit substance = item; unit extent = item;
    compartment V = 1; substanceOnly species A in V, B in V; A = 3; B = 0; T = 20; k = 1; r = 0.5;
"""


def load(text: str) -> sg.ReactionNetwork:
    return sg.load(HEAD + text)


def ids(net: sg.ReactionNetwork) -> list[str]:
    return [c.id for c in channels(net)[0]]


@pytest.mark.parametrize(
    "text",
    [
        "J: -> A; k*(T - A);",
        "J: A -> 2A; k*A*(1 - A/T);",
        "J: A -> 2A; k*A*(T - A)/T; D: A -> ; r*A;",
        "J: -> A; k*(T - A)/(2 + T - A); D: A -> ; A/(1 + A);",
        "J: -> A; k*(T - A); K: -> A; r*(1 - A/T);",
        "J: -> 2A; k*(T - A)*(T - A - 1);",
    ],
)
def test_a_law_that_ends_at_a_total_is_one_channel(text: str) -> None:
    net = load(text)
    assert not any(name.endswith("_backward") for name in ids(net))
    assert not channels(net)[1]
    ended = sg.simulate(net, times=[30.0], trajectories=50, seed=2).values("A", "counts")
    assert ended.max() <= 20.0


def test_a_total_in_concentrations() -> None:
    net = sg.load(
        """
        unit substance = item; unit extent = item; unit volume = litre;
        compartment V = 0.25; species A in V; A = 0; T = 40; J: -> A; V*(T - A);
        """
    )
    assert ids(net) == ["J"]
    assert sg.simulate(net, times=[100.0], seed=1).values("A", "counts")[0, 0] == 10.0


@pytest.mark.parametrize(
    ("text", "initial"),
    [
        ("J: -> A; k*(T - A);", {"A": 25.0}),
        ("J: -> A; k*(T - A); K: -> A; r;", {}),
        ("J: -> A; k*(T - A); at time > 0.5: A = 30;", {}),
        ("T2 = 20.5; J: -> A; k*(T2 - A);", {}),
        ("J: -> 2A; k*(T - A);", {}),
    ],
    ids=["start", "another source", "event", "not whole", "two at a time"],
)
def test_a_total_that_may_be_exceeded_is_forward_minus_backward(
    text: str, initial: dict[str, float]
) -> None:
    net = load(text)
    values = initial_values(net, None, initial)
    assert "J_backward" in [c.id for c in judge(net, values).channels]


def test_the_noise_is_that_of_the_law() -> None:
    # Each of 17 missing molecules comes at rate k: binomial. Forward minus backward would give
    # T (1 - exp(-t)) beyond it: a variance three times as large at t = 1.
    n, trajectories = 17, 4000
    net = load("J: -> A; k*(T - A);")
    run = sg.simulate(net, times=[1.0], trajectories=trajectories, seed=5)
    p = 1.0 - math.exp(-1.0)
    sd = math.sqrt(n * p * (1.0 - p))
    z = float(run.mean("A")[0] - 3.0 - n * p) / sd * math.sqrt(trajectories)
    y = float(run.variance("A")[0] / sd**2 - 1.0) * math.sqrt(trajectories / 2.0)
    assert abs(z) < 4.5, z
    assert abs(y) < 4.5, y


def test_a_reaction_that_returns_what_is_missing() -> None:
    # A of T is on with probability r / (k + r): the backward rate is r (T - A), not r T.
    net = load("J: A -> ; k*A - r*(T - A);")
    assert ids(net) == ["J", "J_backward"]
    trajectories, p = 4000, 1.0 / 3.0
    run = sg.simulate(net, times=[20.0], trajectories=trajectories, seed=7)
    y = float(run.variance("A")[0] / (20 * p * (1 - p)) - 1.0) * math.sqrt(trajectories / 2.0)
    assert abs(y) < 4.5, y


def test_other_values_are_judged_anew() -> None:
    net = load("J: -> A; k*(T - A);")
    assert len(sg.simulate(net, times=[0.1], seed=1).channels) == 1
    assert len(sg.simulate(net, {"T": 20.5}, times=[0.1], seed=1).channels) == 2
    assert len(sg.simulate(net, times=[0.1], seed=1, initial={"A": 25.0}).channels) == 2


def test_a_species_given_by_a_rule_is_a_quantity() -> None:
    net = sg.load(
        """
        unit substance = item; unit extent = item;
        compartment V = 1; substanceOnly species A in V, B in V; A = 3; T = 20.5; B := T - A;
        J: -> A; 2*B; K: A -> ; 3*A*B - 2*B;
        """
    )
    found, issues = channels(net)
    assert [c.id for c in found] == ["J", "K", "K_backward"]
    assert {issue.code for issue in issues} == {"sign_unknown"}
