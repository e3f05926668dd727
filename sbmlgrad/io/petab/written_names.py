"""What ids of a problem are called in PEtab, whose names are narrower and must not be shared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sbmlgrad.errors import WriteError
from sbmlgrad.io.petab.rows import is_identifier
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.problem import Problem


@dataclass(frozen=True, slots=True)
class Names:
    """Ids in PEtab, where they differ from our own.

    Attributes:
        model: id of a local parameter, which holds a point → its id in the mapping table.
        own: parameter of the problem → its id in the parameter table.
        set_by_conditions: parameters of the problem that conditions set too. PEtab keeps the two
            apart: the table holds another parameter, and conditions say where the model takes it.
        observables: id of every observable → its id in PEtab.
        experiments: id of every experiment → its id in PEtab. Ours may be labels of a table.
    """

    model: dict[str, str]
    own: dict[str, str]
    set_by_conditions: tuple[str, ...]
    observables: dict[str, str]
    experiments: dict[str, str]


def written_names(problem: Problem) -> Names:
    """Return what ids of a problem are called in PEtab.

    Args:
        problem: what is to be written.

    Raises:
        WriteError: ids that PEtab cannot have.
    """
    known = {*problem.network.by_id, *(p.id for p in problem.parameters)}
    used = {*(p.id for p in problem.parameters), *_targets(problem), *_symbols(problem)}
    model = {id: id.replace(".", "__") for id in sorted(known) if "." in id and id in used}
    _refuse(problem, model, known)
    taken = known | set(model.values()) | {o.id for o in problem.observables}
    targets = set(_targets(problem))
    shared = tuple(p.id for p in problem.parameters if p.id in targets)
    own = model | {id: _free(f"{model.get(id, id)}_value", taken) for id in shared}
    observables = {
        o.id: _free(f"observed_{o.id}", taken) if o.id in known else o.id
        for o in problem.observables
    }
    return Names(model, own, shared, observables, _ids([e.id for e in problem.experiments]))


def _refuse(problem: Problem, model: Mapping[str, str], known: set[str]) -> None:
    """Raise a `WriteError` that lists the ids that cannot be written."""
    groups = (
        ("observable", (o.id for o in problem.observables)),
        ("parameter", (p.id for p in problem.parameters if p.id not in model)),
    )
    wrong = [f"{what} {id!r}" for what, ids in groups for id in ids if not is_identifier(id)]
    wrong += [
        f"parameter {id!r}, whose name {written!r} in PEtab is taken"
        for id, written in model.items()
        if written in known
    ]
    if wrong:
        raise WriteError(
            "ids of PEtab are letters, digits and underscores and do not begin with a digit; "
            f"rename {', '.join(wrong)}"
        )


def _ids(labels: Sequence[str]) -> dict[str, str]:
    """Return label → id; labels that are ids already keep theirs, and no two share one."""
    ids = {label: label for label in labels if not label or is_identifier(label)}
    for label in labels:
        id, number = _id(label), 2
        while label not in ids and id in ids.values():
            id, number = f"{_id(label)}_{number}", number + 1
        ids.setdefault(label, id)
    return ids


def _id(label: str) -> str:
    id = re.sub(r"\W", "_", label, flags=re.ASCII)
    return f"_{id}" if id[:1].isdigit() else id


def _free(id: str, taken: set[str]) -> str:
    while id in taken:
        id += "_"
    return id


def _targets(problem: Problem) -> Iterable[str]:
    return (t for e in problem.experiments for p in e.periods for t in p.values)


def _symbols(problem: Problem) -> frozenset[str]:
    formulas = [f for o in problem.observables for f in (o.formula, o.noise.scale)]
    formulas += [f for e in problem.experiments for p in e.periods for f in p.values.values()]
    return frozenset().union(*(symbols(f) for f in formulas))
