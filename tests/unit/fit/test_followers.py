"""Parameters that follow others by initial assignments, and what ends such a chain."""

from __future__ import annotations

import pytest
from networks import antimony

from sbmlgrad.fit.problems.followers import followers

CHAIN = """substanceOnly species X in cell; X = 0; a = 1; b = 2*a; c = b + 1; d = 3*rule; rule := c;
    J0: => X; a*b*c*d;"""


@pytest.mark.parametrize(
    ("moved", "told", "dragged"),
    [
        (["a"], ["a"], ["b", "c", "d"]),
        (["b"], ["b"], ["c", "d"]),
        # What is given a value no longer follows, nor does what follows it alone.
        (["a"], ["a", "b"], []),
        (["a"], ["a", "c"], ["b"]),
    ],
)
def test_a_chain_ends_at_what_is_held(moved, told, dragged) -> None:
    found = followers(antimony(CHAIN), moved, told)
    assert [text.split("'")[1] for text in found] == dragged
    assert all(moved[0] in text for text in found)


def test_a_value_that_was_set_ends_a_chain() -> None:
    model = antimony(CHAIN).with_parameters({"b": 5.0})
    assert followers(model, ["a"], ["a"]) == []
