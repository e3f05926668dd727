"""Networks with a stationary distribution, and their exact distributions at a late time.

The distribution is nearly stationary then; but the truth is the solution of the master equation at
that very time, which needs no such assumption.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm
from small_networks import HEAD

import sbmlgrad as sg
from sbmlgrad.cme.projection import project

#: Probability that may lie outside of the projected states.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Case:
    """A network and the time at which it is looked at.

    Attributes:
        name: in reports.
        text: Antimony.
        time: of the distribution.
        rate: parameter that a planted fault changes.
        largest: states that a projection may have.
    """

    name: str
    text: str
    time: float
    rate: str
    largest: int

    @property
    def model(self) -> sg.ReactionNetwork:
        """The network."""
        return sg.load(HEAD + self.text)


CASES = (
    Case(
        "birth-death",
        """
        substanceOnly species X in cell; X = 0; birth = 9; death = 1;
        J0: => X; birth;
        J1: X => ; death*X;
        """,
        time=10.0,
        rate="birth",
        largest=96,
    ),
    Case(
        "telegraph gene expression",
        """
        substanceOnly species off in cell, on in cell, M in cell; off = 1; on = 0; M = 0;
        switch_on = 0.6; switch_off = 0.4; make = 10; decay = 1;
        J0: off => on; switch_on*off;
        J1: on => off; switch_off*on;
        J2: => M; make*on;
        J3: M => ; decay*M;
        """,
        time=10.0,
        rate="make",
        largest=160,
    ),
    # Rates have the zeros 3, 10 and 32 of the rate equation; the start is between the modes, where
    # the slowest relaxation is hardly excited.
    Case(
        "Schlögl voxel",
        """
        substanceOnly species X in cell; X = 9;
        feed = 2.15; grow = 0.1009; back = 0.002242; loss = 1;
        J0: => X; feed;
        J1: 2 X => 3 X; grow*X*(X - 1);
        J2: 3 X => 2 X; back*X*(X - 1)*(X - 2);
        J3: X => ; loss*X;
        """,
        time=8.0,
        rate="grow",
        largest=112,
    ),
)


@dataclass(frozen=True, eq=False)
class Truth:
    """An exact distribution.

    Attributes:
        states: counts, int64 [state, species].
        probability: at the time of the case, float64 [state].
        distance: total variation between that and the distribution at twice the time.
    """

    states: NDArray[np.int64]
    probability: NDArray[np.float64]
    distance: float


@lru_cache
def truth(case: Case) -> Truth:
    """Solve the master equation on finitely many states.

    The matrix exponential of a dense generator: exact to about 1e-12 where a few hundred states are
    enough, however stiff.

    Raises:
        StateSpaceError: the states lose more than `TOLERANCE`.
    """
    projection = project(case.model, until=case.time, largest=case.largest, tolerance=TOLERANCE)
    once = expm(projection.generator.toarray() * case.time)
    start = np.zeros(len(once))
    start[0] = 1.0
    probability = once @ start
    later = once @ probability
    return Truth(
        np.rint(projection.space.states).astype(np.int64),
        # Rounding leaves ±1e-17 where no mass is.
        np.where(probability > 1e-15, probability, 0.0),
        0.5 * float(np.abs(later - probability).sum()),
    )
