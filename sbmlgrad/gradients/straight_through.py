"""`StraightThrough`: the published Gumbel-softmax estimator, and its limit at temperature zero."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Request
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, WindowAverages
from sbmlgrad.errors import GradientError
from sbmlgrad.model.numbers import as_number


@dataclass(frozen=True)
class StraightThrough:
    """Differentiate as Vilar & Saiz 2026 do: exact forward, relaxed choices backward.

    When to choose it: to reproduce published results, or to compare. It is biased, and at low
    temperature noisy; `TwoSidedAdjoint` is better on nearly every network.

    Forward, the trajectory is the exact one. Backward, the choice of the reaction counts as
    softmax((log a + G) / temperature) with Gumbel noise G (Jang, Gu & Poole 2017; Maddison, Mnih &
    Teh 2017), and the waiting time as τ = -ln u / a_0 with u fixed. The noise is drawn afterwards,
    conditional on the reaction that fired, which has the same law as drawing it before ("top-down"
    sampling, Maddison, Tarlow & Minka 2014), so the forward pass never pays for it.

    `temperature=0` is the limit with the noise integrated out: no noise and no exponentials. Its
    weights are (s_i - s_j) / a_0 times ½ where a_i > 0 and 1 where a_i = 0, s_i = v_i·λ. It is not
    what a tiny temperature gives for one trajectory: there nearly every choice is decided, its
    derivative is 0, and the few that are not have derivatives of the order of 1 / temperature.

    Reactions that cannot fire have no part in the relaxed choice.

    Both of the published horizons are readouts: a fixed number of firings is `AfterFirings`, where
    the states and the time of the last firing are differentiated; a fixed time is `WindowAverages`
    or `Interpolated`. A temperature that changes during training is a schedule of
    `gradients.schedules`, asked at every step: `StraightThrough(schedule(step))`. Training that
    starts with relaxed states is `gradients.straight_through_soft.simulate_soft`, a function of
    its own because its trajectories are not exact.

    Bias: yes, at every temperature. Above 1 a reaction that seldom fires gets the weight
    (a_i / a_0)^(1 / temperature - 1), which grows without bound. Noise: its variance grows as
    1 / temperature. Cost: one replay and one backward sweep, with a Gumbel number and an
    exponential for every reaction and firing; neither at temperature 0. Large jobs are replayed and
    swept many trajectories at a time by code compiled for the network.

    Args:
        temperature: finite, >= 0.
    """

    temperature: float = 1.0

    def __post_init__(self) -> None:
        number = as_number("temperature", self.temperature)
        if not 0.0 <= number < math.inf:
            raise GradientError(
                f"StraightThrough(temperature={self.temperature}): the choice is a softmax of "
                "(log a + G) / temperature, so give a finite number >= 0; 0 is the limit"
            )

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return f"StraightThrough(temperature={self.temperature!r})"

    @property
    def readouts(self) -> frozenset[type]:
        """Readouts that vary smoothly with the firing times."""
        return frozenset({WindowAverages, Interpolated, AfterFirings})

    def pull_back(
        self, engine: Native, request: Request, cotangent: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the derivative of a loss in the inputs; see `base.Estimator`."""
        from sbmlgrad.gradients.paths.path_adjoint import pull_back_straight_through

        temperature = float(self.temperature)
        return pull_back_straight_through(self.name, engine, request, cotangent, temperature)
