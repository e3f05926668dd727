"""Fits in little memory: ensembles that do not grow beyond it, and the words that say so."""

from __future__ import annotations

import numpy as np
import pytest
from objective_cases import CASES

import sbmlgrad as sg

VARIABLE = "SBMLGRAD_MEMORY_LIMIT"


@pytest.mark.parametrize("case", CASES[:3], ids=lambda case: case.name)
def test_a_gradient_of_all_experiments_is_counted(case, monkeypatch) -> None:
    """Two species at three times: 48 bytes of values, 8 + 2 * 2 times as much, and firings."""
    simulator, estimator = case.simulator(), sg.gradients.TwoSidedAdjoint()
    monkeypatch.setenv(VARIABLE, "100kB")
    assert simulator.gradient_fits(100, estimator)
    assert not simulator.gradient_fits(400, estimator)
    monkeypatch.delenv(VARIABLE)
    assert simulator.gradient_fits(400, estimator)


def test_an_ensemble_does_not_grow_beyond_what_fits(job, monkeypatch) -> None:
    """Of 64 trajectories a gradient is counted with 21 kB, of 128 with 41 kB."""
    model, data = job
    monkeypatch.setenv(VARIABLE, "35kB")
    result = sg.fit(
        model,
        data,
        free=["alpha", "mu"],
        start={"alpha": 1.0, "mu": 1.0},
        seed=4,
        trajectories=64,
        most_trajectories=256,
        evaluation_trajectories=32,
        engine=sg.engines.Native(threads=1, kernel="table"),
        estimator=sg.gradients.TwoSidedAdjoint(),
    )
    assert "no longer falls" in result.reason
    assert set(np.asarray(result.trajectories_history)) == {64}
    said = [words for words in result.assumptions if "128 trajectories" in words]
    assert len(said) == 1
    assert f"went on with 64 ({VARIABLE}" in said[0]
