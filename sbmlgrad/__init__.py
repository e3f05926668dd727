"""Exact stochastic simulation of SBML models, with gradients and calibration.

Public names resolve on first use: importing the package loads no TensorFlow, libSBML or numba.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sbmlgrad import cme, distances, engines, gradients
    from sbmlgrad.api import check
    from sbmlgrad.engines.ensemble import Ensemble
    from sbmlgrad.engines.readouts import AfterFirings, Interpolated, ValuesAt, WindowAverages
    from sbmlgrad.errors import (
        DataError,
        FitError,
        GradientError,
        ModelError,
        ParameterError,
        RefereeError,
        RequestError,
        SbmlGradError,
        SimulationError,
        StateSpaceError,
        StatisticsError,
        UnreadableFileError,
        UnsupportedModelError,
        WriteError,
    )
    from sbmlgrad.firing_lists import FiringList, firings
    from sbmlgrad.fit.parallel import Dask, Serial
    from sbmlgrad.fit.result import FitResult
    from sbmlgrad.fit.run import fit
    from sbmlgrad.fit.storage.result_file import load_result
    from sbmlgrad.fit.uncertainty.result import with_uncertainty
    from sbmlgrad.fit.uncertainty.run import uncertainty
    from sbmlgrad.gradients.check.result import GradientCheck
    from sbmlgrad.gradients.check.run import check_gradient
    from sbmlgrad.io.dwell_files import load_dwells
    from sbmlgrad.io.formats import load, save
    from sbmlgrad.io.mapping_file import DataMapping, load_mapping, problem_of
    from sbmlgrad.io.petab import load_petab, write_petab
    from sbmlgrad.io.preview import preview
    from sbmlgrad.io.snapshot_files import load_snapshots
    from sbmlgrad.io.tables.measurements import load_measurements
    from sbmlgrad.model.dwells import Dwells
    from sbmlgrad.model.issues import Issue, Severity
    from sbmlgrad.model.measurements import Measurements
    from sbmlgrad.model.network import ReactionNetwork
    from sbmlgrad.model.problem import Problem
    from sbmlgrad.model.snapshots import Snapshots
    from sbmlgrad.passage_times import FirstPassage, first_passage
    from sbmlgrad.referees.validate import validate
    from sbmlgrad.simulation import simulate
    from sbmlgrad.summary import EnsembleSummary, Quantile, summarise

_HOMES = {
    "sbmlgrad.api": ("check",),
    "sbmlgrad.engines.ensemble": ("Ensemble",),
    "sbmlgrad.engines.readouts": ("AfterFirings", "Interpolated", "ValuesAt", "WindowAverages"),
    "sbmlgrad.errors": (
        "DataError",
        "FitError",
        "GradientError",
        "ModelError",
        "ParameterError",
        "RefereeError",
        "RequestError",
        "SbmlGradError",
        "SimulationError",
        "StateSpaceError",
        "StatisticsError",
        "UnreadableFileError",
        "UnsupportedModelError",
        "WriteError",
    ),
    "sbmlgrad.firing_lists": ("FiringList", "firings"),
    "sbmlgrad.fit.parallel": ("Dask", "Serial"),
    "sbmlgrad.fit.result": ("FitResult",),
    "sbmlgrad.fit.storage.result_file": ("load_result",),
    "sbmlgrad.fit.run": ("fit",),
    "sbmlgrad.fit.uncertainty.result": ("with_uncertainty",),
    "sbmlgrad.fit.uncertainty.run": ("uncertainty",),
    "sbmlgrad.gradients.check.run": ("check_gradient",),
    "sbmlgrad.gradients.check.result": ("GradientCheck",),
    "sbmlgrad.io.formats": ("load", "save"),
    "sbmlgrad.io.dwell_files": ("load_dwells",),
    "sbmlgrad.io.mapping_file": ("DataMapping", "load_mapping", "problem_of"),
    "sbmlgrad.io.petab": ("load_petab", "write_petab"),
    "sbmlgrad.io.preview": ("preview",),
    "sbmlgrad.io.snapshot_files": ("load_snapshots",),
    "sbmlgrad.io.tables.measurements": ("load_measurements",),
    "sbmlgrad.model.dwells": ("Dwells",),
    "sbmlgrad.model.issues": ("Issue", "Severity"),
    "sbmlgrad.model.measurements": ("Measurements",),
    "sbmlgrad.model.network": ("ReactionNetwork",),
    "sbmlgrad.model.problem": ("Problem",),
    "sbmlgrad.model.snapshots": ("Snapshots",),
    "sbmlgrad.passage_times": ("FirstPassage", "first_passage"),
    "sbmlgrad.referees.validate": ("validate",),
    "sbmlgrad.simulation": ("simulate",),
    "sbmlgrad.summary": ("EnsembleSummary", "Quantile", "summarise"),
}
_MODULES = ("cme", "distances", "engines", "gradients")
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AfterFirings",
    "Dask",
    "DataError",
    "DataMapping",
    "Dwells",
    "Ensemble",
    "EnsembleSummary",
    "FiringList",
    "FirstPassage",
    "FitError",
    "FitResult",
    "GradientCheck",
    "GradientError",
    "Interpolated",
    "Issue",
    "Measurements",
    "ModelError",
    "ParameterError",
    "Problem",
    "Quantile",
    "ReactionNetwork",
    "RefereeError",
    "RequestError",
    "SbmlGradError",
    "Serial",
    "Severity",
    "SimulationError",
    "Snapshots",
    "StateSpaceError",
    "StatisticsError",
    "UnreadableFileError",
    "UnsupportedModelError",
    "ValuesAt",
    "WindowAverages",
    "WriteError",
    "check",
    "check_gradient",
    "cme",
    "distances",
    "engines",
    "firings",
    "first_passage",
    "fit",
    "gradients",
    "load",
    "load_dwells",
    "load_mapping",
    "load_measurements",
    "load_petab",
    "load_result",
    "load_snapshots",
    "preview",
    "problem_of",
    "save",
    "simulate",
    "summarise",
    "uncertainty",
    "validate",
    "with_uncertainty",
    "write_petab",
]


def __getattr__(name: str) -> Any:
    import importlib

    if name == "__version__":
        from importlib.metadata import version

        return version("sbmlgrad")
    if name in _MODULES:
        return importlib.import_module(f"sbmlgrad.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'sbmlgrad' has no attribute {name!r}")
    # Kept, so that a subpackage of the same name (`fit`) cannot take its place later.
    value = globals()[name] = getattr(importlib.import_module(_HOME_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
