"""`FittedValue`: values fitted over the ensemble, for switches, rare events and probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sbmlgrad.engines.base import Request
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.functional import Functional, mean_functional
from sbmlgrad.gradients.values.basis import value_basis
from sbmlgrad.gradients.values.equation import Values, derivative, solve
from sbmlgrad.gradients.values.features import (
    EveryState,
    Features,
    Polynomial,
    Visited,
    free_species,
)
from sbmlgrad.gradients.values.slices import Slices, slices_of
from sbmlgrad.gradients.values.spline_features import Spline
from sbmlgrad.gradients.values.states import Occupancy, occupancy, part, values_of
from sbmlgrad.gradients.values.targets import at_rest, collected, refuse_curved
from sbmlgrad.model.numbers import whole

FloatArray = NDArray[np.float64]

#: Slices of time, unless given.
SLICES = 60

#: States up to which each has a feature of its own, unless features are given.
FEW_STATES = 300

#: Features that are tried at most, unless features are given.
MOST_FEATURES = 300

#: What is tried where there are more states, unless features are given.
CANDIDATES: tuple[Features, ...] = (
    Polynomial(2),
    Polynomial(3),
    Polynomial(4),
    Spline(pair_pieces=0),
    Spline(pair_pieces=1),
    Spline(),
    Spline(pieces=12, pair_pieces=6),
)


@dataclass(frozen=True)
class FittedValue:
    """Differentiate means and probabilities by fitting the value of states over the ensemble.

    When to choose it: bistable systems, slow switches, rare events, and statistics that are no
    smooth function of the path, such as the probability of a set of states at a time; up to a few
    species that matter (`features`).

    The exact identity (Gupta & Khammash 2013, "Unbiased estimation of parameter sensitivities for
    stochastic chemical reaction networks", theorem 3.3) is

        dE[F]/dθ = E ∫ Σ_i ∂a_i/∂θ (X_t) [V(X_t + v_i, t) - V(X_t, t)] dt

    with V(x, t) what F still collects after t from state x. V is fitted as a combination of
    features of the state by least squares over the states that the ensemble visited, from the
    backward equation (`gradients.values.equation`), and the mean is taken over the same states. No
    path is differentiated, and a trajectory's noise enters through the states it visits alone.

    The ensemble is not split into one half to fit on and another to evaluate on. That takes away
    overfitting where values are regressed on what single trajectories still collect, numbers with
    noise in them. Here the targets are exact: the right side of the backward equation at a state
    follows from the propensities there. The features must be given, though: `SmallNetwork` trains
    its hidden units on what up to `trajectories` of the same paths collected, which is noisy. That
    can make its features worse, not bend the values to the noise: their combination is fitted to
    the exact equation, too. Directions of the features that are combinations of others on the
    visited states are left out.

    Bias: by what the features cannot represent; none with `EveryState`. A state that nobody visited
    is valued by extrapolation.
    Cost: one simulation, and linear algebra with as many unknowns as there are features.

    Args:
        features: of the state, as `Spline()`, `Polynomial(3)`, `EveryState()` or `SmallNetwork()`.
            None chooses: a feature for every state where few were visited, else the polynomials or
            splines that miss least of the backward equation.
        slices: times at which the ensemble is looked at; None means 60.
    """

    features: Features | None = None
    slices: int | None = None

    def __post_init__(self) -> None:
        if self.features is not None and (
            isinstance(self.features, type) or not isinstance(self.features, Features)
        ):
            raise GradientError(
                f"FittedValue(features={self.features!r}): pass features, for instance Spline()"
            )
        if self.slices is not None:
            whole("slices", self.slices, 1, 100_000)

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        settings = [f"{k}={v!r}" for k, v in vars(self).items() if v is not None]
        return f"FittedValue({', '.join(settings)})"

    @property
    def readouts(self) -> frozenset[type]:
        """Values at times and window averages."""
        return frozenset({ValuesAt, WindowAverages})

    @property
    def fits_ensemble(self) -> bool:
        """Values are fitted to all trajectories together; see `base.FittingEstimator`."""
        return True

    def pull_back(
        self, engine: Native, request: Request, cotangent: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the derivative of a loss of means in the inputs; see `base.Estimator`."""
        functional = mean_functional(self.name, request, cotangent)
        return self.pull_back_expectation(engine, request, functional)

    def pull_back_expectation(
        self, engine: Native, request: Request, functional: Functional
    ) -> NDArray[np.float64]:
        """Return d E[F] / d inputs, float64 [input].

        Args:
            engine: samples the trajectories again.
            request: the request that gave the values.
            functional: F; pointwise, and affine in window averages.

        Raises:
            GradientError: F is not of that kind, trajectories failed, or the result is not finite.
        """
        if request.readout.points[-1] == 0.0:
            # The start does not depend on the inputs.
            return np.zeros(len(request.inputs))
        slices, seen = self._look(engine, request, functional)
        values = self._values(engine, request, functional, slices, seen)
        gradient = derivative(request, seen, values)
        if not np.isfinite(gradient).all():
            raise GradientError(
                f"{self.name}: the gradient is not finite. A kinetic law has an infinite "
                "derivative in a parameter at a state that was visited, or the statistic is not "
                "finite there; use FiniteDifference()"
            )
        return gradient

    def fit(self, engine: Native, request: Request, functional: Functional) -> Values:
        """Return the fitted values and which features they use.

        Args and refusals are those of `pull_back_expectation`; the last point must lie after 0.
        """
        slices, seen = self._look(engine, request, functional)
        return self._values(engine, request, functional, slices, seen)

    def _look(
        self, engine: Native, request: Request, functional: Functional
    ) -> tuple[Slices, Occupancy]:
        if not functional.is_pointwise:
            raise GradientError(
                f"{self.name}: what a trajectory still collects must be a function of its state, "
                f"and {functional.reason}; use CoupledDifference()"
            )
        slices = slices_of(request.readout, self.slices or SLICES)
        seen = occupancy(engine, request, slices)
        refuse_curved(functional, request, seen.states)
        return slices, seen

    def _values(
        self,
        engine: Native,
        request: Request,
        functional: Functional,
        slices: Slices,
        seen: Occupancy,
    ) -> Values:
        def paths(number: int) -> tuple[FloatArray, FloatArray]:
            some = part(request, 0, number)
            at_slices = replace(some, readout=ValuesAt(slices.times.tolist()))
            states = values_of(engine, at_slices)
            return states, collected(engine, some, functional, slices.times)

        visited = Visited(
            states=seen.states,
            stay=seen.weights,
            free=free_species(seen.states),
            paths=paths,
        )
        rest = at_rest(functional, request)
        # Matrices are small: threads of linear algebra would wait for one another, on a busy
        # machine for thirty times as long as the work takes.
        with threadpool_limits(limits=1, user_api="blas"):
            found = [
                solve(request, slices, seen, value_basis(basis, rest, seen.states))
                for basis in (features.lay_out(visited) for features in self._candidates(visited))
                if self.features is not None or basis.size <= MOST_FEATURES
            ]
        if not found:
            raise GradientError(
                f"{self.name}: {len(visited.free)} species vary, too many to fit values of all "
                f"pairs with at most {MOST_FEATURES} features; give FittedValue(features=...), for "
                "instance Polynomial(1), or use TwoSidedAdjoint()"
            )
        best = min(found, key=lambda values: values.misfit)
        if math.isinf(best.misfit):
            raise GradientError(
                f"{self.name}: values fitted to {request.trajectories} trajectories grow beyond "
                "all numbers going back in time; use more trajectories, FittedValue(features=...) "
                "with fewer features, for instance Polynomial(1), or TwoSidedAdjoint()"
            )
        return best

    def _candidates(self, visited: Visited) -> tuple[Features, ...]:
        if self.features is not None:
            return (self.features,)
        if len(visited.states) <= FEW_STATES:
            return (EveryState(most=FEW_STATES),)
        return CANDIDATES
