"""`sbmlgrad fit`: calibrate a model from the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sbmlgrad import cli_fit_options as given
from sbmlgrad import cli_options as opt
from sbmlgrad.cli_exit import INTERRUPTED, OK
from sbmlgrad.cli_fit_checks import (
    check_archive,
    check_problem,
    check_uncertainty,
    refuse_stochastic,
)
from sbmlgrad.cli_fit_problem import (
    fit_options,
    mapping_of,
    petab_problem,
    plan,
    print_plan,
    problem_of_files,
)
from sbmlgrad.cli_support import import_tensorflow_quietly, print_json, progress_bar
from sbmlgrad.errors import RequestError

#: File of the results folder that keeps the state of a fit while it runs.
CHECKPOINT = "checkpoint.npz"

#: Suffixes of PEtab problems.
PETAB = (".yaml", ".yml")


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
    trajectories: given.PerEpoch = 256,
    most_trajectories: given.MostPerEpoch = None,
    optimizer: given.Optimizer = "adam",
    max_seconds: given.Seconds = None,
    resume: given.Resume = False,
    bounds: given.Bounds = None,
    start: given.Start = None,
    column: opt.Column = None,
    mapping: given.Mapping = None,
    snapshots: given.Snapshots = False,
    objective: given.ObjectiveName = None,
    uncertainty: given.Uncertainty = None,
    interval: given.Interval = 0.95,
    no_distrib: given.NoDistrib = False,
    level: given.Level = None,
    omex: given.Archive = None,
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
    if omex is not None:
        check_archive(omex)
    target = _objective(objective)
    check_uncertainty(uncertainty, engine)
    writing = writing_options(level, no_distrib=no_distrib)
    how = {"substance": substance, "initial": initial, "mass_action": mass_action}
    reading = {"--map": column, "--sheet": sheet, "--time-column": time_column}
    options = {"--free": free, "--bounds": bounds, "--start": start}
    if model.suffix.lower() in PETAB:
        stray = {"DATA": data, "--mapping": mapping, "--snapshots": snapshots}
        problem, assumptions = petab_problem(model, how, {**stray, **options, **reading}), ()
    else:
        problem, assumptions = problem_of_files(
            model,
            data,
            how,
            {"mapping": mapping_of(column), "sheet": sheet, "time_column": time_column},
            fit_options(free, bounds, start),
            mapping=mapping,
            is_snapshots=snapshots,
        )
    stochastic = {
        "objective": target,
        "epochs": epochs,
        "trajectories": trajectories,
        "most_trajectories": most_trajectories,
        "optimizer": optimizer,
        "warm_start": warm_start,
        "checkpoint": out / CHECKPOINT,
        "resume": resume,
    }
    if engine == "ode":
        refuse_stochastic(stochastic, threads)
        stochastic = {}
    check_problem(problem, engine, target, writing)
    if dry_run:
        planned = plan(problem, assumptions, optimizer)
        if json:
            print_json(planned)
        elif not quiet:
            print_plan(planned, problem.name)
        return OK
    if resume and not (out / CHECKPOINT).exists() and not quiet:
        print(f"{out}: there is no {CHECKPOINT} to go on from; starting anew", file=sys.stderr)
    out.mkdir(parents=True, exist_ok=True)
    result = _fitted(
        problem,
        assumptions,
        {"starts": starts, "seed": seed, "max_seconds": max_seconds},
        stochastic,
        threads,
        is_silent=quiet or json,
    )
    files = _written(result, out, writing)
    if engine == "ssa" and not (result.interrupted or result.reason.startswith("the budget")):
        (out / CHECKPOINT).unlink(missing_ok=True)
    code = INTERRUPTED if result.interrupted else OK
    method = _method(uncertainty, result)
    if method is not None:
        try:
            result = _with_uncertainty(result, method, interval, target)
            files = _written(result, out, writing)
        except KeyboardInterrupt:
            # The fit itself is complete and written.
            print(f"{method}: interrupted; the fit is written without it", file=sys.stderr)
            code = INTERRUPTED
    if omex is not None:
        _write_archive(result, out, omex)
        files.append(omex)
    if json:
        print_json({**summary_of(result), "files": [str(f) for f in files]})
    elif not quiet:
        print(result)
        print("written: " + ", ".join(str(f) for f in files))
    return code


def _objective(name: str | None) -> Any:
    from sbmlgrad.fit.objectives.base import OBJECTIVES, objective_class

    if name is None:
        return None
    if name not in OBJECTIVES:
        raise RequestError(f"--objective {name}: choose one of {', '.join(OBJECTIVES)}")
    return objective_class(name)()


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


def _method(asked: str | None, result: Any) -> str | None:
    """Return which uncertainty to compute; None for none."""
    if asked == "none" or result.interrupted:
        return None
    if asked is not None:
        return asked
    return "fisher" if result.objective == "MeanTrajectory()" else None


def _with_uncertainty(result: Any, method: str, level: float, objective: Any) -> Any:
    from sbmlgrad.fit.uncertainty.result import with_uncertainty
    from sbmlgrad.fit.uncertainty.run import uncertainty

    return with_uncertainty(result, uncertainty(result, method, level, objective=objective))


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


def _written(result: Any, out: Path, writing: dict[str, Any]) -> list[Path]:
    from sbmlgrad.fit.report import write_results

    return list(write_results(result, out, **writing))


def summary_of(result: Any) -> dict[str, Any]:
    """Return a result as plain data, for `--json`."""
    from sbmlgrad.fit.report import summary

    return summary(result)


def _write_archive(result: Any, out: Path, path: Path) -> None:
    """Pack calibrated model, original, simulation, provenance and the results folder."""
    from sbmlgrad.io.calibration_archive import calibration_description, calibration_entries
    from sbmlgrad.io.omex import folder_entries, write_archive
    from sbmlgrad.io.sedml import Curve, TimeCourse

    used = {id for _, id in result.curves}
    curves = [Curve(o.id, o.formula, o.name) for o in result.problem.observables if o.id in used]
    ends = [float(curve.times[-1]) for curve in result.curves.values()]
    method = "ode" if result.is_deterministic else "ssa"
    own = set(result.model.parameter_ids)
    fixed = {p.id: p.nominal for p in result.problem.parameters}
    entries = calibration_entries(
        result.model,
        (out / "calibrated.xml").read_bytes(),
        curves,
        TimeCourse(max(ends, default=1.0), methods=(method,)),
        constants={id: v for id, v in {**fixed, **result.values}.items() if id not in own},
        files=[e for e in folder_entries(out, "results") if not e.location.endswith(".npz")],
    )
    name = result.model.name or result.model.id
    write_archive(path, entries, calibration_description(name, result.model.provenance))
