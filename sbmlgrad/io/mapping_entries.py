"""Entries of a mapping file: records → observables, columns and experiments."""

from __future__ import annotations

import math
from types import MappingProxyType

from sbmlgrad.errors import DataError
from sbmlgrad.io.formula_text import formula_of
from sbmlgrad.io.mapping_records import Field, Record
from sbmlgrad.io.tables.cells import parse_number
from sbmlgrad.model.expression import Expression, Number, Symbol, add, multiply
from sbmlgrad.model.labels import suggestion
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.noise import NOISES, Noise
from sbmlgrad.model.problem import Experiment, Observable, Period, why_not_set

#: Keys of an observable.
_KEYS = (
    "observableId",
    "formula",
    "noiseDistribution",
    "noiseFormula",
    "scale",
    "offset",
    "name",
    "unit",
    "column",
)


def observable_of(
    record: Record, network: ReactionNetwork, problems: list[str]
) -> Observable | None:
    """Return the observable of a record, or None for one that only leaves columns out.

    Args:
        record: as read.
        network: the model whose symbols its formulas use.
        problems: added to, each with its place.
    """
    fields = record.fields
    for key in fields.keys() - set(_KEYS):
        close = suggestion(key, _KEYS)
        problems.append(f"{fields[key].where}: {key!r} is not known{close}; use {', '.join(_KEYS)}")
    if "observableId" not in fields:
        if "column" not in fields or fields.keys() & {"formula", "noiseFormula", "scale"}:
            problems.append(f"{record.where}: observableId is missing; name the observable")
        return None
    id = _text(fields["observableId"], problems)
    if not id.isidentifier() or not id.isascii():
        problems.append(
            f"{fields['observableId'].where}: {id!r} is no id; use letters, digits and low lines, "
            "and put the name of the data's column under 'column'"
        )
    if "formula" in fields:
        formula = _formula(fields["formula"], network, problems)
    else:
        formula = Symbol(id)
        if id not in network.by_id:
            problems.append(
                f"{record.where}: observable {id!r} has no formula and is no symbol of model "
                f"'{network.id}'{suggestion(id, network.by_id)}; give its formula"
            )
    if "scale" in fields:
        formula = multiply(_formula(fields["scale"], network, problems), formula)
    if "offset" in fields:
        formula = add(formula, _formula(fields["offset"], network, problems))
    return Observable(
        id=id,
        formula=formula,
        noise=_noise(record, network, problems),
        name=_text(fields["name"], problems) if "name" in fields else "",
        unit=_text(fields["unit"], problems) if "unit" in fields else "",
        base=id,
        is_scaled="scale" in fields,
    )


def _noise(record: Record, network: ReactionNetwork, problems: list[str]) -> Noise:
    fields = record.fields
    distribution = "normal"
    if "noiseDistribution" in fields:
        distribution = _text(fields["noiseDistribution"], problems)
    if distribution not in NOISES:
        where = fields["noiseDistribution"].where
        close = suggestion(distribution, NOISES)
        text = f"{where}: {distribution!r} is unknown{close}; choose one of {', '.join(NOISES)}"
        problems.append(text)
        return Noise()
    wanted = NOISES[distribution].scale
    if wanted and "noiseFormula" not in fields:
        problems.append(
            f"{record.where}: {distribution} noise needs noiseFormula, its {wanted}: a number, a "
            "parameter of the problem or a formula"
        )
    if not wanted and "noiseFormula" in fields:
        where = fields["noiseFormula"].where
        problems.append(f"{where}: {distribution} noise has no noiseFormula; leave it out")
    if not wanted or "noiseFormula" not in fields:
        return Noise(distribution)
    scale = _formula(fields["noiseFormula"], network, problems)
    if isinstance(scale, Number) and not scale.value > 0.0:
        problems.append(
            f"{fields['noiseFormula'].where}: found {scale.value:g}; it must be positive"
        )
    return Noise(distribution, scale)


def columns_of(record: Record, id: str | None, problems: list[str]) -> list[str]:
    """Return the columns of the data that a record names; the observable's id if it names none."""
    field = record.fields.get("column")
    if field is None:
        return [] if id is None else [id]
    if isinstance(field.value, list):
        return [_text(Field(value, field.where), problems) for value in field.value]
    return [" ".join(c.split()) for c in _text(field, problems).split(";") if c.strip()]


def experiment_of(
    record: Record, network: ReactionNetwork, problems: list[str], file: str
) -> Experiment:
    """Return the experiment of a record.

    Args:
        record: as read.
        network: the model whose symbols it sets.
        problems: added to, each with its place.
        file: name of the mapping file.
    """
    where = f"{file}, {record.where}"
    fields = dict(record.fields)
    # A table without a value in the first column still has the row of a condition.
    id = _text(fields.pop("conditionId"), problems) if "conditionId" in fields else ""
    name = _text(fields.pop("name"), problems) if "name" in fields else ""
    if "values" in fields:
        inner = fields.pop("values")
        if isinstance(inner.value, dict):
            fields |= {
                str(key): Field(value, f"{inner.where}, {key!r}")
                for key, value in inner.value.items()
            }
        else:
            problems.append(f"{inner.where}: symbols and their values are expected")
    values: dict[str, Expression] = {}
    for symbol, field in fields.items():
        reason = why_not_set(network, symbol)
        if reason:
            problems.append(
                f"{field.where}: it sets {symbol!r}, {reason}; a condition sets parameters, "
                "species or compartments"
            )
            continue
        values[symbol] = _formula(field, network, problems)
    return Experiment(id, (Period(0.0, MappingProxyType(values)),), name, where)


def _text(field: Field, problems: list[str]) -> str:
    value = field.value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        problems.append(f"{field.where}: found {value!r}; a text is expected, perhaps in quotes")
        return ""
    return " ".join(str(value).split())


def _formula(field: Field, network: ReactionNetwork, problems: list[str]) -> Expression:
    value = field.value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        problems.append(f"{field.where}: found {value!r}; a number or a formula is expected")
        return Number(1.0)
    number = parse_number(value)
    try:
        # A negative number would be an operator applied to a number.
        formula = formula_of(number if isinstance(number, float) else value, network.by_id)
    except DataError as error:
        problems.append(f"{field.where}: {error}")
        return Number(1.0)
    if isinstance(formula, Number) and not math.isfinite(formula.value):
        problems.append(f"{field.where}: found {value!r}; a finite number is expected")
    return formula
