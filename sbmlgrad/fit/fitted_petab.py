"""What was fitted, as a PEtab problem with the predictions of the fit and how to plot them."""

from __future__ import annotations

import hashlib
import os
import re
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

#: Files that a fit may leave there; visualisation tables of a problem have names of their own.
_NAMES = (YAML, MODEL, *TABLES, SIMULATIONS, TABLE)

#: First line of our YAML file. Below it stands every file with its hash, so that one that somebody
#: changed, or put there, is told from what a fit left. A comment is not read into a problem, which
#: would carry the mark to folders that no fit wrote.
_MARK = b"# results of a fit by sbmlgrad; the next fit replaces them as long as they are so:\n"
_LISTED = re.compile(rb"# ([0-9a-f]{64}) ([^\n]+)\n")


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


def check_petab_folder(
    folder: Path, inputs: Iterable[Path] = (), names: Iterable[str] = ()
) -> None:
    """Refuse a folder in which results would replace PEtab files that no fit left there.

    Args:
        folder: of the results.
        inputs: files that the fit reads, where they are known.
        names: of files that will be written besides the usual ones.

    Raises:
        WriteError: there is such a file, one of a fit was changed since, or an input lies where the
            results would be.
    """
    target = folder / FOLDER
    for path in inputs:
        if target.resolve() in path.resolve().parents:
            raise WriteError(
                f"{path}: lies in '{target}', where the results would hold a PEtab problem of "
                "their own; choose another folder for them"
            )
    if os.path.lexists(target) and not target.is_dir():
        raise WriteError(
            f"{target}: is no folder, and the results would hold a folder of this name; choose "
            "another folder for them"
        )
    ours = _unchanged(target)
    for name in dict.fromkeys((*_NAMES, *names)):
        if os.path.lexists(target / name) and name not in ours:
            raise WriteError(
                f"{target / name}: is there already and is not as a fit left it; results would "
                "overwrite it, so choose another folder for them, or move it away"
            )


def write_fitted_petab(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files of a problem; those of an earlier fit that are not among them are removed.

    Args:
        files: as `fitted_petab` returns them; none where PEtab cannot say the problem.
        folder: of the results.

    Raises:
        WriteError: as `check_petab_folder`, or the folder cannot be made or written.
    """
    target = folder / FOLDER
    check_petab_folder(folder, names=files)
    marked = _marked(files)
    earlier = _unchanged(target)
    if marked and earlier.keys() == marked.keys() and marked[YAML] == _bytes(target / YAML):
        return
    try:
        if files:
            target.mkdir(exist_ok=True)
        if files or earlier:
            # Old and new files are known to be ours, whichever of them a cut leaves; and a problem
            # is there only while it is whole.
            both = [*earlier.items(), *((name, _hash(data)) for name, data in files.items())]
            write_atomically(target / YAML, _head(both))
        for name in earlier.keys() - files.keys() - {YAML}:
            (target / name).unlink()
        if not files and earlier:
            (target / YAML).unlink()
        if not files and target.is_dir() and not any(target.iterdir()):
            target.rmdir()
    except OSError as error:
        raise WriteError(f"{target}: cannot be made a folder of PEtab files: {error}") from error
    for name in sorted(marked, key=lambda name: name == YAML):
        write_atomically(target / name, marked[name])


def _head(listed: Iterable[tuple[str, str]]) -> bytes:
    """Return the head of the YAML file, given names and hashes."""
    lines = [f"# {code} {name}\n".encode() for name, code in dict.fromkeys(listed)]
    return b"".join([_MARK, *lines])


def _marked(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files with a list of them at the head of the YAML file."""
    if not files:
        return {}
    head = _head((name, _hash(data)) for name, data in files.items())
    return {**files, YAML: head + files[YAML]}


def _unchanged(target: Path) -> dict[str, str]:
    """Return name → hash of the files that a fit left in a folder and nobody changed since."""
    document = _bytes(target / YAML)
    if document is None or not document.startswith(_MARK):
        return {}
    # Of a fit that was cut while it replaced another's files, either hash will do.
    listed: dict[str, set[str]] = {}
    end = len(_MARK)
    while found := _LISTED.match(document, end):
        listed.setdefault(found[2].decode(errors="replace"), set()).add(found[1].decode())
        end = found.end()
    body = document[end:]
    contents = {
        name: body if name == YAML else _bytes(target / name)
        for name in listed
        # A path would lead out of the folder.
        if Path(name).name == name
    }
    codes = {name: _hash(data) for name, data in contents.items() if data is not None}
    ours = {name: code for name, code in codes.items() if code in listed[name]}
    # A list alone is what a fit leaves that is cut.
    return ours if body else {**ours, YAML: _hash(body)}


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:  # what cannot be read is not known to be ours
        return None


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
