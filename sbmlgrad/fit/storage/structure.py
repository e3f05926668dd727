"""Results as plain structure and arrays: what a file can hold, without loss and without code.

Objects become nested lists, numbers and texts under the name of their class; arrays are put aside
under the path of where they stood. Only the classes of `CLASSES` are ever made again.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from sbmlgrad.errors import DataError, WriteError

#: Class that a result may hold → module in which it is found. A new one is one row.
CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "Apply": "sbmlgrad.model.expression",
        "Curve": "sbmlgrad.fit.result",
        "Estimate": "sbmlgrad.model.provenance",
        "Experiment": "sbmlgrad.model.problem",
        "FitResult": "sbmlgrad.fit.result",
        "Measurements": "sbmlgrad.model.measurements",
        "Noise": "sbmlgrad.model.noise",
        "Number": "sbmlgrad.model.expression",
        "Observable": "sbmlgrad.model.problem",
        "Period": "sbmlgrad.model.problem",
        "Predictions": "sbmlgrad.fit.result",
        "Prior": "sbmlgrad.model.priors",
        "Problem": "sbmlgrad.model.problem",
        "ProblemParameter": "sbmlgrad.model.problem",
        "Provenance": "sbmlgrad.model.provenance",
        "SearchSpace": "sbmlgrad.fit.search_space",
        "Snapshots": "sbmlgrad.model.snapshots",
        "Start": "sbmlgrad.fit.result",
        "Symbol": "sbmlgrad.model.expression",
        "Uncertainty": "sbmlgrad.fit.uncertainty.result",
    }
)

#: Rows from which texts and numbers in a tuple are kept as an array.
_LONG = 32

#: Words for numbers that JSON does not know.
_NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


@dataclasses.dataclass(frozen=True, slots=True)
class Storing:
    """What becomes of parts that are no plain structure.

    Attributes:
        put: called with the path and the values of every array.
        is_column: tells of a path whether a tuple there is put aside like an array, however short.
        special: returns the structure of an object that is stored in a way of its own, or None;
            called with the object and a function that returns the structure of its parts.
    """

    put: Callable[[str, Any], None]
    is_column: Callable[[str], bool]
    special: Callable[[Any, Callable[[Any, str], Any]], Any]


def structure_of(value: Any, storing: Storing, path: str = "") -> Any:
    """Return a value as JSON can hold it.

    Args:
        value: what is to be stored.
        storing: what becomes of arrays and special objects.
        path: where the value stands.

    Raises:
        WriteError: something in it cannot be stored; says where and what.
    """

    def inner(part: Any, name: str) -> Any:
        return structure_of(part, storing, f"{path}/{name}" if path else name)

    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"number": repr(value)}
    if isinstance(value, np.ndarray):
        return _array(value, storing.put, path)
    own = storing.special(value, inner)
    if own is not None:
        return own
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        if CLASSES.get(name) != type(value).__module__:
            raise WriteError(_cannot(path, value))
        fields = dataclasses.fields(value)
        return {"class": name, **{f.name: inner(getattr(value, f.name), f.name) for f in fields}}
    if isinstance(value, Mapping):
        pairs = enumerate(value.items())
        return {"mapping": [[inner(k, f"key{i}"), inner(v, _name(k, i))] for i, (k, v) in pairs]}
    if isinstance(value, tuple) and (len(value) >= _LONG or storing.is_column(path)):
        kinds = {type(part) for part in value}
        if kinds in ({str}, {float}, {int}):
            storing.put(path, np.array(value, dtype=object if kinds == {str} else None))
            return {"tuple": path}
    if isinstance(value, tuple):
        return [inner(part, str(i)) for i, part in enumerate(value)]
    if isinstance(value, list):
        return {"list": [inner(part, str(i)) for i, part in enumerate(value)]}
    raise WriteError(_cannot(path, value))


def _array(value: np.ndarray, put: Callable[[str, Any], None], path: str) -> Any:
    if value.dtype.kind not in "fiub":
        raise WriteError(_cannot(path, value))
    put(path, value)
    return {"array": path, "dtype": value.dtype.name}


def _name(key: Any, place: int) -> str:
    """Return a name for the part of a mapping, fit for a path."""
    is_plain = isinstance(key, str) and key.isidentifier()
    return key if is_plain else str(place)


def _cannot(path: str, value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, np.ndarray):
        kind = f"array of {value.dtype}"
    return (
        f"the result cannot be stored: {path or 'it'} is of type {kind}, which a result file does "
        "not hold; leave it out, or store it as numbers, texts, tuples and arrays"
    )


def value_of(
    structure: Any,
    get: Callable[[str], Any],
    special: Callable[[Any, Callable[[Any], Any]], Any],
) -> Any:
    """Return the value that `structure_of` made a structure of.

    Args:
        structure: as read from JSON.
        get: returns the array of a path.
        special: returns what an object stored in a way of its own means, or None; called with its
            structure and a function that returns the value of its parts.

    Raises:
        DataError: the structure is not one that `structure_of` makes.
    """

    def inner(part: Any) -> Any:
        return value_of(part, get, special)

    if isinstance(structure, list):
        return tuple(inner(part) for part in structure)
    if not isinstance(structure, dict):
        return structure
    own = None if "class" in structure else special(structure, inner)
    if own is not None:
        return own
    match structure:
        case {"class": str(name), **fields} if name in CLASSES:
            made = getattr(importlib.import_module(CLASSES[name]), name)
            known = {field.name for field in dataclasses.fields(made)}
            if unknown := sorted(fields.keys() - known):
                raise DataError(f"{name} has no {', '.join(map(repr, unknown))} in this version")
            return made(**{field: inner(part) for field, part in fields.items()})
        case {"number": str(word)} if word in _NOT_FINITE:
            return _NOT_FINITE[word]
        case {"array": str(path), "dtype": str(dtype)}:
            return get(path).astype(dtype)
        case {"tuple": str(path)}:
            return tuple(get(path).tolist())
        case {"list": list(parts)}:
            return [inner(part) for part in parts]
        case {"mapping": list(pairs)}:
            return {inner(key): inner(part) for key, part in pairs}
    raise DataError(f"{str(structure)[:80]!r} means nothing in this version")
