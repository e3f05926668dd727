"""`sbmlgrad report`: the results folder of a fit that was saved, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sbmlgrad.cli import options as opt
from sbmlgrad.cli.exit import OK
from sbmlgrad.cli.support import print_json, tell_without_petab

File = Annotated[
    Path, typer.Argument(help="Result of a fit: fit.nc of a results folder, or as saved.")
]


def report(
    fit: File,
    out: opt.Folder,
    dry_run: opt.DryRun = False,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> int:
    """Write report, table, plots, model and PEtab problem of a fit that was saved; fits nothing."""
    from sbmlgrad.fit.report import summary, write_results
    from sbmlgrad.fit.storage.result_file import load_result
    from sbmlgrad.io.files import check_folder

    result = load_result(fit)
    check_folder(out)
    files = () if dry_run else write_results(result, out)
    if not quiet:
        tell_without_petab(result)
    if json:
        print_json({**summary(result), "files": [str(f) for f in files]})
    elif not quiet:
        print(result)
        told = ", ".join(map(str, files))
        print(f"would write results to {out}" if dry_run else f"written: {told}")
    return OK
