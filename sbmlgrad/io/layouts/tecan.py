"""Tecan i-control and Magellan: a block for each label, with `Cycle Nr.` in its corner.

In a block as the instrument writes it by default, cycles run across and wells down; the other
orientation is read as well. Cycles that were planned but not measured have no time.
"""

from __future__ import annotations

from sbmlgrad.io.layouts.plate import (
    Layout,
    Place,
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

_CORNER = "cycle nr."


def _corners(grid: Grid) -> list[Place]:
    return [
        (row, column)
        for row, cells in sorted(grid.items())
        for column, cell in sorted(cells.items(), key=lambda item: item[0])
        if says(cell, _CORNER)
    ]


def _is_of(grid: Grid) -> bool:
    return any(_steps(grid, corner) for corner in _corners(grid))


def _steps(grid: Grid, corner: Place) -> tuple[Place, Place] | None:
    """Return the steps (rows, columns) to the next well and to the next cycle of a block."""
    row, column = corner
    if text_at(grid, row + 1, column).lower().startswith("time"):
        return (1, 0), (0, 1)
    if text_at(grid, row, column + 1).lower().startswith("time"):
        return (0, 1), (1, 0)
    return None


def _along(start: Place, step: Place, n: int) -> Place:
    return start[0] + n * step[0], start[1] + n * step[1]


def _read(grid: Grid, problems: list[Problem]) -> Plate:
    series: list[Series] = []
    understood: list[Region] = []
    ignored: list[Region] = []
    units: dict[str, Place] = {}
    ends = 0
    for corner in _corners(grid):
        steps = _steps(grid, corner)
        if steps is None:
            text = "found 'Cycle Nr.', but 'Time' neither below it nor to its right"
            problems.append(Problem(f"{text}; the block cannot be read", *corner))
            continue
        first = _label_row(grid, corner)
        if above := [row for row in grid if ends < row < first]:
            ignored.append(Region("settings of the instrument", (min(above), max(above))))
        ends, unit = _block(grid, corner, steps, series, understood, ignored, problems)
        units.setdefault(unit, corner)
    if len(units) > 1:
        place = list(units.values())[1]
        problems.append(
            Problem(f"the blocks differ in the unit of time: {', '.join(units)}", *place)
        )
    if below := [row for row in grid if row > ends]:
        ignored.append(Region("end of the protocol", (min(below), max(below))))
    return Plate(tuple(series), next(iter(units), ""), tuple(understood), tuple(ignored))


def _label_row(grid: Grid, corner: Place) -> int:
    """Return the row of the label above a block, or the first row of the block without one."""
    row, column = corner
    above = grid.get(row - 1, {})
    return row - 1 if set(above) == {column} else row


def _block(
    grid: Grid,
    corner: Place,
    steps: tuple[Place, Place],
    series: list[Series],
    understood: list[Region],
    ignored: list[Region],
    problems: list[Problem],
) -> tuple[int, str]:
    """Read one block; return its last row and the unit of its times."""
    to_well, to_cycle = steps
    label_row = _label_row(grid, corner)
    channel = text_at(grid, label_row, corner[1]) if label_row < corner[0] else ""
    if label_row < corner[0] and not channel:
        channel = shown(grid[label_row][corner[1]]).strip("'")
    heads: list[Place] = []
    n = 1
    while (head := _along(corner, to_well, n))[1] in grid.get(head[0], {}):
        heads.append(head)
        n += 1
    time, wells = heads[0], []
    for head in heads[1:]:
        label = text_at(grid, *head)
        if well_of(label):
            wells.append(head)
        elif label.lower().startswith("temp"):
            where = (head[0], head[0]), (head[1], head[1])
            ignored.append(Region(f"{label} of {channel or 'the block'}", *_line(where, to_cycle)))
        else:
            text = f"found {label!r} where a well such as A1 is expected"
            problems.append(Problem(f"{text}; averages and other lines are not read", *head))
    count = 0
    while _is_filled(grid, heads, corner, to_cycle, count + 1):
        count += 1
    at = [[_along(head, to_cycle, i + 1) for i in range(count)] for head in (time, *wells)]
    kept = unmeasured(grid, at[0], at[1:], problems)
    for head, line in zip(wells, at[1:], strict=True):
        well = text_at(grid, *head)
        series.append(
            Series(channel, well, tuple(at[0][i] for i in kept), tuple(line[i] for i in kept))
        )
    last_head, last = heads[-1], _along(heads[-1], to_cycle, kept[-1] + 1 if kept else 0)
    names = [text_at(grid, *head) for head in wells]
    text = f"{channel or 'values'}: {wells_text(names) if names else 'no well'}, {len(kept)} cycles"
    understood.append(Region(text, (label_row, last[0]), (corner[1], last[1])))
    if unused := count - len(kept):
        start, end = _along(corner, to_cycle, len(kept) + 1), _along(corner, to_cycle, count)
        if kept == list(range(len(kept))):
            ignored.append(
                Region(
                    f"{unused} cycles of {channel or 'the block'} that were planned and not "
                    "measured: the run stopped early",
                    (start[0], max(end[0], last_head[0])),
                    (start[1], max(end[1], last_head[1])),
                )
            )
        else:
            ignored.append(Region(f"{unused} cycles of {channel or 'the block'} without values"))
    return max(last_head[0], _along(corner, to_cycle, count)[0]), in_brackets(text_at(grid, *time))


def _is_filled(grid: Grid, heads: list[Place], corner: Place, step: Place, n: int) -> bool:
    places = (_along(head, step, n) for head in (corner, *heads))
    return any(column in grid.get(row, {}) for row, column in places)


def _line(
    where: tuple[tuple[int, int], tuple[int, int]], step: Place
) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Return the rows and columns of a whole line of a block."""
    rows, columns = where
    return (rows, None) if step[1] else (None, columns)


LAYOUT = Layout(
    name="tecan",
    instrument="Tecan i-control or Magellan",
    marks="a cell 'Cycle Nr.' with 'Time' below it or to its right",
    is_of=_is_of,
    read=_read,
)
