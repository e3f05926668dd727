"""`sbmlgrad fit --omex`: everything of a fit in one COMBINE archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


def check_archive(path: Path, writing: Mapping[str, Any]) -> None:
    """Raise a `WriteError` for an archive that could not be written after the fit.

    Args:
        path: of the archive.
        writing: arguments of `save`.
    """
    from sbmlgrad.errors import WriteError
    from sbmlgrad.io.files import check_folder

    if path.suffix.lower() != ".omex":
        raise WriteError(f"{path}: a COMBINE archive is called .omex; rename it")
    if not path.parent.is_dir():
        raise WriteError(f"{path}: there is no folder '{path.parent}'; make it first")
    if writing.get("level") == 1:
        raise WriteError(
            f"{path}, --level 1: the archive holds a simulation in SED-ML, which refers to "
            "elements by their ids, and SBML has ids from level 2 on; choose --level 2 or 3, or "
            "leave out --omex"
        )
    check_folder(path.parent)
    if path.exists() and not _is_of_fit(path):
        raise WriteError(
            f"{path}: is there already and no fit has packed it; the archive would replace it, so "
            "choose another name, or move it away"
        )


def _is_of_fit(path: Path) -> bool:
    """Tell whether a file is an archive that a fit wrote."""
    import zipfile

    from sbmlgrad.io.calibration_archive import MODEL, ORIGINAL, PROVENANCE, SIMULATION

    try:
        with zipfile.ZipFile(path) as archive:
            return {MODEL, ORIGINAL, PROVENANCE, SIMULATION} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def check_simulation(problem: Any, method: str, writing: Mapping[str, Any]) -> None:
    """Raise what making the archive's simulation would raise after the fit.

    Args:
        problem: what is to be fitted.
        method: ssa or ode.
        writing: arguments of `save`.

    Raises:
        RequestError: SED-ML cannot say it, such as a model of level 1 that is not converted.
    """
    from sbmlgrad.errors import RequestError
    from sbmlgrad.io.sbml.writer import write_sbml
    from sbmlgrad.io.sedml import sedml_document

    document = write_sbml(problem.network, **writing)
    curves, course = _simulation(problem, method)
    given = {"constants": _constants(problem, {}), "experiments": problem.experiments}
    try:
        sedml_document(problem.network, document, curves, course, **given)
    except RequestError as error:
        raise RequestError(
            f"--omex: the simulation in the archive cannot be written: {error} (--level 3 "
            "converts one); or leave out --omex"
        ) from error


def data_entries(paths: Iterable[Path | None]) -> tuple[Any, ...]:
    """Return the files that a fit was given beside the model, as entries of the folder `data`.

    Their bytes are those on the disk, also where reading unpacks them, and their names those that
    were given, also of links.

    Args:
        paths: of the files; those that are None were not given. Files of one name are kept apart by
            a number.

    Raises:
        UnreadableFileError: one of them cannot be read.
    """
    from sbmlgrad.io.omex import Entry

    given: dict[Path, Path] = {}
    for path in paths:
        if path is not None:
            given.setdefault(path.resolve(), path)
    entries: dict[str, Any] = {}
    for path in given.values():
        place, number = f"data/{path.name}", 1
        while place in entries:
            number += 1
            place = f"data/{number}/{path.name}"
        entries[place] = Entry(place, _on_disk(path))
    return tuple(entries.values())


def _on_disk(path: Path) -> bytes:
    from sbmlgrad.errors import UnreadableFileError
    from sbmlgrad.io.files import MAX_BYTES

    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise UnreadableFileError(
                f"file '{path}' cannot be packed: it holds {size} bytes, and {MAX_BYTES} is the "
                "most; leave out --omex"
            )
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(
            f"file '{path}' cannot be packed: {error}; check the name and the disk"
        ) from error


def problem_files(problem: Path) -> tuple[Path, ...]:
    """Return every file that a PEtab problem names."""
    from sbmlgrad.io.petab.config import document_files, read_config

    return document_files(read_config(problem))


def measurement_files(problem: Path) -> tuple[Path, ...]:
    """Return the tables of measurements that a PEtab problem names."""
    from sbmlgrad.io.petab.config import read_config

    return read_config(problem).measurements


def write_fit_archive(
    result: Any, files: Sequence[Path], path: Path, data: tuple[Any, ...]
) -> None:
    """Pack model, original, simulation, provenance, data, PEtab problem and results.

    Args:
        result: of the fit.
        files: its results, as `write_results` returns them. What else lies beside them, such as an
            earlier archive, is not of this fit.
        path: of the archive.
        data: as `data_entries` returns them.
    """
    from sbmlgrad.fit.fitted_petab import FOLDER
    from sbmlgrad.io.calibration_archive import (
        calibration_description,
        calibration_entries,
        petab_entries,
    )
    from sbmlgrad.io.omex import Entry, write_archive

    method = "ode" if result.is_deterministic else "ssa"
    curves, course = _simulation(result.problem, method)
    written = {file.name: file.read_bytes() for file in files if file.name != FOLDER}
    results = [Entry(f"results/{name}", contents) for name, contents in written.items()]
    entries = calibration_entries(
        result.model,
        written["calibrated.xml"],
        curves,
        course,
        constants=_constants(result.problem, result.values),
        experiments=result.problem.experiments,
        files=[*data, *petab_entries(_petab(result)), *results],
    )
    name = result.model.name or result.model.id
    write_archive(path, entries, calibration_description(name, result.model.provenance))


def _petab(result: Any) -> dict[str, bytes]:
    """Return the files of the problem; none where PEtab cannot say it, which `fit` tells."""
    from sbmlgrad.errors import WriteError
    from sbmlgrad.fit.fitted_petab import fitted_petab

    try:
        return fitted_petab(result)
    except WriteError:
        return {}


def _simulation(problem: Any, method: str) -> tuple[list[Any], Any]:
    """Return what to plot of a problem, and what to simulate for it."""
    from sbmlgrad.fit.outcome import observed_pairs
    from sbmlgrad.io.sedml import Curve, TimeCourse

    used = {id for _, id in observed_pairs(problem)}
    curves = [Curve(o.id, o.formula, o.name) for o in problem.observables if o.id in used]
    ends = [
        float(data.time.max())
        for data in (problem.measurements, problem.snapshots)
        if data is not None and len(data.time)
    ]
    return curves, TimeCourse(
        max(ends, default=1.0), methods=("ode" if method == "ode" else "ssa",)
    )


def _constants(problem: Any, values: Mapping[str, float]) -> dict[str, float]:
    """Return the values of what observables use beside the model."""
    own = set(problem.network.parameter_ids)
    nominal = {p.id: p.nominal for p in problem.parameters}
    return {id: value for id, value in {**nominal, **values}.items() if id not in own}
