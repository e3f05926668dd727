"""Structural bounds of laws: the operators beyond arithmetic, and work in proportion to size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import pytest

from sbmlgrad.model.expression import Apply, Expression, Number, Symbol, add, divide, multiply
from sbmlgrad.model.laws.intervals import EVERYTHING, Bounds, interval

X, K = Symbol("X"), Symbol("k")
ONE = Number(1.0)


def call(name: str, *arguments: Expression) -> Apply:
    return Apply(name, arguments)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (call("sin", X), (-1.0, 1.0)),
        (add(ONE, call("cos", X)), (0.0, 2.0)),
        (call("tan", X), EVERYTHING),
        (call("tanh", X), (0.0, 1.0)),
        (call("cosh", X), (1.0, math.inf)),
        (call("sech", X), (0.0, 1.0)),
        (call("coth", X), (1.0, math.inf)),
        (call("arctan", X), (0.0, math.pi / 2.0)),
        (call("arccot", X), (0.0, math.pi / 2.0)),
        (call("arccos", X), (0.0, math.pi / 2.0)),
        (call("arcsinh", X), (0.0, math.inf)),
        (call("factorial", X), (1.0, math.inf)),
        (call("floor", X), (0.0, math.inf)),
        (call("sqrt", add(Number(4.0), X)), (2.0, math.inf)),
        (call("rem", X, Number(3.0)), (0.0, 3.0)),
        (call("quotient", Number(7.0), add(Number(2.0), X)), (0.0, 3.0)),
        (call("log10", add(Number(10.0), X)), (1.0, math.inf)),
        (call("abs", call("sin", X)), (0.0, 1.0)),
        (call("power", add(ONE, X), Number(2.0)), (1.0, math.inf)),
        (call("xor", X, ONE), (0.0, 1.0)),
        (multiply(K, call("implies", X, ONE)), (0.0, 3.0)),
        # Of a draw and of a rate of change nothing is known, whatever their arguments.
        (call("normal", K, ONE), EVERYTHING),
        (call("exp", call("rateOf", K)), (0.0, math.inf)),
    ],
)
def test_bounds(expression: Expression, expected: tuple[float, float]) -> None:
    low, high = interval(expression, {"k": 3.0})
    assert low == pytest.approx(expected[0], abs=1e-15)
    assert high == pytest.approx(expected[1])


class _Counted(Mapping[str, float]):
    """Constants that count how often they are asked for."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = values
        self.asked = 0

    def __getitem__(self, key: str) -> float:
        self.asked += 1
        return self._values[key]

    def __contains__(self, key: object) -> bool:
        self.asked += 1
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def nested(depth: int) -> Expression:
    law: Expression = X
    for _ in range(depth):
        law = divide(multiply(K, law), add(K, law))
    return law


def chained(depth: int) -> Expression:
    law: Expression = X
    for _ in range(depth):
        law = call("exp", add(K, law))
    return law


# A product inside a product is taken apart again for each product around it: quadratic in depth.
@pytest.mark.parametrize(("make", "growth"), [(chained, 2.2), (nested, 4.5)])
def test_the_work_does_not_explode_with_depth(
    make: Callable[[int], Expression], growth: float
) -> None:
    work = []
    for depth in (10, 20, 40):
        constants = _Counted({"k": 3.0})
        interval(make(depth), constants)
        work.append(constants.asked)
    assert work[1] <= growth * work[0]
    assert work[2] <= growth * work[1]


def test_the_work_grows_in_proportion_to_the_number_of_terms() -> None:
    work = []
    for count in (200, 400):
        constants = _Counted({"k": 3.0})
        symbols = [Symbol(f"s{i}") for i in range(count)]
        law = add(*(divide(multiply(K, s), add(K, s)) for s in symbols))
        assert interval(law, constants) == (0.0, math.inf)
        work.append(constants.asked)
    assert work[1] <= 2.2 * work[0]


def test_bounds_of_parts_are_worked_out_once() -> None:
    constants = _Counted({"k": 3.0})
    bounds = Bounds(constants)
    law = chained(20)
    first = bounds.of(law)
    asked = constants.asked
    assert bounds.of(law) == first
    assert isinstance(law, Apply)
    assert bounds.of(law.arguments[0]) == (3.0 + bounds.of(chained(19))[0], math.inf)
    assert constants.asked < asked + 60
