"""The measurement table: what was seen when, under what, of which variant of an observable."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sbmlgrad.io.petab.experiments import experiment_id
from sbmlgrad.io.petab.observables import (
    Overrides,
    Template,
    check_override_symbols,
    overrides_of,
    variants_of,
)
from sbmlgrad.io.petab.rows import Row
from sbmlgrad.model.labels import suggestion
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.problem import Observable

#: Columns that must be there, by version.
REQUIRED: Mapping[int, tuple[str, ...]] = {
    1: ("observableId", "simulationConditionId", "measurement", "time"),
    2: ("observableId", "measurement", "time"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a measurement table comes to.

    Attributes:
        measurements: with ids of variants as observables.
        observables: variants, in the order of the observable table.
        pairs: version 1: (condition of pre-equilibration, condition), in order of occurrence.
        datasets: label [measurement] for plots; empty where the table has none.
    """

    measurements: Measurements
    observables: tuple[Observable, ...]
    pairs: tuple[tuple[str, str], ...]
    datasets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Point:
    time: float
    value: float
    observable: str
    overrides: Overrides
    experiment: str
    replicate: str
    dataset: str


def measured_of(
    rows: Sequence[Row],
    templates: Mapping[str, Template],
    known: Mapping[str, object],
    names: Mapping[str, str],
    *,
    version: int,
    source_name: str,
    sha256: str,
    time_unit: str,
) -> Measured | None:
    """Return the measurements of a problem, None if no row can be used.

    Rows that agree in observable, time, experiment and `replicateId` are numbered as replicates.

    Args:
        rows: of the measurement table.
        templates: observable id → observable.
        known: everything that a formula may name.
        names: PEtab id → id in the model, where they differ.
        version: of PEtab.
        source_name: name to report.
        sha256: hash to report.
        time_unit: to report.
    """
    points = [_point(row, templates, known, names, version) for row in rows]
    usable = [point for point in points if point is not None]
    if not usable:
        return None
    variants = variants_of(templates, ((p.observable, p.overrides) for p in usable))
    ids = [variants[p.observable, p.overrides].id for p in usable]
    replicates = _numbered(usable, ids)
    measured = tuple(dict.fromkeys(o.id for o in variants.values() if o.id in set(ids)))
    position = {id: i for i, id in enumerate(measured)}
    # The record sorts itself; data sets are brought into its order by giving them to it as labels.
    units = {o.id: o.unit for o in variants.values()}
    measurements = Measurements(
        observables=measured,
        time=np.array([p.time for p in usable]),
        observable_index=np.array([position[id] for id in ids], dtype=np.int64),
        value=np.array([p.value for p in usable]),
        replicate=replicates,
        condition=tuple(p.experiment for p in usable),
        source_name=source_name,
        sha256=sha256,
        time_unit=time_unit,
        units=tuple(units[id] for id in measured),
    )
    return Measured(
        measurements,
        tuple(variants.values()),
        _pairs(rows) if version == 1 else (),
        _datasets(usable, ids, replicates, measurements),
    )


def _point(
    row: Row,
    templates: Mapping[str, Template],
    known: Mapping[str, object],
    names: Mapping[str, str],
    version: int,
) -> _Point | None:
    before = len(row.faults.found)
    id = row.required("observableId")
    if id and id not in templates:
        near = suggestion(id, templates)
        row.fault("observableId", f"there is no observable {id!r} in the observable table{near}")
    time, value = row.number_in("time"), row.number_in("measurement")
    if time == math.inf:
        row.fault("time", "a measurement of the steady state (inf) is not supported; give a time")
    elif time < 0.0:
        row.fault("time", f"{time} is before the start; shift the clock so that times are >= 0")
    if math.isinf(value):
        row.fault("measurement", f"{value} is no measurement")
    if version == 2 and row.text("modelId"):
        row.faults.add(f"{row.file}: column modelId: a problem has one model; leave it out")
    if len(row.faults.found) > before:
        return None
    overrides = overrides_of(row, templates[id], names)
    if overrides is None:
        return None
    check_override_symbols(row, overrides, known)
    if version == 1:
        main = row.required("simulationConditionId")
        experiment = experiment_id(row.text("preequilibrationConditionId"), main)
    else:
        experiment = row.text("experimentId")
    label = row.text("replicateId")
    return _Point(time, value, id, overrides, experiment, label, row.text("datasetId"))


def _pairs(rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    columns = ("preequilibrationConditionId", "simulationConditionId")
    return tuple(dict.fromkeys((row.text(columns[0]), row.text(columns[1])) for row in rows))


def _numbered(points: Sequence[_Point], ids: Sequence[str]) -> tuple[str, ...]:
    """Return labels of replicates; those that are used again get a number."""
    seen: Counter[tuple[str, float, str, str]] = Counter()
    result = []
    for point, id in zip(points, ids, strict=True):
        key = (id, point.time, point.experiment, point.replicate)
        seen[key] += 1
        if seen[key] == 1 and point.replicate:
            result.append(point.replicate)
        else:
            result.append(f"{point.replicate}#{seen[key]}" if point.replicate else f"{seen[key]}")
    return tuple(result)


def _datasets(
    points: Sequence[_Point],
    ids: Sequence[str],
    replicates: Sequence[str],
    measurements: Measurements,
) -> tuple[str, ...]:
    """Return the data set of each measurement, in the order in which the record keeps them."""
    if not any(point.dataset for point in points):
        return ()
    by_key = {
        (id, point.time, point.experiment, replicate): point.dataset
        for point, id, replicate in zip(points, ids, replicates, strict=True)
    }
    m = measurements
    names = [m.observables[i] for i in m.observable_index]
    keys = zip(names, m.time.tolist(), m.condition, m.replicate, strict=True)
    return tuple(by_key[key] for key in keys)
