"""Snapshots as a record: order, checks, choice of condition."""

from __future__ import annotations

import numpy as np
import pytest

from sbmlgrad.errors import DataError
from sbmlgrad.model.snapshots import Snapshots

MADE = {
    "species": ("A", "B"),
    "time": [1.0, 0.0, 1.0],
    "counts": [[1, 2], [3, 4], [5, 6]],
    "condition": ("y", "x", "x"),
}


def make(**changes):
    return Snapshots(**{**MADE, **changes})


def test_cells_are_sorted_and_read_only():
    s = make()
    assert s.time.tolist() == [0.0, 1.0, 1.0]
    assert s.condition == ("x", "x", "y")
    assert s.counts.tolist() == [[3, 4], [5, 6], [1, 2]]
    assert (s.n_cells.tolist(), len(s)) == ([1, 2], 3)
    for array in (s.time, s.counts, s.times, s.n_cells):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_conditions_are_chosen():
    s = make()
    assert s.at(1.0, condition="x").tolist() == [[5, 6]]
    assert s.of("y").conditions == ("y",)
    for condition, fragment in ((None, "several conditions"), ("z", "no condition 'z'")):
        with pytest.raises(DataError, match=fragment):
            s.at(1.0, condition=condition)
    with pytest.raises(DataError, match="no cell was seen at time 2; there are cells at 0, 1"):
        s.at(2, condition="x")
    with pytest.raises(DataError, match="no cell was seen at time 0; there are cells at 1"):
        s.at(0, condition="y")


def test_equality_is_of_the_cells():
    assert make() == make(source_name="other.csv", notes=("x",))
    assert hash(make()) == hash(make(sha256="ab"))
    assert make() != make(counts=[[1, 2], [3, 4], [5, 7]])
    assert make() != make(time_unit="min")


@pytest.mark.parametrize(
    ("changes", "fragment"),
    [
        ({"counts": [[1, 2], [3, 4]]}, r"counts \(2, 2\)"),
        ({"counts": [[1, 2], [3, 4], [5, 6.5]]}, "cell 2 has 6.5 of 'B'; counts are whole"),
        ({"counts": [[1, 2], [3, -4], [5, 6]]}, "cell 1 has -4 of 'B'"),
        ({"counts": [[1, 2], [3, np.nan], [5, 6]]}, "cell 1 has nan"),
        ({"counts": [["1", "2"]] * 3}, "whole numbers are expected"),
        ({"time": [0.0, -1.0, 1.0]}, "negative or not finite"),
        ({"time": [0.0, np.inf, 1.0]}, "negative or not finite"),
        ({"species": ("A", "A")}, "'A' is listed twice"),
        ({"species": ("A", "")}, "has no name"),
        ({"species": ("A", "B\u200b")}, "unprintable"),
        ({"condition": ("x",)}, "1 entries"),
        ({"time": [], "counts": np.zeros((0, 2)), "condition": ()}, "there is no cell"),
    ],
)
def test_unusable_snapshots(changes, fragment):
    with pytest.raises(DataError, match=fragment):
        make(**changes)
