"""Data in other units than the model's are refused by `fit`, not fitted to wrong rates."""

from __future__ import annotations

from pathlib import Path

import pytest

import sbmlgrad as sg
from sbmlgrad.errors import DataError

TELEGRAPH = Path(__file__).parents[3] / "models" / "sbml" / "telegraph.xml"


@pytest.mark.parametrize("engine", [None, sg.engines.ODE()])
def test_data_in_another_unit_of_time_are_refused(tmp_path, engine) -> None:
    file = tmp_path / "hours.csv"
    file.write_text("time [h],M\n0,0\n1,5\n2,7\n")
    with pytest.raises(DataError, match="wrong by a factor of 60"):
        sg.fit(sg.load(TELEGRAPH), sg.load_measurements(file), ["k_on"], engine=engine, seed=1)


def test_converted_when_they_are_read_they_are_taken(tmp_path) -> None:
    file = tmp_path / "hours.csv"
    file.write_text("time [h],M\n0,0\n0.5,4\n1,7\n")
    data = sg.load_measurements(file, time_unit="minute")
    assert data.time.tolist() == [0.0, 30.0, 60.0]
    fitted = sg.fit(
        sg.load(TELEGRAPH), data, ["k_on"], epochs=2, trajectories=16, seed=1, refine=False
    )
    assert set(fitted.values) == {"k_on"}
