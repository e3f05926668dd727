"""Tables of measurements from CSV, TSV and XLSX, as people and instruments write them; and back."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from sbmlgrad.errors import RequestError, WriteError
from sbmlgrad.io.files import write_atomically
from sbmlgrad.io.tables.columns import LONG, split_label
from sbmlgrad.io.tables.options import MISSING, Above, Below, Clock, SheetsAre
from sbmlgrad.io.tables.parts import measurements_of
from sbmlgrad.io.tables.reading import read_parts
from sbmlgrad.io.tables.request import request_of
from sbmlgrad.model.measurements import Measurements


def load_measurements(
    path: str | os.PathLike[str],
    *,
    mapping: Mapping[str, str | None] | None = None,
    sheet: str | Sequence[str] | None = None,
    time_column: str | None = None,
    layout: str | None = None,
    observables: Sequence[str] | None = None,
    sheets_are: SheetsAre = "condition",
    header_row: int | None = None,
    names: Sequence[str] | None = None,
    time_unit: str | None = None,
    clock: Clock | None = None,
    decimal: Literal[",", "."] | None = None,
    separator: str | None = None,
    encoding: str = "utf-8",
    missing: Sequence[str] = MISSING,
    below_detection: Below | None = None,
    above_detection: Above | None = None,
    lower_limit: float | None = None,
    upper_limit: float | None = None,
    plate_map: str | os.PathLike[str] | None = None,
    condition_columns: Sequence[str] | None = None,
    replicate_columns: Sequence[str] | None = None,
) -> Measurements:
    """Read measurements from a spreadsheet, a text table or the export of a plate reader.

    The wide layout has a time column and one column per observable; replicates are repeated column
    names or repeated times. The long layout has columns `time`, `observable`, `value` and, if
    needed, `replicate` and `condition`. Rows that begin with `#` and rows above the header are
    ignored; an empty cell is a missing value. A unit in brackets behind a name, as in `time [h]` or
    `A (nM)`, is kept apart from the name. Replicates without a label are numbered from 1. What was
    assumed, converted or ignored is listed in `Measurements.notes`; `preview` shows it beforehand.

    Args:
        path: `.csv`, `.tsv` or `.txt`; or `.xlsx`.
        mapping: column name → SBML id, or → None for a column to leave out; columns mapped to the
            same id are replicates.
        sheet: sheet of a workbook, a list of sheets, or `"all"`; None if only one holds data.
        time_column: name of the time column, if it is not called time, t, day, hours, min, s, ...
        layout: `"wide"`, `"long"`, or that of an instrument: `"tecan"`, `"bmg"`, `"biotek"`; None
            decides by the header: long if it has all of time, observable and value.
        observables: names of the columns (of the observables, in the long layout; of channels or
            wells, in those of instruments) to read; all others are ignored. None reads all.
        sheets_are: what a sheet is where several are read: a `"condition"` or a `"replicate"`,
            called by its name.
        header_row: row of the header, counted from 1; None finds it.
        names: names of the columns of a file without a header, as in `["time [min]", "A"]`.
        time_unit: unit of the times returned; None keeps the file's. Clock times and dates are
            given in hours unless the header or this names another unit. Dates are counted from
            the earliest.
        clock: what `12:30` means, `"h:mm"` or `"m:ss"`; `1:02:30` is h:mm:ss.
        decimal: `","` or `"."`; None finds it where there is no doubt.
        separator: of columns: `","`, `";"` or a tab; None finds it.
        encoding: of a text file, such as `"cp1252"` from older Windows programs.
        missing: what stands for a missing value besides an empty cell, in any letter case.
        below_detection: what to do with marks such as `<5`, `ND` or `n.d.`: `"drop"`, or read them
            as `"half"` the limit or as the `"limit"`; None refuses them.
        above_detection: likewise for `>100` or `OVER`: `"drop"` or `"limit"`.
        lower_limit: limit of detection where a mark such as `ND` names none.
        upper_limit: likewise for marks such as `OVER`.
        plate_map: table of wells (columns `well` and `condition`, `replicate`, `observable`) that
            groups the wells of an instrument's export.
        condition_columns: columns whose cells, one behind the other, name the condition of a row;
            None is the column `condition`, if there is one.
        replicate_columns: likewise for the replicate.

    Returns:
        The measurements; times in `time_unit`.

    Raises:
        DataError: the file cannot be read, or cells in it cannot; lists every problem with its
            file, sheet, row and column.
        RequestError: an argument has no meaning.
    """
    if not isinstance(path, str | Path):
        raise RequestError(f"load_measurements({path!r}): give the path of a file")
    request = request_of(
        mapping=mapping,
        sheet=sheet,
        time_column=time_column,
        layout=layout,
        observables=observables,
        sheets_are=sheets_are,
        header_row=header_row,
        names=names,
        time_unit=time_unit,
        clock=clock,
        decimal=decimal,
        separator=separator,
        encoding=encoding,
        missing=missing,
        below_detection=below_detection,
        above_detection=above_detection,
        lower_limit=lower_limit,
        upper_limit=upper_limit,
        plate_map=plate_map,
        condition_columns=condition_columns,
        replicate_columns=replicate_columns,
    )
    return measurements_of(read_parts(Path(path), request), request.options)


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
