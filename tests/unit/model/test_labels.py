"""Words for labels: of many the first ones, and of unknown ones the nearest."""

from __future__ import annotations

import pytest

from sbmlgrad.errors import DataError
from sbmlgrad.model.labels import first_of, refuse_unknown


@pytest.mark.parametrize(
    ("most", "what", "said"),
    [
        (3, "", "a, b, c"),
        (2, "", "a, b and 1 more"),
        (1, "columns", "a and 2 more columns"),
    ],
)
def test_of_many_the_first_ones_are_named(most, what, said) -> None:
    assert first_of(["a", "b", "c"], most, what) == said


def test_an_unknown_label_is_refused_with_the_nearest_ones() -> None:
    refuse_unknown("d.csv", "condition", "low", ("low", "high"))
    with pytest.raises(
        DataError, match=r"d\.csv: there is no condition 'hihg' .*'high'.*there are"
    ):
        refuse_unknown("d.csv", "condition", "hihg", ("low", "high"))
