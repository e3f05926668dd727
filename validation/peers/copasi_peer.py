"""COPASI's stochastic simulation (direct method) as a worker; see `worker`.

Asked through the classes that basico wraps, since basico builds a data frame a trajectory. Amounts
are particle numbers over the factor that COPASI found for the model's substance unit.
"""

from __future__ import annotations

import importlib
import re
from typing import Any

import numpy as np
from worker import RefusedError, Request, Sampler, serve

CLOCK = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+<?")

#: Enough for any model of the suites between two output times.
MAX_INTERNAL_STEPS = 2**31 - 1


def software() -> str:
    """Return the version of COPASI; `ImportError` if it is not installed."""
    return str(importlib.import_module("COPASI").__version__)


def prepare(request: Request) -> Sampler:
    """Load the model and return what samples it, or refuse it (`RefusedError`)."""
    copasi = importlib.import_module("COPASI")
    source: Any = copasi.CRootContainer.addDatamodel()
    try:
        is_read = source.importSBML(request.document)
    except copasi.CCopasiException as error:
        raise RefusedError(_said(copasi)) from error
    if not is_read:
        raise RefusedError(_said(copasi))
    task = source.getTask("Time-Course")
    task.setMethodType(copasi.CTaskEnum.Method_directMethod)
    problem = task.getProblem()
    problem.setDuration(request.end)
    problem.setStepNumber(request.steps)
    problem.setAutomaticStepSize(False)
    problem.setOutputStartTime(0.0)
    problem.setTimeSeriesRequested(True)
    method = task.getMethod()
    method.getParameter("Max Internal Steps").setIntValue(MAX_INTERNAL_STEPS)
    method.getParameter("Use Random Seed").setBoolValue(True)
    factor = source.getModel().getQuantity2NumberFactor()
    start = _start(source)
    seeds = np.random.SeedSequence(request.seed).generate_state(request.trajectories) >> 1

    def sample():
        values = np.empty((request.trajectories, request.steps + 1, len(request.species)))
        columns: list[int] = []
        for trajectory, seed in zip(values, seeds.tolist(), strict=True):
            method.getParameter("Random Seed").setIntValue(seed)
            # Only here does it say whether it can simulate the model.
            if not task.initializeRaw(copasi.CCopasiTask.OUTPUT_UI):
                raise RefusedError(_said(copasi, task))
            if not task.processRaw(True):
                raise RuntimeError(_said(copasi, task))
            series = task.getTimeSeries()
            if series.getRecordedSteps() != request.steps + 1:
                raise RuntimeError(f"it recorded {series.getRecordedSteps()} times")
            if not columns:
                ids = [series.getSBMLId(i, source) for i in range(series.getNumVariables())]
                # The first column is the time, under the id of the model.
                columns = [ids.index(s, 1) if s in ids[1:] else 0 for s in request.species]
            for place, column in enumerate(columns):
                if column:
                    trajectory[:, place] = [
                        series.getData(t, column) for t in range(len(trajectory))
                    ]
                else:
                    trajectory[:, place] = start[request.species[place]]
            task.restore()
        return values / factor

    return sample


def _start(source: Any) -> dict[str, float]:
    """Return id → initial particle number; a time course leaves out species that never change."""
    species = source.getModel().getMetabolites()
    every = [species.get(i) for i in range(species.size())]
    return {s.getSBMLId(): s.getInitialValue() for s in every}


def _said(copasi: Any, task: Any = None) -> str:
    text = copasi.CCopasiMessage.getAllMessageText()
    failures = [part for part in text.split(">") if part.startswith(("ERROR", "EXCEPTION"))]
    own = task.getProcessError() if task is not None else ""
    said = " ".join([*failures, own]).strip() or text[-500:] or "no reason given"
    return CLOCK.sub("", said)


if __name__ == "__main__":
    serve(software, prepare)
