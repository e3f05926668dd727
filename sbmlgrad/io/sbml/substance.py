"""Substance units: how many molecules one unit of substance is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libsbml

from sbmlgrad.model.units import AVOGADRO

#: What `load(substance=...)` accepts besides None.
SUBSTANCES = ("item", "mole")


@dataclass(frozen=True, slots=True)
class SubstanceUnit:
    """Molecules per unit, and the unit's name; `items` is None where the document gives no unit."""

    items: float | None
    name: str


def substance_unit(model: Any, reference: str) -> SubstanceUnit:
    """Return what a unit reference means as a substance.

    Args:
        model: `libsbml.Model`.
        reference: unit id or kind from the document; empty where it gives none.

    Returns:
        The unit; `items` is None for no unit, and NaN for a unit that is no substance.
    """
    if not reference:
        return SubstanceUnit(None, "")
    definition = model.getUnitDefinition(reference)
    if definition is None:
        # The predefined "substance" of level 2 means mole, but few authors meant it: ask them.
        if reference == "substance":
            return SubstanceUnit(None, "")
        return SubstanceUnit(_items_of_kind(reference), reference)
    items = 1.0
    powers = 0
    for i in range(definition.getNumUnits()):
        unit = definition.getUnit(i)
        kind = libsbml.UnitKind_toString(unit.getKind())
        factor = unit.getMultiplier() * 10.0 ** unit.getScale()
        exponent = unit.getExponentAsDouble()
        per_unit = _items_of_kind(kind)
        if kind in ("item", "mole", "avogadro"):
            powers += int(exponent)
        items *= (factor * per_unit) ** exponent
    is_substance = powers == 1 or (powers == 0 and items == 1.0)
    return SubstanceUnit(items if is_substance else float("nan"), reference)


def _items_of_kind(kind: str) -> float:
    if kind in ("item", "dimensionless"):
        return 1.0
    if kind in ("mole", "avogadro"):
        return AVOGADRO
    return float("nan")


def chosen(substance: str | None) -> SubstanceUnit | None:
    """Return the unit that the user chose for the whole model, or None."""
    if substance is None:
        return None
    return SubstanceUnit(1.0 if substance == "item" else AVOGADRO, substance)
