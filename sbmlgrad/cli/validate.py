"""`sbmlgrad validate`: does anyone else find the same, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sbmlgrad.cli import options as opt
from sbmlgrad.cli.exit import NO, OK
from sbmlgrad.cli.support import names_of, numbers, print_json, progress_bar, times_of
from sbmlgrad.errors import RequestError

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
    typer.Option(min=2, help="Trajectories of each side; by default 2000, or what fits --within."),
]
Within = Annotated[
    float,
    typer.Option(metavar="SECONDS", help="Processor time that each referee's runs are to take."),
]
Timeout = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", help="Time after which a run of a referee is stopped, by the clock."
    ),
]
PeersPython = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Python that the referees are installed in, if not this."),
]
Page = Annotated[Path | None, typer.Option("--html", help="Write the report as one page.")]
Out = Annotated[
    Path | None,
    typer.Option(help=f"Folder for {PAGE}, {TEXT}, {DATA} and {PICTURE}; made if not there."),
]


def validate(
    model: opt.Model,
    against: Against = "roadrunner",
    times: opt.Times = "0:10:10",
    trajectories: OfEachSide = None,
    within: Within = 45.0,
    timeout: Timeout = 600.0,
    seed: opt.Seed = None,
    error: opt.FamilyWiseError = 1e-3,
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

    Ends with 1 if one of them disagrees.
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
    with progress_bar("comparing", quiet or json) as advance:
        report = run(
            network,
            against=judges,
            parameters=numbers(set_) or None,
            times=times_of(times),
            trajectories=trajectories,
            within_s=within,
            timeout_s=timeout,
            seed=seed,
            family_wise_error=error,
            progress=advance,
            plot=plot,
        )
    if html is not None:
        write_atomically(html, report.as_html().encode())
    written = [] if out is None else write_results(report, out)
    if json:
        print_json(report.as_dict())
    elif not quiet:
        print(report)
        if written:
            print("\nwritten: " + ", ".join(map(str, written)))
    return OK if report.agrees else NO


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
