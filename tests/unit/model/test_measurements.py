"""Measurements: order, equality, statistics over replicates, binding of columns to SBML ids."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbmlgrad.errors import DataError
from sbmlgrad.model.measurements import Measurements, bind, suggestion


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


# --- binding --------------------------------------------------------------------------------------

NAMES = {
    "s1": "Prey",
    "s2": "Predator",
    "s3": "cAMP (nucleus)",
    "s4": "twin",
    "s5": "twin",
    "k": "s1",
    "plain": "",
}


def columns(*observables, units=()):
    rows = [(i, float(i), 10.0 + i, "1", "") for i in range(len(observables))]
    return record(rows, observables=observables, units=units, source_name="d.csv")


def test_bind_by_id_by_name_and_by_mapping():
    bound = bind(columns("plain", "Prey", "x", "rest"), NAMES, {"x": "s2", "rest": None})
    assert bound.observables == ("plain", "s1", "s2")
    assert bound.value.tolist() == [10.0, 11.0, 12.0]
    assert bound.observable_index.tolist() == [0, 1, 2]
    assert bound.source_name == "d.csv"


def test_bind_leaves_out_columns_in_the_middle():
    bound = bind(columns("s1", "rest", "s2", units=("a", "b", "c")), NAMES, {"rest": None})
    assert bound.observables == ("s1", "s2")
    assert bound.units == ("a", "c")
    assert bound.value.tolist() == [10.0, 12.0]
    assert bound.observable_index.tolist() == [0, 1]


def test_an_id_wins_over_a_name_and_the_mapping_over_both():
    assert bind(columns("s1"), NAMES).observables == ("s1",)
    assert bind(columns("s1"), NAMES, {"s1": "k"}).observables == ("k",)


def test_brackets_that_belong_to_the_name_are_found_again():
    assert bind(columns("cAMP", units=("nucleus",)), NAMES).observables == ("s3",)
    assert bind(columns("Prey", units=("nucleus",)), NAMES).observables == ("s1",)
    assert bind(columns("x", units=("nM",)), NAMES, {"x [nM]": "s2"}).observables == ("s2",)


def test_binding_twice_changes_nothing():
    bound = bind(columns("Prey", "Predator"), NAMES)
    assert bind(bound, NAMES) == bound


def test_the_input_is_left_alone():
    m = columns("Prey")
    bind(m, NAMES)
    assert m == columns("Prey")


@pytest.mark.parametrize(
    ("observables", "mapping", "fragments"),
    [
        (("prey",), None, ["'prey'", "did you mean 'Prey'?", "mapping={'prey': 'its SBML id'}"]),
        (("Prey", "zzz", "qqq"), None, ["'zzz'", "'qqq'", "mapping={'zzz': None}"]),
        (("twin",), None, ["'twin' is the name of several elements, s4, s5", "mapping={'twin'"]),
        (("x",), {"x": "s9"}, ["'x' to 's9'", "no SBML id", "the model has s1 (Prey)"]),
        (("Prey",), {"preys": "s1"}, ["names a column 'preys'", "did you mean 'Prey'?"]),
        (("Prey", "s1"), None, ["2 columns stand for 's1'", "load_measurements"]),
        (("a", "b"), {"a": "s1", "b": "s1"}, ["2 columns stand for 's1'"]),
        (("Prey",), {"Prey": None}, ["no column is left"]),
        (("u", "v"), {"v": "s9", "w": "s1"}, ["'u' matches no", "'s9'", "a column 'w'"]),
    ],
)
def test_columns_that_cannot_be_bound_are_all_named(observables, mapping, fragments):
    with pytest.raises(DataError) as caught:
        bind(columns(*observables), NAMES, mapping)
    for fragment in ["d.csv", *fragments]:
        assert fragment in str(caught.value)


def test_a_refusal_lists_what_the_model_has():
    with pytest.raises(DataError, match=r"the model has s1 \(Prey\), .*, plain$"):
        bind(columns("zzz"), NAMES)
    with pytest.raises(DataError, match=r"the model has x0, .*, x19 and 5 more$"):
        bind(columns("zzz"), {f"x{i}": "" for i in range(25)})


def test_suggestion_ignores_letter_case_and_stays_silent_without_a_candidate():
    assert suggestion("PREY", ["Prey", "prey"]) == " (did you mean 'Prey' or 'prey'?)"
    assert suggestion("PREY", ["xyz"]) == ""
