"""Experiments in SED-ML: a model of its own for each, changed from the first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sbmlgrad.model.elements import Compartment, Parameter, Species
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.problem import Experiment

_XHTML = "http://www.w3.org/1999/xhtml"
_ASSIGNMENTS = "/sbml:sbml/sbml:model/sbml:listOfInitialAssignments/sbml:initialAssignment"


@dataclass(frozen=True, slots=True)
class Change:
    """One value of a model that an experiment sets.

    Attributes:
        symbol: id of the element.
        attribute: of its SBML element that holds the value.
        value: what it becomes.
        is_assigned: whether an initial assignment would override it, which is removed.
    """

    symbol: str
    attribute: str
    value: float
    is_assigned: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """What is simulated for one experiment.

    Attributes:
        name: of the experiment, for titles.
        changes: of the model; none for the model as it is.
    """

    name: str
    changes: tuple[Change, ...] = ()


def conditions_of(
    network: ReactionNetwork,
    sbml: Any,
    experiments: Sequence[Experiment],
    constants: Mapping[str, float],
) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    """Return what SED-ML can say of experiments, and in words what it cannot.

    Changes of attributes are numbers, set before the simulation begins; formulas of the state, a
    steady state before, and changes later on are none.

    Args:
        network: the calibrated model.
        sbml: root of its document.
        experiments: of the problem.
        constants: values of symbols that their formulas use beside the model.
    """
    values = network.parameter_values.tolist()
    known = {**dict(zip(network.parameter_ids, values, strict=True)), **constants}
    found: list[Condition] = []
    missing: list[str] = []
    for experiment in experiments:
        label = experiment.name or experiment.id or "the experiment"
        reason = ""
        if len(experiment.periods) != 1:
            reason = "its conditions change in the course of it"
        elif experiment.periods[0].start != 0.0:
            reason = "it does not begin at time 0, but before, such as with a steady state"
        changes: list[Change] = []
        for symbol, formula in experiment.periods[0].values.items() if not reason else ():
            attribute = _attribute(network, sbml, symbol)
            if not symbols(formula) <= known.keys():
                reason = f"it sets '{symbol}' to a formula"
                break
            value = float(evaluate(formula, known))
            if not math.isfinite(value):
                reason = f"it sets '{symbol}' to {value}"
                break
            if not attribute:
                reason = f"'{symbol}' has no attribute in the document that holds its value"
                break
            is_assigned = symbol in network.initial_assignments
            changes.append(Change(symbol, attribute, value, is_assigned))
        if reason:
            missing.append(f"Experiment '{label}' is not simulated here: {reason}.")
        else:
            found.append(Condition(label, tuple(changes)))
    if missing and not found:
        missing.append("What is simulated is the model as it is.")
    return tuple(found), tuple(missing)


def add_notes(root: Any, texts: Sequence[str]) -> None:
    """Add notes to the root of a document, a paragraph for each text; nothing without texts."""
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs

    own = etree.QName(root).namespace
    notes = etree.SubElement(root, f"{{{own}}}notes") if texts else None
    for text in texts:
        etree.SubElement(notes, f"{{{_XHTML}}}p", nsmap={None: _XHTML}).text = text


def add_changes(model: Any, changes: Sequence[Change], target_of: Callable[[str], str]) -> None:
    """Add the changes of an experiment to its model; nothing without changes.

    Args:
        model: element of the SED-ML document.
        changes: of the experiment.
        target_of: id → path of its element in the SBML.
    """
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs

    own = etree.QName(model).namespace
    listed = etree.SubElement(model, f"{{{own}}}listOfChanges") if changes else None
    for change in changes:
        if change.is_assigned:
            target = f"{_ASSIGNMENTS}[@symbol='{change.symbol}']"
            etree.SubElement(listed, f"{{{own}}}removeXML", {"target": target})
        given = {
            "target": f"{target_of(change.symbol)}/@{change.attribute}",
            "newValue": repr(float(change.value)),
        }
        etree.SubElement(listed, f"{{{own}}}changeAttribute", given)


def _attribute(network: ReactionNetwork, sbml: Any, symbol: str) -> str:
    """Return the attribute of an element that holds its value at the start; empty if none does."""
    element = network.by_id.get(symbol)
    if isinstance(element, Species):
        wanted = "initialAmount" if element.only_substance_units else "initialConcentration"
    elif isinstance(element, Parameter) and "." not in symbol:
        wanted = "value"
    elif isinstance(element, Compartment):
        wanted = "size"
    else:
        return ""
    there = sbml.xpath("//*[@id=$id]", id=symbol)
    return wanted if len(there) == 1 and wanted in there[0].attrib else ""
