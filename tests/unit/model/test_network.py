"""The frozen network: ids in order, values, equality, and the same model in several levels."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from sbml_text import (
    assignment,
    at_level,
    compartment,
    function,
    model,
    parameter,
    reaction,
    species,
)

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.model.channels import channels
from sbmlgrad.model.elements import Compartment, Parameter, Reaction, Species
from sbmlgrad.model.expression import Symbol, multiply, symbols
from sbmlgrad.model.issues import Issue, Severity
from sbmlgrad.model.network import ReactionNetwork, check_parameter_names
from sbmlgrad.model.provenance import Provenance

UNITS = (
    '<unitDefinition id="substance"><listOfUnits>'
    '<unit kind="item" exponent="1" scale="0" multiplier="1"/></listOfUnits></unitDefinition>'
)


def document() -> str:
    """A model with everything that is accepted, in level 3 version 1."""
    return model(
        reaction("bind", "cell*(k*A*B - kr*C/K)", "A B", "C", reversible=True, modifiers="E"),
        reaction("decay", "k*rate(C, half)", "2 C", "A", local={"k": 0.25, "other": 4}),
        reaction("make", "k*F", "", "B"),
        functions=[function("rate", "x n", "x/(1 + x)^n")],
        units=[UNITS],
        compartments=[compartment("cell", 2.0), compartment("cap", None)],
        species=[
            species("A", 10, hasOnlySubstanceUnits="false", substanceUnits="item"),
            species("F", 3, boundaryCondition="true", substanceUnits="item"),
            species("B", 8, substanceUnits="item"),
            species("C", None, initialConcentration=2, substanceUnits="item"),
            species("E", 1, constant="true", substanceUnits="item", boundaryCondition="true"),
        ],
        parameters=[
            parameter("k", 0.5),
            parameter("kr", None),
            parameter("K", 2),
            parameter("half", 0.5),
            parameter("unset", None),
        ],
        assignments=[assignment("kr", "2*k"), assignment("B", "4*K")],
        attributes='substanceUnits="item" extentUnits="substance" timeUnits="second"',
    )


@pytest.fixture(scope="module")
def net() -> ReactionNetwork:
    return sg.load(document())


# --- what the contract names ----------------------------------------------------------------------


def test_species_ids_are_those_that_can_change(net: ReactionNetwork) -> None:
    assert net.species_ids == ("A", "B", "C")
    assert [s.id for s in net.species] == ["A", "F", "B", "C", "E"]


def test_parameters_are_global_ones_then_local_ones(net: ReactionNetwork) -> None:
    assert net.parameter_ids == ("k", "kr", "K", "half", "unset", "decay.k", "decay.other")
    values = net.parameter_values
    assert values.dtype == np.float64
    assert values[:-3].tolist() == [0.5, 1.0, 2.0, 0.5]
    assert math.isnan(values[4])
    assert values[5:].tolist() == [0.25, 4.0]
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 1.0


def test_a_local_parameter_shadows_a_global_one(net: ReactionNetwork) -> None:
    laws = {r.id: symbols(r.rate_law) for r in net.reactions}
    assert laws["decay"] == {"decay.k", "C", "half"}
    assert laws["bind"] == {"cell", "k", "A", "B", "kr", "C", "K"}
    changed = net.with_parameters({"decay.k": 3.0})
    values = dict(zip(changed.parameter_ids, changed.parameter_values, strict=True))
    assert (values["k"], values["kr"], values["decay.k"]) == (0.5, 1.0, 3.0)


def test_by_id_knows_every_element(net: ReactionNetwork) -> None:
    assert isinstance(net.by_id["cap"], Compartment)
    assert isinstance(net.by_id["F"], Species)
    assert isinstance(net.by_id["decay.k"], Parameter)
    assert isinstance(net.by_id["make"], Reaction)
    assert len(net.by_id) == 2 + 5 + 7 + 3


def test_two_locals_of_one_name_are_two_parameters() -> None:
    net = sg.load(
        model(
            reaction("J0", "k*A", "A", local={"k": 1}),
            reaction("J1", "k*A", "A", local={"k": 2}),
            species=[species("A")],
        )
    )
    assert net.parameter_ids == ("J0.k", "J1.k")
    assert net.parameter_values.tolist() == [1.0, 2.0]


def test_a_local_parameter_may_shadow_a_species_or_a_compartment() -> None:
    net = sg.load(
        model(
            reaction("J", "A*cell*B", "B", local={"A": 3, "cell": 2}),
            species=[species("A"), species("B")],
        )
    )
    assert symbols(net.reactions[0].rate_law) == {"J.A", "J.cell", "B"}


# --- with_parameters ------------------------------------------------------------------------------


def test_with_parameters_returns_a_new_network(net: ReactionNetwork) -> None:
    before = net.parameter_values.copy()
    changed = net.with_parameters({"k": 7, "K": np.float32(3)})
    assert changed is not net
    assert changed != net
    np.testing.assert_array_equal(net.parameter_values, before)
    assert changed.parameter_values[:4].tolist() == [7.0, 14.0, 3.0, 0.5]
    assert changed.with_parameters({"kr": 5}).parameter_values[:3].tolist() == [7.0, 5.0, 3.0]
    assert net.with_parameters({}) == net


def test_with_parameters_keeps_what_it_does_not_touch(net: ReactionNetwork) -> None:
    changed = net.with_parameters({"k": 7})
    assert changed.source == net.source
    assert changed.reactions is net.reactions
    assert changed.issues == net.issues


def test_with_parameters_refuses_by_name(net: ReactionNetwork) -> None:
    with pytest.raises(sg.ParameterError, match=r"'zz', 'A'.*k, kr, K") as caught:
        net.with_parameters({"zz": 1, "k": 2, "A": 3})
    assert "'k'," not in str(caught.value).split(";")[0]
    for bad in (math.nan, math.inf, -math.inf):
        with pytest.raises(sg.ParameterError, match="'k'"):
            net.with_parameters({"k": bad})
    for text in ("fast", None, [1, 2]):
        with pytest.raises(sg.SbmlGradError, match="'k'"):
            net.with_parameters({"k": text})  # pyright: ignore[reportArgumentType]
    with pytest.raises(sg.ParameterError, match="cap"):
        net.with_parameters({"cap": 1})
    with pytest.raises(sg.SbmlGradError):
        net.with_parameters(["k"])  # pyright: ignore[reportArgumentType]


def test_names_are_checked_all_at_once(net: ReactionNetwork) -> None:
    check_parameter_names(net, ["k", "decay.k"])
    with pytest.raises(sg.ParameterError, match="'x', 'y'"):
        check_parameter_names(net, ["x", "k", "y"])


# --- frozen, comparable ---------------------------------------------------------------------------


def test_a_network_is_frozen(net: ReactionNetwork) -> None:
    with pytest.raises(FrozenInstanceError):
        net.id = "other"  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(FrozenInstanceError):
        net.species[0].initial_amount = 3.0  # pyright: ignore[reportAttributeAccessIssue]
    for mapping in (net.initial_assignments, net.reactions[0].reactants, net.by_id):
        assert isinstance(mapping, Mapping)
        with pytest.raises(TypeError):
            mapping["A"] = 3  # pyright: ignore[reportIndexIssue]


def test_equality_is_of_what_is_simulated(net: ReactionNetwork) -> None:
    assert sg.load(document()) == net
    assert hash(sg.load(document())) == hash(net)
    issue = Issue("x", Severity.INFO, "m", None, "said.", "Nothing.")
    record = Provenance({}, "d", "0", 1, "e", 0.0, 0.0, {}, "2026-01-01T00:00:00Z")
    assert replace(net, issues=(issue,), source=b"", provenance=record) == net
    moved = tuple(replace(r, line=(r.line or 0) + 5) for r in net.reactions)
    assert replace(net, reactions=moved) == net


@pytest.mark.parametrize(
    "change",
    [
        lambda n: replace(n, mass_action="combinatorial"),
        lambda n: replace(n, initial="round"),
        lambda n: replace(n, items_per_extent=2.0),
        lambda n: replace(n, reactions=n.reactions[1:]),
        lambda n: replace(n, species=(replace(n.species[0], initial_amount=11.0), *n.species[1:])),
        lambda n: replace(n, initial_assignments={}),
        lambda n: n.with_parameters({"k": 0.6}),
        # An explicit value wins, so that the network answers to other parameters otherwise.
        lambda n: n.with_parameters({"kr": 1.0}),
    ],
)
def test_what_changes_a_simulation_changes_the_network(net: ReactionNetwork, change) -> None:
    assert change(net) != net


def test_a_network_without_values_equals_itself_loaded_again() -> None:
    text = model(
        species=[species("A", None)],
        parameters=[parameter("k", None), parameter("n", "NaN")],
        compartments=[compartment(size=None)],
    )
    assert sg.load(text) == sg.load(text)
    assert math.isnan(sg.load(text).parameter_values[1])


def test_a_copied_network_is_the_same(net: ReactionNetwork) -> None:
    assert copy.copy(net) == net


# --- the same model in several levels -------------------------------------------------------------


@pytest.mark.parametrize(("level", "version"), [(2, 2), (2, 3), (2, 4), (2, 5), (3, 2)])
def test_levels_give_equal_networks(net: ReactionNetwork, level: int, version: int) -> None:
    other = sg.load(at_level(document(), level, version))
    assert other == net
    assert channels(other) == channels(net)
    assert other.parameter_ids == net.parameter_ids
    np.testing.assert_array_equal(other.parameter_values, net.parameter_values)


@pytest.mark.parametrize(("level", "version"), [(2, 1), (2, 4), (3, 1), (3, 2)])
def test_levels_give_equal_trajectories(level: int, version: int) -> None:
    # Level 2 version 1 has no initial assignments.
    text = model(
        reaction("J", "k*A*B - kr*C", "A B", "C", reversible=True, local={"kr": 0.3}),
        units=[UNITS],
        compartments=[compartment(size=2.0)],
        species=[
            species("A", 30, hasOnlySubstanceUnits="false"),
            species("B", None, initialConcentration=10, hasOnlySubstanceUnits="false"),
            species("C", 0),
        ],
        parameters=[parameter("k", 0.2)],
    )
    reference, other = sg.load(text), sg.load(at_level(text, level, version))
    assert other == reference
    runs = [
        sg.simulate(n, times=[0, 1, 5], trajectories=20, seed=3).counts for n in (reference, other)
    ]
    np.testing.assert_array_equal(*runs)
    assert len(np.unique(runs[0][:, 2, 2])) > 3


def test_level_1_is_read() -> None:
    text = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2">
<model name="m">
<listOfUnitDefinitions><unitDefinition name="substance"><listOfUnits>
<unit kind="item"/></listOfUnits></unitDefinition></listOfUnitDefinitions>
<listOfCompartments><compartment name="cell" volume="2"/></listOfCompartments>
<listOfSpecies>
<species name="A" compartment="cell" initialAmount="30"/>
<species name="B" compartment="cell" initialAmount="0"/>
</listOfSpecies>
<listOfParameters><parameter name="k" value="0.2"/></listOfParameters>
<listOfReactions>
<reaction name="J" reversible="true">
<listOfReactants><speciesReference species="A" stoichiometry="4" denominator="2"/></listOfReactants>
<listOfProducts><speciesReference species="B"/></listOfProducts>
<kineticLaw formula="cell*(k*pow(A, 2) - kr*B)">
<listOfParameters><parameter name="kr" value="0.3"/></listOfParameters>
</kineticLaw>
</reaction>
</listOfReactions>
</model>
</sbml>
"""
    expected = model(
        reaction("J", "cell*(k*A^2 - kr*B)", "2 A", "B", reversible=True, local={"kr": 0.3}),
        compartments=[compartment(size=2)],
        species=[species(s, n, hasOnlySubstanceUnits="false") for s, n in (("A", 30), ("B", 0))],
        parameters=[parameter("k", 0.2)],
    )
    net = sg.load(text)
    assert net == sg.load(expected)
    assert net.species_ids == ("A", "B")
    assert dict(net.reactions[0].reactants) == {"A": 2.0}


# --- other ----------------------------------------------------------------------------------------


def test_net_change() -> None:
    r = Reaction("J", {"A": 2.0, "B": 1.0, "E": 1.0}, {"B": 3.0, "C": 1.0, "E": 1.0}, Symbol("k"))
    assert r.net_change() == {"A": -2.0, "B": 2.0, "C": 1.0}
    fractions = Reaction("J", {"A": 0.3}, {"A": 0.1 + 0.2}, Symbol("k"))
    assert fractions.net_change() == {}


def test_a_network_made_by_hand_runs() -> None:
    made = ReactionNetwork(
        "m",
        compartments=(Compartment("c"),),
        species=(Species("X", "c", initial_amount=5.0, only_substance_units=True),),
        parameters=(Parameter("k", 1.0),),
        reactions=(Reaction("J", {"X": 1.0}, {}, multiply(Symbol("k"), Symbol("X"))),),
    )
    assert sg.simulate(made, times=[100], seed=1).counts.ravel().tolist() == [0]
    assert lower(made) is lower(made)
    assert made.source is None
