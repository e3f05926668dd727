"""The command line: parses, calls the library, prints."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from sbmlgrad.cli_support import (
    bound,
    import_tensorflow_quietly,
    issue_as_dict,
    numbers,
    pairs,
    print_issues,
    print_json,
    print_summary,
    progress_bar,
    times_of,
)

OK, NO, BAD_INPUT, FAILED, INTERRUPTED = 0, 1, 2, 3, 130

app = typer.Typer(
    name="sbmlgrad",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(
        "Exact stochastic simulation of SBML models, with gradients and calibration.\n\n"
        "Exit codes: 0 fine, 1 the answer is no (check found errors, validate disagrees), "
        "2 wrong usage or input, 3 failure at run time, 130 interrupted."
    ),
)

Model = Annotated[Path, typer.Argument(help="SBML (.xml, .sbml, .xml.gz) or Antimony (.ant) file.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress and no summary.")]
Seed = Annotated[
    int | None, typer.Option(help="Seed of the random streams; drawn and printed by default.")
]
Threads = Annotated[int | None, typer.Option(help="Threads; every core by default.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="ID=VALUE", help="Parameter value; repeat for more."),
]
Substance = Annotated[
    str | None, typer.Option(help="item or mole: what a unit of substance is in this model.")
]
Initial = Annotated[
    str, typer.Option(help="Initial counts that are not whole: strict, round or randomised.")
]
MassAction = Annotated[
    str, typer.Option(help="as_written, or combinatorial: k*A*A means k*A*(A-1)/2.")
]


@app.command()
def check(
    files: Annotated[
        list[str], typer.Argument(help="Models: files, folders or patterns in quotes.")
    ],
    substance: Substance = None,
    initial: Initial = "strict",
    mass_action: MassAction = "as_written",
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; one for every core by default.")
    ] = None,
    limit: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds for one file; none by default.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Say whether models can be simulated exactly, and everything that stands in the way.

    Ctrl-C prints what was found so far.
    """
    from sbmlgrad.cli_check import check_files, expand, summary

    names = expand(files)
    options = {"substance": substance, "initial": initial, "mass_action": mass_action}
    with progress_bar("checking", quiet or json or len(names) == 1) as advance:
        checked = check_files(names, options, jobs=jobs, limit=limit, progress=advance)
    counts = summary(checked)
    if json:
        found = {n: [issue_as_dict(i) for i in issues] for n, issues in checked.issues.items()}
        print_json({"files": found, "summary": counts})
    else:
        for name, issues in checked.issues.items():
            print_issues(name, issues)
        if checked.asked > 1 and not quiet:
            print_summary(counts)
    if checked.is_interrupted:
        return INTERRUPTED
    return NO if counts["only_ode"] or counts["refused"] else OK


@app.command()
def simulate(
    model: Model,
    times: Annotated[
        str, typer.Option(metavar="START:STOP:STEPS", help="Output times: STEPS equal intervals.")
    ],
    out: Annotated[Path, typer.Option(help="Result: .csv (long table) or .nc (netCDF).")],
    trajectories: Annotated[int, typer.Option(min=1, help="Number of trajectories.")] = 1,
    engine: Annotated[
        str,
        typer.Option(help="auto, native or reference: exact; ode: the rate equations, no noise."),
    ] = "auto",
    symbols: Annotated[
        str | None,
        typer.Option(
            metavar="ID,ID",
            help="Columns, in what each symbol means; by default counts of species (amounts "
            "with ode) and whatever else events or rate rules change.",
        ),
    ] = None,
    seed: Seed = None,
    threads: Threads = None,
    set_: Parameters = None,
    substance: Substance = None,
    initial: Initial = "strict",
    mass_action: MassAction = "as_written",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and check everything, simulate nothing.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Simulate exactly (or the rate equations) and write every trajectory."""
    from sbmlgrad import cli_simulate as steps
    from sbmlgrad.io.formats import load
    from sbmlgrad.simulation import simulate as run

    suffix = steps.result_suffix(out)
    grid = times_of(times)
    chosen = steps.engine_of(engine, threads)
    given = numbers(set_)
    network = load(model, substance=substance, initial=initial, mass_action=mass_action)
    wanted = steps.columns(network, symbols)
    count = 1 if steps.is_deterministic(chosen) else trajectories
    said: dict[str, Any] = {"model": network.id, "out": str(out), "trajectories": count}
    if dry_run:
        said |= {
            "dry_run": True,
            "times": len(grid),
            **steps.plan(network, given, grid, seed, chosen),
        }
    else:
        with progress_bar("simulating", quiet or json) as advance:
            ensemble = run(
                network,
                given,
                times=grid,
                trajectories=trajectories,
                seed=seed,
                engine=chosen,
                progress=advance,
            )
        steps.write_ensemble(ensemble, wanted, out, suffix)
        said |= steps.facts(ensemble)
    if json:
        print_json(said)
    elif not quiet:
        print("would simulate" if dry_run else f"written to {out}")
        print("\n".join(f"  {key}: {value}" for key, value in said.items() if key != "out"))
    return OK


@app.command()
def fit(
    model: Model,
    data: Annotated[Path, typer.Argument(help="Measurements: .csv, .tsv or .xlsx.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    free: Annotated[
        str | None, typer.Option(metavar="ID,ID", help="Parameters to fit; all by default.")
    ] = None,
    seed: Seed = None,
    epochs: Annotated[int, typer.Option(min=1, help="Steps of the optimiser.")] = 150,
    trajectories: Annotated[int, typer.Option(min=2, help="Trajectories per epoch.")] = 256,
    optimizer: Annotated[str, typer.Option(help="adam or rmsprop.")] = "adam",
    bounds: Annotated[
        list[str] | None,
        typer.Option("--bounds", metavar="ID=LOW:HIGH", help="Bounds; repeat for more."),
    ] = None,
    start: Annotated[
        list[str] | None,
        typer.Option("--start", metavar="ID=VALUE", help="Starting value; repeat for more."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="COLUMN=ID", help="Column of the data; empty ID leaves it out."
        ),
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of the XLSX file.")] = None,
    time_column: Annotated[str | None, typer.Option(help="Name of the time column.")] = None,
    threads: Threads = None,
    substance: Substance = None,
    initial: Initial = "strict",
    mass_action: MassAction = "as_written",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and check everything, fit nothing.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Fit parameters to measurements; write the calibrated model, table, plots and report.

    Ctrl-C keeps the best values so far.
    """
    from sbmlgrad.io.files import check_folder
    from sbmlgrad.io.formats import load
    from sbmlgrad.io.tables import load_measurements

    network = load(model, substance=substance, initial=initial, mass_action=mass_action)
    mapping = {c: (i or None) for c, i in pairs(column, "--map").items()} or None
    measurements = load_measurements(data, mapping=mapping, sheet=sheet, time_column=time_column)
    check_folder(out)
    names = [name.strip() for name in free.split(",") if name.strip()] if free else None
    options: dict[str, Any] = {
        "free": names,
        "bounds": {k: bound(v) for k, v in pairs(bounds, "--bounds").items()},
        "start": numbers(start, "--start"),
    }
    if dry_run:
        return _dry_run(network, measurements, {**options, "optimizer": optimizer}, json, quiet)
    import_tensorflow_quietly()
    from sbmlgrad.engines.native import Native
    from sbmlgrad.fit.report import summary, write_results
    from sbmlgrad.fit.run import fit as run

    with progress_bar("fitting", quiet or json) as advance:
        result = run(
            network,
            measurements,
            **options,
            seed=seed,
            epochs=epochs,
            trajectories=trajectories,
            optimizer=optimizer,
            engine=Native(threads=threads),
            progress=advance,
        )
    files = write_results(result, out)
    if json:
        print_json({**summary(result), "files": [str(f) for f in files]})
    elif not quiet:
        print(result)
        print("written: " + ", ".join(str(f) for f in files))
    return INTERRUPTED if result.interrupted else OK


def _dry_run(
    network: Any, measurements: Any, options: dict[str, Any], json: bool, quiet: bool
) -> int:
    from sbmlgrad.codegen.lowering import lower
    from sbmlgrad.fit.binding import bind_measurements
    from sbmlgrad.fit.optimise import make_optimizer
    from sbmlgrad.fit.parameters import free_parameters
    from sbmlgrad.gradients.two_sided_adjoint import TwoSidedAdjoint

    lower(network)
    free = free_parameters(network, options["free"], options["bounds"], options["start"])
    binding = bind_measurements(network, measurements, TwoSidedAdjoint())
    make_optimizer(options["optimizer"])
    plan = {
        "model": network.id,
        "free": {
            i: {"start": s, "lower": low, "upper": high}
            for i, s, low, high in zip(
                free.ids,
                free.start.tolist(),
                free.lower.tolist(),
                free.upper.tolist(),
                strict=True,
            )
        },
        "observables": {t.observable: len(t.times) for t in binding.targets},
        "assumptions": list(binding.assumptions),
    }
    if json:
        print_json(plan)
    elif not quiet:
        print(f"would fit '{network.id}' to {measurements.source_name}:")
        for name, row in plan["free"].items():
            print(f"  {name}: from {row['start']:g} within {row['lower']:g} … {row['upper']:g}")
        for name, count in plan["observables"].items():
            print(f"  {name}: {count} times")
        for assumption in binding.assumptions:
            print(f"  {assumption}")
    return OK


@app.command()
def validate(
    model: Model,
    against: Annotated[str, typer.Option(help="Referees, separated by commas.")] = "roadrunner",
    times: Annotated[
        str, typer.Option(metavar="START:STOP:STEPS", help="Times at which to compare.")
    ] = "0:10:10",
    trajectories: Annotated[int, typer.Option(min=2, help="Trajectories of each side.")] = 2000,
    seed: Seed = None,
    error: Annotated[float, typer.Option(help="Chance of a false alarm in the whole run.")] = 1e-3,
    plot: Annotated[Path | None, typer.Option(help="Draw the overlay into this PNG.")] = None,
    set_: Parameters = None,
    substance: Substance = None,
    initial: Initial = "strict",
    mass_action: MassAction = "as_written",
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Compare means and variances with another simulator, which runs in a process of its own."""
    from sbmlgrad.io.formats import load
    from sbmlgrad.referees.validate import validate as run

    network = load(model, substance=substance, initial=initial, mass_action=mass_action)
    with progress_bar("comparing", quiet or json) as advance:
        report = run(
            network,
            against=tuple(name.strip() for name in against.split(",") if name.strip()),
            parameters=numbers(set_) or None,
            times=times_of(times),
            trajectories=trajectories,
            seed=seed,
            family_wise_error=error,
            progress=advance,
            plot=plot,
        )
    if json:
        print_json(report.as_dict())
    elif not quiet:
        print(report)
    return OK if report.agrees else NO


@app.command()
def convert(
    model: Model,
    out: Annotated[Path, typer.Argument(help="Target: .xml, .sbml, either with .gz, or .ant.")],
    normalised: Annotated[
        bool,
        typer.Option(
            "--normalised",
            help="Write what referees are fed: counts, split reversible laws, global parameters.",
        ),
    ] = False,
    level: Annotated[
        str | None,
        typer.Option(metavar="LEVEL.VERSION", help="Level and version of SBML, such as 3.2."),
    ] = None,
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Merge submodels (comp) into one flat model.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Let the target replace the model itself.")
    ] = False,
    substance: Substance = None,
    initial: Initial = "strict",
    mass_action: MassAction = "as_written",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Convert and check everything, write nothing.")
    ] = False,
    quiet: Quiet = False,
) -> int:
    """Convert between SBML and Antimony or levels of SBML, or write the normalised form.

    What a format or level cannot say is an error, never left out.
    """
    from sbmlgrad.cli_convert import Conversion, converted
    from sbmlgrad.io.files import check_folder, write_atomically

    check_folder(out.parent)
    data, what = converted(
        Conversion(
            model=model,
            out=out,
            normalised=normalised,
            level=level,
            flatten=flatten,
            overwrite=overwrite,
            substance=substance,
            initial=initial,
            mass_action=mass_action,
        )
    )
    if not dry_run:
        write_atomically(out, data)
    if not quiet:
        print(f"would write {what} to {out}" if dry_run else f"{what} written to {out}")
    return OK


# typer brings its own copy of click; this is the root of that copy's usage errors.
_UsageFault: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; errors become one message."""
    from sbmlgrad.errors import (
        RefereeError,
        SbmlGradError,
        SimulationError,
        StatisticsError,
    )

    try:
        result = app(arguments, standalone_mode=False)
    except typer.Abort:
        return _say("interrupted", INTERRUPTED)
    except _UsageFault as error:
        error.show()
        return BAD_INPUT
    except KeyboardInterrupt:
        return _say("interrupted; nothing was written", INTERRUPTED)
    except (SimulationError, StatisticsError, RefereeError) as error:
        return _say(f"error: {error}", FAILED)
    except SbmlGradError as error:
        return _say(f"error: {error}", BAD_INPUT)
    except Exception:
        traceback.print_exc()
        return _say("this is a fault of sbmlgrad itself; please report it", FAILED)
    return result if isinstance(result, int) else OK


def _say(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code
