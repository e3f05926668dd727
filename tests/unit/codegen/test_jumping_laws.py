"""Laws that jump as the state moves are told from those that only bend."""

from __future__ import annotations

import pytest
from networks import antimony

from sbmlgrad.codegen.jumping_laws import jumping_channels
from sbmlgrad.codegen.lowering import lower


def jumping(law: str, more: str = "") -> tuple[str, ...]:
    net = antimony(
        f"substanceOnly species P in cell, M in cell; P = 3; M = 0; k = 3; d = 0.5; a = 4; K = 6;"
        f"{more} J0: => P; k; J1: P => ; d*P; J2: => M; {law};"
    )
    return jumping_channels(lower(net))


@pytest.mark.parametrize(
    "law",
    [
        "piecewise(a, P >= 5, 0)",
        "a*piecewise(1, P > K, 2, P > 2*K, 1)",
        "piecewise(a, 2*P - 1 > K, k)",
        "piecewise(a, P == 0, 0)",
        "piecewise(a, (P >= 5) && (M < 10), 0)",
        "a*floor(P/5)",
        # Pieces that meet at one of two thresholds.
        "piecewise(k*P, P < K, k*K, P < 2*K, 0)",
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
        # A guard against division by zero that nothing depends on.
        "piecewise(0, P <= 0, a*P^2/(K + P^2))",
        # What jumps does not depend on the state.
        "a*P*piecewise(2, k > 1, 1)",
        "floor(a)*P",
    ],
)
def test_a_law_that_bends_at_most(law: str) -> None:
    assert jumping(law) == ()
