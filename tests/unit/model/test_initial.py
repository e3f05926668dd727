"""Values at time 0: attributes, initial assignments in any order, and what a user gives."""

from __future__ import annotations

import math
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sbml_text import assignment, compartment, line_of, model, parameter, reaction, species

import sbmlgrad as sg
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.elements import Compartment, Parameter, Species
from sbmlgrad.model.expression import Number, Symbol, add, divide, multiply
from sbmlgrad.model.graphs import in_order, on_cycles
from sbmlgrad.model.initial import (
    check_initial_names,
    cyclic_assignments,
    initial_counts,
    initial_values,
    start_expression,
)
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate

DECAY = reaction("J", "k*X", "X")


def network(**parts) -> ReactionNetwork:
    given = {"species": [species("X")], "parameters": [parameter("k")], **parts}
    return sg.load(model(DECAY, **given))


def counts(net: ReactionNetwork, parameters=None, initial=None) -> dict[str, float]:
    values = initial_values(net, parameters, initial)
    found = initial_counts(net, values, initial or {})
    return dict(zip(net.species_ids, found.tolist(), strict=True))


# --- initial assignments --------------------------------------------------------------------------


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


# --- species attributes ---------------------------------------------------------------------------


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


# --- start expressions, which gradients are taken of ----------------------------------------------


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


# --- what a user gives ----------------------------------------------------------------------------


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


# --- counts that are not whole --------------------------------------------------------------------


def starts(net: ReactionNetwork, trajectories: int, seed: int = 3) -> np.ndarray:
    return sg.simulate(net, times=[0], trajectories=trajectories, seed=seed).counts[:, 0, :]


def test_a_fraction_of_a_molecule_is_refused_unless_asked_for() -> None:
    text = model(DECAY, species=[species("X", 10.5)], parameters=[parameter("k", 0)])
    with pytest.raises(sg.UnsupportedModelError, match="non_integer_initial_count"):
        sg.simulate(sg.load(text), times=[0], seed=1)
    assert (starts(sg.load(text, initial="round"), 50) == 10).all()
    found = starts(sg.load(text, initial="randomised"), 200)
    assert set(found.ravel().tolist()) == {10, 11}


def test_products_that_are_whole_up_to_rounding_are_whole() -> None:
    for formula, expected in (("0.1*30", 3), ("0.7*10", 7), ("1.1*1.1*100", 121)):
        text = model(
            DECAY,
            species=[species("X", None)],
            parameters=[parameter("k", 0)],
            assignments=[assignment("X", formula)],
        )
        assert starts(sg.load(text), 1).ravel().tolist() == [expected]


@pytest.mark.parametrize("amount", [10.3, 0.02, 7.999])
def test_randomised_starts_have_the_right_mean(amount: float) -> None:
    text = model(
        DECAY,
        species=[species("Y", 3), species("X", amount)],
        parameters=[parameter("k", 0)],
    )
    n = 40_000
    found = starts(sg.load(text, initial="randomised"), n)
    assert (found[:, 0] == 3).all()
    x = found[:, 1].astype(float)
    assert set(x) <= {math.floor(amount), math.floor(amount) + 1}
    fraction = amount - math.floor(amount)
    error = math.sqrt(fraction * (1 - fraction) / n)
    assert abs(x.mean() - amount) < 4 * error


def test_randomised_starts_of_two_species_are_independent() -> None:
    text = model(
        DECAY,
        species=[species("X", 0.5), species("Y", 0.5)],
        parameters=[parameter("k", 0)],
    )
    n = 40_000
    found = starts(sg.load(text, initial="randomised"), n).astype(float)
    assert abs(np.corrcoef(found.T)[0, 1]) < 4 / math.sqrt(n)


def test_randomised_starts_belong_to_the_trajectory_and_not_to_the_batch() -> None:
    text = model(DECAY, species=[species("X", 0.5)], parameters=[parameter("k", 0)])
    net = sg.load(text, initial="randomised")
    whole = sg.simulate(net, times=[0], trajectories=100, seed=9).counts
    rest = sg.simulate(net, times=[0], trajectories=40, seed=9, first_trajectory=60).counts
    assert (whole[60:] == rest).all()
