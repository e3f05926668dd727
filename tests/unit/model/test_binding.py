"""Binding: columns are found by SBML id, SBML name or mapping, and refused with candidates."""

from __future__ import annotations

import numpy as np
import pytest

from sbmlgrad.errors import DataError
from sbmlgrad.model.binding import bind
from sbmlgrad.model.measurements import Measurements

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
    number = len(observables)
    return Measurements(
        observables=observables,
        time=np.arange(float(number)),
        observable_index=np.arange(number),
        value=10.0 + np.arange(float(number)),
        replicate=("1",) * number,
        condition=("",) * number,
        units=units,
        source_name="d.csv",
    )


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
