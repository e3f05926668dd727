"""`load_petab`: the files of a PEtab problem → a `Problem`."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from sbmlgrad.errors import DataError, RequestError
from sbmlgrad.io.files import read_bytes
from sbmlgrad.io.formats import load
from sbmlgrad.io.petab import experiments as of_experiments
from sbmlgrad.io.petab import measurements as of_measurements
from sbmlgrad.io.petab import observables as of_observables
from sbmlgrad.io.petab import parameters as of_parameters
from sbmlgrad.io.petab.config import TIME_UNIT, Files, document_files, read_config
from sbmlgrad.io.petab.experiments import Changes
from sbmlgrad.io.petab.rows import Faults, Row, read_rows
from sbmlgrad.model.expression import TIME, symbols
from sbmlgrad.model.labels import suggestion
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.problem import Experiment, Problem, ProblemParameter

#: Names under which `Problem.settings` keeps what plots need: the text of each visualisation table
#: by its name, and the data set of each measurement.
VISUALIZATION, DATASETS = "visualization", "datasets"


class _Tables(NamedTuple):
    """Rows of every table of a problem."""

    parameters: list[Row]
    conditions: list[Row]
    experiments: list[Row]
    measurements: list[Row]
    observables: list[Row]
    mappings: list[Row]


def load_petab(
    path: str | Path,
    *,
    substance: str | None = None,
    initial: str | None = None,
    mass_action: str | None = None,
) -> Problem:
    """Load a calibration problem in the format PEtab, version 1 or 2.

    Observables whose scaling or noise parameters differ between measurements become variants, one
    for each set (`Observable.base` is the id in the file). A transformation to logarithms with
    normal or Laplace noise becomes log-normal or log-Laplace noise of the value itself. Conditions
    become experiments; pre-equilibration is a period from minus infinity on.

    Args:
        path: the YAML file of the problem.
        substance: as for `load`.
        initial: as for `load`; None means what the files say (our own can), else `"strict"`.
        mass_action: likewise, else `"as_written"`.

    Returns:
        The problem. `settings` holds what the files say of how to solve it, the text of
        visualisation tables (`visualization`) and the data set of each measurement (`datasets`).

    Raises:
        DataError: files that cannot be read or mean something that a `Problem` cannot; every fault
            with its file, row and column.
        UnreadableFileError, UnsupportedModelError: the YAML file or the model cannot be read.
        FitError: parameters or bounds that contradict each other.
    """
    if not isinstance(path, str | Path):
        raise RequestError(f"load_petab({path!r}): give the path of the problem's .yaml file")
    files = read_config(path)
    faults = Faults()
    for missing in (p for p in document_files(files) if not p.is_file()):
        faults.add(f"{missing.name}: there is no such file beside {files.yaml.name}")
    faults.refuse(str(path))
    tables = _tables(files, faults)
    # Without a column or a table everything else would be wrong too.
    faults.refuse(str(path))
    network = load(
        files.model,
        substance=substance,
        initial=initial or str(files.extension.get("initial", "strict")),
        mass_action=mass_action or str(files.extension.get("mass_action", "as_written")),
    )
    return _problem(files, tables, network, faults)


def _tables(files: Files, faults: Faults) -> _Tables:
    version = files.version
    observables = of_observables.REQUIRED
    condition = ("conditionId",) if version == 1 else ("conditionId", "targetId", "targetValue")

    def rows(paths: Sequence[Path], required: Collection[str]) -> list[Row]:
        return [row for path in paths for row in read_rows(path, required, faults)]

    return _Tables(
        parameters=rows(files.parameters, of_parameters.REQUIRED[version]),
        conditions=rows(files.conditions, condition),
        experiments=rows(files.experiments, ("experimentId", "time", "conditionId")),
        measurements=rows(files.measurements, of_measurements.REQUIRED[version]),
        observables=rows(files.observables, observables),
        mappings=rows(files.mappings, ("petabEntityId", "modelEntityId")),
    )


def _problem(files: Files, tables: _Tables, network: ReactionNetwork, faults: Faults) -> Problem:
    names = _names(tables.mappings, network)
    # Our own files call a parameter otherwise where conditions set the symbol of the model.
    symbols_of_model = {
        row.text("parameterId"): row.text("parameterSymbol") for row in tables.parameters
    }
    names |= {id: names.get(symbol, symbol) for id, symbol in symbols_of_model.items() if symbol}
    parameters = of_parameters.parameters_of(tables.parameters, files.version, names)
    conditions = _conditions(files.version, tables.conditions, network, names)
    parameters += _of_the_model(network, parameters, conditions)
    own = {p.id: p for p in parameters}
    known: dict[str, Any] = {**network.by_id, **own, TIME.id: TIME}
    of_experiments.check_values(conditions, _with_rows(tables.parameters, own))
    templates = of_observables.templates_of(tables.observables, files.version, names)
    for template in templates.values():
        of_observables.check_symbols(template, known | dict.fromkeys(_ids(tables.parameters)))
    measured = of_measurements.measured_of(
        tables.measurements,
        templates,
        known | dict.fromkeys(_ids(tables.parameters)),
        names,
        version=files.version,
        source_name=files.measurements[0].name if files.measurements else files.yaml.name,
        sha256=_hash(files.measurements),
        time_unit=str(files.extension.get(TIME_UNIT, "")),
    )
    if measured is None:
        faults.add(f"{files.yaml.name}: there is no measurement that can be used")
        raise faults.error(str(files.yaml))
    experiments = _experiments(
        files, tables, network, own, conditions, measured.pairs, measured.measurements.condition
    )
    faults.refuse(str(files.yaml))
    settings = files.settings
    if files.visualizations:
        settings[VISUALIZATION] = MappingProxyType(
            {p.name: _text(p, files.yaml) for p in files.visualizations}
        )
    if measured.datasets:
        settings[DATASETS] = measured.datasets
    return Problem(
        network=network,
        observables=measured.observables,
        measurements=measured.measurements,
        parameters=parameters,
        experiments=experiments,
        name=files.name,
        settings=MappingProxyType(settings),
    )


def _names(rows: Sequence[Row], network: ReactionNetwork) -> dict[str, str]:
    """Return PEtab id → id in the model, of the mapping table."""
    result = {}
    for row in rows:
        written, meant = row.identifier("petabEntityId"), row.text("modelEntityId")
        if not meant:
            continue
        if meant not in network.by_id:
            near = suggestion(meant, network.by_id)
            row.fault("modelEntityId", f"model '{network.id}' has no {meant!r}{near}")
        if written != meant:
            result[written] = meant
    return result


def _conditions(
    version: int, rows: Sequence[Row], network: ReactionNetwork, names: Mapping[str, str]
) -> dict[str, Changes]:
    if version == 1:
        return of_experiments.changes_of_version_1(rows, network)
    return of_experiments.changes_of_version_2(rows, network, names)


def _of_the_model(
    network: ReactionNetwork,
    parameters: Sequence[ProblemParameter],
    conditions: Mapping[str, Changes],
) -> tuple[ProblemParameter, ...]:
    """Return parameters of the model that conditions use as values, fixed at what they are.

    Those with an initial assignment may depend on estimated ones, and are left to be refused.
    """
    own = {p.id for p in parameters}
    used = {
        symbol: None
        for changes in conditions.values()
        for formula, _ in changes.values()
        for symbol in sorted(symbols(formula))
    }
    values = dict(zip(network.parameter_ids, network.parameter_values.tolist(), strict=True))
    return tuple(
        ProblemParameter(id, values[id], scale="lin", is_estimated=False)
        for id in used
        if id in values and id not in own and id not in network.initial_assignments
    )


def _ids(rows: Sequence[Row]) -> list[str]:
    return [row.text("parameterId") for row in rows]


def _with_rows(
    rows: Sequence[Row], own: Mapping[str, ProblemParameter]
) -> dict[str, ProblemParameter]:
    """Return the parameters together with rows that have faults of their own, noted already."""
    placeholder = ProblemParameter("", 1.0)
    return {**dict.fromkeys(_ids(rows), placeholder), **own}


def _experiments(
    files: Files,
    tables: _Tables,
    network: ReactionNetwork,
    own: Mapping[str, ProblemParameter],
    conditions: Mapping[str, Changes],
    pairs: Sequence[tuple[str, str]],
    used: Sequence[str],
) -> tuple[Experiment, ...]:
    columns = ("preequilibrationConditionId", "simulationConditionId")
    if files.version == 1:
        for row in tables.measurements:
            for column in columns:
                id = row.text(column)
                if id and id not in conditions:
                    near = suggestion(id, conditions)
                    row.fault(column, f"there is no condition {id!r}{near}")
        labels = {r.text("conditionId"): r.text("conditionName") for r in tables.conditions}
        return of_experiments.experiments_of_version_1(pairs, conditions, labels, network, own)
    found = of_experiments.experiments_of_version_2(tables.experiments, conditions)
    ids = {e.id: e for e in found}
    for row in tables.measurements:
        id = row.text("experimentId")
        if id and id not in ids:
            row.fault("experimentId", f"there is no experiment {id!r}{suggestion(id, ids)}")
        elif id and row.text("time"):
            first = next((p.start for p in ids[id].periods if p.start != float("-inf")), 0.0)
            if row.number_in("time") < first:
                row.fault("time", f"experiment {id!r} begins at {first} only")
    return (*found, *([Experiment("")] if "" in used else []))


def _text(path: Path, yaml: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{yaml.name}: {path.name} is no UTF-8 text; save it as UTF-8") from None


def _hash(paths: Sequence[Path]) -> str:
    """Return the SHA-256 of the measurement files, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(read_bytes(path))
    return digest.hexdigest()
