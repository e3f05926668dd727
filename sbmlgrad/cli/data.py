"""`sbmlgrad data`: what a data file would be read as, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sbmlgrad.cli import options as opt
from sbmlgrad.cli.exit import NO, OK
from sbmlgrad.cli.fit_messages import as_options, in_options
from sbmlgrad.cli.reading import AS_FOUND, Reading, with_reading
from sbmlgrad.cli.support import print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sbmlgrad.io.preview import Preview
    from sbmlgrad.io.preview_contents import Row

#: Rows of the table and lines of a list that are shown; `--json` has all.
_SHOWN = 20

File = Annotated[Path, typer.Argument(help="Data file: .csv, .tsv, .txt or .xlsx.")]


@with_reading
def data(file: File, reading: Reading = AS_FOUND, json: opt.Json = False) -> int:
    """Show what a data file holds, where it was found, and what is ignored and why.

    All sheets of a workbook are shown unless some are named. Ends with 1 if the file cannot be used
    as it is.
    """
    from sbmlgrad.io.preview import preview

    with as_options():
        seen = preview(file, **reading.arguments())
    if json:
        print_json(seen.as_dict())
    else:
        print_preview(seen)
    return OK if seen.is_usable else NO


def print_preview(seen: Preview) -> None:
    """Print a preview: what it is, where, what was ignored, contents, problems, and the call."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    verdict = "[green]can be read[/]" if seen.is_usable else "[red]cannot be read as it is[/]"
    console.print(f"[bold]{escape(seen.file)}[/]: {seen.kind}, {verdict}")
    console.print(f"  {escape(in_options(seen.recognised))}")
    for sheet in seen.sheets:
        name = "" if sheet.sheet is None else f"sheet {sheet.sheet!r}, "
        console.print(f"\n[bold]{escape(name)}layout {sheet.layout}[/]")
        for title, lines in (
            ("found", sheet.understood),
            ("ignored", sheet.ignored),
            ("note", sheet.notes),
        ):
            for line in _cut(lines):
                console.print(f"  [cyan]{title}[/] {escape(line)}")
        for line in _cut(sheet.problems):
            console.print(f"  [red]problem[/] {escape(in_options(line))}")
    for problem in seen.problems:
        console.print(f"\n[red]problem[/] {escape(in_options(problem))}")
    if seen.contents:
        console.print()
        for line in _aligned(seen.columns, seen.contents[:_SHOWN]):
            console.print(f"  {escape(line)}")
        if len(seen.contents) > _SHOWN:
            console.print(f"  ... and {len(seen.contents) - _SHOWN} more rows (--json shows all)")
    how = "read it by" if seen.is_usable else "once that is solved, read it by"
    option = " (sbmlgrad fit: --snapshots)" if seen.kind == "snapshots" else ""
    console.print(f"\n{how} {escape(seen.call + option)}")


def _cut(lines: tuple[str, ...]) -> tuple[str, ...]:
    if len(lines) <= _SHOWN:
        return lines
    return (*lines[:_SHOWN], f"... and {len(lines) - _SHOWN} more (--json shows all)")


def _aligned(columns: tuple[str, ...], rows: Sequence[Row]) -> list[str]:
    """Return lines of a table: text to the left, numbers to the right, empty columns left out."""
    cells = [columns, *(tuple(x if isinstance(x, str) else f"{x:g}" for x in r) for r in rows)]
    kept = [i for i in range(len(columns)) if any(row[i] for row in cells[1:])]
    widths = {i: max(len(row[i]) for row in cells) for i in kept}
    is_text = {i: isinstance(rows[0][i], str) for i in kept}
    return [
        "  ".join(
            row[i].ljust(widths[i]) if is_text[i] else row[i].rjust(widths[i]) for i in kept
        ).rstrip()
        for row in cells
    ]
