"""Mapping files: what the columns of a data file measure, and under what conditions.

An observable is a formula over the symbols of the model, scaled and shifted, with noise:
`scale · formula + offset`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from sbmlgrad.errors import DataError
from sbmlgrad.io.mapping_entries import columns_of, experiment_of, observable_of
from sbmlgrad.io.mapping_records import read_records
from sbmlgrad.model.expression import TIME, symbols
from sbmlgrad.model.labels import suggestion
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.problem import Experiment, Observable, Problem, ProblemParameter


@dataclass(frozen=True, slots=True)
class DataMapping:
    """What a mapping file says.

    Attributes:
        observables: in the order of the file.
        columns: column of the data → observable id, or → None for one that is left out.
        experiments: conditions of the data, each with the values it sets.
        unknown: symbols of its formulas that the model has not, sorted; each has to be a parameter
            of the problem.
        source_name: file name without folders.
        sha256: hash of the file's bytes, hexadecimal.
    """

    observables: tuple[Observable, ...]
    columns: Mapping[str, str | None]
    experiments: tuple[Experiment, ...]
    unknown: tuple[str, ...]
    source_name: str
    sha256: str

    @property
    def left_out(self) -> Mapping[str, None]:
        """Columns that are left out, as `load_measurements(path, mapping=...)` takes them.

        Columns that hold no numbers, such as comments, can be read over in no other way.
        """
        return MappingProxyType({c: None for c, id in self.columns.items() if id is None})


def load_mapping(path: str | os.PathLike[str], network: ReactionNetwork) -> DataMapping:
    """Read a mapping file; use it with `problem_of` where columns are no symbols of the model.

    Observables have the keys `observableId`, `formula` (the symbol of that id if left out),
    `noiseDistribution` (normal if left out), `noiseFormula`, `scale`, `offset`, `name`, `unit` and
    `column` (of the data; the id if left out; several, separated by semicolons, are replicates). A
    record without id leaves its column out; where that holds no numbers, read the data with
    `load_measurements(path, mapping=mapping.left_out)`. Conditions have a `conditionId` and set
    symbols of the model: one column a symbol in tables, the key `values` in TOML and YAML.

    Args:
        path: `.tsv`, `.txt`, `.csv`, `.xlsx`, `.toml`, `.yaml` or `.yml`.
        network: the model whose symbols are used.

    Raises:
        DataError: the file cannot be read, or says something that has no meaning; lists every
            problem with its place.
    """
    records = read_records(Path(path))
    problems: list[str] = []
    observables: list[Observable] = []
    columns: dict[str, str | None] = {}
    for record in records.observables:
        observable = observable_of(record, network, problems)
        id = None if observable is None else observable.id
        if observable is not None:
            observables.append(observable)
        for column in columns_of(record, id, problems):
            if column in columns:
                problems.append(f"{record.where}: the column {column!r} was named before")
            columns[column] = id
    experiments = [
        experiment_of(record, network, problems, records.file) for record in records.conditions
    ]
    if not records.observables and not problems:
        problems.append(
            "there is no observable; add a table with the columns observableId and noiseFormula, "
            "and one row for each column of the data that shall be fitted, for instance A and 1"
        )
    for what, ids in (
        ("observable", [o.id for o in observables]),
        ("condition", [e.id for e in experiments]),
    ):
        problems += [f"{what} {id!r} is there {n} times" for id, n in Counter(ids).items() if n > 1]
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise DataError(f"{records.file}:{listed}")
    used = [symbols(formula) for o in observables for formula in (o.formula, o.noise.scale)]
    used += [symbols(f) for e in experiments for p in e.periods for f in p.values.values()]
    return DataMapping(
        observables=tuple(observables),
        columns=MappingProxyType(columns),
        experiments=tuple(experiments),
        unknown=tuple(sorted(frozenset().union(*used) - network.by_id.keys() - {TIME.id})),
        source_name=records.file,
        sha256=records.sha256,
    )


def problem_of(
    network: ReactionNetwork,
    measurements: Measurements,
    mapping: DataMapping,
    parameters: Iterable[ProblemParameter] = (),
    *,
    name: str = "",
) -> Problem:
    """Return the calibration problem that a model, measurements and a mapping file make.

    Args:
        network: the model.
        measurements: as read from a file, with or without the columns that the mapping leaves out.
        mapping: what their columns measure; `load_mapping` reads it.
        parameters: free and fixed parameters, those of observables and conditions included.
        name: for reports.

    Raises:
        DataError: columns or conditions of the data that the mapping does not name, or the other
            way round.
        FitError: formulas that use symbols which are neither in the model nor parameters.
    """
    problems: list[str] = []
    targets = _targets(measurements, mapping, problems)
    missing = set(measurements.conditions) - {e.id for e in mapping.experiments}
    if mapping.experiments or measurements.conditions != ("",):
        if "" in missing:
            named = ", ".join(repr(e.id) for e in mapping.experiments)
            problems.append(
                "measurements without a condition, and the mapping file names "
                f"{named or 'none either'}; name it in a column 'condition' of the data"
            )
        problems += [
            f"measurements under condition {c!r}, which the mapping file does not name"
            f"{suggestion(c, (e.id for e in mapping.experiments))}; add it with conditionId"
            for c in sorted(missing - {""})
        ]
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        where = f"{measurements.source_name} with {mapping.source_name}"
        raise DataError(f"{where}: columns and conditions do not fit:{listed}")
    renamed = _renamed(measurements, targets)
    units = dict(zip(renamed.observables, renamed.units, strict=True))
    return Problem(
        network=network,
        observables=tuple(
            replace(o, unit=o.unit or units.get(o.id, "")) for o in mapping.observables
        ),
        measurements=renamed,
        parameters=tuple(parameters),
        experiments=mapping.experiments or (Experiment(""),),
        name=name,
    )


def _targets(
    measurements: Measurements, mapping: DataMapping, problems: list[str]
) -> list[str | None]:
    """Return the observable of each column of the data, None where it is left out."""
    targets: list[str | None] = []
    used: set[str] = set()
    ids = {o.id for o in mapping.observables}
    for column, unit in zip(measurements.observables, measurements.units, strict=True):
        spellings = [f"{column} [{unit}]", f"{column} ({unit})"] if unit else []
        key = next((s for s in (*spellings, column) if s in mapping.columns), None)
        if key is not None:
            used.add(key)
            targets.append(mapping.columns[key])
            continue
        targets.append(column if column in ids else None)
        if column not in ids:
            problems.append(
                f"column {column!r} of the data is not in the mapping file"
                f"{suggestion(column, mapping.columns)}; name it under 'column', without "
                "observableId to leave it out, or read the data with observables="
            )
    problems += [
        f"the mapping file names a column {key!r} that the data have not"
        f"{suggestion(key, measurements.observables)}"
        for key, id in mapping.columns.items()
        # What is left out may have been left out in reading the data already.
        if key not in used and id is not None
    ]
    return targets


def _renamed(measurements: Measurements, targets: list[str | None]) -> Measurements:
    """Return measurements of observables; columns of one observable are its replicates."""
    m = measurements
    columns = Counter(target for target in targets if target is not None)
    observables = tuple(columns)
    kept = [i for i, j in enumerate(m.observable_index) if targets[j] is not None]
    units: dict[str, str] = {}
    for target, unit, column in zip(targets, m.units, m.observables, strict=True):
        if target is not None and units.setdefault(target, unit) != unit:
            raise DataError(
                f"{m.source_name}: column {column!r} is in {unit or 'no unit'}, other columns of "
                f"{target!r} are in {units[target] or 'no unit'}; convert them to one unit first"
            )
    names = [targets[m.observable_index[i]] or "" for i in kept]
    return replace(
        m,
        observables=observables,
        units=tuple(units[o] for o in observables),
        time=m.time[kept],
        observable_index=np.array([observables.index(name) for name in names], np.int64),
        value=m.value[kept],
        replicate=tuple(
            m.replicate[i]
            if columns[name] == 1
            else f"{m.observables[m.observable_index[i]]} {m.replicate[i]}".strip()
            for i, name in zip(kept, names, strict=True)
        ),
        condition=tuple(m.condition[i] for i in kept),
    )
