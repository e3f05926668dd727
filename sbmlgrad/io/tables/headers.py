"""Where a table begins in its sheet: comments, rows before the header, the header, the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from sbmlgrad.io.tables.cells import (
    Cell,
    Grid,
    Problem,
    Region,
    Sheet,
    Table,
    Unusable,
    parse_label,
    parse_number,
    shown,
)
from sbmlgrad.io.tables.options import TableOptions
from sbmlgrad.io.tables.problems import refuse_file
from sbmlgrad.io.tables.times import seconds_of
from sbmlgrad.model.labels import first_of

#: Tells whether a row can be the header, from its cells as labels and the next row that is filled.
IsHeader = Callable[[Mapping[int, str], Mapping[int, Cell]], bool]


def table_of(sheet: Sheet, options: TableOptions, is_header: IsHeader) -> Table:
    """Return the table in a sheet.

    The header is the row that the caller names, else the first that `is_header` accepts, else the
    first of all, so that a message can say what it lacks. What stands above is ignored, and said.

    Args:
        sheet: cells; not empty.
        options: `header_row` and `names`.
        is_header: whether a row can be the header.

    Raises:
        DataError: the row that the caller names is empty, or `names` do not fit the columns.
    """
    if options.names is not None:
        return _named(sheet, options.names)
    rows = sorted(sheet.grid)
    wanted = options.header_row
    if wanted is not None and wanted not in sheet.grid:
        refuse_file(sheet.where, f"header_row={wanted} is an empty row; the table has none there")
    header_row = wanted or next(
        (
            row
            for i, row in enumerate(rows)
            if is_header(labels_in(sheet.grid[row]), _below(sheet.grid, rows[i + 1 : i + 3]))
        ),
        rows[0],
    )
    cells = dict(sheet.grid[header_row])
    first = min(cells)
    if isinstance(cell := cells[first], str):
        cells[first] = cell.strip().removeprefix("#")
    problems: list[Problem] = []
    header = _labels(cells, header_row, problems)
    above = [row for row in rows if row < header_row]
    grid = {row: sheet.grid[row] for row in rows if row > header_row}
    notes = sheet.notes
    units = _units_in(grid[min(grid)]) if grid else {}
    if units and units.keys() <= header.keys():
        header = {c: f"{x} [{units[c]}]" if units.get(c) else x for c, x in header.items()}
        notes = (*notes, f"row {min(grid)} was read as the units of the columns")
        del grid[min(grid)]
    problems += _cut_off(sheet, grid, max(header))
    problems += _stray(grid, header, is_text=sheet.name is None)
    return Table(
        file=sheet.file,
        sheet=sheet.name,
        sha256=sheet.sha256,
        header_row=header_row,
        header=header,
        rows=grid,
        problems=tuple(problems),
        ignored=(*sheet.ignored, *_above(sheet.grid, above)),
        notes=notes,
    )


def labels_in(cells: Mapping[int, Cell]) -> dict[int, str]:
    """Return the cells that can be labels of columns."""
    labels = {column: parse_label(cell) for column, cell in cells.items()}
    return {column: label for column, label in labels.items() if isinstance(label, str)}


def _below(grid: Grid, rows: Sequence[int]) -> Mapping[int, Cell]:
    """Return the first of the rows below a header that holds no units; empty if there is none."""
    return next((grid[row] for row in rows if not _units_in(grid[row])), {})


def _units_in(cells: Mapping[int, Cell]) -> dict[int, str]:
    """Return column → unit if a row holds units: text without numbers, a unit of time among it."""
    found = {c: x.strip().strip("[]()").strip() for c, x in cells.items() if isinstance(x, str)}
    is_text = all(isinstance(parse_number(x), Unusable) for x in found.values())
    has_time = any(seconds_of(x) for x in found.values())
    return found if is_text and has_time and found.keys() == cells.keys() else {}


def _named(sheet: Sheet, names: tuple[str, ...]) -> Table:
    columns = sorted({column for cells in sheet.grid.values() for column in cells})
    if len(columns) != len(names):
        refuse_file(
            sheet.where,
            f"names= has {len(names)} names, but {len(columns)} columns hold something; give one "
            "for each",
        )
    problems: list[Problem] = []
    header = _labels(dict(zip(columns, names, strict=True)), 0, problems)
    return Table(
        file=sheet.file,
        sheet=sheet.name,
        sha256=sheet.sha256,
        header_row=0,
        header=header,
        rows=dict(sheet.grid),
        problems=tuple(problems),
        ignored=sheet.ignored,
        notes=(*sheet.notes, f"the columns were named by the caller: {', '.join(names)}"),
    )


def _above(grid: Grid, rows: list[int]) -> tuple[Region, ...]:
    if not rows:
        return ()
    texts = [shown(cell) for row in rows for cell in grid[row].values()]
    text = f"before the header: {first_of(texts, 6, 'cells')}"
    return (Region(text, (rows[0], rows[-1])),)


def _labels(cells: Mapping[int, Cell], row: int, problems: list[Problem]) -> dict[int, str]:
    header: dict[int, str] = {}
    for column, cell in sorted(cells.items()):
        label = parse_label(cell)
        if isinstance(label, Unusable):
            header[column] = label.found
            problems.append(Problem(f"the header holds {label.found}; {label.advice}", row, column))
        else:
            header[column] = label
    return header


def _cut_off(sheet: Sheet, grid: Grid, width: int) -> Iterator[Problem]:
    for row in grid:
        length = sheet.lengths.get(row, width)
        if length < width:
            yield Problem(
                f"has {length} cells where the header has {width}; the row may be cut off: write "
                "missing values as empty cells, with their separators",
                row,
            )


def _stray(grid: Grid, header: Mapping[int, str], *, is_text: bool) -> Iterator[Problem]:
    hint = (
        "an unquoted comma in a number or name also shifts cells"
        if is_text
        else "merged header cells name only their first column"
    )
    advice = f"name the column or clear the cells ({hint})"
    for row, cells in grid.items():
        for column in cells.keys() - header.keys():
            text = f"found {shown(cells[column])}, but the header has no name here; {advice}"
            yield Problem(text, row, column, "stray")
