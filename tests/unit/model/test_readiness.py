"""What prevents a simulation from starting: counts, volumes and values, all at once."""

from __future__ import annotations

import math

import pytest
from sbml_text import assignment, compartment, model, parameter, reaction, species

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.model.initial import initial_counts, initial_values
from sbmlgrad.model.issues import Issue, Severity
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.readiness import start_issues


def found(net: ReactionNetwork, parameters=None, initial=None) -> list[tuple[str, str]]:
    values = initial_values(net, parameters, initial)
    counts = initial_counts(net, values, initial or {})
    issues = start_issues(net, lower(net).formulas, values, counts)
    assert all(isinstance(i, Issue) and i.blocks == {"ssa"} for i in issues)
    assert all(i.severity is Severity.ERROR and i.advice for i in issues)
    return [(i.code, i.element) for i in issues]


def network(law: str = "k*X", **parts) -> ReactionNetwork:
    given = {"species": [species("X")], "parameters": [parameter("k")], **parts}
    return sg.load(model(reaction("J", law, "X"), **given))


def test_a_model_with_everything_is_ready() -> None:
    assert found(network()) == []


# --- counts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (None, "initial_value_missing"),
        ("NaN", "initial_value_missing"),
        ("INF", "initial_value_missing"),
        (-1, "negative_initial_count"),
        (-0.5, "negative_initial_count"),
        (2.5, "non_integer_initial_count"),
        (1e-9, "non_integer_initial_count"),
        (1e16, "count_too_large"),
    ],
)
def test_counts_that_cannot_be(amount: object, code: str) -> None:
    net = network(species=[species("X", amount)])  # pyright: ignore[reportArgumentType]
    assert found(net) == [(code, "X")]
    assert found(net, initial={"X": 3.0}) == []
    with pytest.raises(sg.UnsupportedModelError, match=code):
        sg.simulate(net, times=[0], seed=1)


def test_the_largest_count_is_accepted() -> None:
    assert found(network(species=[species("X", 2**53)])) == []
    assert found(network(species=[species("X", 2**53 + 2)])) == [("count_too_large", "X")]


@pytest.mark.parametrize("option", ["round", "randomised"])
def test_options_help_with_fractions_only(option: str) -> None:
    for amount, expected in ((2.5, []), (-1, [("negative_initial_count", "X")])):
        text = model(
            reaction("J", "k*X", "X"), species=[species("X", amount)], parameters=[parameter("k")]
        )
        assert found(sg.load(text, initial=option)) == expected


def test_a_size_does_not_help_where_there_is_no_amount() -> None:
    net = network(
        species=[
            species("X", None),
            species("Y", 3),
            species("Z", 5, hasOnlySubstanceUnits="false"),
        ],
        compartments=[compartment(size=None)],
        parameters=[parameter("k"), parameter("unset", None)],
        assignments=[assignment("Y", "unset"), assignment("Z", "4")],
    )
    assert found(net) == [
        ("initial_value_missing", "X"),
        ("initial_value_missing", "Y"),
        ("volume_undefined", "Z"),
    ]


def test_species_that_do_not_change_need_no_whole_count() -> None:
    net = network("k*X*F", species=[species("X"), species("F", 2.5, boundaryCondition="true")])
    assert found(net) == []
    net = network("k*X", species=[species("X"), species("F", None, boundaryCondition="true")])
    assert found(net) == []
    net = network("k*X*F", species=[species("X"), species("F", None, boundaryCondition="true")])
    assert found(net) == [("initial_value_missing", "F")]
    assert found(net, initial={"F": 0.5}) == []


# --- volumes --------------------------------------------------------------------------------------

UNSET = [compartment(size=None)]


def test_an_unset_size_is_harmless_with_amounts() -> None:
    assert found(network(compartments=UNSET)) == []
    assert (
        found(
            network("k", species=[species("X", hasOnlySubstanceUnits="false")], compartments=UNSET)
        )
        == []
    )


@pytest.mark.parametrize(
    ("law", "attributes", "expected"),
    [
        ("cell*k", {}, [("volume_undefined", "cell")]),
        ("k*X", {"hasOnlySubstanceUnits": "false"}, [("volume_undefined", "cell")]),
        (
            "k*X",
            {"initialAmount": None, "initialConcentration": 2},
            [("volume_undefined", "X")],
        ),
        (
            "k*X",
            {"initialAmount": None, "initialConcentration": 2, "hasOnlySubstanceUnits": "false"},
            [("volume_undefined", "X"), ("volume_undefined", "cell")],
        ),
    ],
)
def test_an_unset_size_is_refused_where_it_is_needed(law, attributes, expected) -> None:
    net = network(law, species=[species("X", **attributes)], compartments=UNSET)
    assert found(net) == expected
    assert found(net, initial={"cell": 2.0}) == []
    with pytest.raises(sg.UnsupportedModelError, match="volume_undefined") as caught:
        sg.simulate(net, times=[0], seed=1)
    assert "initial={'cell': size}" in str(caught.value)
    assert sg.simulate(net, times=[0], seed=1, initial={"cell": 2.0}).counts.size == 1


# --- values ---------------------------------------------------------------------------------------


def test_a_parameter_without_value_is_refused_when_it_is_used() -> None:
    net = network("k*X", parameters=[parameter("k"), parameter("spare", None)])
    assert found(net) == []
    assert math.isnan(net.parameter_values[1])
    net = network("k*X*spare", parameters=[parameter("k"), parameter("spare", None)])
    assert found(net) == [("parameter_value_missing", "spare")]
    assert found(net, {"spare": 2.0}) == []
    with pytest.raises(sg.UnsupportedModelError, match=r"spare.*parameters=\{'spare': value\}"):
        sg.simulate(net, times=[0], seed=1)
    assert sg.simulate(net, parameters={"spare": 2}, times=[0], seed=1).counts.size == 1
    with pytest.raises(sg.UnsupportedModelError, match="'spare'"):
        sg.simulate(net, parameters=[1.0, math.nan], times=[0], seed=1)


def test_a_local_parameter_without_value() -> None:
    net = sg.load(model(reaction("J", "k*X", "X", local={"k": None}), species=[species("X")]))
    assert found(net) == [("parameter_value_missing", "J.k")]
    assert found(net, {"J.k": 1.0}) == []


def test_a_missing_value_behind_an_assignment() -> None:
    net = network(
        "b*X",
        parameters=[parameter("a", None), parameter("b", 1)],
        assignments=[assignment("b", "2*a")],
    )
    assert found(net) == [("parameter_value_missing", "b")]
    assert found(net, {"a": 2.0}) == []
    assert found(net, {"b": 2.0}) == []


def test_an_assignment_that_gives_no_number() -> None:
    net = network(
        parameters=[parameter("k"), parameter("z", 0)], assignments=[assignment("k", "1/z")]
    )
    assert found(net) == [("parameter_value_missing", "k")]
    assert found(net, {"z": 2.0}) == []


def test_everything_is_found_at_once() -> None:
    net = sg.load(
        model(
            reaction("J0", "k*X*cell", "X"),
            reaction("J1", "m*Y", "Y"),
            compartments=UNSET,
            species=[species("X", 1.5), species("Y", -1), species("Z", None)],
            parameters=[parameter("k", None), parameter("m", None)],
        )
    )
    expected = {
        ("non_integer_initial_count", "X"),
        ("negative_initial_count", "Y"),
        ("initial_value_missing", "Z"),
        ("parameter_value_missing", "k"),
        ("parameter_value_missing", "m"),
        ("volume_undefined", "cell"),
    }
    assert set(found(net)) == expected
    with pytest.raises(sg.UnsupportedModelError) as caught:
        sg.simulate(net, times=[0], seed=1)
    assert {(i.code, i.element) for i in caught.value.issues} == expected


def test_values_of_one_call_do_not_stay() -> None:
    net = network("k*X*a", parameters=[parameter("k"), parameter("a", None)])
    sg.simulate(net, parameters={"a": 1}, times=[0], seed=1)
    assert found(net) == [("parameter_value_missing", "a")]
