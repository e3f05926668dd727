"""The bridge from statistics to estimators that differentiate expectations, not paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Request
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.statistics import Integral, Integrand
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.functional import JOINS, Functional
from sbmlgrad.gradients.pointwise import agree, said_of, why_joined
from sbmlgrad.gradients.tensorflow import on_host

#: Trajectories on which it is tried out whether a function mixes them.
MOST_TRIED = 256

#: (parameters [parameter], seed, parameter set, readout, functional) → gradient [parameter].
PullBack = Callable[[NDArray[np.float64], int, int, int, Functional], NDArray[np.float64]]


@runtime_checkable
class ExpectationEstimator(Protocol):
    """An estimator of dE[F]/dθ for a functional F that is the same for all trajectories."""

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        ...

    @property
    def readouts(self) -> frozenset[type]:
        """Readout types that it can differentiate."""
        ...

    def pull_back_expectation(
        self, engine: Native, request: Request, functional: Functional
    ) -> NDArray[np.float64]:
        """Return dE[F] / d inputs, float64 [input], with F the functional's total."""
        ...


@runtime_checkable
class ParameterEstimator(Protocol):
    """An estimator of dE[F]/dθ in the parameters themselves, which looks at others than the own.

    It sees whatever parameters do: in laws, in constants that follow from them, in events and rate
    rules, and where trajectories start.
    """

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        ...

    def pull_back_parameters(
        self,
        engine: Native,
        requests: Callable[[NDArray[np.float64]], Request],
        theta: NDArray[np.float64],
        functional: Functional,
    ) -> NDArray[np.float64]:
        """Return dE[F]/dθ, float64 [parameter].

        Args:
            engine: samples.
            requests: parameters [parameter] → the request of the same trajectories at these.
            theta: the parameters, float64 [parameter].
            functional: F.
        """
        ...


@dataclass(frozen=True)
class Paths:
    """Says that values of single trajectories carry the gradient of a path estimator."""

    name: str
    is_pathwise: bool = True

    def attach(
        self,
        value: Any,
        place: int,
        states: Any,
        integrand: Integrand,
        extra: Sequence[Any] = (),
    ) -> Any:
        """Return `value`, which has its gradient already."""
        return value


@dataclass(frozen=True, eq=False)
class Expectations:
    """Gives statistics of one ensemble the gradient of an estimator of expectations.

    Attributes:
        name: of the estimator.
        theta: parameters, tensor float64 [..., parameter].
        seed: key of the random streams, number or tensor.
        pull_back: the estimator, bound to the simulation.
    """

    name: str
    theta: Any
    seed: Any
    pull_back: PullBack
    is_pathwise: bool = False

    def of_set(self, number: int) -> Expectations:
        """Return the same for one parameter set of a batch, with the streams of its place."""
        whole = self.pull_back
        return replace(
            self,
            theta=self.theta[number],
            pull_back=lambda theta, seed, _member, place, functional: whole(
                theta, seed, number, place, functional
            ),
        )

    def attach(
        self,
        value: Any,
        place: int,
        states: Any,
        integrand: Integrand,
        extra: Sequence[Any] = (),
    ) -> Any:
        """Return `value` with the gradient of E[f] as well; see `statistics.Differentiator`."""
        import tensorflow as tf

        shape = tf.stop_gradient(value)
        states = tf.stop_gradient(states)
        others = [tf.stop_gradient(e) for e in extra]

        def pull(
            theta: NDArray[np.float64],
            seed: NDArray[np.int64],
            values: NDArray[np.float64],
            cotangent: NDArray[np.float64],
            *extra: NDArray[np.float64],
        ) -> NDArray[np.float64]:
            def pulled(theta: Any, member: int, values: Any, cotangent: Any, extra: Any) -> Any:
                bound = partial(_bound, integrand, extra)
                return self._pull(theta, int(seed), member, place, values, cotangent, bound)

            if theta.ndim == 1:
                return pulled(theta, 0, values, cotangent, extra)
            parts = [
                pulled(theta[i], i, values[i], cotangent[i], [e[i] if e.ndim else e for e in extra])
                for i in range(len(theta))
            ]
            return np.array(parts).reshape(theta.shape)

        @tf.custom_gradient
        def nothing(theta: Any) -> Any:
            def gradient(cotangent: Any) -> Any:
                seed = tf.cast(self.seed, tf.int64)
                return on_host(pull, theta, seed, states, cotangent, *others)

            return tf.zeros_like(shape), gradient

        # The law of the trajectories depends on the parameters through `nothing`; what else f uses
        # of them, through `value` itself.
        return value + nothing(self.theta)

    def _pull(
        self,
        theta: NDArray[np.float64],
        seed: int,
        member: int,
        place: int,
        values: NDArray[np.float64],
        cotangent: NDArray[np.float64],
        integrand: Integrand,
    ) -> NDArray[np.float64]:
        if not np.any(cotangent):
            return np.zeros(len(theta))
        function = integrand(theta, values)
        functional = as_functional(function, values, cotangent, self.name)
        return self.pull_back(theta, seed, member, place, functional)


def _bound(
    integrand: Integrand,
    extra: Sequence[NDArray[np.float64]],
    theta: NDArray[np.float64],
    values: NDArray[np.float64],
) -> Integral:
    return integrand(theta, values, *extra)


def as_functional(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    name: str,
) -> Functional:
    """Return Σ w·f as a functional.

    Args:
        function: values [trajectory, point, column] → f [trajectory, ...].
        values: those of an ensemble, from which trials are made of which values f uses.
        weights: derivative of the loss in the mean of f, float64 [...].
        name: of the estimator, for messages.

    Raises:
        GradientError: f of one trajectory depends on other trajectories.
    """
    points = values.shape[1]
    refuse_mixing(function, values, name)
    has_points = weights.ndim > 0 and len(weights) == points
    reason = why_joined(function, values) if has_points else JOINS

    def contributions(other: NDArray[np.float64]) -> NDArray[np.float64]:
        result = function(other)
        if has_points:
            return (result * weights).reshape(*other.shape[:2], -1).sum(axis=2)
        # A function of the whole trajectory is complete with its last point.
        whole = np.zeros(other.shape[:2])
        whole[:, -1] = (result * weights).reshape(len(other), -1).sum(axis=1)
        return whole

    return Functional(contributions, not reason, reason or JOINS)


def refuse_mixing(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    values: NDArray[np.float64],
    name: str,
) -> None:
    """Raise if f of a trajectory depends on others, by giving it other company.

    Args:
        function: f, of float64 [trajectory, ...].
        values: to try it with, of the same shape.
        name: what the error begins with.

    Raises:
        GradientError: it does, or gives no result for each trajectory, or raises on values one
            above those seen, so that it cannot be told.
    """
    some = values[:MOST_TRIED]
    alone = function(some)
    if np.ndim(alone) == 0 or len(alone) != len(some):
        raise GradientError(
            f"{name}: the function that was given makes a result of shape {np.shape(alone)} of "
            f"{len(some)} trajectories, of which each needs its own; return [trajectory, ...]"
        )
    try:
        in_company = function(np.concatenate([some, some + 1.0]))[: len(some)]
    except Exception as error:  # whatever a function of the user's raises
        raise GradientError(
            f"{name}: the function that was given raises {said_of(error)} on values one above "
            "those of the ensemble, so that it could not be tried out whether it mixes "
            "trajectories; let it give NaN where it is not defined"
        ) from error
    refuse_unlike(in_company, alone, name)


def refuse_unlike(in_company: NDArray[np.float64], alone: NDArray[np.float64], name: str) -> None:
    """Raise a `GradientError` if f of trajectories in company is not f of them alone.

    Args:
        in_company: f of some trajectories among others.
        alone: f of them.
        name: what the error begins with.
    """
    if not agree(in_company, alone):
        raise GradientError(
            f"{name}: the function that was given mixes trajectories (what it gives for one "
            "depends on the others), so that its mean is no expectation; let it use each "
            "trajectory by itself, and combine expectations afterwards"
        )
