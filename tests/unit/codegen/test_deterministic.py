"""Rate equations, programs with shared parts, and the conditions taken out of formulas."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sbmlgrad as sg
from sbmlgrad.codegen.conditions import hold
from sbmlgrad.codegen.deterministic import lower_deterministic
from sbmlgrad.codegen.programs import DEEPEST, programs
from sbmlgrad.engines.ode.programs import Evaluator, ode_kernel
from sbmlgrad.model.elements import (
    Compartment,
    Event,
    Parameter,
    Reaction,
    Species,
    SpeciesReference,
    Stoichiometry,
)
from sbmlgrad.model.expression import (
    ONE,
    TIME,
    ZERO,
    Apply,
    Expression,
    Number,
    Symbol,
    add,
    divide,
    multiply,
    substitute,
    subtract,
)
from sbmlgrad.model.issues import EVERY_MODE, STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.jumps import jumps
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.rate_equations import without_rate_of
from sbmlgrad.model.rates_of_change import rate_of_change, resolved_rates

X, Y, K = Symbol("X"), Symbol("Y"), Symbol("k")


def rate_of(symbol: str) -> Expression:
    return Apply("rateOf", (Symbol(symbol),))


def value(expression: Expression, **values: float) -> float:
    return float(evaluate(expression, {"time()": 0.0, **values}))


# --- lowering -------------------------------------------------------------------------------------


def model(**changes: object) -> ReactionNetwork:
    parts: dict[str, object] = {
        "id": "m",
        "compartments": (Compartment("cell", 2.0),),
        "species": (
            Species("X", "cell", initial_concentration=3.0, conversion_factor="f"),
            Species("Y", "cell", initial_amount=1.0, only_substance_units=True),
            Species("B", "cell", initial_amount=1.0, boundary=True, only_substance_units=True),
        ),
        "parameters": (Parameter("k", 0.5), Parameter("f", 10.0), Parameter("unused", 1.0)),
        "references": (SpeciesReference("r", 3.0),),
        "reactions": (
            Reaction(
                "J",
                {"X": 2.0, "B": 1.0},
                {},
                multiply(K, X),
                formulas=(Stoichiometry("Y", Symbol("r"), True),),
            ),
        ),
        **changes,
    }
    return ReactionNetwork(**parts)  # type: ignore[arg-type]


def test_amounts_follow_from_stoichiometry_factor_and_volume() -> None:
    system = lower_deterministic(model())
    assert system.state_ids == ("X", "Y")
    known = {"X": 6.0, "Y": 1.0, "k": 0.5, "f": 10.0, "cell": 2.0, "r": 3.0}
    law = 0.5 * (6.0 / 2.0)
    assert [value(d, **known) for d in system.derivatives] == [-2.0 * 10.0 * law, 3.0 * law]


def test_inputs_are_what_formulas_use_and_nothing_changes() -> None:
    system = lower_deterministic(model())
    assert set(system.input_ids) >= {"k", "f", "cell", "r"}
    assert not set(system.input_ids) & {"X", "Y", TIME.id}


def test_what_only_events_change_does_not_move() -> None:
    event = Event("e", Apply("gt", (TIME, ONE)), {"k": Number(2.0), "B": ONE})
    system = lower_deterministic(model(events=(event,)))
    assert system.state_ids == ("X", "Y", "B", "k")
    assert system.moving == (0, 1)


def test_an_assigned_concentration_carries_the_volume_that_turns_it_into_an_amount() -> None:
    event = Event("e", Apply("gt", (TIME, ONE)), {"X": Number(7.0), "Y": Number(8.0)})
    (lowered,) = lower_deterministic(model(events=(event,))).events
    assert [a.size for a in lowered.assignments] == [Symbol("cell"), None]
    assert [a.symbol for a in lowered.assignments] == ["X", "Y"]


def issue(blocks: frozenset[str]) -> Issue:
    return Issue("algebraic_rule", Severity.ERROR, "rule", 3, "found.", "Do.", blocks)


def test_issues_that_block_this_mode_are_raised_together() -> None:
    twice = (issue(EVERY_MODE), issue(EVERY_MODE))
    with pytest.raises(sg.errors.UnsupportedModelError, match="deterministically") as caught:
        lower_deterministic(model(issues=twice))
    assert caught.value.issues == twice


def test_issues_of_the_stochastic_mode_do_not_matter() -> None:
    assert lower_deterministic(model(issues=(issue(STOCHASTIC_ONLY),))).state_ids


def test_a_second_call_returns_the_same_object() -> None:
    network = model()
    assert lower_deterministic(network) is lower_deterministic(network)


# --- rates of change ------------------------------------------------------------------------------


def test_the_chain_rule_holds_for_state_and_clock() -> None:
    # d/dt (X^2 / (Y + t)) = 2 X X' / (Y + t) - X^2 (Y' + 1) / (Y + t)^2
    formula = divide(multiply(X, X), add(Y, TIME))
    rate = rate_of_change(formula, {"X": Number(3.0), "Y": Number(5.0)})
    at = {"X": 2.0, "Y": 4.0}
    assert value(rate, **at) == pytest.approx(2 * 2 * 3 / 4 - 4 * (5 + 1) / 16)


def test_a_rate_of_may_use_other_rates_of() -> None:
    rates = resolved_rates({"X": K, "Y": add(rate_of("X"), ONE), "Z": rate_of("Y")}, "m")
    assert value(rates["Z"], k=4.0) == 5.0


def test_rates_that_need_each_other_are_refused_by_name() -> None:
    with pytest.raises(sg.errors.UnsupportedModelError, match="depends on itself") as caught:
        resolved_rates({"X": rate_of("Y"), "Y": rate_of("X"), "Z": ONE}, "m")
    assert {i.element for i in caught.value.issues} == {"X", "Y"}


def test_the_rate_of_a_rate_is_refused() -> None:
    nested = Apply("rateOf", (rate_of("X"),))
    with pytest.raises(sg.errors.UnsupportedModelError, match="rate of change itself"):
        resolved_rates({"X": ONE, "Y": nested}, "m")


def test_the_rate_of_something_that_never_changes_is_zero() -> None:
    rates = resolved_rates({"X": rate_of("k")}, "m")
    assert rates["X"] == ZERO


def test_a_rate_of_is_written_in_the_symbols_of_the_model() -> None:
    # [X]' = -2 f k [X] / V as a formula of concentrations, not of amounts.
    rate = without_rate_of(model(), multiply(Number(3.0), rate_of("X")), "p")
    known = {"X": 3.0, "k": 0.5, "f": 10.0, "cell": 2.0}
    assert value(rate, **known) == pytest.approx(3.0 * -2.0 * 10.0 * 0.5 * 3.0 / 2.0)
    plain = multiply(K, X)
    assert without_rate_of(model(), plain, "p") is plain


# --- programs -------------------------------------------------------------------------------------


def run(expressions: list[Expression], state: Mapping[str, float], time: float) -> list[float]:
    tables = programs(expressions, (*state, TIME.id), ())
    return list(Evaluator(tables, np.zeros(0), ode_kernel())(time, np.array(list(state.values()))))


_LEAVES = st.one_of(st.sampled_from([X, Y, TIME]), st.floats(-4.0, 4.0, width=16).map(Number))
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.tuples(
            st.sampled_from(["plus", "minus", "times", "min", "lt", "and"]), inner, inner
        ).map(lambda t: Apply(t[0], (t[1], t[2]))),
        st.tuples(inner, inner, inner).map(lambda t: Apply("piecewise", t)),
        st.tuples(inner, inner).map(lambda t: Apply("plus", (t[0], t[1], t[0]))),
    ),
    max_leaves=30,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(_TREES, min_size=1, max_size=4), st.floats(-3.0, 3.0), st.floats(-3.0, 3.0))
def test_programs_compute_what_expressions_mean(
    expressions: list[Expression], x: float, y: float
) -> None:
    found = run(expressions, {"X": x, "Y": y}, 0.5)
    wanted = [evaluate(e, {"X": x, "Y": y, TIME.id: 0.5}) for e in expressions]
    np.testing.assert_allclose(found, np.array(wanted, dtype=np.float64), rtol=1e-12, atol=1e-12)


def test_a_part_that_occurs_twice_is_evaluated_once() -> None:
    law = multiply(K, X, Y, Apply("exp", (X,)))
    again = multiply(K, X, Y, Apply("exp", (X,)))
    alone = programs([law], ("X", "Y", "k"), ())
    both = programs([law, Apply("minus", (again,))], ("X", "Y", "k"), ())
    # The law, then two pushes and a negation.
    assert len(both.opcode) <= len(alone.opcode) + 3


def test_numbers_that_differ_in_sign_of_zero_or_are_nan_stay_apart() -> None:
    found = run([Number(0.0), Number(-0.0), Number(float("nan"))], {"X": 1.0}, 0.0)
    assert [math.copysign(1.0, v) for v in found[:2]] == [1.0, -1.0]
    assert math.isnan(found[2])


def test_depth_and_sharing_cost_no_more_than_size() -> None:
    # Each level uses the one below twice: 2^300 operations if written out, 300 if shared.
    node: Expression = X
    for _ in range(300):
        node = Apply("minus", (Apply("times", (Number(2.0), node)), node))
    assert run([node], {"X": 1.5}, 0.0) == [1.5]


def test_deep_formulas_are_cut_so_that_the_stack_stays_small() -> None:
    node: Expression = X
    for i in range(3000):
        node = Apply("plus", (Number(float(i)), node))
    tables = programs([node], ("X", TIME.id), ())
    assert tables.stack_size <= DEEPEST + 3
    assert run([node], {"X": 0.5}, 0.0) == [0.5 + 3000 * 2999 / 2]


# --- conditions -----------------------------------------------------------------------------------


def test_jumps_are_the_outermost_conditions_and_steps() -> None:
    inside = Apply("lt", (X, ONE))
    outer = Apply("and", (inside, Apply("gt", (Y, ONE))))
    formula = Apply("piecewise", (Apply("floor", (X,)), outer, Apply("rem", (Y, ONE))))
    found = jumps([formula])
    assert outer in found
    assert inside not in found
    assert Apply("floor", (X,)) in found
    assert Apply("quotient", (Y, ONE)) in found


def test_a_number_used_as_condition_jumps_where_it_is_zero() -> None:
    assert jumps([Apply("piecewise", (X, Y, ONE))]) == [Apply("neq", (Y, ZERO))]


@pytest.mark.parametrize("operator", ["floor", "ceiling"])
def test_what_only_the_clock_changes_is_held(operator: str) -> None:
    step = Apply(operator, (multiply(K, TIME),))
    (held,), modes = hold([add(X, step)], {"X"}, by_clock_alone=True)
    (mode,) = modes
    assert modes[mode] == step
    assert substitute(held, modes) == add(X, step)


def test_a_held_remainder_is_the_remainder() -> None:
    remainder = Apply("rem", (TIME, Number(3.0)))
    (held,), modes = hold([remainder], set(), by_clock_alone=True)
    for time in (0.0, 2.5, 3.0, 7.25, -1.0):
        at = {"time()": time}
        assert value(substitute(held, modes), **at) == value(remainder, **at)


def test_conditions_of_the_state_are_not_held() -> None:
    mixed = Apply("and", (Apply("gt", (TIME, ONE)), Apply("lt", (X, ONE))))
    (held,), modes = hold([mixed], {"X"}, by_clock_alone=True)
    assert list(modes.values()) == [Apply("gt", (TIME, ONE))]
    assert held != mixed
    unmoved, none = hold([subtract(X, Apply("lt", (X, K)))], {"X"}, by_clock_alone=True)
    assert unmoved == [subtract(X, Apply("lt", (X, K)))]
    assert not none


def test_everything_that_jumps_can_be_held() -> None:
    mixed = Apply("and", (Apply("gt", (TIME, ONE)), Apply("lt", (X, ONE))))
    constant = Apply("gt", (K, ONE))
    (held,), modes = hold([add(X, mixed, constant)], {"X"}, by_clock_alone=False)
    assert list(modes.values()) == [mixed]
    assert substitute(held, modes) == add(X, mixed, constant)


def test_only_the_outermost_of_nested_steps_is_held() -> None:
    nested = Apply("gt", (Apply("floor", (TIME,)), ONE))
    _, modes = hold([add(X, nested)], {"X"}, by_clock_alone=True)
    assert list(modes.values()) == [nested]
