"""What the kernel with a clock is told of a network."""

from __future__ import annotations

import numpy as np
import pytest

import sbmlgrad as sg
from sbmlgrad.codegen.hybrid_tables import hybrid_tables
from sbmlgrad.codegen.lowering import lower


@pytest.mark.parametrize(
    ("law", "may_turn_negative"),
    [
        ("k*A*(1 - time^10/(34^10 + time^10))", False),
        ("k*A*(1 + cos(time))", False),
        ("k*A*sin(q)", True),
        ("k*A*cos(time)", True),
        ("k*A", False),
    ],
)
def test_only_propensities_without_a_proof_are_searched_for_a_sign(
    law: str, may_turn_negative: bool
) -> None:
    # Interval arithmetic alone cannot tell the first law from one that turns negative at late
    # times, and would look for it a thousand times between any two firings.
    model = sg.load(
        f"model m; k = 1; A = 5; q = 0; q' = 0.1; J: A -> ; {law}; K: -> A; k*time; end",
        substance="item",
    )
    _, hybrid = hybrid_tables(lower(model))
    np.testing.assert_array_equal(hybrid.may_turn_negative, [may_turn_negative, False])
    assert hybrid.rate_moves[1]
