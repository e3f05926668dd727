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
    ],
)
def test_slopes_of_a_guarded_law_are_those_without_the_guard(guarded: str, plain: str) -> None:
    """At 0 the text of a guarded law has no slope, though one molecule more fires."""
    values = {"P": np.arange(5.0), "M": np.full(5, 3.0), "a": 4.0, "K": 6.0}
    slopes = []
    for law in (guarded, plain):
        lowered = lowered_with(law)
        own = [p for p in lowered.state_partials if lowered.channels[p.reaction].id == "J2"]
        of_p = [p for p in own if lowered.species_ids[p.variable] == "P"]
        slopes.append(evaluate(of_p[0].expression, values) + np.zeros(5))
    np.testing.assert_allclose(*slopes, rtol=1e-14)
