"""The values of a network → edits of its document: attributes set, initial assignments removed."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sbmlgrad.io.sbml.safe_xml import Edit, SourceDocument, set_attribute
from sbmlgrad.io.sbml.xml_lines import double_text, remove_element
from sbmlgrad.model.elements import Species
from sbmlgrad.model.network import ReactionNetwork


@dataclass
class Changes:
    """What is to be done to a document, gathered before any of it is done.

    Attributes:
        document: the document.
        model: its `<model>` element.
        level: level of SBML.
        edits: values that change.
        overriding: symbol → initial assignment that would win over a written value.
        problems: values that cannot be written, as text.
        moved: ids of parameters and compartments whose value changes.
    """

    document: SourceDocument
    model: Any
    level: int
    edits: list[Edit] = field(default_factory=list)
    overriding: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)

    def listed(self, parent: Any, container: str, *names: str) -> dict[str, Any]:
        """Return id → element for the elements of one list, in document order."""
        path = f"{in_sbml(self.document, container)}/"
        found = [e for name in names for e in parent.iterfind(path + in_sbml(self.document, name))]
        # What later is the id is called the name in level 1.
        return {element.get("name" if self.level == 1 else "id"): element for element in found}

    @cached_property
    def quantities(self) -> dict[str, Any]:
        """Return id → element of parameters, global and local (`reaction.parameter`)."""
        found = self.listed(self.model, "listOfParameters", "parameter")
        for id, reaction in self.listed(self.model, "listOfReactions", "reaction").items():
            inside = _local_parameters(self, reaction)
            found |= {f"{id}.{name}": element for name, element in inside.items()}
        return found

    def assigned(self, container: str, name: str, attribute: str) -> dict[str, Any]:
        """Return target → element for initial assignments or rules."""
        path = f"{in_sbml(self.document, container)}/{in_sbml(self.document, name)}"
        return {element.get(attribute): element for element in self.model.iterfind(path)}

    def assignment_rules(self) -> dict[str, Any]:
        """Return parameter → its assignment rule."""
        if self.level > 1:
            return self.assigned("listOfRules", "assignmentRule", "variable")
        rules = self.assigned("listOfRules", "parameterRule", "name")
        return {name: rule for name, rule in rules.items() if rule.get("type") != "rate"}


def change_compartments(network: ReactionNetwork, changes: Changes) -> None:
    """Gather the sizes of compartments that are other than in the document."""
    elements = changes.listed(changes.model, "listOfCompartments", "compartment")
    name, default = ("volume", "1") if changes.level == 1 else ("size", None)
    for compartment in network.compartments:
        element = elements.get(compartment.id)
        if element is None or math.isnan(compartment.size):
            continue
        if _same(element.get(name, default), compartment.size):
            continue
        if problem := _number_problem(compartment.size):
            where = f"compartment '{compartment.id}' (line {element.sourceline})"
            changes.problems.append(f"{where}: {problem}")
        else:
            text = double_text(compartment.size)
            changes.edits.append(set_attribute(changes.document, element, name, text))
            changes.moved.append(compartment.id)


def change_parameters(network: ReactionNetwork, changes: Changes) -> None:
    """Gather the values of parameters that were set."""
    elements = changes.quantities
    rules = changes.assignment_rules()
    assignments = changes.assigned("listOfInitialAssignments", "initialAssignment", "symbol")
    values = {p.id: float(p.value) for p in network.parameters}
    for name in sorted(network.explicit | network.changed):  # a set has no order of its own
        element = elements.get(name)
        if name not in values or element is None:
            where = "network" if name not in values else "original document"
            changes.problems.append(
                f"parameter '{name}': the {where} has none of this id, so its value has no place; "
                "set values of the parameters that the model has"
            )
        elif problem := _number_problem(values[name]):
            changes.problems.append(f"parameter '{name}': {problem}")
        elif name in rules:
            changes.problems.append(
                f"parameter '{name}' (line {rules[name].sourceline}): an assignment rule gives its "
                "value, so one written here would have no effect; set what the rule depends on"
            )
        else:
            if name in assignments:
                changes.overriding[name] = assignments[name]
            if not _same(element.get("value"), values[name]):
                text = double_text(values[name])
                changes.edits.append(set_attribute(changes.document, element, "value", text))
                changes.moved.append(name)


def _local_parameters(changes: Changes, reaction: Any) -> dict[str, Any]:
    law = reaction.find(in_sbml(changes.document, "kineticLaw"))
    if law is None:
        return {}
    return changes.listed(law, "listOfParameters", "parameter") | changes.listed(
        law, "listOfLocalParameters", "localParameter"
    )


def change_species(network: ReactionNetwork, changes: Changes) -> None:
    """Gather the initial values of species that are other than in the document."""
    # The singular was `specie` in level 1 version 1.
    elements = changes.listed(changes.model, "listOfSpecies", "species", "specie")
    assignments = changes.assigned("listOfInitialAssignments", "initialAssignment", "symbol")
    for species in network.species:
        element = elements.get(species.id)
        edit = None if element is None else _initial_value(species, element, changes)
        if edit is None:
            continue
        changes.edits.append(edit)
        # One that the network has too is meant to win.
        if species.id in assignments and species.id not in network.initial_assignments:
            changes.overriding[species.id] = assignments[species.id]


def _initial_value(species: Species, element: Any, changes: Changes) -> Edit | None:
    """Return the edit that gives a species the network's initial value, or None if it has it."""
    given = {
        "initialAmount": species.initial_amount,
        "initialConcentration": species.initial_concentration,
    }
    stated = {name: value for name, value in given.items() if value is not None}
    used = [name for name in given if element.get(name) is not None]
    if not stated or any(
        name in stated and _same(element.get(name), stated[name]) for name in used
    ):
        return None
    # Where the two state different quantities, the attribute changes: dividing by the compartment's
    # size would round.
    name = next((name for name in used if name in stated), next(iter(stated)))
    value = float(stated[name])
    problem = _number_problem(value)
    if name == "initialConcentration" and changes.level == 1:
        problem = "SBML level 1 has initial amounts only; set the amount"
    if problem:
        changes.problems.append(f"species '{species.id}' (line {element.sourceline}): {problem}")
        return None
    replaced = None if name in used or not used else used[0]
    return set_attribute(changes.document, element, name, double_text(value), instead_of=replaced)


def removals(changes: Changes) -> Iterator[Edit]:
    """Remove overriding initial assignments, and their list if nothing is left in it."""
    leaving = set(changes.overriding.values())
    for container in {element.getparent() for element in leaving}:
        inside = container.findall(in_sbml(changes.document, "initialAssignment"))
        if leaving.issuperset(inside):  # before level 3 version 2 a list may not be empty
            yield remove_element(changes.document, container)
        else:
            yield from (remove_element(changes.document, e) for e in inside if e in leaving)


def _same(text: str | None, value: float) -> bool:
    """Tell whether an attribute reads as exactly this double; zeros of either sign differ."""
    try:
        return text is not None and float(text).hex() == float(value).hex()
    except ValueError:
        return False


def _number_problem(value: float) -> str | None:
    """Say why a value cannot be written, or return None if it can."""
    if not abs(value) < float("inf"):
        return f"the value {value} is not a finite number; set a finite value"
    if 0.0 < abs(value) < sys.float_info.min:
        return (
            f"the value {value} is a subnormal number, which libSBML does not read back; set 0 or "
            f"at least {sys.float_info.min}"
        )
    return None


def in_sbml(document: SourceDocument, name: str) -> str:
    """Return the name of an element in the namespace of the document's SBML, as lxml writes it."""
    return f"{document.root.tag.rpartition('}')[0]}}}{name}"
