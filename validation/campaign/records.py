"""Records of the cross-check campaign: one line each, so that it can be cut and continued."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def read(file: Path) -> list[dict[str, Any]]:
    """Return the records of a file that may not exist.

    A last line that was cut off, as by a crash, is left out; its work is done again.
    """
    found = []
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    for number, line in enumerate(lines):
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            if number + 1 < len(lines):
                raise
    return found


def append(file: Path, record: Mapping[str, Any]) -> None:
    """Append one record, in place of a last line that was cut off."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.read_bytes()[-1:] not in (b"", b"\n"):
        whole = file.read_text(encoding="utf-8").splitlines()[:-1]
        file.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
    with file.open("a", encoding="utf-8") as opened:
        opened.write(json.dumps(record) + "\n")


def key(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what two records of the same comparison have in common."""
    return tuple(record.get(k) for k in ("effort", "seed", "group", "model", "referee"))


def latest(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last record of every comparison, in the order in which they were first made."""
    return list({key(record): record for record in records}.values())
