"""Records of a mapping file, whatever it is written in, each value with its place for messages."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sbmlgrad.errors import DataError, UnreadableFileError
from sbmlgrad.io.files import read_bytes
from sbmlgrad.io.tables.cells import Cell, Sheet, Unusable, parse_label
from sbmlgrad.io.tables.files import SUFFIXES, chosen_sheets, read_sheets
from sbmlgrad.io.tables.headers import labels_in
from sbmlgrad.io.tables.options import TableOptions
from sbmlgrad.io.tables.problems import letters, refuse_file

#: Kind of records → the key that every one of them has.
KINDS: Mapping[str, str] = {"observables": "observableId", "conditions": "conditionId"}


@dataclass(frozen=True, slots=True)
class Field:
    """One value.

    Attributes:
        value: text, number, list or table, as the file has it.
        where: its place, for messages.
    """

    value: Any
    where: str


@dataclass(frozen=True, slots=True)
class Record:
    """One observable or condition.

    Attributes:
        where: its place, for messages.
        fields: key → value; empty ones are left out.
    """

    where: str
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Records:
    """What a mapping file holds.

    Attributes:
        file: file name without folders.
        sha256: hash of the file's bytes, hexadecimal.
        observables: in the order of the file.
        conditions: likewise.
    """

    file: str
    sha256: str
    observables: tuple[Record, ...]
    conditions: tuple[Record, ...]


def read_records(path: Path) -> Records:
    """Read a mapping file.

    Args:
        path: `.tsv`, `.txt`, `.csv` or `.xlsx` with a table of observables and perhaps, below it,
            one of conditions; or `.toml`, `.yaml` or `.yml` with lists of these names.

    Raises:
        DataError: the file cannot be read, or is not built so.
    """
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        options = TableOptions(separator="\t" if suffix == ".tsv" else None)
        (sheet,) = chosen_sheets(read_sheets(path, options), options)
        return _from_table(sheet)
    if suffix not in _PARSERS:
        known = ", ".join((*SUFFIXES, *_PARSERS))
        refuse_file(path.name, f"a mapping file is one of {known}, not {suffix!r}")
    try:
        data = read_bytes(path)
    except UnreadableFileError as error:
        raise DataError(str(error)) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        refuse_file(path.name, f"row {row}: this is not UTF-8 text; save the file as UTF-8")
    parsed = _PARSERS[suffix](text, path.name)
    return _from_lists(parsed, path.name, hashlib.sha256(data).hexdigest())


def _from_table(sheet: Sheet) -> Records:
    found: dict[str, list[Record]] = {kind: [] for kind in KINDS}
    kind, header = "", dict[int, str]()
    for row, cells in sorted(sheet.grid.items()):
        labels = labels_in(cells)
        begun = next((k for k, key in KINDS.items() if key in labels.values()), "")
        if begun:
            kind, header = begun, labels
            twice = [x for x in set(labels.values()) if list(labels.values()).count(x) > 1]
            if twice:
                refuse_file(sheet.where, f"row {row}: the column {twice[0]!r} is there twice")
            continue
        if not kind:
            listed = ", ".join(map(repr, labels.values()))
            wanted = " or ".join(KINDS.values())
            text = f"row {row}: a header with the column {wanted} is expected, found {listed}"
            refuse_file(sheet.where, text)
        found[kind].append(_record(sheet, row, cells, header))
    return Records(
        sheet.file, sheet.sha256, tuple(found["observables"]), tuple(found["conditions"])
    )


def _record(sheet: Sheet, row: int, cells: Mapping[int, Cell], header: Mapping[int, str]) -> Record:
    fields: dict[str, Field] = {}
    for column, cell in sorted(cells.items()):
        where = f"row {row}, column {letters(column)}"
        if column not in header:
            refuse_file(sheet.where, f"{where}: the header has no name here; name the column")
        label = parse_label(cell)
        if isinstance(label, Unusable):
            text = f"{where} ({header[column]!r}): found {label.found}; {label.advice}"
            refuse_file(sheet.where, text)
        fields[header[column]] = Field(label, f"{where} ({header[column]!r})")
    return Record(f"row {row}", fields)


def _from_lists(parsed: object, file: str, sha256: str) -> Records:
    if not isinstance(parsed, dict):
        refuse_file(file, f"a table with {' and '.join(KINDS)} is expected")
    for key in parsed:
        if key not in KINDS:
            refuse_file(file, f"{key!r} is not known here; there are {' and '.join(KINDS)}")
    found: dict[str, list[Record]] = {}
    for kind, identifier in KINDS.items():
        members = parsed.get(kind, [])
        if not isinstance(members, list):
            refuse_file(file, f"{kind} must be a list, one entry for each")
        found[kind] = []
        for n, member in enumerate(members, 1):
            if not isinstance(member, dict):
                refuse_file(file, f"entry {n} of {kind} must be a table of keys and values")
            name = member.get(identifier)
            where = f"entry {n} of {kind}" + (f" ({name!r})" if name is not None else "")
            fields = {
                str(key): Field(value, f"{where}, key {key!r}")
                for key, value in member.items()
                if value is not None and value != ""
            }
            found[kind].append(Record(where, fields))
    return Records(file, sha256, tuple(found["observables"]), tuple(found["conditions"]))


def _toml(text: str, file: str) -> object:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        refuse_file(file, f"this is no TOML: {error}")


def _yaml(text: str, file: str) -> object:
    try:
        import yaml
    except ImportError:
        refuse_file(file, "reading YAML needs the package PyYAML; install it, or write TOML or TSV")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        refuse_file(file, f"this is no YAML: {error}")


_PARSERS: Mapping[str, Callable[[str, str], object]] = {
    ".toml": _toml,
    ".yaml": _yaml,
    ".yml": _yaml,
}
