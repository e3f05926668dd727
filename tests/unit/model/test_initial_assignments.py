"""Initial assignments as one ordered graph."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sbml_text import assignment, compartment, line_of, model, parameter, species
from starts import DECAY, counts, network

import sbmlgrad as sg
from sbmlgrad.model.elements import Parameter
from sbmlgrad.model.expression import Number, Symbol, add
from sbmlgrad.model.graphs import in_order, on_cycles
from sbmlgrad.model.initial import (
    cyclic_assignments,
    initial_values,
)
from sbmlgrad.model.network import ReactionNetwork


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_assignments_are_solved_in_any_order(order: tuple[int, ...]) -> None:
    every = [
        assignment("a", "2"),
        assignment("b", "a + 1"),
        assignment("cell", "b*2"),
        assignment("X", "cell + a + b"),
    ]
    net = network(
        parameters=[parameter("k"), parameter("a", None), parameter("b", 99)],
        assignments=[every[i] for i in order],
    )
    values = initial_values(net)
    assert (values["a"], values["b"], values["cell"], values["X"]) == (2, 3, 6, 11)
    assert net.parameter_values.tolist() == [1, 2, 3]
    assert counts(net) == {"X": 11}


def test_a_chain_of_thousands_is_no_matter() -> None:
    n = 3000
    names = [f"p{i}" for i in range(n)]
    net = ReactionNetwork(
        "chain",
        parameters=tuple(Parameter(p, 1.0) for p in names),
        initial_assignments={f"p{i}": add(Symbol(f"p{i + 1}"), Number(1.0)) for i in range(n - 1)},
    )
    assert initial_values(net)["p0"] == n
    assert cyclic_assignments(net) == ()


def test_assigned_amount_and_assigned_concentration() -> None:
    net = network(
        compartments=[compartment(size=4.0)],
        species=[
            species("X"),
            species("Y", None, hasOnlySubstanceUnits="false"),
            species("Z", 7, hasOnlySubstanceUnits="false"),
        ],
        assignments=[assignment("X", "3"), assignment("Y", "5"), assignment("Z", "2*Y")],
    )
    values = initial_values(net)
    assert (values["X"], values["Y"], values["Z"]) == (3, 5, 10)
    assert counts(net) == {"X": 3, "Y": 20, "Z": 40}


def test_an_assigned_compartment_size() -> None:
    net = network(
        compartments=[compartment(size=1.0)],
        species=[
            species("X"),
            species("Y", None, initialConcentration=3, hasOnlySubstanceUnits="false"),
            species("Z", 6, hasOnlySubstanceUnits="false"),
        ],
        parameters=[parameter("k"), parameter("V", 2)],
        assignments=[assignment("cell", "V")],
    )
    values = initial_values(net)
    assert (values["cell"], values["Y"], values["Z"]) == (2, 3, 3)
    assert counts(net) == {"X": 10, "Y": 6, "Z": 6}
    assert counts(net, {"V": 3.0}) == {"X": 10, "Y": 9, "Z": 6}
    assert initial_values(net, {"V": 3.0})["Z"] == 2


@pytest.mark.parametrize(
    ("assignments", "cyclic"),
    [
        ([("a", "a + 1")], {"a"}),
        ([("a", "b"), ("b", "a")], {"a", "b"}),
        ([("a", "b"), ("b", "c"), ("c", "a"), ("X", "a")], {"a", "b", "c"}),
        # A concentration hangs on the size of its compartment, an amount does not.
        ([("cell", "2*Y")], {"cell"}),
        ([("cell", "2*X")], set()),
        ([("Y", "cell"), ("cell", "2*Y")], {"Y", "cell"}),
        ([("Y", "3"), ("cell", "2*Y")], set()),
    ],
)
def test_cycles_are_refused_by_name(assignments, cyclic: set[str]) -> None:
    text = model(
        DECAY,
        species=[species("X"), species("Y", 5, hasOnlySubstanceUnits="false")],
        parameters=[parameter("k"), *(parameter(p) for p in "abc")],
        assignments=[assignment(symbol, formula) for symbol, formula in assignments],
    )
    issues = [i for i in sg.check(text) if i.code == "cyclic_assignment"]
    assert {i.element for i in issues} == cyclic
    for issue in issues:
        assert issue.line == line_of(text, f'<initialAssignment symbol="{issue.element}"')
        assert issue.blocks == {"ssa", "ode"}
    if cyclic:
        with pytest.raises(sg.UnsupportedModelError, match="cyclic_assignment"):
            sg.load(text)
    else:
        sg.load(text)


def test_a_cycle_made_by_hand_is_an_error_and_no_hang() -> None:
    net = ReactionNetwork(
        "m",
        parameters=(Parameter("a"), Parameter("b")),
        initial_assignments={"a": Symbol("b"), "b": Symbol("a")},
    )
    with pytest.raises(sg.ParameterError, match="'a', 'b'"):
        initial_values(net)
    assert initial_values(net, {"a": 3.0}) == {"a": 3.0, "b": 3.0}


def test_an_explicit_value_wins_and_the_others_follow() -> None:
    net = network(
        parameters=[parameter("k"), parameter("a", 1), parameter("b", None)],
        assignments=[assignment("b", "2*a"), assignment("X", "b + 3")],
    )
    assert net.parameter_values.tolist() == [1, 1, 2]
    assert counts(net) == {"X": 5}
    assert counts(net, {"a": 10.0}) == {"X": 23}
    assert counts(net, {"b": 10.0}) == {"X": 13}
    changed = net.with_parameters({"b": 10})
    assert changed.parameter_values.tolist() == [1, 1, 10]
    assert counts(changed, {"a": 7.0}) == {"X": 13}
    # A parameter without an initial assignment is set the same way, and the rest is re-evaluated.
    assert net.with_parameters({"a": 4}).parameter_values.tolist() == [1, 4, 8]


def test_simulate_evaluates_the_assignments_for_the_parameters_given() -> None:
    net = network(
        parameters=[parameter("k", 0), parameter("a", 1), parameter("b", None)],
        assignments=[assignment("b", "2*a"), assignment("X", "b + 3")],
    )

    def start(model_: ReactionNetwork, **options) -> int:
        run = sg.simulate(model_, times=[0], seed=1, **options)
        assert run.values("b")[0, 0] == run.values("X")[0, 0] - 3
        return int(run.counts[0, 0, 0])

    assert start(net) == 5
    assert start(net, parameters={"a": 10}) == 23
    assert start(net, parameters={"b": 10}) == 13
    assert start(net, parameters=[0, 1, 10]) == 13
    assert start(net.with_parameters({"a": 10})) == 23
    assert start(net.with_parameters({"b": 10}), parameters={"a": 7}) == 13
    run = sg.simulate(net, times=[0], seed=1, initial={"X": 42})
    assert run.counts.ravel().tolist() == [42]


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(6)), st.integers(0, 5))
def test_random_orders_give_the_same_values(order: list[int], root: int) -> None:
    # Each symbol is assigned from others that come before it in `order`.
    rng = np.random.default_rng(root)
    truth: dict[str, float] = {}
    formulas = {}
    for i in range(6):
        needed = [f"p{j}" for j in range(i) if rng.random() < 0.5]
        formulas[f"p{i}"] = add(Number(float(i + 1)), *(Symbol(s) for s in needed))
        truth[f"p{i}"] = i + 1 + sum(truth[s] for s in needed)
    shuffled = {f"p{i}": formulas[f"p{i}"] for i in order}
    net = ReactionNetwork(
        "m",
        parameters=tuple(Parameter(f"p{i}") for i in order),
        initial_assignments=MappingProxyType(shuffled),
    )
    assert initial_values(net) == truth


def test_orders_and_cycles_of_graphs() -> None:
    needs = {"a": {"b"}, "b": {"c"}, "c": set(), "d": {"e"}, "e": {"d"}, "f": {"d"}, "g": {"zz"}}
    order = in_order(needs)
    assert set(order) == {"a", "b", "c", "g"}
    assert order.index("c") < order.index("b") < order.index("a")
    assert on_cycles(needs) == {"d", "e"}
    assert on_cycles({"a": {"a"}, "b": {"a"}}) == {"a"}
    assert on_cycles({}) == frozenset()
