"""Forward and backward of a differentiable simulation: trajectories, and the same walked back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Outcome, Request, Sample
from sbmlgrad.engines.native import Native
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.gradients.chain import in_parameters, refuse_parameters_in_start
from sbmlgrad.gradients.expectations import ExpectationEstimator, ParameterEstimator
from sbmlgrad.gradients.functional import Functional, mean_functional
from sbmlgrad.gradients.rows import one_row
from sbmlgrad.simulation_inputs import explicit_of
from sbmlgrad.simulation_job import Job, outcomes_of

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Replay:
    """The trajectories of a job at any parameters, and gradients of what is made of them.

    Attributes:
        job: what is simulated.
        method: the estimator.
    """

    job: Job
    method: Estimator

    @property
    def reverse(self) -> Native:
        """The engine that walks back, since the firings are those of the streams."""
        return self.job.engine if isinstance(self.job.engine, Native) else Native()

    def samples(self, theta: FloatArray, number: int) -> tuple[list[list[Sample]], str]:
        """Return samples by parameter set, then readout, and what sampled them.

        Args:
            theta: parameters, float64 [parameter] or [set, parameter].
            number: seed.
        """
        job = self._settled(theta, number)
        if theta.ndim == 1:
            found = [job.run(self.explicit(theta), number)]
        else:
            sets = len(theta)
            found = [
                job.run(self.explicit(row), number, member, sets)
                for member, row in enumerate(theta)
            ]
        return found, f"{found[0][0].engine}{job.why_engine}"

    def forward(
        self, theta: FloatArray, number: int
    ) -> tuple[list[FloatArray], NDArray[np.int8], NDArray[np.int64], str]:
        """Return kept values per readout, outcomes, firings, and what sampled them.

        Values are float64 [..., trajectory, point, column]; arguments as in `samples`.

        Raises:
            GradientError: a trajectory failed.
        """
        samples, engine = self.samples(theta, number)
        found = [outcomes_of(of_set) for of_set in samples]
        outcomes, firings = (np.stack(part) for part in zip(*found, strict=True))
        if (outcomes > Outcome.ABSORBED).any():
            raise GradientError(
                "a trajectory failed, and statistics with a gradient cannot leave it out; "
                'simulate with on_failure="raise" to see which'
            )
        if theta.ndim == 1:
            # Values are the most of what is in memory, and are not copied.
            return [s.values for s in samples[0]], outcomes[0], firings[0], engine
        values = [np.stack([s.values for s in of_all]) for of_all in zip(*samples, strict=True)]
        return values, outcomes, firings, engine

    def backward(self, theta: FloatArray, number: int, cotangents: list[FloatArray]) -> FloatArray:
        """Return the derivative of a loss in the parameters, of the shape of `theta`.

        Args:
            theta: as in `samples`.
            number: seed.
            cotangents: derivative of the loss in the kept values of each readout, float64
                [..., trajectory or 1, point, column].
        """
        engine = Replay(self._settled(theta, number), self.method).reverse
        if theta.ndim == 1:
            return self._pulled(engine, theta, number, 0, cotangents)
        rows = [
            self._pulled(engine, theta[i], number, i, [cotangent[i] for cotangent in cotangents])
            for i in range(len(theta))
        ]
        return np.array(rows).reshape(theta.shape)

    def of_expectation(
        self, theta: FloatArray, number: int, member: int, place: int, functional: Functional
    ) -> FloatArray:
        """Return dE[F]/dθ, float64 [parameter]; see `gradients.expectations.PullBack`."""
        if isinstance(self.method, ParameterEstimator):
            return self._differences(self.reverse, theta, number, member, place, functional)
        refuse_parameters_in_start(self.job.lowered)
        request = self._requests(theta, number, member)[place]
        assert isinstance(self.method, ExpectationEstimator)
        slope = self.method.pull_back_expectation(self.reverse, request, functional)
        return in_parameters(request, slope, self.job.initial)

    def explicit(self, theta: FloatArray) -> dict[str, float]:
        """Return parameters by id; one that is drawn at random, NaN in the model, is left to be."""
        given = explicit_of(self.job.network, theta)
        return {id: value for id, value in given.items() if not np.isnan(value)}

    def _requests(self, theta: FloatArray, number: int, member: int) -> list[Request]:
        found = self.job.requests(self.explicit(theta), number, member)
        return [replace(request, progress=None) for request in found]

    def _settled(self, theta: FloatArray, number: int) -> Job:
        if theta.ndim == 1:
            return self.job
        self.job.check_size(len(theta))
        return self.job.settled(self.explicit(theta[0]), number, len(theta))

    def _pulled(
        self,
        engine: Native,
        theta: FloatArray,
        number: int,
        member: int,
        cotangents: list[FloatArray],
    ) -> FloatArray:
        total = np.zeros(len(theta))
        wanted = [place for place, cotangent in enumerate(cotangents) if np.any(cotangent)]
        if not wanted:
            return total
        parts = self._requests(theta, number, member)
        for place in wanted:
            request, cotangent = parts[place], one_row(cotangents[place])
            if isinstance(self.method, ParameterEstimator):
                functional = mean_functional(self.method.name, request, cotangent)
                total += self._differences(engine, theta, number, member, place, functional)
            else:
                refuse_parameters_in_start(self.job.lowered)
                slope = self.method.pull_back(engine, request, cotangent)
                total += in_parameters(request, slope, self.job.initial)
        return total

    def _differences(
        self,
        engine: Native,
        theta: FloatArray,
        number: int,
        member: int,
        place: int,
        functional: Functional,
    ) -> FloatArray:
        assert isinstance(self.method, ParameterEstimator)
        at = lambda other: self._requests(other, number, member)[place]  # noqa: E731
        return self.method.pull_back_parameters(engine, at, theta, functional)
