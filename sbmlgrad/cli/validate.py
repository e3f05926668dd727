"""`sbmlgrad validate`: does anyone else find the same, from the command line."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sbmlgrad.cli import options as opt
from sbmlgrad.cli.exit import BAD_INPUT, FAILED, NO, OK
from sbmlgrad.cli.support import names_of, numbers, print_json, progress_bar, times_of
from sbmlgrad.errors import RequestError

if TYPE_CHECKING:
    from sbmlgrad.referees.report.validation import ValidationReport

#: Family-wise error, and seconds for a run of a referee, where none are asked for.
DEFAULT_ERROR, DEFAULT_TIMEOUT = 1e-3, 600.0

#: Files that are written into a folder.
PAGE, TEXT, DATA, PICTURE = "validation.html", "validation.txt", "validation.json", "overlay.png"

Against = Annotated[
    str,
    typer.Option(
        metavar="NAME,NAME",
        help="Referees: roadrunner, tellurium, copasi, gillespy2, rebop, bngsim; and exact ones: "
        "fsp (small networks), ode (laws affine in the counts).",
    ),
]
OfEachSide = Annotated[
    int | None,
    typer.Option(help="Of each side, at least 20; by default 2000, or what fits --within."),
]
Within = Annotated[
    float,
    typer.Option(metavar="SECONDS", help="Processor time that each referee's runs are to take."),
]
Timeout = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        help="Time after which a run of a referee, or of our own side, is stopped, by the clock.",
    ),
]
When = Annotated[
    str | None,
    typer.Option(
        "--times",
        metavar="START:STOP:STEPS",
        help="Times to compare at: STEPS equal intervals from START to STOP, in the model's unit; "
        "several such grids with commas; by default ten until every reaction has fired several "
        "times, and ten until 300 firings.",
    ),
]
PeersPython = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Python that the referees are installed in, if not this."),
]
Page = Annotated[Path | None, typer.Option("--html", help="Write the report as one page.")]
Out = Annotated[
    Path | None,
    typer.Option(
        help=f"Folder for {PAGE}, {TEXT}, {DATA} and {PICTURE}, with several referees one picture "
        "each, such as overlay_fsp.png; made if not there."
    ),
]


def validate(
    model: opt.Model,
    against: Against = "roadrunner",
    times: When = None,
    trajectories: OfEachSide = None,
    within: Within = 45.0,
    timeout: Timeout = DEFAULT_TIMEOUT,
    seed: opt.Seed = None,
    error: opt.FamilyWiseError = DEFAULT_ERROR,
    peers_python: PeersPython = None,
    plot: opt.Plot = None,
    html: Page = None,
    out: Out = None,
    set_: opt.Parameters = None,
    substance: opt.Substance = None,
    initial: opt.Initial = "strict",
    mass_action: opt.MassAction = "as_written",
    json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> int:
    """Compare ensembles with other simulators, in processes of their own, and exact answers.

    Ends with 1 if one of them disagrees; else with 3 if one of them failed; else with 2 if nothing
    happened by the last time, so that there is no verdict.
    """
    from sbmlgrad.io.files import check_folder, write_atomically
    from sbmlgrad.io.formats import load
    from sbmlgrad.referees import referee
    from sbmlgrad.referees.validate import validate as run

    if peers_python is not None and not peers_python.is_file():
        raise RequestError(f"--peers-python {peers_python}: there is no such file")
    python = None if peers_python is None else str(peers_python)
    judges = [referee(name, python) for name in names_of(against)]
    network = load(model, substance=substance, initial=initial, mass_action=mass_action)
    for file in (plot, html):
        if file is not None:
            check_folder(file.parent)
    if out is not None:
        check_folder(out)
    values = numbers(set_)
    with progress_bar("comparing", quiet or json) as advance:
        report = run(
            network,
            against=judges,
            parameters=values or None,
            times=None if times is None else times_of(times),
            trajectories=trajectories,
            within_s=within,
            timeout_s=timeout,
            seed=seed,
            family_wise_error=error,
            progress=advance,
            plot=plot,
        )
    given = {
        # Those that were chosen are written as the option is.
        "--times": times or report.chosen.partition(", ")[0],
        "--set": set_,
        "--substance": substance,
        "--initial": initial if initial != "strict" else None,
        "--mass-action": mass_action if mass_action != "as_written" else None,
        "--peers-python": python,
        "--timeout": f"{timeout:g}" if timeout != DEFAULT_TIMEOUT else None,
    }
    commands = tuple(_commands(report, model, error, given))
    report = replace(report, commands=commands)
    if html is not None:
        write_atomically(html, report.as_html().encode())
    written = [] if out is None else write_results(report, out)
    if json:
        print_json(report.as_dict())
    elif not quiet:
        print(report)
        if written:
            print("\nwritten: " + ", ".join(map(str, written)))
    if report.disagrees:
        return NO
    if report.failed:
        return FAILED
    return OK if report.agrees else BAD_INPUT


def _commands(
    report: ValidationReport,
    model: Path,
    error: float,
    given: Mapping[str, str | Sequence[str] | None],
) -> Iterator[str]:
    """Yield command lines that repeat the comparisons, one for each number of trajectories.

    Args:
        report: what was found.
        model: its file.
        error: family-wise error of all of them.
        given: option → its value or values.
    """
    options: list[str] = []
    for option, value in given.items():
        for each in [value] if isinstance(value, str) else value or ():
            options += [option, each]
    sizes = {c.ours.trajectories for c in report.comparisons}
    together = ",".join(c.referee for c in report.comparisons)
    # With other numbers each of them is a command of its own, with its share of the error; so it is
    # where one failed, which took a share.
    runs = (
        [(together, sizes.pop(), error)]
        if len(sizes) == 1 and not report.failed
        else [(c.referee, c.ours.trajectories, c.family_wise_error) for c in report.comparisons]
    )
    for names, number, share in runs:
        words = ["sbmlgrad", "validate", str(model), "--against", names, *options]
        words += ["--trajectories", str(number), "--seed", str(report.seed)]
        words += [] if share == DEFAULT_ERROR else ["--error", repr(share)]
        yield shlex.join(words)


def write_results(report: Any, folder: Path) -> list[Path]:
    """Write page, text, data and a picture for each referee; return the files.

    Args:
        report: a `ValidationReport`.
        folder: made if it is not there.
    """
    import json as json_module

    from sbmlgrad.io.files import write_atomically

    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        PAGE: report.as_html(),
        TEXT: f"{report}\n",
        DATA: json_module.dumps(report.as_dict(), indent=1, allow_nan=False) + "\n",
    }
    for name, text in contents.items():
        write_atomically(folder / name, text.encode())
    pictures = report.plot(folder / PICTURE)
    return [*(folder / name for name in contents), *pictures]
