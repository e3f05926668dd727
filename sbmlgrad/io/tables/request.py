"""The arguments of `load_measurements`, checked and put together for whoever reads a file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from sbmlgrad.errors import RequestError
from sbmlgrad.io.layouts.table import LAYOUTS
from sbmlgrad.io.tables.columns import Choice
from sbmlgrad.io.tables.options import (
    MISSING,
    Above,
    Below,
    Clock,
    SheetsAre,
    TableOptions,
    mapping_in,
    marks,
    names_in,
    sheets_in,
)
from sbmlgrad.io.tables.reading import Request


def request_of(
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
) -> Request:
    """Return what the arguments of `load_measurements` ask for; it explains each of them.

    Raises:
        RequestError: an argument has no meaning.
    """
    chosen, every_sheet = sheets_in(sheet)
    options = TableOptions(
        sheet=chosen,
        every_sheet=every_sheet,
        sheets_are=sheets_are,
        header_row=header_row,
        names=names_in("names", names),
        time_unit=time_unit,
        clock=clock,
        decimal=decimal,
        separator=separator,
        encoding=encoding,
        missing=marks(names_in("missing", missing) or ()),
        below=below_detection,
        above=above_detection,
        lower_limit=lower_limit,
        upper_limit=upper_limit,
    )
    if layout not in (None, "wide", "long", *LAYOUTS):
        raise RequestError(
            f"layout={layout!r} is unknown; use 'wide', 'long', None or that of an instrument: "
            f"{', '.join(map(repr, LAYOUTS))}"
        )
    return Request(
        options=options,
        choice=Choice(names_in("observables", observables), mapping_in(mapping)),
        time_column=time_column,
        layout=layout,
        plate_map=None if plate_map is None else Path(plate_map),
        condition=names_in("condition_columns", condition_columns),
        replicate=names_in("replicate_columns", replicate_columns),
    )
