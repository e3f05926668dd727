"""What campaigns of the paper share: records that survive Ctrl-C, machine, tables, colours."""

from __future__ import annotations

import argparse
import json
import math
import platform
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]

#: The shipped models.
MODELS = ROOT / "models" / "sbml"

#: Colours that colour-blind readers can tell apart (Okabe and Ito).
BLUE, ORANGE, GREEN, PINK, SKY, BLACK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#222222",
)

#: Software that results depend on.
SOFTWARE = ("sbmlgrad", "numpy", "numba", "tensorflow", "keras")


def kept(file: Path) -> list[dict[str, Any]]:
    """Return the records that were made before, one a line of a file that may not exist.

    A last line that was cut off, as by a crash, is left out; its work is done again.
    """
    if not file.exists():
        return []
    found = []
    lines = file.read_text().splitlines()
    for number, line in enumerate(lines):
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            if number + 1 < len(lines):
                raise
    return found


def keep(file: Path, record: Mapping[str, Any]) -> None:
    """Append one record, on a line of its own even behind a line that was cut off."""
    file.parent.mkdir(parents=True, exist_ok=True)
    is_cut = file.exists() and file.read_bytes()[-1:] not in (b"", b"\n")
    if is_cut:
        whole = file.read_text().splitlines()[:-1]
        file.write_text("".join(f"{line}\n" for line in whole))
    with file.open("a") as opened:
        opened.write(json.dumps(record) + "\n")


def machine() -> str:
    """Return processor and versions, in words, as results state them."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = models[0].split(":", 1)[1].strip() if models else name
    versions = ", ".join(f"{software} {version(software)}" for software in SOFTWARE)
    return f"{name}; Python {platform.python_version()}, {versions}"


def provenance(threads: int) -> dict[str, Any]:
    """Return when and with what a record is made, to be kept with it.

    Args:
        threads: that the engine was given.
    """
    today = datetime.now(UTC).date().isoformat()
    return {"date": today, "machine": machine(), "threads": threads}


def told_provenance(records: Iterable[Mapping[str, Any]]) -> str:
    """Return in words when and with what records were made; some may not know.

    Args:
        records: as plain data, perhaps with what `provenance` gave under its names.
    """
    every = list(records)
    known = [record for record in every if record.get("date")]
    if not known:
        return "The records do not say when and where they were made."
    dates = sorted({str(record["date"]) for record in known})
    threads = sorted({int(record["threads"]) for record in known})
    span = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    of = " and ".join(map(str, threads)) + (" thread" if threads == [1] else " threads")
    machines = "; ".join(sorted({str(record["machine"]) for record in known}))
    silent = (
        f"; {len(every) - len(known)} older records do not say" if len(known) < len(every) else ""
    )
    return f"Made {span} with {of}: {machines}{silent}."


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return lines of a Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]


def paragraph(text: str) -> list[str]:
    """Return lines of Markdown, wrapped, and the empty line behind them."""
    return [*textwrap.wrap(text, 100, break_long_words=False, break_on_hyphens=False), ""]


def percent(value: float, digits: int = 3) -> str:
    """Return a fraction as percent."""
    return f"{100.0 * value:.{digits}f} %"


def numbers(text: str) -> tuple[int, ...]:
    """Return whole numbers from text such as `1-5` or `1,3`; for argparse.

    Raises:
        argparse.ArgumentTypeError: it has none, or a range that ends before it begins.
    """
    found: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        if not low.isdecimal() or not (high or low).isdecimal() or int(high or low) < int(low):
            raise argparse.ArgumentTypeError(f"{text!r}: give numbers such as 1-5 or 1,3")
        found += range(int(low), int(high or low) + 1)
    return tuple(found)


def places(text: str, of: int) -> tuple[int, ...]:
    """Return numbers below `of` from text, as `numbers` does."""
    found = numbers(text)
    if max(found) >= of:
        raise argparse.ArgumentTypeError(f"{text!r}: there are places 0 to {of - 1}")
    return found


def positive(text: str) -> float:
    """Return a finite number above 0; for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number above 0")
    return value


def chosen(text: str, among: Iterable[str]) -> list[str]:
    """Return the names in text that are separated by commas; for argparse."""
    names, known = [name.strip() for name in text.split(",") if name.strip()], list(among)
    if unknown := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(
            f"there is no {', '.join(map(repr, unknown))}; choose among {', '.join(known)}"
        )
    return names
