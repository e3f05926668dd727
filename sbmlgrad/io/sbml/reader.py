"""SBML bytes → `ReactionNetwork`: levels 1 to 3, through libSBML, every problem collected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import libsbml

from sbmlgrad.io.sbml import support
from sbmlgrad.io.sbml.comp import flatten
from sbmlgrad.io.sbml.cycles import without_cycles
from sbmlgrad.io.sbml.events import draw_issues, read_events, with_starts
from sbmlgrad.io.sbml.functions import read_functions
from sbmlgrad.io.sbml.law_units import law_unit_issues
from sbmlgrad.io.sbml.quantities import QuantityReader
from sbmlgrad.io.sbml.reaction_rates import with_rates_written_out
from sbmlgrad.io.sbml.reactions import read_parameter, read_reactions
from sbmlgrad.io.sbml.root import root_issues
from sbmlgrad.io.sbml.rules import Formulas, read_formulas
from sbmlgrad.io.sbml.safe_xml import check_xml
from sbmlgrad.io.sbml.scope import Scope
from sbmlgrad.io.sbml.stoichiometry import reference_of, species_references
from sbmlgrad.io.sbml.substance import chosen, time_unit
from sbmlgrad.io.sbml.targets import assigned_somewhere
from sbmlgrad.io.sbml.targets import events as events_of
from sbmlgrad.io.sbml.validation import consistency_issues
from sbmlgrad.io.sbml.volumes import volume_issues
from sbmlgrad.model.channels import channels
from sbmlgrad.model.elements import Compartment, Species, SpeciesReference
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.issues import EVERY_MODE, Issue
from sbmlgrad.model.lines import located, without_lines
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.time_zero import readiness_issues


def read_sbml(
    data: bytes,
    *,
    name: str = "SBML text",
    folder: Path | None = None,
    substance: str | None = None,
    initial: str = "strict",
    mass_action: str = "as_written",
    thorough: bool = False,
) -> tuple[ReactionNetwork | None, tuple[Issue, ...]]:
    """Read an SBML document.

    Args:
        data: the document's bytes.
        name: what to call it in messages.
        folder: where its file stands, for models in files beside it; None for text.
        substance: None, `"item"` or `"mole"`: a unit of substance, over the document's word.
        initial: `"strict"`, `"round"` or `"randomised"`: non-integer initial counts.
        mass_action: `"as_written"` or `"combinatorial"`.
        thorough: also run libSBML's own validation and report what it finds as warnings.

    Returns:
        The network, or None if an issue prevents every mode of simulation; and all issues.
    """
    problems = check_xml(data, name=name) or tuple(root_issues(data))
    if problems:
        return None, problems
    document = libsbml.readSBMLFromString(_text(data))
    found_first, is_sound = support.document_issues(document)
    issues = [*found_first]
    if document.getModel() is None and is_sound:
        issues.append(
            support.refused("invalid_sbml", "sbml", None, "no model element.", "Add a model.")
        )
    if document.getModel() is None or not is_sound:
        return None, tuple(issues)
    flat, remarks = flatten(document, folder)
    issues += remarks
    if any(issue.blocks for issue in remarks):
        return None, tuple(issues)
    if flat is not None:
        # Read again what will be written, as the printer of formulas merges nested sums.
        data, document = flat, libsbml.readSBMLFromString(flat.decode())
    issues += support.remarks(document)
    model = document.getModel()
    reader = _ModelReader(model, QuantityReader(model, chosen(substance), issues))
    network, formulas = reader.network(data, initial, mass_action)
    if thorough:
        issues += consistency_issues(document, network, data)
    network = reader.resolved(network, formulas)
    # What was refused is left out of the network, so that the rest can be judged all the same.
    firing, channel_issues = channels(network)
    network = replace(network, events=with_starts(network.events, initial_values(network)))
    found = located(network, (*issues, *channel_issues))
    network = replace(network, issues=found, judged_issues=found[len(issues) :])
    if thorough:
        found += readiness_issues(network, firing, found)
    if flat is not None:
        network, found = without_lines(network, found)
    is_refused = any(issue.blocks >= EVERY_MODE for issue in network.issues)
    return None if is_refused else network, found


def _text(data: bytes) -> str:
    """Decode a document and let it declare UTF-8, which is how libSBML is handed text.

    It insists on a declaration with an encoding, which XML does not.
    """
    is_utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = data.decode("utf-16" if is_utf16 else "utf-8-sig")
    end = text.index("?>") + 2 if re.match(r"<\?xml\s", text) else 0
    # Line numbers stay.
    lines = "\n" * text.count("\n", 0, end)
    return f'<?xml version="1.0" encoding="UTF-8"?>{lines}{text[end:]}'


class _ModelReader:
    """Reads one `libsbml.Model`."""

    def __init__(self, model: Any, quantities: QuantityReader) -> None:
        self.model = model
        self.quantities = quantities
        self.issues = quantities.issues
        self.assigned = assigned_somewhere(model)
        self.constant: set[str] = set()

    def network(
        self, source: bytes, initial: str, mass_action: str
    ) -> tuple[ReactionNetwork, Formulas]:
        """Return the network with formulas as written, and the formulas with their lines."""
        model, quantities = self.model, self.quantities
        for _ in quantities.each("FunctionDefinition"):
            pass  # they share the ids of everything else
        functions = read_functions(model, self.issues)
        compartments, species = self._places()
        parameters = tuple(
            read_parameter(p, p.getId())
            for p in self._noting_constant(quantities.each("Parameter"))
        )
        reactions = tuple(quantities.each("Reaction"))
        references = tuple(self._references(reactions))
        for _ in quantities.named(event for event in events_of(model) if event.getId()):
            pass  # likewise
        names = {x.id for x in (*compartments, *species, *parameters, *references)}
        reacting = _reacting(reactions, species)
        quantities.judge_different_units(reacting)
        self.issues += law_unit_issues(model)
        scope = Scope(
            level=model.getLevel(),
            functions=functions,
            names=frozenset(names),
            reactions=frozenset(r.getId() for r in reactions),
            targets=frozenset(names),
            constant=frozenset(self.constant),
            reacting=reacting,
            issues=self.issues,
        )
        read, local_parameters = read_reactions(
            reactions, frozenset(s.id for s in species), self.assigned, scope
        )
        formulas = read_formulas(model, scope)
        network = ReactionNetwork(
            id=model.getId() or model.getName() or "model",
            name=support.name_of(model),
            compartments=compartments,
            species=species,
            parameters=(*parameters, *local_parameters),
            reactions=read,
            references=references,
            initial_assignments=MappingProxyType(formulas.initial),
            assignment_rules=MappingProxyType(formulas.assignment),
            rate_rules=MappingProxyType(formulas.rate),
            events=read_events(model, scope, formulas.ruled),
            time_unit=time_unit(model),
            extent_unit=quantities.extent().name,
            items_per_extent=quantities.items_per_extent(species),
            mass_action=mass_action,
            initial=initial,
            source=source,
        )
        return network, formulas

    def resolved(self, network: ReactionNetwork, formulas: Formulas) -> ReactionNetwork:
        """Return the network without cycles and with the rates of reactions written out."""
        network = without_cycles(network, formulas.lines, self.issues)
        network = with_rates_written_out(network, self.issues)
        self.issues += draw_issues(network.initial_assignments, formulas.lines, network.events)
        self.quantities.judge_missing_units(network)
        self.issues += volume_issues(network)
        return network

    def _places(self) -> tuple[tuple[Compartment, ...], tuple[Species, ...]]:
        elements = tuple(self._noting_constant(self.quantities.each("Compartment")))
        ids = {c.getId() for c in elements}
        sizeless = frozenset(c.getId() for c in elements if self._is_point(c))
        species = tuple(
            self.quantities.species(s, sizeless, ids)
            for s in self._noting_constant(self.quantities.each("Species"))
        )
        # Their species were refused; the rest is judged as if they were there.
        missing = dict.fromkeys(s.compartment for s in species if s.compartment not in ids)
        compartments = (self.quantities.compartment(c) for c in elements)
        return (*compartments, *(Compartment(c) for c in missing)), species

    def _references(self, reactions: Sequence[Any]) -> Iterator[SpeciesReference]:
        """Yield the species references that formulas can name, which level 2 does not let them."""
        found = (r for reaction in reactions for r in species_references(reaction) if r.getId())
        for reference in self._noting_constant(self.quantities.named(found)):
            if self.model.getLevel() >= 3:
                yield reference_of(reference)

    def _is_point(self, compartment: Any) -> bool:
        """Tell whether a compartment has no extent; level 3 allows a size without dimensions."""
        if compartment.getSpatialDimensionsAsDouble() != 0.0:
            return False
        return not (compartment.isSetSize() or compartment.getId() in self.assigned)

    def _noting_constant(self, elements: Iterable[Any]) -> Iterator[Any]:
        """Pass elements on, noting which the document calls constant; level 1 has no such word."""
        for element in elements:
            if self.model.getLevel() > 1 and element.getConstant():
                self.constant.add(element.getId())
            yield element


def _reacting(reactions: Sequence[Any], species: Sequence[Species]) -> frozenset[str]:
    changing = {s.id for s in species if s.changes}
    touched = {r.getSpecies() for reaction in reactions for r in species_references(reaction)}
    return frozenset(changing & touched)
