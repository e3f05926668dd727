"""Compartments, species and parameters of an SBML document, and the units that counts need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from typing import Any

from sbmlgrad.io.sbml import support
from sbmlgrad.io.sbml.substance import SubstanceUnit, litres, substance_unit, units_differ
from sbmlgrad.model.elements import NO_VALUE, Compartment, Species
from sbmlgrad.model.initial import initial_counts, initial_values
from sbmlgrad.model.issues import NOTHING, STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.units import whole_number


@dataclass
class QuantityReader:
    """Reads one `libsbml.Model`, adding to a shared list of issues.

    Attributes:
        model: `libsbml.Model`.
        substance: the unit that the user chose for the whole model, or None.
        issues: list that problems are added to.
        taken: ids of the elements read so far.
    """

    model: Any
    substance: SubstanceUnit | None
    issues: list[Issue]
    taken: set[str] = field(default_factory=set)

    def named(self, elements: Iterable[Any]) -> Iterator[Any]:
        """Yield the elements whose id no element before has; refuse the others."""
        for element in elements:
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

    def each(self, kind: str) -> Iterator[Any]:
        """Yield the elements of one kind in document order, those with an id of their own."""
        get = getattr(self.model, f"get{kind}")
        plural = kind if kind == "Species" else f"{kind}s"
        count = getattr(self.model, f"getNum{plural}")()
        yield from self.named(get(i) for i in range(count))

    def compartment(self, element: Any) -> Compartment:
        """Return a compartment; in level 1 its size is 1 where none is given."""
        has_size = element.isSetSize() or element.getLevel() == 1
        size = element.getSize() if has_size else NO_VALUE
        line = element.getLine() or None
        unit = litres(self.model, element)
        return Compartment(element.getId(), size, support.name_of(element), line, unit)

    def species(self, element: Any, sizeless: frozenset[str], compartments: set[str]) -> Species:
        """Return a species.

        Args:
            element: `libsbml.Species`.
            sizeless: compartments that are points: what is in them has no concentration.
            compartments: ids of compartments.
        """
        place = element.getCompartment()
        if place not in compartments:
            # No other element is called like this.
            place = f"{place} (missing)"
            self.issues.append(
                support.refused(
                    "undefined_symbol",
                    element.getId(),
                    element.getLine(),
                    f"its compartment '{element.getCompartment()}' does not exist.",
                    "Define the compartment.",
                )
            )
        unit = self._substance(element)
        if not unit.is_substance:
            self._ambiguous(
                element.getId(),
                element.getLine(),
                f"its substance unit '{unit.name}' is no number of molecules.",
                'Give a unit of item or mole, or load with substance="item" or "mole".',
            )
        has_concentration = element.isSetInitialConcentration()
        return Species(
            id=element.getId(),
            name=support.name_of(element),
            compartment=place,
            initial_amount=element.getInitialAmount() if element.isSetInitialAmount() else None,
            initial_concentration=element.getInitialConcentration() if has_concentration else None,
            only_substance_units=element.getHasOnlySubstanceUnits()
            or element.getCompartment() in sizeless,
            boundary=element.getBoundaryCondition(),
            constant=element.getConstant(),
            items_per_substance=unit.items if unit.items and unit.is_substance else 1.0,
            unit=unit.name,
            conversion_factor=self._conversion_factor(element),
            line=element.getLine() or None,
        )

    def _conversion_factor(self, species: Any) -> str:
        own = species.isSetConversionFactor()
        name = species.getConversionFactor() if own else self.model.getConversionFactor()
        if not name:
            return ""
        parameter = self.model.getParameter(name)
        if parameter is not None and parameter.getConstant():
            return name
        problem = "no parameter of the model" if parameter is None else "not constant"
        owner = species if own else self.model
        self.issues.append(
            support.refused(
                "invalid_sbml",
                species.getId(),
                owner.getLine(),
                f"its conversion factor '{name}' is {problem}, and a conversion between units "
                "needs one number.",
                f"Define '{name}' as a parameter with constant=\"true\".",
            )
        )
        return ""

    def _substance(self, species: Any) -> SubstanceUnit:
        if self.substance is not None:
            return self.substance
        reference = species.getSubstanceUnits()
        if not reference:
            is_level_2 = self.model.getLevel() < 3
            reference = "substance" if is_level_2 else self.model.getSubstanceUnits()
        return substance_unit(self.model, reference)

    def extent(self) -> SubstanceUnit:
        """Return the unit of reaction extent."""
        if self.substance is not None:
            return self.substance
        is_level_3 = self.model.getLevel() >= 3
        reference = self.model.getExtentUnits() if is_level_3 else "substance"
        return substance_unit(self.model, reference)

    def items_per_extent(self, species: tuple[Species, ...]) -> float:
        """Return the molecules per unit of reaction extent."""
        unit = self.extent()
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

    def judge_different_units(self, reacting: Set[str]) -> None:
        """Warn of species whose substance unit is not that of reactions, without a factor between.

        SBML converts nothing by itself: a firing of one unit of extent changes a species by its
        stoichiometry in the species' own unit (SBML L3V2 section 4.11.7).

        Args:
            reacting: ids of species that reactions change.
        """
        extent = self.extent()
        if not extent.items or self.model.isSetConversionFactor():
            return
        for species in map(self.model.getSpecies, range(self.model.getNumSpecies())):
            if species.getId() not in reacting or species.isSetConversionFactor():
                continue
            unit = self._substance(species)
            if not unit.items or not unit.differs_from(extent):
                continue
            factor = extent.items / unit.items
            self.issues.append(
                units_differ(
                    species.getId(),
                    species.getLine() or None,
                    f"it is counted in '{unit.name}' and reactions in '{extent.name}', without a "
                    "conversion factor. SBML converts no units: one "
                    f"{extent.name} of a reaction changes it by its stoichiometry in {unit.name}, "
                    f"not by {factor:g} times as much.",
                    f"If the amounts are meant to agree, write a conversionFactor of {factor:g}; "
                    'if one unit is a mistake, correct it or load with substance="item" or "mole".',
                )
            )

    def judge_missing_units(self, network: ReactionNetwork) -> None:
        """Say what amounts are taken as where no unit is given."""
        if self.substance is not None or all(s.unit for s in network.species if s.changes):
            return
        counts = initial_counts(network, initial_values(network), {})
        fractional = [
            s
            for s, n in zip(network.species_ids, counts, strict=True)
            if s in network.counted and n == n and whole_number(float(n)) is None
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
