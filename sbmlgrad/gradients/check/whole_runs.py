"""Gradients from all trajectories at once, for estimators that fit something to an ensemble."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sbmlgrad.errors import SbmlGradError
from sbmlgrad.gradients.base import FittingEstimator
from sbmlgrad.gradients.check.measurement import Measured, Tick, gradients_of
from sbmlgrad.gradients.check.reference import MORE
from sbmlgrad.gradients.check.task import Task

#: How many there are, and how many sizes of one lie before the first in the streams: batches,
#: reference and its pilot.
RUNS, BEFORE = 4, MORE + 2


def is_fitting(estimator: object) -> bool:
    """Tell whether an estimator fits something to the ensemble."""
    return isinstance(estimator, FittingEstimator) and estimator.fits_ensemble


def with_whole_runs(task: Task, row: Measured, batches: int, tick: Tick) -> Measured:
    """Return what was measured of an estimator with the gradients from all trajectories.

    Where there are none, because memory is too small or the estimator refuses, what batches gave is
    left as it is, and the row says why.

    Args:
        task: what is differentiated, with the trajectories of a batch.
        row: what batches gave.
        batches: how many there are.
        tick: called for each batch that a run amounts to.
    """
    if row.gradients is None or not is_fitting(row.estimator):
        return row
    at_once = replace(task, batch=batches * task.batch)

    def ticks() -> None:
        for _ in range(batches):
            tick()

    try:
        runs = gradients_of(at_once, row.estimator, range(BEFORE, BEFORE + RUNS), tick=ticks)
    except SbmlGradError as error:  # such as a memory that is too small for so many
        return replace(row, runs_refusal=str(error))
    if not np.isfinite(runs.values).all():
        return replace(row, runs_refusal="such a gradient is not finite")
    return replace(row, runs=runs)
