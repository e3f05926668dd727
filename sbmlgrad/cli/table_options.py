"""Options of the commands that read tables of measurements, with the help that describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Sheets = Annotated[
    list[str] | None,
    typer.Option(
        "--sheet", metavar="NAME", help="Sheet of a workbook, or all; repeat for several."
    ),
]
SheetsAre = Annotated[
    str | None,
    typer.Option(
        metavar="WHAT",
        help="What several sheets are: condition, the default, or replicate, called by their name.",
    ),
]
LayoutName = Annotated[
    str | None,
    typer.Option(
        "--layout",
        metavar="NAME",
        help="wide, long, tecan, bmg or biotek; recognised by default.",
    ),
]
Observables = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Column, channel or well to read; repeat for more."),
]
HeaderRow = Annotated[int | None, typer.Option(min=1, help="Row of the header; found by default.")]
TimeUnit = Annotated[
    str | None, typer.Option(help="Unit that times shall have, such as s, min, h or day.")
]
Names = Annotated[
    str | None,
    typer.Option(metavar="NAME,NAME", help="Names of the columns of a file without a header."),
]
Below = Annotated[
    str | None,
    typer.Option(
        metavar="HOW", help="Values below detection (<5, ND): drop, half or limit; else refused."
    ),
]
Above = Annotated[
    str | None,
    typer.Option(metavar="HOW", help="Values above detection (OVER): drop or limit; else refused."),
]
LowerLimit = Annotated[
    float | None, typer.Option(help="Limit of detection where a mark such as ND names none.")
]
UpperLimit = Annotated[float | None, typer.Option(help="Likewise for marks such as OVER.")]
Missing = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help="What stands for a missing value instead of NA, N/A and NaN; repeat for more.",
    ),
]
Decimal = Annotated[
    str | None,
    typer.Option(metavar="MARK", help="Decimal mark, comma or point; found where it is clear."),
]
Clock = Annotated[
    str | None, typer.Option(metavar="HOW", help="What 12:30 means: h:mm or m:ss; else refused.")
]
Separator = Annotated[
    str | None,
    typer.Option(metavar="MARK", help='What separates columns: ",", ";" or tab; found by default.'),
]
Encoding = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Of a text file, such as cp1252; utf-8 by default."),
]
ConditionColumns = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Column that names the condition of a row; repeat for more; condition by default.",
    ),
]
ReplicateColumns = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Column that names the replicate of a row; repeat for more; replicate by default.",
    ),
]
PlateMap = Annotated[
    Path | None,
    typer.Option(help="Table of wells: columns well and condition, replicate, observable."),
]
