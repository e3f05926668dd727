"""The results folder of a fit: calibrated model, table, plots, everything in one file, report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sbmlgrad.errors import WriteError
from sbmlgrad.fit.fitted_petab import (
    FOLDER,
    STORED,
    check_petab_folder,
    fitted_petab,
    write_fitted_petab,
)
from sbmlgrad.fit.pictures.plots import plot_fit, plot_history
from sbmlgrad.fit.report.earlier import RECORD, check_earlier
from sbmlgrad.fit.report.page import report_html
from sbmlgrad.fit.result import FitResult
from sbmlgrad.fit.storage.result_file import result_bytes
from sbmlgrad.io.files import write_atomically
from sbmlgrad.io.petab.load import VISUALIZATION
from sbmlgrad.io.sbml.writer import write_sbml
from sbmlgrad.model.problem import Problem
from sbmlgrad.pages.figure import png_bytes

#: What is in the folder; `fit.png` where there are curves, and the folder `petab` where PEtab can
#: say the problem. The record is written first, the others in this order.
FILES = (
    "calibrated.xml",
    "parameters.tsv",
    "fit.png",
    "history.png",
    RECORD,
    STORED,
    "report.html",
    FOLDER,
)


def check_results_folder(
    folder: Path, inputs: Iterable[Path], problem: Problem, others: Iterable[str] = ()
) -> None:
    """Refuse a folder in which results would replace what is not theirs; use it before the fit.

    Args:
        folder: of the results.
        inputs: files that the fit reads; all are there.
        problem: what is to be fitted.
        others: names of further files that will be written.

    Raises:
        WriteError: an input has the place of a result, there is a file of that name in a folder
            that no fit has written, or as `check_petab_folder`.
    """
    given = tuple(inputs)
    for name in FILES:
        place = folder / name
        for path in given if place.exists() else ():
            if place.samefile(path):
                raise WriteError(
                    f"{path}: is read for the fit, and its results would replace it by a file "
                    f"called {name}; choose another folder for them"
                )
    drawings = problem.settings.get(VISUALIZATION, {})
    assert isinstance(drawings, Mapping)
    check_petab_folder(folder, given, names=drawings)
    check_earlier(folder, (*(name for name in FILES if name != FOLDER), *others))


def write_results(
    result: FitResult,
    folder: str | Path,
    *,
    distrib: bool = True,
    level: int | None = None,
    version: int | None = None,
) -> tuple[Path, ...]:
    """Write everything about a fit into one folder, each file complete or not at all.

    The folder in it, `petab`, holds the problem that was fitted, its predictions and how to plot
    them (`fit.fitted_petab`); it is left out where PEtab cannot say the problem, and
    `petab_refusal` says why.

    Args:
        result: the fit.
        folder: created if it does not exist; files of an earlier fit are replaced.
        distrib: whether the calibrated model has the distrib package, as for `save`.
        level: of its SBML.
        version: likewise.

    Returns:
        The files written, and the folder `petab` as one of them.

    Raises:
        WriteError: the folder cannot be made or written, the result cannot be stored, or there are
            files already that no fit left there.
    """
    target = Path(folder)
    check_earlier(target, (name for name in FILES if name != FOLDER))
    # First, as these may refuse, so that a refusal leaves no folder behind.
    table = result.parameter_table().to_csv(sep="\t", index=False, lineterminator="\n")
    calibrated = write_sbml(result.model, distrib=distrib, level=level, version=version)
    contents: dict[str, bytes] = {FILES[0]: calibrated}
    contents |= {"parameters.tsv": table.encode(), STORED: result_bytes(result)}
    if result.curves:
        contents["fit.png"] = png_bytes(plot_fit(result))
    contents["history.png"] = png_bytes(plot_history(result))
    contents[RECORD] = provenance_json(result).encode()
    contents["report.html"] = report_html(result).encode()
    try:
        petab = fitted_petab(result)
    except WriteError:
        petab = {}
    check_petab_folder(target, names=petab)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{target}: cannot be made a folder: {error}") from error
    # The record first, so that a fit that is cut here has left a folder that the next may fill.
    for name in (RECORD, *(name for name in FILES if name in contents and name != RECORD)):
        write_atomically(target / name, contents[name])
    write_fitted_petab(petab, target)
    there = {*contents, *([FOLDER] if petab else [])}
    return tuple(target / name for name in FILES if name in there)


def summary(result: FitResult) -> dict[str, Any]:
    """Return the result as plain data, for `--json` and `provenance.json`."""
    provenance = result.model.provenance
    assert provenance is not None
    said: dict[str, Any] = {
        "model": result.model.id,
        "values": dict(result.values),
        "start": dict(zip(result.free.ids, result.free.start.tolist(), strict=True)),
        "at_bounds": list(result.at_bounds),
        "loss": result.loss,
        "loss_standard_error": result.loss_standard_error,
        "start_loss": result.start_loss,
        "epochs": len(result.loss_history),
        "trajectories_per_epoch": result.trajectories_history.tolist(),
        "objective": result.objective,
        "end": result.reason,
        "seed": result.seed,
        "estimator": result.estimator,
        "optimizer": result.optimizer,
        "engine": result.engine,
        "interrupted": result.interrupted,
        "out_of_time": result.is_late,
        "arguments": dict(result.arguments),
        "assumptions": list(result.assumptions),
        "data": {"name": provenance.data_name, "sha256": provenance.data_sha256},
        "software": dict(provenance.software),
        "finished": provenance.finished,
    }
    if result.uncertainty is not None:
        said["uncertainty"] = _uncertainty(result)
    return said


def _uncertainty(result: FitResult) -> dict[str, Any]:
    found = result.uncertainty
    assert found is not None
    return {
        "method": found.method,
        "level": found.level,
        "kind": found.kind,
        "parameters": {
            id: {
                "standard_error": e.standard_error,
                "interval": _ends(e.interval),
                "flags": list(found.parameter_flags.get(id, ())),
            }
            for id, e in found.estimates.items()
        },
        "flags": list(found.flags),
    }


def _ends(interval: tuple[float, float] | None) -> list[float | None] | None:
    """Return the limits; None stands for one that is infinite, which JSON cannot say."""
    if interval is None:
        return None
    return [end if abs(end) != float("inf") else None for end in interval]


def provenance_json(result: FitResult) -> str:
    """Return how the result came about as JSON text."""
    return json.dumps(summary(result), indent=2) + "\n"
