"""`CoupledDifference`: the unbiased estimator, by one firing added to each trajectory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.base import Outcome, Request
from sbmlgrad.engines.blocks import BLOCK, Signals, run_blocks
from sbmlgrad.engines.codes import COMPLETED, NO_FAULT
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.coupling.auxiliary_path import AUXILIARY_PATHS
from sbmlgrad.gradients.coupling.expectation_kernels import (
    check_finite,
    check_function,
    check_request,
    expectation_module,
    laws_of,
    normal_values,
)
from sbmlgrad.gradients.functional import Functional, mean_functional, slopes_of

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class CoupledDifference:
    """Differentiate any expectation without bias, for all parameters by one auxiliary path.

    When to choose it: as the reference that other estimators are compared with where the master
    equation is too large, and for probabilities and functions that jump.

    In the exact identity

        dE[F]/dθ = E ∫ Σ_i ∂a_i/∂θ (X_t) [V(X_t + v_i, t) - V(X_t, t)] dt

    a time and a reaction are drawn with density a_i(X_t)/Λ, Λ = ∫ Σ_i a_i dt, and the bracket is
    replaced by what F gains if that firing is added: one more path is followed from X_t + v_i,
    split-coupled to the trajectory until they meet (Gupta & Khammash 2013, "Unbiased estimation of
    parameter sensitivities for stochastic chemical reaction networks", theorem 3.3 and section 3;
    2014, "An efficient and unbiased method for sensitivity analysis of stochastic reaction
    networks", for sampling it; Anderson 2012 for the coupling). The weight is Λ ∂log a_i/∂θ. A
    reaction that cannot fire in a state but could at other values of its parameters is added at a
    rate made from its derivatives.

    Bias: none; variances, about sample means, have one of the order of 1/n. Noise: several times
    that of `TwoSidedAdjoint` for means of unimodal networks, less where differences of values
    saturate while slopes grow. Cost: at most two simulations, and with the control variate a
    backward sweep.

    Args:
        control_variate: take off what the added firing is worth to first order along the
            trajectory, v_i·λ, and add the exact mean of that. It changes no expectation. It saves
            noise where F is smooth and λ does not grow, and adds noise on bistable networks over
            long times. It is used for functions of single points (`Functional.is_pointwise`).
    """

    control_variate: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.control_variate, bool):
            raise GradientError(
                f"CoupledDifference(control_variate={self.control_variate!r}): choose True or False"
            )

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return f"CoupledDifference(control_variate={self.control_variate!r})"

    @property
    def readouts(self) -> frozenset[type]:
        """Values at times and window averages."""
        return frozenset({ValuesAt, WindowAverages})

    def pull_back(self, engine: Native, request: Request, cotangent: FloatArray) -> FloatArray:
        """Return the derivative of a loss of means in the inputs; see `base.Estimator`."""
        functional = mean_functional(self.name, request, cotangent)
        return self.pull_back_expectation(engine, request, functional)

    def pull_back_expectation(
        self, engine: Native, request: Request, functional: Functional
    ) -> FloatArray:
        """Return dE[F]/d inputs, float64 [input].

        Args:
            engine: gives the threads, the kind of kernel and the firing limit.
            request: the trajectories.
            functional: F.

        Raises:
            GradientError: an auxiliary path fails, or a derivative is not finite.
        """
        check_request(self.name, engine, request)
        values = normal_values(self.name, engine, request)
        has_control = self.control_variate and functional.is_pointwise
        slopes = slopes_of(functional, values) if has_control else values[:0]
        found = _add_firings(self.name, engine, request, np.ascontiguousarray(slopes))
        sides = (functional.totals(v) for v in (values + found.difference, values))
        other, own = (check_function(self.name, side) for side in sides)
        gain = other - own
        gradient = found.in_inputs(request.lowered, gain - found.expected)
        gradient = (gradient + found.control) / request.trajectories
        advice = "use CoupledDifference(control_variate=False)" if has_control else ""
        check_finite(self.name, gradient, advice or "use FiniteDifference()")
        return gradient


@dataclass(frozen=True, eq=False)
class _Added:
    """What came of one firing added to each trajectory.

    Attributes:
        difference: kept values with the firing less those without, float64 [trajectory, point,
            column].
        reaction: of the firing, int64 [trajectory], -1 for none.
        weight: Λ ∂a/∂input over the rate of adding it, float64 [trajectory, derivative].
        expected: first-order worth of the firing, float64 [trajectory].
        control: its mean given the trajectories, times the weights, summed, float64 [input].
    """

    difference: FloatArray
    reaction: NDArray[np.int64]
    weight: FloatArray
    expected: FloatArray
    control: FloatArray

    def in_inputs(self, lowered: LoweredNetwork, gain: FloatArray) -> FloatArray:
        """Return Σ weight · gain over trajectories, float64 [input]."""
        count = len(lowered.input_ids)
        # The last row serves reaction -1, the last input derivatives that a reaction has not.
        variable = np.full((len(lowered.channels) + 1, self.weight.shape[1]), count)
        filled = np.zeros(len(lowered.channels), dtype=np.int64)
        for partial in lowered.input_partials:
            variable[partial.reaction, filled[partial.reaction]] = partial.variable
            filled[partial.reaction] += 1
        terms = self.weight * gain[:, None]
        inputs = variable[self.reaction]
        sums = np.bincount(inputs.ravel(), weights=terms.ravel(), minlength=count + 1)
        return sums[:count].astype(np.float64)


def _add_firings(name: str, engine: Native, request: Request, slopes: FloatArray) -> _Added:
    """Add a firing to every trajectory and follow what comes of it."""
    module = expectation_module(AUXILIARY_PATHS, engine, request)
    laws = laws_of(request.lowered)
    start = np.ascontiguousarray(request.start, dtype=np.float64)
    inputs = np.ascontiguousarray(request.inputs, dtype=np.float64)
    n, points = request.trajectories, request.readout.points
    blocks = -(-n // BLOCK)
    # One row a block, added up in order: the sum does not depend on the number of threads.
    control = np.zeros((blocks, len(inputs)))
    difference = np.zeros((n, len(request.readout.labels), start.shape[1]))
    reaction = np.full(n, -1)
    weight = np.zeros((n, int(np.diff(laws.sparsity.input_start).max(initial=0))))
    expected = np.zeros(n)
    ends: list[tuple[int, int]] = [(COMPLETED, NO_FAULT)] * blocks

    def work(block: int, low: int, high: int, signals: Signals) -> None:
        ends[block] = module.auxiliary_block(
            laws,
            request.readout.kind,
            points,
            start,
            inputs,
            request.seed,
            request.first_trajectory,
            low,
            high,
            slopes,
            (engine.firing_limit, signals.cancel),
            difference,
            (reaction, weight, expected),
            control[block],
        )

    run_blocks(work, n, engine.threads, request.progress)
    _refuse_failed(name, request.lowered, ends)
    return _Added(difference, reaction, weight, expected, control.sum(axis=0))


def _refuse_failed(name: str, lowered: LoweredNetwork, ends: list[tuple[int, int]]) -> None:
    for outcome, fault in ends:
        if outcome == COMPLETED:
            continue
        culprit = f", reaction '{lowered.channels[fault].id}'" if fault >= 0 else ""
        raise GradientError(
            f"{name}: with one firing more a trajectory of model '{lowered.network.id}' fails "
            f"({Outcome(outcome).name}{culprit}), so the expectation has no derivative there, or "
            "its law must be written for every state that one firing can lead to"
        )
