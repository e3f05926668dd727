"""Signs that change after loading: nothing fires on a net rate because a coefficient turned."""

from __future__ import annotations

import pytest

import sbmlgrad as sg
from sbmlgrad.model.channels import channels

HEAD = """
    unit substance = item; unit extent = item;
    compartment V = 1; species A in V, B in V; A = 20; B = 5;
"""


def load(text: str) -> sg.ReactionNetwork:
    return sg.load(HEAD + text)


def ids(net: sg.ReactionNetwork) -> list[str]:
    return [c.id for c in channels(net)[0]]


def codes(net: sg.ReactionNetwork) -> set[str]:
    return {issue.code for issue in channels(net)[1]}


@pytest.mark.parametrize(
    "text",
    [
        "a = 1; b = 0.5; J: A -> B; a*A + b*B; at time > 0.5: b = -1;",
        "a = 1; b = 0.5; c = 3; J: A -> B; a*A + b*B; at time > 0.5: b = c - b;",
        "x = 1; x' = -2; J: A -> B; A + x*B;",
        "x = -1; x' = 1; J: A -> B; A + x*B;",
        "J: A -> B; 0.3*B + sin(time)*A;",
        "J: A -> B; 0.1*(A - B)^3;",
        "J: A -> B; A*ln(1 + B - A);",
    ],
    ids=["event", "formula", "rate rule", "start", "time", "power", "function"],
)
def test_a_sum_with_a_coefficient_that_may_turn_is_a_net_rate(text: str) -> None:
    net = load(text)
    assert "reversible_not_separable" in codes(net)
    with pytest.raises(sg.UnsupportedModelError, match="reversible_not_separable"):
        sg.simulate(net, times=[1.0])


@pytest.mark.parametrize(
    "text",
    [
        "a = 1; b = 0.5; J: A -> B; a*A + b*A*B; at time > 0.5: b = 2;",
        "a = 1; b = 0.5; c = 3; J: A -> B; a*A + b*A*B; at time > 0.5: b = c - 2;",
        "x = 1; x' = -2*x; J: A -> B; A + x*A*B;",
        "x = 1; y = 0; x' = y - x; y' = x - y; J: A -> B; A + x*A*B;",
    ],
)
def test_a_coefficient_that_stays_non_negative_is_shown_to(text: str) -> None:
    net = load(text)
    assert ids(net) == ["J"]
    assert not codes(net)


@pytest.mark.parametrize(
    "text",
    [
        "b = 0.5; c = 3; J: A -> B; b*A; at time > 0.5: b = c - b;",
        "J: A -> B; (0.5 + sin(time))*A;",
        "J: A -> B; (0.5 - sin(time))*A;",
        "b = 0.5; c = 3; J: -> B; b; at time > 0.5: b = c - b;",
    ],
)
def test_a_mere_coefficient_is_warned_about(text: str) -> None:
    net = load(text)
    assert ids(net) == ["J"]
    assert codes(net) == {"sign_unknown"}


def test_a_negative_coefficient_stops_the_simulation() -> None:
    net = load("b = 0.5; c = 3; J: A -> B; b*A; at time > 0.5: b = c - 2;")
    sg.simulate(net, times=[1.0], seed=1)
    with pytest.raises(sg.SimulationError, match="negative propensity"):
        sg.simulate(net, {"c": 1.0}, times=[1.0], seed=1)


def test_an_unsigned_factor_of_a_difference_is_split_all_the_same() -> None:
    net = load("b = 0.5; c = 3; J: A -> B; b*(A - B); at time > 0.5: b = c - b;")
    assert ids(net) == ["J", "J_backward"]
    assert "sign_unknown" in codes(net)


def test_a_difference_hidden_in_an_initial_assignment_is_found_for_other_values() -> None:
    net = load("a = 1; p = 1; b = 2*p - 1; J: A -> B; a*A + b*B;")
    assert ids(net) == ["J"]
    turned = sg.simulate(net, {"p": 0.2}, times=[1.0], trajectories=2000, seed=1)
    # A -> B at rate 1, back at 0.6: binomial(25) in the limit, which a net rate would not give.
    plain = load("J: A -> B; A; K: B -> A; 0.6*B;")
    truth = sg.simulate(plain, times=[1.0], trajectories=2000, seed=2)
    ratio = float(turned.variance("B")[0] / truth.variance("B")[0])
    # Standard error of a ratio of two sample variances, near normal: sqrt(4 / n) = 0.045.
    assert abs(ratio - 1.0) < 4.5 * 0.045, ratio
    by_size = load("a = 1; b = 2*V - 1; J: A -> B; a*A + b*B;")
    again = sg.simulate(by_size, times=[1.0], trajectories=5, seed=1, initial={"V": 0.2})
    assert len(again.channels) == 2


def test_values_decide_where_signs_do_not() -> None:
    net = load("p = 2; b = 1; J: A -> B; (p - 1)*A + b*A*B;")
    assert ids(net) == ["J"]
    assert len(sg.simulate(net, {"p": 3.0}, times=[0.1], seed=1).channels) == 1
    with pytest.raises(sg.UnsupportedModelError, match="reversible_not_separable"):
        sg.simulate(net, {"p": 0.5}, times=[0.1], seed=1)


def test_a_fraction_that_is_zero_for_now_is_no_obstacle() -> None:
    net = load("z = 0; J: A -> B; 2*(1 - z)*A;")
    assert ids(net) == ["J"]
    sg.simulate(net, {"z": 0.5}, times=[0.1], seed=1)
    with pytest.raises(sg.UnsupportedModelError, match="reversible_not_separable"):
        sg.simulate(net, {"z": 2.0}, times=[0.1], seed=1)


def test_initial_sizes_reach_stoichiometries_made_of_them() -> None:
    net = load("n = 2*V; J: A -> n B; A;")
    ended = sg.simulate(net, times=[50.0], seed=1, initial={"V": 2.0, "A": 3.0, "B": 0.0})
    assert float(ended.values("B", "counts")[0, 0]) == 6 * 4


def test_values_of_the_same_structure_share_the_lowered_network() -> None:
    from sbmlgrad.codegen.lowering import lower
    from sbmlgrad.model.initial import initial_values

    net = load("k = 1; r = 2; J: A -> B; k*A - r*B;")
    own = lower(net)
    assert lower(net, initial_values(net, {"k": 5.0})) is own
    with pytest.raises(sg.UnsupportedModelError, match="reversible_not_separable"):
        lower(net, initial_values(net, {"k": -5.0}))


def test_a_tensor_of_another_structure_is_refused() -> None:
    tf = pytest.importorskip("tensorflow")
    net = load("k = 1; r = 2; J: A -> B; k*A + r*A*B;")
    with pytest.raises(sg.ParameterError, match="with_parameters"):
        sg.simulate(net, tf.constant([1.0, -0.1], dtype=tf.float64), times=[0.1], seed=1)


def test_a_loss_that_is_negative_throughout_is_no_birth() -> None:
    net = load("k = 1; J: A -> ; k*A;")
    with pytest.raises(sg.UnsupportedModelError, match="never positive"):
        sg.simulate(net, {"k": -1.0}, times=[1.0], seed=1)
