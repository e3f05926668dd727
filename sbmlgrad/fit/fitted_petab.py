"""What was fitted, as a PEtab problem with the predictions of the fit and how to plot them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from sbmlgrad.errors import WriteError
from sbmlgrad.fit.result import FitResult
from sbmlgrad.io.files import write_atomically
from sbmlgrad.io.petab import petab_files, simulation_bytes, with_visualization
from sbmlgrad.io.petab.simulations import SIMULATIONS
from sbmlgrad.io.petab.visualizations import TABLE
from sbmlgrad.io.petab.write import MODEL, TABLES, YAML

#: Folder of the results that holds the problem.
FOLDER = "petab"

#: File that every fit leaves in its results.
STORED = "fit.nc"

#: Files that an earlier fit may have left there.
_OURS = (YAML, MODEL, *TABLES, SIMULATIONS, TABLE)


def fitted_petab(result: FitResult) -> dict[str, bytes]:
    """Return name → bytes of the files of the problem that was fitted, the YAML file last.

    The problem is the one that the fit was given: its nominal values are where the fit started, and
    its model is the original. `simulations.tsv` holds the predictions of the fitted model, where
    the objective compares predictions. A visualisation table is made unless the problem has one.

    Args:
        result: the fit.

    Raises:
        WriteError: something that PEtab cannot say.
    """
    problem = with_visualization(result.problem)
    files = petab_files(problem)
    if result.predictions is None:
        return files
    document = files.pop(YAML)
    simulated = simulation_bytes(problem, result.predictions.mean)
    return {**files, SIMULATIONS: simulated, YAML: document}


def petab_refusal(result: FitResult) -> str:
    """Return why PEtab cannot say the problem that was fitted; empty where it can."""
    try:
        fitted_petab(result)
    except WriteError as error:
        return str(error)
    return ""


def check_petab_folder(folder: Path, inputs: Iterable[Path] = ()) -> None:
    """Refuse a folder whose PEtab problem is no result of a fit, and would be overwritten.

    Args:
        folder: of the results.
        inputs: files that the fit reads, where they are known.

    Raises:
        WriteError: there is such a problem, or an input lies where the results would be.
    """
    target = folder / FOLDER
    for path in inputs:
        if target.resolve() in path.resolve().parents:
            raise WriteError(
                f"{path}: lies in '{target}', where the results would hold a PEtab problem of "
                "their own; choose another folder for them"
            )
    if (target / YAML).exists() and not (folder / STORED).exists():
        raise WriteError(
            f"{target / YAML}: is there already and comes from no fit, since there is no {STORED} "
            f"in '{folder}'; results would overwrite it, so choose another folder for them"
        )


def write_fitted_petab(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files of a problem; those of an earlier fit that are not among them are removed.

    Args:
        files: as `fitted_petab` returns them; none where PEtab cannot say the problem.
        folder: of the results.

    Raises:
        WriteError: the folder cannot be made or written.
    """
    target = folder / FOLDER
    try:
        if files:
            target.mkdir(exist_ok=True)
        # The YAML file goes first and comes last: a problem is there only while it is whole.
        for name in _OURS:
            (target / name).unlink(missing_ok=True)
        if not files and target.is_dir() and not any(target.iterdir()):
            target.rmdir()
    except OSError as error:
        raise WriteError(f"{target}: cannot be made a folder of PEtab files: {error}") from error
    for name, data in files.items():
        write_atomically(target / name, data)
