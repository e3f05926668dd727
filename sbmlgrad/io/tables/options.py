"""How the caller wants a table to be read, checked once for all readers."""

from __future__ import annotations

import codecs
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from sbmlgrad.errors import RequestError
from sbmlgrad.io.tables.cells import clean

SheetsAre = Literal["condition", "replicate"]
Clock = Literal["h:mm", "m:ss"]
Below = Literal["drop", "half", "limit"]
Above = Literal["drop", "limit"]

#: Text that stands for a missing value unless the caller says otherwise, in any letter case.
MISSING = ("NA", "N/A", "NaN")


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How to find and read the cells of a table; `load_measurements` explains each.

    Attributes:
        sheet: names of sheets, or None for the only one that holds data.
        every_sheet: whether all sheets are to be read.
        header_row: row of the header; None finds it.
        names: labels of the columns of a table without a header.
        time_unit: unit that times shall have.
        clock: what `12:30` means.
        decimal: mark of decimals; None finds it.
        separator: what separates columns of a text file; None finds it.
        encoding: of a text file.
        missing: text that stands for a missing value, in lower case.
        below, above: what to do with values below or above a limit of detection.
        lower_limit, upper_limit: of detection, where the file names none.

    Raises:
        RequestError: an option has no meaning.
    """

    sheet: tuple[str, ...] | None = None
    every_sheet: bool = False
    sheets_are: SheetsAre = "condition"
    header_row: int | None = None
    names: tuple[str, ...] | None = None
    time_unit: str | None = None
    clock: Clock | None = None
    decimal: Literal[",", "."] | None = None
    separator: str | None = None
    encoding: str = "utf-8"
    missing: frozenset[str] = field(default_factory=lambda: marks(MISSING))
    below: Below | None = None
    above: Above | None = None
    lower_limit: float | None = None
    upper_limit: float | None = None

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("sheets_are", self.sheets_are, get_args(SheetsAre)),
            ("clock", self.clock, (None, *get_args(Clock))),
            ("decimal", self.decimal, (None, ",", ".")),
            ("below_detection", self.below, (None, *get_args(Below))),
            ("above_detection", self.above, (None, *get_args(Above))),
            ("separator", self.separator, (None, ",", ";", "\t")),
        ):
            if value not in allowed:
                listed = ", ".join(map(repr, allowed))
                raise RequestError(f"{name}={value!r} is unknown; use one of {listed}")
        row = self.header_row
        if row is not None and (isinstance(row, bool) or not isinstance(row, int) or row < 1):
            raise RequestError(f"header_row={row!r} must be the number of a row, from 1")
        if row is not None and self.names is not None:
            raise RequestError("give header_row= or names= (for a file without a header), not both")
        for name, limit in (("lower_limit", self.lower_limit), ("upper_limit", self.upper_limit)):
            if limit is not None and not math.isfinite(limit):
                raise RequestError(f"{name}={limit!r} must be a finite number")
        if self.below == "half" and self.lower_limit is not None and self.lower_limit < 0.0:
            raise RequestError(
                f"lower_limit={self.lower_limit:g} with below_detection='half': half of a negative "
                "limit is above it; use below_detection='limit' or 'drop'"
            )
        for sheet in self.sheet or ():
            if not isinstance(sheet, str):
                raise RequestError(f"sheet={sheet!r} must be the name of a sheet, a text")
        if self.time_unit is not None and not (
            isinstance(self.time_unit, str) and self.time_unit.strip()
        ):
            raise RequestError(f"time_unit={self.time_unit!r} must be a unit such as 'h'")
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise RequestError(
                f"encoding={self.encoding!r} is unknown; use 'utf-8', 'cp1252' (Windows), "
                "'latin-1' or 'utf-16'"
            ) from None


def marks(texts: Iterable[str]) -> frozenset[str]:
    """Return marks of missing values as `TableOptions.missing` holds them."""
    return frozenset(clean(text).lower() for text in texts)


def names_in(argument: str, names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return a list of names without stray blanks, or None.

    Args:
        argument: what messages call it.
        names: the names.

    Raises:
        RequestError: it is one text, and not a list.
    """
    if isinstance(names, str):
        raise RequestError(f"{argument}={names!r} must be a list of names, not one text")
    return None if names is None else tuple(clean(name) for name in names)


def sheets_in(sheet: str | Sequence[str] | None) -> tuple[tuple[str, ...] | None, bool]:
    """Return the names of sheets that `sheet=` means, and whether it means all of them."""
    if sheet == "all":
        return None, True
    if sheet is None or isinstance(sheet, str):
        return (None if sheet is None else (sheet,)), False
    if not isinstance(sheet, Sequence):
        raise RequestError(f"sheet={sheet!r} must be the name of a sheet, or a list of names")
    return tuple(sheet), False


def mapping_in(mapping: Mapping[str, str | None] | None) -> dict[str, str | None]:
    """Return a mapping of columns without stray blanks."""
    return {clean(name): target for name, target in (mapping or {}).items()}
