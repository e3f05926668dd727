"""What `sbmlgrad fit` refuses before it starts, and a dry run likewise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sbmlgrad.errors import RequestError, WriteError

#: Options of stochastic fits that mean nothing for the rate equations, with their defaults.
STOCHASTIC = {
    "objective": None,
    "epochs": None,
    "trajectories": 256,
    "most_trajectories": None,
    "optimizer": "adam",
    "warm_start": False,
    "resume": False,
}


def check_archive(path: Path) -> None:
    """Raise a `WriteError` for an archive that could not be written after the fit."""
    from sbmlgrad.io.files import check_folder

    if path.suffix.lower() != ".omex":
        raise WriteError(f"{path}: a COMBINE archive is called .omex; rename it")
    if not path.parent.is_dir():
        raise WriteError(f"{path}: there is no folder '{path.parent}'; make it first")
    check_folder(path.parent)


def check_uncertainty(method: str | None, engine: str) -> None:
    """Raise a `RequestError` for an uncertainty that cannot be computed after the fit."""
    from sbmlgrad.fit.uncertainty.run import METHODS

    if method in (None, "none"):
        return
    if method not in METHODS:
        raise RequestError(f"--uncertainty {method}: choose one of {', '.join(METHODS)} or none")
    if engine == "ode":
        raise RequestError(
            f"--uncertainty {method}: is for exact simulation; leave it out with --engine ode"
        )


def refuse_stochastic(options: dict[str, Any], threads: int | None) -> None:
    """Raise a `RequestError` for options that mean nothing with `--engine ode`."""
    given = [name for name, default in STOCHASTIC.items() if options[name] != default]
    given += ["threads"] if threads is not None else []
    if given:
        names = ", ".join("--" + name.replace("_", "-") for name in given)
        raise RequestError(
            f"{names}: mean something for exact simulation only; leave them out with --engine ode"
        )


def check_problem(problem: Any, engine: str, objective: Any, writing: dict[str, Any]) -> None:
    """Raise what the fit itself, or writing its result, would raise hours later."""
    from sbmlgrad.errors import FitError
    from sbmlgrad.io.sbml.writer import check_writable

    if not problem.free:
        raise FitError(f"problem '{problem.name or problem.network.id}' has no parameter to fit")
    if engine == "ssa":
        from sbmlgrad.fit.experiments import prepared
        from sbmlgrad.fit.solve import default_objective

        target = default_objective(problem) if objective is None else objective
        target.check(problem)
        prepared(problem)
    own = [p.id for p in problem.free if p.id in problem.network.parameter_ids]
    check_writable(problem.network, own, **writing)
