"""A lowered network → the plain SBML that other simulators are fed.

Simulators disagree about reversible laws, volumes, local parameters and what a species symbol
means. Here nothing of that is left: every species an amount in items in a compartment of size 1,
one irreversible reaction for every firing channel, its propensity in counts as the kinetic law,
functions and assignment rules written out, every other symbol a global parameter: constant, unless
an event or a rate rule changes it.

The document is SBML level 3 version 1; version 2 where a formula uses an operator that came with it
(max, min, rem, quotient, implies) or draws at random, which also takes the package distrib.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]
from numpy.typing import ArrayLike

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.io.sbml.annotation import double_text
from sbmlgrad.io.sbml.mathml_writer import add_math, draws_at_random, needs_version_2
from sbmlgrad.io.sbml.normalised_contents import Contents, contents_of, normalised_ids, unused
from sbmlgrad.io.sbml.normalised_formulas import ExportedEvent
from sbmlgrad.io.sbml.normalised_start import is_sid
from sbmlgrad.io.sbml.propensity_mark import mark_as_propensity
from sbmlgrad.model.elements import Species
from sbmlgrad.model.expression import Expression, symbols
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.laws.known_values import known_values
from sbmlgrad.model.laws.signs import is_nonnegative

__all__ = ["normalised_ids", "normalised_sbml"]

#: Namespace of the package distrib.
DISTRIB = "http://www.sbml.org/sbml/level3/version1/distrib/version1"


def normalised_sbml(
    lowered: LoweredNetwork,
    parameters: ArrayLike | None = None,
    initial_counts: ArrayLike | None = None,
) -> bytes:
    """Write a network as plain SBML, to feed other simulators; `normalised_ids` says what is whose.

    A channel whose firing changes nothing is left out: it has no effect on any count, and SBML
    does not allow a reaction without reactants and products. So are parameters without a value.

    Args:
        lowered: the network.
        parameters: values, float64 [parameter] in the order of `network.parameter_ids`; None for
            the model's own. NaN leaves a value that is drawn at random to be drawn.
        initial_counts: molecules at time 0, whole numbers [species]; None for the model's own.

    Returns:
        The document, UTF-8. It has no function definitions and no assignment rules, and initial
        assignments only where a value is drawn at random.

    Raises:
        UnsupportedModelError: a value that is needed is missing, or initial counts cannot be used.
        ParameterError: `parameters` has the wrong length.
        RequestError: `initial_counts` are not whole numbers, or the model makes them whole at
            random.
        WriteError: numbers that SBML software does not read back, or events whose meaning SBML
            cannot say in counts; names all of them.
    """
    return _document(contents_of(lowered, parameters, initial_counts))


# --- elements -------------------------------------------------------------------------------------


def _document(contents: Contents) -> bytes:
    network = contents.lowered.network
    formulas = [formula for _, formula in contents.formulas()]
    is_random = draws_at_random(formulas)
    version = "2" if is_random or needs_version_2(formulas) else "1"
    namespace = f"http://www.sbml.org/sbml/level3/version{version}/core"
    taken = {*contents.ids.values(), *(event.id for event in contents.events)}
    container = unused("container", taken)
    # A model without an id is called by its name, which may hold anything.
    name = unused(network.id if is_sid(network.id) else "model", taken)
    packages = {"distrib": DISTRIB} if is_random else {}
    root = etree.Element(
        f"{{{namespace}}}sbml", nsmap={None: namespace, **packages}, level="3", version=version
    )
    if is_random:
        root.set(f"{{{DISTRIB}}}required", "true")
    # Times are in the model's own unit, which need not be one that SBML has a word for.
    units = {"substance": "item", "extent": "item", "time": "dimensionless"}
    model = _add(root, "model", id=name, **{f"{k}Units": unit for k, unit in units.items()})
    _write_species(model, container, contents)
    _write_parameters(model, contents)
    _write_initial_assignments(model, contents)
    _write_rate_rules(model, contents)
    _write_reactions(model, contents)
    _write_events(model, contents)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _add(parent: Any, tag: str, **attributes: str | None) -> Any:
    namespace = parent.tag.rpartition("}")[0]
    given = {name: value for name, value in attributes.items() if value is not None}
    return etree.SubElement(parent, f"{namespace}}}{tag}", given)


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _number(value: float) -> str | None:
    return None if math.isnan(value) else double_text(value)


def _write_species(model: Any, container: str, contents: Contents) -> None:
    fixed = {"spatialDimensions": "3", "size": "1", "units": "dimensionless", "constant": "true"}
    _add(_add(model, "listOfCompartments"), "compartment", id=container, **fixed)
    network, counts = contents.lowered.network, contents.start.counts
    if not network.species_ids:  # level 3 version 1 has no empty lists
        return
    listed = _add(model, "listOfSpecies")
    for name in network.species_ids:
        element = network.by_id[name]
        assert isinstance(element, Species)
        _add(
            listed,
            "species",
            id=name,
            compartment=container,
            initialAmount=_number(counts.get(name, math.nan)),
            substanceUnits="item",
            hasOnlySubstanceUnits="true",
            boundaryCondition=_flag(not element.changes),
            constant="false",
        )


def _write_parameters(model: Any, contents: Contents) -> None:
    constant, moving = contents.inputs(), contents.variables()
    if not (constant or moving):
        return
    listed = _add(model, "listOfParameters")
    for values, flag in ((constant, "true"), (moving, "false")):
        for name, value in values.items():
            _add(listed, "parameter", id=contents.ids[name], value=_number(value), constant=flag)


def _write_initial_assignments(model: Any, contents: Contents) -> None:
    if not contents.start.drawn:
        return
    listed = _add(model, "listOfInitialAssignments")
    for symbol, formula in contents.start.drawn.items():
        assignment = _add(listed, "initialAssignment", symbol=contents.ids[symbol])
        add_math(assignment, formula, contents.ids)


def _write_rate_rules(model: Any, contents: Contents) -> None:
    if not contents.lowered.flows:
        return
    listed = _add(model, "listOfRules")
    for target, rate in contents.lowered.flows:
        add_math(_add(listed, "rateRule", variable=contents.ids[target]), rate, contents.ids)


def _write_reactions(model: Any, contents: Contents) -> None:
    if not contents.channels:
        return
    species = contents.lowered.network.state_species
    # Version 2 has no fast reactions any more.
    fast = "false" if "/version1/" in model.tag else None
    listed = _add(model, "listOfReactions")
    network = contents.lowered.network
    bounds = known_values(network, initial_values(network)).in_counts()
    for channel in contents.channels:
        reaction = _add(listed, "reaction", id=channel.id, reversible="false", fast=fast)
        if not is_nonnegative(channel.propensity, bounds):
            mark_as_propensity(reaction)
        lost = {s: -n for s, n in channel.change.items() if n < 0}
        gained = {s: n for s, n in channel.change.items() if n > 0}
        used = symbols(channel.propensity) & species
        _write_references(reaction, "listOfReactants", lost)
        _write_references(reaction, "listOfProducts", gained)
        _write_modifiers(reaction, sorted(used - set(channel.change)))
        add_math(_add(reaction, "kineticLaw"), channel.propensity, contents.ids)


def _write_references(reaction: Any, container: str, numbers: Mapping[str, int]) -> None:
    if not numbers:
        return
    listed = _add(reaction, container)
    for name, number in numbers.items():
        _add(listed, "speciesReference", species=name, stoichiometry=str(number), constant="true")


def _write_modifiers(reaction: Any, names: Sequence[str]) -> None:
    if not names:
        return
    listed = _add(reaction, "listOfModifiers")
    for name in names:
        _add(listed, "modifierSpeciesReference", species=name)


def _write_events(model: Any, contents: Contents) -> None:
    if not contents.events:
        return
    listed = _add(model, "listOfEvents")
    for event in contents.events:
        _write_event(listed, event, contents.ids)


def _write_event(listed: Any, event: ExportedEvent, ids: Mapping[str, str]) -> None:
    element = _add(
        listed,
        "event",
        # One without an id is called by its place, which is no id.
        id=event.id if is_sid(event.id) else None,
        useValuesFromTriggerTime=_flag(event.use_trigger_values),
    )
    trigger = _add(
        element,
        "trigger",
        initialValue=_flag(event.initial_value),
        persistent=_flag(event.persistent),
    )
    add_math(trigger, event.trigger, ids, is_condition=True)
    for tag, formula in (("priority", event.priority), ("delay", event.delay)):
        if formula is not None:
            add_math(_add(element, tag), formula, ids)
    _write_event_assignments(element, event.assignments, ids)


def _write_event_assignments(
    element: Any, assignments: Sequence[tuple[str, Expression]], ids: Mapping[str, str]
) -> None:
    if not assignments:
        return
    inside = _add(element, "listOfEventAssignments")
    for target, value in assignments:
        add_math(_add(inside, "eventAssignment", variable=ids[target]), value, ids)
