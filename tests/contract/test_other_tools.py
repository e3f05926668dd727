"""A calibrated model opens in other tools with the fitted values; each runs in its own process."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
from calibrated_models import calibrated
from networks import shipped

import sbmlgrad as sg
from sbmlgrad.model.provenance import Estimate

READ = {
    "roadrunner": "import roadrunner; print(repr(roadrunner.RoadRunner(PATH)['beta']))",
    "COPASI": (
        "import COPASI; d = COPASI.CRootContainer.addDatamodel(); assert d.importSBML(PATH);"
        "m = d.getModel(); v = [m.getModelValue(i) for i in range(m.getNumModelValues())];"
        "print(repr(next(x.getInitialValue() for x in v if x.getSBMLId() == 'beta')))"
    ),
    "libsbml": (
        "import libsbml; d = libsbml.readSBML(PATH); d.checkConsistency();"
        "assert d.getNumErrors(libsbml.LIBSBML_SEV_ERROR) == 0, d.getErrorLog().toString();"
        "print(repr(d.getModel().getParameter('beta').getValue()))"
    ),
}


@pytest.mark.parametrize("tool", READ)
def test_calibrated_model_opens_with_its_values(tool: str, tmp_path) -> None:
    # The set-up command of the README installs the extra, so that nothing is skipped there.
    if importlib.util.find_spec(tool) is None:
        pytest.skip(f"{tool} comes with the extra 'validation'")
    value = 1.7763712345678901
    fitted = calibrated(shipped("sir"), {"beta": Estimate(value)})
    path = tmp_path / "calibrated.xml"
    sg.save(fitted, path)
    code = f"PATH = {str(path)!r}\n{READ[tool]}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split("(")[-1].strip(") \n")) == value


@pytest.mark.parametrize("suffix", [".xml", ".sbml", ".xml.gz"])
@pytest.mark.parametrize(
    "name", ["birth_death", "dimerization", "ion_channel", "oscillator", "sir", "telegraph"]
)
def test_write_and_read_is_the_identity(name: str, suffix: str, tmp_path) -> None:
    model = shipped(name)
    first = model.parameter_ids[0]
    changed = model.with_parameters({first: float(model.parameter_values[0]) / 3.0})
    for network in (model, changed):
        sg.save(network, tmp_path / f"m{suffix}")
        again = sg.load(tmp_path / f"m{suffix}")
        assert again == network
        assert again.parameter_values.tolist() == network.parameter_values.tolist()
