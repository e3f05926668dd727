"""Deterministic simulation against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from rate_models import after, amount, concentration, decay, event, is_, n, network, s, solve

from sbmlgrad.model.elements import (
    Reaction,
    SpeciesReference,
    Stoichiometry,
)
from sbmlgrad.model.expression import (
    ONE,
    TIME,
    ZERO,
    Apply,
    Expression,
    add,
    multiply,
    negate,
    subtract,
)


def test_decay_is_an_exponential() -> None:
    times = np.linspace(0.0, 20.0, 41)
    found = solve(decay(), list(times))
    np.testing.assert_allclose(found["X"], np.exp(-times), rtol=1e-6, atol=1e-13)
    np.testing.assert_allclose(found["J"], np.exp(-times), rtol=1e-6, atol=1e-13)


@pytest.mark.parametrize("scale", [1e-20, 1e-12, 1.0, 1e12])
def test_accuracy_does_not_depend_on_the_unit_of_substance(scale: float) -> None:
    chain = network(
        species=[amount("A", scale), amount("B", 0.0), amount("C", 0.0)],
        reactions=(
            Reaction("J1", {"A": 1}, {"B": 1}, s("A")),
            Reaction("J2", {"B": 1}, {"C": 1}, multiply(n(2.0), s("B"))),
        ),
    )
    times = np.array([0.0, 0.1, 1.0, 5.0])
    found = solve(chain, list(times))
    a, b = np.exp(-times), np.exp(-times) - np.exp(-2.0 * times)
    np.testing.assert_allclose(found["A"], scale * a, rtol=1e-6)
    np.testing.assert_allclose(found["B"], scale * b, rtol=1e-6)
    np.testing.assert_allclose(found["C"], scale * (1.0 - a - b), rtol=1e-6)


def test_a_stiff_problem_has_its_known_solution() -> None:
    # Robertson's problem; the values at t = 40 and 4e5 are those of Hairer & Wanner 1996, IV.10.
    def law(*factors: Expression) -> Expression:
        return multiply(*factors)

    robertson = network(
        species=[amount("A"), amount("B", 0.0), amount("C", 0.0)],
        reactions=(
            Reaction("J1", {"A": 1}, {"B": 1}, law(n(0.04), s("A"))),
            Reaction("J2", {"B": 2}, {"B": 1, "C": 1}, law(n(3e7), s("B"), s("B"))),
            Reaction("J3", {"B": 1, "C": 1}, {"A": 1, "C": 1}, law(n(1e4), s("B"), s("C"))),
        ),
    )
    found = solve(robertson, [0.0, 40.0, 4e5])
    np.testing.assert_allclose(found["A"][1:], [0.7158270688, 4.9382e-3], rtol=1e-4)
    np.testing.assert_allclose(found["B"][1:], [9.185534765e-6, 1.985e-8], rtol=1e-3)
    np.testing.assert_allclose(found["A"] + found["B"] + found["C"], 1.0, rtol=1e-7)


def test_a_stiff_problem_may_start_anywhere_in_its_solution() -> None:
    # X is held near Y by a rate of 1e9 and events start the solver again and again.
    fast = multiply(n(1e9), subtract(s("Y"), s("X")))
    model = network(
        parameters={"X": 1.0, "Y": 1.0, "last": 0.0, "n": 0.0},
        rate_rules={"X": fast, "Y": negate(s("Y"))},
        events=(
            event(
                is_("geq", subtract(TIME, s("last")), n(0.25)),
                {"last": TIME, "n": add(s("n"), ONE)},
            ),
        ),
    )
    times = np.array([0.5, 2.0, 5.1])
    found = solve(model, list(times))
    np.testing.assert_allclose(found["X"], np.exp(-times), rtol=1e-6)
    np.testing.assert_array_equal(found["n"], [2.0, 8.0, 20.0])


def test_volumes_factors_and_both_sides_count() -> None:
    # 3 f per extent of a law k [X], in amounts; a boundary species stays.
    model = network(
        species=[concentration("X", conversion_factor="f"), amount("B", 5.0, boundary=True)],
        parameters={"k": 0.5, "f": 2.0},
        size=4.0,
        reactions=(Reaction("J", {"X": 1, "B": 1}, {"X": 4}, multiply(s("k"), s("X"))),),
    )
    times = np.array([0.0, 1.0, 2.0])
    found = solve(model, list(times))
    np.testing.assert_allclose(found["X"], np.exp(3.0 * 2.0 * 0.5 / 4.0 * times), rtol=1e-7)
    np.testing.assert_array_equal(found["B"], 5.0)


def test_a_stoichiometry_may_be_a_formula_that_changes() -> None:
    model = network(
        species=[amount("X", 0.0), amount("Y", 0.0)],
        references=(SpeciesReference("r", 2.0),),
        rate_rules={"r": n(1.0)},
        reactions=(
            Reaction(
                "J",
                {"Y": 1.0},
                {},
                ONE,
                formulas=(Stoichiometry("X", s("r"), True), Stoichiometry("Y", s("r"), False)),
            ),
        ),
    )
    times = np.array([0.0, 1.0, 3.0])
    found = solve(model, list(times))
    np.testing.assert_allclose(found["X"], 2.0 * times + times**2 / 2.0, rtol=1e-7)
    np.testing.assert_allclose(found["Y"], -3.0 * times - times**2 / 2.0, rtol=1e-7)


def test_amounts_persist_while_a_volume_grows() -> None:
    model = network(
        species=[concentration("X", 3.0), concentration("Y", 3.0, boundary=True)],
        size=2.0,
        rate_rules={"cell": s("cell"), "Y": n(1.0)},
        reactions=(Reaction("J", {"X": 1}, {}, ZERO),),
    )
    times = np.array([0.0, 0.5, 1.0])
    found = solve(model, list(times))
    np.testing.assert_allclose(found["cell"], 2.0 * np.exp(times), rtol=1e-7)
    np.testing.assert_allclose(found["X"], 3.0 * np.exp(-times), rtol=1e-7)
    # A rate rule is about the concentration, whatever the volume does.
    np.testing.assert_allclose(found["Y"], 3.0 + times, rtol=1e-7)


def test_a_volume_may_be_given_by_a_rule() -> None:
    model = network(
        species=[concentration("Y", 3.0, boundary=True)],
        assignment_rules={"cell": add(ONE, multiply(TIME, TIME))},
        rate_rules={"Y": s("Y")},
    )
    times = np.array([0.0, 0.5, 1.0])
    found = solve(model, list(times))
    np.testing.assert_allclose(found["Y"], 3.0 * np.exp(times), rtol=1e-7)


def test_rate_of_is_the_rate_of_change() -> None:
    # y' = rateOf(X) = -k X, so y = X - 1; z' = rateOf([S]) where the volume grows as 1 + t.
    model = network(
        species=[amount("X"), concentration("S", 2.0)],
        parameters={"k": 0.7, "y": 0.0, "z": 0.0, "rate": 0.0},
        assignment_rules={"cell": add(ONE, TIME), "rate": Apply("rateOf", (s("y"),))},
        rate_rules={"y": Apply("rateOf", (s("X"),)), "z": Apply("rateOf", (s("S"),))},
        reactions=(
            Reaction("J", {"X": 1}, {}, multiply(s("k"), s("X"))),
            Reaction("none", {"S": 1}, {}, ZERO),
        ),
    )
    times = np.array([0.0, 0.5, 2.0])
    found = solve(model, list(times))
    np.testing.assert_allclose(found["y"], np.exp(-0.7 * times) - 1.0, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(found["z"], 2.0 / (1.0 + times) - 2.0, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(found["rate"], -0.7 * np.exp(-0.7 * times), rtol=1e-6)


def test_a_jump_of_the_right_hand_side_is_not_smeared() -> None:
    pulse = Apply(
        "piecewise", (n(1e3), Apply("and", (after(50.0), is_("lt", TIME, n(50.001)))), ZERO)
    )
    above = Apply("piecewise", (n(1.0), is_("lt", s("z"), n(0.3)), n(0.01)))
    model = network(parameters={"y": 0.0, "z": 0.0}, rate_rules={"y": pulse, "z": above})
    found = solve(model, [0.0, 50.0, 50.0005, 100.0])
    np.testing.assert_allclose(found["y"], [0.0, 0.0, 0.5, 1.0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["z"][1:], 0.3 + 0.01 * (np.array([50, 50.0005, 100]) - 0.3))


def test_a_formula_need_not_have_a_value_beyond_its_own_condition() -> None:
    # y' = -sqrt(y) reaches 0 at t = 2 and stays; beyond, the square root has no value.
    root = Apply("sqrt", (s("y"),))
    fall = Apply("piecewise", (negate(root), is_("gt", s("y"), ZERO), ZERO))
    model = network(parameters={"y": 1.0}, rate_rules={"y": fall})
    found = solve(model, [0.0, 1.0, 1.9, 3.0])
    np.testing.assert_allclose(found["y"], [1.0, 0.25, 0.0025, 0.0], rtol=1e-6, atol=1e-12)
