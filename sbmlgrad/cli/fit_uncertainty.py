"""Uncertainty after `sbmlgrad fit`: which method, on which processes, and going on after a cut."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from sbmlgrad.errors import RequestError, SbmlGradError

#: File of the results folder that keeps refits while an uncertainty is computed.
RECORDS = "uncertainty.jsonl"

#: Methods whose refits can run beside each other.
SPREAD = ("bootstrap", "profile")

#: Seconds from which it is said how long an uncertainty takes.
LONG_S = 20.0


def check_workers(
    method: str | None, starts: int, workers: int | None, scheduler: str | None
) -> None:
    """Raise a `RequestError` for workers that would have nothing to do, or are not to be had.

    Args:
        method: of uncertainty, or None.
        starts: of the fit.
        workers: processes of a local cluster, or None.
        scheduler: address of a cluster that runs already, or None.
    """
    if workers is None and scheduler is None:
        return
    given = "--workers" if workers is not None else "--scheduler"
    if workers is not None and scheduler is not None:
        raise RequestError("--workers, --scheduler: a scheduler has its own workers; give one")
    if method not in SPREAD and starts == 1:
        raise RequestError(
            f"{given}: is for several --starts, and for --uncertainty {' or '.join(SPREAD)}, whose "
            "parts do not depend on each other; one descent uses the cores of one machine by "
            "itself (--threads)"
        )
    if importlib.util.find_spec("distributed") is None:
        raise RequestError(
            f"{given}: the package 'distributed' is not installed; install the extra with pip "
            "install 'sbmlgrad[distributed]'"
        )


def check_uncertainty(method: str | None, engine: str, repeats: int | None) -> None:
    """Raise a `RequestError` for an uncertainty that cannot be computed after the fit."""
    from sbmlgrad.fit.uncertainty.run import METHODS

    if repeats is not None and method != "bootstrap":
        raise RequestError("--repeats: is for --uncertainty bootstrap; leave it out")
    if method in (None, "none"):
        return
    if method not in METHODS:
        raise RequestError(f"--uncertainty {method}: choose one of {', '.join(METHODS)} or none")
    if engine == "ode":
        raise RequestError(
            f"--uncertainty {method}: is for exact simulation; leave it out with --engine ode"
        )
    if method == "mcmc" and importlib.util.find_spec("emcee") is None:
        raise RequestError(
            f"--uncertainty {method}: the package 'emcee' is not installed; install the extra with "
            "pip install 'sbmlgrad[mcmc]'"
        )


def check_likelihood_of(method: str | None, objective: Any, problem: Any) -> None:
    """Raise for a problem whose uncertainty could not be computed, before it is fitted.

    Args:
        method: asked for, or None.
        objective: that will be made small.
        problem: what is fitted.

    Raises:
        RequestError: the objective is no likelihood of the measurements.
        FitError: as many parameters as measurements, and nothing else that tells the noise.
    """
    from sbmlgrad.errors import FitError
    from sbmlgrad.fit.objectives.base import ExactLikelihood
    from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
    from sbmlgrad.fit.uncertainty.fitted import assumed_noise

    if method in (None, "none", "bootstrap"):
        return
    if isinstance(objective, ExactLikelihood):
        if method == "fisher":
            return
        raise RequestError(
            f"--uncertainty {method}: is for means; {objective.name} has --uncertainty fisher and "
            "bootstrap"
        )
    if not isinstance(objective, MeanTrajectory):
        raise RequestError(
            f"--uncertainty {method}: needs a likelihood of measurements, and {objective.name} is "
            "none; use --uncertainty bootstrap"
        )
    count, free = len(problem.measurements), len(problem.free)
    if count <= free and assumed_noise(problem):
        raise FitError(
            f"{problem.name}: {count} measurements and {free} free parameters leave nothing to "
            f"estimate the noise from, so that --uncertainty {method} has no answer; free fewer "
            "parameters, or state the noise in a mapping file or a PEtab problem"
        )


def method_of(asked: str | None, result: Any, objective: Any) -> str | None:
    """Return which uncertainty to compute; None for none.

    Args:
        asked: for, or None.
        result: of the fit.
        objective: that was made small; None for the rate equations.
    """
    from sbmlgrad.fit.objectives.base import ExactLikelihood
    from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory

    if asked == "none" or result.interrupted:
        return None
    if asked is not None:
        return asked
    return "fisher" if isinstance(objective, MeanTrajectory | ExactLikelihood) else None


def executor_of(workers: int | None, scheduler: str | None) -> Any:
    """Return where starts and refits run; None for this process.

    Args:
        workers: processes of a local cluster, or None for this process.
        scheduler: address of a cluster that runs already, or None.
    """
    from sbmlgrad.fit.parallel import Dask

    if scheduler is not None:
        return Dask(address=scheduler)
    return None if workers is None else Dask(workers=workers)


def told_beforehand(
    method: str, out: Path, clock: Callable[[], float] = monotonic
) -> Callable[[int, int], None]:
    """Return what to call with (done, total) where no bar is shown.

    It says once on standard error how long a method is likely to take, if that is long: there is no
    limit on its time, and the fit is written already.

    Args:
        method: of uncertainty.
        out: folder of the results.
        clock: seconds from anywhere.
    """
    first, begun, is_told = 0, 0.0, False

    def advance(done: int, total: int) -> None:
        nonlocal first, begun, is_told
        if not first or done <= first:
            # The first part may have compiled kernels, and tells nothing of the others.
            first, begun = done, clock()
            return
        left = (clock() - begun) / (done - first) * (total - done)
        if is_told or left < LONG_S:
            return
        is_told = True
        more = ", and more where the fit ended far from the optimum" if method == "fisher" else ""
        print(
            f"{method}: about {_duration(left)} to go{more}; {out}: the fit is written there, and "
            "Ctrl-C leaves it as it is",
            file=sys.stderr,
        )

    return advance


def _duration(seconds: float) -> str:
    if seconds < 100.0:
        return f"{10 * round(seconds / 10)} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000.0 else f"{seconds / 3600:.0f} h"


def with_intervals(
    result: Any,
    method: str,
    level: float,
    *,
    is_asked: bool,
    objective: Any,
    repeats: int | None,
    executor: Any,
    out: Path,
    is_silent: bool,
) -> Any:
    """Return a result with its uncertainty; refits are kept in the folder until all are done.

    Where nobody asked for it and it cannot be had, the result is returned as it is, and standard
    error says why.

    Args:
        result: of the fit.
        method: of `fit.uncertainty.run.METHODS`.
        level: probability of the intervals.
        is_asked: whether the user named the method.
        objective: of the fit.
        repeats: refits of a bootstrap, or None for its default.
        executor: where refits run, or None for this process.
        out: folder of the results.
        is_silent: whether to show no progress.

    Raises:
        SbmlGradError: it was asked for and cannot be had.
    """
    from sbmlgrad.cli.support import progress_bar
    from sbmlgrad.fit.parallel import Serial
    from sbmlgrad.fit.uncertainty.records import Recorded
    from sbmlgrad.fit.uncertainty.result import with_uncertainty
    from sbmlgrad.fit.uncertainty.run import uncertainty

    records = out / RECORDS
    with progress_bar(method, is_silent) as advance:
        settings: dict[str, Any] = {}
        if method in SPREAD:
            settings["executor"] = Recorded(executor or Serial(), records)
        if repeats is not None:
            settings["repeats"] = repeats
        settings["progress"] = advance or (None if is_silent else told_beforehand(method, out))
        try:
            found = uncertainty(result, method, level, objective=objective, **settings)
        except SbmlGradError as error:
            if is_asked:
                print(f"{out}: the fit is written there, without uncertainty", file=sys.stderr)
                raise
            print(f"no standard errors are written: {error}", file=sys.stderr)
            return result
    records.unlink(missing_ok=True)
    return with_uncertainty(result, found)
