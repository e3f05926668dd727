"""Arguments and options of the command line, each with its help text, under one name.

Commands name them as types of their parameters; an option that several commands share is declared,
and worded, once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# What is read, and how.
Model = Annotated[
    Path, typer.Argument(help="SBML (.xml, .sbml, either with .gz) or Antimony (.ant) file.")
]
Models = Annotated[
    list[str],
    typer.Argument(
        metavar="MODEL...", help="Files, folders (searched to any depth) or patterns in quotes."
    ),
]
Substance = Annotated[
    str | None,
    typer.Option(
        metavar="UNIT",
        help="item (one molecule) or mole: what a unit of substance is, over the file's own word.",
    ),
]
Initial = Annotated[
    str,
    typer.Option(
        metavar="HOW",
        help="Initial counts that are not whole: strict refuses them, round takes the nearest, "
        "randomised draws the one above or below for every trajectory.",
    ),
]
MassAction = Annotated[
    str,
    typer.Option(
        metavar="HOW",
        help="as_written, or combinatorial: k*A*A of 2 A -> ... means k*A*(A-1)/2.",
    ),
]

# What is printed.
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress and no summary.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Read and check everything, then stop; write nothing.")
]

# How to simulate.
Seed = Annotated[
    int | None, typer.Option(help="Seed of the random streams; drawn and printed by default.")
]
Threads = Annotated[int | None, typer.Option(help="Threads; every core by default.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="ID=VALUE", help="Parameter value; repeat for more."),
]
Times = Annotated[
    str,
    typer.Option(
        metavar="START:STOP:STEPS",
        help="Times to report: STEPS equal intervals from START to STOP, in the model's unit; "
        "several such grids with commas.",
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="auto, native, reference, cuda (an NVIDIA GPU) or tensorflow: exact; ode: the rate "
        "equations, without noise.",
    ),
]
Kernel = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Of the native engine: auto, by the size of job and model; table, nothing to compile; "
        "lockstep, compiled for the model; tree, for large networks.",
    ),
]
Precision = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Of the native engine: float64, the default, or float32, which is faster and has "
        "other trajectories.",
    ),
]
Trajectories = Annotated[int, typer.Option(min=1, help="Number of trajectories.")]
Symbols = Annotated[
    str | None,
    typer.Option(
        metavar="ID,ID",
        help="Columns, in what each symbol means in the model; by default counts of species "
        "(amounts with ode) and whatever else events or rate rules change.",
    ),
]
Summary = Annotated[
    bool,
    typer.Option(
        "--summary",
        help="Write statistics at every time instead of trajectories, which are not kept.",
    ),
]
Table = Annotated[Path, typer.Option(help="Result: .csv (long table) or .nc (netCDF).")]

# check
Jobs = Annotated[
    int | None, typer.Option(min=1, help="Processes at a time; one for every core by default.")
]
Limit = Annotated[
    float | None,
    typer.Option(min=0.1, help="Seconds after which a file is given up; none by default."),
]

# data, fit and gradcheck
TimeColumn = Annotated[str | None, typer.Option(help="Name of the time column.")]
Column = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="COLUMN=ID",
        help="Symbol that a column of the data measures; an empty ID leaves the column out.",
    ),
]
Folder = Annotated[Path, typer.Option(help="Folder for the results; made if it is not there.")]

# validate
FamilyWiseError = Annotated[
    float, typer.Option(help="Chance that right simulators are found to disagree anywhere.")
]
Plot = Annotated[
    Path | None, typer.Option(help="Draw both sides into this picture: .png, .pdf or .svg.")
]

# convert
Target = Annotated[
    Path,
    typer.Argument(help="Target: .xml, .sbml, either with .gz, or .ant; with --data a folder."),
]
Sheets = Annotated[
    Path | None,
    typer.Option("--data", help="Measurements: write model and data as a PEtab 2 problem."),
]
FreeIds = Annotated[
    str | None,
    typer.Option("--free", metavar="ID,ID", help="With --data: parameters to estimate."),
]
Normalised = Annotated[
    bool,
    typer.Option(
        "--normalised",
        help="Write what referees are fed: counts, split reversible laws, global parameters.",
    ),
]
Level = Annotated[
    str | None,
    typer.Option(metavar="LEVEL.VERSION", help="Level and version of SBML, such as 3.2."),
]
Flatten = Annotated[
    bool, typer.Option("--flatten", help="Merge submodels (comp) into one flat model.")
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite", help="Let the target replace the model itself, or files of a folder."
    ),
]
