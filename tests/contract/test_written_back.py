"""Calibrated models simulate to the same means in other tools, uncertainty and notes included.

The tools read the file as it is written, not the normalised form that referees are fed otherwise;
so what is sampled are models whose reactions are irreversible. The rate equations are compared for
all of them.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
from calibrated_models import all_parameters, calibrated
from networks import shipped

import sbmlgrad as sg
from sbmlgrad.io.sbml.uncertainty import DISTRIB
from sbmlgrad.referees import referee

TRAJECTORIES = 2000
TIMES = np.array([0.0, 1.0, 4.0, 10.0])
#: Two-sided 1e-6 for one comparison; there are at most 30 here.
MOST_Z = 4.9


@pytest.mark.parametrize("distrib", [True, False])
@pytest.mark.parametrize("name", ["birth_death", "immigration_death", "sir"])
def test_roadrunner_finds_the_same_means(name: str, distrib: bool, tmp_path) -> None:
    roadrunner = referee("roadrunner")
    if not roadrunner.is_available():
        # The extra `test` installs it, so that only a bare installation goes without.
        pytest.skip("roadrunner comes with the extra 'validation'")
    model = shipped(name)
    result = calibrated(model, all_parameters(model))
    sg.save(result, tmp_path / "model.xml", distrib=distrib)
    document = (tmp_path / "model.xml").read_bytes()
    assert (DISTRIB.encode() in document) == distrib
    species = result.species_ids
    theirs = roadrunner.sample(document, species, TIMES, TRAJECTORIES, 7, 120.0)
    ours = sg.simulate(result, times=TIMES, trajectories=TRAJECTORIES, seed=7)
    for j, id in enumerate(species):
        variance = ours.variance(id, "counts") + theirs.variance[:, j]
        error = np.sqrt(variance / TRAJECTORIES)
        difference = ours.mean(id, "counts") - theirs.mean[:, j]
        still = error == 0.0
        assert (difference[still] == 0.0).all(), f"{id}: {difference[still]} without any noise"
        z = difference[~still] / error[~still]
        assert (np.abs(z) < MOST_Z).all(), f"{id}: z = {z}"


#: What each tool makes of the rate equations, as JSON; every tool in a process of its own.
RATE_EQUATIONS = {
    "roadrunner": """
import json, sys, roadrunner
path, times, species = json.loads(sys.argv[1])
model = roadrunner.RoadRunner(path)
model.integrator.relative_tolerance, model.integrator.absolute_tolerance = 1e-10, 1e-12
model.timeCourseSelections = species
print(json.dumps(model.simulate(times=times).tolist()))
""",
    "COPASI": """
import json, sys, COPASI
path, times, species = json.loads(sys.argv[1])
source = COPASI.CRootContainer.addDatamodel()
assert source.importSBML(path), COPASI.CCopasiMessage.getAllMessageText()
task = source.getTask("Time-Course")
task.setMethodType(COPASI.CTaskEnum.Method_deterministic)
task.getMethod().getParameter("Relative Tolerance").setDblValue(1e-10)
problem = task.getProblem()
problem.setDuration(times[-1])
problem.setStepNumber(len(times) - 1)
problem.setTimeSeriesRequested(True)
assert task.initializeRaw(COPASI.CCopasiTask.OUTPUT_UI) and task.processRaw(True)
series = task.getTimeSeries()
ids = [series.getSBMLId(i, source) for i in range(series.getNumVariables())]
factor = source.getModel().getQuantity2NumberFactor()
print(json.dumps([[series.getData(t, ids.index(s, 1)) / factor for s in species]
                  for t in range(len(times))]))
""",
}
MODELS = ["birth_death", "dimerization", "immigration_death", "ion_channel", "sir", "telegraph"]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("tool", RATE_EQUATIONS)
def test_rate_equations_are_the_same(tool: str, name: str, tmp_path) -> None:
    if importlib.util.find_spec(tool) is None:
        # The extra `test` installs it, so that only a bare installation goes without.
        pytest.skip(f"{tool} comes with the extra 'validation'")
    model = shipped(name)
    result = calibrated(model, all_parameters(model))
    path = tmp_path / "model.xml"
    sg.save(result, path)
    times = [0.0, 0.5, 1.0, 1.5, 2.0]
    asked = json.dumps([str(path), times, list(result.species_ids)])
    command = [sys.executable, "-c", RATE_EQUATIONS[tool], asked]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    theirs = np.array(json.loads(done.stdout.splitlines()[-1]))
    ours = sg.simulate(result, times=times, engine=sg.engines.ODE(rtol=1e-10, atol=1e-12))
    for j, id in enumerate(result.species_ids):
        values = ours.values(id, "amount")[0]
        assert theirs[:, j] == pytest.approx(values, rel=1e-6, abs=1e-8), id
