"""A count that is rarely high: what joins two times through a rare event looks pointwise."""

from __future__ import annotations

FROM_ZERO = """
    substanceOnly species X in cell; X = 0; make = 1; decay = 1;
    J0: => X; make;
    J1: X => ; decay*X;
"""
#: One trajectory in 2000 has five molecules or more at the first, one in 800 at the second.
TIMES = [1.0, 1.5]

#: Trajectories: none may be high, few are, many are.
SIZES = [300, 5000, 20_000]
