"""Bytes of CSV, TSV and XLSX files → sheets of cells."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sbmlgrad.errors import DataError, UnreadableFileError
from sbmlgrad.io.files import read_bytes
from sbmlgrad.io.tables.cells import Cell, Grid, Region, Sheet
from sbmlgrad.io.tables.options import TableOptions
from sbmlgrad.io.tables.problems import refuse_file

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx")
_SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas"}


def read_sheets(path: Path, options: TableOptions) -> tuple[Sheet, ...]:
    """Read every sheet of a file, empty ones included; a text file has one, without a name.

    Args:
        path: a `.csv`, `.tsv`, `.txt` or `.xlsx` file.
        options: encoding and separator of text files.

    Raises:
        DataError: the file cannot be read, or is not what its suffix claims.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        hint = "save the workbook as XLSX" if suffix in (".xls", ".ods", ".xlsb") else "convert it"
        refuse_file(
            path.name,
            f"files with the suffix {suffix!r} are not read, only .csv, .tsv, .txt and .xlsx; "
            f"{hint}",
        )
    try:
        data = read_bytes(path)
    except UnreadableFileError as error:
        raise DataError(str(error)) from error
    if not data:
        refuse_file(path.name, "the file is empty")
    sha256 = hashlib.sha256(data).hexdigest()
    if suffix != ".xlsx":
        return (_read_text(data, path.name, sha256, options),)
    from sbmlgrad.io.tables.workbooks import grids_of

    found = []
    for name, grid in grids_of(data, path.name).items():
        rows = [row for row, cells in grid.items() if _is_comment(cells)]
        comments = [row for row in rows if row != options.header_row]
        ignored = _comment_regions({row: _first(grid[row]) for row in comments})
        kept = {row: cells for row, cells in grid.items() if row not in comments}
        found.append(Sheet(path.name, name, sha256, kept, {}, ignored))
    return tuple(found)


def chosen_sheets(sheets: Sequence[Sheet], options: TableOptions) -> tuple[Sheet, ...]:
    """Return the sheets to read; those that are empty are left out where all are meant.

    Raises:
        DataError: there are no such sheets, or several and no choice.
    """
    file, names = sheets[0].file, [sheet.name for sheet in sheets]
    wanted = options.sheet
    if names == [None]:
        if wanted is not None or options.every_sheet:
            chosen = wanted[0] if wanted is not None and len(wanted) == 1 else wanted or "all"
            refuse_file(file, f"a text file has no sheets; leave out sheet={chosen!r}")
        if not sheets[0].grid:
            refuse_file(file, "the file is empty")
        return tuple(sheets)
    listed = ", ".join(map(repr, names))
    filled = {sheet.name: sheet for sheet in sheets if sheet.grid}
    for name in wanted or ():
        if name not in names:
            refuse_file(file, f"there is no sheet {name!r}; the sheets are {listed}")
        if name not in filled:
            refuse_file(f"{file}, sheet {name!r}", "the sheet is empty")
    if not filled:
        refuse_file(file, f"every sheet is empty ({listed})")
    if options.every_sheet and "all" in names:
        refuse_file(
            file, "sheet='all' may mean every sheet or the one called 'all'; give a list of names"
        )
    if wanted is not None:
        return tuple(filled[name] for name in dict.fromkeys(wanted))
    if len(filled) > 1 and not options.every_sheet:
        refuse_file(
            file,
            f"several sheets hold data, {', '.join(map(repr, filled))}; choose one with sheet=, "
            "several with a list, or sheet='all'",
        )
    return tuple(filled.values())


# --- text files -----------------------------------------------------------------------------------


def _read_text(data: bytes, file: str, sha256: str, options: TableOptions) -> Sheet:
    text = _decoded(data, file, options.encoding)
    lines = io.StringIO(text, newline=None).readlines()
    comments = dict(_comment_lines(lines))
    comments.pop(options.header_row or 0, None)
    kept = ["\n" if row in comments else line for row, line in enumerate(lines, 1)]
    expected = "," if file.lower().endswith(".csv") else "\t"
    separator = options.separator or _separator_of(kept, expected)
    reader = csv.reader(kept, delimiter=separator, strict=True)
    grid: Grid = {}
    lengths: dict[int, int] = {}
    try:
        for row, record in enumerate(reader, 1):
            cells: dict[int, Cell] = {c: s for c, s in enumerate(record, 1) if s.strip()}
            if cells:
                grid[row], lengths[row] = cells, len(record)
    except csv.Error as error:
        refuse_file(file, f"line {reader.line_num}: {error}; check the quotation marks there")
    several = any(len(cells) > 1 for cells in grid.values())
    found = f"columns are separated by {_SEPARATORS[separator]}"
    notes = (found,) if separator != expected and several else ()
    return Sheet(file, None, sha256, grid, lengths, _comment_regions(comments), notes)


def _decoded(data: bytes, file: str, encoding: str) -> str:
    try:
        text = data.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        hint = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"
        refuse_file(
            file,
            f"row {row}: byte 0x{data[error.start]:02x} is not {encoding.upper()} text; save the "
            f"file with the encoding UTF-8, or give its own, perhaps encoding={hint!r}",
        )
    except (UnicodeError, LookupError) as error:  # utf-16 without its mark; no text encoding
        refuse_file(file, f"row 1: this is not {encoding} text ({error}); give another encoding=")
    if "\0" in text:
        refuse_file(file, "the file holds zero bytes, so it is no text in this encoding")
    return text


def _comment_lines(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield line number and text of comments; a quoted cell may go over several lines."""
    is_inside = False
    for number, line in enumerate(lines, 1):
        if not is_inside and line.startswith("#") and not _ERROR.match(line):
            yield number, line.strip()
        else:
            is_inside ^= line.count('"') % 2 == 1


def _separator_of(lines: Sequence[str], expected: str) -> str:
    """Return what separates columns: what all lines have alike, else most of them.

    Semicolons go before commas, which stand in numbers too.
    """
    filled = [re.sub('"[^"]*"', "", line) for line in lines if line.strip()]
    totals: dict[str, int] = {}
    often: list[str] = []
    for separator in _SEPARATORS:
        counts = Counter(line.count(separator) for line in filled)
        if len(counts) == 1 and 0 not in counts:
            return separator
        del counts[0]
        totals[separator] = sum(n * times for n, times in counts.items())
        if counts and 2 * counts.most_common(1)[0][1] >= len(filled):
            often.append(separator)
    best = max(totals, key=totals.__getitem__)
    return often[0] if often else best if totals[best] else expected


# --- comments -------------------------------------------------------------------------------------

#: Values that a spreadsheet writes for errors are no comments.
_ERROR = re.compile(r"#(N/A|DIV/0!|REF!|VALUE!|NUM!|NAME\?|NULL!)")


def _first(cells: Mapping[int, Cell]) -> str:
    cell = cells[min(cells)]
    return cell.strip() if isinstance(cell, str) else ""


def _is_comment(cells: Mapping[int, Cell]) -> bool:
    first = _first(cells)
    return first.startswith("#") and not _ERROR.match(first)


def _comment_regions(comments: Mapping[int, str]) -> tuple[Region, ...]:
    """Return comments as regions, each with its text; long runs as one."""
    if len(comments) > 20:
        rows = min(comments), max(comments)
        return (Region(f"{len(comments)} comment rows, which begin with '#'", rows),)
    return tuple(
        Region(f"comment: {text if len(text) <= 160 else text[:160] + '…'}", (row, row))
        for row, text in comments.items()
    )
