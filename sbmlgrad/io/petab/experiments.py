"""Conditions and experiments: what was done to the system, and when."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from sbmlgrad.io.petab.rows import Row, distinct
from sbmlgrad.model.expression import Expression, Number, Symbol, symbols
from sbmlgrad.model.labels import suggestion
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.problem import Experiment, Period, ProblemParameter, why_not_set

#: Columns of a version 1 condition table that are no targets.
_NO_TARGETS = ("conditionId", "conditionName")

#: Target → formula and the row it stands in.
Changes = Mapping[str, tuple[Expression, Row]]


def changes_of_version_1(rows: Sequence[Row], network: ReactionNetwork) -> dict[str, Changes]:
    """Return condition id → what it sets, of a table with one column a target.

    Empty cells and `NaN` set nothing.
    """
    distinct(rows, "conditionId")
    result: dict[str, Changes] = {}
    for row in rows:
        changes = {}
        for column, text in row.cells.items():
            if column in _NO_TARGETS or not column or text.lower() == "nan":
                continue
            formula = row.formula_of(column, text)
            _check_target(row, column, column, network)
            if formula is not None:
                changes[column] = (formula, row)
        result[row.identifier("conditionId")] = changes
    return result


def changes_of_version_2(
    rows: Sequence[Row], network: ReactionNetwork, names: Mapping[str, str]
) -> dict[str, Changes]:
    """Return condition id → what it sets, of a table with one row a target."""
    result: dict[str, dict[str, tuple[Expression, Row]]] = {}
    for row in rows:
        changes = result.setdefault(row.identifier("conditionId"), {})
        written = row.identifier("targetId")
        target = names.get(written, written)
        if target in changes:
            row.fault("targetId", f"the condition sets {target!r} twice; keep one")
        formula = row.formula("targetValue", names)
        if target and formula is not None:
            _check_target(row, "targetId", target, network)
            changes[target] = (formula, row)
    return dict(result)


def _check_target(row: Row, column: str, target: str, network: ReactionNetwork) -> None:
    reason = why_not_set(network, target)
    if reason:
        row.fault(column, f"it sets {target!r}, {reason}")


def experiments_of_version_1(
    pairs: Iterable[tuple[str, str]],
    conditions: Mapping[str, Changes],
    labels: Mapping[str, str],
    network: ReactionNetwork,
    own: Mapping[str, ProblemParameter],
) -> tuple[Experiment, ...]:
    """Return an experiment for each pair of conditions that measurements name.

    Args:
        pairs: (condition of pre-equilibration or empty, condition of the simulation).
        conditions: condition id → what it sets.
        labels: condition id → its name.
        network: the model.
        own: parameters of the problem.
    """
    result = []
    for before, main in pairs:
        periods = [Period(0.0, _formulas(conditions.get(main, {})))]
        if before:
            values = dict(_formulas(conditions.get(before, {})))
            kept = _back_to_the_model(values, periods[0].values, network, own)
            periods = [
                Period(-math.inf, MappingProxyType(values)),
                Period(0.0, MappingProxyType({**kept, **periods[0].values})),
            ]
        where = _places([conditions.get(id, {}) for id in (before, main)])
        label = labels.get(main, "")
        result.append(Experiment(experiment_id(before, main), tuple(periods), label, where))
    return tuple(result)


def experiment_id(before: str, main: str) -> str:
    """Return the id of the experiment that a pair of version 1 conditions makes."""
    return f"{before}__{main}" if before else main


def _back_to_the_model(
    before: Mapping[str, Expression],
    after: Mapping[str, Expression],
    network: ReactionNetwork,
    own: Mapping[str, ProblemParameter],
) -> dict[str, Expression]:
    """Return parameters that only pre-equilibration sets, at the values they have otherwise.

    In version 1 each condition says on its own what parameters are; species keep what they reached.
    """
    values = dict(zip(network.parameter_ids, network.parameter_values.tolist(), strict=True))
    targets = [t for t in before if t not in after and t in values]
    return {t: Symbol(t) if t in own else Number(values[t]) for t in targets}


def experiments_of_version_2(
    rows: Sequence[Row], conditions: Mapping[str, Changes]
) -> tuple[Experiment, ...]:
    """Return the experiments of a version 2 table: one row a time and condition."""
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row.identifier("experimentId"), []).append(row)
    return tuple(_experiment(id, own, conditions) for id, own in grouped.items())


def _experiment(id: str, rows: Sequence[Row], conditions: Mapping[str, Changes]) -> Experiment:
    periods: dict[float, dict[str, Expression]] = {}
    for row in rows:
        start = row.number_in("time")
        if start == math.inf:
            row.fault("time", "a period cannot begin at infinity")
        values = periods.setdefault(start, {})
        condition = row.text("conditionId")
        if condition and condition not in conditions:
            near = suggestion(condition, conditions)
            row.fault("conditionId", f"there is no condition {condition!r}{near}")
        for target, formula in _formulas(conditions.get(condition, {})).items():
            if target in values:
                row.fault("conditionId", f"two conditions at time {start} set {target!r}")
            values[target] = formula
    if -math.inf in periods and len(periods) == 1:
        rows[0].fault("time", f"experiment {id!r} ends with its pre-equilibration; add a period")
    # What a parameter is anyway need not be said, but later it may undo an earlier period.
    if periods:
        first = periods[min(periods)]
        periods[min(periods)] = {t: f for t, f in first.items() if f != Symbol(t)}
    ordered = tuple(Period(t, MappingProxyType(periods[t])) for t in sorted(periods))
    name = next((row.text("experimentName") for row in rows if row.text("experimentName")), "")
    where = _places([conditions.get(row.text("conditionId"), {}) for row in rows])
    return Experiment(id, ordered, name, where)


def _places(changes: Iterable[Changes]) -> str:
    """Return the rows that conditions stand in, in words."""
    numbers: dict[str, set[int]] = {}
    for one in changes:
        for _, row in one.values():
            numbers.setdefault(row.file, set()).add(row.number)
    return "; ".join(
        f"{file}, row{'s' * (len(found) > 1)} {', '.join(map(str, sorted(found)))}"
        for file, found in numbers.items()
    )


def _formulas(changes: Changes) -> Mapping[str, Expression]:
    return MappingProxyType({target: formula for target, (formula, _) in changes.items()})


def check_values(conditions: Mapping[str, Changes], own: Mapping[str, ProblemParameter]) -> None:
    """Note a fault for every value of a condition that uses anything but problem parameters."""
    for changes in conditions.values():
        for target, (formula, row) in changes.items():
            column = target if target in row.cells else "targetValue"
            for symbol in sorted(symbols(formula) - own.keys()):
                near = suggestion(symbol, own)
                row.fault(column, f"it uses {symbol!r}, which is no parameter of the problem{near}")
