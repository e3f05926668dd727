"""Times of a table: numbers, h:mm:ss or dates → numbers in one unit."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from sbmlgrad.io.tables.cells import Cell, Problem, Unusable, parse_number, shown
from sbmlgrad.io.tables.decimals import Place
from sbmlgrad.io.tables.options import TableOptions

#: Unit → seconds, for units whose length is beyond doubt.
_NAMES = {
    0.001: "ms msec millisecond milliseconds",
    1.0: "s sec secs second seconds",
    60.0: "min mins minute minutes",
    3600.0: "h hr hrs hour hours",
    86400.0: "d day days",
    604800.0: "week weeks",
}
SECONDS: Mapping[str, float] = {
    name: seconds for seconds, names in _NAMES.items() for name in names.split()
}
#: Unit of clock times and dates if nobody names one.
DEFAULT_UNIT = "h"

_LONG = re.compile(r"([0-9]+):([0-5]?[0-9]):([0-5]?[0-9](?:[.,][0-9]+)?)")
_SHORT = re.compile(r"([0-9]+):([0-5][0-9](?:[.,][0-9]+)?)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}.*)?")
_OF_DAY = re.compile(r"[0-9]+(:[0-9]+){1,2}(\.[0-9]+)?\s*[ap]\.?m\.?", re.IGNORECASE)
_OTHER_DATE = re.compile(r"[0-9]{1,4}[./][0-9]{1,2}[./][0-9]{2,4}.*")

NUMBER, CLOCK, DATE, ZONED = (
    "a number",
    "a time as h:mm:ss",
    "a date",
    "a date with a time zone",
)


@dataclass(frozen=True, slots=True)
class _Read:
    """A cell of the time column: what it is, and its value in seconds unless a number."""

    kind: str
    value: float | datetime.datetime


def seconds_of(unit: str) -> float | None:
    """Return the length of a unit of time in seconds, or None if it is not known."""
    name = unit.strip()
    # Single letters count as they are: M and S are no units of time.
    return SECONDS.get(name if len(name) == 1 else name.lower())


def reads_as_time(cell: Cell) -> bool:
    """Tell whether a cell can hold a time in any form."""
    return isinstance(_read(cell, "h:mm"), _Read)


def times_of(
    cells: Mapping[Place, Cell],
    unit: str,
    options: TableOptions,
    problems: list[Problem],
    notes: list[str],
    labels: Mapping[int, object] | None = None,
) -> tuple[dict[Place, float | Unusable], str]:
    """Return times as numbers in one unit, and the unit.

    Clock times are elapsed times. Dates are counted from the earliest of them.

    Args:
        cells: that hold times, decimal commas already replaced.
        unit: as the header names it, or empty.
        options: `time_unit` and `clock`.
        problems: added to where the unit asked for is not known.
        notes: what was converted, in words.
        labels: row → what tells its course from others, such as its condition.
    """
    short = "m:ss" if options.clock == "m:ss" else "h:mm"
    read = {place: _read(cell, short) for place, cell in cells.items()}
    kinds = Counter(r.kind for r in read.values() if isinstance(r, _Read))
    kind = kinds.most_common(1)[0][0] if kinds else NUMBER
    known = unit if seconds_of(unit) else DEFAULT_UNIT
    target = options.time_unit or (unit if kind == NUMBER else known)
    factor = _factor(kind, unit, target, problems)
    dates = [r.value for r in read.values() if isinstance(r, _Read) and r.kind == kind]
    origin = min((date for date in dates if isinstance(date, datetime.datetime)), default=None)
    times: dict[Place, float | Unusable] = {}
    for place, r in read.items():
        if isinstance(r, Unusable):
            times[place] = r
        elif fault := _fault(cells[place], r, kind, options):
            times[place] = fault
        elif isinstance(r.value, datetime.datetime):
            times[place] = (r.value - (origin or r.value)).total_seconds() * factor
        else:
            times[place] = r.value * factor
    if kind == CLOCK:
        notes.append(f"times are written as clock times and were read as elapsed times in {target}")
        notes += _returns(cells, times, labels or {})
    elif kind != NUMBER:
        notes.append(f"times are dates and were counted in {target} from {origin}, the earliest")
    elif target != unit and unit:
        notes.append(f"times were converted from {unit} to {target}")
    elif target != unit:
        notes.append(f"times have no unit in the file and were taken to be in {target}")
    return times, target


def _returns(
    cells: Mapping[Place, Cell],
    times: Mapping[Place, float | Unusable],
    labels: Mapping[int, object],
) -> Iterator[str]:
    """Yield a note where clock times go back by hours within a course, as at midnight."""
    for before, place in pairwise(sorted(times, key=lambda p: (p[1], p[0]))):
        last, now = times[before], times[place]
        if isinstance(last, Unusable) or isinstance(now, Unusable) or before[1] != place[1]:
            continue
        if labels.get(before[0]) != labels.get(place[0]):
            continue
        if now < last / 2.0:
            yield (
                f"row {place[0]}: the time goes back from {_plain(cells[before])} to "
                f"{_plain(cells[place])}, which was read as another replicate and not as the next "
                "day; give dates if these are times of day"
            )


def _plain(cell: Cell) -> str:
    return cell.strip() if isinstance(cell, str) else str(cell)


def _fault(cell: Cell, read: _Read, kind: str, options: TableOptions) -> Unusable | None:
    if read.kind != kind:
        return Unusable(shown(cell), f"it is {read.kind}, most are {kind}; write all in one form")
    if options.clock is None and isinstance(cell, str) and _SHORT.fullmatch(cell.strip()):
        return Unusable(
            shown(cell), "it may mean hours or minutes; give clock='h:mm' or clock='m:ss'"
        )
    return None


def _factor(kind: str, unit: str, target: str, problems: list[Problem]) -> float:
    """Return what a number, or a number of seconds, is multiplied by."""
    length = seconds_of(target)
    if kind == NUMBER:
        if target == unit or not unit:
            return 1.0
        of_unit = seconds_of(unit)
        if length is not None and of_unit is not None:
            return of_unit / length
        unknown = unit if of_unit is None else target
        text = (
            f"times in {unit!r} cannot be converted to {target!r}, since {unknown!r} is not known"
        )
    elif length is not None:
        return 1.0 / length
    else:
        text = f"times cannot be given in {target!r}, which is not known"
    listed = "ms, s, min, h, d, week"
    problems.append(Problem(f"{text}; the units of time that can be converted are {listed}"))
    return 1.0


def _read(cell: Cell, short: str) -> _Read | Unusable:
    if isinstance(cell, datetime.timedelta):
        return _Read(CLOCK, cell.total_seconds())
    if isinstance(cell, datetime.datetime):
        return _dated(cell)
    if isinstance(cell, str):
        text = cell.strip()
        if match := _LONG.fullmatch(text):
            hours, minutes, seconds = match.groups()
            return _Read(CLOCK, 3600.0 * int(hours) + 60.0 * int(minutes) + _decimal(seconds))
        if match := _SHORT.fullmatch(text):
            first, second = match.groups()
            if short == "m:ss":
                return _Read(CLOCK, 60.0 * int(first) + _decimal(second))
            return _Read(CLOCK, 3600.0 * int(first) + 60.0 * _decimal(second))
        if _DATE.fullmatch(text):
            try:
                return _dated(datetime.datetime.fromisoformat(text))
            except ValueError as error:
                return Unusable(shown(cell), f"it is no date ({error}); write 2015-01-21 13:36:54")
        if _OF_DAY.fullmatch(text):
            return Unusable(
                shown(cell), "a time of day; give elapsed times or dates, such as 2015-01-21 13:36"
            )
        if _OTHER_DATE.fullmatch(text):
            return Unusable(
                shown(cell),
                "day and month cannot be told apart; write the date as 2015-01-21 13:36:54",
            )
    number = parse_number(cell)
    return number if isinstance(number, Unusable) else _Read(NUMBER, number)


def _dated(date: datetime.datetime) -> _Read:
    return _Read(DATE if date.tzinfo is None else ZONED, date)


def _decimal(text: str) -> float:
    return float(text.replace(",", "."))
