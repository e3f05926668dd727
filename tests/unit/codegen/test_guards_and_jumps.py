"""Laws that jump as the state moves are told from those that only bend."""

from __future__ import annotations

import numpy as np
import pytest
from networks import antimony

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.model.operators import evaluate


def jumping(law: str, more: str = "") -> tuple[str, ...]:
    return lowered_with(law, more).jumping_channels


def lowered_with(law: str, more: str = "") -> LoweredNetwork:
    net = antimony(
        f"substanceOnly species P in cell, M in cell; P = 3; M = 0; k = 3; d = 0.5; a = 4; K = 6;"
        f"{more} J0: => P; k; J1: P => ; d*P; J2: => M; {law};"
    )
    return lower(net)


@pytest.mark.parametrize(
    "law",
    [
        "piecewise(a, P >= 5, 0)",
        "a*piecewise(1, P > 2*K, 2, P > K, 1)",
        "piecewise(a, 2*P - 1 > K, k)",
        "piecewise(a, P == 0, 0)",
        "piecewise(a, (P >= 5) && (M < 10), 0)",
        "a*floor(P/5)",
        # Pieces that meet at one of two thresholds.
        "piecewise(k*P, P < K, k*K, P < 2*K, 0)",
        "piecewise(a*P, P >= 2, 0)",
        "piecewise(a*P*M, P + M > 0, k)",
        # Pieces that meet at one value of a alone.
        "piecewise(a*P, P < K, 4*K)",
        # Conditions that change beyond all small counts.
        "piecewise(a, P == 8, 0)",
        "piecewise(a, P != 33, 0)",
        "piecewise(a, P < 2000, 2*a)",
        "piecewise(a, (P >= 20) && (P <= 60), 0)",
        "piecewise(a, (P >= 1) && (P < 2000), 0)",
        "piecewise(a, P + M >= 3000, 0)",
        "piecewise(a, P*K > 1e6, 2*a)",
        "piecewise(a, P > M, k)",
        # Conditions that are no sums of counts: two thresholds, of which the pieces meet at one.
        "piecewise(a*P, abs(P - 5) > 2, 3*a)",
        "piecewise(a, floor(P/10) == 2, 0)",
        # Whether it is a guard depends on what is no count.
        "piecewise(a*P, P > 0.1*K, 0)",
        "piecewise(a*P, P < K, piecewise(a*K, k > 0, 50))",
        # What jumps is on at large values alone, or small beside what is added or another place.
        "a*piecewise(1, K > 50, 0)*piecewise(1, P < 1, 0)",
        "a*piecewise(1, K > 5000, 0)*piecewise(1, P >= 3, 0)",
        "a*max(K - 20, 0)*piecewise(1, P >= 7, 0)",
        "a*max(M - 50, 0)*piecewise(1, P >= 1, 0)",
        "piecewise(a, P >= 3, 0) + exp(k*P)",
        "piecewise(a, P >= 7, 0) + exp(k*P*1000)",
        "exp(k*P*1000) - piecewise(a, P >= 3, 0)*1e-3 + 1e6*M",
        "piecewise(a, P >= 7, 0) + 1e12*k*M",
        # A number as a condition, and a jump that is small.
        "piecewise(a, P, 0)",
        "piecewise(a, P - 5, 0)",
        "piecewise(1e-12, P >= 7, 0)",
        # Infinite where the condition fails: no slope leads there.
        "piecewise(a*ln(P), P > 0, 0)",
        "piecewise(a/P, P > 0, 20*a)",
    ],
)
def test_a_law_that_jumps(law: str) -> None:
    assert jumping(law) == ("J2",)


def test_a_jump_through_an_assignment_rule() -> None:
    assert jumping("a*gate", "gate := piecewise(1, P >= 5, 0);") == ("J2",)


@pytest.mark.parametrize(
    "law",
    [
        "a*P/(K + P)",
        "min(a*P, k)",
        "abs(P - K)",
        # Saturation, spelled by pieces.
        "piecewise(k*P, P < K, k*K)",
        "piecewise(k*P, P <= K, k*K, P <= 2*K, k*P/2)",
        # Guards, which change nothing on whole counts.
        "piecewise(0, P <= 0, a*P^2/(K + P^2))",
        "piecewise(a*P*(P - 1)/2, P >= 2, 0)",
        "piecewise(a*P, P > 0.5, 0)",
        "a*P*(P >= 1)",
        "piecewise(0, P < 1e-6, a*P/(K + P))",
        "piecewise(a*P*M, (P > 0) && (M > 0), 0)",
        # A guard against what is undefined.
        "piecewise(0, P + M <= 0, a*P*M/(P + M))",
        # What jumps does not depend on the state.
        "a*P*piecewise(2, k > 1, 1)",
        "floor(a)*P",
        # A switch and its opposite.
        "piecewise(a*P, P < 4, piecewise(4*a, K > 3, 4*a, K <= 3))",
    ],
)
def test_a_law_that_bends_at_most(law: str) -> None:
    assert jumping(law) == ()


@pytest.mark.parametrize(
    ("guarded", "plain"),
    [
        ("piecewise(a*P*(P - 1)/2, P >= 2, 0)", "a*P*(P - 1)/2"),
        ("a*P*(P >= 1)", "a*P"),
        ("piecewise(0, P <= 0, a*P/(K + P))", "a*P/(K + P)"),
        ("piecewise(0, P <= 0, piecewise(a*P, M >= 1, a*P))", "a*P"),
        ("a*max(P, 0)", "a*P"),
        ("max(a*P, 0)", "a*P"),
        ("max(0, a*P/cell)", "a*P/cell"),
        ("abs(a*P/cell)", "a*P/cell"),
        ("piecewise(a*P, P/cell > 0, 0)", "a*P"),
        ("a*max(0, P)", "a*P"),
        ("max(a*P*M, 0)", "a*P*M"),
        ("abs(a*P*M)", "a*P*M"),
        ("abs(a*P/(1 + P))", "a*P/(1 + P)"),
        # Guards joined with conditions that no count decides.
        ("piecewise(a*P, (P > 0) && (K > 0), 0)", "piecewise(a*P, K > 0, 0)"),
        ("piecewise(a*P, (P >= 1) && (K == 6), 0)", "piecewise(a*P, K == 6, 0)"),
        ("piecewise(0, (P <= 0) || (K <= 0), a*P)", "piecewise(0, K <= 0, a*P)"),
        ("piecewise(a*P, !((P <= 0) || (K <= 0)), 0)", "piecewise(a*P, K > 0, 0)"),
        # Whatever names there are: no place at which all counts are 0 decides.
        ("piecewise(a*P*M/(P + M), M > 0, 0)", "a*P*M/(P + M)"),
        ("a*abs(P)", "a*P"),
    ],
)
def test_slopes_of_a_guarded_law_are_those_without_the_guard(guarded: str, plain: str) -> None:
    """At 0 the text of a guarded law has no slope, though one molecule more fires."""
    values = {"P": np.arange(5.0), "M": np.full(5, 3.0), "a": 4.0, "K": 6.0, "cell": 2.0}
    slopes = []
    for law in (guarded, plain):
        lowered = lowered_with(law)
        own = [p for p in lowered.state_partials if lowered.channels[p.reaction].id == "J2"]
        of_p = [p for p in own if lowered.species_ids[p.variable] == "P"]
        slopes.append(evaluate(of_p[0].expression, values) + np.zeros(5))
    np.testing.assert_allclose(*slopes, rtol=1e-14)


@pytest.mark.parametrize(
    ("law", "below", "above"),
    [
        ("min(P, 2)*a", 4.0, 0.0),
        ("min(2, P)*a", 4.0, 0.0),
        ("a*max(P - 2, 0)", 0.0, 4.0),
        ("a*abs(P - 2)", -4.0, 4.0),
        ("piecewise(a*P, P < 2, 2*a)", 4.0, 0.0),
        ("piecewise(2*a, P >= 2, a*P)", 4.0, 0.0),
    ],
)
def test_a_bend_on_a_whole_count_has_the_mean_of_both_slopes(law, below, above) -> None:
    values = {"P": np.arange(5.0), "M": np.full(5, 3.0), "a": 4.0, "K": 6.0}
    lowered = lowered_with(law)
    own = [p for p in lowered.state_partials if lowered.channels[p.reaction].id == "J2"]
    of_p = next(p for p in own if lowered.species_ids[p.variable] == "P")
    slopes = evaluate(of_p.expression, values) + np.zeros(5)
    np.testing.assert_allclose(slopes, [below, below, 0.5 * (below + above), above, above])


def test_the_slope_in_a_threshold_is_the_central_one() -> None:
    lowered = lowered_with("a*min(P, K)")
    (of_k,) = [p for p in lowered.input_partials if lowered.input_ids[p.variable] == "K"]
    found = evaluate(of_k.expression, {"P": np.array([5.0, 6.0, 7.0]), "a": 4.0, "K": 6.0})
    np.testing.assert_allclose(found, [0.0, 2.0, 4.0])


def test_a_switch_beside_a_threshold_is_not_turned() -> None:
    """With k off the law is 16 for every count, and its slope is nothing."""
    lowered = lowered_with("piecewise(a*P, (P < 8) && (k > 3), 8*a)")
    own = [p for p in lowered.state_partials if lowered.channels[p.reaction].id == "J2"]
    found = [evaluate(p.expression, {"P": 3.0, "a": 2.0, "k": 3.0}) for p in own]
    np.testing.assert_allclose(found, 0.0)


def test_a_jump_keeps_the_side_that_it_has_in_its_parameters() -> None:
    lowered = lowered_with("piecewise(a, P >= 5, 0)")
    (of_a,) = [p for p in lowered.input_partials if lowered.input_ids[p.variable] == "a"]
    found = evaluate(of_a.expression, {"P": np.array([4.0, 5.0, 6.0]), "a": 4.0})
    np.testing.assert_allclose(found + np.zeros(3), [0.0, 1.0, 1.0])
