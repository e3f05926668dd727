"""Dwells as a record: checks, runs, durations by state."""

from __future__ import annotations

import numpy as np
import pytest

from sbmlgrad.errors import DataError
from sbmlgrad.model.dwells import Dwells

MADE = {
    "states": ("shut", "open"),
    "state_index": [1, 0, 1, 0],
    "duration": [1.0, 2.0, 0.5, 4.0],
    "usable": [True, True, True, False],
}


def make(**changes):
    return Dwells(**{**MADE, **changes})


def test_a_record():
    d = make(dead_time=0.5)
    assert d.of("open").tolist() == [1.0, 0.5]
    assert d.of("shut").tolist() == [2.0]
    assert (d.runs, len(d)) == (((0, 3),), 4)
    assert make(usable=[False, True, False, True]).runs == ((1, 2), (3, 4))
    assert make(usable=[False] * 4).runs == ()
    with pytest.raises(ValueError, match="read-only"):
        d.duration[0] = 1
    with pytest.raises(DataError, match=r"no state 'opn' \(did you mean 'open'"):
        d.of("opn")


def test_equality_is_of_the_record():
    assert make() == make(source_name="x", notes=("y",))
    assert hash(make()) == hash(make(sha256="ab"))
    assert make() != make(dead_time=0.1)
    assert make() != make(duration=[1.0, 2.0, 0.5, 5.0])


def test_what_is_not_usable_may_be_short_or_repeat_a_state():
    d = make(state_index=[1, 0, 1, 1], duration=[1.0, 2.0, 0.5, 0.01], dead_time=0.5)
    assert d.of("open").tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("changes", "fragment"),
    [
        ({"duration": [1.0]}, "differ in shape"),
        ({"duration": [1.0, 2.0, 0.0, 4.0]}, "not positive"),
        ({"duration": [1.0, np.nan, 1.0, 4.0]}, "not positive or not finite"),
        ({"state_index": [1, 0, 1, 2]}, "a state that is not listed"),
        ({"state_index": [1, 1, 0, 1]}, "dwells 0 and 1 are both in state 'open'"),
        ({"dead_time": 0.75}, "dwell 2 lasts 0.5, less than the dead time 0.75"),
        ({"dead_time": -1.0}, "the dead time is -1.0"),
        ({"states": ("a", "a")}, "a state is listed twice"),
        ({"unit": "m\ts"}, "unprintable"),
        ({"state_index": [], "duration": [], "usable": []}, "there is no dwell"),
    ],
)
def test_unusable_records(changes, fragment):
    with pytest.raises(DataError, match=fragment):
        make(**changes)
