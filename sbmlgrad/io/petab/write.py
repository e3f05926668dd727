"""`write_petab`: a `Problem` → the files of a PEtab 2 problem."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sbmlgrad.errors import RequestError, WriteError
from sbmlgrad.io.files import check_folder, write_atomically
from sbmlgrad.io.petab.config import (
    EXTENSION,
    EXTENSION_VERSION,
    NAME,
    RESERVED,
    TIME_UNIT,
)
from sbmlgrad.io.petab.config import VISUALIZATION as VISUALIZATION_FILES
from sbmlgrad.io.petab.load import DATASETS, VISUALIZATION
from sbmlgrad.io.petab.rows import is_identifier
from sbmlgrad.io.petab.simulations import SIMULATIONS
from sbmlgrad.io.petab.tables import (
    condition_tables,
    measurement_table,
    observable_table,
    parameter_table,
    table_bytes,
)
from sbmlgrad.io.petab.written_names import written_names
from sbmlgrad.model.problem import Problem

#: Names of the files of a problem; `YAML` is the one to open.
YAML, MODEL = "problem.yaml", "model.xml"
TABLES = {
    "parameters.tsv": ("parameterId", "lowerBound", "upperBound", "nominalValue", "estimate"),
    "observables.tsv": ("observableId", "observableFormula", "noiseFormula"),
    "measurements.tsv": ("observableId", "experimentId", "measurement", "time"),
    "conditions.tsv": ("conditionId", "targetId", "targetValue"),
    "experiments.tsv": ("experimentId", "time", "conditionId"),
    "mapping.tsv": ("petabEntityId", "modelEntityId"),
}


def write_petab(problem: Problem, folder: str | Path) -> Path:
    """Write a calibration problem as a folder of PEtab 2 files, which `load_petab` reads back.

    Variants of observables become observables; one that is called like a symbol of the model gets
    `observed_` before its id, because PEtab wants them apart. Ids of experiments that PEtab cannot
    have, such as `low dose`, become ids, and stay as names. How to solve the problem (`settings`:
    trajectories, seed, estimator, objective) goes into an extension named `sbmlgrad` that is not
    required, so that other tools can read the problem without it; they see the deterministic one.

    Args:
        problem: what to write.
        folder: where; it is made if it is not there. Files of an earlier problem are replaced.

    Returns:
        Path of the YAML file, `problem.yaml`.

    Raises:
        WriteError: something that PEtab cannot say (noise of counts, some functions, snapshots, no
            measurements at all, observables or parameters whose ids PEtab cannot have), or a folder
            that cannot be written; every file is made up before the first is written.
    """
    if not isinstance(problem, Problem):
        raise RequestError(f"write_petab({type(problem).__name__}): pass a Problem")
    where = Path(folder)
    files = petab_files(problem)
    check_folder(where)
    where.mkdir(parents=True, exist_ok=True)
    # The YAML file comes last, so that a problem is there only once it is whole.
    for name, data in files.items():
        write_atomically(where / name, data)
    return where / YAML


def petab_files(problem: Problem) -> dict[str, bytes]:
    """Return name → bytes of the files of a problem, the YAML file last; writes nothing.

    Args:
        problem: what to write.

    Raises:
        WriteError: something that PEtab cannot say.
    """
    from sbmlgrad.io.sbml.writer import write_sbml

    if problem.snapshots is not None:
        raise WriteError(
            "snapshots of single cells cannot be written: PEtab has no table for distributions"
        )
    if not len(problem.measurements):
        raise WriteError(
            f"problem '{problem.name or problem.network.id}' has no measurements, and a PEtab "
            "problem is made of them; add measurements, or keep it in another form"
        )
    names = written_names(problem)
    conditions, experiments = condition_tables(problem, names)
    rows = {
        "parameters.tsv": parameter_table(problem, names),
        "observables.tsv": observable_table(problem, names),
        "measurements.tsv": measurement_table(problem, names, problem.measurements.value),
        "conditions.tsv": conditions,
        "experiments.tsv": experiments,
        "mapping.tsv": [
            {"petabEntityId": written, "modelEntityId": id} for id, written in names.model.items()
        ],
    }
    tables = {name: table_bytes(r, TABLES[name]) for name, r in rows.items() if r}
    drawings = _visualizations(problem)
    taken = sorted(drawings.keys() & {*TABLES, YAML, MODEL, SIMULATIONS})
    if taken:
        raise WriteError(
            f"visualisation table {taken[0]!r} has the name of another file; rename it"
        )
    document = _document(problem, tables, tuple(drawings))
    return {MODEL: write_sbml(problem.network), **tables, **drawings, YAML: _yaml(document)}


def _document(
    problem: Problem, tables: Mapping[str, bytes], drawings: tuple[str, ...]
) -> dict[str, Any]:
    def listed(name: str) -> list[str]:
        return [name] if name in tables else []

    model_id = problem.network.id if is_identifier(problem.network.id) else "model"
    document: dict[str, Any] = {"format_version": "2.0.0"}
    if is_identifier(problem.name):
        document["id"] = problem.name
    return document | {
        "model_files": {model_id: {"location": MODEL, "language": "sbml"}},
        "parameter_files": listed("parameters.tsv"),
        "observable_files": listed("observables.tsv"),
        "measurement_files": listed("measurements.tsv"),
        "condition_files": listed("conditions.tsv"),
        "experiment_files": listed("experiments.tsv"),
        "mapping_files": listed("mapping.tsv"),
        "extensions": {EXTENSION: _extension(problem, drawings)},
    }


def _extension(problem: Problem, drawings: tuple[str, ...]) -> dict[str, Any]:
    """Return what our extension says: settings, and what PEtab has no place for."""
    own: dict[str, Any] = {"version": EXTENSION_VERSION, "required": False}
    for name, value in problem.settings.items():
        if name in (VISUALIZATION, DATASETS):
            continue
        if name in RESERVED or not re.fullmatch(r"\w+", name):
            raise WriteError(f"setting {name!r} cannot be written; use another name")
        own[name] = _plain(name, value)
    network = problem.network
    if network.initial != "strict":
        own["initial"] = network.initial
    if network.mass_action != "as_written":
        own["mass_action"] = network.mass_action
    if problem.measurements.time_unit:
        own[TIME_UNIT] = problem.measurements.time_unit
    if problem.name and not is_identifier(problem.name):
        own[NAME] = problem.name
    if drawings:
        own[VISUALIZATION_FILES] = list(drawings)
    return own


def _plain(name: str, value: object) -> object:
    """Return a setting as YAML can hold it: text, numbers, truth values, lists of them."""
    item = getattr(value, "item", None)
    if item is not None and getattr(value, "shape", None) == ():
        value = item()
    if isinstance(value, list | tuple):
        return [_plain(name, one) for one in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise WriteError(f"setting {name!r} = {value!r} cannot be written; use text or numbers")


def _visualizations(problem: Problem) -> dict[str, bytes]:
    kept = problem.settings.get(VISUALIZATION, {})
    assert isinstance(kept, Mapping)
    return {name: text.encode() for name, text in kept.items()}


def _yaml(document: Mapping[str, Any]) -> bytes:
    import yaml

    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True).encode()
