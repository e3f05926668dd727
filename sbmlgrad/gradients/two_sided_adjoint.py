"""`TwoSidedAdjoint`: the default estimator, a path adjoint averaged over both ends of a firing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Request
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages


@dataclass(frozen=True)
class TwoSidedAdjoint:
    """Differentiate means of values at times and of window averages with little noise.

    When to choose it: nearly always. It is the default.

    The exact identity (Gupta & Khammash 2013, "Unbiased estimation of parameter sensitivities for
    stochastic chemical reaction networks", theorem 3.3) is

        dE[F]/dθ = E ∫ Σ_i ∂a_i/∂θ (X_t) [V(X_t + v_i, t) - V(X_t, t)] dt

    with V(x, t) what F still collects after t from state x. The difference of values is taken as
    v_i·(λ(x) + λ(x + v_i))/2, the trapezoid rule with the path adjoint λ at both ends; the second
    end comes from the path's own firings, because E ∫ a_i g(X, X + v_i) dt = E Σ_firings g.

    Bias: none where V is affine in the state, nor where V is quadratic, as long as no propensity
    with a non-zero derivative vanishes on visited states. It is small where V is smooth over one
    firing, and large on bistable systems over long horizons, slowly switching promoters, and
    variances of counts near zero.
    Cost: one replay of the trajectory and one backward sweep; nothing is stored between them.
    """

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return "TwoSidedAdjoint()"

    @property
    def readouts(self) -> frozenset[type]:
        """Values at times and window averages."""
        return frozenset({ValuesAt, WindowAverages})

    def pull_back(
        self, engine: Native, request: Request, cotangent: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the derivative of a loss in the inputs; see `base.Estimator`."""
        from sbmlgrad.gradients.paths.path_adjoint import pull_back_adjoint

        return pull_back_adjoint(self.name, engine, request, cotangent, two_sided=True)
