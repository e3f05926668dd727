"""`sbmlgrad gradcheck`: which gradient estimator to trust, from the command line."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from sbmlgrad.cli import options as opt
from sbmlgrad.cli.exit import OK
from sbmlgrad.cli.support import names_of, numbers, print_json, progress_bar, times_of
from sbmlgrad.errors import RequestError

#: Files that are written into the folder.
TABLE, GRADIENTS, PICTURE = "gradcheck.tsv", "gradients.tsv", "gradcheck.png"

Of = Annotated[
    str | None, typer.Option("--of", metavar="ID,ID", help="Species; all that change by default.")
]
StatisticText = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Of counts: mean, variance, or probability:LOW:HIGH, with one end left out if open.",
    ),
]
Windows = Annotated[
    bool,
    typer.Option(
        "--windows",
        help="Averages between the times instead of values at them, which StraightThrough needs.",
    ),
]
Free = Annotated[
    str | None,
    typer.Option(metavar="ID,ID", help="Parameters; all that a kinetic law uses by default."),
]
Total = Annotated[
    int, typer.Option(min=40, help="Trajectories that each estimator gets, a multiple of 20.")
]
Intended = Annotated[
    int | None,
    typer.Option(min=1, help="Trajectories of a gradient as you will use it; default: as many."),
]
Temperatures = Annotated[
    str, typer.Option(metavar="T,T", help="Temperatures of StraightThrough to compare.")
]


def gradcheck(
    model: opt.Model,
    times: opt.Times,
    out: opt.Folder,
    of: Of = None,
    statistic: StatisticText = "mean",
    windows: Windows = False,
    free: Free = None,
    trajectories: Total = 10_000,
    intended: Intended = None,
    temperatures: Temperatures = "0,0.1,0.3,1",
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
    """Compare gradient estimators on a model with the truth, and recommend one.

    Writes a table, every gradient and a picture into the folder.
    """
    from sbmlgrad.engines.native import Native
    from sbmlgrad.engines.readouts import ValuesAt, WindowAverages
    from sbmlgrad.gradients.check.run import check_gradient, plan
    from sbmlgrad.io.files import check_folder
    from sbmlgrad.io.formats import load

    network = load(model, substance=substance, initial=initial, mass_action=mass_action)
    check_folder(out)
    options: dict[str, Any] = {
        "readout": (WindowAverages if windows else ValuesAt)(times_of(times)),
        "parameters": numbers(set_) or None,
        "of": names_of(of) if of is not None else None,
        "statistic": statistic_of(statistic),
        "free": names_of(free) if free is not None else None,
        "trajectories": trajectories,
        "temperatures": temperatures_of(temperatures),
    }
    if dry_run:
        _say(plan(network, **options), json, quiet)
        return OK
    with progress_bar("checking gradients", quiet or json) as advance:
        found = check_gradient(
            network,
            **options,
            intended=intended,
            seed=seed,
            engine=Native(threads=threads),
            progress=advance,
        )
    files = write_results(found, out)
    if json:
        print_json({**facts(found), "files": [str(file) for file in files]})
    elif not quiet:
        print(found)
        print("\nwritten: " + ", ".join(str(file) for file in files))
    return OK


def statistic_of(text: str) -> Any:
    """Return the statistic that an option means, as `check_gradient` takes it.

    Raises:
        RequestError: it means none.
    """
    kind, *ends = text.split(":")
    if kind in ("mean", "variance") and not ends:
        return kind
    try:
        if kind == "probability" and len(ends) == 2 and any(ends):
            low, high = (float(end) if end else None for end in ends)
            return ("probability", low, high)
    except ValueError:
        pass
    raise RequestError(
        f"--statistic {text}: write mean, variance or probability:LOW:HIGH, for instance "
        "probability:10: for ten or more"
    )


def temperatures_of(text: str) -> list[float]:
    """Return the temperatures that an option means.

    Raises:
        RequestError: one of them is no number.
    """
    try:
        return [float(name) for name in names_of(text)]
    except ValueError:
        raise RequestError(
            f"--temperatures {text}: write numbers with commas between, for instance 0,0.1,1"
        ) from None


def write_results(check: Any, folder: Path) -> list[Path]:
    """Write table, gradients and picture of a check; return the files.

    Args:
        check: a `GradientCheck`.
        folder: made if it is not there.
    """
    from sbmlgrad.io.files import write_atomically
    from sbmlgrad.pages.figure import png_bytes

    data = {
        TABLE: check.to_dataframe().to_csv(sep="\t", index=False).encode(),
        GRADIENTS: check.gradients().to_csv(sep="\t", index=False).encode(),
        PICTURE: png_bytes(check.plot()),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in data.items():
        write_atomically(folder / name, content)
    return [folder / name for name in data]


def facts(check: Any) -> dict[str, Any]:
    """Return a check as plain data, without gradients; numbers that are missing are None."""
    rows = check.to_dataframe().to_dict(orient="records")
    for row in rows:
        row |= {k: None for k, v in row.items() if isinstance(v, float) and not math.isfinite(v)}
    best = check.ranking[0].row.name if check.ranking else None
    return {
        "model": check.model,
        "statistic": check.statistic,
        "targets": list(check.targets),
        "free": list(check.free),
        "trajectories": check.trajectories,
        "intended": check.intended,
        "seed": check.seed,
        "reference": check.reference.words,
        "recommended": best,
        "recommendation": check.recommendation,
        "weak_spots": list(check.weak_spots),
        "why_no_sweep": check.why_no_sweep,
        "estimators": rows,
    }


def _say(planned: dict[str, Any], json: bool, quiet: bool) -> None:
    if json:
        print_json(planned)
    elif not quiet:
        print(f"would check gradients of '{planned.pop('model')}':")
        for key, value in planned.items():
            print(f"  {key}: {', '.join(value) if isinstance(value, list) else value}")
