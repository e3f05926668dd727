"""Result files: every field comes back, in named dimensions, and nothing else is ever made."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import h5netcdf
import h5py
import numpy as np
import pytest
import xarray
from fit_results import problem_of, result_of, usual_result

import sbmlgrad as sg
from sbmlgrad.errors import UnreadableFileError, WriteError
from sbmlgrad.fit.result import FitResult
from sbmlgrad.fit.storage.result_file import load_result, save_result
from sbmlgrad.fit.storage.structure import CLASSES
from sbmlgrad.io.sbml.writer import write_sbml
from sbmlgrad.model.network import ReactionNetwork


def differences(a: Any, b: Any, path: str = "") -> list[str]:
    """List where two values differ, to the last bit and type."""
    if isinstance(a, np.ndarray):
        same = isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape
        return [] if same and np.array_equal(a, b, equal_nan=a.dtype.kind == "f") else [path]
    if isinstance(a, ReactionNetwork):
        hidden = ("changed", "time_unit", "source")
        found = [] if a == b else [path]
        found += [f"{path}/{n}" for n in hidden if getattr(a, n) != getattr(b, n)]
        return found + differences(a.provenance, b.provenance, f"{path}/provenance")
    if dataclasses.is_dataclass(a):
        if type(a) is not type(b):
            return [path]
        parts = [(getattr(a, f.name), getattr(b, f.name), f.name) for f in dataclasses.fields(a)]
        return [d for x, y, n in parts for d in differences(x, y, f"{path}/{n}")]
    if isinstance(a, Mapping):
        if not isinstance(b, Mapping) or list(a) != list(b):
            return [path]
        return [d for key in a for d in differences(a[key], b[key], f"{path}/{key}")]
    if isinstance(a, list | tuple):
        if type(a) is not type(b) or len(a) != len(b):
            return [path]
        pairs = enumerate(zip(a, b, strict=True))
        return [d for i, (x, y) in pairs for d in differences(x, y, f"{path}/{i}")]
    is_nan = isinstance(a, float) and a != a and isinstance(b, float) and b != b
    return [] if is_nan or (type(a) is type(b) and a == b) else [path]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "fit.nc"
    usual_result().save(path)
    return path


def test_every_field_comes_back(saved) -> None:
    again = load_result(saved)
    assert isinstance(again, FitResult)
    assert differences(usual_result(), again) == []


def test_the_comparison_sees_differences() -> None:
    one = usual_result()
    assert differences(one, replace(one, seed=4)) == ["/seed"]
    shifted = {k: replace(c, mean=c.mean + 1e-9) for k, c in one.curves.items()}
    assert len(differences(one, replace(one, curves=shifted))) == len(one.curves)
    values = replace(one, model=one.model.with_parameters({"k_on": 9.0}))
    assert "/model" in differences(one, values)


def test_other_noise_many_rows_and_no_extras_come_back(tmp_path) -> None:
    """Labels of more rows than fit into the text, and every optional part left out."""
    problem = problem_of(1, ("1 + M", "2 + P"), "poisson", replicates=20)
    result = result_of(problem, starts=1)
    bare = replace(result, predictions=None, arguments={}, extra={"note": ("a", 1, None, True)})
    bare.save(tmp_path / "fit.h5")
    assert differences(bare, load_result(tmp_path / "fit.h5")) == []


def test_a_result_read_again_goes_on(saved) -> None:
    """It is simulated to the same counts and written to the same document."""
    one, again = usual_result(), load_result(saved)
    cells = [sg.simulate(r.model, times=[3.0], trajectories=5, seed=1).counts for r in (one, again)]
    np.testing.assert_array_equal(*cells)
    assert str(again) == str(one)
    assert write_sbml(again.model) == write_sbml(one.model)


def test_dimensions_have_names_units_and_meanings(saved) -> None:
    with xarray.open_dataset(saved, engine="h5netcdf") as root:
        assert root["loss_history"].dims == ("epoch",)
        assert root["parameter"].values.tolist() == list(usual_result().free.ids)
        assert root["parameter_history"].dims == ("epoch", "parameter")
        assert root["loss_history"].attrs["long_name"]
        assert "Fit of" in root.attrs["title"]
        assert json.loads(root["structure"].item())["class"] == "FitResult"
    with xarray.open_dataset(saved, group="problem/measurements", engine="h5netcdf") as rows:
        assert rows["value"].dims == rows["condition"].dims == ("measurement",)
        assert rows["time"].attrs["units"] == "h"
        np.testing.assert_array_equal(rows["value"], usual_result().problem.measurements.value)
    with xarray.open_dataset(saved, group="overview/parameters", engine="h5netcdf") as table:
        frame = table.to_dataframe()
        assert frame.loc["k_p", "value"] == 1.5
        assert frame["standardError"].tolist() == pytest.approx([0.2, 0.04, 0.15, 0.05])
    with xarray.open_dataset(saved, group="overview/observables", engine="h5netcdf") as table:
        assert table["formula"].values.tolist() == ["M", "scale * P", "P + D"]
    with xarray.open_dataset(saved, group="curves/1", engine="h5netcdf") as curve:
        assert curve["mean"].dims == ("time",)
        assert curve["mean"].attrs["units"] == "nM"
        assert curve.attrs == {"experiment": "conc0", "observable": "y1"}


def test_the_calibrated_document_is_in_it(saved, tmp_path) -> None:
    with xarray.open_dataset(saved, group="documents", engine="h5netcdf") as documents:
        text = documents["calibrated"].values.tobytes().decode()
    assert sg.load(text) == usual_result().model


def test_every_class_of_the_table_is_where_it_says() -> None:
    import importlib

    for name, module in CLASSES.items():
        made = getattr(importlib.import_module(module), name)
        assert dataclasses.is_dataclass(made)
        assert made.__module__ == module


def test_what_cannot_be_kept_is_named(tmp_path) -> None:
    result = usual_result()
    path = tmp_path / "fit.nc"
    with pytest.raises(WriteError, match=r"extra/odd is of type object"):
        replace(result, extra={"odd": object()}).save(path)
    with pytest.raises(WriteError, match="array of <U1"):
        replace(result, extra={"odd": np.array(["a"])}).save(path)
    with pytest.raises(WriteError, match="no original document"):
        replace(result, model=replace(result.model, source=None)).save(path)
    reactions = result.model.reactions[:-1]
    with pytest.raises(WriteError, match="besides parameter values"):
        replace(result, model=replace(result.model, reactions=reactions)).save(path)
    with pytest.raises(WriteError, match=r"called \.nc or \.h5"):
        save_result(result, tmp_path / "fit.xlsx")
    assert list(tmp_path.iterdir()) == []


def _altered(source, target, change) -> Any:
    target.write_bytes(source.read_bytes())
    with h5py.File(target, "r+") as file:
        change(file)
    return target


def _set_structure(file, old: str, new: str) -> None:
    text = file["structure"][()].decode()
    assert old in text
    file["structure"][()] = text.replace(old, new)


def _later_version(file) -> None:
    file.attrs["format_version"] = 2


BAD = [
    (_later_version, "version 2"),
    (lambda f: f.attrs.pop("format"), "holds no fit"),
    (lambda f: f.pop("loss_history"), "loss_history"),
    (lambda f: _set_structure(f, '"class":"Noise"', '"class":"Popen"'), "Popen.*means nothing"),
    (lambda f: _set_structure(f, '"reason":', '"why":'), "no 'why' in this version"),
    (lambda f: _set_structure(f, '"distribution":"normal"', '"distribution":"odd"'), "'odd'"),
    (lambda f: _set_structure(f, '{"class":"FitResult"', '{"klass":1'), "means nothing"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[m for _, m in BAD])
def test_damaged_files_are_refused_by_name(saved, tmp_path, change, message) -> None:
    bad = _altered(saved, tmp_path / "bad.nc", change)
    with pytest.raises(UnreadableFileError, match=message) as caught:
        load_result(bad)
    assert "bad.nc" in str(caught.value)


def test_other_files_are_refused(tmp_path, saved) -> None:
    with pytest.raises(UnreadableFileError, match="no such file"):
        load_result(tmp_path / "none.nc")
    (tmp_path / "text.nc").write_text("not HDF5")
    with pytest.raises(UnreadableFileError, match="no netCDF/HDF5 file"):
        load_result(tmp_path / "text.nc")
    (tmp_path / "cut.nc").write_bytes(saved.read_bytes()[:5000])
    with pytest.raises(UnreadableFileError, match=r"cut\.nc"):
        load_result(tmp_path / "cut.nc")
    with h5netcdf.File(tmp_path / "other.nc", "w") as file:
        file.attrs["title"] = "another file"
    with pytest.raises(UnreadableFileError, match="holds no fit"):
        load_result(tmp_path / "other.nc")
