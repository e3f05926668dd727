"""BioTek Gen5: settings, then for each channel its label and a table of wells over times h:mm:ss.

The header of a table holds `Time`, the temperature and the wells. Times that were planned but not
measured have no values. What follows the last table (`Results`, ...) is not read.
"""

from __future__ import annotations

from sbmlgrad.io.layouts.plate import (
    Layout,
    Plate,
    Series,
    in_brackets,
    says,
    text_at,
    unmeasured,
    well_of,
    wells_text,
)
from sbmlgrad.io.tables.cells import Grid, Problem, Region, shown

#: Marks of the settings that tell these files from other tables with a column of time and wells.
_SETTINGS = ("software version", "reader type:", "procedure details")


def _headers(grid: Grid) -> list[tuple[int, int]]:
    """Return row and column of every `Time` that wells follow in its row."""
    found = []
    for row, cells in sorted(grid.items()):
        times = [c for c in sorted(cells) if says(cells[c], "time", "time [s]")]
        if times and any(well_of(cell) for c, cell in cells.items() if c > times[0]):
            found.append((row, times[0]))
    return found


def _is_of(grid: Grid) -> bool:
    is_named = any(says(cells[min(cells)], *_SETTINGS) for cells in grid.values())
    return is_named and bool(_headers(grid))


def _read(grid: Grid, problems: list[Problem]) -> Plate:
    headers = _headers(grid)
    if not headers:
        problems.append(Problem("there is no row with 'Time' and wells such as A1 behind it"))
    series: list[Series] = []
    understood: list[Region] = []
    ignored: list[Region] = []
    units: set[str] = set()
    done = 0
    for head, time in headers:
        label_row, label = _label(grid, head, done)
        if above := [row for row in grid if done < row < label_row]:
            ignored.append(Region("settings of the instrument", (min(above), max(above))))
        done = _table(grid, (head, time), (label_row, label), series, understood, ignored, problems)
        units.add(in_brackets(text_at(grid, head, time)))
    if below := [row for row in grid if row > done]:
        text = f"what follows the tables: {shown(grid[min(below)][min(grid[min(below)])])}, ..."
        ignored.append(Region(text, (min(below), max(below))))
    unit = units.pop() if len(units) == 1 else ""
    return Plate(tuple(series), unit, tuple(understood), tuple(ignored))


def _label(grid: Grid, head: int, done: int) -> tuple[int, str]:
    """Return row and text of the label of a table: alone in the row above, or the one before."""
    for row in (head - 1, head - 2):
        cells = grid.get(row, {})
        if row > done and len(cells) == 1:
            cell = next(iter(cells.values()))
            return row, cell.strip() if isinstance(cell, str) else shown(cell).strip("'")
    degrees = (text_at(grid, head, c) for c in grid[head])
    return head, next((t.removeprefix("T°").strip() for t in degrees if t.startswith("T°")), "")


def _table(
    grid: Grid,
    header: tuple[int, int],
    label: tuple[int, str],
    series: list[Series],
    understood: list[Region],
    ignored: list[Region],
    problems: list[Problem],
) -> int:
    """Read one table; return its last row."""
    (head, time), (label_row, channel) = header, label
    name = channel or "the table"
    wells = {c: well_of(cell) for c, cell in grid[head].items() if c > time and well_of(cell)}
    for column, cell in sorted(grid[head].items()):
        if column > time and column not in wells:
            if shown(cell).lstrip("'").startswith("T°"):
                ignored.append(Region(f"temperature of {name}", None, (column, column)))
            else:
                text = f"found {shown(cell)}, not a well such as A1; remove the column"
                problems.append(Problem(text, head, column))
    last = head
    while set(grid.get(last + 1, {})) & {time, *wells} and not _is_header(grid, last + 1, time):
        last += 1
    lines = range(head + 1, last + 1)
    times = [(row, time) for row in lines]
    values = {c: [(row, c) for row in lines] for c in wells}
    kept = unmeasured(grid, times, list(values.values()), problems)
    at = tuple(times[i] for i in kept)
    series += [
        Series(channel, well, at, tuple(values[c][i] for i in kept)) for c, well in wells.items()
    ]
    text = f"{channel or 'values'}: {wells_text(wells.values())}, {len(kept)} times"
    understood.append(Region(text, (label_row, last), (time, max(wells))))
    if len(kept) < len(times):
        empty = [row for i, row in enumerate(lines) if i not in kept]
        text = f"{len(empty)} times of {name} that were planned and not measured"
        ignored.append(Region(text, (empty[0], empty[-1])))
    return last


def _is_header(grid: Grid, row: int, time: int) -> bool:
    return text_at(grid, row, time).lower().startswith("time")


LAYOUT = Layout(
    name="biotek",
    instrument="BioTek Gen5 (Epoch, Synergy, ...)",
    marks="'Software Version', 'Reader Type:' or 'Procedure Details' in the first column, and a "
    "row with 'Time' and wells",
    is_of=_is_of,
    read=_read,
)
