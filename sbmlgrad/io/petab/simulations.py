"""Predictions beside measurements, as PEtab's table of simulations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sbmlgrad.errors import RequestError
from sbmlgrad.io.files import write_atomically
from sbmlgrad.io.petab.tables import measurement_table, table_bytes
from sbmlgrad.io.petab.written_names import written_names
from sbmlgrad.model.problem import Problem

#: Usual name of the file, in the folder of the problem.
SIMULATIONS = "simulations.tsv"


def write_simulations(problem: Problem, predicted: Any, path: str | Path) -> None:
    """Write predictions as a table like the measurement table, for PEtab's plots and residuals.

    Args:
        problem: what they are predictions of.
        predicted: float64 [measurement], in the order of `problem.measurements`, on the scale of
            the measurements.
        path: the file, usually `simulations.tsv` in the folder of the problem.

    Raises:
        RequestError: there are not as many predictions as measurements.
        WriteError: the file cannot be written.
    """
    write_atomically(Path(path), simulation_bytes(problem, predicted))


def simulation_bytes(problem: Problem, predicted: Any) -> bytes:
    """Return what `write_simulations` writes; arguments and errors are the same.

    Args:
        problem: what they are predictions of.
        predicted: float64 [measurement].
    """
    values = np.asarray(predicted, dtype=np.float64)
    if values.shape != (len(problem.measurements),):
        raise RequestError(
            f"predicted: an array of shape {values.shape} for {len(problem.measurements)} "
            "measurements; give one prediction for each, in their order"
        )
    return table_bytes(measurement_table(problem, written_names(problem), values, "simulation"))
