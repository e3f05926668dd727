"""Tables of measurements, wide or long, from CSV, TSV and XLSX; and back to a long CSV.

`table_files` reads cells, `table_columns` finds out what columns mean, `table_rows` makes
measurements of rows, and `table_problems` words what is wrong.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sbmlgrad.errors import RequestError, WriteError
from sbmlgrad.io.files import write_atomically
from sbmlgrad.io.table_cells import Problem, clean
from sbmlgrad.io.table_columns import (
    LONG,
    Choice,
    Layout,
    roles_of,
    split_label,
    time_column_of,
    time_unit_of,
)
from sbmlgrad.io.table_files import read_table
from sbmlgrad.io.table_problems import refuse
from sbmlgrad.io.table_rows import read_long, read_wide
from sbmlgrad.model.measurements import Measurements


def load_measurements(
    path: str | os.PathLike[str],
    *,
    mapping: Mapping[str, str | None] | None = None,
    sheet: str | None = None,
    time_column: str | None = None,
    layout: Layout | None = None,
    observables: Sequence[str] | None = None,
) -> Measurements:
    """Read measurements from a spreadsheet or text table.

    The wide layout has a time column and one column per observable; replicates are repeated column
    names or repeated times. The long layout has columns `time`, `observable`, `value` and, if
    needed, `replicate` and `condition`. The first row that is not empty is the header; an empty
    cell is a missing value. A unit in brackets behind a name, as in `time [h]` or `A (nM)`, is kept
    apart from the name. Replicates without a label are numbered from 1.

    Args:
        path: `.csv` (commas), `.tsv` or `.txt` (tabs), UTF-8; or `.xlsx`.
        mapping: column name → SBML id, or → None for a column to leave out; columns mapped to the
            same id are replicates.
        sheet: sheet of a workbook; None if only one holds data.
        time_column: name of the time column, if it is not called time, t, day, hours, min, s, ...
        layout: `"wide"` or `"long"`; None decides by the header: long if it has all of time,
            observable and value.
        observables: names of the columns (of the observables, in the long layout) to read; all
            others are ignored. None reads all.

    Returns:
        The measurements, times in the file's unit.

    Raises:
        DataError: the file cannot be read, or cells in it cannot; lists every problem with its
            file, sheet, row and column.
        RequestError: an argument has no meaning.
    """
    if not isinstance(path, str | Path):
        raise RequestError(f"load_measurements({path!r}): give the path of a file")
    if layout not in (None, "wide", "long"):
        raise RequestError(f"layout={layout!r} is unknown; use 'wide', 'long' or None")
    if isinstance(observables, str):
        raise RequestError(f"observables={observables!r} must be a list of names, not one text")
    table = read_table(Path(path), sheet)
    problems = list(table.problems)
    choice = Choice(
        None if observables is None else tuple(clean(name) for name in observables),
        {clean(name): target for name, target in (mapping or {}).items()},
    )
    time = time_column_of(table, time_column, problems)
    roles = roles_of(table, time, layout, problems)
    if time is None or roles is None:
        refuse(table, problems)
    read = read_long if roles else read_wide
    kept, units = read(table, time, roles, choice, problems)
    if not kept:
        problems.append(Problem("there is no numeric value at all"))
    if problems:
        refuse(table, problems)
    position = {observable: i for i, observable in enumerate(units)}
    return Measurements(
        observables=tuple(units),
        time=np.array([row.time for row in kept], np.float64),
        observable_index=np.array([position[row.observable] for row in kept], np.int64),
        value=np.array([row.value for row in kept], np.float64),
        replicate=tuple(row.replicate for row in kept),
        condition=tuple(row.condition for row in kept),
        source_name=table.file,
        sha256=table.sha256,
        time_unit=time_unit_of(table.header[time]),
        units=tuple(units.values()),
    )


def write_long_csv(measurements: Measurements, path: str | os.PathLike[str]) -> None:
    """Write measurements as a long table that `load_measurements` reads back unchanged.

    Args:
        measurements: every observable must have at least one value.
        path: a `.csv` file; replaced as a whole, or left as it was if writing fails.

    Raises:
        WriteError: another suffix, an observable without values, or a folder that cannot be
            written to.
    """
    target = Path(path)
    if target.suffix.lower() != ".csv":
        raise WriteError(f"{target.name}: a long table is written as .csv; change the suffix")
    m = measurements
    without = [o for i, o in enumerate(m.observables) if i not in m.observable_index]
    if without or not m.observables:
        raise WriteError(
            f"{target.name}: a long table cannot hold observables without values; found "
            f"{', '.join(map(repr, without)) or 'no measurement at all'}; leave them out"
        )
    labels = [
        f"{name} [{unit}]" if unit or split_label(name)[0] != name else name
        for name, unit in zip(m.observables, m.units, strict=True)
    ]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([f"time [{m.time_unit}]" if m.time_unit else "time", *LONG])
    observed = (labels[i] for i in m.observable_index)
    numbers = (map(repr, m.time.tolist()), observed, map(repr, m.value.tolist()))
    writer.writerows(zip(*numbers, m.replicate, m.condition, strict=True))
    write_atomically(target, text.getvalue().encode())
