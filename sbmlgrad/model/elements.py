"""The elements of a reaction network: compartments, species, parameters, reactions, events.

Ids are the SBML ids, verbatim. A local parameter is the symbol `reaction_id.parameter_id`;
shadowing is resolved by the importer, so that an id means one thing in the whole network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sbmlgrad.model.expression import Expression

#: Relative slack of whole numbers: products such as 0.1 * 30 are off by a few ulp.
WHOLE_NUMBER_TOLERANCE = 1e-12

#: The value of a symbol whose document gives none.
NO_VALUE = float("nan")


@dataclass(frozen=True, slots=True)
class Compartment:
    """A compartment; `size` is NaN where the document gives none.

    `line`, here and below, is the line in the source document, left out of equality. `litres` is
    the volume that is a size of 1, NaN where the document does not say or the size is no volume.
    """

    id: str
    size: float = NO_VALUE
    name: str = ""
    line: int | None = field(default=None, compare=False)
    litres: float = field(default=NO_VALUE, compare=False)


@dataclass(frozen=True, slots=True)
class Species:
    """A species.

    Attributes:
        id: SBML id.
        compartment: id of its compartment.
        initial_amount: in substance units, or None.
        initial_concentration: in substance units per unit of compartment size, or None.
        only_substance_units: SBML `hasOnlySubstanceUnits`: the symbol means an amount, else a
            concentration.
        boundary: SBML `boundaryCondition`: reactions do not change it.
        constant: nothing changes it.
        items_per_substance: molecules per substance unit (1 for item, N_A times scale for mole).
        unit: substance unit as written in reports.
        conversion_factor: id of the parameter that turns extent into this species' substance
            (SBML L3 section 4.6.8); empty for none.
    """

    id: str
    compartment: str
    initial_amount: float | None = None
    initial_concentration: float | None = None
    only_substance_units: bool = False
    boundary: bool = False
    constant: bool = False
    items_per_substance: float = 1.0
    unit: str = field(default="item", compare=False)
    name: str = ""
    conversion_factor: str = ""
    line: int | None = field(default=None, compare=False)

    @property
    def changes(self) -> bool:
        """Whether reactions may change it."""
        return not (self.boundary or self.constant)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter; a local one has the id `reaction.parameter`. NaN where no value is given."""

    id: str
    value: float = NO_VALUE
    unit: str = field(default="", compare=False)
    name: str = ""
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SpeciesReference:
    """A reactant or product with an id, whose stoichiometry formulas can use or something can set.

    `value` is the stoichiometry in the document, NaN where it gives none.
    """

    id: str
    value: float = NO_VALUE
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Stoichiometry:
    """A reactant or product whose stoichiometry is a formula instead of a number.

    Attributes:
        species: id of the species.
        number: the formula; the id of a `SpeciesReference` that something sets, for instance.
        is_product: whether it is made, else consumed.
    """

    species: str
    number: Expression
    is_product: bool


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction.

    Attributes:
        id: SBML id.
        reactants: species id → stoichiometry; several references to one species are summed.
        products: likewise.
        modifiers: ids of species that the document lists as modifiers.
        rate_law: kinetic law in extent per time, as written, functions inlined.
        reversible: the SBML attribute; how the law is split is decided on its sign structure.
        line: line in the source document, left out of equality.
        formulas: reactants and products whose stoichiometry is a formula.
        is_propensity: whether the document says that the law is the propensity of one direction, as
            the normalised form does; such a law is not split.
    """

    id: str
    reactants: Mapping[str, float]
    products: Mapping[str, float]
    rate_law: Expression
    modifiers: tuple[str, ...] = ()
    reversible: bool = False
    line: int | None = field(default=None, compare=False)
    name: str = ""
    formulas: tuple[Stoichiometry, ...] = ()
    is_propensity: bool = False

    @property
    def species(self) -> frozenset[str]:
        """Ids of its reactants and products."""
        return frozenset((*self.reactants, *self.products, *(f.species for f in self.formulas)))

    def net_change(self) -> dict[str, float]:
        """Return species id → products minus reactants, entries of zero left out."""
        net: dict[str, float] = {}
        for species in (*self.reactants, *self.products):
            consumed, made = self.reactants.get(species, 0.0), self.products.get(species, 0.0)
            # Fractions such as 0.3 and 0.1 + 0.2 differ by rounding alone.
            if abs(made - consumed) > WHOLE_NUMBER_TOLERANCE * (abs(made) + abs(consumed)):
                net[species] = made - consumed
        return net


@dataclass(frozen=True, slots=True)
class Event:
    """An event (SBML L3V2 section 4.11): what happens when a condition becomes true.

    Attributes:
        id: SBML id, or `event 1`, `event 2`, ... for those without one.
        trigger: condition; the event is triggered where it turns from false to true.
        assignments: symbol → formula for its new value, in what the symbol means; all formulas are
            evaluated before any value changes.
        delay: time from trigger to execution, or None.
        priority: of events executed at one time the largest comes first, ties at random; or None.
        initial_value: value of the trigger before time 0; False lets it fire at time 0. Left out of
            equality, because it matters only where the trigger is true then.
        fires_at_start: whether it fires at time 0 with the values of the document; it serves
            equality alone, engines look at `initial_value`.
        persistent: whether it is executed even if the trigger becomes false in the meantime.
        use_trigger_values: whether formulas are evaluated when triggered, else when executed.
        line: line in the source document, left out of equality.
    """

    id: str
    trigger: Expression
    assignments: Mapping[str, Expression]
    delay: Expression | None = None
    priority: Expression | None = None
    initial_value: bool = field(default=True, compare=False)
    persistent: bool = True
    use_trigger_values: bool = True
    fires_at_start: bool = False
    line: int | None = field(default=None, compare=False)
    name: str = ""


#: Elements that a symbol can name.
Element = Compartment | Species | Parameter | SpeciesReference | Reaction
