"""Binding: which SBML symbol a column of measurements stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sbmlgrad.errors import DataError
from sbmlgrad.model.labels import first_of, suggestion
from sbmlgrad.model.measurements import Measurements, listed, part


def bind(
    measurements: Measurements,
    names: Mapping[str, str],
    mapping: Mapping[str, str | None] | None = None,
) -> Measurements:
    """Replace column names by SBML ids; use it before comparing measurements with a model.

    A column is matched by the mapping, else by an SBML id, else by an SBML name that only one
    element has. Brackets may belong to the SBML name and not hold a unit, as in `cAMP (nucleus)`:
    the name with them is tried before the name without.

    Args:
        measurements: as read from a file, or bound before.
        names: SBML id → SBML name (empty where there is none), of everything observable.
        mapping: column name → SBML id, or → None for a column to leave out.

    Returns:
        New measurements whose observables are SBML ids.

    Raises:
        DataError: columns that match nothing or several ids, a mapping from an unknown column or
            to an unknown id, several columns for one id, or nothing left.
    """
    given = dict(mapping or {})
    problems: list[str] = []
    targets: list[str | None] = []
    used: set[str] = set()
    for column, unit in zip(measurements.observables, measurements.units, strict=True):
        spellings = (f"{column} [{unit}]", f"{column} ({unit})", column)[0 if unit else 2 :]
        key = next((s for s in spellings if s in given), None)
        if key is not None:
            used.add(key)
            target = given[key]
            if target is not None and target not in names:
                problems.append(
                    f"the mapping sends column {key!r} to {target!r}, which is no SBML id of the "
                    f"model{suggestion(target, names)}"
                )
        else:
            ids = _matching_ids(column, spellings, names)
            target = ids[0] if ids else None
            if len(ids) != 1:
                problems.append(_unmatched(column, ids, names))
        targets.append(target)
    problems += [
        f"the mapping names a column {key!r} that is not there"
        f"{suggestion(key, measurements.observables)}"
        for key in given
        if key not in used
    ]
    problems += [
        f"{count} columns stand for {target!r}; if they are replicates, give the mapping to "
        "load_measurements, which numbers them, else map all but one to None"
        for target, count in Counter(targets).items()
        if target is not None and count > 1
    ]
    if not problems and set(targets) <= {None}:
        problems = ["no column is left to compare with the model"]
    if problems:
        known = [f"{i} ({name})" if name else i for i, name in names.items()]
        problems.append(f"the model has {first_of(known, 20)}")
        what = "columns that cannot be bound to the model"
        raise DataError(listed(measurements.source_name, what, problems))
    return _renamed(measurements, targets)


def _matching_ids(column: str, spellings: Sequence[str], names: Mapping[str, str]) -> list[str]:
    if column in names:
        return [column]
    matches = ([i for i, name in names.items() if name == s] for s in spellings)
    return next((ids for ids in matches if ids), [])


def _unmatched(column: str, ids: Sequence[str], names: Mapping[str, str]) -> str:
    if ids:
        return (
            f"column {column!r} is the name of several elements, {', '.join(ids)}; choose one "
            f"with mapping={{{column!r}: {ids[0]!r}}}"
        )
    labels = [label for label in (*names, *names.values()) if label]
    return (
        f"column {column!r} matches no SBML id and no SBML name{suggestion(column, labels)}; give "
        f"mapping={{{column!r}: 'its SBML id'}}, or mapping={{{column!r}: None}} to leave it out"
    )


def _renamed(measurements: Measurements, targets: Sequence[str | None]) -> Measurements:
    kept = np.array([i for i, target in enumerate(targets) if target is not None], np.int64)
    rows = np.flatnonzero(np.isin(measurements.observable_index, kept))
    names = tuple(target for target in targets if target is not None)
    return replace(part(measurements, kept, rows), observables=names)
