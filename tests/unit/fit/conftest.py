"""A problem that several tests of this folder fit."""

from __future__ import annotations

import pytest
from fit_jobs import mean_data
from networks import network


@pytest.fixture(scope="session")
def job(tmp_path_factory):
    """Immigration and death, and means of 20,000 trajectories of it."""
    model = network("immigration_death")
    path = tmp_path_factory.mktemp("data") / "x.csv"
    return model, mean_data(model, path, ["X"], [1.0, 2.0, 4.0, 8.0], 20_000, seed=9)
