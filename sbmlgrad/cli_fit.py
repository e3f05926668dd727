"""`sbmlgrad fit`: calibrate a model from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sbmlgrad import cli_options as opt
from sbmlgrad.cli_exit import INTERRUPTED, OK
from sbmlgrad.cli_support import (
    bound,
    import_tensorflow_quietly,
    names_of,
    numbers,
    pairs,
    print_json,
    progress_bar,
)
from sbmlgrad.errors import RequestError

#: File of the results folder that keeps the state of a fit while it runs.
CHECKPOINT = "checkpoint.npz"

#: Suffixes of PEtab problems.
PETAB = (".yaml", ".yml")

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
PerEpoch = Annotated[int, typer.Option(min=2, help="Trajectories per epoch, at first.")]
MostPerEpoch = Annotated[
    int | None, typer.Option(min=2, help="To which they may grow; 16 times as many by default.")
]
Optimizer = Annotated[str, typer.Option(metavar="NAME", help="adam or rmsprop.")]
Seconds = Annotated[
    float | None, typer.Option(help="Seconds after which the descent ends with what it has.")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on where an earlier fit into this folder was cut.")
]


def fit(
    model: Source,
    out: opt.Folder,
    data: Data = None,
    free: Free = None,
    seed: opt.Seed = None,
    engine: Engine = "ssa",
    starts: Starts = 1,
    warm_start: WarmStart = False,
    epochs: Epochs = None,
    trajectories: PerEpoch = 256,
    most_trajectories: MostPerEpoch = None,
    optimizer: Optimizer = "adam",
    max_seconds: Seconds = None,
    resume: Resume = False,
    bounds: Bounds = None,
    start: Start = None,
    column: opt.Column = None,
    sheet: opt.Sheet = None,
    time_column: opt.TimeColumn = None,
    threads: opt.Threads = None,
    substance: opt.Substance = None,
    initial: opt.Initial = "strict",
    mass_action: opt.MassAction = "as_written",
    dry_run: opt.DryRun = False,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> int:
    """Fit parameters to measurements; write the calibrated model, table, plots and report.

    Ctrl-C keeps the best values so far, and --resume goes on from there.
    """
    from sbmlgrad.io.files import check_folder

    if engine not in ("ssa", "ode"):
        raise RequestError(f"--engine {engine}: choose ssa or ode")
    check_folder(out)
    how = {"substance": substance, "initial": initial, "mass_action": mass_action}
    if model.suffix.lower() in PETAB:
        stray = {
            "DATA": data,
            "--free": free,
            "--bounds": bounds,
            "--start": start,
            "--map": column,
            "--sheet": sheet,
            "--time-column": time_column,
        }
        problem, assumptions = _petab(model, stray), ()
    else:
        reading = {"mapping": mapping_of(column), "sheet": sheet, "time_column": time_column}
        options = fit_options(free, bounds, start)
        problem, assumptions = _plain(model, data, how, reading, options)
    if dry_run:
        planned = plan(problem, assumptions, optimizer)
        if json:
            print_json(planned)
        elif not quiet:
            print_plan(planned, problem.measurements.source_name)
        return OK
    stochastic = {
        "epochs": epochs,
        "trajectories": trajectories,
        "most_trajectories": most_trajectories,
        "optimizer": optimizer,
        "warm_start": warm_start,
        "checkpoint": out / CHECKPOINT,
        "resume": resume,
    }
    out.mkdir(parents=True, exist_ok=True)
    result = _fitted(
        problem,
        assumptions,
        {"starts": starts, "seed": seed, "max_seconds": max_seconds},
        stochastic if engine == "ssa" else {},
        threads,
        is_silent=quiet or json,
    )
    return _write(result, out, json=json, quiet=quiet)


def _fitted(
    problem: Any,
    assumptions: tuple[str, ...],
    common: dict[str, Any],
    stochastic: dict[str, Any],
    threads: int | None,
    *,
    is_silent: bool,
) -> Any:
    import_tensorflow_quietly()
    from sbmlgrad.engines.native import Native
    from sbmlgrad.engines.ode import ODE
    from sbmlgrad.fit.solve import Settings, solve

    engine = Native(threads=threads) if stochastic else ODE()
    with progress_bar("fitting", is_silent) as advance:
        settings = Settings(engine=engine, progress=advance, **common, **stochastic)
        return solve(problem, settings, assumptions)


def _write(result: Any, out: Path, *, json: bool, quiet: bool) -> int:
    from sbmlgrad.fit.report import summary, write_results

    files = write_results(result, out)
    if not result.interrupted:
        (out / CHECKPOINT).unlink(missing_ok=True)
    if json:
        print_json({**summary(result), "files": [str(f) for f in files]})
    elif not quiet:
        print(result)
        print("written: " + ", ".join(str(f) for f in files))
    return INTERRUPTED if result.interrupted else OK


def _petab(path: Path, stray: dict[str, Any]) -> Any:
    from sbmlgrad.io.petab import load_petab

    given = [name for name, value in stray.items() if value]
    if given:
        raise RequestError(
            f"{path.name} is a PEtab problem, which says this itself; leave out {', '.join(given)}"
        )
    return load_petab(path)


def _plain(
    model: Path,
    data: Path | None,
    how: dict[str, Any],
    reading: dict[str, Any],
    options: dict[str, Any],
) -> tuple[Any, tuple[str, ...]]:
    from sbmlgrad.fit.plain import plain_problem
    from sbmlgrad.io.formats import load
    from sbmlgrad.io.tables import load_measurements

    network = load(model, **how)
    if data is None:
        raise RequestError(f"fit {model.name}: name the file of measurements too")
    return plain_problem(network, load_measurements(data, **reading), **options)


def fit_options(
    free: str | None, bounds: list[str] | None, start: list[str] | None
) -> dict[str, Any]:
    """Return the arguments of `fit` that the options `--free`, `--bounds` and `--start` mean.

    Raises:
        RequestError: one of them is not written as it must be.
    """
    return {
        "free": list(names_of(free)) if free else None,
        "bounds": {name: bound(text) for name, text in pairs(bounds, "--bounds").items()},
        "start": numbers(start, "--start"),
    }


def mapping_of(columns: list[str] | None) -> dict[str, str | None] | None:
    """Return column → id, or → None for a column to leave out; None if nothing is mapped.

    Raises:
        RequestError: an option `--map` is not written as it must be.
    """
    return {column: (to or None) for column, to in pairs(columns, "--map").items()} or None


def plan(problem: Any, assumptions: tuple[str, ...], optimizer: str) -> dict[str, Any]:
    """Check everything that a fit needs, and say what it would do.

    Raises:
        SbmlGradError: whatever the fit itself would refuse before it starts.
    """
    from sbmlgrad.codegen.lowering import lower
    from sbmlgrad.fit.optimizers import make_optimizer

    lower(problem.network)
    make_optimizer(optimizer)
    measurements = problem.measurements
    counts = {
        id: int((measurements.observable_index == place).sum())
        for place, id in enumerate(measurements.observables)
    }
    return {
        "model": problem.network.id,
        "free": {
            p.id: {"start": p.nominal, "lower": p.lower, "upper": p.upper} for p in problem.free
        },
        "observables": counts,
        "experiments": [experiment.id for experiment in problem.experiments],
        "assumptions": list(assumptions),
    }


def print_plan(planned: dict[str, Any], source_name: str) -> None:
    """Print what a fit would do.

    Args:
        planned: as `plan` returns it.
        source_name: file of the measurements.
    """
    print(f"would fit '{planned['model']}' to {source_name}:")
    for name, row in planned["free"].items():
        print(f"  {name}: from {row['start']:g} within {row['lower']:g} … {row['upper']:g}")
    for name, count in planned["observables"].items():
        print(f"  {name}: {count} measurements")
    if len(planned["experiments"]) > 1:
        print(f"  {len(planned['experiments'])} experiments")
    for assumption in planned["assumptions"]:
        print(f"  {assumption}")
