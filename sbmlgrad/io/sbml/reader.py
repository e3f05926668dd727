"""SBML bytes → `ReactionNetwork`: levels 2 and 3, through libSBML, every problem collected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import libsbml

from sbmlgrad.io.sbml import support
from sbmlgrad.io.sbml.assignments import read_initial_assignments
from sbmlgrad.io.sbml.functions import read_functions
from sbmlgrad.io.sbml.reactions import parameter_value, read_reactions
from sbmlgrad.io.sbml.safe_xml import check_xml
from sbmlgrad.io.sbml.substance import SubstanceUnit, chosen, substance_unit, time_unit
from sbmlgrad.model.channels import channels
from sbmlgrad.model.elements import NO_VALUE, Compartment, Parameter, Species
from sbmlgrad.model.initial import initial_counts, initial_values
from sbmlgrad.model.issues import EVERY_MODE, NOTHING, STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.units import whole_number


def read_sbml(
    data: bytes,
    *,
    name: str = "SBML text",
    substance: str | None = None,
    initial: str = "strict",
    mass_action: str = "as_written",
    thorough: bool = False,
) -> tuple[ReactionNetwork | None, tuple[Issue, ...]]:
    """Read an SBML document.

    Args:
        data: the document's bytes.
        name: what to call it in messages.
        substance: None, `"item"` or `"mole"`: a unit of substance, over the document's word.
        initial: `"strict"`, `"round"` or `"randomised"`: non-integer initial counts.
        mass_action: `"as_written"` or `"combinatorial"`.
        thorough: also run libSBML's own validation and report what it finds as warnings.

    Returns:
        The network, or None if an issue prevents every mode of simulation; and all issues.
    """
    problems = check_xml(data, name=name)
    if problems:
        return None, tuple(problems)
    document = libsbml.readSBMLFromString(_text(data))
    issues = [*support.read_issues(document), *support.level_issues(document)]
    model = document.getModel()
    if model is None and not issues:
        issues.append(
            support.refused("invalid_sbml", "sbml", None, "no model element.", "Add a model.")
        )
    if issues:
        return None, tuple(issues)
    issues += support.package_issues(document)
    issues += support.construct_issues(model)
    if thorough:
        issues += support.consistency_issues(document)
    reader = _ModelReader(model, chosen(substance), issues)
    network = reader.network(data, initial, mass_action)
    # What was refused is left out of the network, so that the rest can be judged all the same.
    _, channel_issues = channels(network)
    found = (*issues, *channel_issues)
    if any(issue.blocks >= EVERY_MODE for issue in found):
        return None, found
    return replace(network, issues=found), found


def _text(data: bytes) -> str:
    """Decode a document and let it say UTF-8, which is how libSBML is handed text."""
    is_utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = data.decode("utf-16" if is_utf16 else "utf-8-sig")
    end = text.find("?>") if text.startswith("<?xml") else 0
    encoding = r"""encoding\s*=\s*["'][^"']*["']"""
    return re.sub(encoding, 'encoding="UTF-8"', text[:end]) + text[end:]


class _ModelReader:
    """Reads one `libsbml.Model`, adding to a shared list of issues."""

    def __init__(self, model: Any, substance: SubstanceUnit | None, issues: list[Issue]) -> None:
        self.model = model
        self.substance = substance
        self.issues = issues
        self.taken: set[str] = set()

    def network(self, data: bytes, initial: str, mass_action: str) -> ReactionNetwork:
        model = self.model
        for _ in self._named("FunctionDefinition"):
            pass  # they share the ids of everything else
        functions = read_functions(model, self.issues)
        compartments = tuple(self._compartments())
        dimensions = {
            c.getId(): c.getSpatialDimensionsAsDouble() for c in _each(model, "Compartment")
        }
        species = tuple(self._species(dimensions))
        parameters = tuple(
            Parameter(p.getId(), parameter_value(p), p.getUnits(), support.name_of(p))
            for p in self._named("Parameter")
        )
        known = {x.id for x in (*compartments, *species, *parameters)}
        # Their species were refused; the rest is judged as if they were there.
        missing = dict.fromkeys(s.compartment for s in species if s.compartment not in dimensions)
        elements = tuple(self._named("Reaction"))
        reactions, local_parameters = read_reactions(
            elements, known, {s.id for s in species}, functions, self.issues
        )
        network = ReactionNetwork(
            id=model.getId() or model.getName() or "model",
            name=support.name_of(model),
            compartments=(*compartments, *(Compartment(c) for c in missing)),
            species=species,
            parameters=(*parameters, *local_parameters),
            reactions=reactions,
            time_unit=time_unit(model),
            extent_unit=self._extent().name,
            items_per_extent=self._items_per_extent(species),
            mass_action=mass_action,
            initial=initial,
            source=data,
        )
        assignments = read_initial_assignments(model, network, known, functions, self.issues)
        network = replace(network, initial_assignments=assignments)
        self._judge_missing_units(network)
        return network

    def _named(self, kind: str) -> Iterator[Any]:
        """Yield the elements whose id no element before has; refuse the others."""
        for element in _each(self.model, kind):
            name = element.getId()
            if name not in self.taken:
                self.taken.add(name)
                yield element
                continue
            self.issues.append(
                support.refused(
                    "invalid_sbml",
                    name,
                    element.getLine(),
                    "an element before it has the same id.",
                    "Give every element an id of its own.",
                )
            )

    def _compartments(self) -> Iterator[Compartment]:
        for c in self._named("Compartment"):
            size = c.getSize() if c.isSetSize() else NO_VALUE
            yield Compartment(c.getId(), size, support.name_of(c))

    def _species(self, dimensions: Mapping[str, float]) -> Iterator[Species]:
        for s in self._named("Species"):
            if s.getCompartment() not in dimensions:
                self.issues.append(
                    support.refused(
                        "undefined_symbol",
                        s.getId(),
                        s.getLine(),
                        f"its compartment '{s.getCompartment()}' does not exist.",
                        "Define the compartment.",
                    )
                )
            if s.isSetConversionFactor() or self.model.isSetConversionFactor():
                self.issues.append(
                    support.refused(
                        "conversion_factor",
                        s.getId(),
                        s.getLine(),
                        "conversion factors are not accepted yet.",
                        "Use the same unit for substance and extent.",
                    )
                )
            unit = self._substance(s)
            if not unit.is_substance:
                self._ambiguous(
                    s.getId(),
                    s.getLine(),
                    f"its substance unit '{unit.name}' is no number of molecules.",
                    'Give a unit of item or mole, or load with substance="item" or "mole".',
                )
            yield Species(
                id=s.getId(),
                name=support.name_of(s),
                compartment=s.getCompartment(),
                initial_amount=s.getInitialAmount() if s.isSetInitialAmount() else None,
                initial_concentration=(
                    s.getInitialConcentration() if s.isSetInitialConcentration() else None
                ),
                only_substance_units=s.getHasOnlySubstanceUnits()
                or dimensions.get(s.getCompartment()) == 0.0,
                boundary=s.getBoundaryCondition(),
                constant=s.getConstant(),
                items_per_substance=unit.items if unit.items and unit.is_substance else 1.0,
                unit=unit.name,
            )

    def _substance(self, species: Any) -> SubstanceUnit:
        if self.substance is not None:
            return self.substance
        reference = species.getSubstanceUnits()
        if not reference:
            is_level_2 = self.model.getLevel() < 3
            reference = "substance" if is_level_2 else self.model.getSubstanceUnits()
        return substance_unit(self.model, reference)

    def _extent(self) -> SubstanceUnit:
        if self.substance is not None:
            return self.substance
        is_level_3 = self.model.getLevel() >= 3
        reference = self.model.getExtentUnits() if is_level_3 else "substance"
        return substance_unit(self.model, reference)

    def _items_per_extent(self, species: tuple[Species, ...]) -> float:
        unit = self._extent()
        if unit.items is not None and unit.is_substance:
            return unit.items
        # Without an extent unit, extent is counted in the species' own unit if they share one.
        common = {s.items_per_substance for s in species if s.changes}
        if len(common) > 1:
            self._ambiguous(
                self.model.getId() or "model",
                self.model.getLine(),
                "there is no unit of extent and the species have different substance units, so "
                "it is not known how many molecules one firing changes.",
                "Give extentUnits.",
            )
        return common.pop() if len(common) == 1 else 1.0

    def _judge_missing_units(self, network: ReactionNetwork) -> None:
        if self.substance is not None or all(s.unit for s in network.species if s.changes):
            return
        counts = initial_counts(network, initial_values(network), {})
        fractional = [
            s
            for s, n in zip(network.species_ids, counts, strict=True)
            if n == n and whole_number(float(n)) is None
        ]
        if fractional:
            self._ambiguous(
                network.id,
                self.model.getLine(),
                "no substance unit is given and the initial amount of "
                f"{', '.join(map(repr, fractional))} is not a whole number of molecules.",
                'Load with substance="mole", or with substance="item" and initial="round".',
            )
        else:
            self._ambiguous(
                network.id,
                self.model.getLine(),
                "no substance unit is given; amounts are taken as molecules.",
                'Give substanceUnits="item", or load with substance="item" or "mole".',
                Severity.WARNING,
            )

    def _ambiguous(
        self,
        element: str,
        line: int,
        message: str,
        advice: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        blocks = STOCHASTIC_ONLY if severity is Severity.ERROR else NOTHING
        self.issues.append(
            Issue("units_ambiguous", severity, element, line, message, advice, blocks)
        )


def _each(model: Any, kind: str) -> Iterator[Any]:
    get = getattr(model, f"get{kind}")
    plural = kind if kind == "Species" else f"{kind}s"
    for i in range(getattr(model, f"getNum{plural}")()):
        yield get(i)
