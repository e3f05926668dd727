"""`sbmlgrad fit`: calibrate a model from the command line."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from sbmlgrad.cli import fit_options as given
from sbmlgrad.cli import options as opt
from sbmlgrad.cli.exit import INTERRUPTED, OK
from sbmlgrad.cli.fit_archive import (
    check_archive,
    check_simulation,
    data_entries,
    measurement_files,
    problem_files,
    write_fit_archive,
)
from sbmlgrad.cli.fit_checks import (
    check_checkpoint,
    check_problem,
    check_settings,
    refuse_stochastic,
    results_folder,
)
from sbmlgrad.cli.fit_messages import as_options
from sbmlgrad.cli.fit_objective import objective_of
from sbmlgrad.cli.fit_problem import (
    Initial,
    MassAction,
    fit_options,
    petab_problem,
    plan,
    print_plan,
    problem_of_files,
)
from sbmlgrad.cli.fit_uncertainty import (
    RECORDS,
    check_likelihood_of,
    check_uncertainty,
    check_workers,
    executor_of,
    method_of,
    with_intervals,
)
from sbmlgrad.cli.reading import AS_FOUND, Reading, option_of, with_reading
from sbmlgrad.cli.support import (
    import_tensorflow_quietly,
    print_json,
    progress_bar,
    tell_without_petab,
)
from sbmlgrad.errors import RequestError

#: File of the results folder that keeps the state of a fit while it runs.
CHECKPOINT = "checkpoint.npz"

#: Suffixes of PEtab problems.
PETAB = (".yaml", ".yml")

#: What to do after a fit that was cut.
GO_ON = "the same command with --resume goes on from there"

#: Trajectories of an epoch where neither the command line nor the problem says how many.
TRAJECTORIES = 256

PerEpoch = Annotated[
    int | None,
    typer.Option(
        min=2,
        show_default=False,
        help=f"Trajectories per epoch, at first; {TRAJECTORIES}, or as a PEtab problem says.",
    ),
]


@with_reading
def fit(
    model: given.Source,
    out: opt.Folder,
    data: given.Data = None,
    free: given.Free = None,
    seed: opt.Seed = None,
    engine: given.Engine = "ssa",
    starts: given.Starts = 1,
    warm_start: given.WarmStart = False,
    epochs: given.Epochs = None,
    trajectories: PerEpoch = None,
    most_trajectories: given.MostPerEpoch = None,
    optimizer: given.Optimizer = "adam",
    max_seconds: given.Seconds = None,
    resume: given.Resume = False,
    bounds: given.Bounds = None,
    start: given.Start = None,
    mapping: given.Mapping = None,
    snapshots: given.Snapshots = False,
    objective: given.ObjectiveName = None,
    uncertainty: given.Uncertainty = None,
    interval: given.Interval = 0.95,
    repeats: given.Repeats = None,
    workers: given.Workers = None,
    scheduler: given.Scheduler = None,
    no_distrib: given.NoDistrib = False,
    level: given.Level = None,
    omex: given.Archive = None,
    reading: Reading = AS_FOUND,
    threads: opt.Threads = None,
    substance: opt.Substance = None,
    initial: Initial = None,
    mass_action: MassAction = None,
    dry_run: opt.DryRun = False,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> int:
    """Fit parameters to measurements; write the calibrated model, table, plots and report.

    Ctrl-C keeps the best values so far, and --resume goes on from there.
    """
    from sbmlgrad.fit.problem_settings import overruled, settings_of, with_problem_settings
    from sbmlgrad.fit.report import check_results_folder
    from sbmlgrad.io.files import check_folder

    if engine not in ("ssa", "ode"):
        raise RequestError(f"--engine {engine}: choose ssa or ode")
    check_folder(out)
    writing = writing_options(level, no_distrib=no_distrib)
    if omex is not None:
        check_archive(omex, writing)
    target = objective_of(objective)
    check_uncertainty(uncertainty, engine, repeats)
    check_workers(uncertainty, starts, workers, scheduler)
    executor = executor_of(workers, scheduler)
    common = {"starts": starts, "seed": seed, "max_seconds": max_seconds}
    stochastic = {
        "objective": target,
        "epochs": epochs,
        "trajectories": TRAJECTORIES if trajectories is None else trajectories,
        "most_trajectories": most_trajectories,
        "optimizer": optimizer,
        "warm_start": warm_start,
        "checkpoint": out / CHECKPOINT,
        "resume": resume,
    }
    if engine == "ode":
        refuse_stochastic(stochastic, threads)
        stochastic = {}
    how = {"substance": substance, "initial": initial, "mass_action": mass_action}
    tables = reading.arguments()
    with as_options():
        if model.suffix.lower() in PETAB:
            stray = {
                "DATA": data,
                "--mapping": mapping,
                "--snapshots": snapshots,
                "--free": free,
                "--bounds": bounds,
                "--start": start,
                **{option_of(name): True for name in tables},
            }
            problem, assumptions = petab_problem(model, how, stray), ()
        else:
            problem, assumptions = problem_of_files(
                model,
                data,
                how,
                tables,
                fit_options(free, bounds, start),
                mapping=mapping,
                is_snapshots=snapshots,
            )
        read = problem_files(model) if model.suffix.lower() in PETAB else (data,)
        inputs = (model, *read, mapping, reading.plate_map)
        given_files = [path for path in inputs if path is not None]
        check_results_folder(out, given_files, problem, (RECORDS,))
        check_checkpoint(out / CHECKPOINT)
        said = {"trajectories": trajectories, "seed": seed, "objective": target and target.name}
        problem = overruled(problem, said)
        asked = settings_of(problem, model.name)
        check_settings(common, stochastic and {**stochastic, **asked})
        common["executor"] = executor if starts > 1 else None
        used = check_problem(problem, engine, target or asked.get("objective"), writing)
        check_likelihood_of(uncertainty, used, problem)
        if omex is not None:
            check_simulation(problem, engine, writing)
    settings = _settings(common, stochastic, threads)
    if dry_run:
        planned = plan(problem, assumptions + with_problem_settings(problem, settings)[1])
        if json:
            print_json(planned)
        elif not quiet:
            print_plan(planned, problem.name)
        return OK
    is_silent = quiet or json
    sources = measurement_files(model) if model.suffix.lower() in PETAB else (data,)
    # As they are now: whoever changes them while the fit runs changes another fit's data.
    packed = () if omex is None else data_entries((*sources, mapping, reading.plate_map))
    if resume and not (out / CHECKPOINT).exists() and not quiet:
        print(f"{out}: there is no {CHECKPOINT} to go on from; starting anew", file=sys.stderr)
    with results_folder(out):
        if not resume:
            (out / RECORDS).unlink(missing_ok=True)
        try:
            result = _fitted(problem, assumptions, settings, is_silent)
        except KeyboardInterrupt:
            if (out / CHECKPOINT).exists():
                print(f"{out}: the descent is kept there; {GO_ON}", file=sys.stderr)
            raise
        files = _written(result, out, writing)
    is_cut = result.interrupted or result.is_late
    code = INTERRUPTED if result.interrupted else OK
    method = method_of(uncertainty, result, used)
    if method is not None:
        try:
            result = with_intervals(
                result,
                method,
                interval,
                is_asked=uncertainty is not None,
                objective=used,
                repeats=repeats,
                executor=executor,
                out=out,
                is_silent=is_silent,
            )
            files = _written(result, out, writing)
        except KeyboardInterrupt:
            # The fit itself is complete and written.
            print(f"{method}: interrupted; the fit is written without it", file=sys.stderr)
            is_cut, code = True, INTERRUPTED
    if engine == "ssa" and not is_cut:
        (out / CHECKPOINT).unlink(missing_ok=True)
    if omex is not None:
        write_fit_archive(result, files, omex, packed)
        files.append(omex)
    if not quiet:
        tell_without_petab(result)
    if json:
        print_json({**summary_of(result), "files": [str(f) for f in files]})
    elif not quiet:
        print(result)
        print("written: " + ", ".join(str(f) for f in files))
    if is_cut and engine == "ssa" and not quiet:
        print(f"{out}: {GO_ON}", file=sys.stderr)
    return code


def writing_options(level: str | None, *, no_distrib: bool) -> dict[str, Any]:
    """Return the arguments of `save` that `--level` and `--no-distrib` mean.

    Raises:
        RequestError: the level is not written as it must be.
    """
    if level is None:
        return {"distrib": not no_distrib}
    parts = level.split(".")
    if len(parts) > 2 or not all(part.isdigit() for part in parts):
        raise RequestError(f"--level {level}: write level and version, for instance 3.2")
    version = int(parts[1]) if len(parts) == 2 else None
    return {"distrib": not no_distrib, "level": int(parts[0]), "version": version}


def _settings(common: dict[str, Any], stochastic: dict[str, Any], threads: int | None) -> Any:
    from sbmlgrad.engines.native import Native
    from sbmlgrad.engines.ode.engine import ODE
    from sbmlgrad.fit.settings import Settings

    engine = Native(threads=threads) if stochastic else ODE()
    return Settings(engine=engine, **common, **stochastic)


def _fitted(problem: Any, assumptions: tuple[str, ...], settings: Any, is_silent: bool) -> Any:
    import_tensorflow_quietly()
    from sbmlgrad.fit.solve import solve

    with progress_bar("fitting", is_silent) as advance:
        return solve(problem, replace(settings, progress=advance), assumptions)


def _written(result: Any, out: Path, writing: dict[str, Any]) -> list[Path]:
    from sbmlgrad.fit.report import write_results

    return list(write_results(result, out, **writing))


def summary_of(result: Any) -> dict[str, Any]:
    """Return a result as plain data, for `--json`."""
    from sbmlgrad.fit.report import summary

    return summary(result)
