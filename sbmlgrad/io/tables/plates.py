"""Series of a plate reader → single measurements, wells grouped by a plate map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sbmlgrad.io.layouts.plate import Layout, Series, plain, wells_text
from sbmlgrad.io.tables.cells import Cell, Problem, Region, Sheet, Table
from sbmlgrad.io.tables.columns import Choice, check_choice, resolve
from sbmlgrad.io.tables.decimals import Place, with_points
from sbmlgrad.io.tables.limits import with_limits
from sbmlgrad.io.tables.options import TableOptions
from sbmlgrad.io.tables.parts import Part
from sbmlgrad.io.tables.plate_maps import PlateMap
from sbmlgrad.io.tables.problems import listed
from sbmlgrad.io.tables.rows import Entry, number_at, time_at
from sbmlgrad.io.tables.times import times_of


def read_plate(
    sheet: Sheet, layout: Layout, plate_map: PlateMap | None, choice: Choice, options: TableOptions
) -> Part:
    """Read one sheet of a plate reader's export.

    Without a plate map every well is an observable of its own, called by channel and well, as in
    `OD A1`. With one, the channel is the observable (or what the map calls it), and wells of the
    same condition are replicates, labelled by their well unless the map labels them.

    Args:
        sheet: cells; not empty.
        layout: of the instrument.
        plate_map: wells to read, or None for all.
        choice: names of observables, channels or wells to read, leave out or rename.
        options: how to read times and numbers.
    """
    problems: list[Problem] = []
    notes = list(sheet.notes)
    plate = layout.read(sheet.grid, problems)
    table = Table(sheet.file, sheet.name, sheet.sha256, 0, {}, sheet.grid, ())
    series, ignored = list(plate.series), list(plate.ignored)
    if plate_map is not None:
        series, left_out = _on_map(series, plate_map, problems)
        notes += plate_map.notes
        if left_out:
            text = f"{wells_text(left_out)}: not in the plate map {plate_map.table.file}"
            ignored.append(Region(text))
    labels = [_observable(s, plate_map, plate.series) for s in series]
    choice = _expanded(choice, series, labels)
    check_choice(table, labels, choice, problems)
    chosen = [(s, x) for s, x in zip(series, labels, strict=True) if not choice.leaves_out(x)]
    if len(chosen) < len(series):
        ignored.append(Region(f"{len(series) - len(chosen)} series that were not asked for"))
    names = resolve(dict.fromkeys(x for _, x in chosen), choice, "", problems)
    values, times, unit = _numbers(sheet, plate.time_unit, chosen, options, problems, notes)
    entries: list[Entry] = []
    for s, label in chosen:
        at = plate_map.wells[plain(s.well)] if plate_map else None
        replicate = (at.replicate if at else "") or s.well
        for time_place, place in zip(s.times, s.values, strict=True):
            time = time_at(*time_place, times.get(time_place), problems)
            if time is None or place not in values:
                continue
            value = number_at(*place, values[place], problems)
            if value is not None:
                condition = at.condition if at else ""
                entries.append(Entry(names[label][0], time, value, replicate, condition))
    problems += _twice(entries)
    return Part(
        table=replace(table, ignored=(*sheet.ignored, *ignored), notes=tuple(notes)),
        layout=layout.name,
        entries=tuple(entries),
        units=dict(names.values()),
        time_unit=unit,
        understood=plate.understood,
        problems=tuple(dict.fromkeys(problems)),
    )


def _on_map(
    series: list[Series], plate_map: PlateMap, problems: list[Problem]
) -> tuple[list[Series], list[str]]:
    """Return the series on the map, and the wells that are not on it."""
    there = {plain(s.well) for s in series}
    table = plate_map.table
    missing = [
        Problem(f"well {well!r} is in the plate map but not in the data", place.row)
        for well, place in plate_map.wells.items()
        if well not in there
    ]
    lines = (line.strip().removeprefix("- ") for line in listed(table, missing))
    problems += [Problem(f"{table.file}, {line}") for line in lines]
    left_out = dict.fromkeys(s.well for s in series if plain(s.well) not in plate_map.wells)
    return [s for s in series if plain(s.well) in plate_map.wells], list(left_out)


def _observable(series: Series, plate_map: PlateMap | None, every: Iterable[Series]) -> str:
    if plate_map is None:
        return f"{series.channel} {series.well}".strip()
    name = plate_map.wells[plain(series.well)].observable
    if not name:
        return series.channel or "value"
    several = len({s.channel for s in every}) > 1
    return f"{series.channel} {name}".strip() if several else name


def _expanded(choice: Choice, series: list[Series], labels: list[str]) -> Choice:
    """Return a choice where names of channels and wells stand for their observables."""
    groups: dict[str, dict[str, None]] = {}
    for s, label in zip(series, labels, strict=True):
        for name in (s.channel, s.well):
            groups.setdefault(name, {})[label] = None

    def members(name: str) -> Iterable[str]:
        return [name] if name in labels else groups.get(name, [name])

    chosen = choice.observables
    if chosen is not None:
        chosen = tuple(label for name in chosen for label in members(name))
    mapping = {label: to for name, to in choice.mapping.items() for label in members(name)}
    return Choice(chosen, mapping)


def _numbers(
    sheet: Sheet,
    unit: str,
    chosen: list[tuple[Series, str]],
    options: TableOptions,
    problems: list[Problem],
    notes: list[str],
) -> tuple[dict[Place, Cell], dict[Place, Cell], str]:
    """Return the cells of values and of times, made plain, and the unit of time."""
    value_places = [place for s, _ in chosen for place in s.values]
    time_places = dict.fromkeys(place for s, _ in chosen for place in s.times)
    cells = {
        (row, column): sheet.grid[row][column]
        for row, column in (*value_places, *time_places)
        if column in sheet.grid.get(row, {})
    }
    cells = with_points(cells, options, problems, notes)
    values = {place: cells[place] for place in value_places if place in cells}
    values = with_limits(values, options, problems, notes)
    clocks = {place: cells[place] for place in time_places if place in cells}
    times, target = times_of(clocks, unit, options, problems, notes)
    return values, dict(times), target


def _twice(entries: list[Entry]) -> Iterable[Problem]:
    seen: set[tuple[str, float, str, str]] = set()
    said: set[tuple[str, str, str]] = set()
    for e in entries:
        key = e.observable, e.time, e.replicate, e.condition
        group = e.observable, e.replicate, e.condition
        if key in seen and group not in said:
            said.add(group)
            yield Problem(
                f"{e.observable!r} at time {e.time} has several values for replicate "
                f"{e.replicate!r}, condition {e.condition!r}; give each well its own replicate in "
                "the plate map"
            )
        seen.add(key)
