"""`FiniteDifference`: central differences of expectations over coupled trajectories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.refusals import refuse_parameters_in_changes
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
from sbmlgrad.errors import GradientError, UnsupportedModelError
from sbmlgrad.gradients.base import clock_refusal
from sbmlgrad.gradients.chain import (
    refuse_rounded_events,
    refuse_stepped_start,
    start_refusal,
    used_inputs,
    used_parameters,
)
from sbmlgrad.gradients.coupling.expectation_kernels import (
    check_finite,
    check_function,
    check_request,
    expectation_module,
    laws_of,
)
from sbmlgrad.gradients.coupling.split_coupling import PAIRS
from sbmlgrad.gradients.functional import Functional, mean_functional
from sbmlgrad.model.network import check_parameter_names
from sbmlgrad.model.numbers import as_number

FloatArray = NDArray[np.float64]

#: Parameters [parameter] → the request of the same trajectories at these.
Requests = Callable[[FloatArray], Request]

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

    With `coupling="crn"` it is also the estimator for events, rate rules, random initial values and
    laws of time: it works for whatever can be simulated. Parameters may stand in triggers, delays,
    assigned values and rates of change, and one that such things change is moved at its start. In
    parameters that set initial counts it differentiates models loaded with `initial="randomised"`,
    whose expectations are continuous in them.

    Bias: O(step²), from curvature; where an expectation jumps or bends with a parameter, as at the
    time of an event or a whole number of molecules, what it gives is the mean slope over the step.
    Noise grows as the step shrinks.
    Cost: two simulations per parameter. Expectations only: the loss must depend on the ensemble
    through means, of kept values or of functions of them, not on single trajectories.

    Args:
        relative_step: step as a share of the parameter's value.
        coupling: `"split"`, or `"crn"` for common random numbers.
        parameters: ids to differentiate in; the derivative in every other parameter is NaN. None
            means all that trajectories can depend on.
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
        given = self.parameters
        if given is None:
            return
        if not isinstance(given, tuple | list) or not all(isinstance(id, str) for id in given):
            raise GradientError(f"FiniteDifference(parameters={given!r}): give a tuple of ids")
        # A tuple, by which estimators are told apart.
        object.__setattr__(self, "parameters", tuple(given))

    @property
    def name(self) -> str:
        """How it is recorded in results: what decides on numbers, so without `parameters`."""
        return f"FiniteDifference(relative_step={self.relative_step!r}, coupling={self.coupling!r})"

    @property
    def readouts(self) -> frozenset[type]:
        """Every readout: nothing is differentiated along a path."""
        return frozenset({ValuesAt, WindowAverages, Interpolated, AfterFirings})

    def pull_back(self, engine: Native, request: Request, cotangent: FloatArray) -> FloatArray:
        """Return the derivative of a loss of means in the inputs; see `base.Estimator`."""
        functional = mean_functional(self.name, request, cotangent)
        return self.pull_back_expectation(engine, request, functional)

    def check_clock(self, lowered: LoweredNetwork) -> None:
        """Raise unless what happens between firings is followed; see `base.TimedEstimator`."""
        if self.coupling != "crn":
            raise GradientError(clock_refusal(self.name, lowered))

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
        lowered = request.lowered
        check_parameter_names(lowered.network, self.parameters or ())
        used, ids = used_inputs(lowered), lowered.input_ids
        result = np.zeros(len(ids))
        for place, id in enumerate(ids):
            is_constant = id in lowered.constant_ids
            if not (is_constant or self.parameters is None or id in self.parameters):
                result[place] = np.nan
            elif place in used:
                step = self._step(id, float(request.inputs[place]))
                sides = []
                for sign in (1.0, -1.0):
                    inputs = np.array(request.inputs, dtype=np.float64)
                    inputs[place] += sign * step
                    sides.append(replace(request, inputs=inputs))
                words = _words(id, float(request.inputs[place]), step)
                result[place] = self._slope(engine, sides, functional, step, words)
        return result

    def pull_back_parameters(
        self, engine: Native, requests: Requests, theta: FloatArray, functional: Functional
    ) -> FloatArray:
        """Return dE[F]/dθ, float64 [parameter]; see `expectations.ParameterEstimator`.

        Raises:
            GradientError: a parameter is zero, sets initial counts of a model that does not draw
                them, trajectories fail beside it, or F is not finite.
        """
        lowered = requests(theta).lowered
        network = lowered.network
        check_parameter_names(network, self.parameters or ())
        refuse_parameters_in_changes(lowered, self.parameters or ())
        used = used_parameters(lowered)
        result = np.zeros(len(theta))
        for place, id in enumerate(network.parameter_ids):
            value = float(theta[place])
            is_wanted = self.parameters is None or id in self.parameters
            if not is_wanted or id in lowered.parameters_in_changes:
                result[place] = np.nan
            elif id in used and not np.isnan(value):
                step = self._step(id, value)
                sides = []
                for sign in (1.0, -1.0):
                    moved = np.array(theta, dtype=np.float64)
                    moved[place] += sign * step
                    sides.append(_beside(self.name, requests, moved, lowered, id))
                refuse_rounded_events(self.name, lowered, id)
                refuse_stepped_start(self.name, lowered, id, sides[0].start, sides[1].start)
                words = _words(id, value, step)
                result[place] = self._slope(engine, sides, functional, step, words)
        return result

    def _step(self, id: str, value: float) -> float:
        if value == 0.0:
            raise GradientError(
                f"{self.name}: '{id}' is zero, so that a relative step does not move it; use "
                "TwoSidedAdjoint(), or start it at a positive value, or leave it out by "
                "FiniteDifference(parameters=...)"
            )
        return value * self.relative_step

    def _slope(
        self,
        engine: Native,
        sides: Sequence[Request],
        functional: Functional,
        step: float,
        words: str,
    ) -> float:
        upper, lower = sides
        if self.coupling == "split":
            values = self._split(engine, upper, lower, words)
        else:
            values = tuple(self._sample(engine, side, words) for side in sides)
        sums = [check_function(self.name, functional.totals(v)).sum() for v in values]
        slope = (sums[0] - sums[1]) / (2.0 * step * upper.trajectories)
        check_finite(self.name, np.array(slope), "take another relative_step")
        return float(slope)

    def _sample(self, engine: Native, request: Request, words: str) -> FloatArray:
        sample = engine.sample(request)
        self._refuse_failed(request.lowered, sample.outcomes, words)
        return sample.values

    def _split(
        self, engine: Native, upper: Request, lower: Request, words: str
    ) -> tuple[FloatArray, FloatArray]:
        """Return the kept values of both sides, float64 [trajectory, point, column] each."""
        check_request(self.name, engine, upper, 'use coupling="crn"')
        module = expectation_module(PAIRS, engine, upper)
        laws = laws_of(upper.lowered)
        inputs = np.array([upper.inputs, lower.inputs], dtype=np.float64)
        n, readout = upper.trajectories, upper.readout
        rows = max(len(upper.start), len(lower.start))
        start = np.array(
            [np.broadcast_to(side.start, (rows, side.start.shape[1])) for side in (upper, lower)]
        )
        shape = (2, n, point_count(readout), columns(readout, start.shape[2]))
        values = np.zeros(shape)
        faults = np.zeros((n, 2), dtype=np.int64)

        def work(_block: int, low: int, high: int, signals: Signals) -> None:
            module.pair_block(
                laws,
                readout.kind,
                readout.points,
                start,
                inputs,
                upper.seed,
                upper.first_trajectory,
                low,
                high,
                (engine.firing_limit, signals.cancel),
                values,
                faults,
            )

        run_blocks(work, n, engine.threads, upper.progress)
        self._refuse_failed(upper.lowered, faults[:, 0], words)
        return values[0], values[1]

    def _refuse_failed(
        self, lowered: LoweredNetwork, outcomes: NDArray[np.integer], words: str
    ) -> None:
        if (outcomes > Outcome.ABSORBED).any():
            advice = "take a smaller relative_step"
            if lowered.events:
                advice += (
                    "; where an event sets a number of molecules, load the model with "
                    'initial="randomised", which makes fractions whole at random'
                )
            raise GradientError(f"{self.name}: trajectories fail at {words}; {advice}")


def _words(id: str, value: float, step: float) -> str:
    return f"{id} = {value + step:g} or {value - step:g}"


def _beside(
    name: str, requests: Requests, theta: FloatArray, lowered: LoweredNetwork, id: str
) -> Request:
    """Return the request at parameters beside the own ones."""
    try:
        return requests(theta)
    except UnsupportedModelError as error:
        if id not in lowered.parameters_in_initial_counts:
            raise
        raise GradientError(start_refusal(name, lowered, id)) from error
