"""The frozen reaction network: what an SBML model says, before any mode of simulation.

Ids are the SBML ids, verbatim. A local parameter is the symbol `reaction_id.parameter_id`;
shadowing is resolved by the importer, so that an id means one thing in the whole network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import ParameterError
from sbmlgrad.model.expression import Expression
from sbmlgrad.model.issues import Issue
from sbmlgrad.model.numbers import as_number
from sbmlgrad.model.provenance import Provenance

#: Relative slack of whole numbers: products such as 0.1 * 30 are off by a few ulp.
WHOLE_NUMBER_TOLERANCE = 1e-12

#: The value of a symbol whose document gives none.
NO_VALUE = float("nan")


@dataclass(frozen=True, slots=True)
class Compartment:
    """A compartment; `size` is NaN where the document gives none."""

    id: str
    size: float = NO_VALUE
    name: str = ""


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
    """

    id: str
    reactants: Mapping[str, float]
    products: Mapping[str, float]
    rate_law: Expression
    modifiers: tuple[str, ...] = ()
    reversible: bool = False
    line: int | None = field(default=None, compare=False)
    name: str = ""

    def net_change(self) -> dict[str, float]:
        """Return species id → products minus reactants, entries of zero left out."""
        net: dict[str, float] = {}
        for species in (*self.reactants, *self.products):
            consumed, made = self.reactants.get(species, 0.0), self.products.get(species, 0.0)
            # Fractions such as 0.3 and 0.1 + 0.2 differ by rounding alone.
            if abs(made - consumed) > WHOLE_NUMBER_TOLERANCE * (abs(made) + abs(consumed)):
                net[species] = made - consumed
        return net


@dataclass(frozen=True)
class ReactionNetwork:
    """A reaction network as loaded: immutable, comparable, independent of any file.

    Attributes:
        id: model id.
        compartments: in document order.
        species: in document order, those that never change included.
        parameters: global parameters in document order, then local ones as `reaction.parameter`.
        reactions: in document order.
        initial_assignments: symbol → expression, evaluated at the start for the parameters given.
        explicit: ids of parameters whose value was set by the user and wins over their initial
            assignment.
        changed: ids of all parameters whose value was set by the user; left out of equality.
        time_unit, extent_unit: as written in reports.
        items_per_extent: molecules per unit of reaction extent.
        mass_action: `"as_written"` or `"combinatorial"`: how a law such as `k*A*A` is read.
        initial: `"strict"`, `"round"` or `"randomised"`: non-integer initial counts.
        issues: what the importer found; left out of equality, as are units and the next two.
        source: the original document, or None.
        provenance: how the values came about, or None.
    """

    id: str
    compartments: tuple[Compartment, ...] = ()
    species: tuple[Species, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    initial_assignments: Mapping[str, Expression] = field(
        default_factory=lambda: MappingProxyType({})
    )
    explicit: frozenset[str] = frozenset()
    changed: frozenset[str] = field(default=frozenset(), compare=False)
    time_unit: str = field(default="", compare=False)
    extent_unit: str = field(default="item", compare=False)
    items_per_extent: float = 1.0
    mass_action: str = "as_written"
    initial: str = "strict"
    name: str = ""
    issues: tuple[Issue, ...] = field(default=(), compare=False)
    source: bytes | None = field(default=None, compare=False, repr=False)
    provenance: Provenance | None = field(default=None, compare=False)

    def __hash__(self) -> int:
        # Coarse on purpose, as mappings have no hash: equal networks have equal ids.
        return hash((self.id, tuple(s.id for s in self.species), len(self.reactions)))

    @cached_property
    def species_ids(self) -> tuple[str, ...]:
        """Ids of the species that can change, in document order."""
        return tuple(s.id for s in self.species if s.changes)

    @cached_property
    def parameter_ids(self) -> tuple[str, ...]:
        """Ids of global, then local parameters, in document order."""
        return tuple(p.id for p in self.parameters)

    @cached_property
    def parameter_values(self) -> NDArray[np.float64]:
        """Parameter values, float64 [parameter]; read-only.

        Initial assignments are evaluated (an explicit value wins); no value is NaN.
        """
        from sbmlgrad.model.initial import parameter_values

        values = parameter_values(self)
        values.flags.writeable = False
        return values

    @cached_property
    def by_id(self) -> Mapping[str, Compartment | Species | Parameter | Reaction]:
        """Every element with an id."""
        elements = (*self.compartments, *self.species, *self.parameters, *self.reactions)
        return MappingProxyType({element.id: element for element in elements})

    def with_parameters(self, values: Mapping[str, float]) -> ReactionNetwork:
        """Return a new network with some parameter values replaced.

        Args:
            values: parameter id → value; an explicit value wins over an initial assignment.

        Raises:
            ParameterError: an id is no parameter of the model, or a value is not finite.
            RequestError: a value is not a number.
        """
        if not isinstance(values, Mapping):
            raise ParameterError(f"with_parameters({values!r}): give a mapping of ids to values")
        check_parameter_names(self, values)
        given = {name: as_number(f"parameter '{name}'", value) for name, value in values.items()}
        for name, value in given.items():
            if not np.isfinite(value):
                raise ParameterError(
                    f"parameter '{name}': the value {value} is not a finite number; "
                    "give a finite value"
                )
        parameters = tuple(
            replace(p, value=given[p.id]) if p.id in given else p for p in self.parameters
        )
        return replace(
            self,
            parameters=parameters,
            explicit=self.explicit | (frozenset(given) & self.initial_assignments.keys()),
            changed=self.changed | frozenset(given),
        )


def check_parameter_names(network: ReactionNetwork, names: Iterable[str]) -> None:
    """Raise a `ParameterError` that names every id that is no parameter of the network."""
    known = set(network.parameter_ids)
    unknown = [name for name in names if name not in known]
    if unknown:
        listed = ", ".join(repr(name) for name in unknown)
        raise ParameterError(
            f"no parameter {listed} in model '{network.id}'; its parameters are "
            f"{', '.join(network.parameter_ids) or '(none)'}"
        )
