"""An estimator whose bias and noise are known, to see what a campaign makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import sbmlgrad as sg


@dataclass(frozen=True)
class Known:
    """An estimator with a known bias, and noise that alternates between batches.

    Attributes:
        slope: what it finds without noise, [parameter, point]; in logarithms of parameters.
        noise: relative standard error of one trajectory.
    """

    slope: np.ndarray
    noise: float = 0.0
    readouts: frozenset[type] = frozenset({sg.ValuesAt, sg.WindowAverages})
    name: str = "Known()"

    def pull_back(self, _engine, request, cotangent):
        """Return the gradient of the first point that is weighed."""
        point = int(np.flatnonzero(cotangent.any(axis=(0, 2)))[0])
        # By turns above and below: the variance of a batch is that over its trajectories.
        sign = 1.0 if request.first_trajectory // request.trajectories % 2 else -1.0
        factor = 1.0 + sign * self.noise / np.sqrt(request.trajectories)
        return self.slope[:, point] * factor / request.inputs[: len(self.slope)]
