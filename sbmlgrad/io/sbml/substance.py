"""Substance units: how many molecules one unit of substance is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import libsbml

from sbmlgrad.model.elements import NO_VALUE, WHOLE_NUMBER_TOLERANCE
from sbmlgrad.model.issues import NOTHING, Issue, Severity
from sbmlgrad.model.units import AVOGADRO

#: What `load(substance=...)` accepts besides None.
SUBSTANCES = ("item", "mole")


_PREFIXES = {0: "", -3: "milli", -6: "micro", -9: "nano", -12: "pico", -15: "femto", -18: "atto"}
#: Unit that a volume can be made of → its value where lengths are in decimetres, powers of length.
_LENGTHS = {"litre": (1.0, 3.0), "liter": (1.0, 3.0), "metre": (10.0, 1.0), "meter": (10.0, 1.0)}
_TIMES = {60.0: "minute", 3600.0: "hour", 86400.0: "day"}


@dataclass(frozen=True, slots=True)
class SubstanceUnit:
    """Molecules per unit, and the unit's name; `items` is None where the document gives no unit."""

    items: float | None
    name: str

    @property
    def is_substance(self) -> bool:
        """Whether it counts molecules, as far as the document says."""
        return self.items is None or not math.isnan(self.items)

    def differs_from(self, other: SubstanceUnit) -> bool:
        """Tell whether both are known numbers of molecules, and not the same."""
        if not (self.items and other.items and self.is_substance and other.is_substance):
            return False
        return not math.isclose(self.items, other.items, rel_tol=WHOLE_NUMBER_TOLERANCE)


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
    powers = 0.0
    for i in range(definition.getNumUnits()):
        unit = definition.getUnit(i)
        if libsbml.UnitKind_toString(unit.getKind()) in ("item", "mole", "avogadro"):
            powers += unit.getExponentAsDouble()
        items *= _items_of_unit(unit)
    is_substance = powers == 1.0 or (powers == 0.0 and items == 1.0)
    return SubstanceUnit(items if is_substance else float("nan"), _name(model, reference))


def _items_of_unit(unit: Any) -> float:
    """Return molecules per unit, NaN for a unit that is no number of them or none at all."""
    kind = libsbml.UnitKind_toString(unit.getKind())
    try:
        base = unit.getMultiplier() * 10.0 ** unit.getScale() * _items_of_kind(kind)
        value = base ** unit.getExponentAsDouble()
    except (OverflowError, ZeroDivisionError):
        return float("nan")
    is_number = isinstance(value, float) and math.isfinite(value) and value > 0.0
    return value if is_number else float("nan")


def time_unit(model: Any) -> str:
    """Return the name of a model's unit of time; empty where it gives none.

    The predefined second of level 2 counts as none, as the predefined mole does: few authors meant
    it.
    """
    reference = "time" if model.getLevel() < 3 else model.getTimeUnits()
    if reference == "time" and model.getUnitDefinition(reference) is None:
        return ""
    return _name(model, reference)


def seconds(model: Any, reference: str) -> float | None:
    """Return the seconds in a unit of time; None where there is none or it is no such unit."""
    definition = model.getUnitDefinition(reference) if reference else None
    if definition is None:
        return 1.0 if reference == "second" else None
    if definition.getNumUnits() != 1:
        return None
    unit = definition.getUnit(0)
    if libsbml.UnitKind_toString(unit.getKind()) != "second" or unit.getExponentAsDouble() != 1.0:
        return None
    return float(unit.getMultiplier()) * 10.0 ** unit.getScale()


def litres(model: Any, compartment: Any) -> float:
    """Return the litres in a unit of a compartment's size; NaN where it is unknown or no volume.

    The predefined volume of level 2 is the litre, which matters only where substance has a unit.

    Args:
        model: `libsbml.Model`.
        compartment: `libsbml.Compartment`.
    """
    if compartment.getSpatialDimensionsAsDouble() != 3.0:
        return NO_VALUE
    is_level_3 = model.getLevel() >= 3
    reference = compartment.getUnits() or (model.getVolumeUnits() if is_level_3 else "volume")
    definition = model.getUnitDefinition(reference) if reference else None
    if definition is None:
        return 1.0 if reference in ("litre", "liter", "volume") else NO_VALUE
    value, power = 1.0, 0.0
    for unit in (definition.getUnit(i) for i in range(definition.getNumUnits())):
        kind, exponent = libsbml.UnitKind_toString(unit.getKind()), unit.getExponentAsDouble()
        if kind not in _LENGTHS:
            return NO_VALUE
        per_unit, lengths = _LENGTHS[kind]
        power += lengths * exponent
        try:
            size = (unit.getMultiplier() * 10.0 ** unit.getScale()) ** exponent * per_unit**exponent
        except (OverflowError, ZeroDivisionError):
            return NO_VALUE
        value *= size if isinstance(size, float) else NO_VALUE
    return value if power == 3.0 and 0.0 < value < math.inf else NO_VALUE


def units_differ(element: str, line: int | None, message: str, advice: str) -> Issue:
    """Return the warning that numbers of different units meet without a conversion factor."""
    return Issue("units_differ", Severity.WARNING, element, line, message, advice, NOTHING)


def _name(model: Any, reference: str) -> str:
    """Return a name of a unit that does not depend on the document, where there is one."""
    definition = model.getUnitDefinition(reference)
    if definition is None or definition.getNumUnits() != 1:
        return reference
    unit = definition.getUnit(0)
    if unit.getExponentAsDouble() != 1.0:
        return reference
    kind, multiplier = libsbml.UnitKind_toString(unit.getKind()), unit.getMultiplier()
    if multiplier == 1.0 and unit.getScale() in _PREFIXES:
        return _PREFIXES[unit.getScale()] + kind
    if kind == "second" and unit.getScale() == 0 and multiplier in _TIMES:
        return _TIMES[multiplier]
    return reference


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
