"""Results of fits ↔ one netCDF/HDF5 file that holds everything.

The root group holds the structure of the result as JSON text; arrays lie in groups named after
where they stand, with named dimensions, units and descriptions (`fit.storage.layout`). Networks are
kept as their SBML documents and the values that were changed. No code is stored and none is run.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sbmlgrad.errors import ParameterError, SbmlGradError, UnreadableFileError, WriteError
from sbmlgrad.fit.result import FitResult
from sbmlgrad.fit.storage.layout import (
    Layout,
    group_attributes,
    is_column,
    layout_of,
    overview,
)
from sbmlgrad.fit.storage.structure import Storing, structure_of, value_of
from sbmlgrad.io.files import read_bytes, write_atomically
from sbmlgrad.io.sbml.reader import read_sbml
from sbmlgrad.io.sbml.writer import write_sbml
from sbmlgrad.model.network import ReactionNetwork

#: What the root attribute `format` says, and the version written; later ones are refused.
FORMAT, VERSION = "sbmlgrad fit", 1

#: What h5netcdf raises for bytes that are no file of ours.
UNREADABLE = (OSError, KeyError, RuntimeError, ValueError)

SUFFIXES = (".nc", ".h5")

#: Readings of a document in which a unit of substance is ambiguous.
_SUBSTANCES = (None, "item", "mole")

#: Bytes from which an array is compressed.
_LARGE = 1024


def save_result(result: FitResult, path: str | Path) -> None:
    """Write a result into one file; use it to go on from a fit later, or to pass it on.

    Args:
        result: of a fit.
        path: the file, `.nc` or `.h5`; a file that is there is replaced.

    Raises:
        WriteError: the suffix is another one, something in the result cannot be stored, or the file
            cannot be written; then nothing is left behind.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise WriteError(f"{path}: a result file is called .nc or .h5; rename it")
    write_atomically(path, result_bytes(result))


def result_bytes(result: FitResult) -> bytes:
    """Return the file that `save_result` writes; raises as it does."""
    arrays: dict[str, np.ndarray] = {}
    documents: list[bytes] = []

    def network(value: Any, inner: Callable[[Any, str], Any]) -> Any:
        if not isinstance(value, ReactionNetwork):
            return None
        substance = _substance_of(value)
        source = value.source or b""
        if source not in documents:
            documents.append(source)
        values = {p.id: p.value for p in value.parameters if p.id in value.changed}
        return {
            "document": f"documents/{documents.index(source)}",
            "substance": substance,
            "initial": value.initial,
            "mass_action": value.mass_action,
            "values": inner(values, "values"),
            "provenance": inner(value.provenance, "provenance"),
        }

    structure = structure_of(result, Storing(arrays.__setitem__, is_column, network))
    for i, document in enumerate((*documents, write_sbml(result.model))):
        name = "calibrated" if i == len(documents) else str(i)
        arrays[f"documents/{name}"] = np.frombuffer(document, dtype=np.uint8)
    return _file(result, structure, arrays)


def _substance_of(network: ReactionNetwork) -> str | None:
    """Return the reading under which a network's document gives that network again."""
    if network.source is None:
        raise WriteError(
            f"model '{network.id}' has no original document (source is None), and a result file "
            "keeps the document; build the model with sbmlgrad.load from SBML"
        )
    for substance in _SUBSTANCES:
        again = _read_network(network, network.source, substance)
        if again == network:
            return substance
    raise WriteError(
        f"model '{network.id}' is not what its document says: something besides parameter values "
        "was changed after it was loaded, which a result file cannot keep; change the document, "
        "load it and fit again"
    )


def _read_network(
    like: ReactionNetwork, document: bytes, substance: str | None
) -> ReactionNetwork | None:
    network, _ = read_sbml(
        document,
        name=like.id,
        substance=substance,
        initial=like.initial,
        mass_action=like.mass_action,
        thorough=False,
    )
    values = {p.id: p.value for p in like.parameters if p.id in like.changed}
    try:
        return None if network is None else network.with_parameters(values)  # type: ignore[arg-type]
    except ParameterError:
        return None


def _file(result: FitResult, structure: Any, arrays: dict[str, np.ndarray]) -> bytes:
    import h5netcdf
    import h5py

    text = h5py.string_dtype()
    buffer = io.BytesIO()
    with h5netcdf.File(buffer, "w") as file:
        for name, told in _root_attributes(result).items():
            file.attrs[name] = told
        file.dimensions.update(_common_dimensions(result))
        variable = file.create_variable("structure", (), text)
        variable[...] = json.dumps(structure, allow_nan=False, separators=(",", ":"))
        variable.attrs["long_name"] = "the result without its arrays, as JSON"
        for path, array in arrays.items():
            _write(file, path, array, layout_of(result, path, array), text)
        for path, dims, column in overview(result):
            array = np.array(column, dtype=object if isinstance(column[0], str) else None)
            _write(file, path, array, Layout(dims, {}), text)
        for path, told in group_attributes(result).items():
            if path in file:
                for name, words in told.items():
                    file[path].attrs[name] = words
    return buffer.getvalue()


def _root_attributes(result: FitResult) -> dict[str, Any]:
    provenance = result.model.provenance
    told: dict[str, Any] = {
        "format": FORMAT,
        "format_version": VERSION,
        "title": f"Fit of {result.model.name or result.model.id} to {result.source_name}",
        "summary": str(result),
        "loss": result.loss,
        "loss_standard_error": result.loss_standard_error,
        "seed": str(result.seed),
    }
    if provenance is not None:
        versions = ", ".join(f"{name} {number}" for name, number in provenance.software.items())
        told |= {"finished": provenance.finished, "software": versions}
    return told


def _common_dimensions(result: FitResult) -> dict[str, int]:
    sizes = {
        "parameter": len(result.free.ids),
        "epoch": len(result.loss_history),
        "measurement": len(result.problem.measurements),
    }
    # A dimension of size 0 would be one without limit.
    return {name: size for name, size in sizes.items() if size}


def _write(file: Any, path: str, array: np.ndarray, layout: Layout, text: Any) -> None:
    *folders, name = path.split("/")
    group = file
    for folder in folders:
        group = group.groups.get(folder) or group.create_group(folder)
    variable = _create(group, name, layout.dims, array, text)
    for key, words in layout.attributes.items():
        variable.attrs[key] = words


def _create(group: Any, name: str, dims: tuple[str, ...], array: np.ndarray, text: Any) -> Any:
    dims = tuple(
        _dimension(group, dim, size, name) for dim, size in zip(dims, array.shape, strict=True)
    )
    if array.dtype == object:
        variable = group.create_variable(name, dims, text)
        variable[...] = array
        return variable
    # The format knows no truth values.
    stored = array.astype(np.uint8) if array.dtype == np.bool_ else array
    packing = {"compression": "gzip", "shuffle": True} if stored.nbytes > _LARGE else {}
    return group.create_variable(name, dims, stored.dtype, data=stored, **packing)


def _dimension(group: Any, dim: str, size: int, name: str) -> str:
    """Return a dimension of this size: the one that is there, or a new one."""
    known = group.dimensions.get(dim)
    if known is not None and known.size != size:
        dim, known = f"{dim}_of_{name}", None
    if known is None:
        group.dimensions[dim] = size
    return dim


def load_result(path: str | Path) -> FitResult:
    """Read a result; use it to look at a fit again, to go on from it or to report on it.

    Args:
        path: a file that `FitResult.save` wrote.

    Returns:
        A result that equals the one that was saved, field by field.

    Raises:
        UnreadableFileError: the file is missing, damaged, no result of a fit, or one of a later
            version.
    """
    data = read_bytes(path)
    try:
        root, arrays = _contents(data)
    except UNREADABLE as error:
        raise _unreadable(path, f"it is no netCDF/HDF5 file with a fit in it ({error})") from error
    if root.get("format") != FORMAT:
        raise _unreadable(path, "it holds no fit")
    if int(root["format_version"]) > VERSION:
        raise _unreadable(
            path,
            f"its format has version {root['format_version']}, and {VERSION} is the latest known",
            "update sbmlgrad",
        )

    def network(part: Any, inner: Callable[[Any], Any]) -> Any:
        return _network(part, arrays, inner) if "document" in part else None

    try:
        found = value_of(root["structure"], arrays.__getitem__, network)
    except (SbmlGradError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable(path, f"what it holds is no whole result ({error})") from error
    if not isinstance(found, FitResult):
        raise _unreadable(path, "what it holds is no result of a fit")
    return found


def _network(part: Any, arrays: dict[str, np.ndarray], inner: Callable[[Any], Any]) -> Any:
    from dataclasses import replace

    network, issues = read_sbml(
        arrays[part["document"]].tobytes(),
        name="the model in it",
        substance=part["substance"],
        initial=part["initial"],
        mass_action=part["mass_action"],
        thorough=False,
    )
    if network is None:
        raise ValueError(f"the model in it cannot be read: {'; '.join(map(str, issues))}")
    values = inner(part["values"])
    changed = network.with_parameters(values) if values else network
    return replace(changed, provenance=inner(part["provenance"]))


def holds_result(path: Path) -> bool:
    """Tell whether a file is the result of a fit, whatever its version; false without a file."""
    try:
        return _contents(path.read_bytes())[0].get("format") == FORMAT
    except UNREADABLE:
        return False


def _contents(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return attributes and structure of the root, and every array by its path."""
    import h5netcdf

    with h5netcdf.File(io.BytesIO(data), "r") as file:
        root = dict(file.attrs)
        if root.get("format") != FORMAT:
            return root, {}
        root["structure"] = json.loads(file.variables["structure"][()])
        return root, dict(_variables(file))


def _variables(group: Any, path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    for name, variable in group.variables.items():
        array = np.asarray(variable[...])
        if array.dtype == object and array.ndim:
            array = np.array([t.decode() for t in array.tolist()], dtype=object)
        yield f"{path}{name}", array
    for name, inner in group.groups.items():
        yield from _variables(inner, f"{path}{name}/")


def _unreadable(path: str | Path, found: str, advice: str = "") -> UnreadableFileError:
    return UnreadableFileError(
        f"file '{path}' cannot be read as a result: {found}; "
        f"{advice or 'name a file that FitResult.save wrote'}"
    )
