"""The command line: parses, calls the library, prints.

Options and their help are declared in `options`, what a command does besides calling the library
is in the module of its name, and exit codes are in `exit`. Nothing heavy is imported before a
command needs it, so that help comes at once.
"""

from __future__ import annotations

import sys

import typer

from sbmlgrad.cli import fit_options as fit_opt
from sbmlgrad.cli import options as opt
from sbmlgrad.cli.data import data
from sbmlgrad.cli.exit import BAD_INPUT, FAILED, INTERRUPTED, NO, OK, exit_code, stoppable
from sbmlgrad.cli.fit import fit
from sbmlgrad.cli.fit_messages import as_options
from sbmlgrad.cli.fit_problem import fit_options
from sbmlgrad.cli.gradcheck import gradcheck
from sbmlgrad.cli.reading import AS_FOUND, Reading, option_of, with_reading
from sbmlgrad.cli.report import report
from sbmlgrad.cli.support import (
    issue_as_dict,
    numbers,
    print_issues,
    print_json,
    print_summary,
    progress_bar,
    times_of,
)
from sbmlgrad.cli.validate import validate

__all__ = ["BAD_INPUT", "FAILED", "INTERRUPTED", "NO", "OK", "app", "main", "run"]

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


@app.command()
@stoppable
def check(
    models: opt.Models,
    substance: opt.Substance = None,
    initial: opt.Initial = "strict",
    mass_action: opt.MassAction = "as_written",
    jobs: opt.Jobs = None,
    limit: opt.Limit = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> int:
    """Say whether models can be simulated exactly, and everything that stands in the way.

    Ends with 1 if one of them cannot. Ctrl-C prints what was found so far.
    """
    from sbmlgrad.cli.check import check_files, expand, summary

    names = expand(models)
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
@stoppable
def simulate(
    model: opt.Model,
    times: opt.Times,
    out: opt.Table,
    trajectories: opt.Trajectories = 1,
    engine: opt.Engine = "auto",
    kernel: opt.Kernel = None,
    precision: opt.Precision = None,
    summary: opt.Summary = False,
    symbols: opt.Symbols = None,
    seed: opt.Seed = None,
    threads: opt.Threads = None,
    set_: opt.Parameters = None,
    substance: opt.Substance = None,
    initial: opt.Initial = "strict",
    mass_action: opt.MassAction = "as_written",
    dry_run: opt.DryRun = False,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> int:
    """Simulate exactly, or by the rate equations; write every trajectory, or their statistics."""
    from sbmlgrad.cli import simulate as steps
    from sbmlgrad.cli.simulate_plan import plan
    from sbmlgrad.cli.simulate_results import print_facts, simulated
    from sbmlgrad.io.formats import load

    suffix, grid = steps.result_suffix(out), times_of(times)
    chosen, given = steps.engine_of(engine, threads, kernel, precision), numbers(set_)
    network = load(model, substance=substance, initial=initial, mass_action=mass_action)
    job = steps.Job(
        network=network,
        parameters=given,
        times=grid,
        trajectories=trajectories,
        seed=seed,
        engine=chosen,
        options={"kernel": kernel, "precision": precision},
        symbols=steps.columns(network, symbols),
        is_summary=summary,
        suffix=suffix,
    )
    said = plan(job, out) if dry_run else simulated(job, out, is_silent=quiet or json)
    if said is None:
        return INTERRUPTED
    if json:
        print_json(said)
    elif not quiet:
        print_facts(said)
    return OK


app.command()(stoppable(fit))
app.command()(stoppable(data))
app.command()(stoppable(gradcheck))
app.command()(stoppable(report))


app.command()(stoppable(validate))


@app.command()
@stoppable
@with_reading
def convert(
    model: opt.Model,
    out: opt.Target,
    normalised: opt.Normalised = False,
    level: opt.Level = None,
    flatten: opt.Flatten = False,
    overwrite: opt.Overwrite = False,
    data: opt.Sheets = None,
    free: opt.FreeIds = None,
    bounds: fit_opt.Bounds = None,
    start: fit_opt.Start = None,
    mapping: fit_opt.Mapping = None,
    reading: Reading = AS_FOUND,
    substance: opt.Substance = None,
    initial: opt.Initial = "strict",
    mass_action: opt.MassAction = "as_written",
    dry_run: opt.DryRun = False,
    quiet: opt.Quiet = False,
) -> int:
    """Convert between SBML and Antimony or levels of SBML, or write the normalised form.

    With --data a model and its measurements become a PEtab problem. What a format or level cannot
    say is an error, never left out.
    """
    from sbmlgrad.cli.convert import (
        Conversion,
        PetabConversion,
        converted,
        refuse_beside_data,
        write_petab_folder,
    )
    from sbmlgrad.io.files import check_folder, write_atomically

    tables = reading.arguments()
    making = {"--free": free, "--bounds": bounds, "--start": start, "--mapping": mapping}
    making |= {option_of(name): True for name in tables}
    if data is not None or any(making.values()):
        job = PetabConversion(
            model=model,
            data=refuse_beside_data(
                data, making, normalised=normalised, level=level, flatten=flatten
            ),
            **fit_options(free, bounds, start),
            mapping=mapping,
            reading=tables,
            substance=substance,
            initial=initial,
            mass_action=mass_action,
            overwrite=overwrite,
        )
        with as_options():
            what, assumptions = write_petab_folder(job, out, dry_run=dry_run)
        if not quiet:
            print(f"{'would write' if dry_run else 'written'} to {out}: {what}")
            for assumption in assumptions:
                print(f"  {assumption}")
        return OK
    check_folder(out.parent)
    document, what = converted(
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
        write_atomically(out, document)
    if not quiet:
        print(f"{'would write' if dry_run else 'written'} to {out}: {what}")
    return OK


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; errors become one message."""
    return exit_code(lambda: app(arguments, standalone_mode=False))
