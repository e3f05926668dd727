"""What `sbmlgrad fit` refuses before it starts, and a dry run likewise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sbmlgrad.errors import RequestError

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


@contextmanager
def results_folder(path: Path) -> Iterator[None]:
    """Make a folder; if what follows fails and has written nothing, take it away again.

    Args:
        path: of the folder; one that is there already stays in any case.
    """
    is_new = not path.exists()
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:  # an interruption by the user included
        if is_new:
            with suppress(OSError):  # it is not empty: something can go on from there
                path.rmdir()
        raise


def check_checkpoint(path: Path) -> None:
    """Raise a `WriteError` where a fit would keep its state if somebody's file is there.

    Args:
        path: of the state.
    """
    from sbmlgrad.errors import FitError, WriteError
    from sbmlgrad.fit.descent.checkpoint import seed_in

    if not path.exists():
        return
    try:
        seed_in(path)
    except FitError as error:
        raise WriteError(
            f"{path}: is there already and cannot be read as the state of a fit ({error}), which "
            "would overwrite it; choose another folder for the results, or move it away"
        ) from None


def check_settings(common: dict[str, Any], stochastic: dict[str, Any]) -> None:
    """Raise a `RequestError` for numbers and names that no fit can take.

    Args:
        common: `starts`, `seed`, `max_seconds`.
        stochastic: settings of exact simulation; empty for the rate equations.
    """
    from sbmlgrad.fit.descent.optimizers import OPTIMIZERS
    from sbmlgrad.simulation_inputs import seed_of

    seconds = common["max_seconds"]
    if seconds is not None and not seconds > 0.0:
        raise RequestError(f"--max-seconds {seconds:g}: must be above 0")
    if common["seed"] is not None:
        try:
            seed_of(common["seed"])
        except RequestError as error:
            raise RequestError(f"--seed {common['seed']}: {_advice(error)}") from None
    if not stochastic:
        return
    if stochastic["optimizer"].lower() not in OPTIMIZERS:
        known = " or ".join(OPTIMIZERS)
        raise RequestError(f"--optimizer {stochastic['optimizer']}: choose {known}")
    least, most = stochastic["trajectories"], stochastic["most_trajectories"]
    if most is not None and most < least:
        raise RequestError(
            f"--most-trajectories {most}: is below --trajectories {least}, with which the fit "
            "begins; give as many at least"
        )


def _advice(error: Exception) -> str:
    return str(error).partition(": ")[2]


def refuse_stochastic(options: dict[str, Any], threads: int | None) -> None:
    """Raise a `RequestError` for options that mean nothing with `--engine ode`."""
    given = [name for name, default in STOCHASTIC.items() if options[name] != default]
    given += ["threads"] if threads is not None else []
    if given:
        names = ", ".join("--" + name.replace("_", "-") for name in given)
        raise RequestError(
            f"{names}: mean something for exact simulation only; leave them out with --engine ode"
        )


def check_problem(problem: Any, engine: str, objective: Any, writing: dict[str, Any]) -> Any:
    """Raise what the fit itself, or writing its result, would raise hours later.

    Args:
        problem: what is to be fitted.
        engine: ssa or ode.
        objective: asked for, or None.
        writing: arguments of `save`.

    Returns:
        What will be made small; None for the rate equations.
    """
    from sbmlgrad.fit.problems import checks as problem_checks
    from sbmlgrad.io.sbml.writer import check_writable

    problem_checks.check_problem(problem)
    target = None
    if engine == "ssa":
        from sbmlgrad.fit.penalty import refuse_unused_priors
        from sbmlgrad.fit.solve import default_objective

        target = default_objective(problem) if objective is None else objective
        target.check(problem)
        refuse_unused_priors(target, problem)
        problem_checks.check_start(problem)
    own = [p.id for p in problem.free if p.id in problem.network.parameter_ids]
    check_writable(problem.network, own, **writing)
    return target
