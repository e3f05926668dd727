"""Interval kernels: what they return encloses what the propensity kernel computes in the box."""

from __future__ import annotations

import math
from functools import cache
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbmlgrad.codegen.interval_driven import INTERVALS
from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import Tables, tables
from sbmlgrad.model.channels import Channel
from sbmlgrad.model.elements import Parameter
from sbmlgrad.model.expression import Apply, Expression, Number, Symbol
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import OPERATORS

#: x and y have an extent, p is an exact input.
X, Y, P = Symbol("x"), Symbol("y"), Symbol("p")
INF = math.inf
NAMES = sorted(name for name, row in OPERATORS.items() if row.is_evaluable)


def assembled(expression: Expression) -> Tables:
    net = ReactionNetwork("one", parameters=tuple(Parameter(i, 1.0) for i in "xyp"))
    law = Apply("plus", (expression,))
    table = tables(LoweredNetwork(net, (Channel("J", "J", law, {}),)), derivatives=False)
    is_count = (table.opcode == 2) & (table.operand < 2)
    return table._replace(opcode=np.where(is_count, 1, table.opcode))


@cache
def kernels(wrong: str | None = None) -> ModuleType:
    return kernel_module((run_program, *INTERVALS), wrong)


def bounds(
    expression: Expression,
    x: tuple[float, float],
    y: tuple[float, float] = (0.0, 0.0),
    p: float = 0.0,
    kernel: ModuleType | None = None,
) -> tuple[float, float]:
    table = assembled(expression)
    low, high = np.array([x[0], y[0]]), np.array([x[1], y[1]])
    stacks = np.empty(table.stack_size), np.empty(table.stack_size)
    run = (kernel or kernels()).run_interval
    return run(table, 0, low, high, np.array([0.0, 0.0, p]), *stacks)


def value(table: Tables, x: float, y: float, p: float) -> float:
    inputs = np.array([0.0, 0.0, p])
    stack = np.empty(table.stack_size)
    return kernels().run_program(table, 0, np.array([x, y]), inputs, stack)


def escaped(
    expression: Expression,
    x: tuple[float, float],
    y: tuple[float, float],
    p: float,
    kernel: ModuleType | None = None,
) -> list[tuple[float, float, float]]:
    """Points of the box whose value lies outside the bounds."""
    low, high = bounds(expression, x, y, p, kernel)
    assert not math.isnan(low)
    assert not math.isnan(high)
    table = assembled(expression)
    rng = np.random.default_rng(1)
    points = [(a, b) for a in x for b in y]
    for share in rng.random((12, 2)):
        a, b = x[0] + (x[1] - x[0]) * share[0], y[0] + (y[1] - y[0]) * share[1]
        a, b = min(max(a, x[0]), x[1]), min(max(b, y[0]), y[1])
        points += [
            (a, b),
            (float(min(max(np.rint(a), x[0]), x[1])), b),
            (math.nextafter(x[0], x[1]), b),
        ]
    found = []
    for a, b in points:
        v = value(table, a, b, p)
        is_inside = (low, high) == (-INF, INF) if math.isnan(v) else low <= v <= high
        if not is_inside:
            found.append((a, b, v))
    return found


def _applied(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    def build(name: str, arguments: list[Expression], count: int) -> Expression:
        least, most = OPERATORS[name].arity
        count = max(least, min(count, 5 if most is None else most))
        return Apply(name, tuple(arguments[:count]))

    five = st.lists(inner, min_size=5, max_size=5)
    return st.builds(build, st.sampled_from(NAMES), five, st.integers(1, 5))


LITERALS = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 10.0, INF, math.nan])
LEAVES = st.one_of(st.sampled_from([X, Y, X, Y, P]), LITERALS.map(Number))
EXPRESSIONS = st.recursive(LEAVES, _applied, max_leaves=8)
ENDS = st.one_of(
    st.integers(-8, 8).map(float),
    st.floats(-9.0, 9.0),
    st.sampled_from([-1e300, -1e6, -1e-300, 1e-300, 1e6, 1e300]),
)
SIDES = st.tuples(ENDS, ENDS).map(lambda s: (min(s), max(s)))


@settings(max_examples=600, deadline=None)
@given(EXPRESSIONS, SIDES, SIDES, ENDS)
def test_bounds_enclose_every_value_in_the_box(
    expression: Expression, x: tuple[float, float], y: tuple[float, float], p: float
) -> None:
    assert escaped(expression, x, y, p) == []


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS, ENDS, ENDS, ENDS)
def test_a_box_of_one_point_gives_the_value_itself(
    expression: Expression, x: float, y: float, p: float
) -> None:
    exact = value(assembled(expression), x, y, p)
    expected = (-INF, INF) if math.isnan(exact) else (exact, exact)
    assert bounds(expression, (x, x), (y, y), p) == expected


WRONG = {
    "a sine without its maximum": (
        "def reaches(low, high, first, period):\n    return False\n",
        Apply("sin", (X,)),
        (0.0, 3.0),
    ),
    "an inverse without its pole": (
        "def reciprocal_bounds(low, high):\n    return 1.0 / high, 1.0 / low\n",
        Apply("csc", (X,)),
        (-1.0, 1.0),
    ),
    "a power without its minimum": (
        "def power_bounds(low, high, low2, high2):\n    return low**low2, high**high2\n",
        Apply("power", (X, Number(2.0))),
        (-3.0, 2.0),
    ),
    "a comparison that is too sure": (
        "def condition_bounds(op, low, high, low2, high2):\n    return 1.0, 1.0\n",
        Apply("gt", (X, Number(1.0))),
        (0.0, 2.0),
    ),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_a_planted_fault_is_found(name: str) -> None:
    source, expression, x = WRONG[name]
    assert escaped(expression, x, (0.0, 0.0), 0.0) == []
    assert escaped(expression, x, (0.0, 0.0), 0.0, kernels(source)) != []


# --- particular rules -----------------------------------------------------------------------------

LESS = Apply("lt", (X, Number(5.0)))


def test_conditions_on_time_are_sharp_where_they_change() -> None:
    late = Apply("geq", (X, Number(5.0)))
    before = math.nextafter(5.0, 0.0)
    assert bounds(late, (0.0, before)) == (0.0, 0.0)
    assert bounds(late, (before, 5.0)) == (0.0, 1.0)
    assert bounds(late, (5.0, 9.0)) == (1.0, 1.0)
    shifted = Apply("geq", (Apply("minus", (X, Number(5.0))), Number(0.0)))
    assert bounds(shifted, (0.0, before)) == (0.0, 0.0)
    assert bounds(shifted, (5.0, 9.0)) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("expression", "x", "expected"),
    [
        (Apply("times", (X, X)), (-1.0, 2.0), (-2.0, 4.0)),
        (Apply("divide", (Number(1.0), X)), (1.0, 4.0), (0.25, 1.0)),
        (Apply("divide", (Number(1.0), X)), (0.0, 4.0), (-INF, INF)),
        (Apply("ln", (X,)), (-1.0, 4.0), (-INF, INF)),
        (Apply("abs", (X,)), (-3.0, 2.0), (0.0, 3.0)),
        (Apply("floor", (X,)), (-0.5, 2.5), (-1.0, 2.0)),
        (Apply("sin", (X,)), (0.0, 100.0), (-1.0, 1.0)),
        (Apply("rem", (X, Number(3.0))), (4.0, 5.0), (1.0, 2.0)),
        (Apply("rem", (X, Number(3.0))), (5.0, 7.0), (0.0, 3.0)),
        (Apply("rem", (X, Number(3.0))), (-1.0, 2.0), (-1.0, 2.0)),
        (Apply("quotient", (X, Number(2.0))), (-3.0, 5.0), (-1.0, 2.0)),
        (Apply("min", (X, Number(math.nan))), (0.0, 1.0), (-INF, INF)),
        (Apply("factorial", (X,)), (3.0, 3.0), (6.0, 6.0)),
        (Apply("factorial", (X,)), (2.5, 2.5), (-INF, INF)),
        (Apply("piecewise", (Number(2.0), LESS, Number(7.0))), (0.0, 4.0), (2.0, 2.0)),
        (Apply("piecewise", (Number(2.0), LESS, Number(7.0))), (5.0, 6.0), (7.0, 7.0)),
        (Apply("piecewise", (Number(2.0), LESS, Number(7.0))), (4.0, 6.0), (2.0, 7.0)),
        (Apply("piecewise", (Number(2.0), LESS)), (4.0, 6.0), (-INF, INF)),
        (Apply("and", (LESS, Apply("gt", (X, Number(2.0))))), (3.0, 4.0), (1.0, 1.0)),
        (Apply("and", (X, LESS)), (6.0, 7.0), (0.0, 0.0)),
        (Apply("or", (LESS, Apply("gt", (X, Number(9.0))))), (6.0, 7.0), (0.0, 0.0)),
        (Apply("xor", (LESS, X)), (1.0, 2.0), (0.0, 0.0)),
        (Apply("implies", (LESS, X)), (6.0, 7.0), (1.0, 1.0)),
        (Apply("not", (LESS,)), (6.0, 7.0), (1.0, 1.0)),
        (Apply("eq", (X, Number(5.0))), (6.0, 7.0), (0.0, 0.0)),
        (Apply("neq", (X, Number(5.0))), (6.0, 7.0), (1.0, 1.0)),
    ],
)
def test_rules_are_as_tight_as_they_can_be(
    expression: Expression, x: tuple[float, float], expected: tuple[float, float]
) -> None:
    assert bounds(expression, x) == expected


def test_nothing_undefined_is_lost_on_the_way() -> None:
    root = Apply("sqrt", (X,))
    for outer in ("abs", "exp", "tanh", "sin", "floor", "arctan", "cosh"):
        assert bounds(Apply(outer, (root,)), (-1.0, 1.0)) == (-INF, INF), outer
    for outer in ("plus", "times", "min", "max", "power"):
        assert bounds(Apply(outer, (root, Number(2.0))), (-1.0, 1.0)) == (-INF, INF), outer
    # NaN compares as false with everything, so that no comparison is certain.
    assert bounds(Apply("lt", (root, Number(INF))), (-1.0, 1.0)) == (0.0, 1.0)
    assert bounds(Apply("neq", (root, Number(-1.0))), (-1.0, 1.0)) == (0.0, 1.0)


def test_a_value_that_one_branch_leaves_out_does_no_harm() -> None:
    guarded = Apply("piecewise", (Apply("ln", (X,)), Apply("gt", (X, Number(0.0))), Number(0.0)))
    assert bounds(guarded, (-3.0, -1.0)) == (0.0, 0.0)
    both = Apply("and", (Apply("gt", (X, Number(0.0))), Apply("gt", (Apply("ln", (X,)), X))))
    assert bounds(both, (-3.0, -1.0)) == (0.0, 0.0)


def test_functions_of_the_library_are_rounded_outwards_by_little() -> None:
    low, high = bounds(Apply("exp", (X,)), (0.0, 1.0))
    assert 1.0 - 1e-14 < low < 1.0
    assert math.e < high < math.e * (1.0 + 1e-14)


def test_both_zeros_are_kept_apart() -> None:
    # 0 * x is 0 or -0, and 1 / that is infinite of either sign.
    inverse = Apply("divide", (Number(1.0), Apply("times", (Number(0.0), X))))
    assert bounds(inverse, (-1.0, 1.0)) == (-INF, INF)
    assert bounds(inverse, (2.0, 2.0)) == (INF, INF)
