"""COPASI as a worker; see `loop`. Option `method`: `directMethod` or `stochastic` (Gibson-Bruck).

Asked through the classes that basico wraps in a data frame. Its values stay in its own memory; only
the last count is read out.
"""

from __future__ import annotations

import importlib
from typing import Any

from loop import Model, Ready, repeat, serve

#: Between two output times.
MOST_INTERNAL_STEPS = 2**31 - 1


def software() -> str:
    """Return the version of COPASI; `ImportError` if it is not installed."""
    return str(importlib.import_module("COPASI").__version__)


def prepare(model: Model, options: dict[str, Any]) -> Ready:
    """Load the document and return what samples it."""
    copasi = importlib.import_module("COPASI")
    source: Any = copasi.CRootContainer.addDatamodel()
    if not source.importSBML(model.document):
        raise ValueError(copasi.CCopasiMessage.getAllMessageText()[-500:])
    task = source.getTask("Time-Course")
    task.setMethodType(getattr(copasi.CTaskEnum, f"Method_{options['method']}"))
    problem = task.getProblem()
    problem.setAutomaticStepSize(False)
    problem.setOutputStartTime(0.0)
    problem.setTimeSeriesRequested(True)
    method = task.getMethod()
    method.getParameter("Max Internal Steps").setIntValue(MOST_INTERNAL_STEPS)
    method.getParameter("Use Random Seed").setBoolValue(True)

    def plan(end: float, points: int):
        problem.setDuration(end)
        problem.setStepNumber(points - 1)
        columns: list[int] = []

        def one(seed: int) -> float:
            method.getParameter("Random Seed").setIntValue(seed)
            if not task.initializeRaw(copasi.CCopasiTask.OUTPUT_UI) or not task.processRaw(True):
                raise RuntimeError(task.getProcessError() or "it gave no reason")
            series = task.getTimeSeries()
            if series.getRecordedSteps() != points:
                raise RuntimeError(f"it recorded {series.getRecordedSteps()} times, not {points}")
            if not columns:
                # The first column is the time.
                ids = [series.getSBMLId(i, source) for i in range(1, series.getNumVariables())]
                columns.append(1 + ids.index(model.watched))
            last = series.getData(points - 1, columns[0])
            task.restore()
            return float(last)

        return repeat(one)

    return Ready(plan)


if __name__ == "__main__":
    serve(software, prepare)
