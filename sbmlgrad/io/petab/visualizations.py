"""The table that tells PEtab's plotting what to draw: one plot for each observable, made here.

Its columns are those of the PEtab specification (https://petab.readthedocs.io, visualisation
table). The YAML file of version 2 has no place for the table, so that our extension names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from sbmlgrad.io.petab.load import DATASETS, VISUALIZATION
from sbmlgrad.io.petab.tables import Cells, table_bytes
from sbmlgrad.io.petab.written_names import Names, written_names
from sbmlgrad.model.noise import NOISES
from sbmlgrad.model.problem import Observable, Problem

#: Name of the table that is made.
TABLE = "visualization.tsv"

_COLUMNS = (
    "plotId",
    "plotName",
    "plotTypeSimulation",
    "plotTypeData",
    "datasetId",
    "xValues",
    "xLabel",
    "yValues",
    "yLabel",
    "yScale",
    "legendEntry",
)


def with_visualization(problem: Problem) -> Problem:
    """Return a problem that says how to plot it; use it before writing results as PEtab.

    Every observable gets a plot of its values over time, with one line for each experiment in which
    it was measured. Variants of an observable share its plot. PEtab finds the points of a line by
    their data set, so measurements that are in none are put into one.

    Args:
        problem: what is to be written; one with visualisation tables of its own comes back as it
            is.

    Returns:
        The problem with `settings["visualization"]` and `settings["datasets"]`.

    Raises:
        WriteError: ids that PEtab cannot have.
    """
    if problem.settings.get(VISUALIZATION) or not len(problem.measurements):
        return problem
    names = written_names(problem)
    datasets = _datasets(problem, names)
    text = table_bytes(_rows(problem, names, datasets), _COLUMNS).decode()
    made: dict[str, object] = {VISUALIZATION: MappingProxyType({TABLE: text}), DATASETS: datasets}
    return replace(problem, settings=MappingProxyType({**problem.settings, **made}))


def _datasets(problem: Problem, names: Names) -> tuple[str, ...]:
    """Return the data set of each measurement; those given stay."""
    m = problem.measurements
    given = _given(problem)
    taken = {*given, ""}
    made: dict[tuple[int, str], str] = {}
    result = []
    for place, experiment, own in zip(m.observable_index.tolist(), m.condition, given, strict=True):
        if not own and (place, experiment) not in made:
            observable = names.observables[m.observables[place]]
            written = names.experiments[experiment]
            id = f"{observable}_{written}" if experiment else observable
            made[place, experiment] = _free(id, taken)
            taken.add(made[place, experiment])
        result.append(own or made[place, experiment])
    return tuple(result)


def _given(problem: Problem) -> tuple[str, ...]:
    given = problem.settings.get(DATASETS) or ("",) * len(problem.measurements)
    assert isinstance(given, tuple)
    return given


def _free(id: str, taken: Iterable[str]) -> str:
    while id in taken:
        id += "_"
    return id


def _rows(problem: Problem, names: Names, datasets: tuple[str, ...]) -> list[Cells]:
    """Return a row for each line; those of a plot follow each other, in order of observables."""
    m = problem.measurements
    lines: dict[tuple[str, str], list[str]] = {}
    for place, experiment, dataset in zip(
        m.observable_index.tolist(), m.condition, datasets, strict=True
    ):
        experiments = lines.setdefault((m.observables[place], dataset), [])
        if experiment not in experiments:
            experiments.append(experiment)
    bases = list(dict.fromkeys(o.base or o.id for o in problem.observables))
    ordered = sorted(lines, key=lambda line: bases.index(_base(problem.observable[line[0]])))
    return [
        _row(problem, names, problem.observable[id], dataset, lines[id, dataset])
        for id, dataset in ordered
    ]


def _base(observable: Observable) -> str:
    return observable.base or observable.id


def _row(
    problem: Problem,
    names: Names,
    observable: Observable,
    dataset: str,
    experiments: list[str],
) -> Mapping[str, str]:
    base = _base(observable)
    first = problem.observable.get(base, observable)
    name = first.name or observable.name or base
    is_logarithmic = NOISES[observable.noise.distribution].is_positive
    time_unit = problem.measurements.time_unit
    titles = [problem.experiment[id].name or id for id in experiments]
    return {
        "plotId": f"plot_{names.observables.get(base, base)}",
        "plotName": name,
        "plotTypeSimulation": "LinePlot",
        "plotTypeData": "MeanAndSD",
        "datasetId": dataset,
        "xValues": "time",
        "xLabel": f"time [{time_unit}]" if time_unit else "time",
        "yValues": names.observables[observable.id],
        "yLabel": f"{name} [{observable.unit}]" if observable.unit else name,
        "yScale": "log10" if is_logarithmic else "lin",
        "legendEntry": ", ".join(title for title in titles if title) or name,
    }
