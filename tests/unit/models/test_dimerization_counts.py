"""The synthetic measurements are what their description says."""

from __future__ import annotations

import csv

import numpy as np
from networks import ROOT, shipped

import sbmlgrad as sg


def test_the_counts_are_made_by_the_model() -> None:
    with (ROOT / "models" / "data" / "dimerization_counts.csv").open() as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["time", "C", "C", "C"]
    table = np.array(rows[1:], dtype=float)
    for column, seed in enumerate((1, 2, 3), start=1):
        cells = sg.simulate(shipped("dimerization"), times=table[:, 0], trajectories=200, seed=seed)
        # Half a unit of the last decimal, plus the rounding of the sum.
        assert np.abs(cells.mean("C") - table[:, column]).max() <= 0.05 + 1e-9
