"""Folders of earlier fits, whose files are replaced, and files of others, which are not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from sbmlgrad.errors import WriteError
from sbmlgrad.fit.fitted_petab import STORED
from sbmlgrad.fit.storage.result_file import holds_result

#: File by which a folder is known as one of a fit; written before all others.
RECORD = "provenance.json"


def check_earlier(folder: Path, names: Iterable[str]) -> None:
    """Refuse to replace files that no fit left: those of a folder without the record of a fit.

    Args:
        folder: of the results.
        names: of the files that would be replaced.

    Raises:
        WriteError: there is such a file.
    """
    if _is_of_fit(folder / RECORD):
        return
    for name in names:
        place = folder / name
        # Somebody may have saved a fit by itself, for reports to be written of it.
        if os.path.lexists(place) and not (name == STORED and holds_result(place)):
            raise WriteError(
                f"{place}: is there already, in a folder that no fit has written (there is no "
                f"{RECORD} of one); results would overwrite it, so choose another folder for them, "
                "or move it away"
            )


def _is_of_fit(record: Path) -> bool:
    try:
        told = json.loads(record.read_bytes())
    except (OSError, ValueError, RecursionError):  # none, or another program's
        return False
    software = told.get("software") if isinstance(told, dict) else None
    return isinstance(software, dict) and "sbmlgrad" in software
