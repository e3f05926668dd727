"""Options of `sbmlgrad fit`, with the help that describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Source = Annotated[
    Path, typer.Argument(help="Model (.xml, .sbml, .ant), or a PEtab problem (.yaml).")
]
Data = Annotated[
    Path | None,
    typer.Argument(help="Measurements: .csv, .tsv or .xlsx; a PEtab problem has its own."),
]
Free = Annotated[
    str | None, typer.Option(metavar="ID,ID", help="Parameters to fit; all by default.")
]
Bounds = Annotated[
    list[str] | None,
    typer.Option("--bounds", metavar="ID=LOW:HIGH", help="Bounds; repeat for more."),
]
Start = Annotated[
    list[str] | None,
    typer.Option("--start", metavar="ID=VALUE", help="Starting value; repeat for more."),
]
Mapping = Annotated[
    Path | None,
    typer.Option(
        help="File that says what columns and conditions of the data are: .tsv, .toml, .yaml."
    ),
]
Snapshots = Annotated[
    bool, typer.Option("--snapshots", help="The data are counts in single cells, one row a cell.")
]
ObjectiveName = Annotated[
    str | None,
    typer.Option(
        "--objective",
        metavar="NAME",
        help="What to make small: MeanTrajectory, Moments, Distribution, StateSpaceLikelihood, "
        'SyntheticLikelihood or RateOfChange, with settings as in "Moments(covariance=True)"; by '
        "default means, or distributions for snapshots.",
    ),
]
Uncertainty = Annotated[
    str | None,
    typer.Option(
        metavar="METHOD",
        help="fisher, bootstrap, profile, mcmc or none; by default fisher, for means and "
        "StateSpaceLikelihood.",
    ),
]
Interval = Annotated[
    float, typer.Option(min=0.5, max=0.999, help="Probability of the intervals written.")
]
Repeats = Annotated[int | None, typer.Option(min=10, help="Refits of a bootstrap; 200 by default.")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Processes for several starts and for the refits of a bootstrap or profile; the "
        "numbers do not depend on how many.",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="Dask cluster for these instead, such as tcp://10.0.0.1:8786."
    ),
]
NoDistrib = Annotated[
    bool,
    typer.Option("--no-distrib", help="Write the model without the distrib package."),
]
Level = Annotated[
    str | None,
    typer.Option(metavar="LEVEL.VERSION", help="Level and version of the calibrated SBML."),
]
Archive = Annotated[
    Path | None, typer.Option("--omex", help="Also pack everything into a COMBINE archive.")
]
Engine = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="ssa for exact simulation, or ode for the rate equations.",
    ),
]
Starts = Annotated[
    int, typer.Option(min=1, help="Places to descend from; the worse ones are dropped on the way.")
]
WarmStart = Annotated[
    bool, typer.Option("--warm-start", help="Fit the rate equations first, and start from there.")
]
Epochs = Annotated[
    int | None,
    typer.Option(min=1, help="Steps of the optimiser; by default until they gain nothing."),
]
MostPerEpoch = Annotated[
    int | None, typer.Option(min=2, help="To which they may grow; 16 times as many by default.")
]
Optimizer = Annotated[str, typer.Option(metavar="NAME", help="adam or rmsprop.")]
Seconds = Annotated[
    float | None,
    typer.Option(
        help="Seconds after which the descent ends with what it has, at the end of an epoch; the "
        "final loss, the files and the uncertainty (--uncertainty none) take their own time."
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on where an earlier fit into this folder was cut.")
]
