"""What unit a column's values have by the model's formula, against the unit in its header."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sbmlgrad.io.tables.substances import Substance, substance_of
from sbmlgrad.model.elements import Compartment, Species
from sbmlgrad.model.expression import Apply, Expression, Number, Symbol
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.problem import Observable, Problem

#: Avogadro's number as people round it, in the units of a model or a scale.
_ROUNDED = 1e-2


@dataclass(frozen=True, slots=True)
class _Measure:
    """A number of times the value of species that share a unit.

    Attributes:
        scale: the number.
        species: one of them.
    """

    scale: float
    species: Species


def unit_faults(problem: Problem) -> Iterator[str]:
    """Yield columns whose unit is known, and not that of the formula they are compared with.

    Formulas are species, sums of them and multiples: those of other symbols, such as a scale that
    is fitted, say nothing about units. A multiple agrees if it is the factor between the units; any
    other is taken as what was meant, such as a dilution, but for the factor turned upside down. A
    scale of 1 that a mapping file names is such a multiple: what it says overrules the model.
    """
    network = problem.network
    units = dict(zip(problem.measurements.observables, problem.measurements.units, strict=True))
    for id, unit in units.items():
        observable = problem.observable.get(id)
        if observable is None:
            continue
        of_header, told = substance_of(unit), substance_of(observable.unit)
        if of_header is not None and told is not None and _differ(of_header, told):
            yield (
                f"{_column(observable)} is in {unit} by the data and in "
                f"{observable.unit} by the mapping file; correct the one that is wrong"
            )
            continue
        written = unit if of_header is not None else observable.unit
        if (column := of_header or told) is not None:
            measure = _measure(observable.formula, network)
            if measure is not None:
                yield from _fault(observable, written, column, measure, problem)


def _differ(one: Substance, other: Substance) -> bool:
    is_other_kind = one.is_concentration != other.is_concentration
    return is_other_kind or not _agree(one.molecules, other.molecules)


def _column(observable: Observable) -> str:
    is_plain = observable.formula == Symbol(observable.id)
    return f"column '{observable.id}'" if is_plain else f"the column of '{observable.id}'"


def _fault(
    observable: Observable,
    unit: str,
    column: Substance,
    measure: _Measure,
    problem: Problem,
) -> Iterator[str]:
    species = measure.species
    place = problem.network.by_id.get(species.compartment)
    factor = _factor(column, species, place, problem) if isinstance(place, Compartment) else None
    if factor is None or not isinstance(place, Compartment):
        return
    is_bare = measure.scale == 1.0 and not observable.is_scaled
    same = "1 if its numbers are those of the species after all"
    if math.isnan(factor):
        how = "which no single factor turns into it; convert the column, or say in a mapping file "
        how += f"how it follows from the species (scale; {same})"
    elif is_bare and not math.isclose(factor, 1.0, rel_tol=_ROUNDED):
        how = f"so that values differ by a factor of {factor:.6g}; convert the column, or say in a "
        how += f"mapping file how it follows from the species (scale = {factor:.6g}; {same})"
    elif not _agree(measure.scale, factor) and _agree(measure.scale, 1.0 / factor):
        how = f"and the scale {measure.scale:g} is upside down; write scale = {factor:.6g}"
    else:
        return
    if not is_bare and math.isnan(factor):
        return
    yield (
        f"{_column(observable)} is in {unit}, and species '{species.id}' of the model is "
        f"{_own_unit(species, place)}, {how}"
    )


def _agree(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_ROUNDED)


def _factor(
    column: Substance, species: Species, place: Compartment, problem: Problem
) -> float | None:
    """Return what turns values of a species into those of a column.

    NaN says that they differ and no number does it, None that the units or the size are not known.
    """
    network = problem.network
    ambiguous = {i.element for i in network.issues if i.code == "units_ambiguous"}
    if not species.unit or ambiguous & {species.id, network.id}:
        return None
    if column.is_concentration and not species.only_substance_units and math.isnan(place.litres):
        # Such as molecules per 602.214 of what a size is counted in, which makes nM of them.
        return None
    if column.is_concentration == species.only_substance_units and _is_set(place, problem):
        return None
    items = species.items_per_substance / column.molecules
    size = place.size if _is_fixed(place, network) else math.nan
    if species.only_substance_units:
        factor = items / (size * place.litres) if column.is_concentration else items
    else:
        factor = items / place.litres if column.is_concentration else items * size
    if not math.isnan(factor):
        return factor
    # Whatever the volume is: molecules are not moles, and an amount is no concentration of it.
    is_counted = species.items_per_substance == 1.0 and column.molecules != 1.0
    return factor if is_counted or not _is_fixed(place, network) else None


def _is_set(place: Compartment, problem: Problem) -> bool:
    """Tell whether an experiment, or a free parameter in one, gives a compartment its size."""
    return any(place.id in p.values for e in problem.experiments for p in e.periods)


def _is_fixed(place: Compartment, network: ReactionNetwork) -> bool:
    """Tell whether the size that a compartment is written with is the one that it has."""
    return place.id not in {
        *network.assignment_rules,
        *network.rate_rules,
        *network.set_by_events,
        *network.initial_assignments,
    }


def _own_unit(species: Species, place: Compartment) -> str:
    """Return what the symbol of a species means, in words."""
    is_counted = math.isclose(species.items_per_substance, 1.0)
    if species.only_substance_units:
        return "counted in molecules" if is_counted else f"an amount in {species.unit}"
    name = "molecules" if is_counted else species.unit
    if math.isnan(place.litres):
        return "counted in molecules" if is_counted else f"in {name} per unit of '{place.id}'"
    litres = "" if math.isclose(place.litres, 1.0) else f"{place.litres:g} "
    return f"a concentration in {name} per {litres}litre"


def _measure(formula: Expression, network: ReactionNetwork) -> _Measure | None:
    """Return a formula as a multiple of species of one unit, sign aside, or None if it is none.

    Of a sum, the smallest multiple counts: in A + 2 A2 a dimer is two molecules.
    """
    if isinstance(formula, Symbol):
        element = network.by_id.get(formula.id)
        return _Measure(1.0, element) if isinstance(element, Species) else None
    if not isinstance(formula, Apply):
        return None
    arguments = formula.arguments
    if formula.operator == "times":
        numbers = [x.value for x in arguments if isinstance(x, Number)]
        others = [x for x in arguments if not isinstance(x, Number)]
        one = _measure(others[0], network) if len(others) == 1 else None
        return None if one is None else replace(one, scale=one.scale * math.prod(numbers))
    if formula.operator == "divide" and isinstance(arguments[1], Number) and arguments[1].value:
        one = _measure(arguments[0], network)
        return None if one is None else replace(one, scale=one.scale / arguments[1].value)
    if formula.operator in ("plus", "minus"):
        # An offset has the unit of the sum.
        found = [_measure(x, network) for x in arguments if not _is_offset(x, network)]
        measures = [one for one in found if one is not None]
        units = {
            (m.species.items_per_substance, m.species.only_substance_units, m.species.compartment)
            for m in measures
        }
        if len(measures) == len(found) and len(units) == 1:
            return min(measures, key=lambda m: abs(m.scale))
    return None


def _is_offset(term: Expression, network: ReactionNetwork) -> bool:
    if isinstance(term, Symbol):
        return not isinstance(network.by_id.get(term.id), Species)
    return isinstance(term, Number)
