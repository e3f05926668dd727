"""Observables: formulas with placeholders, and one variant for each set of what fills them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sbmlgrad.io.petab.rows import Row, distinct
from sbmlgrad.model.expression import (
    TIME,
    Expression,
    Number,
    multiply,
    substitute,
    symbols,
)
from sbmlgrad.model.labels import suggestion
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.problem import Observable

#: Columns that must be there, in both versions.
REQUIRED = ("observableId", "observableFormula", "noiseFormula")

_TRANSFORMATIONS = ("lin", "log", "log10")
_VERSION_1 = ("normal", "laplace")
_VERSION_2 = ("normal", "laplace", "log-normal", "log-laplace")

#: Values that measurements give for placeholders: of the observable, and of its noise.
Overrides = tuple[tuple[Expression, ...], tuple[Expression, ...]]
NO_OVERRIDES: Overrides = ((), ())

#: Columns of the two parts of `Overrides`, in the measurement table.
COLUMNS = ("observableParameters", "noiseParameters")


@dataclass(frozen=True, slots=True)
class Template:
    """An observable whose placeholders are not yet filled.

    Attributes:
        observable: with formulas as written.
        placeholders: of the observable and of its noise, in the order of what fills them.
        row: where it stands.
    """

    observable: Observable
    placeholders: tuple[tuple[str, ...], tuple[str, ...]]
    row: Row


def templates_of(
    rows: Sequence[Row], version: int, names: Mapping[str, str]
) -> dict[str, Template]:
    """Return observable id → template, in the order of the table.

    Args:
        rows: of the observable table.
        version: of PEtab.
        names: PEtab id → id in the model, where they differ.
    """
    distinct(rows, "observableId")
    found = (_template(row, version, names) for row in rows)
    return {t.row.text("observableId"): t for t in found if t is not None}


def _template(row: Row, version: int, names: Mapping[str, str]) -> Template | None:
    id = row.identifier("observableId")
    formula = row.formula("observableFormula", names)
    scale = row.formula("noiseFormula", names)
    distribution, factor = _distribution(row, version)
    if formula is None or scale is None or not id:
        return None
    # The formula may name its own observable in its noise, as in a relative error.
    scale = substitute(scale, {id: formula})
    if version == 1:
        placeholders = (
            _numbered("observableParameter", id, symbols(formula)),
            _numbered("noiseParameter", id, symbols(scale)),
        )
    else:
        placeholders = (row.parts("observablePlaceholders"), row.parts("noisePlaceholders"))
    observable = Observable(
        # Our own files cannot call an observable what a symbol of the model is called.
        id=row.text("observableSymbol") or id,
        formula=formula,
        noise=Noise(distribution, scale if factor == 1.0 else multiply(scale, Number(factor))),
        name=row.text("observableName"),
        unit=row.text("observableUnit"),
        base=row.text("baseObservableId") or row.text("observableSymbol") or id,
    )
    return Template(observable, placeholders, row)


def _distribution(row: Row, version: int) -> tuple[str, float]:
    """Return the distribution on the natural scale and a factor for its scale.

    If log10 of a value is normal with standard deviation s, its natural logarithm is normal with
    s ln(10); the densities of the value itself are the same.
    """
    if version == 2:
        return row.choice("noiseDistribution", _VERSION_2, "normal"), 1.0
    distribution = row.choice("noiseDistribution", _VERSION_1, "normal")
    transformation = row.choice("observableTransformation", _TRANSFORMATIONS, "lin")
    if transformation == "lin":
        return distribution, 1.0
    return f"log-{distribution}", math.log(10.0) if transformation == "log10" else 1.0


def _numbered(kind: str, id: str, used: Iterable[str]) -> tuple[str, ...]:
    """Return placeholders of version 1, whose names end in the id, in the order of their number."""
    pattern = re.compile(rf"{kind}([1-9][0-9]*)_{re.escape(id)}")
    numbers = [int(found[1]) for symbol in used if (found := pattern.fullmatch(symbol))]
    # A gap in the numbers is a value that is given and not used.
    return tuple(f"{kind}{i}_{id}" for i in range(1, max(numbers, default=0) + 1))


def overrides_of(row: Row, template: Template, names: Mapping[str, str]) -> Overrides | None:
    """Return what a measurement fills placeholders with, None (and a fault) if that is not right.

    Args:
        row: of the measurement table.
        template: its observable.
        names: PEtab id → id in the model, where they differ.
    """
    result = []
    for column, wanted in zip(COLUMNS, template.placeholders, strict=True):
        texts = row.parts(column)
        if len(texts) != len(wanted):
            row.fault(
                column,
                f"it gives {len(texts)} values, but observable {template.observable.id!r} has "
                f"{len(wanted)} placeholders for them ({', '.join(wanted) or 'none'})",
            )
            return None
        formulas = [row.formula_of(column, text, names) for text in texts]
        if any(formula is None for formula in formulas):
            return None
        result.append(tuple(formula for formula in formulas if formula is not None))
    return (result[0], result[1])


def variants_of(
    templates: Mapping[str, Template], used: Iterable[tuple[str, Overrides]]
) -> dict[tuple[str, Overrides], Observable]:
    """Return (observable id, overrides) → observable, with an id of its own.

    An observable with one set of overrides keeps its id; others get `__1`, `__2`, ... in the order
    of the measurements. One that was never measured is there if it has no placeholders.

    Args:
        templates: of the observable table.
        used: what occurs in the measurement table, in its order.
    """
    sets: dict[str, list[Overrides]] = {id: [] for id in templates}
    for id, overrides in dict.fromkeys(used):
        sets[id].append(overrides)
    result: dict[tuple[str, Overrides], Observable] = {}
    for id, template in templates.items():
        if not sets[id] and template.placeholders == ((), ()):
            sets[id].append(NO_OVERRIDES)
        for number, overrides in enumerate(sets[id], 1):
            base = template.observable.id
            own = base if len(sets[id]) == 1 else _free_id(base, number, templates)
            result[id, overrides] = replace(_filled(template, overrides), id=own)
    return result


def _free_id(base: str, number: int, taken: Mapping[str, Template]) -> str:
    id = f"{base}__{number}"
    while id in taken:
        id += "_"
    return id


def _filled(template: Template, overrides: Overrides) -> Observable:
    values: dict[str, Expression] = {}
    for placeholders, formulas in zip(template.placeholders, overrides, strict=True):
        values |= dict(zip(placeholders, formulas, strict=True))
    observable = template.observable
    noise = replace(observable.noise, scale=substitute(observable.noise.scale, values))
    return replace(observable, formula=substitute(observable.formula, values), noise=noise)


def check_symbols(template: Template, known: Mapping[str, object]) -> None:
    """Note a fault for every symbol of an observable that is nothing in model or problem."""
    filled = {*template.placeholders[0], *template.placeholders[1], TIME.id}
    observable = template.observable
    for column, formula in (
        ("observableFormula", observable.formula),
        ("noiseFormula", observable.noise.scale),
    ):
        for symbol in sorted(symbols(formula) - known.keys() - filled):
            near = suggestion(symbol, known)
            template.row.fault(column, f"{symbol!r} is neither in the model nor a parameter{near}")


def check_override_symbols(row: Row, overrides: Overrides, known: Mapping[str, object]) -> None:
    """Note a fault for every symbol in what fills placeholders that is nothing anywhere."""
    for column, formulas in zip(COLUMNS, overrides, strict=True):
        for formula in formulas:
            for symbol in sorted(symbols(formula) - known.keys()):
                near = suggestion(symbol, known)
                row.fault(column, f"{symbol!r} is neither in the model nor a parameter{near}")
