"""`ReactionNetwork` → SBML bytes: the original document with the network's values in it.

Everything but the values that differ, and the annotation, stays byte for byte. libSBML does not
write: it prints doubles with 15 digits, which do not read back as the same doubles.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sbmlgrad.errors import UnreadableFileError, WriteError
from sbmlgrad.io.sbml.annotation import annotate, double_text, w3c_date
from sbmlgrad.io.sbml.safe_xml import (
    Edit,
    SourceDocument,
    apply_edits,
    check_xml,
    element_stop,
    set_attribute,
    source_document,
)
from sbmlgrad.model.elements import Species
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.provenance import Provenance

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_sbml(network: ReactionNetwork) -> bytes:
    """Write a network as SBML; use it to hand a calibrated model on.

    Written are the values of parameters that were set (`network.changed`), the initial values of
    species, the sizes of compartments, and, if `network.provenance` is set, the annotation that
    `sbmlgrad.io.sbml.annotation` describes. A value that the document has already is left as it is
    spelled. An initial assignment that would override a written value is removed, which the
    annotation records.

    Args:
        network: a network read from SBML, whose `source` is the document.

    Returns:
        The new document, in the encoding of the old one.

    Raises:
        WriteError: there is no original document, or values that it cannot hold; names all of them.
    """
    if network.source is None:
        raise WriteError(
            f"model '{network.id}' has no original document (source is None), and only values are "
            "written into one; build it with sbmlgrad.load from SBML, or set source to its bytes"
        )
    if issues := check_xml(network.source, name="original document"):
        raise _refusal(network, [str(issue) for issue in issues])
    try:
        document = source_document(network.source)
    except UnreadableFileError as error:
        raise _refusal(network, [str(error)]) from error
    level = document.root.get("level")
    model = document.root.find(_sbml(document, "model"))
    if level not in ("1", "2", "3") or model is None:
        found = f"level {level}" if model is not None else "no model"
        raise _refusal(
            network,
            [f"the original document has {found}; give one of level 1 to 3 with one model"],
        )
    changes = _Changes(document, model, int(level))
    _change_compartments(network, changes)
    _change_parameters(network, changes)
    _change_species(network, changes)
    if network.provenance is not None:
        changes.problems += _provenance_problems(network.provenance)
    if changes.problems:
        raise _refusal(network, changes.problems)
    edits = [*changes.edits, *_removals(changes)]
    if network.provenance is not None or changes.overriding:
        edits += annotate(
            document,
            model,
            level=changes.level,
            source=network.source,
            provenance=network.provenance,
            removed=changes.overriding,
        )
    return apply_edits(document, edits)


@dataclass
class _Changes:
    """What is to be done to a document, gathered before any of it is done."""

    document: SourceDocument
    model: Any
    level: int
    edits: list[Edit] = field(default_factory=list)
    overriding: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def listed(self, parent: Any, container: str, *names: str) -> dict[str, Any]:
        """Return id → element for the elements of one list, in document order."""
        path = f"{_sbml(self.document, container)}/"
        found = [e for name in names for e in parent.iterfind(path + _sbml(self.document, name))]
        # What later is the id is called the name in level 1.
        return {element.get("name" if self.level == 1 else "id"): element for element in found}

    def assigned(self, container: str, name: str, attribute: str) -> dict[str, Any]:
        """Return target → element for initial assignments or rules."""
        path = f"{_sbml(self.document, container)}/{_sbml(self.document, name)}"
        return {element.get(attribute): element for element in self.model.iterfind(path)}

    def assignment_rules(self) -> dict[str, Any]:
        """Return parameter → its assignment rule."""
        if self.level > 1:
            return self.assigned("listOfRules", "assignmentRule", "variable")
        rules = self.assigned("listOfRules", "parameterRule", "name")
        return {name: rule for name, rule in rules.items() if rule.get("type") != "rate"}


def _change_compartments(network: ReactionNetwork, changes: _Changes) -> None:
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


def _change_parameters(network: ReactionNetwork, changes: _Changes) -> None:
    everywhere = changes.listed(changes.model, "listOfParameters", "parameter")
    reactions = changes.listed(changes.model, "listOfReactions", "reaction")
    rules = changes.assignment_rules()
    assignments = changes.assigned("listOfInitialAssignments", "initialAssignment", "symbol")
    values = {p.id: float(p.value) for p in network.parameters}
    for name in sorted(network.explicit | network.changed):  # a set has no order of its own
        reaction, _, local = name.partition(".")
        element = everywhere.get(name)
        if local and reaction in reactions:
            element = _local_parameters(changes, reactions[reaction]).get(local)
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


def _local_parameters(changes: _Changes, reaction: Any) -> dict[str, Any]:
    law = reaction.find(_sbml(changes.document, "kineticLaw"))
    if law is None:
        return {}
    return changes.listed(law, "listOfParameters", "parameter") | changes.listed(
        law, "listOfLocalParameters", "localParameter"
    )


def _change_species(network: ReactionNetwork, changes: _Changes) -> None:
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


def _initial_value(species: Species, element: Any, changes: _Changes) -> Edit | None:
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


def _removals(changes: _Changes) -> Iterator[Edit]:
    """Remove overriding initial assignments, and their list if nothing is left in it."""
    leaving = set(changes.overriding.values())
    for container in {element.getparent() for element in leaving}:
        inside = container.findall(_sbml(changes.document, "initialAssignment"))
        if leaving.issuperset(inside):  # before level 3 version 2 a list may not be empty
            yield _removal(changes.document, container)
        else:
            yield from (_removal(changes.document, e) for e in inside if e in leaving)


def _removal(document: SourceDocument, element: Any) -> Edit:
    """Remove an element, with its lines if nothing else stands on them."""
    start, stop = document.spans[element][0], element_stop(document, element)
    before = document.data.rfind(b"\n", 0, start) + 1
    after = document.data.find(b"\n", stop) + 1
    alone = not document.data[before:start].strip() and not document.data[stop:after].strip()
    return Edit(before, after, "") if alone and after else Edit(start, stop, "")


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


def _provenance_problems(provenance: Provenance) -> Iterator[str]:
    texts = {
        "data_name": provenance.data_name,
        "data_sha256": provenance.data_sha256,
        "estimator": provenance.estimator,
        **{f"software '{name}'": f"{name} {v}" for name, v in provenance.software.items()},
        **{f"setting '{name}'": f"{name} {v}" for name, v in provenance.settings.items()},
    }
    for what, text in texts.items():
        if found := _FORBIDDEN.search(text):
            yield f"provenance, {what}: XML cannot hold the character {found[0]!r}; leave it out"
    try:
        w3c_date(provenance.finished)
    except ValueError:
        yield (
            f"provenance, finished: {provenance.finished!r} is no ISO 8601 date and time; "
            "give one such as 2026-01-31T12:00:00Z"
        )


def _sbml(document: SourceDocument, name: str) -> str:
    return f"{document.root.tag.rpartition('}')[0]}}}{name}"


def _refusal(network: ReactionNetwork, problems: list[str]) -> WriteError:
    listed = "\n".join(f"  - {problem}" for problem in problems)
    return WriteError(f"model '{network.id}' cannot be written as SBML:\n{listed}")
