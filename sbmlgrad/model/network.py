"""The frozen reaction network: what an SBML model says, before any mode of simulation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import ParameterError
from sbmlgrad.model.elements import (
    Compartment,
    Element,
    Event,
    Parameter,
    Reaction,
    Species,
    SpeciesReference,
)
from sbmlgrad.model.expression import Expression
from sbmlgrad.model.issues import Issue
from sbmlgrad.model.numbers import as_number
from sbmlgrad.model.provenance import Provenance


def _nothing() -> Mapping[str, Expression]:
    return MappingProxyType({})


@dataclass(frozen=True)
class ReactionNetwork:
    """A reaction network as loaded: immutable, comparable, independent of any file.

    Attributes:
        id: model id.
        compartments: in document order.
        species: in document order, those that never change included.
        parameters: global parameters in document order, then local ones as `reaction.parameter`.
        reactions: in document order.
        references: species references with an id, in document order.
        initial_assignments: symbol → expression, evaluated at the start for the parameters given.
        assignment_rules: symbol → expression that holds at all times, in what the symbol means.
        rate_rules: symbol → its rate of change, in what the symbol means.
        events: in document order.
        explicit: ids of parameters whose value was set by the user and wins over their initial
            assignment.
        changed: ids of all parameters whose value was set by the user; left out of equality.
        time_unit, extent_unit: as written in reports.
        items_per_extent: molecules per unit of reaction extent.
        mass_action: `"as_written"` or `"combinatorial"`: how a law such as `k*A*A` is read.
        initial: `"strict"`, `"round"` or `"randomised"`: non-integer initial counts.
        issues: what the importer found; left out of equality, as are units and the next two.
        judged_issues: those of `issues` that other parameter values are judged anew for
            (`model.channels`).
        source: the original document, or None.
        provenance: how the values came about, or None.
    """

    id: str
    compartments: tuple[Compartment, ...] = ()
    species: tuple[Species, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    references: tuple[SpeciesReference, ...] = ()
    initial_assignments: Mapping[str, Expression] = field(default_factory=_nothing)
    assignment_rules: Mapping[str, Expression] = field(default_factory=_nothing)
    rate_rules: Mapping[str, Expression] = field(default_factory=_nothing)
    events: tuple[Event, ...] = ()
    explicit: frozenset[str] = frozenset()
    changed: frozenset[str] = field(default=frozenset(), compare=False)
    time_unit: str = field(default="", compare=False)
    extent_unit: str = field(default="item", compare=False)
    items_per_extent: float = 1.0
    mass_action: str = "as_written"
    initial: str = "strict"
    name: str = ""
    issues: tuple[Issue, ...] = field(default=(), compare=False)
    judged_issues: tuple[Issue, ...] = field(default=(), compare=False, repr=False)
    source: bytes | None = field(default=None, compare=False, repr=False)
    provenance: Provenance | None = field(default=None, compare=False)

    def __hash__(self) -> int:
        # Coarse on purpose, as mappings have no hash: equal networks have equal ids.
        return hash((self.id, tuple(s.id for s in self.species), len(self.reactions)))

    @cached_property
    def species_ids(self) -> tuple[str, ...]:
        """Ids of the species that make up the state, in document order.

        Those that reactions, events or rate rules may change; a species set by an assignment rule
        is a function of the state.
        """
        return tuple(s.id for s in self.species if self._is_state(s))

    def _is_state(self, species: Species) -> bool:
        if species.id in self.assignment_rules:
            return False
        # Molecules stay when a volume changes, so that the concentration of anything in it moves.
        is_diluted = not species.only_substance_units and (
            species.compartment in self._moved or species.compartment in self.assignment_rules
        )
        return species.changes or species.id in self._moved or is_diluted

    @cached_property
    def state_species(self) -> frozenset[str]:
        """Ids of the species that make up the state."""
        return frozenset(self.species_ids)

    @cached_property
    def counted(self) -> frozenset[str]:
        """Ids of the species that come in whole molecules.

        A species that only events or rate rules change is a quantity of any value.
        """
        touched = frozenset().union(*(reaction.species for reaction in self.reactions))
        return frozenset(
            s.id
            for s in self.species
            if s.changes
            and s.id in self.state_species
            and (s.id in touched or s.id not in self._moved)
        )

    @cached_property
    def in_counts(self) -> Mapping[str, Expression]:
        """What every symbol means, with species symbols as counts (`model.rules.meanings`)."""
        from sbmlgrad.model.rules import meanings

        return meanings(self, counts=True)

    @cached_property
    def in_amounts(self) -> Mapping[str, Expression]:
        """What every symbol means, with species symbols as amounts (`model.rules.meanings`)."""
        from sbmlgrad.model.rules import meanings

        return meanings(self, counts=False)

    @cached_property
    def set_by_events(self) -> frozenset[str]:
        """Ids of the symbols that events assign."""
        return frozenset().union(*(event.assignments for event in self.events))

    @cached_property
    def variable_ids(self) -> tuple[str, ...]:
        """Ids of what else makes up the state: other symbols that events or rate rules change.

        Parameters, compartments and species references, in this order; those whose initial value is
        drawn at random are among them.
        """
        elements = (*self.parameters, *self.compartments, *self.references)
        free = (e.id for e in elements if e.id not in self.assignment_rules)
        return tuple(id for id in free if id in self._moved)

    @cached_property
    def _moved(self) -> frozenset[str]:
        """Symbols with a value of their own in every trajectory, whatever reactions do."""
        from sbmlgrad.model.initial import random_at_start

        return self.set_by_events | self.rate_rules.keys() | random_at_start(self)

    @cached_property
    def parameter_ids(self) -> tuple[str, ...]:
        """Ids of global, then local parameters, without those that assignment rules set."""
        return tuple(p.id for p in self.parameters if p.id not in self.assignment_rules)

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
    def by_id(self) -> Mapping[str, Element]:
        """Every element that a symbol can name."""
        elements: tuple[Element, ...] = (
            *self.compartments,
            *self.species,
            *self.parameters,
            *self.references,
            *self.reactions,
        )
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
