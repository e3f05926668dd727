"""What makes the family-wise error hold: a probability, and trajectories enough."""

from __future__ import annotations

from sbmlgrad.errors import RequestError

#: Trajectories of each side from which on the family-wise error holds, that is, from which on both
#: runs exceed a bound with less than the level of a test, down to 1e-9. By Hoeffding's inequality a
#: mean beyond the bound z has at most the chance 2 exp(-x² / 2), x² = n z² / (n - 1 + z²), for
#: counts of any law whose differences are paired: enough from 17 on. Of variances, whose terms are
#: not independent, two-state counts were enumerated, for which a single run of few trajectories
#: exceeds its bound many times too often, both runs do not. With two or three trajectories
#: constants alone would alarm too often.
LEAST = 20


def check_error(family_wise_error: float) -> None:
    """Raise a `RequestError` unless the error is a probability that a bound can be found for."""
    if not 0.0 < family_wise_error < 1.0:
        raise RequestError(f"family_wise_error={family_wise_error}: give a number between 0 and 1")


def check_trajectories(trajectories: int) -> None:
    """Raise a `RequestError` unless so many trajectories hold the family-wise error."""
    if trajectories != int(trajectories) or trajectories < LEAST:
        raise RequestError(
            f"trajectories={trajectories}: give a whole number of at least {LEAST}; with fewer, "
            "right simulators would be found to disagree more often than stated"
        )
