"""A described model → the bytes of an SBML level 3 version 1 document, checked by libSBML."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

import libsbml
from description import TIME_UNITS, Model, Reaction

#: SBML units of the parameter units in a description: (base unit, exponent) pairs.
_PARAMETER_UNITS = {
    "per_time": (("time", -1),),
    "item_per_time": (("item", 1), ("time", -1)),
    "per_item_per_time": (("item", -1), ("time", -1)),
}
_NON_SPATIAL_DISCRETE_FRAMEWORK = "SBO:0000295"
_PHYSICAL_COMPARTMENT = "SBO:0000290"


def sbml_bytes(model: Model) -> bytes:
    """Return the document of a model: UTF-8, the same bytes every time.

    Raises:
        ValueError: libSBML refuses something in the description.
    """
    document = libsbml.SBMLDocument(3, 1)
    _fill(document.createModel(), model)
    return libsbml.writeSBMLToString(document).encode()


def findings(data: bytes) -> tuple[str, ...]:
    """Return all that libSBML has to say of a document, units and modelling practice included."""
    document = libsbml.readSBMLFromString(data.decode())
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, True)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    errors = (document.getError(i) for i in range(document.getNumErrors()))
    return tuple(
        f"line {e.getLine()}: {e.getSeverityAsString()} {e.getErrorId()}: "
        + " ".join(e.getMessage().split())
        for e in errors
    )


def sides(reaction: Reaction) -> tuple[dict[str, int], dict[str, int], bool]:
    """Split an equation such as `A + B <-> 2 C` into reactants, products and reversibility."""
    reversible = "<->" in reaction.equation
    left, right = reaction.equation.split("<->" if reversible else "->")
    return _side(left), _side(right), reversible


def _side(text: str) -> dict[str, int]:
    references: dict[str, int] = {}
    for term in text.split("+"):
        match term.split():
            case [species]:
                references[species] = 1
            case [count, species]:
                references[species] = int(count)
            case []:
                pass
            case _:
                raise ValueError(f"'{term}' is no term of an equation; write `2 X` or `X`")
    return references


def _do(code: int, what: str) -> None:
    if code != libsbml.LIBSBML_OPERATION_SUCCESS:
        raise ValueError(f"libSBML refuses {what}: {libsbml.OperationReturnValue_toString(code)}")


def _fill(target: Any, model: Model) -> None:
    _do(target.setId(model.id), f"the id {model.id}")
    _do(target.setName(model.name), f"the name of {model.id}")
    _do(target.setMetaId(f"meta_{model.id}"), f"the metaid of {model.id}")
    _do(target.setSBOTerm(_NON_SPATIAL_DISCRETE_FRAMEWORK), "the framework's SBO term")
    _do(target.setSubstanceUnits("item"), "substance units")
    _do(target.setExtentUnits("item"), "extent units")
    _do(target.setTimeUnits(model.time), "time units")
    # Laws are in counts and need no volume, so none is claimed.
    _do(target.setVolumeUnits("dimensionless"), "volume units")
    _do(target.setNotes(_notes(model)), f"the notes of {model.id}")
    _add_citation(target, model)
    _add_units(target, model)
    _add_compartment(target, model)
    for species in model.species:
        _add_species(target, species, model.place)
    for parameter in model.parameters:
        _add_parameter(target, parameter, model.time)
    for reaction in model.reactions:
        _add_reaction(target, reaction)


def _notes(model: Model) -> str:
    link = f'<a href="https://doi.org/{escape(model.doi)}">doi:{escape(model.doi)}</a>'
    text = f"{escape(model.about)} Source: {escape(model.source)}, {link}."
    return f'<p xmlns="http://www.w3.org/1999/xhtml">{text}</p>'


def _add_citation(target: Any, model: Model) -> None:
    term = libsbml.CVTerm(libsbml.MODEL_QUALIFIER)
    _do(term.setModelQualifierType(libsbml.BQM_IS_DESCRIBED_BY), "the qualifier isDescribedBy")
    _do(term.addResource(f"https://identifiers.org/doi:{model.doi}"), f"the DOI {model.doi}")
    _do(target.addCVTerm(term), f"the annotation of {model.id}")


def _add_units(target: Any, model: Model) -> None:
    multiplier, scale = TIME_UNITS[model.time]
    if model.time != "second":
        _add_unit(
            target, model.time, model.time, [(libsbml.UNIT_KIND_SECOND, 1, scale, multiplier)]
        )
    for unit in dict.fromkeys(p.unit for p in model.parameters if p.unit in _PARAMETER_UNITS):
        parts = [
            (libsbml.UNIT_KIND_ITEM, exponent, 0, 1.0)
            if base == "item"
            else (libsbml.UNIT_KIND_SECOND, exponent, scale, multiplier)
            for base, exponent in _PARAMETER_UNITS[unit]
        ]
        name = _unit_id(unit, model.time)
        _add_unit(target, name, name.replace("_", " "), parts)


def _unit_id(unit: str, time: str) -> str:
    return unit.replace("time", time) if unit in _PARAMETER_UNITS else unit


def _add_unit(target: Any, name: str, title: str, parts: list[tuple[int, int, int, float]]) -> None:
    definition = target.createUnitDefinition()
    _do(definition.setId(name), f"the unit {name}")
    _do(definition.setName(title), f"the unit {name}")
    for kind, exponent, scale, multiplier in parts:
        unit = definition.createUnit()
        _do(unit.setKind(kind), f"the unit {name}")
        _do(unit.setExponent(exponent), f"the unit {name}")
        _do(unit.setScale(scale), f"the unit {name}")
        _do(unit.setMultiplier(multiplier), f"the unit {name}")


def _add_compartment(target: Any, model: Model) -> None:
    compartment = target.createCompartment()
    _do(compartment.setId(model.place), f"the compartment {model.place}")
    _do(compartment.setName(model.place.replace("_", " ")), f"the compartment {model.place}")
    _do(compartment.setSBOTerm(_PHYSICAL_COMPARTMENT), f"the compartment {model.place}")
    _do(compartment.setSpatialDimensions(3), f"the compartment {model.place}")
    _do(compartment.setSize(1.0), f"the compartment {model.place}")
    _do(compartment.setUnits("dimensionless"), f"the compartment {model.place}")
    _do(compartment.setConstant(True), f"the compartment {model.place}")


def _add_species(target: Any, described: Any, place: str) -> None:
    species = target.createSpecies()
    what = f"the species {described.id}"
    _do(species.setId(described.id), what)
    _do(species.setName(described.name), what)
    _do(species.setCompartment(place), what)
    _do(species.setInitialAmount(described.count), what)
    _do(species.setSubstanceUnits("item"), what)
    _do(species.setHasOnlySubstanceUnits(True), what)
    _do(species.setBoundaryCondition(False), what)
    _do(species.setConstant(False), what)
    if described.sbo:
        _do(species.setSBOTerm(described.sbo), what)


def _add_parameter(target: Any, described: Any, time: str) -> None:
    parameter = target.createParameter()
    what = f"the parameter {described.id}"
    _do(parameter.setId(described.id), what)
    _do(parameter.setName(described.name), what)
    _do(parameter.setValue(described.value), what)
    _do(parameter.setUnits(_unit_id(described.unit, time)), what)
    _do(parameter.setConstant(True), what)
    if described.sbo:
        _do(parameter.setSBOTerm(described.sbo), what)


def _add_reaction(target: Any, described: Reaction) -> None:
    reactants, products, reversible = sides(described)
    reaction = target.createReaction()
    what = f"the reaction {described.id}"
    _do(reaction.setId(described.id), what)
    _do(reaction.setName(described.name), what)
    _do(reaction.setReversible(reversible), what)
    _do(reaction.setFast(False), what)
    if described.sbo:
        _do(reaction.setSBOTerm(described.sbo), what)
    for create, references in (
        (reaction.createReactant, reactants),
        (reaction.createProduct, products),
    ):
        for species, count in references.items():
            reference = create()
            _do(reference.setSpecies(species), what)
            _do(reference.setStoichiometry(count), what)
            _do(reference.setConstant(True), what)
    formula = libsbml.parseL3Formula(described.law)
    if formula is None:
        raise ValueError(f"{what}: {libsbml.getLastParseL3Error()}")
    law = reaction.createKineticLaw()
    _do(law.setMath(formula), what)
    if described.law_sbo:
        _do(law.setSBOTerm(described.law_sbo), what)
