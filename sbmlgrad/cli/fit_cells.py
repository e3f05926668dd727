"""Counts of cells under several conditions, and a mapping file that says what those are."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbmlgrad.errors import DataError, FitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sbmlgrad.io.mapping_file import DataMapping
    from sbmlgrad.model.network import ReactionNetwork
    from sbmlgrad.model.problem import Problem
    from sbmlgrad.model.snapshots import Snapshots


def refuse_conditions(cells: Snapshots) -> None:
    """Raise a `FitError` for cells under several conditions, which nothing describes."""
    if len(cells.conditions) > 1:
        listed = ", ".join(map(repr, cells.conditions))
        raise FitError(
            f"{cells.source_name}: {len(cells.conditions)} conditions ({listed}), and nothing says "
            "what they mean; describe them in a mapping file with a table of conditions and give "
            "it by --mapping, or fit the cells of each from a file of their own"
        )


def cells_problem(
    network: ReactionNetwork,
    cells: Snapshots,
    mapping: Path,
    columns: Mapping[str, str | None] | None,
    options: dict[str, Any],
) -> Problem:
    """Return the problem of a model and of cells under the conditions of a mapping file.

    Symbols of the conditions that the model has not are parameters, as for measurements.

    Args:
        network: the model.
        cells: as read.
        mapping: file with a table of conditions.
        columns: column → id, or → None to leave the column out; the others are matched to species.
        options: free parameters, bounds and start.

    Raises:
        DataError: the file cannot be read, or does not fit the cells.
        SbmlGradError: whatever else stands in the way.
    """
    from sbmlgrad.fit.problems.mapped import mapped_problem
    from sbmlgrad.fit.problems.plain import count_of, without_rows
    from sbmlgrad.model.binding import bind
    from sbmlgrad.model.problem import species_observables

    described = _described(network, cells, mapping)
    sheet = without_rows(cells.species, cells.source_name, cells.sha256, cells.time_unit)
    problem = mapped_problem(network, sheet, described, conditions=cells.conditions, **options)
    names = {s.id: s.name for s in network.species if s.changes}
    bound = bind(sheet, names, dict(columns) if columns else None)
    kept = [i for i, s in enumerate(cells.species) if (columns or {}).get(s, s) is not None]
    observables = species_observables(network, bound.observables)
    return replace(
        problem,
        observables=tuple(replace(o, formula=count_of(network, o.id)) for o in observables),
        snapshots=replace(cells, species=bound.observables, counts=cells.counts[:, kept]),
    )


def _described(network: ReactionNetwork, cells: Snapshots, path: Path) -> DataMapping:
    """Return the conditions of a mapping file; columns of the cells are left out of it."""
    from sbmlgrad.io.mapping_entries import experiment_of
    from sbmlgrad.io.mapping_file import DataMapping
    from sbmlgrad.io.mapping_records import read_records
    from sbmlgrad.model.expression import TIME, symbols
    from sbmlgrad.model.labels import suggestion

    records = read_records(path)
    problems = [
        f"{record.where}: counts of cells are numbers of molecules, without scale and noise; leave "
        "observables out, and say with --map which species a column counts"
        for record in records.observables[:1]
    ]
    experiments = tuple(
        experiment_of(record, network, problems, records.file) for record in records.conditions
    )
    ids = Counter(e.id for e in experiments)
    problems += [f"condition {id!r} is there {n} times" for id, n in ids.items() if n > 1]
    problems += [
        f"cells under condition {c!r} in {cells.source_name}, which is not described"
        f"{suggestion(c, ids)}; add it with conditionId"
        if c
        else f"cells without a condition in {cells.source_name}; name it in a column of the data, "
        "and that column with --condition-columns"
        for c in cells.conditions
        if c not in ids
    ]
    if problems:
        raise DataError(f"{records.file}:" + "".join(f"\n  - {problem}" for problem in problems))
    used = [symbols(f) for e in experiments for p in e.periods for f in p.values.values()]
    return DataMapping(
        observables=(),
        columns=dict.fromkeys(cells.species),
        experiments=experiments,
        unknown=tuple(sorted(frozenset().union(*used) - network.by_id.keys() - {TIME.id})),
        source_name=records.file,
        sha256=records.sha256,
    )
