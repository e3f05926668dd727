"""How arrays of a result are laid out in its file: dimensions, names and units, and an overview."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from sbmlgrad.fit.formula_spelling import formula_text
from sbmlgrad.fit.result import FitResult

_EPOCH, _PARAMETER, _TIME = ("epoch",), ("parameter",), ("time",)
_MEASUREMENT, _CELL = ("measurement",), ("cell",)
_MEASURED, _SEEN = "problem/measurements", "problem/snapshots"

#: Pattern of paths → dimensions, what it is. The first that fits counts.
_ARRAYS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("loss_history", _EPOCH, "loss of every epoch of the best start"),
    ("error_history", _EPOCH, "Monte-Carlo standard error of the loss of every epoch"),
    ("parameter_history", (*_EPOCH, *_PARAMETER), "values of every epoch"),
    ("trajectories_history", _EPOCH, "trajectories of every epoch, of each experiment and start"),
    ("free/ids", _PARAMETER, "ids of the fitted parameters"),
    ("free/start", _PARAMETER, "starting values"),
    ("free/lower", _PARAMETER, "lower bounds"),
    ("free/upper", _PARAMETER, "upper bounds"),
    ("free/is_logarithmic", _PARAMETER, "whether the coordinate of the search is a logarithm"),
    ("free/unit", _PARAMETER, "unit of linear coordinates"),
    ("starts/*/values", _PARAMETER, "where this start began"),
    ("curves/*/times", _TIME, "model time"),
    ("curves/*/mean", _TIME, "mean of the observable over trajectories"),
    ("curves/*/sd", _TIME, "standard deviation of the observable over trajectories"),
    ("curves/*/scale", _TIME, "scale of the noise model"),
    ("predictions/mean", _MEASUREMENT, "mean of the observable over trajectories"),
    ("predictions/standard_error", _MEASUREMENT, "Monte-Carlo standard error of the mean"),
    ("predictions/scale", _MEASUREMENT, "scale of the noise model"),
    (f"{_MEASURED}/time", _MEASUREMENT, "time of the measurement"),
    (f"{_MEASURED}/observable_index", _MEASUREMENT, "position in `observables`, from 0"),
    (f"{_MEASURED}/value", _MEASUREMENT, "measured value, in the unit of its observable"),
    (f"{_MEASURED}/replicate", _MEASUREMENT, "label that tells repeated measurements apart"),
    (f"{_MEASURED}/condition", _MEASUREMENT, "experiment"),
    (f"{_MEASURED}/observables", ("observable",), "ids of what was measured"),
    (f"{_MEASURED}/units", ("observable",), "units of what was measured"),
    (f"{_SEEN}/time", _CELL, "time at which the cell was seen"),
    (f"{_SEEN}/counts", (*_CELL, "species"), "molecules in the cell"),
    (f"{_SEEN}/condition", _CELL, "experiment"),
    (f"{_SEEN}/species", ("species",), "ids of what was counted"),
    ("*uncertainty/covariance", (*_PARAMETER, "other_parameter"), "covariance of coordinates"),
    ("*uncertainty/ids", _PARAMETER, "ids of the fitted parameters"),
    ("*uncertainty/values", _PARAMETER, "fitted values"),
    ("*uncertainty/standard_errors", _PARAMETER, "standard errors of the values"),
    ("*uncertainty/lower", _PARAMETER, "lower limits of the intervals"),
    ("*uncertainty/upper", _PARAMETER, "upper limits of the intervals"),
    ("*uncertainty/is_logarithmic", _PARAMETER, "whether the coordinate is a logarithm"),
    ("*uncertainty/details/samples", ("sample", *_PARAMETER), "samples of the values"),
    ("*uncertainty/details/*/coordinates", ("point",), "where the profile was computed"),
    ("*uncertainty/details/*/deviance", ("point",), "-2 log-likelihood above its minimum"),
    ("*uncertainty/details/*/deviance_error", ("point",), "its Monte-Carlo standard error"),
    ("*uncertainty/details/*/smooth_coordinates", ("place",), "places of the smooth profile"),
    ("*uncertainty/details/*/smooth_deviance", ("place",), "smooth profile"),
    ("documents/*", ("byte",), "SBML document, byte by byte"),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where an array stands.

    Attributes:
        dims: names of its dimensions.
        attributes: name → text.
    """

    dims: tuple[str, ...]
    attributes: dict[str, str]


def is_column(path: str) -> bool:
    """Tell whether a tuple at this path is laid out as an array."""
    return any(fnmatchcase(path, pattern) for pattern, _, _ in _ARRAYS)


def layout_of(result: FitResult, path: str, array: np.ndarray) -> Layout:
    """Return the dimensions and attributes of an array.

    Args:
        result: to which it belongs.
        path: where it stands.
        array: any.
    """
    for pattern, dims, meaning in _ARRAYS:
        if fnmatchcase(path, pattern) and len(dims) == array.ndim:
            attributes = {"long_name": meaning, "units": _unit(result, path)}
            return Layout(dims, {key: text for key, text in attributes.items() if text})
    name = path.rsplit("/", 1)[-1]
    return Layout(tuple(f"{name}_{axis}" for axis in range(array.ndim)), {})


def _unit(result: FitResult, path: str) -> str:
    m = result.problem.measurements
    match path.split("/"):
        case ["curves", _, "times"]:
            return m.time_unit or result.model.time_unit
        case ["curves", number, "mean" | "sd"]:
            return result.problem.observable[list(result.curves)[int(number)][1]].unit
        case ["problem", "measurements", "time"]:
            return m.time_unit
        case ["problem", "snapshots", "time"] if result.problem.snapshots is not None:
            return result.problem.snapshots.time_unit
    return ""


def group_attributes(result: FitResult) -> dict[str, dict[str, str]]:
    """Return attributes of the groups that have numbers for names: path → name → text."""
    curves = {
        f"curves/{i}": {"experiment": experiment, "observable": observable}
        for i, (experiment, observable) in enumerate(result.curves)
    }
    return curves | {f"starts/{i}": {"fate": start.fate} for i, start in enumerate(result.starts)}


def overview(result: FitResult) -> Iterator[tuple[str, tuple[str, ...], list[Any]]]:
    """Yield (path, dimensions, column) of tables for people and other programs.

    Nothing is read back from them: they say again, by name, what stands elsewhere in the file.
    """
    yield "parameter", _PARAMETER, list(result.free.ids)
    for name, column in result.parameter_table().items():
        values = [int(v) if isinstance(v, bool) else v for v in column.tolist()]
        own = "parameter" if name == "parameterId" else name
        yield f"overview/parameters/{own}", _PARAMETER, values
    observables = result.problem.observables
    columns = {
        "observable": [o.id for o in observables],
        "formula": [formula_text(o.formula) for o in observables],
        "unit": [o.unit for o in observables],
        "noiseDistribution": [o.noise.distribution for o in observables],
        "noiseScale": [formula_text(o.noise.scale) for o in observables],
        "name": [o.name for o in observables],
    }
    for name, values in columns.items() if observables else ():
        yield f"overview/observables/{name}", ("observable",), values
