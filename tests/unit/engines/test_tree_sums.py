"""Sums of propensities in a tree: which reaction a target selects."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbmlgrad.codegen import tree_tables
from sbmlgrad.engines.tree import sums as tree_sums

LEAVES = st.one_of(
    st.sampled_from([0.0, 0.0, 5e-324, 1e-310, 1e-8, 1.0, 1.0, 3.0, 1e16]),
    st.floats(min_value=0.0, max_value=1e3, allow_subnormal=True),
)


def sums_over(leaves: list[float]) -> tuple[list[float], np.ndarray]:
    starts = tree_tables._level_starts(len(leaves))
    sums = [0.0] * int(starts[-1])
    sums[: len(leaves)] = leaves
    for level in range(1, len(starts) - 1):
        for node in range((starts[level] - starts[level - 1]) // tree_tables.FAN_OUT):
            child = starts[level - 1] + tree_tables.FAN_OUT * node
            sums[starts[level] + node] = tree_sums.node_sum(sums, child)
    return sums, starts


@settings(max_examples=300, deadline=None)
@given(
    leaves=st.lists(LEAVES, min_size=1, max_size=80),
    v=st.one_of(st.floats(0.0, 1.0, exclude_max=True), st.sampled_from([0.0, 1.0 - 2.0**-53])),
)
def test_selection_is_that_of_the_running_sum_and_never_of_zero(leaves, v) -> None:
    sums, starts = sums_over(leaves)
    total = sums[-1]
    if total == 0.0:
        assert not any(leaves)
        return
    assert math.isclose(total, math.fsum(leaves), rel_tol=1e-14)
    found = tree_sums.select(sums, starts, v * total)
    assert leaves[found] > 0.0
    # Up to rounding the target lies within the leaf.
    below = sum((Fraction(x) for x in leaves[:found]), Fraction(0))
    slack = Fraction(1e-14) * Fraction(total) + Fraction(5e-324)
    assert below - slack <= Fraction(v) * Fraction(total) <= below + Fraction(leaves[found]) + slack


@pytest.mark.parametrize("count", [1, 7, 8, 9, 64, 70, 530])
def test_selection_is_exact_where_nothing_is_rounded(count: int) -> None:
    leaves = np.random.default_rng(count).integers(0, 3, count).astype(float)
    leaves[count // 2] = 1.0
    sums, starts = sums_over(leaves.tolist())
    running = np.cumsum(leaves)
    for target in np.arange(0.0, running[-1], 0.5):
        expected = int(np.searchsorted(running, target, side="right"))
        assert tree_sums.select(sums, starts, target) == expected
