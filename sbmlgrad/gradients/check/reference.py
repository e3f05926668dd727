"""What estimators are held against: the exact gradient, or an unbiased estimate with its error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.readouts import ValuesAt, WindowAverages
from sbmlgrad.errors import GradientError, SbmlGradError
from sbmlgrad.gradients.chain import refuse_parameters_in_start
from sbmlgrad.gradients.check.measurement import Tick, gradients_of
from sbmlgrad.gradients.check.task import Task

FloatArray = NDArray[np.float64]

#: Trajectories of an estimated reference, over those of each estimator.
MORE = 4

#: Relative step of finite differences that are the reference, half of the usual one.
SHORT_STEP = 0.025

#: Probability that may leak out of the states of an exact reference.
LEAK = 1e-10


@dataclass(frozen=True, eq=False)
class Reference:
    """The gradient that estimators are held against.

    Attributes:
        words: what it is.
        value: float64 [target, parameter], in logarithms of parameters.
        scatter: `check_measurement.Gradients.centred`, float64 [batch, entry]; None if it is exact.
        why_not_exact: why the master equation was not solved; empty if it was.
    """

    words: str
    value: FloatArray
    scatter: FloatArray | None = None
    why_not_exact: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether it has no error of its own."""
        return self.scatter is None

    @property
    def standard_error(self) -> FloatArray:
        """Float64 [target, parameter]; 0 where it is exact."""
        if self.scatter is None:
            return np.zeros_like(self.value)
        return np.sqrt(np.sum(self.scatter**2, axis=0)).reshape(self.value.shape)

    @property
    def error(self) -> float:
        """Its error, relative to its norm."""
        return float(np.linalg.norm(self.standard_error) / np.linalg.norm(self.value))


def reference_of(task: Task, largest: int, batches: int, tick: Tick) -> Reference:
    """Return the exact gradient where there are few enough states, else an estimate.

    An unbiased one; or finite differences over a short step, where things happen between firings or
    parameters set initial counts.

    Args:
        task: what is differentiated.
        largest: states to give up at.
        batches: of the measurement; those of the reference come after, and are `MORE` times that.
        tick: called after each batch of an estimate.

    Raises:
        GradientError: no unbiased estimator can differentiate this, or the gradient is zero.
    """
    try:
        found = _exact(task, largest)
    except SbmlGradError as error:
        found = _estimated(task, batches, tick, str(error))
    if not np.any(found.value):
        raise GradientError(
            f"model '{task.model.id}': the gradient of the {task.statistic} in "
            f"{', '.join(task.free)} is zero ({found.words}), so that errors have nothing to be "
            "relative to; choose other species, times or parameters"
        )
    return found


def _exact(task: Task, largest: int) -> Reference:
    from sbmlgrad.cme.projection import project

    # The derivatives of the master equation are those in its rates.
    refuse_parameters_in_start(task.lowered)
    if not isinstance(task.readout, ValuesAt | WindowAverages):
        raise GradientError(
            f"the master equation gives no expectations of {type(task.readout).__name__}"
        )
    until = float(task.readout.points[-1])
    projection = project(
        task.model, until=until, parameters=task.explicit, tolerance=LEAK, largest=largest
    )
    centres = np.zeros(task.weights.shape[1:])
    if task.statistic.kind == "variance":
        centres = projection.expect(task.readout, lambda states: states).value
    request = task.request(0, 1)
    rows = []
    for weights in task.weights:
        functional = task.statistic.functional(weights, centres, 1.0)
        _, slope = projection.total_in_inputs(task.readout, functional.contributions)
        rows.append(task.in_logarithms(request, slope))
    leak = projection.leak(until)
    words = f"exact, by the master equation on {projection.space.size:,} states"
    return Reference(words + (f" (leak {leak:.1g})" if leak > 0.0 else ""), np.array(rows))


def _estimated(task: Task, batches: int, tick: Tick, why: str) -> Reference:
    from sbmlgrad.gradients.coupled_difference import CoupledDifference
    from sbmlgrad.gradients.score_function import ScoreFunction

    if task.lowered.is_timed or task.lowered.parameters_in_initial_counts:
        return _by_differences(task, batches, tick, why)
    refusals, found = [], []
    # After the trajectories of the measurement, so that the two are independent.
    pilot = range(batches, batches + max(batches // 4, 5))
    candidates = (CoupledDifference(), CoupledDifference(control_variate=False), ScoreFunction())
    for estimator in candidates:
        try:
            tried = gradients_of(task, estimator, pilot)
        except SbmlGradError as error:
            refusals.append(str(error))
            continue
        found.append((float(np.sum(tried.standard_error**2)), estimator))
    if not found:
        raise GradientError(
            f"model '{task.model.id}': nothing to check against. The master equation: {why}. "
            f"Unbiased estimators: {' '.join(dict.fromkeys(refusals))}"
        )
    _, best = min(found, key=lambda pair: pair[0])
    numbers = range(pilot.stop, pilot.stop + MORE * batches)
    gradients = gradients_of(task, best, numbers, tick=tick)
    words = f"{best.name} with {len(numbers) * task.batch:,} trajectories, which is unbiased"
    return Reference(words, gradients.mean, gradients.centred, why)


def _by_differences(task: Task, batches: int, tick: Tick, why: str) -> Reference:
    """Return finite differences over a short step, which see whatever parameters do."""
    from sbmlgrad.gradients.finite_difference import FiniteDifference

    estimator = FiniteDifference(SHORT_STEP, coupling="crn", parameters=task.free)
    pilot = max(batches // 4, 5)
    # As many as there are for an unbiased reference, so that progress counts to the same end.
    numbers = range(batches + pilot, batches + pilot + MORE * batches)
    try:
        gradients = gradients_of(task, estimator, numbers, tick=tick)
    except SbmlGradError as error:
        raise GradientError(
            f"model '{task.model.id}': nothing to check against. The master equation: {why}. "
            f"Finite differences: {error}"
        ) from error
    words = (
        f"{estimator.name} with {len(numbers) * task.batch:,} trajectories, whose bias is of the "
        "order of the step squared"
    )
    return Reference(words, gradients.mean, gradients.centred, why)
