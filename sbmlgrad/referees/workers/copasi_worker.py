"""Direct-method trajectories by COPASI; run as `python copasi_worker.py request.json`.

Asked through the classes of its own bindings. Amounts are particle numbers over the factor that
COPASI found for the substance unit of the document, which is the item.
"""

import importlib
import re

import numpy as np
from worker_tools import read_request, refuse, seeds, write_result

#: Enough between any two output times.
MAX_INTERNAL_STEPS = 2**31 - 1

CLOCK = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+<?")


def said(copasi, task=None):
    """Return the reason that COPASI gave."""
    text = copasi.CCopasiMessage.getAllMessageText()
    failures = [part for part in text.split(">") if part.startswith(("ERROR", "EXCEPTION"))]
    own = task.getProcessError() if task is not None else ""
    words = " ".join([*failures, own]).strip() or text[-500:] or "no reason given"
    return CLOCK.sub("", words)


def trajectories(copasi, source, task, request):
    """Yield counts [time, species] of one trajectory after the other."""
    seed = task.getMethod().getParameter("Random Seed")
    species = source.getModel().getMetabolites()
    every = [species.get(i) for i in range(species.size())]
    start = {s.getSBMLId(): s.getInitialValue() for s in every}
    times = request["times"]
    skipped = 0 if times[0] == 0.0 else 1
    columns = None
    for number in seeds(request["seed"], request["trajectories"]):
        seed.setIntValue(number)
        # Only here does it say whether it can simulate the model.
        if not task.initializeRaw(copasi.CCopasiTask.OUTPUT_UI):
            refuse(said(copasi, task))
        if not task.processRaw(True):
            raise SystemExit(said(copasi, task))
        series = task.getTimeSeries()
        if series.getRecordedSteps() != len(times) + skipped:
            raise SystemExit(f"it recorded {series.getRecordedSteps()} times, not {len(times)}")
        if columns is None:
            ids = [series.getSBMLId(i, source) for i in range(series.getNumVariables())]
            # The first column is the time, under the id of the model.
            columns = [ids.index(s, 1) if s in ids[1:] else 0 for s in request["species"]]
        # It leaves out species that never change.
        yield np.array(
            [
                [
                    series.getData(t + skipped, column) if column else start[name]
                    for column, name in zip(columns, request["species"], strict=True)
                ]
                for t in range(len(times))
            ]
        )
        task.restore()


def main():
    """Do what the request says."""
    request, document = read_request()
    copasi = importlib.import_module("COPASI")
    source = copasi.CRootContainer.addDatamodel()
    try:
        is_read = source.importSBMLFromString(document)
    except copasi.CCopasiException:
        is_read = False
    if not is_read:
        refuse(said(copasi))
    factor = source.getModel().getQuantity2NumberFactor()
    if factor != 1.0:
        raise SystemExit(f"it takes an item for {factor} particles")
    task = source.getTask("Time-Course")
    task.setMethodType(copasi.CTaskEnum.Method_directMethod)
    problem = task.getProblem()
    times = request["times"]
    grid = times if times[0] == 0.0 else [0.0, *times]
    problem.setDuration(grid[-1])
    problem.setOutputStartTime(0.0)
    problem.setAutomaticStepSize(False)
    problem.setTimeSeriesRequested(True)
    problem.setUseValues(True)
    problem.setValues(" ".join(repr(t) for t in grid))
    method = task.getMethod()
    method.getParameter("Max Internal Steps").setIntValue(MAX_INTERNAL_STEPS)
    method.getParameter("Use Random Seed").setBoolValue(True)
    states = trajectories(copasi, source, task, request)
    settings = {"method": "directMethod", "seed": str(request["seed"])}
    write_result(request, states, str(copasi.__version__), settings)


if __name__ == "__main__":
    main()
