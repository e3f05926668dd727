"""Objectives: what a fit makes small, one file each.

`base` says what every objective offers. To add one, write a file with a frozen dataclass like
`mean_trajectory.MeanTrajectory`, name it in `OBJECTIVES` of `objectives.base` and here, and give
it a case in the contract tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sbmlgrad.fit.objectives.distribution import Distribution
    from sbmlgrad.fit.objectives.dwell_times import DwellTimes
    from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
    from sbmlgrad.fit.objectives.moments import Moments
    from sbmlgrad.fit.objectives.rates_of_change import RateOfChange
    from sbmlgrad.fit.objectives.state_space import StateSpaceLikelihood
    from sbmlgrad.fit.objectives.synthetic import SyntheticLikelihood

__all__ = [
    "Distribution",
    "DwellTimes",
    "MeanTrajectory",
    "Moments",
    "RateOfChange",
    "StateSpaceLikelihood",
    "SyntheticLikelihood",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'sbmlgrad.fit.objectives' has no attribute {name!r}")
    from sbmlgrad.fit.objectives.base import objective_class

    return objective_class(name)
