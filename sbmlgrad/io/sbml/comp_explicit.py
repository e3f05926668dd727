"""What libSBML loses when it flattens a hierarchical model, made explicit before and undone after.

- A model's own unit of substance and conversion factor hold for its species that have none; libSBML
  drops those of submodels, so that the outer model's would hold. Here they are written into the
  species.
- Local parameters keep their names while everything else is renamed, so that they could catch the
  symbol of an outer model that takes another's place. Here they are renamed too, and back where
  nothing is caught.
- A kinetic law without a formula ends the process; it says nothing, and is removed.

Source: Smith et al. 2015, SBML Level 3 package: Hierarchical Model Composition, version 1 release 3
(doi:10.2390/biecoll-jib-2015-268), section 3.6.2 on local parameters; SBML L3V1 core sections 4.2.2
and 4.2.8 on what a model lends its species.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

import libsbml

from sbmlgrad.io.sbml.substance import substance_unit
from sbmlgrad.io.sbml.support import refused
from sbmlgrad.model.issues import Issue

_SUFFIX = "__local"


def make_explicit(document: Any) -> tuple[str, tuple[Issue, ...]]:
    """Write into the models of a document what flattening would lose.

    Args:
        document: `libsbml.SBMLDocument` with submodels, which the walk of `comp` has found safe.

    Returns:
        What the ids of local parameters end with now, for `restore_names`; and what is refused.
    """
    main = document.getModel()
    models = list(_used_models(document))
    for model in models:
        _lend_to_species(model, main)
        _drop_empty_laws(model)
    # Its species have it now, and those of submodels must not get it.
    main.unsetConversionFactor()
    ids = [_ids(model, "getId") for model in models]
    suffix = _unused_suffix(set[str]().union(*ids))
    # One that is deleted or replaced somewhere leaves its name to what it hid.
    pointed_at = set[str]().union(*(_ids(model, "getMetaIdRef") for model in models)) - {""}
    issues: list[Issue] = []
    for i, model in enumerate(models):  # the main model first
        for law in _laws(model):
            for parameter in _local_parameters(law):
                if parameter.getMetaId() not in pointed_at:
                    _rename(law, parameter, parameter.getId() + suffix)
                elif i > 0 and parameter.getId() in ids[0]:
                    issues.append(_caught(law, parameter))
    return suffix, tuple(issues)


def restore_names(document: Any, suffix: str) -> None:
    """Give local parameters of a flat model their names back, where no other symbol has them."""
    for law in _laws(document.getModel()):
        used = _names(law.getMath())
        for parameter in _local_parameters(law):
            name = parameter.getId().removesuffix(suffix)
            if name not in used:
                _rename(law, parameter, name)


def drop_twins(document: Any) -> None:
    """Keep one of the factors that libSBML makes several times, one for each submodel.

    It names a product of two factors after them, also where another submodel has the same product.
    """
    model = document.getModel()
    seen: set[tuple[str, str]] = set()
    for i in reversed(range(model.getNumInitialAssignments())):
        assignment = model.getInitialAssignment(i)
        if "_times_" not in assignment.getSymbol() or not assignment.isSetMath():
            continue
        key = (assignment.getSymbol(), libsbml.formulaToL3String(assignment.getMath()))
        if key in seen:
            model.removeInitialAssignment(i)
            model.removeParameter(key[0])
        seen.add(key)


def _used_models(document: Any) -> Iterator[Any]:
    """Yield the main model and every model that is part of it, in whichever file it stands."""
    seen: set[tuple[tuple[str, ...], str]] = set()
    waiting: list[tuple[Any, tuple[str, ...], str]] = [(document, (), "")]
    while waiting:
        place, path, name = waiting.pop()
        if (path, name) in seen:
            continue
        seen.add((path, name))
        plugin, main = place.getPlugin("comp"), place.getModel()
        if name in ("", main.getId()):
            model = main
        elif (external := plugin.getExternalModelDefinition(name)) is not None:
            # libSBML keeps the files that it has read, so that what is written here stays.
            other = plugin.getSBMLDocumentFromURI(external.getSource())
            if other is not None:
                waiting.append((other, (*path, external.getSource()), external.getModelRef()))
            continue
        else:
            model = plugin.getModelDefinition(name)
        if model is None:  # flattening says so
            continue
        yield model
        parts = model.getPlugin("comp")
        submodels = [] if parts is None else map(parts.getSubmodel, range(parts.getNumSubmodels()))
        waiting += [(place, path, submodel.getModelRef()) for submodel in submodels]


def _lend_to_species(model: Any, main: Any) -> None:
    own, outer = model.getSubstanceUnits(), main.getSubstanceUnits()
    is_other = bool(own) and (substance_unit(model, own).items != substance_unit(main, outer).items)
    factor = model.getConversionFactor()
    for species in map(model.getSpecies, range(model.getNumSpecies())):
        if is_other and not species.isSetSubstanceUnits():
            species.setSubstanceUnits(own)
        if factor and not species.isSetConversionFactor():
            species.setConversionFactor(factor)


def _drop_empty_laws(model: Any) -> None:
    for reaction in map(model.getReaction, range(model.getNumReactions())):
        law = reaction.getKineticLaw()
        if law is not None and not law.isSetMath():
            reaction.unsetKineticLaw()


def _laws(model: Any) -> Iterator[Any]:
    for reaction in map(model.getReaction, range(model.getNumReactions())):
        law = reaction.getKineticLaw()
        if law is not None and law.isSetMath():
            yield law


def _local_parameters(law: Any) -> list[Any]:
    return [law.getLocalParameter(i) for i in range(law.getNumLocalParameters())]


def _rename(law: Any, parameter: Any, name: str) -> None:
    law.getMath().renameSIdRefs(parameter.getId(), name)
    parameter.setId(name)


def _names(node: Any) -> set[str]:
    found: set[str] = set()
    stack = [node]
    while stack:
        inner = stack.pop()
        if inner.getType() == libsbml.AST_NAME:
            found.add(inner.getName())
        stack.extend(inner.getChild(i) for i in range(inner.getNumChildren()))
    return found


def _ids(model: Any, getter: str) -> set[str]:
    """Return the ids, or the references of one kind, of all elements of a model."""
    elements = model.getListOfAllElements()
    found = map(elements.get, range(elements.getSize()))
    return {getattr(element, getter)() for element in found if hasattr(element, getter)}


def _caught(law: Any, parameter: Any) -> Issue:
    return refused(
        "comp_flattening",
        f"{law.getParentSBMLObject().getId()}/{parameter.getId()}",
        None,
        "this local parameter is deleted or replaced by an outer model and has the id of another "
        "element of the outermost model, for which it could be mistaken.",
        "Give the local parameter another id.",
    )


def _unused_suffix(ids: Set[str]) -> str:
    """Return an ending that no id has."""
    suffix = _SUFFIX
    while any(name.endswith(suffix) for name in ids):
        suffix += "_"
    return suffix
