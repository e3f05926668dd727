"""`ReactionNetwork` → SBML bytes: the original document with the network's values in it.

Everything but the values that differ, and what is said about them, stays byte for byte. libSBML
does not write: it prints doubles with 15 digits, which do not read back as the same doubles. Only
where the document must be of another level does its converter come in
(`sbmlgrad.io.sbml.levels`), before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from sbmlgrad.errors import RequestError, SbmlGradError, UnreadableFileError, WriteError
from sbmlgrad.io.sbml.annotation import annotate, provenance_problems
from sbmlgrad.io.sbml.safe_xml import (
    Edit,
    SourceDocument,
    apply_edits,
    check_xml,
    set_attribute,
    source_document,
)
from sbmlgrad.io.sbml.sbo_terms import rate_constants
from sbmlgrad.io.sbml.uncertainty import uncertainty_edits
from sbmlgrad.io.sbml.value_edits import (
    Changes,
    change_compartments,
    change_parameters,
    change_species,
    in_sbml,
    removals,
)
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.provenance import Estimate, Provenance

#: Level and version that documents are raised to where uncertainty is written.
UNCERTAIN = (3, 2)
#: First version of a level in which every parameter may have an SBO term.
_SBO_SINCE = {2: 2, 3: 1}
#: Latest version of each level.
_LATEST = {1: 2, 2: 5, 3: 2}


def write_sbml(
    network: ReactionNetwork,
    *,
    distrib: bool = True,
    level: int | None = None,
    version: int | None = None,
) -> bytes:
    """Write a network as SBML; use it to hand a calibrated model on.

    Written are the values of parameters that were set (`network.changed`), the initial values of
    species and the sizes of compartments. A value that the document has already is left as it is
    spelled. An initial assignment that would override a written value is removed, which the
    annotation records. If `network.provenance` is set, the document also gets the annotation and
    notes that `sbmlgrad.io.sbml.annotation` describes, the uncertainty of fitted parameters
    (`sbmlgrad.io.sbml.uncertainty`), and SBO terms for fitted parameters that have none and are
    proven to be rate constants (`sbmlgrad.io.sbml.sbo_terms`).

    Args:
        network: a network read from SBML, whose `source` is the document.
        distrib: write uncertainties with the package distrib, which takes level 3: where there are
            any and `level` is None, the document is converted to level 3 version 2. Without it they
            are in the notes and the record only, and readers that refuse the package are served.
        level: level of SBML to convert to; None for the document's own.
        version: its version; None for the latest of that level.

    Returns:
        The new document, in the encoding of the old one; UTF-8 where it was converted.

    Raises:
        RequestError: there is no such level and version, or it cannot hold uncertainties.
        UnsupportedModelError: the original document is to be converted and is no valid SBML.
        WriteError: there is no original document, values that it cannot hold, or something in it
            that the other level cannot say; names all of them.
    """
    if network.source is None:
        raise WriteError(
            f"model '{network.id}' has no original document (source is None), and only values are "
            "written into one; build it with sbmlgrad.load from SBML, or set source to its bytes"
        )
    data = _raised(network, network.source, distrib=distrib, level=level, version=version)
    document, model, own = _opened(network, data)
    changes = Changes(document, model, own[0])
    change_compartments(network, changes)
    change_parameters(network, changes)
    change_species(network, changes)
    provenance = network.provenance
    if provenance is not None:
        changes.problems += provenance_problems(provenance)
    if changes.problems:
        raise _refusal(network, changes.problems)
    edits = [*changes.edits, *removals(changes), *_terms(network, changes, own)]
    fitted = () if provenance is None else provenance.fitted
    edits += uncertainty_edits(
        document,
        changes.quantities,
        stale=(*changes.moved, *fitted),
        provenance=provenance if distrib else None,
    )
    if provenance is not None or changes.overriding:
        edits += annotate(
            document,
            model,
            level=own,
            source=network.source,
            provenance=provenance,
            removed=changes.overriding,
        )
    return apply_edits(document, edits)


def check_writable(
    network: ReactionNetwork,
    names: Iterable[str],
    *,
    distrib: bool = True,
    level: int | None = None,
    version: int | None = None,
) -> None:
    """Raise what `write_sbml` would raise after a fit; use it before one, which may take hours.

    Args:
        network: the network to be fitted.
        names: ids of its parameters that will get new values and uncertainties.
        distrib: as for `write_sbml`.
        level: likewise.
        version: likewise.

    Raises:
        ParameterError: a name is no parameter of the network.
        RequestError: as `write_sbml`, as are all others.
    """
    fitted = dict.fromkeys(names, 1.0)
    estimates = {name: Estimate(value, standard_error=1.0) for name, value in fitted.items()}
    record = Provenance(fitted, "", "", 0, "", 0.0, 0.0, {}, "2000-01-01T00:00:00Z", {}, estimates)
    tried = replace(network.with_parameters(fitted), provenance=record)
    write_sbml(tried, distrib=distrib, level=level, version=version)


def _raised(
    network: ReactionNetwork,
    source: bytes,
    *,
    distrib: bool,
    level: int | None,
    version: int | None,
) -> bytes:
    """Return the original document at the level that it is to be written in."""
    if level is None and version is not None:
        raise RequestError(f"version={version} of which level? give level as well, such as level=3")
    is_uncertain = distrib and _has_uncertainty(network)
    if level is None:
        if not is_uncertain:
            return source
        target = UNCERTAIN
    else:
        target = (level, _LATEST.get(level, 1) if version is None else version)
    from sbmlgrad.io.sbml.levels import at_level

    if is_uncertain and target[0] < 3:
        raise RequestError(
            f"level={level}: only level 3 of SBML has the package distrib, which holds the "
            "uncertainty of fitted parameters; pass distrib=False to keep it in notes and "
            "annotation only, or choose level 3"
        )
    try:
        return at_level(source, *target, name=f"model '{network.id}'")
    except SbmlGradError as error:
        if level is not None:
            raise
        raise WriteError(
            f"{error}\nThe uncertainty of fitted parameters takes this level; pass distrib=False "
            "to keep it in notes and annotation only, and the document in its own level"
        ) from error


def _has_uncertainty(network: ReactionNetwork) -> bool:
    """Tell whether there is uncertainty of anything that a document has an element for."""
    if network.provenance is None:
        return False
    known = {parameter.id for parameter in network.parameters}
    estimates = network.provenance.estimates
    return any(e.is_uncertain and name in known for name, e in estimates.items())


def _opened(network: ReactionNetwork, data: bytes) -> tuple[SourceDocument, Any, tuple[int, int]]:
    """Return a document, its model, and its level and version."""
    if issues := check_xml(data, name="original document"):
        raise _refusal(network, [str(issue) for issue in issues])
    try:
        document = source_document(data)
    except UnreadableFileError as error:
        raise _refusal(network, [str(error)]) from error
    level, version = document.root.get("level"), document.root.get("version", "")
    model = document.root.find(in_sbml(document, "model"))
    if level not in ("1", "2", "3") or model is None:
        found = f"level {level}" if model is not None else "no model"
        raise _refusal(
            network,
            [f"the original document has {found}; give one of level 1 to 3 with one model"],
        )
    return document, model, (int(level), int(version) if version.isdigit() else 1)


def _terms(network: ReactionNetwork, changes: Changes, level: tuple[int, int]) -> Iterator[Edit]:
    """Give SBO terms to fitted parameters that have none."""
    if network.provenance is None or level < (level[0], _SBO_SINCE.get(level[0], 99)):
        return
    elements = changes.quantities
    for name, term in rate_constants(network, network.provenance.fitted).items():
        if name in elements and elements[name].get("sboTerm") is None:
            yield set_attribute(changes.document, elements[name], "sboTerm", term)


def _refusal(network: ReactionNetwork, problems: list[str]) -> WriteError:
    listed = "\n".join(f"  - {problem}" for problem in problems)
    return WriteError(f"model '{network.id}' cannot be written as SBML:\n{listed}")
