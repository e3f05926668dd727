"""What a file itself says, read with libSBML: constructs that simulators are known to mishandle.

Also rewrites a document so that its numbers are molecules, for simulators that cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Construct → what it is called in tables.
FEATURES = {
    "mole": "amounts are in mole",
    "reversible_difference": "a reversible law is a difference",
    "time_event": "an event waits for a time",
    "time_in_law": "a rate law depends on the time",
    "boundary": "a boundary species takes part in a reaction",
    "rate_rule": "a rate rule",
    "event": "an event",
}


def features(path: Path) -> frozenset[str]:
    """Return which of `FEATURES` a file has; empty if libSBML cannot read it."""
    model = _model(_read(path))
    if model is None:
        return frozenset()
    found = set()
    if _is_mole(model):
        found.add("mole")
    ruled = {
        rule.getVariable(): rule.getMath()
        for rule in _each(model.getListOfRules())
        if rule.isAssignment()
    }
    for reaction in _each(model.getListOfReactions()):
        law = reaction.getKineticLaw()
        math = _inlined(law.getMath(), model) if law is not None and law.getMath() else None
        if math is not None and reaction.getReversible() and _has_difference(math):
            found.add("reversible_difference")
        if math is not None and _reaches_time(math, ruled):
            found.add("time_in_law")
        for part in (*_each(reaction.getListOfReactants()), *_each(reaction.getListOfProducts())):
            species = model.getSpecies(part.getSpecies())
            if species is not None and (species.getBoundaryCondition() or species.getConstant()):
                found.add("boundary")
    for event in _each(model.getListOfEvents()):
        found.add("event")
        trigger = event.getTrigger()
        if trigger is not None and trigger.getMath() and _reaches_time(trigger.getMath(), ruled):
            found.add("time_event")
    if any(rule.isRate() for rule in _each(model.getListOfRules())):
        found.add("rate_rule")
    return frozenset(found)


def species_of(path: Path, most: int) -> tuple[str, ...]:
    """Return ids of species that reactions may change.

    Args:
        path: the file.
        most: how many to return at most.
    """
    model = _model(_read(path))
    every = [] if model is None else list(_each(model.getListOfSpecies()))
    return tuple(s.getId() for s in every if not s.getBoundaryCondition() and not s.getConstant())[
        :most
    ]


def in_items(path: Path) -> bytes:
    """Return the document with every substance unit replaced by item; numbers stay as they are."""
    import libsbml

    document = _read(path)
    model = _model(document)
    if model is None:
        return path.read_bytes()
    if document.getLevel() >= 3:
        model.setSubstanceUnits("item")
        model.setExtentUnits("item")
    else:
        model.removeUnitDefinition("substance")
        unit = model.createUnitDefinition()
        unit.setId("substance")
        part = unit.createUnit()
        part.setKind(libsbml.UNIT_KIND_ITEM)
        part.initDefaults() if document.getLevel() < 3 else None
        part.setKind(libsbml.UNIT_KIND_ITEM)
    for species in _each(model.getListOfSpecies()):
        species.unsetSubstanceUnits()
    return libsbml.writeSBMLToString(document).encode()


def _read(path: Path) -> Any:
    import libsbml

    return libsbml.readSBMLFromFile(str(path))


def _model(document: Any) -> Any:
    import libsbml

    if document.getNumErrors(libsbml.LIBSBML_SEV_FATAL):
        return None
    return document.getModel()


def _each(listed: Any) -> Iterator[Any]:
    return (listed.get(i) for i in range(listed.size()))


def _is_mole(model: Any) -> bool:
    """Tell whether the file itself, not a default of its level, counts in mole."""
    import libsbml

    name = model.getSubstanceUnits() if model.getLevel() >= 3 else "substance"
    if name == "mole":
        return True
    definition = model.getUnitDefinition(name)
    units = [] if definition is None else list(_each(definition.getListOfUnits()))
    return any(unit.getKind() == libsbml.UNIT_KIND_MOLE for unit in units)


def _nodes(math: Any) -> Iterator[Any]:
    waiting = [math]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [node.getChild(i) for i in range(node.getNumChildren())]


def _inlined(math: Any, model: Any) -> Any:
    """Return a law with its functions written out."""
    import libsbml

    written = math.deepCopy()
    libsbml.SBMLTransforms.replaceFD(written, model.getListOfFunctionDefinitions())
    return written


def _has_difference(math: Any) -> bool:
    import libsbml

    return any(
        node.getType() == libsbml.AST_MINUS and node.getNumChildren() == 2 for node in _nodes(math)
    )


def _reaches_time(math: Any, ruled: dict[str, Any]) -> bool:
    """Tell whether a formula depends on the time, through assignment rules too."""
    import libsbml

    waiting, seen = [math], set[str]()
    while waiting:
        for node in _nodes(waiting.pop()):
            if node.getType() == libsbml.AST_NAME_TIME:
                return True
            name = node.getName() if node.isName() else None
            if name in ruled and name not in seen and ruled[name] is not None:
                seen.add(name)
                waiting.append(ruled[name])
    return False
