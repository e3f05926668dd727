"""The parts of a problem as tables of text, in the columns of PEtab 2.

Columns that PEtab does not know (`parameterScale`, `baseObservableId`, units, names, priors in the
words of version 1) hold what it cannot say; other tools ignore them.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sbmlgrad.errors import WriteError
from sbmlgrad.io.petab.formula_text import petab_text
from sbmlgrad.io.petab.priors import OBJECTIVE, START, arguments_text, of_value, version_1_cells
from sbmlgrad.io.petab.written_names import Names
from sbmlgrad.model.expression import Expression, Number, Symbol
from sbmlgrad.model.problem import Experiment, Observable, Period, Problem, ProblemParameter

#: One row: column → text.
Cells = Mapping[str, str]

_NOISES = ("normal", "laplace", "log-normal", "log-laplace")


def table_bytes(rows: Sequence[Cells], columns: Sequence[str] = ()) -> bytes:
    """Return a table as tab-separated UTF-8 text; columns that are empty everywhere are left out.

    Args:
        rows: the rows.
        columns: those that are written in any case, in this order, before others.
    """
    found = dict.fromkeys((*columns, *(c for row in rows for c, text in row.items() if text)))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(found)
    writer.writerows([row.get(column, "") for column in found] for row in rows)
    return text.getvalue().encode()


def number(value: float) -> str:
    """Return a number with every bit, whole ones without a point; empty where it is infinite."""
    if math.isinf(value):
        return ""
    return repr(int(value)) if value == int(value) and abs(value) < 2**53 else bits(value)


def bits(value: float) -> str:
    """Return a number with every bit; those of NumPy print with their type otherwise."""
    return repr(float(value))


def parameter_table(problem: Problem, names: Names) -> list[Cells]:
    """Return the parameter table.

    Raises:
        WriteError: a prior that PEtab 2 has no word for.
    """
    return [_parameter(p, names) for p in problem.parameters]


def _parameter(p: ProblemParameter, names: Names) -> Cells:
    cells = {
        "parameterId": names.own.get(p.id, p.id),
        "lowerBound": _bound(p, p.lower),
        "upperBound": _bound(p, p.upper),
        "nominalValue": bits(p.nominal),
        "estimate": "true" if p.is_estimated else "false",
        "parameterScale": p.scale,
        "parameterName": p.name,
        "parameterUnit": p.unit,
        "parameterSymbol": names.model.get(p.id, p.id) if p.id in names.set_by_conditions else "",
    }
    try:
        return cells | _prior_cells(p)
    except WriteError as error:
        raise WriteError(f"parameter {p.id!r}: {error}") from None


def _prior_cells(p: ProblemParameter) -> dict[str, str]:
    cells: dict[str, str] = {}
    if p.prior is not None:
        prior = of_value(p.prior, p.scale)
        cells |= {"priorDistribution": prior.distribution, "priorParameters": arguments_text(prior)}
        if p.prior.on_scale:
            cells |= version_1_cells(p.prior, OBJECTIVE)
    if p.start_prior is not None:
        # Refused for what has no word in either version.
        of_value(p.start_prior, p.scale)
        cells |= version_1_cells(p.start_prior, START) or {
            "startPriorDistribution": p.start_prior.distribution,
            "startPriorParameters": arguments_text(p.start_prior),
        }
    return cells


def _bound(p: ProblemParameter, value: float) -> str:
    if math.isfinite(value):
        return bits(value)
    return str(float(value)) if p.is_estimated else ""


def observable_table(problem: Problem, names: Names) -> list[Cells]:
    """Return the observable table; every variant is an observable.

    Raises:
        WriteError: formulas or noise that PEtab has no word for.
    """
    return [_observable(o, names) for o in problem.observables]


def _observable(o: Observable, names: Names) -> Cells:
    written = names.observables[o.id]
    if o.noise.distribution not in _NOISES:
        raise WriteError(
            f"observable {o.id!r}: PEtab has no {o.noise.distribution} noise; it has "
            f"{', '.join(_NOISES)}"
        )
    return {
        "observableId": written,
        "observableName": o.name,
        "observableFormula": petab_text(o.formula, names.model),
        "noiseFormula": petab_text(o.noise.scale, names.model),
        "noiseDistribution": o.noise.distribution,
        "baseObservableId": "" if o.base in ("", o.id) else o.base,
        "observableUnit": o.unit,
        "observableSymbol": "" if written == o.id else o.id,
    }


def condition_tables(problem: Problem, names: Names) -> tuple[list[Cells], list[Cells]]:
    """Return the condition table and the experiment table.

    Equal periods share a condition. A label that is no id stays as a name. An experiment without an
    id says that the model is taken as it is, which needs no row.

    Raises:
        WriteError: an experiment that sets something needs an id and has none.
    """
    conditions: dict[tuple[tuple[str, str], ...], str] = {}
    changes: list[Cells] = []
    rows: list[Cells] = []
    for experiment in problem.experiments:
        if not experiment.id:
            _refuse_values(experiment, names)
            continue
        id = names.experiments[experiment.id]
        label = experiment.id if experiment.id != id else ""
        for place, period in enumerate(experiment.periods):
            values = _values(period, names, is_first=place == 0)
            if values and values not in conditions:
                conditions[values] = f"condition_{len(conditions) + 1}"
                changes += [
                    {"conditionId": conditions[values], "targetId": t, "targetValue": v}
                    for t, v in values
                ]
            rows.append(
                {
                    "experimentId": id,
                    "time": str(period.start) if math.isinf(period.start) else number(period.start),
                    "conditionId": conditions.get(values, ""),
                    "experimentName": experiment.name or label,
                }
            )
    return changes, rows


def _values(period: Period, names: Names, *, is_first: bool) -> tuple[tuple[str, str], ...]:
    """Return what a period sets, in words; first of all parameters that other conditions set."""
    values = dict(period.values)
    if is_first:
        values |= {id: Symbol(id) for id in names.set_by_conditions if id not in values}
    return tuple((names.model.get(t, t), _value(f, names)) for t, f in values.items())


def _value(formula: Expression, names: Names) -> str:
    if isinstance(formula, Number):
        return bits(formula.value)
    return petab_text(formula, names.model | names.own)


def _refuse_values(experiment: Experiment, names: Names) -> None:
    periods = experiment.periods
    if len(periods) != 1 or periods[0].values or periods[0].start != 0.0:
        raise WriteError("an experiment without an id sets values or has several periods; name it")
    if names.set_by_conditions:
        raise WriteError(
            f"an experiment without an id takes {names.set_by_conditions[0]!r} as estimated, and "
            "others set it, which PEtab says with a condition for each; name it"
        )


def measurement_table(
    problem: Problem, names: Names, values: Any, column: str = "measurement"
) -> list[Cells]:
    """Return the measurement table, or one of predictions.

    Args:
        problem: the problem.
        names: what ids are in PEtab.
        values: float64 [measurement].
        column: what they are called.
    """
    m = problem.measurements
    datasets = problem.settings.get("datasets") or ("",) * len(m)
    assert isinstance(datasets, tuple)
    columns = zip(
        (names.observables[m.observables[i]] for i in m.observable_index),
        (names.experiments[condition] for condition in m.condition),
        m.time.tolist(),
        [float(value) for value in values],
        m.replicate,
        datasets,
        strict=True,
    )
    return [
        {
            "observableId": observable,
            "experimentId": experiment,
            "time": number(time),
            column: bits(value),
            "replicateId": replicate,
            "datasetId": dataset,
        }
        for observable, experiment, time, value, replicate, dataset in columns
    ]
