"""What a data file was understood to hold, where, and what was ignored; seen before any fit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from inspect import signature
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sbmlgrad.errors import DataError, RequestError
from sbmlgrad.io.dwell_files import is_record, load_dwells
from sbmlgrad.io.layouts.table import proposed
from sbmlgrad.io.preview_contents import Row, contents_of
from sbmlgrad.io.snapshot_files import load_snapshots
from sbmlgrad.io.tables.cells import Region, Sheet, Table
from sbmlgrad.io.tables.columns import has_time, time_column_of
from sbmlgrad.io.tables.files import chosen_sheets, read_sheets
from sbmlgrad.io.tables.headers import table_of
from sbmlgrad.io.tables.parts import Part, measurements_of, place_of
from sbmlgrad.io.tables.problems import listed
from sbmlgrad.io.tables.reading import Request, read_parts
from sbmlgrad.io.tables.request import request_of
from sbmlgrad.io.tables.timed_headers import is_wide
from sbmlgrad.model.dwells import Dwells
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.snapshots import Snapshots

Kind = Literal["measurements", "snapshots", "dwells"]

#: Values of one observable at one time that rather are cells of a population than replicates.
_MANY = 30

#: Options of snapshots and of dwells; with others a table is measurements.
_OF_CELLS = frozenset(signature(load_snapshots).parameters)
_OF_DWELLS = frozenset(signature(load_dwells).parameters)


@dataclass(frozen=True, slots=True)
class SheetPreview:
    """What became of one sheet.

    Attributes:
        sheet: its name, or None for text files.
        layout: how it was read: wide, long or that of an instrument.
        understood: what stands where, each as `rows 2-9, column B: observable: 'A'`.
        ignored: what was not read, where and why.
        notes: what was assumed or converted.
        problems: what is in the way, each with its row and column.
    """

    sheet: str | None
    layout: str
    understood: tuple[str, ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a data file was understood to hold.

    Attributes:
        file: file name without folders.
        sha256: hash of the file's bytes, hexadecimal; empty if problems prevent reading.
        kind: measurements, snapshots (single cells) or dwells.
        recognised: how kind and layout were found, in words.
        call: what reads the file so in Python.
        sheets: what became of each sheet.
        columns: names of the columns of `contents`.
        contents: one row for each observable, time of snapshots or state of dwells.
        problems: what is in the way of the file as a whole.
    """

    file: str
    sha256: str
    kind: Kind
    recognised: str
    call: str
    sheets: tuple[SheetPreview, ...]
    columns: tuple[str, ...] = ()
    contents: tuple[Row, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether the call reads the file without an error."""
        return not self.problems and not any(sheet.problems for sheet in self.sheets)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {**asdict(self), "usable": self.is_usable}


def preview(
    path: str | os.PathLike[str],
    *,
    layout: str | None = None,
    sheet: str | Sequence[str] | None = None,
    **options: Any,
) -> Preview:
    """Show what a data file would be read as; use it before the first fit to a new file.

    Layouts of instruments, single-cell snapshots and dwell times are recognised by their marks. All
    sheets of a workbook are shown unless one is chosen.

    Args:
        path: the file.
        layout: as in `load_measurements`; None proposes one.
        sheet: as in `load_measurements`; None shows all that hold data.
        options: further arguments of `load_measurements`.

    Returns:
        The preview; problems in the file are part of it, and no error.

    Raises:
        DataError: the file cannot be read at all, or is empty.
        RequestError: an argument has no meaning.
    """
    source = Path(path)
    given: dict[str, Any] = {"layout": layout, "sheet": sheet, **options}
    sheets = read_sheets(source, _request(given).options)
    if sheet is None and len([s for s in sheets if s.grid]) > 1:
        given["sheet"] = "all"
    chosen = chosen_sheets(sheets, _request(given).options)
    if layout is not None:
        return _measurements(source, chosen, given, "the layout asked for")[0]
    found = next((p for s in chosen if (p := proposed(s.grid)) is not None), None)
    if found is not None:
        given["layout"] = found.name
        why = f"an export of {found.instrument}, recognised by {found.marks}"
        return _measurements(source, chosen, given, why)[0]
    asked = {name for name, value in given.items() if value is not None}
    if asked <= _OF_CELLS | _OF_DWELLS and len(chosen) == 1:
        table = table_of(
            chosen[0],
            _request(given).options,
            lambda row, below: (
                is_record(row) or is_wide(row.values()) or has_time(row, below, None)
            ),
        )
        if is_record(table.header) and asked <= _OF_DWELLS:
            return _dwells(source, table, given)
        if is_wide(table.header.values()) and asked <= _OF_CELLS:
            why = "counts in single cells, recognised by names of columns that are times"
            return _snapshots(source, table, given, why)
    else:
        table = None
    result, measurements = _measurements(source, chosen, given, "a plain table")
    if table is None or not asked <= _OF_CELLS:
        return result
    if _has_replicates(table):
        # Labels that are all different are those of courses.
        return result if result.is_usable else _with_alternative(result, source, table, given)
    if measurements is None or not _are_many(measurements):
        return result
    why = (
        "counts in single cells, recognised by many whole numbers at each time; if they are "
        "replicates of one measurement, use load_measurements"
    )
    return _snapshots(source, table, given, why)


def _request(given: dict[str, Any]) -> Request:
    try:
        return request_of(**given)
    except TypeError as error:
        raise RequestError(f"preview: {error}; options are those of load_measurements") from None


def _call(verb: str, source: Path, given: dict[str, Any]) -> str:
    options = "".join(f", {name}={value!r}" for name, value in given.items() if value is not None)
    return f"sbmlgrad.{verb}({source.name!r}{options})"


# --- measurements ---------------------------------------------------------------------------------


def _measurements(
    source: Path, sheets: Sequence[Sheet], given: dict[str, Any], why: str
) -> tuple[Preview, Measurements | None]:
    result = Preview(
        file=source.name,
        sha256=sheets[0].sha256,
        kind="measurements",
        recognised=why,
        call=_call("load_measurements", source, given),
        sheets=(),
    )
    request = _request(given)
    try:
        parts = read_parts(source, request)
        result = replace(result, sheets=tuple(_sheet(part) for part in parts))
        if not result.is_usable:
            return result, None
        m = measurements_of(parts, request.options)
    except DataError as error:
        return replace(result, problems=(str(error),)), None
    return _filled(result, m), m


def _sheet(part: Part) -> SheetPreview:
    return SheetPreview(
        sheet=part.table.sheet,
        layout=part.layout,
        understood=_texts(part.understood),
        ignored=_texts(part.table.ignored),
        notes=part.table.notes,
        problems=tuple(x.strip().removeprefix("- ") for x in listed(part.table, part.problems)),
    )


def _texts(regions: Sequence[Region]) -> tuple[str, ...]:
    return tuple(f"{place_of(region)}{region.text}" for region in regions)


def _has_replicates(table: Table) -> bool:
    """Tell whether there are labels of courses: cells that are followed, or wells."""
    return any(label.lower() == "replicate" for label in table.header.values())


def _with_alternative(
    result: Preview, source: Path, table: Table, given: dict[str, Any]
) -> Preview:
    """Name what reads the file as cells, where replicates are populations of many."""
    at = time_column_of(table, None, [])
    labels = [label for column, label in table.header.items() if column != at]
    options = {name: value for name, value in given.items() if name != "layout"}
    options["columns"] = [x for x in labels if x.lower() not in ("condition", "replicate")]
    try:
        rows = contents_of(load_snapshots(source, **options))[1]
    except DataError:
        return result
    call = _call("load_snapshots", source, options).removeprefix("sbmlgrad.")
    why = (
        f"{result.recognised}, with many whole numbers at each time for the same replicates; if "
        f"they are counts in single cells, each seen once, use {call}"
    )
    return replace(result, recognised=why) if all(int(x[3]) >= _MANY for x in rows) else result


def _are_many(m: Measurements) -> bool:
    """Tell whether measurements rather are counts in cells: many at each time, all whole."""
    if (m.value < 0.0).any() or (m.value != np.rint(m.value)).any():
        return False
    times = [m.time[m.observable_index == i] for i in range(len(m.observables))]
    return all(t.size >= _MANY * np.unique(t).size for t in times)


def _filled(result: Preview, data: Measurements | Snapshots | Dwells) -> Preview:
    columns, rows = contents_of(data)
    return replace(result, columns=columns, contents=rows)


# --- single cells and channels --------------------------------------------------------------------


def _snapshots(source: Path, table: Table, given: dict[str, Any], why: str) -> Preview:
    options = {name: value for name, value in given.items() if name != "layout"}
    result = _special(source, table, "snapshots", why, _call("load_snapshots", source, options))
    try:
        s = load_snapshots(source, **options)
    except DataError as error:
        return replace(result, problems=(str(error),))
    return _filled(replace(result, sheets=(_whole(table, "snapshots", s),)), s)


def _dwells(source: Path, table: Table, given: dict[str, Any]) -> Preview:
    options = {name: value for name, value in given.items() if name != "layout"}
    why = "dwell times, recognised by columns of a state and a duration"
    result = _special(source, table, "dwells", why, _call("load_dwells", source, options))
    try:
        d = load_dwells(source, **options)
    except DataError as error:
        return replace(result, problems=(str(error),))
    return _filled(replace(result, sheets=(_whole(table, "dwells", d),)), d)


def _special(source: Path, table: Table, kind: Kind, why: str, call: str) -> Preview:
    return Preview(source.name, table.sha256, kind, why, call, ())


def _whole(table: Table, layout: str, data: Snapshots | Dwells) -> SheetPreview:
    is_ignored = [": ignored: " in note for note in data.notes]
    rows, columns = sorted(table.rows), sorted(table.header)
    what = f"{len(data)} {'cells' if layout == 'snapshots' else 'dwells'}"
    found = Region(what, (rows[0], rows[-1]), (columns[0], columns[-1]))
    header = [Region("header", (table.header_row, table.header_row))] if table.header_row else []
    pairs = list(zip(data.notes, is_ignored, strict=True))
    return SheetPreview(
        sheet=table.sheet,
        layout=layout,
        understood=_texts([*header, found]),
        ignored=tuple(note.replace("ignored: ", "", 1) for note, ignored in pairs if ignored),
        notes=tuple(note for note, ignored in pairs if not ignored),
        problems=(),
    )
