"""`ScoreFunction`: likelihood ratios, for anything that can be computed from a trajectory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.table_driven import program_values
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.blocks import BLOCK, Signals, run_blocks
from sbmlgrad.engines.codes import ABSORBED, FIRING_COUNTS, FIRINGS_PER_LOOK, WINDOWS
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, Readout, ValuesAt, WindowAverages
from sbmlgrad.engines.table.kernel import next_firing
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.coupling.expectation_kernels import (
    Laws,
    check_finite,
    check_function,
    check_request,
    expectation_module,
    input_slopes,
    laws_of,
    normal_values,
    renew,
)
from sbmlgrad.gradients.functional import Functional, mean_functional

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ScoreFunction:
    """Differentiate any expectation by the likelihood ratio of its trajectories.

    When to choose it: probabilities, first-passage times and other functions that jump, over short
    times; and as an unbiased check that simulates nothing but the trajectories themselves.

    With the score S = Σ_firings ∂log a_j - ∫ Σ_i ∂a_i dt, the derivative in θ of the logarithm of a
    trajectory's density, dE[F]/dθ = E[S F] (Plyasunov & Arkin 2007, "Efficient stochastic
    sensitivity analysis of discrete event systems", equation 14; Warren & Allen 2012,
    "Steady-state parameter sensitivity in stochastic modeling via trajectory reweighting"). What
    is known at a time takes the score up to that time only: what comes after has mean zero.

    Bias: none, where every propensity with a derivative in a parameter is positive on the states
    visited; elsewhere trajectories of a slightly different parameter are not found among those
    simulated, and it refuses. Variances, about sample means, have a bias of 1/n of their gradient.
    Noise: grows with time like the root of the number of firings. Cost: the trajectories twice.

    Args:
        centred: take off the mean of F over the other trajectories, which changes no expectation
            and nearly always much noise. Needs two trajectories.
    """

    centred: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.centred, bool):
            raise GradientError(f"ScoreFunction(centred={self.centred!r}): choose True or False")

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return f"ScoreFunction(centred={self.centred!r})"

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
        """Return dE[F]/d inputs, float64 [input].

        Args:
            engine: gives the threads and the kind of kernel.
            request: the trajectories.
            functional: F.

        Raises:
            GradientError: a propensity that is zero on a trajectory has a derivative in an input,
                or a derivative is not finite, or there are too few trajectories.
        """
        check_request(self.name, engine, request)
        if self.centred and request.trajectories < 2:
            raise GradientError(
                f"{self.name}: one trajectory has no others to be compared with; simulate more, or "
                "use ScoreFunction(centred=False)"
            )
        values = normal_values(self.name, engine, request)
        parts = check_function(self.name, functional.contributions(values))
        if not functional.is_pointwise:
            # What depends on all points at once is known at the last.
            parts = np.hstack([np.zeros_like(parts[:, 1:]), parts.sum(axis=1, keepdims=True)])
        if self.centred:
            n = request.trajectories
            parts = (parts - parts.mean(axis=0)) * (n / (n - 1.0))
        # A piece of the score counts for all points that are still to come.
        ahead = np.ascontiguousarray(np.cumsum(parts[:, ::-1], axis=1)[:, ::-1])
        gradient = self._weighted_scores(engine, request, ahead) / request.trajectories
        check_finite(self.name, gradient, "use FiniteDifference()")
        return gradient

    def _weighted_scores(self, engine: Native, request: Request, ahead: FloatArray) -> FloatArray:
        """Return the sum over trajectories of ∫ weight dS, float64 [input]."""
        module = expectation_module((score_block,), engine, request)
        laws = laws_of(request.lowered)
        start = np.ascontiguousarray(request.start, dtype=np.float64)
        inputs = np.ascontiguousarray(request.inputs, dtype=np.float64)
        ends, kind = _ends(request.readout), request.readout.kind
        blocks = -(-request.trajectories // BLOCK)
        # One row a block, added up in order: the sum does not depend on the number of threads.
        partial = np.zeros((blocks, len(inputs)))
        faults = np.full((blocks, 1), -1)

        def work(block: int, low: int, high: int, signals: Signals) -> None:
            module.score_block(
                laws,
                kind,
                ends,
                start,
                inputs,
                request.seed,
                request.first_trajectory,
                low,
                high,
                ahead,
                signals.cancel,
                partial[block],
                faults[block],
            )

        run_blocks(work, request.trajectories, engine.threads, request.progress)
        found = faults[faults >= 0]
        if found.size:
            self._refuse(request, int(found[0]))
        return partial.sum(axis=0)

    def _refuse(self, request: Request, place: int) -> None:
        partial = request.lowered.input_partials[place]
        raise GradientError(
            f"{self.name}: the propensity of reaction "
            f"'{request.lowered.channels[partial.reaction].id}' is zero in a state that was "
            f"visited, but its derivative in '{request.lowered.input_ids[partial.variable]}' is "
            "not: it would fire there at another value, and no trajectory shows what happens then. "
            "Use CoupledDifference(), or FiniteDifference()"
        )


def _ends(readout: Readout) -> FloatArray:
    """Return when each point of a readout is known: times, or numbers of firings."""
    return readout.points[1:] if isinstance(readout, WindowAverages) else readout.points


def score_block(
    laws: Laws,
    kind,
    ends,
    start,
    inputs,
    seed,
    first,
    low,
    high,
    ahead,
    cancel,
    gradient,
    fault,
):
    """Add ∫ weight dS of trajectories `low` to `high` to `gradient` [input].

    The weight of a piece of the score is `ahead` [trajectory, point] at the first point that is not
    known before it. `fault` [1] tells the derivative that a zero propensity has, or stays -1.
    """
    count = ends.shape[0]
    code, graph = laws.code, laws.graph
    input_start, input_variable = laws.sparsity.input_start, laws.sparsity.input_variable
    change_start, change_species = laws.changes.change_start, laws.changes.change_species
    change_amount = laws.changes.change_amount
    reactions = change_start.shape[0] - 1
    first_slope = reactions + laws.sparsity.state_variable.shape[0]
    counts = np.empty(start.shape[1])
    rates = np.empty(reactions)
    stack = np.empty(laws.stack_size)
    in_input = np.empty(input_variable.shape[0])
    for row in range(low, high):
        counts[:] = start[row if start.shape[0] > 1 else 0]
        program_values(code, counts, inputs, stack, rates)
        time = 0.0
        draw = 0
        point = 0
        while True:
            if kind == FIRING_COUNTS:
                while point < count and ends[point] <= draw:
                    point += 1
            if point == count:
                break
            if draw % FIRINGS_PER_LOOK == 0 and cancel[0] != 0:
                return
            outcome, waiting, reaction = next_firing(rates, seed, first + row, draw, False)
            next_time = time + waiting
            weight = ahead[row, point]
            if kind <= WINDOWS:
                weighted = 0.0
                now = time
                while point < count and ends[point] <= next_time:
                    weighted += ahead[row, point] * (ends[point] - now)
                    now = ends[point]
                    point += 1
                weight = 0.0
                if point < count:
                    weight = ahead[row, point]
                    weighted += weight * (next_time - now)
            else:
                weighted = weight * waiting if outcome != ABSORBED else 0.0
            input_slopes(code, first_slope, counts, inputs, stack, in_input)
            for j in range(reactions):
                for i in range(input_start[j], input_start[j + 1]):
                    if in_input[i] != 0.0:
                        if rates[j] == 0.0:
                            fault[0] = i
                            return
                        gradient[input_variable[i]] -= weighted * in_input[i]
            if outcome == ABSORBED or point == count:
                break
            for i in range(input_start[reaction], input_start[reaction + 1]):
                gradient[input_variable[i]] += weight * in_input[i] / rates[reaction]
            time = next_time
            draw += 1
            if kind > WINDOWS and kind != FIRING_COUNTS:
                # Interpolation looks at the firing that follows the point.
                while point < count and ends[point] <= time:
                    point += 1
            for i in range(change_start[reaction], change_start[reaction + 1]):
                counts[change_species[i]] += change_amount[i]
            renew(code, graph, reaction, counts, inputs, stack, rates)
