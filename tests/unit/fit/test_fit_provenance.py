"""The record in a calibrated model says where the gradients of the fit came from."""

from __future__ import annotations

import json
import sys

import pytest
from networks import ROOT, antimony

import sbmlgrad as sg
from sbmlgrad.fit.objectives import DwellTimes
from sbmlgrad.io.prov import prov_json

sys.path.insert(0, str(ROOT / "docs" / "tutorials"))

from channel_simulated import simulated_record

TWO = "O=1; C=0; k=1; l=0.1; O -> C; k*O; C -> O; l*C"


@pytest.fixture(scope="module")
def exact() -> sg.FitResult:
    record = simulated_record(50, 2, 0.025)
    objective = DwellTimes(record, {"1": ("O",), "0": ("C",)})
    few = {"trajectories": 2, "evaluation_trajectories": 2, "epochs": 3}
    return sg.fit(antimony(TWO), record, objective=objective, seed=1, **few)


def test_an_exact_objective_is_named_as_its_own_estimator(exact, tmp_path) -> None:
    record = exact.model.provenance
    assert record.estimator == exact.estimator == exact.objective
    assert record.estimator.startswith("DwellTimes(")
    sg.save(exact.model, tmp_path / "calibrated.xml")
    written = (tmp_path / "calibrated.xml").read_text(encoding="utf-8")
    told = prov_json(record, before=b"", after=b"").decode()
    assert json.loads(told)
    for text in (written, told):
        assert "DwellTimes(" in text
        assert "Adjoint" not in text


def test_settings_name_nothing_that_no_one_reads(exact) -> None:
    settings = exact.model.provenance.settings
    assert settings["epochs"] == "3"
    assert "averagedTrajectories" not in settings
