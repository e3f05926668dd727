"""The document that referees are fed says exactly what the lowered network says."""

from __future__ import annotations

from dataclasses import replace

import libsbml
import numpy as np
import pytest
from constructs import CONSTRUCTS, WITHOUT_CLOCK, draw, with_distrib
from networks import MODELS, antimony, network, shipped
from sbml_text import compartment, event, model, parameter, reaction, species

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import ParameterError, RequestError, UnsupportedModelError, WriteError
from sbmlgrad.io.formats import load
from sbmlgrad.io.sbml.normalised import normalised_ids, normalised_sbml
from sbmlgrad.model.expression import Apply, Expression, Number, Symbol, substitute
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
        numbers = [math.getChild(i) for i in range(2) if math.getChild(i).isNumber()]
        assert [number.getValue() for number in numbers] == [literal]


EVALUABLE = sorted(name for name, row in OPERATORS.items() if row.is_evaluable)


def some_law(name: str) -> Expression:
    """Return a law that applies an operator to a count and numbers, and is not negative."""
    row = OPERATORS[name]
    x, y = Symbol("X"), Number(2.5)
    most = row.arity[1]
    arguments: tuple[Expression, ...] = (x, y)[: 2 if most is None else most]
    if name == "piecewise":
        arguments = (x, Apply("lt", (x, y)), Apply("times", (x, x)))
    if name in ("min", "max"):
        arguments = (x, y, Number(4.0))
    law = Apply(name, arguments)
    return law if row.is_logical else Apply("exp", (Apply("min", (law, Number(9.0))),))


@pytest.mark.parametrize("name", EVALUABLE)
def test_every_operator_means_the_same_after_the_way_through_sbml(name: str) -> None:
    base, law = network("immigration_death"), some_law(name)
    birth = replace(base.reactions[0], rate_law=law)
    lowered = lower(replace(base, reactions=(birth, base.reactions[1])))
    document = normalised_sbml(lowered, initial_counts=[1])
    assert errors(document) == []
    again = lower(load(document.decode())).channels[0].propensity
    for count in (0.0, 0.5, 1.0, 2.0, 3.0, 5.0):
        np.testing.assert_equal(evaluate(again, {"X": count}), evaluate(law, {"X": count}))


def version(document: bytes) -> int:
    return read(document).getVersion()


def test_the_version_is_the_first_that_has_what_is_used() -> None:
    def written(name: str) -> bytes:
        return normalised_sbml(lower(sg.load(CONSTRUCTS[name])))

    assert version(written("birth and death")) == 1
    assert version(written("level 3 version 2")) == 1
    assert version(written("operators of version 2")) == 2
    assert version(written("draws in events")) == 2
    assert b"distrib" not in written("operators of version 2")


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_every_construct_gives_the_same_trajectories(name: str) -> None:
    original = sg.load(CONSTRUCTS[name])
    document = normalised_sbml(lower(original))
    assert errors(document) == []
    again = sg.load(document.decode())
    assert again.species_ids == original.species_ids
    assert lower(again).is_timed == lower(original).is_timed == (name not in WITHOUT_CLOCK)
    assert not again.assignment_rules
    assert not any(r.reversible for r in again.reactions)
    # The same streams make the same choices, if the two say the same.
    ours, theirs = (
        sg.simulate(model, times=[0, 0.5, 1, 1.5, 3], trajectories=40, seed=7)
        for model in (original, again)
    )
    for name in original.species_ids:
        values = ours.values(name, "counts")
        np.testing.assert_array_equal(theirs.values(name, "counts"), values)
        assert name == "Y" or len(np.unique(values)) > 1, "nothing happens in this model"


@pytest.mark.parametrize("name", WITHOUT_CLOCK)
def test_networks_without_a_clock_are_the_same_channels(name: str) -> None:
    original = lower(sg.load(CONSTRUCTS[name]))
    again = lower(sg.load(normalised_sbml(original).decode()))
    assert [c.id for c in again.channels] == [c.id for c in original.channels]
    assert [c.change for c in again.channels] == [c.change for c in original.channels]
    ids = normalised_ids(original)
    rng = np.random.default_rng(2)
    for _ in range(20):
        counts = {s: float(rng.integers(0, 30)) for s in original.species_ids}
        inputs = {i: float(np.exp(rng.normal())) for i in original.input_ids}
        renamed = {ids[i]: v for i, v in inputs.items()}
        for ours, theirs in zip(original.channels, again.channels, strict=True):
            expected = evaluate(ours.propensity, {**counts, **inputs})
            assert evaluate(theirs.propensity, {**counts, **renamed}) == expected


def test_truth_values_and_numbers_do_not_mix_in_what_is_written() -> None:
    base = network("immigration_death")
    x = Symbol("X")
    law = Apply("plus", (Apply("gt", (x, Number(2.0))), Apply("and", (x, Apply("not", (x,))))))
    law = Apply("piecewise", (Number(7.0), x, law))
    birth = replace(base.reactions[0], rate_law=law)
    document = normalised_sbml(lower(replace(base, reactions=(birth, base.reactions[1]))))
    assert errors(document) == []
    again = lower(load(document.decode())).channels[0].propensity
    for count in (0.0, 1.0, 3.0):
        assert evaluate(again, {"X": count}) == evaluate(law, {"X": count})


def assigning(*values: str, initial: str = "strict", distrib: bool = False) -> ReactionNetwork:
    """Load a model with an event at time 1 that assigns to X, and others."""
    targets = ("X", "cell", "k")
    text = model(
        reaction("death", "k*X", "X"),
        compartments=[compartment("cell", 1.0, constant="false")],
        species=[species("X", 10, hasOnlySubstanceUnits="false" if distrib else "true")],
        parameters=[parameter("k", 0.0)],
        events=[event("E", "time >= 1", more=list(zip(targets, values, strict=False)))],
    )
    return sg.load(with_distrib(text) if distrib else text, initial=initial)


@pytest.mark.parametrize("value", ["2.5", "3.5", "X/4 - 0.25", "0.49999999999999994", "7*X/8"])
def test_counts_that_events_set_are_rounded_as_in_the_network(value: str) -> None:
    rounded = assigning(value, initial="round")
    again = sg.load(normalised_sbml(lower(rounded)).decode())
    assert again.initial == "strict"
    ours, theirs = (
        sg.simulate(m, times=[2], trajectories=3, seed=1).values("X") for m in (rounded, again)
    )
    np.testing.assert_array_equal(ours, theirs)
    assert (ours == np.rint(ours)).all()


def test_whole_numbers_are_not_rounded_again() -> None:
    plain = normalised_sbml(lower(assigning("2*X + 3")))
    assert normalised_sbml(lower(assigning("2*X + 3", initial="round"))) == plain
    assert normalised_sbml(lower(assigning("X/2", initial="round"))) != plain


def test_counts_made_whole_at_random_keep_their_mean() -> None:
    again = sg.load(normalised_sbml(lower(assigning("4.25", initial="randomised"))).decode())
    found = sg.simulate(again, times=[2], trajectories=4000, seed=1).values("X")[:, 0]
    assert set(found) == {4.0, 5.0}
    assert abs(found.mean() - 4.25) < 4.0 * np.sqrt(0.25 * 0.75 / 4000)


def test_draws_that_sbml_cannot_say_are_refused_by_name() -> None:
    rounded = assigning(draw("normal", "<cn>9</cn>", "<cn>1</cn>"), initial="round", distrib=True)
    with pytest.raises(WriteError, match=r"event 'E': 'X' is set to a random value"):
        normalised_sbml(lower(rounded))


@pytest.mark.parametrize(
    ("value", "delay", "at_trigger"),
    [("5", "0.5", False), ("5", "0.5", True), ("X/2", "0.5", False), ("X/2", None, False)],
)
def test_concentrations_are_in_the_volume_at_execution(value, delay, at_trigger) -> None:
    original = sg.load(
        model(
            reaction("death", "k*X*cell", "X"),
            compartments=[compartment("cell", 1.0, constant="false")],
            species=[species("X", 64, hasOnlySubstanceUnits="false")],
            parameters=[parameter("k", 0.2)],
            events=[
                event("E", "time >= 1", "X", value, delay=delay, use_trigger_values=at_trigger),
                event("F", "time >= 1.25", "cell", "2"),
            ],
        ),
        initial="round",
    )
    again = sg.load(normalised_sbml(lower(original)).decode())
    ours, theirs = (
        sg.simulate(m, times=[1, 1.5, 2], trajectories=20, seed=3).values("X", "counts")
        for m in (original, again)
    )
    np.testing.assert_array_equal(theirs, ours)


@pytest.mark.parametrize("delay", ["0.5", None])
def test_a_value_of_the_trigger_in_a_volume_of_the_execution_is_refused(delay) -> None:
    text = model(
        reaction("death", "k*X*cell", "X"),
        compartments=[compartment("cell", 1.0, constant="false")],
        species=[species("X", 64, hasOnlySubstanceUnits="false")],
        parameters=[parameter("k", 0.2)],
        events=[
            event("E", "time >= 1", "X", "X/2", delay=delay),
            event("F", "time >= 1", "cell", "2"),
        ],
    )
    with pytest.raises(WriteError, match="event 'E': it sets the concentration of 'X'"):
        normalised_sbml(lower(sg.load(text, initial="round")))


def test_a_drawn_value_that_the_user_sets_is_certain() -> None:
    drawn = sg.load(CONSTRUCTS["draws at the start"])
    given = read(normalised_sbml(lower(drawn.with_parameters({"k": 0.25})))).getModel()
    assert given.getParameter("k").getValue() == 0.25
    assert given.getNumInitialAssignments() == 1
    values = np.where(np.isnan(drawn.parameter_values), 0.75, drawn.parameter_values)
    assert (
        read(normalised_sbml(lower(drawn), values)).getModel().getParameter("k").getValue() == 0.75
    )
    left = read(normalised_sbml(lower(drawn), drawn.parameter_values)).getModel()
    assert left.getNumInitialAssignments() == 2
    counted = read(normalised_sbml(lower(drawn), initial_counts=[3])).getModel()
    assert counted.getSpecies("X").getInitialAmount() == 3.0
    assert counted.getNumInitialAssignments() == 1


def test_infinite_parameters_are_written() -> None:
    values = draw("poisson", "<cn>10</cn>", "<cn>8</cn>", "<ci>most</ci>")
    text = model(
        species=[species("X")],
        parameters=[parameter("most", float("inf")).replace('"inf"', '"INF"')],
        events=[event("E", "time >= 1", "X", values)],
    )
    original = sg.load(with_distrib(text))
    again = sg.load(normalised_sbml(lower(original)).decode())
    assert again.parameter_values.tolist() == [np.inf]
    ours, theirs = (
        sg.simulate(m, times=[2], trajectories=50, seed=3).values("X") for m in (original, again)
    )
    np.testing.assert_array_equal(theirs, ours)


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
