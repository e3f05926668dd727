"""BMG Omega, CLARIOstar and their like: wells across, cycles down, channels stacked.

The row that begins with `Well` is the header; the row `Content` names the unit of time; every row
below begins with the channel, the time follows.
"""

from __future__ import annotations

import re

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

_BEFORE_VALUES = ("content", "group")


def _header(grid: Grid) -> tuple[int, int] | None:
    """Return the place of the cell `Well` over the channels, if a row has wells behind it."""
    for row, cells in sorted(grid.items()):
        column = min(cells)
        if not says(cells[column], "well"):
            continue
        if any(well_of(cell) for c, cell in cells.items() if c > column + 1):
            content = [text_at(grid, row + 1, c).lower() for c in (column, column + 1)]
            if content[0] == "content" and content[1].startswith("time"):
                return row, column
    return None


def _read(grid: Grid, problems: list[Problem]) -> Plate:
    place = _header(grid)
    if place is None:
        problems.append(Problem("there is no row 'Well' with the wells over a row 'Content'"))
        return Plate((), "", (), ())
    head, first = place
    time = first + 1
    wells = {c: well_of(cell) for c, cell in grid[head].items() if c > time and well_of(cell)}
    for column, cell in grid[head].items():
        if column > time and column not in wells:
            problems.append(Problem(f"found {shown(cell)}, not a well such as A01", head, column))
    ignored: list[Region] = []
    if above := [row for row in grid if row < head]:
        ignored.append(Region("settings of the instrument", (min(above), max(above))))
    rows: dict[str, list[int]] = {}
    for row in sorted(r for r in grid if r > head):
        label = text_at(grid, row, first)
        if label.lower() in _BEFORE_VALUES:
            text = f"row {label!r}: samples are named by a plate map, if needed"
            ignored.append(Region(text, (row, row)))
        elif label:
            rows.setdefault(_channel(label), []).append(row)
        else:
            text = "the row names no channel in its first cell; name it, or clear the row"
            problems.append(Problem(text, row, first, kind="no channel"))
    series: list[Series] = []
    understood: list[Region] = []
    for channel, lines in rows.items():
        times = [(row, time) for row in lines]
        values = {c: [(row, c) for row in lines] for c in wells}
        kept = unmeasured(grid, times, list(values.values()), problems)
        at = tuple(times[i] for i in kept)
        series += [
            Series(channel, well, at, tuple(values[c][i] for i in kept))
            for c, well in wells.items()
        ]
        text = f"{channel}: {wells_text(wells.values())}, {len(kept)} cycles"
        understood.append(Region(text, (lines[0], lines[-1]), (first, max(wells))))
        if len(kept) < len(lines):
            empty = [row for i, row in enumerate(lines) if i not in kept]
            text = f"{len(empty)} cycles of {channel} without values"
            ignored.append(Region(text, (empty[0], empty[-1])))
    unit = in_brackets(text_at(grid, head + 1, time))
    return Plate(tuple(series), unit, tuple(understood), tuple(ignored))


def _channel(label: str) -> str:
    """Return `535 A` for `Raw Data (535 A)`; other labels, such as corrected data, as they are."""
    match = re.fullmatch(r"Raw Data \((.+)\)", label)
    return match[1] if match else label


LAYOUT = Layout(
    name="bmg",
    instrument="BMG LABTECH (Omega, CLARIOstar, ...)",
    marks="a row 'Well' with wells over a row 'Content' with 'Time'",
    is_of=lambda grid: _header(grid) is not None,
    read=_read,
)
