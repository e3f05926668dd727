"""Measurements: order, equality, statistics over replicates, parts."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbmlgrad.errors import DataError
from sbmlgrad.model.measurements import Measurements


def record(rows, observables=("A", "B"), **fields):
    """Build measurements from rows of (observable index, time, value, replicate, condition)."""
    index, time, value, replicate, condition = zip(*rows, strict=True) if rows else ((),) * 5
    return Measurements(
        observables=observables,
        time=np.array(time, np.float64),
        observable_index=np.array(index, np.int64),
        value=np.array(value, np.float64),
        replicate=replicate,
        condition=condition,
        **fields,
    )


ROWS = [
    (0, 0.0, 1.0, "1", ""),
    (0, 0.0, 4.0, "2", ""),
    (0, 0.0, 4.0, "3", ""),
    (0, 2.0, 7.0, "1", ""),
    (1, 1.0, -3.0, "1", ""),
]


def test_rows_are_kept_sorted_so_that_equality_is_by_value():
    backwards = record(ROWS[::-1], source_name="other.csv", sha256="ff")
    assert backwards == record(ROWS)
    assert hash(backwards) == hash(record(ROWS))
    np.testing.assert_array_equal(backwards.observable_index, [0, 0, 0, 0, 1])
    np.testing.assert_array_equal(backwards.time, [0.0, 0.0, 0.0, 2.0, 1.0])
    assert backwards.replicate == ("1", "2", "3", "1", "1")
    assert len(backwards) == 5


@pytest.mark.parametrize(
    "other",
    [
        record([*ROWS[:4], (1, 1.0, -3.5, "1", "")]),
        record([*ROWS[:4], (1, 1.5, -3.0, "1", "")]),
        record([*ROWS[:4], (1, 1.0, -3.0, "2", "")]),
        record([*ROWS[:4], (1, 1.0, -3.0, "1", "heat")]),
        record(ROWS[:4]),
        record(ROWS, observables=("A", "C")),
        record(ROWS, units=("nM", "")),
        record(ROWS, time_unit="h"),
    ],
)
def test_anything_measured_differently_is_unequal(other):
    assert other != record(ROWS)


def test_unequal_to_something_else():
    assert record(ROWS) != ROWS


def test_arrays_are_copied_and_read_only():
    time = np.array([1.0])
    m = Measurements(("A",), time, np.array([0]), np.array([2.0]), ("1",), ("",))
    time[0] = 9.0
    assert m.time[0] == 1.0
    for array in (m.time, m.observable_index, m.value, m.times):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    assert (m.time.dtype, m.observable_index.dtype, m.value.dtype) == (float, np.int64, float)


def test_times_and_units():
    m = record(ROWS)
    np.testing.assert_array_equal(m.times, [0.0, 1.0, 2.0])
    assert m.units == ("", "")


def test_observed_takes_replicates_together():
    times, mean, deviation, count = record(ROWS).observed("A")
    np.testing.assert_array_equal(times, [0.0, 2.0])
    np.testing.assert_allclose(mean, [3.0, 7.0], rtol=1e-15)
    np.testing.assert_allclose(deviation, [np.sqrt(3.0), np.nan], rtol=1e-15)
    np.testing.assert_array_equal(count, [3, 1])
    assert count.dtype == np.int64


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.5, 3.0]), st.floats(-1e6, 1e6)), min_size=1, max_size=20
    )
)
def test_observed_agrees_with_the_standard_library(points):
    m = record([(0, t, v, str(i), "") for i, (t, v) in enumerate(points)], observables=("A",))
    seen = m.observed("A")
    assert seen.times.tolist() == sorted({t for t, _ in points})
    for i, time in enumerate(seen.times):
        values = [v for t, v in points if t == time]
        assert seen.replicates[i] == len(values)
        assert seen.mean[i] == pytest.approx(statistics.fmean(values), rel=1e-9, abs=1e-9)
        if len(values) == 1:
            assert np.isnan(seen.standard_deviation[i])
        else:
            expected = statistics.stdev(values)
            assert seen.standard_deviation[i] == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_observed_of_an_observable_without_values_is_empty():
    seen = record(ROWS[:4]).observed("B")
    assert [array.size for array in seen] == [0, 0, 0, 0]


def test_observed_never_pools_conditions():
    m = record([(0, 0.0, 1.0, "1", "heat"), (0, 0.0, 3.0, "1", "cold")], observables=("A",))
    assert m.conditions == ("cold", "heat")
    with pytest.raises(DataError, match=r"several conditions.*condition=.*'cold', 'heat'"):
        m.observed("A")
    assert m.observed("A", condition="cold").mean.tolist() == [3.0]
    with pytest.raises(DataError, match=r"no condition 'warm'.*'cold', 'heat'"):
        m.observed("A", condition="warm")


def test_observed_of_something_unknown_names_what_there_is():
    with pytest.raises(DataError, match=r"d\.csv: there is no observable 'a'.*mean 'A'.*'A', 'B'"):
        record(ROWS, source_name="d.csv").observed("a")


@pytest.mark.parametrize(
    ("fields", "fragments"),
    [
        ({"time": [0.0]}, ["differ in shape"]),
        ({"replicate": ("1",)}, ["differ in shape", "replicate"]),
        ({"time": [[0.0, 1.0]], "value": [[0.0, 1.0]]}, ["differ in shape"]),
        ({"units": ("nM",)}, ["units has 1 entries, observables has 2"]),
        ({"observables": ("A", "A")}, ["'A' is listed more than once"]),
        ({"observables": ("A", "")}, ["observable 1 has no name"]),
        ({"observables": ("A", "B ")}, ["'B '", "blanks"]),
        ({"condition": ("", "a\u200bb")}, ["condition", "U+200B"]),
        ({"units": ("nM", "a]")}, ["'a]'", "square brackets"]),
        ({"time_unit": "[h"}, ["'[h'", "square brackets"]),
        ({"observable_index": [0, 2]}, ["measurements [1]", "observable_index"]),
        ({"observable_index": [0, -1]}, ["measurements [1]", "observable_index"]),
        ({"observable_index": [0.0, 0.5]}, ["measurements [1]", "observable_index"]),
        ({"time": [-1.0, 0.0]}, ["measurements [0]", "negative"]),
        ({"time": [0.0, np.nan]}, ["measurements [1]", "not finite"]),
        ({"value": [np.inf, np.nan]}, ["measurements [0, 1]", "leave missing ones out"]),
        ({"observable_index": [0, 0], "time": [1.0, 1.0]}, ["'A' at time 1.0 has 2", "replicate"]),
        ({"time": [-1.0, 0.0], "value": [1.0, np.inf]}, ["measurements [0]", "measurements [1]"]),
    ],
)
def test_unusable_fields_are_all_named(fields, fragments):
    good = {
        "observables": ("A", "B"),
        "time": [0.0, 1.0],
        "observable_index": [0, 1],
        "value": [1.0, 2.0],
        "replicate": ("1", "1"),
        "condition": ("", ""),
        "source_name": "d.csv",
    }
    Measurements(**good)
    with pytest.raises(DataError) as caught:
        Measurements(**(good | fields))
    for fragment in ["d.csv", *fragments]:
        assert fragment in str(caught.value)


def test_what_was_measured_under_one_condition():
    rows = [(0, 0.0, 1.0, "1", "a"), (1, 0.0, 2.0, "1", "b"), (1, 1.0, 3.0, "1", "b")]
    m = record(rows, units=("nM", "mM"), source_name="d.csv")
    assert m.of("b") == record(
        [(0, 0.0, 2.0, "1", "b"), (0, 1.0, 3.0, "1", "b")], observables=("B",), units=("mM",)
    )
    with pytest.raises(DataError, match=r"d.csv: there is no condition 'B' \(did you mean 'b'\?\)"):
        m.of("B")
