"""Laws that are no differences, but never negative either, because a total is never exceeded."""

from __future__ import annotations

import pytest

import sbmlgrad as sg
from sbmlgrad.model.channels import channels, judge
from sbmlgrad.model.initial import initial_values

HEAD = """
    unit substance = item; unit extent = item;
    compartment V = 1; substanceOnly species A in V, B in V; A = 3; B = 0; T = 20; k = 1; r = 0.5;
"""
#: Activation by Michaelis-Menten kinetics of what is left of a total: no difference of two rates.
LEFT = "k*(T - A)/(2 + T - A)"


def load(text: str) -> sg.ReactionNetwork:
    return sg.load(HEAD + text)


def ids(net: sg.ReactionNetwork) -> list[str]:
    return [c.id for c in channels(net)[0]]


@pytest.mark.parametrize(
    "text",
    [
        f"J: -> A; {LEFT};",
        f"J: -> A; {LEFT}; D: A -> ; A/(1 + A);",
        f"J: -> A; {LEFT}; K: B -> B + A; B*(T - A)*{LEFT};",
    ],
)
def test_a_law_that_ends_at_a_total_is_one_channel(text: str) -> None:
    net = load(text)
    assert not any(name.endswith("_backward") for name in ids(net))
    assert not channels(net)[1]
    ended = sg.simulate(net, times=[300.0], trajectories=50, seed=2).values("A", "counts")
    assert ended.max() <= 20.0


def test_a_total_in_concentrations() -> None:
    net = sg.load(
        """
        unit substance = item; unit extent = item; unit volume = litre;
        compartment V = 0.25; species A in V; A = 0; T = 40;
        J: -> A; V*(T - A)/(1 + T - A);
        """
    )
    assert ids(net) == ["J"]
    assert sg.simulate(net, times=[1000.0], seed=1).values("A", "counts")[0, 0] == 10.0


@pytest.mark.parametrize(
    ("text", "initial"),
    [
        (f"J: -> A; {LEFT};", {"A": 25.0}),
        (f"J: -> A; {LEFT}; K: -> A; r;", {}),
        # A source that is silent for small numbers of B.
        (f"B = 80; J: -> A; {LEFT}; K: -> A; max(0, B - 60);", {}),
        (f"J: -> A; {LEFT}; at time > 0.5: A = 30;", {}),
        ("T2 = 20.5; J: -> A; k*(T2 - A)/(2 + T2 - A);", {}),
        (f"J: -> 2A; {LEFT};", {}),
    ],
    ids=["start", "source", "late source", "event", "not whole", "two at a time"],
)
def test_a_total_that_may_be_exceeded_is_no_bound(text: str, initial: dict[str, float]) -> None:
    net = load(text)
    codes = {issue.code for issue in judge(net, initial_values(net, None, initial)).issues}
    assert "reversible_not_separable" in codes


@pytest.mark.parametrize(
    "text",
    [
        "J: -> A; k*(T - A);",
        "c = 10; d = 0.1; J: -> A; c - d*A;",
        "J: A -> 2A; k*A*(1 - A/T);",
        "species $S in V; S = 100; J: $S -> A; k*(S - A);",
        "species $S in V; S = 100; J: $S -> A; k*(S - A)/(2 + S + A);",
    ],
)
def test_a_difference_of_two_rates_is_split_whatever_its_numbers(text: str) -> None:
    net = load(text)
    assert ids(net) == ["J", "J_backward"]


def test_results_do_not_depend_on_what_was_simulated_before() -> None:
    fresh, used = load(f"J: -> A; {LEFT};"), load(f"J: -> A; {LEFT};")
    with pytest.raises(sg.UnsupportedModelError, match="reversible_not_separable"):
        sg.simulate(used, {"T": 20.5}, times=[1.0], seed=1)
    with pytest.raises(sg.UnsupportedModelError, match="reversible_not_separable"):
        sg.simulate(used, times=[1.0], seed=1, initial={"A": 50.0})
    for given in ({"T": 30.0}, {}, {"k": 2.0}):
        first, second = (
            sg.simulate(net, given, times=[5.0], trajectories=20, seed=1) for net in (fresh, used)
        )
        assert (first.counts == second.counts).all()


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
