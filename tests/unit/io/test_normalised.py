"""The document that referees are fed says exactly what the lowered network says."""

from __future__ import annotations

from dataclasses import replace

import libsbml
import numpy as np
import pytest
from networks import MODELS, antimony, network, shipped

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import ParameterError, RequestError, UnsupportedModelError, WriteError
from sbmlgrad.io.formats import load
from sbmlgrad.io.sbml.normalised import normalised_ids, normalised_sbml
from sbmlgrad.model.expression import Apply, Number, Symbol, substitute
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import OPERATORS, evaluate

SHIPPED = sorted(path.stem for path in MODELS.glob("*.xml"))
SMALL = ["ion_channel", "enzyme", "epidemic", "hill", "michaelis_menten"]

LOCAL = """<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
<model id="m" substanceUnits="item" extentUnits="item"><listOfCompartments>
<compartment id="container" size="2" constant="true" spatialDimensions="3"/></listOfCompartments>
<listOfSpecies>
<species id="A" compartment="container" initialAmount="8" hasOnlySubstanceUnits="false"
 boundaryCondition="false" constant="false"/>
<species id="F" compartment="container" initialAmount="6" hasOnlySubstanceUnits="false"
 boundaryCondition="true" constant="true"/>
</listOfSpecies><listOfParameters><parameter id="J__k" value="5" constant="true"/>
</listOfParameters><listOfReactions>
<reaction id="J" reversible="false" fast="false"><listOfReactants>
<speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>
<listOfModifiers><modifierSpeciesReference species="F"/></listOfModifiers>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>J__k</ci><ci>k</ci>
<ci>A</ci><ci>F</ci></apply></math><listOfLocalParameters><localParameter id="k" value="3"/>
</listOfLocalParameters></kineticLaw></reaction></listOfReactions></model></sbml>"""


def read(document: bytes) -> libsbml.SBMLDocument:
    parsed = libsbml.readSBMLFromString(document.decode())
    assert parsed.getNumErrors() == 0, parsed.getErrorLog().toString()
    return parsed


def errors(document: bytes) -> list[str]:
    parsed = read(document)
    parsed.checkConsistency()
    found = [parsed.getError(i) for i in range(parsed.getNumErrors())]
    return [e.getMessage() for e in found if e.getSeverity() >= libsbml.LIBSBML_SEV_ERROR]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_are_consistent(name: str) -> None:
    assert errors(normalised_sbml(lower(shipped(name)))) == []


@pytest.mark.parametrize("name", SMALL)
def test_reading_it_back_gives_the_same_propensities(name: str) -> None:
    original = lower(network(name))
    document = normalised_sbml(original)
    assert errors(document) == []
    again = lower(load(document.decode()))
    assert again.species_ids == original.species_ids
    assert [c.id for c in again.channels] == [c.id for c in original.channels]
    np.testing.assert_array_equal(again.stoichiometry, original.stoichiometry)
    rng = np.random.default_rng(1)
    values = {s: float(rng.integers(1, 40)) for s in original.species_ids}
    inputs = {i: float(np.exp(rng.normal())) for i in original.input_ids}
    renamed = {normalised_ids(original)[i]: v for i, v in inputs.items()}
    for ours, theirs in zip(original.channels, again.channels, strict=True):
        expected = evaluate(ours.propensity, {**values, **inputs})
        assert evaluate(theirs.propensity, {**values, **renamed}) == expected


def test_everything_is_plain() -> None:
    lowered = lower(network("michaelis_menten"))
    model = read(normalised_sbml(lowered)).getModel()
    for i in range(model.getNumSpecies()):
        species = model.getSpecies(i)
        assert species.getHasOnlySubstanceUnits()
        assert species.getSubstanceUnits() == "item"
        assert model.getCompartment(species.getCompartment()).getSize() == 1.0
    assert model.getSpecies("S").getInitialAmount() == 20.0  # 10 per volume in a volume of 2
    assert model.getParameter("tube").getValue() == 2.0
    for i in range(model.getNumReactions()):
        assert not model.getReaction(i).getReversible()


def test_reversible_laws_become_two_reactions() -> None:
    model = read(normalised_sbml(lower(network("small_dimer")))).getModel()
    forward, backward = model.getReaction("J0"), model.getReaction("J0_backward")
    assert [r.getSpecies() for r in forward.getListOfReactants()] == ["A", "B"]
    assert [r.getSpecies() for r in backward.getListOfReactants()] == ["C"]
    assert libsbml.formulaToL3String(forward.getKineticLaw().getMath()) == "k1 * A * B"
    assert libsbml.formulaToL3String(backward.getKineticLaw().getMath()) == "k2 * C"


def test_local_parameters_and_the_compartment_get_ids_of_their_own() -> None:
    lowered = lower(load(LOCAL))
    document = normalised_sbml(lowered)
    assert errors(document) == []
    ids = normalised_ids(lowered)
    assert ids["J.k"] == "J__k_"
    assert ids["J__k"] == "J__k"
    model = read(document).getModel()
    assert model.getParameter("J__k_").getValue() == 3.0
    assert model.getParameter("J__k").getValue() == 5.0
    assert model.getParameter("container").getValue() == 2.0
    assert model.getSpecies("A").getCompartment() == "container_"
    assert model.getParameter("F").getValue() == 3.0  # a fixed concentration, 6 in a volume of 2


def test_every_bit_of_every_number_survives() -> None:
    rng = np.random.default_rng(3)
    base = network("immigration_death")
    for _ in range(50):
        alpha, mu, literal = np.exp(rng.normal(0.0, 30.0, 3))
        law = Apply("times", (Symbol("alpha"), Number(literal)))
        birth = replace(base.reactions[0], rate_law=law)
        lowered = lower(replace(base, reactions=(birth, base.reactions[1])))
        model = read(normalised_sbml(lowered, [alpha, mu])).getModel()
        assert model.getParameter("alpha").getValue() == alpha
        assert model.getParameter("mu").getValue() == mu
        math = model.getReaction(0).getKineticLaw().getMath()
        assert math.getChild(1).getValue() == literal


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_every_operator_means_the_same_after_the_way_through_sbml(name: str) -> None:
    row = OPERATORS[name]
    x, y = Symbol("X"), Number(2.5)
    most = row.arity[1]
    arguments = (x, y)[: 2 if most is None else most]
    if name in ("and", "or", "not"):
        arguments = tuple(Apply("gt", (a, Number(3.0))) for a in arguments)
    if name == "piecewise":
        arguments = (x, Apply("lt", (x, y)), Apply("times", (x, x)))
    if name in ("min", "max"):
        arguments = (x, y, Number(4.0))
    law: Apply = Apply(name, arguments)
    if row.is_logical:
        law = Apply("piecewise", (Number(1.0), law, Number(2.0)))
    if name == "minus":
        law = Apply("exp", (law,))  # a propensity cannot be negative
    base = network("immigration_death")
    birth = replace(base.reactions[0], rate_law=law)
    lowered = lower(replace(base, reactions=(birth, base.reactions[1])))
    document = normalised_sbml(lowered, initial_counts=[1])
    assert errors(document) == []
    again = lower(load(document.decode())).channels[0].propensity
    for count in (1.0, 2.0, 3.0, 5.0):
        values = {"X": count}
        assert evaluate(again, values) == evaluate(law, values)


def test_a_channel_without_effect_and_parameters_without_value_are_left_out() -> None:
    model = antimony(
        "substanceOnly species A in cell; A = 3; k = 1; d = 2; const unused;"
        "J0: A => A; k*A; J1: A => ; d*A;"
    )
    document = normalised_sbml(lower(model))
    assert errors(document) == []
    parsed = read(document).getModel()
    assert parsed.getReaction("J0") is None
    assert parsed.getReaction("J1") is not None
    assert parsed.getParameter("unused") is None
    assert parsed.getParameter("k").getValue() == 1.0


def test_a_name_in_place_of_an_id() -> None:
    lowered = lower(replace(network("hill"), id="a model of mine"))
    document = normalised_sbml(lowered)
    assert errors(document) == []
    assert read(document).getModel().getId() == "model"


def start(model: ReactionNetwork) -> float:
    return read(normalised_sbml(lower(model))).getModel().getSpecies(0).getInitialAmount()


def test_initial_counts_that_are_not_whole() -> None:
    text = (
        "unit substance = item; unit extent = item; compartment cell = 1;\n"
        "substanceOnly species A in cell; A = 2.6; k = 1; J0: A => ; k*A;"
    )
    assert start(load(text, initial="round")) == 3.0
    with pytest.raises(RequestError, match=r"A=2\.6"):
        normalised_sbml(lower(load(text, initial="randomised")))
    with pytest.raises(RequestError, match=r"A=0\.5"):
        normalised_sbml(lower(load(text, initial="round")), initial_counts=[0.5])


def test_refusals() -> None:
    lowered = lower(network("hill"))
    with pytest.raises(ParameterError, match="4 parameters"):
        normalised_sbml(lowered, [1.0])
    with pytest.raises(RequestError, match="1 species"):
        normalised_sbml(lowered, initial_counts=[1, 2])
    with pytest.raises(UnsupportedModelError, match="parameter_value_missing"):
        normalised_sbml(lowered, [np.nan, 5, 2, 0.5])
    with pytest.raises(UnsupportedModelError, match="negative_initial_count"):
        normalised_sbml(lowered, initial_counts=[-1])
    law = substitute(lowered.network.reactions[0].rate_law, {"K": Number(2e-310)})
    birth = replace(lowered.network.reactions[0], rate_law=law)
    tiny = lower(replace(lowered.network, reactions=(birth, lowered.network.reactions[1])))
    with pytest.raises(WriteError, match="'mu' holds 1e-309, the law of 'J0' holds 2e-310;"):
        normalised_sbml(tiny, [4, 5, 2, 1e-309])
