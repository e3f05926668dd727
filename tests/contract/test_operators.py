"""Every row of the operator table: all targets agree, and derivatives are right."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.printing import print_expression
from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import tables
from sbmlgrad.io.sbml.mathml import to_expression
from sbmlgrad.model.channels import Channel
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.elements import Parameter
from sbmlgrad.model.expression import Apply, Symbol, symbols
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import OPERATORS, evaluate

POINTS = ({"x": 1.7, "y": 0.6, "z": 2.3}, {"x": 0.4, "y": 2.5, "z": 0.9})
X, Y, Z = Symbol("x"), Symbol("y"), Symbol("z")


def expressions(name: str) -> list[Apply]:
    """Every arity up to five that the operator accepts, on distinct arguments."""
    row = OPERATORS[name]
    low, high = Apply("lt", (X, Y)), Apply("gt", (Y, Z))
    if name == "piecewise":
        return [
            Apply(name, (X,)),
            Apply(name, (X, low, Y)),
            Apply(name, (X, low, Apply("times", (X, Y)), high, Apply("times", (Y, Z)))),
        ]
    plain = (X, Y, Z)
    logical = (low, high, Apply("leq", (X, Z)))
    arguments = logical if name in ("and", "or", "not") else plain
    return [Apply(name, arguments[:n]) for n in range(4) if row.accepts(n)]


CASES = [(name, e) for name in OPERATORS for e in expressions(name)]
IDS = [f"{name}-{len(e.arguments)}" for name, e in CASES]


def lowered(expression: Apply) -> LoweredNetwork:
    net = ReactionNetwork("one", parameters=tuple(Parameter(i, 1.0) for i in "xyz"))
    return LoweredNetwork(net, (Channel("J", "J", expression, {}),))


def test_opcodes_are_unique() -> None:
    codes = [row.opcode for row in OPERATORS.values()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("values", POINTS, ids=["first", "second"])
@pytest.mark.parametrize(("name", "expression"), CASES, ids=IDS)
def test_targets_agree(name: str, expression: Apply, values: dict[str, float]) -> None:
    truth = float(evaluate(expression, values))
    text = print_expression(expression, "numba", lambda s: s)
    assert float(eval(text, {"math": math, "nan": math.nan, **values})) == pytest.approx(
        truth, rel=1e-15
    )
    table = tables(lowered(expression), derivatives=False)
    inputs = np.array([values[s] for s in "xyz"])
    got = run_program(table, 0, np.empty(0), inputs, np.empty(table.stack_size))
    assert float(got) == pytest.approx(truth, rel=1e-15)


@pytest.mark.parametrize(("name", "expression"), CASES, ids=IDS)
def test_print_and_parse_is_the_identity(name: str, expression: Apply) -> None:
    import libsbml

    settings = libsbml.L3ParserSettings()
    text = print_expression(expression, "infix", lambda s: s)
    node = libsbml.parseL3FormulaWithSettings(text, settings)
    assert node is not None, libsbml.getLastParseL3Error()
    again = to_expression(node, {}, {})
    for values in POINTS:
        assert float(evaluate(again, values)) == float(evaluate(expression, values))


@pytest.mark.parametrize("values", POINTS, ids=["first", "second"])
@pytest.mark.parametrize(("name", "expression"), CASES, ids=IDS)
def test_derivative_against_differences(
    name: str, expression: Apply, values: dict[str, float]
) -> None:
    for symbol in symbols(expression):
        exact = float(evaluate(derivative(expression, symbol), values))
        h = 1e-6
        up = float(evaluate(expression, {**values, symbol: values[symbol] + h}))
        down = float(evaluate(expression, {**values, symbol: values[symbol] - h}))
        # Central differences err by h^2/6 f''' and rounding eps/h: both below 1e-8 here.
        assert exact == pytest.approx((up - down) / (2 * h), rel=1e-7, abs=1e-8), symbol


def test_power_at_zero_has_finite_derivatives() -> None:
    law = Apply("power", (X, Y))
    at_zero = {"x": 0.0, "y": 2.0}
    assert float(evaluate(derivative(law, "x"), at_zero)) == 0.0
    assert float(evaluate(derivative(law, "y"), at_zero)) == 0.0


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (2.0, 3.0)])
def test_extrema_pass_their_derivative_on_once(a: float, b: float) -> None:
    for name in ("min", "max"):
        law = Apply(name, (X, Y))
        slopes = [float(evaluate(derivative(law, s), {"x": a, "y": b})) for s in "xy"]
        assert sum(slopes) == 1.0
