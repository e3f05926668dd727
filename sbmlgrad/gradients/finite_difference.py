"""`FiniteDifference`: central differences of expectations over coupled trajectories."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.base import Outcome, Request
from sbmlgrad.engines.blocks import Signals, run_blocks
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import (
    AfterFirings,
    Interpolated,
    ValuesAt,
    WindowAverages,
    columns,
    point_count,
)
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.coupling.expectation_kernels import (
    check_finite,
    check_function,
    check_request,
    expectation_module,
    laws_of,
)
from sbmlgrad.gradients.coupling.split_coupling import PAIRS
from sbmlgrad.gradients.functional import Functional, mean_functional
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.network import check_parameter_names
from sbmlgrad.model.numbers import as_number

FloatArray = NDArray[np.float64]

COUPLINGS = ("split", "crn")


@dataclass(frozen=True)
class FiniteDifference:
    """Differentiate expectations by simulating at both sides of every parameter.

    When to choose it: few free parameters and a value function that no path adjoint follows, such
    as an outbreak that may die out early, a switch, or a threshold; and to check other estimators.

    Both sides share their noise, so that much of it cancels: by split coupling (Anderson 2012, "An
    efficient finite difference method for parameter sensitivities of continuous time Markov
    chains", section 3.1), where they fire together as often as their propensities allow, or by
    common random numbers (Rathinam, Sheppard & Khammash 2010, "Efficient computation of parameter
    sensitivities of discrete stochastic chemical reaction networks", section II.B), which are soon
    used for other reactions on either side. Split coupling is the default: on nine small networks
    its variance is 0.2 to 0.7 of the other's on seven, and 1.5 and 2.3 of it on two (many molecules
    and few firings), and it gains with time. It costs up to twice as much, or more in large jobs,
    which the engine samples many at a time.

    Bias: O(step²), from curvature. Noise grows as the step shrinks.
    Cost: two simulations per parameter. Expectations only: the loss must depend on the ensemble
    through means, of kept values or of functions of them, not on single trajectories.

    Args:
        relative_step: step as a share of the parameter's value.
        coupling: `"split"`, or `"crn"` for common random numbers.
        parameters: ids to differentiate in; the derivative in every other parameter is NaN. None
            means all that a kinetic law uses.
    """

    relative_step: float = 0.05
    coupling: str = "split"
    parameters: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0.0 < as_number("relative_step", self.relative_step) < 1.0:
            raise GradientError(
                f"FiniteDifference(relative_step={self.relative_step}): must lie between 0 and 1"
            )
        if self.coupling not in COUPLINGS:
            raise GradientError(
                f"FiniteDifference(coupling={self.coupling!r}): choose one of {COUPLINGS}"
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

    def pull_back(self, engine: Native, request: Request, cotangent: FloatArray) -> FloatArray:
        """Return the derivative of a loss of means in the inputs; see `base.Estimator`."""
        functional = mean_functional(self.name, request, cotangent)
        return self.pull_back_expectation(engine, request, functional)

    def pull_back_expectation(
        self, engine: Native, request: Request, functional: Functional
    ) -> FloatArray:
        """Return dE[F]/d inputs, float64 [input], NaN for parameters that were left out.

        Args:
            engine: samples both sides under common random numbers; gives the threads, the kind of
                kernel and the firing limit under split coupling.
            request: the trajectories.
            functional: F.

        Raises:
            GradientError: an input is zero, trajectories fail beside it, or F is not finite.
        """
        check_parameter_names(request.lowered.network, self.parameters or ())
        used = _used(request.lowered)
        ids = request.lowered.input_ids
        parameters = len(request.lowered.network.parameter_ids)
        result = np.zeros(len(ids))
        for place in range(len(ids)):
            is_constant = place >= parameters
            if not (is_constant or self.parameters is None or ids[place] in self.parameters):
                result[place] = np.nan
            elif place in used:
                result[place] = self._difference(engine, request, functional, place)
        return result

    def _difference(
        self, engine: Native, request: Request, functional: Functional, place: int
    ) -> float:
        value = request.inputs[place]
        if value == 0.0:
            raise GradientError(
                f"{self.name}: '{request.lowered.input_ids[place]}' is zero, so that a relative "
                "step does not move it; use TwoSidedAdjoint(), or start it at a positive value"
            )
        inputs = np.tile(request.inputs, (2, 1))
        inputs[:, place] = value * (1.0 + np.array([1.0, -1.0]) * self.relative_step)
        if self.coupling == "split":
            upper, lower = self._split(engine, request, inputs, place)
        else:
            upper, lower = (self._sample(engine, request, side, place) for side in inputs)
        sums = [check_function(self.name, functional.totals(v)).sum() for v in (upper, lower)]
        slope = (sums[0] - sums[1]) / (2.0 * self.relative_step * value * request.trajectories)
        check_finite(self.name, np.array(slope), "take another relative_step")
        return float(slope)

    def _sample(
        self, engine: Native, request: Request, inputs: FloatArray, place: int
    ) -> FloatArray:
        sample = engine.sample(replace(request, inputs=inputs))
        self._refuse_failed(request, sample.outcomes, place, f"{inputs[place]:g}")
        return sample.values

    def _split(
        self, engine: Native, request: Request, inputs: FloatArray, place: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return the kept values of both sides, float64 [trajectory, point, column] each."""
        check_request(self.name, engine, request, 'use coupling="crn"')
        module = expectation_module(PAIRS, engine, request)
        laws = laws_of(request.lowered)
        start = np.ascontiguousarray(request.start, dtype=np.float64)
        n, readout = request.trajectories, request.readout
        shape = (2, n, point_count(readout), columns(readout, start.shape[1]))
        values = np.zeros(shape)
        faults = np.zeros((n, 2), dtype=np.int64)

        def work(_block: int, low: int, high: int, signals: Signals) -> None:
            module.pair_block(
                laws,
                readout.kind,
                readout.points,
                start,
                inputs,
                request.seed,
                request.first_trajectory,
                low,
                high,
                (engine.firing_limit, signals.cancel),
                values,
                faults,
            )

        run_blocks(work, n, engine.threads, request.progress)
        words = " or ".join(f"{number:g}" for number in inputs[:, place])
        self._refuse_failed(request, faults[:, 0], place, words)
        return values[0], values[1]

    def _refuse_failed(
        self, request: Request, outcomes: NDArray[np.integer], place: int, where: str
    ) -> None:
        if (outcomes > Outcome.ABSORBED).any():
            raise GradientError(
                f"{self.name}: trajectories fail at {request.lowered.input_ids[place]} = "
                f"{where}; take a smaller relative_step"
            )


def _used(lowered: LoweredNetwork) -> set[int]:
    """Return the places of inputs that the law of the trajectories can depend on."""
    used = {partial.variable for partial in lowered.input_partials}
    if lowered.is_timed:
        # Rate rules and events depend on inputs too.
        found = frozenset().union(*(symbols(formula) for formula in lowered.formulas))
        wanted = {c for c, slopes in lowered.constant_derivatives.items() if slopes}
        wanted |= set(lowered.network.parameter_ids)
        used |= {i for i, id in enumerate(lowered.input_ids) if id in found & wanted}
    return used
