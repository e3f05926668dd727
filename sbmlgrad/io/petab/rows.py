"""PEtab tables as rows of text that know where they stand, so that messages can say it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sbmlgrad.errors import DataError, SbmlGradError
from sbmlgrad.io.files import read_bytes
from sbmlgrad.io.petab.formulas import petab_formula
from sbmlgrad.model.expression import Expression, Symbol, substitute
from sbmlgrad.model.labels import suggestion

#: What separates several values in one cell.
SEPARATOR = ";"

Value = TypeVar("Value")


class Faults:
    """Everything wrong with a problem's files, collected so that it is reported at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, what: str) -> None:
        """Note one fault; the same one is noted once."""
        if what not in self.found:
            self.found.append(what)

    def attempt(self, where: str, function: Callable[..., Value], *arguments: Any) -> Value | None:
        """Call a function, and note what it raises on purpose; None then."""
        try:
            return function(*arguments)
        except SbmlGradError as error:
            self.add(f"{where}: {error}" if where else str(error))
            return None

    def refuse(self, name: str) -> None:
        """Raise a `DataError` that lists all faults, if there are any."""
        if self.found:
            raise self.error(name)

    def error(self, name: str) -> DataError:
        """Return an error that lists all faults."""
        listed = "".join(f"\n  - {fault}" for fault in self.found)
        return DataError(f"{name}: the PEtab problem cannot be read:{listed}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        file: name of the file.
        number: line in it, from 1 on, the header included.
        cells: column → text without blanks around it; empty cells are left out.
        faults: where faults are noted.
    """

    file: str
    number: int
    cells: Mapping[str, str]
    faults: Faults

    def text(self, column: str) -> str:
        """Return a cell, empty where there is none."""
        return self.cells.get(column, "")

    def fault(self, column: str, what: str) -> None:
        """Note what is wrong with a cell."""
        self.faults.add(f"{self.where(column)}: {what}")

    def where(self, column: str) -> str:
        """Return the place of a cell, in words."""
        return f"{self.file}, row {self.number}, column {column}"

    def required(self, column: str) -> str:
        """Return a cell that must not be empty."""
        if not self.text(column):
            self.fault(column, "it is empty, and a value is needed")
        return self.text(column)

    def number_in(self, column: str, default: float | None = None) -> float:
        """Return a number; without a default the cell must not be empty."""
        text = self.text(column)
        if not text and default is not None:
            return default
        return self.number_of(column, self.required(column))

    def number_of(self, column: str, text: str) -> float:
        """Return text of a cell as a number, NaN (and a fault) where it is none."""
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if math.isnan(value) and text:
            self.fault(column, f"{text!r} is not a number")
        return value

    def choice(self, column: str, choices: Collection[str], default: str) -> str:
        """Return a cell that holds one of several words."""
        text = self.text(column) or default
        if text not in choices:
            self.fault(column, f"{text!r} is unknown; it must be one of {', '.join(choices)}")
            return default
        return text

    def formula(self, column: str, names: Mapping[str, str] | None = None) -> Expression | None:
        """Return a formula, None (and a fault) where it cannot be read.

        Args:
            column: where it stands.
            names: PEtab id → id in the model, where they differ.
        """
        text = self.required(column)
        return self.formula_of(column, text, names) if text else None

    def formula_of(
        self, column: str, text: str, names: Mapping[str, str] | None = None
    ) -> Expression | None:
        """Return text of a cell as a formula, None (and a fault) where it cannot be read."""
        found = self.faults.attempt(self.where(column), petab_formula, text)
        if found is None or not names:
            return found
        return substitute(found, {a: Symbol(b) for a, b in names.items()})

    def parts(self, column: str) -> tuple[str, ...]:
        """Return the values of a cell that may hold several."""
        text = self.text(column)
        return tuple(part.strip() for part in text.split(SEPARATOR)) if text else ()

    def identifier(self, column: str) -> str:
        """Return an id, which must not be empty and must be one."""
        text = self.required(column)
        if text and not is_identifier(text):
            self.fault(column, f"{text!r} is no id; ids are letters, digits and underscores")
        return text


def is_identifier(text: str) -> bool:
    """Tell whether text can be an id in PEtab."""
    return text.isascii() and text.isidentifier()


def read_rows(
    path: Path, required: Collection[str], faults: Faults, known: Collection[str] = ()
) -> list[Row]:
    """Read a table of tab-separated text; an empty row is none.

    Args:
        path: the file.
        required: columns that must be there.
        faults: where faults are noted.
        known: other columns with a meaning, for suggestions.
    """
    data = faults.attempt("", read_bytes, path)
    if data is None:
        return []
    lines = _lines(path, data, faults)
    header = [name.strip() for name in lines[0][1]] if lines else []
    missing = [column for column in required if column not in header]
    others = [name for name in header if name not in (*required, *known)]
    for column in missing:
        faults.add(f"{path.name}: there is no column {column!r}{suggestion(column, others)}")
    for name in sorted({name for name in header if name and header.count(name) > 1}):
        faults.add(f"{path.name}: there are several columns {name!r}; keep one")
    rows = []
    for number, cells in lines[1:]:
        filled = [cell.strip() for cell in cells]
        if not any(filled):
            continue
        if any(filled[len(header) :]):
            faults.add(
                f"{path.name}, row {number}: {len(filled)} cells, but the header has {len(header)}"
            )
        texts = {name: cell for name, cell in zip(header, filled, strict=False) if cell}
        rows.append(Row(path.name, number, texts, faults))
    return [] if missing else rows


def _lines(path: Path, data: bytes, faults: Faults) -> list[tuple[int, list[str]]]:
    """Return (line, cells) of all rows."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        faults.add(f"{path.name}: it is no UTF-8 text ({error.reason}); save it as UTF-8")
        return []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
    try:
        found = [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        faults.add(f"{path.name}, row {reader.line_num}: {error}")
        return []
    if not found:
        faults.add(f"{path.name}: it is empty")
    return found


def distinct(rows: Collection[Row], column: str) -> None:
    """Note a fault for every row whose id was there before."""
    first: dict[str, Row] = {}
    for row in rows:
        id = row.text(column)
        if id and id in first:
            row.fault(column, f"{id!r} is there twice; it is in row {first[id].number} too")
        first.setdefault(id, row)
