"""What every estimator declares: what it can differentiate, and how."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.refusals import jumping_words
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.engines.statistic_functions import FOR_JUMPS
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.expectations import ExpectationEstimator


@runtime_checkable
class Estimator(Protocol):
    """A gradient method: a frozen object with its settings, in a file of its own."""

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        ...

    @property
    def readouts(self) -> frozenset[type]:
        """Readout types that it can differentiate."""
        ...

    def pull_back(
        self, engine: Native, request: Request, cotangent: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the derivative of a loss in the inputs, float64 [input].

        Args:
            engine: gives the threads and the kind of kernel.
            request: the request that gave the values.
            cotangent: derivative of the loss in the kept values, float64 [trajectory or 1, point,
                column]; one row stands for all trajectories.
        """
        ...


@runtime_checkable
class TimedEstimator(Protocol):
    """An estimator that can differentiate some models in which things happen between firings."""

    def check_clock(self, lowered: LoweredNetwork) -> None:
        """Raise a `GradientError` for a network with a clock that it cannot differentiate."""
        ...


@runtime_checkable
class FittingEstimator(Protocol):
    """An estimator that fits something to the ensemble, so that twice as many tell it more.

    The mean of gradients from several small ensembles is worse than one from all of them.
    """

    @property
    def fits_ensemble(self) -> bool:
        """Whether it does."""
        ...


def check_clock(estimator: Estimator, lowered: LoweredNetwork) -> None:
    """Raise a `GradientError` where things happen between firings that an estimator cannot follow.

    Args:
        estimator: the gradient method.
        lowered: the network.
    """
    if not lowered.is_timed:
        return
    if not isinstance(estimator, TimedEstimator):
        raise GradientError(clock_refusal(estimator.name, lowered))
    estimator.check_clock(lowered)


def clock_refusal(name: str, lowered: LoweredNetwork) -> str:
    """Say why an estimator cannot differentiate a network with a clock, and what can."""
    return (
        f"{name}: model '{lowered.network.id}' has a clock ({lowered.clock_words}), and what "
        "happens between firings is not in the derivatives that this estimator uses; "
        'FiniteDifference(coupling="crn") differentiates expectations of such models'
    )


def check_readouts(estimator: Estimator, readouts: tuple[Readout, ...]) -> None:
    """Raise a `GradientError` for readouts that an estimator cannot differentiate."""
    for readout in readouts:
        if type(readout) not in estimator.readouts:
            able = ", ".join(sorted(kind.__name__ for kind in estimator.readouts))
            raise GradientError(
                f"{estimator.name} cannot differentiate {type(readout).__name__}: as a function of "
                "the firing times or choices it has no derivative that this estimator uses. It can "
                f"differentiate {able}; TwoSidedAdjoint() differentiates values at times."
            )


def check_laws(estimator: Estimator, lowered: LoweredNetwork) -> None:
    """Raise a `GradientError` for laws that jump, where derivatives are taken along the path."""
    if isinstance(estimator, ExpectationEstimator):
        return
    if jumping := jumping_words(lowered):
        raise GradientError(
            f"{estimator.name}: in model '{lowered.network.id}', {jumping} (a comparison, a piece "
            "or a rounding), and along a trajectory a jump looks like a constant, so that the "
            "gradient would be wrong. "
            f"{FOR_JUMPS} differentiate expectations of it; what is continuous can be written with "
            "min and max"
        )
