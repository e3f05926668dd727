"""Options of the commands that read tables of measurements, with the help that describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LayoutName = Annotated[
    str | None,
    typer.Option(
        "--layout",
        metavar="NAME",
        help="wide, long, tecan, bmg or biotek; recognised by default.",
    ),
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
PlateMap = Annotated[
    Path | None,
    typer.Option(help="Table of wells: columns well and condition, replicate, observable."),
]
