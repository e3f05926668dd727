"""What every estimator declares: what it can differentiate, and how."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Request
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.errors import GradientError


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
