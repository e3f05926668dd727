"""Networks whose summaries tests make, and when two summaries are the same."""

from __future__ import annotations

import numpy as np

from sbmlgrad.summary import EnsembleSummary

TIMES = [0.0, 0.5, 1.0, 4.0]

#: A volume that is no power of two, and one that a rate rule moves.
STEADY = """
    compartment tube = 0.3; species A in tube, B in tube; A = 100; B = 40;
    k = 2; r = 0.5; T := A + B;
    J0: A => B; tube*k*A;
    J1: B => A; tube*r*B;
"""
GROWING = """
    compartment tube = 1; tube' = 0.1*tube; species A in tube; A = 30; k = 1; z' = -0.7*z; z = 1;
    J0: A => ; tube*k*A;
"""


def identical(a: EnsembleSummary, b: EnsembleSummary) -> None:
    """Assert that two summaries say the same to the last bit."""
    assert a.outcomes == b.outcomes
    assert (a.firings, a.seed, a.parts, a.tracked) == (b.firings, b.seed, b.parts, b.tracked)
    for tracked in a.tracked:
        for name in ("mean", "variance", "standard_error", "minimum", "maximum"):
            np.testing.assert_array_equal(
                getattr(a, name)(tracked.id, tracked.quantity),
                getattr(b, name)(tracked.id, tracked.quantity),
            )
        for other in a.tracked:
            if other.quantity == tracked.quantity:
                pair = (tracked.id, other.id, tracked.quantity)
                np.testing.assert_array_equal(a.covariance(*pair), b.covariance(*pair))
    for x, y in zip(a.sketches, b.sketches, strict=True):
        np.testing.assert_array_equal(x.counts, y.counts)
        np.testing.assert_array_equal(x.exponent, y.exponent)
