"""Gradients replay trajectories by the streams of double precision, and say so."""

from __future__ import annotations

import pytest
from networks import network

import sbmlgrad as sg
from sbmlgrad.engines import Native
from sbmlgrad.engines.readouts import WindowAverages
from sbmlgrad.gradients import FiniteDifference, StraightThrough, TwoSidedAdjoint


@pytest.mark.parametrize("estimator", [TwoSidedAdjoint(), StraightThrough(), FiniteDifference()])
@pytest.mark.parametrize("kernel", ["auto", "table", "lockstep"])
def test_gradients_refuse_single_precision(estimator: object, kernel: str) -> None:
    tf = pytest.importorskip("tensorflow")
    with pytest.raises(
        sg.GradientError, match=r"dtype='float32'.*double precision.*leave out dtype"
    ):
        sg.simulate(
            network("immigration_death"),
            parameters=tf.constant([2.0, 0.4], tf.float64),
            readouts=[WindowAverages([0.5, 2])],
            trajectories=3,
            seed=1,
            engine=Native(dtype="float32", kernel=kernel),
            estimator=estimator,
        )
