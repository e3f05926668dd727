"""`Adjoint`: the path adjoint taken at the state before each possible firing alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Request
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages


@dataclass(frozen=True)
class Adjoint:
    """Differentiate means of values at times and of window averages, to first order.

    When to choose it: networks whose reactions are all of first order, with means as statistics,
    where it is exact and has the least noise of all estimators; elsewhere `TwoSidedAdjoint` is
    nearer to the truth at the same cost.

    The difference of values in the identity of Gupta & Khammash 2013 (see `TwoSidedAdjoint`) is
    taken as v_i·λ(x), with the path adjoint -dλ/dt = Σ_i ∂_x a_i (v_i·λ) + ∂_x f integrated
    backwards along the trajectory.

    Bias: none where the value function is affine in the state; elsewhere of first order in its
    curvature over one firing: large for small numbers of molecules and for bistable systems.
    Cost: as `TwoSidedAdjoint`.
    """

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return "Adjoint()"

    @property
    def readouts(self) -> frozenset[type]:
        """Values at times and window averages."""
        return frozenset({ValuesAt, WindowAverages})

    def pull_back(
        self, engine: Native, request: Request, cotangent: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the derivative of a loss in the inputs; see `base.Estimator`."""
        from sbmlgrad.gradients.paths.path_adjoint import pull_back_adjoint

        return pull_back_adjoint(self.name, engine, request, cotangent, two_sided=False)
