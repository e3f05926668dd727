"""Writing a long table and reading it back; any text is read or refused."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbmlgrad.errors import DataError, WriteError
from sbmlgrad.io.tables.measurements import load_measurements, write_long_csv
from sbmlgrad.model.labels import fault_of
from sbmlgrad.model.measurements import Measurements

BRACKETED = ("A [x]", "A []", "A (nucleus)", "A [x] (y)", "[A]", "A[", "x[A]")
LABELS = st.sampled_from(BRACKETED) | st.text(
    st.sampled_from("AB [](),;\"'=#-1") | st.characters(codec="utf-8"), max_size=8
).filter(lambda text: not fault_of(text))
UNITS = LABELS.filter(lambda text: not {"[", "]"} & set(text))
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def measurements(draw):
    """Draw measurements in which every observable has a value."""
    names = draw(st.lists(LABELS.filter(bool), min_size=1, max_size=4, unique=True))
    key = st.tuples(
        st.sampled_from(range(len(names))),
        st.floats(0.0, allow_nan=False, allow_infinity=False),
        LABELS,
        LABELS,
    )
    extra = draw(st.lists(key, max_size=8))
    first = [(i, draw(st.sampled_from([0.0, 1.5])), "1", "") for i in range(len(names))]
    index, time, replicate, condition = zip(*dict.fromkeys([*extra, *first]), strict=True)
    return Measurements(
        observables=tuple(names),
        time=np.array(time),
        observable_index=np.array(index),
        value=np.array(draw(st.lists(FINITE, min_size=len(time), max_size=len(time)))),
        replicate=replicate,
        condition=condition,
        time_unit=draw(UNITS),
        units=tuple(draw(st.lists(UNITS, min_size=len(names), max_size=len(names)))),
    )


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(measurements())
def test_write_then_read_is_the_identity(tmp_path, m):
    path = tmp_path / "long.csv"
    write_long_csv(m, path)
    again = load_measurements(path)
    assert again == m
    assert again.source_name == "long.csv"
    write_long_csv(again, tmp_path / "twice.csv")
    assert (tmp_path / "twice.csv").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", BRACKETED)
def test_brackets_in_a_name_do_not_become_a_unit(tmp_path, name):
    path = tmp_path / "long.csv"
    write_long_csv(one(observables=(name,)), path)
    again = load_measurements(path)
    assert (again.observables, again.units) == ((name,), ("",))


def test_what_is_written(tmp_path, table):
    path = tmp_path / "long.csv"
    write_long_csv(load_measurements(table('time [h],"A, x [nM]",B\n1,2.5,\n0,,7\n')), path)
    assert path.read_text(encoding="utf-8") == (
        'time [h],observable,value,replicate,condition\n1.0,"A, x [nM]",2.5,1,\n0.0,B,7.0,1,\n'
    )


def one(**fields):
    good = {
        "observables": ("A",),
        "time": [0.0],
        "observable_index": [0],
        "value": [1.0],
        "replicate": ("1",),
        "condition": ("",),
    }
    return Measurements(**(good | fields))


@pytest.mark.parametrize(
    ("m", "name", "fragment"),
    [
        (one(), "out.xlsx", r"out\.xlsx: a long table is written as \.csv"),
        (one(observables=("A", "B")), "out.csv", r"out\.csv: .*without values; found 'B'"),
        (one(observables=("A",), **dict.fromkeys(("time", "observable_index", "value", "replicate",
         "condition"), ())), "out.csv", "without values; found 'A'"),
        (one(), "none/out.csv", r"out\.csv' cannot be written: the folder .*none' does not exist"),
    ],
)  # fmt: skip
def test_what_cannot_be_written(tmp_path, m, name, fragment):
    with pytest.raises(WriteError, match=fragment):
        write_long_csv(m, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "out.csv"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left on device"):
        write_long_csv(one(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(["fuzz.csv", "fuzz.tsv"]),
    st.lists(
        st.sampled_from([*',\t\n; "\ufeffé'])
        | st.sampled_from(
            ["time", "observable", "value", "A [x]", "A (y)", "0", "1.5", "-2", "NA", "1,5"]
        ),
        max_size=30,
    ).map("".join),
)
def test_any_text_is_read_or_refused(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    try:
        m = load_measurements(path)
    except DataError as error:
        refusal = str(error)
    else:
        refusal = name
        assert np.isfinite(m.value).all()
        assert len(m) >= 1
    assert name in refusal
