"""Every row of the operator table: all targets agree, derivatives and interval rules are right."""

from __future__ import annotations

import math
from functools import cache
from itertools import product

import numpy as np
import pytest

from sbmlgrad.codegen.interval_driven import INTERVALS
from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.printing import print_expression
from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import Tables, tables
from sbmlgrad.errors import SbmlGradError
from sbmlgrad.io.sbml.mathml import to_expression
from sbmlgrad.model.channels import Channel
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.elements import Parameter
from sbmlgrad.model.expression import Apply, Number, Symbol, symbols
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import OPERATORS, evaluate

#: Points without kinks or poles, for derivatives.
SMOOTH_POINTS = (
    {"x": 1.7, "y": 0.6, "z": 2.3},
    {"x": 0.4, "y": 2.5, "z": 0.9},
    {"x": -0.3, "y": 1.4, "z": -2.6},
)
POINTS = (
    *SMOOTH_POINTS,
    {"x": 5.0, "y": 3.0, "z": 4.0},
    {"x": 0.0, "y": 1.0, "z": 0.0},
    {"x": -7.0, "y": 2.0, "z": 2.0},
    {"x": 0.0, "y": 0.0, "z": 0.0},
    {"x": math.inf, "y": math.nan, "z": 1.0},
    {"x": 1.0, "y": -math.inf, "z": math.nan},
    {"x": math.nan, "y": 1.0, "z": 2.0},
)
X, Y, Z = Symbol("x"), Symbol("y"), Symbol("z")
EVALUABLE = [name for name, row in OPERATORS.items() if row.is_evaluable]


def expressions(name: str) -> list[Apply]:
    """Every arity up to five that the operator accepts, on distinct arguments."""
    row = OPERATORS[name]
    low, high = Apply("lt", (X, Y)), Apply("gt", (Y, Z))
    if name == "piecewise":
        return [
            Apply(name, (X,)),
            Apply(name, (X, low)),
            Apply(name, (X, low, Y)),
            Apply(name, (X, low, Apply("times", (X, Y)), high, Apply("times", (Y, Z)))),
            # A number as a condition, a truth value as a value.
            Apply(name, (low, X, high)),
        ]
    found = [Apply(name, (X, Y, Z)[:n]) for n in range(4) if row.accepts(n)]
    if row.is_logical:
        logical = (low, high, Apply("leq", (X, Z)))
        found += [Apply(name, logical[:n]) for n in range(1, 4) if row.accepts(n)]
        # A truth value is a number.
        found += [Apply("plus", (found[-1], found[-1], X))]
    return found


CASES = [(name, e) for name in EVALUABLE for e in expressions(name)]
IDS = [f"{name}-{i}" for i, (name, e) in enumerate(CASES)]
DIFFERENTIABLE = [(n, e) for n, e in CASES if not OPERATORS[n].is_logical]


def lowered(*laws: Apply) -> LoweredNetwork:
    net = ReactionNetwork("one", parameters=tuple(Parameter(i, 1.0) for i in "xyz"))
    return LoweredNetwork(net, tuple(Channel(f"J{i}", "J", e, {}) for i, e in enumerate(laws)))


@cache
def all_tables() -> Tables:
    return tables(lowered(*(e for _, e in CASES)), derivatives=False)


@cache
def kernels():
    return kernel_module((run_program, *INTERVALS))


@cache
def printed():
    """One compiled function with every case, as the printer writes it."""
    lines = ["def printed(x, y, z, out):"]
    for i, (_, e) in enumerate(CASES):
        lines.append(f"    out[{i}] = {print_expression(e, 'numba', lambda s: s)}")
    return kernel_module((), "\n".join([*lines, ""])).printed


def close(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b)) or abs(a - b) <= 2e-15 * abs(b)


def test_opcodes_are_unique() -> None:
    codes = [OPERATORS[name].opcode for name in EVALUABLE]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("name", EVALUABLE)
def test_every_operator_has_a_value_somewhere(name: str) -> None:
    for expression in expressions(name):
        values = [float(evaluate(expression, point)) for point in POINTS]
        assert any(math.isfinite(v) for v in values), expression


@pytest.mark.parametrize("values", POINTS, ids=str)
def test_targets_agree(values: dict[str, float]) -> None:
    truth = [float(evaluate(e, values)) for _, e in CASES]
    out = np.empty(len(CASES))
    printed()(values["x"], values["y"], values["z"], out)
    table, run = all_tables(), kernels().run_program
    inputs = np.array([values[s] for s in "xyz"])
    stack = np.empty(table.stack_size)
    interpreted = [run(table, i, np.empty(0), inputs, stack) for i in range(len(CASES))]
    disagreeing = [
        (case[1], t, float(p), float(v))
        for case, t, p, v in zip(CASES, truth, out, interpreted, strict=True)
        if not (close(float(p), t) and close(float(v), t))
    ]
    assert disagreeing == []


@pytest.mark.parametrize(("name", "expression"), CASES, ids=IDS)
def test_print_and_parse_is_the_identity(name: str, expression: Apply) -> None:
    import libsbml

    settings = libsbml.L3ParserSettings()
    text = print_expression(expression, "infix", lambda s: s)
    node = libsbml.parseL3FormulaWithSettings(text, settings)
    assert node is not None, libsbml.getLastParseL3Error()
    again = to_expression(node, {}, {})
    for values in POINTS:
        expected = float(evaluate(expression, values))
        assert float(evaluate(again, values)) == pytest.approx(expected, rel=0.0, nan_ok=True)


@pytest.mark.parametrize("values", SMOOTH_POINTS, ids=["first", "second", "third"])
@pytest.mark.parametrize(("name", "expression"), DIFFERENTIABLE)
def test_derivative_against_differences(
    name: str, expression: Apply, values: dict[str, float]
) -> None:
    if math.isnan(float(evaluate(expression, values))):
        return
    for symbol in symbols(expression):
        exact = float(evaluate(derivative(expression, symbol), values))
        h = 1e-6
        up = float(evaluate(expression, {**values, symbol: values[symbol] + h}))
        down = float(evaluate(expression, {**values, symbol: values[symbol] - h}))
        difference = (up - down) / (2 * h)
        if name == "power" and math.isnan(difference):
            # A negative base: the power exists for whole exponents only.
            continue
        # Central differences err by h^2/6 f''' and rounding eps/h: both below 1e-8 here.
        assert exact == pytest.approx(difference, rel=1e-7, abs=1e-8), symbol


@pytest.mark.parametrize("name", [n for n, _ in DIFFERENTIABLE if n != "factorial"])
def test_every_derivative_is_compared_somewhere(name: str) -> None:
    values = [evaluate(e, p) for e in expressions(name) for p in SMOOTH_POINTS]
    assert any(math.isfinite(float(v)) for v in values)


def test_the_factorial_has_no_derivative() -> None:
    assert math.isnan(float(evaluate(derivative(Apply("factorial", (X,)), "x"), {"x": 3.0})))


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


# --- interval rules -------------------------------------------------------------------------------

#: Ends of boxes: signs, whole numbers, poles of 1/x, both sides of 1, more than a period.
ENDS = (-7.5, -2.0, -1.0, -0.4, 0.0, 0.3, 1.0, 1.6, 3.0, 9.0)
SIDES = [(a, b) for a in ENDS for b in ENDS if a <= b]


def boxes(count: int) -> list[tuple[tuple[float, float], ...]]:
    rng = np.random.default_rng(5)
    if count == 1:
        return [(side,) for side in SIDES]
    return [tuple(SIDES[i] for i in rng.integers(0, len(SIDES), count)) for _ in range(60)]


def samples(box: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Corners and points inside, float64 [argument, point]; whole numbers among them."""
    rng = np.random.default_rng(6)
    corners = np.array(list(product(*box))).T
    low, high = np.array([s[0] for s in box]), np.array([s[1] for s in box])
    inside = low[:, None] + (high - low)[:, None] * rng.random((len(box), 60))
    whole = np.clip(np.rint(inside), low[:, None], high[:, None])
    return np.concatenate([corners, inside, whole], axis=1)


@pytest.mark.parametrize("name", EVALUABLE)
def test_the_interval_rule_encloses_the_values(name: str) -> None:
    row = OPERATORS[name]
    for count in range(1, 4):
        if not row.accepts(count):
            continue
        for box in boxes(count):
            low, high = row.bounds(box)
            with np.errstate(all="ignore"):
                values = np.asarray(row.function(*samples(box)), dtype=np.float64)
            values = values[np.isfinite(values)]
            slack = 1e-14 * np.abs(values)
            assert np.all((low <= values + slack) & (values - slack <= high)), (box, low, high)


@pytest.mark.parametrize("name", [n for n in EVALUABLE if OPERATORS[n].accepts(1)])
def test_the_interval_rule_says_something(name: str) -> None:
    """No rule gets by with saying that everything is possible."""
    rule = OPERATORS[name].bounds
    assert any(math.isfinite(sum(rule([side]))) for side in SIDES), name


def test_interval_kernels_enclose_the_values() -> None:
    table, run = all_tables(), kernels().run_interval
    rng = np.random.default_rng(7)
    stacks = np.empty(table.stack_size), np.empty(table.stack_size)
    # The arguments as counts instead of inputs: slots that have an extent.
    moved = table._replace(opcode=np.where(table.opcode == 2, 1, table.opcode))
    finite = np.zeros(len(CASES), dtype=bool)
    for _ in range(150):
        box = tuple(SIDES[i] for i in rng.integers(0, len(SIDES), 3))
        points = samples(box)
        low, high = (np.array([side[end] for side in box]) for end in (0, 1))
        for i in range(len(CASES)):
            least, most = run(moved, i, low, high, np.empty(0), *stacks)
            finite[i] |= math.isfinite(least) and math.isfinite(most)
            for k in range(0, points.shape[1], 3):
                value = kernels().run_program(
                    moved, i, np.ascontiguousarray(points[:, k]), np.empty(0), stacks[0]
                )
                if math.isnan(value):
                    assert (least, most) == (-math.inf, math.inf), (CASES[i], box)
                else:
                    assert least <= value <= most, (CASES[i], box)
    assert [CASES[i][1] for i in np.flatnonzero(~finite)] == []


@pytest.mark.parametrize("values", POINTS, ids=str)
def test_interval_kernels_are_exact_at_a_point(values: dict[str, float]) -> None:
    table = all_tables()
    moved = table._replace(opcode=np.where(table.opcode == 2, 1, table.opcode))
    point = np.array([values[s] for s in "xyz"])
    stacks = np.empty(table.stack_size), np.empty(table.stack_size)
    for i in range(len(CASES)):
        value = kernels().run_program(moved, i, point, np.empty(0), stacks[0])
        low, high = kernels().run_interval(moved, i, point, point, np.empty(0), *stacks)
        expected = (-math.inf, math.inf) if math.isnan(value) else (value, value)
        assert (low, high) == expected, CASES[i]


# --- operators without a value of their own -------------------------------------------------------


@pytest.mark.parametrize("name", [n for n, row in OPERATORS.items() if not row.is_evaluable])
def test_operators_without_a_value_are_refused_not_guessed(name: str) -> None:
    import libsbml

    expression = Apply(name, (X,))
    text = print_expression(expression, "infix", lambda s: s)
    assert to_expression(libsbml.parseL3Formula(text), {}, {}) == expression
    assert OPERATORS[name].bounds([(0.0, 1.0)]) == (-math.inf, math.inf)
    with pytest.raises(SbmlGradError, match=name):
        evaluate(expression, {"x": 1.0})
    with pytest.raises(SbmlGradError, match=name):
        derivative(expression, "x")
    with pytest.raises(SbmlGradError, match=name):
        tables(lowered(Apply("plus", (expression, Number(1.0)))), derivatives=False)
