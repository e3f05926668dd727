"""Conversion factors of hierarchical models that libSBML's flattening gets wrong, refused.

What a factor does: a submodel's time and extent count 1 / timeConversionFactor and
1 / extentConversionFactor of those of the outer model, multiplied along nested submodels; a
replaced element's value is that of its replacement divided by the conversionFactor, and what is
assigned to it is multiplied. Stoichiometries and the species itself stay as they are.

Source: Smith et al. 2015, SBML Level 3 package: Hierarchical Model Composition, version 1 release 3
(doi:10.2390/biecoll-jib-2015-268), section 3.8 and its table of conversions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import libsbml

from sbmlgrad.io.sbml.substance import seconds, substance_unit, units_differ
from sbmlgrad.io.sbml.support import refused
from sbmlgrad.model.issues import Issue

_CLOCK = frozenset({libsbml.AST_NAME_TIME, libsbml.AST_FUNCTION_DELAY})
_RATE = frozenset({libsbml.AST_FUNCTION_RATE_OF})


@dataclass(frozen=True)
class _Place:
    """Where a submodel stands: the start of its ids, and whether factors hold on the way to it."""

    prefix: str = ""
    has_time: bool = False
    has_extent: bool = False


def factor_issues(document: Any) -> tuple[Issue, ...]:
    """Refuse factors that libSBML would not carry through, and say where one may be missing.

    Args:
        document: `libsbml.SBMLDocument` with submodels, which the walk of `comp` has found safe.
    """
    # On a copy: the submodels are put in their places to follow the references into them.
    copy = document.clone()
    copy.setLocationURI(document.getLocationURI())
    main = copy.getModel()
    return tuple(dict.fromkeys(_issues(main, main, _Place())))


def _issues(model: Any, main: Any, place: _Place) -> Iterator[Issue]:
    elements = _elements(model)
    for element in elements:
        yield from _replacements(element, place.prefix + element.getId(), 0)
    if place.has_time:
        yield from _unconverted(elements, place)
    if model is not main:
        yield from _units(model, main, place)
    plugin = model.getPlugin("comp")
    for submodel in map(plugin.getSubmodel, range(plugin.getNumSubmodels())):
        for name in (submodel.getTimeConversionFactor(), submodel.getExtentConversionFactor()):
            yield from _not_constant(model, name, place)
        inner = submodel.getInstantiation()
        if inner is not None:  # else flattening says why
            below = replace(
                place,
                prefix=f"{place.prefix}{submodel.getId()}__",
                has_time=place.has_time or submodel.isSetTimeConversionFactor(),
                has_extent=place.has_extent or submodel.isSetExtentConversionFactor(),
            )
            yield from _issues(inner, main, below)


def _replacements(element: Any, name: str, factors: int) -> Iterator[Issue]:
    """Follow what an element replaces, directly and through others.

    Args:
        element: the element in whose place references are put.
        name: what to call the outermost replacement in messages.
        factors: conversion factors between the outermost replacement and this element.
    """
    plugin = element.getPlugin("comp")
    if not isinstance(plugin, libsbml.CompSBasePlugin):  # libSBML does not say more of a priority
        return
    listed = map(plugin.getReplacedElement, range(plugin.getNumReplacedElements()))
    found = [(r, r.getReferencedElement()) for r in listed if not r.isSetDeletion()]
    found = [(r, target) for r, target in found if target is not None]
    converted = [r for r, _ in found if r.isSetConversionFactor()]
    places = Counter(_address(_model_of(target)) for _, target in found)
    if (factors or converted) and max(places.values(), default=0) > 1:
        # Each factor is put on every reference to the replacement in that submodel.
        yield _refused(
            name,
            "it replaces several elements of one submodel with a conversion factor, and the "
            "factor of each would fall on all of them.",
            "Let an element of its own replace each, and connect them by assignment rules.",
        )
    elif factors > 1 and converted and len(found) > 1:
        yield _refused(
            name,
            "it replaces an element that replaces several others through more than two conversion "
            "factors, which would be mixed up.",
            "Multiply the factors into fewer of them.",
        )
    for reference, target in found:
        total = factors + reference.isSetConversionFactor()
        if total and target.getId() in _factors_named(_model_of(target)):
            yield _refused(
                name,
                f"it replaces '{target.getId()}' with a conversion factor, and that parameter is "
                "itself a conversion factor of the submodel, where the factor would be lost.",
                "Give the submodel a factor in the outer model's units.",
            )
        yield from _replacements(target, name, total)
    if factors and plugin.isSetReplacedBy():
        target = plugin.getReplacedBy().getReferencedElement()
        if target is not None:
            yield from _replacements(target, name, factors)


def _unconverted(elements: list[Any], place: _Place) -> Iterator[Issue]:
    """Refuse mentions of time that a time conversion factor does not reach."""
    for element in elements:
        node = element.getMath() if hasattr(element, "getMath") else None
        if node is None:
            continue
        is_function = element.getTypeCode() == libsbml.SBML_FUNCTION_DEFINITION
        if _mentions(node, _RATE | _CLOCK if is_function else _RATE):
            what = "in a function definition" if is_function else "by a rate of change (rateOf)"
            owner = element
            while not owner.getId() and owner.getParentSBMLObject() is not None:
                owner = owner.getParentSBMLObject()
            yield _refused(
                place.prefix + owner.getId(),
                f"its formula refers to time {what}, which the time conversion factor of its "
                "submodel would not reach.",
                "Write the time into the formulas themselves, or give the submodel the time unit "
                "of the outer model.",
            )


def _units(model: Any, main: Any, place: _Place) -> Iterator[Issue]:
    """Say that a submodel counts time or extent in another unit and no factor converts it."""
    name = place.prefix.removesuffix("__")
    time = (seconds(model, model.getTimeUnits()), seconds(main, main.getTimeUnits()))
    if not place.has_time and None not in time and time[0] != time[1]:
        yield units_differ(
            name,
            None,
            f"the submodel counts time in '{model.getTimeUnits()}' and the outer model in "
            f"'{main.getTimeUnits()}', and no timeConversionFactor converts between them: its "
            "numbers are taken as they are.",
            "Give the submodel a timeConversionFactor, or both the same unit.",
        )
    own = substance_unit(model, model.getExtentUnits())
    outer = substance_unit(main, main.getExtentUnits())
    if not place.has_extent and own.differs_from(outer):
        yield units_differ(
            name,
            None,
            f"the submodel counts reactions in '{own.name}' and the outer model in "
            f"'{outer.name}', and no extentConversionFactor converts between them: its numbers are "
            "taken as they are.",
            "Give the submodel an extentConversionFactor, or both the same unit.",
        )


def _not_constant(model: Any, name: str, place: _Place) -> Iterator[Issue]:
    parameter = model.getParameter(name) if name else None
    if parameter is not None and not parameter.getConstant():
        yield _refused(
            place.prefix + name,
            "it converts the time or extent of a submodel and is not constant.",
            f"Write constant=\"true\" for '{name}'.",
        )


def _factors_named(model: Any) -> set[str]:
    """Return the ids that a model names as conversion factors of whatever kind."""
    found = {model.getConversionFactor()}
    for element in _elements(model):
        for kind in ("", "Time", "Extent"):
            get = getattr(element, f"get{kind}ConversionFactor", None)
            if get is not None:
                found.add(get())
    return found


def _elements(model: Any) -> list[Any]:
    elements = model.getListOfAllElements()
    return [elements.get(i) for i in range(elements.getSize())]


def _model_of(element: Any) -> Any:
    while not isinstance(element, libsbml.Model):
        element = element.getParentSBMLObject()
    return element


def _address(element: Any) -> int:
    return int(element.this)


def _mentions(node: Any, kinds: frozenset[int]) -> bool:
    stack = [node]
    while stack:
        inner = stack.pop()
        if inner.getType() in kinds:
            return True
        stack.extend(inner.getChild(i) for i in range(inner.getNumChildren()))
    return False


def _refused(element: str, message: str, advice: str) -> Issue:
    return refused("comp_flattening", element, None, message, advice)
