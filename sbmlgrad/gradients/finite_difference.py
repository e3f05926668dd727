"""`FiniteDifference`: central differences of ensemble means with common random numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Outcome, Request
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, ValuesAt, WindowAverages
from sbmlgrad.errors import GradientError
from sbmlgrad.model.network import check_parameter_names
from sbmlgrad.model.numbers import as_number


@dataclass(frozen=True)
class FiniteDifference:
    """Differentiate means by simulating at both sides of every parameter.

    When to choose it: few free parameters and a value function that no path adjoint follows, such
    as an outbreak that may die out early, a switch, or a threshold; and to check other estimators.

    Both sides use the same random streams, so that much of the noise cancels (Rathinam, Sheppard &
    Khammash 2010, "Efficient computation of parameter sensitivities of discrete stochastic chemical
    reaction networks", section II.B, common random numbers).

    Bias: O(step²), from curvature. Noise grows as the step shrinks.
    Cost: two simulations per parameter. Means only: the loss must depend on the ensemble through
    means of the kept values, not on their squares or on single trajectories.

    Args:
        relative_step: step as a share of the parameter's value.
        coupling: only `"crn"`, common random numbers.
        parameters: ids to differentiate in; the derivative in every other parameter is NaN. None
            means all that a kinetic law uses.
    """

    relative_step: float = 0.05
    coupling: str = "crn"
    parameters: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0.0 < as_number("relative_step", self.relative_step) < 1.0:
            raise GradientError(
                f"FiniteDifference(relative_step={self.relative_step}): must lie between 0 and 1"
            )
        if self.coupling != "crn":
            raise GradientError(
                f"FiniteDifference(coupling={self.coupling!r}): only 'crn' is available"
            )

        if isinstance(self.parameters, str):
            raise GradientError(
                f"FiniteDifference(parameters={self.parameters!r}): give a tuple of ids"
            )

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return f"FiniteDifference(relative_step={self.relative_step!r}, coupling={self.coupling!r})"

    @property
    def readouts(self) -> frozenset[type]:
        """Every readout: nothing is differentiated along a path."""
        return frozenset({ValuesAt, WindowAverages, Interpolated, AfterFirings})

    def pull_back(
        self, engine: Native, request: Request, cotangent: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the derivative of a loss in the inputs; see `base.Estimator`."""
        check_parameter_names(request.lowered.network, self.parameters or ())
        weights = np.broadcast_to(cotangent, (request.trajectories, *cotangent.shape[1:]))
        if not np.allclose(weights, weights[:1], rtol=1e-9, atol=0.0):
            raise GradientError(
                f"{self.name} differentiates means only, and this loss weights trajectories "
                "differently (a variance, or values of single trajectories); use TwoSidedAdjoint()"
            )
        used = {partial.variable for partial in request.lowered.input_partials}
        ids = request.lowered.input_ids
        parameters = len(request.lowered.network.parameter_ids)
        result = np.zeros(len(ids))
        for place in range(len(ids)):
            is_constant = place >= parameters
            if not (is_constant or self.parameters is None or ids[place] in self.parameters):
                result[place] = np.nan
            elif place in used:
                result[place] = self._difference(engine, request, weights[0], place)
        return result

    def _difference(
        self, engine: Native, request: Request, weight: NDArray[np.float64], place: int
    ) -> float:
        value = request.inputs[place]
        if value == 0.0:
            raise GradientError(
                f"{self.name}: '{request.lowered.input_ids[place]}' is zero, so that a relative "
                "step does not move it; use TwoSidedAdjoint(), or start it at a positive value"
            )
        sides = []
        for sign in (1.0, -1.0):
            inputs = request.inputs.copy()
            inputs[place] = value * (1.0 + sign * self.relative_step)
            sample = engine.sample(replace(request, inputs=inputs))
            if (sample.outcomes > Outcome.ABSORBED).any():
                raise GradientError(
                    f"{self.name}: trajectories fail at {request.lowered.input_ids[place]} = "
                    f"{inputs[place]:g}; take a smaller relative_step"
                )
            sides.append(float((sample.values.sum(axis=0) * weight).sum()))
        return (sides[0] - sides[1]) / (2.0 * self.relative_step * value)
