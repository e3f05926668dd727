"""Gradients from all trajectories at once; without them batches count, and the row says why."""

from __future__ import annotations

import numpy as np
import pytest
from networks import network

import sbmlgrad as sg
from sbmlgrad.errors import GradientError, RequestError
from sbmlgrad.gradients import FittedValue, TwoSidedAdjoint
from sbmlgrad.gradients.check import whole_runs
from sbmlgrad.gradients.check.measurement import Gradients


def checked():
    return sg.check_gradient(
        network("immigration_death"),
        times=[1.0],
        estimators=[FittedValue(), TwoSidedAdjoint()],
        trajectories=200,
        seed=1,
    )


def test_what_is_fitted_to_an_ensemble_is_judged_by_whole_runs() -> None:
    fitted, path = checked().rows
    assert (fitted.runs.size, len(fitted.runs.values)) == (200, whole_runs.RUNS)
    assert (path.runs, path.runs_refusal) == (None, "")


def too_many(*_args, **_options):
    raise RequestError("200 trajectories need more memory than there is")


def refused(*_args, **_options):
    raise GradientError("not so many at once")


def not_finite(task, *_args, **_options):
    shape = (whole_runs.RUNS, len(task.weights), len(task.free))
    return Gradients(np.full(shape, np.nan), task.batch, 1e-6)


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (too_many, "more memory than there is"),
        (refused, "not so many at once"),
        (not_finite, "such a gradient is not finite"),
    ],
)
def test_without_whole_runs_batches_count_and_the_reason_is_told(planted, why, monkeypatch) -> None:
    monkeypatch.setattr(whole_runs, "gradients_of", planted)
    found = checked()
    fitted = found.rows[0]
    assert fitted.runs is None
    assert why in fitted.runs_refusal
    assert fitted.error(200.0) == pytest.approx(
        np.hypot(fitted.likely_bias, fitted.noise / np.sqrt(200.0))
    )
    if found.ranking[0].row is fitted:
        assert why in found.recommendation
