"""How a problem asks to be solved: its settings, taken where the caller of a fit names nothing.

A PEtab problem says them in the extension `sbmlgrad` of its YAML file, under the names of the
arguments of `fit`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sbmlgrad.engines.base import is_deterministic
from sbmlgrad.errors import DataError, RequestError
from sbmlgrad.fit.descent.checkpoint import seed_in
from sbmlgrad.fit.problems.plain import NOISE
from sbmlgrad.fit.settings import Settings
from sbmlgrad.fit.spelled import spelled_estimator, spelled_objective
from sbmlgrad.io.petab.load import DATASETS, VISUALIZATION
from sbmlgrad.model.numbers import whole
from sbmlgrad.model.problem import Problem
from sbmlgrad.simulation_inputs import seed_of

#: Settings of a problem that a fit reads, called like the arguments of `fit` that overrule them.
#: Exact simulation takes all of them, the rate equations take `seed` alone.
READ = ("seed", "trajectories", "estimator", "objective")

#: Settings that say something else than how to fit, and are read where that is done.
_ELSEWHERE = (NOISE, VISUALIZATION, DATASETS)

_NONE: Mapping[str, Any] = MappingProxyType({})


def settings_of(problem: Problem, source: str = "") -> dict[str, Any]:
    """Return what a problem says of how to fit it: argument of `fit` → value.

    Use it to know before a fit what will be done. Only `READ` are understood; other settings of the
    problem are no part of it.

    Args:
        problem: what is to be fitted.
        source: name of its file, for messages; by default the name of the problem.

    Returns:
        `seed` and `trajectories` as whole numbers, `estimator` and `objective` as objects.

    Raises:
        DataError: one of them cannot be understood.
    """
    where = source or f"problem '{problem.name or problem.network.id}'"
    found: dict[str, Any] = {}
    for name in READ:
        given = problem.settings.get(name)
        if given is None:
            continue
        try:
            found[name] = _understood(name, given)
        except RequestError as error:
            raise DataError(
                f"{where}, setting {name!r} (of the extension sbmlgrad): {error}"
            ) from None
    return found


def with_problem_settings(
    problem: Problem, settings: Settings, found: Mapping[str, Any] = _NONE
) -> tuple[Settings, tuple[str, ...]]:
    """Return settings of a fit in which the problem has said what the caller left open.

    Args:
        problem: what is to be fitted.
        settings: of the caller. One that has its default counts as left open.
        found: what the problem says, as `settings_of` returns it; looked up where it is empty.

    Returns:
        The settings, and in words what the problem says, used or not.

    Raises:
        DataError: as `settings_of`.
    """
    found = found or settings_of(problem)
    is_exact = settings.engine is None or not is_deterministic(settings.engine)
    default = {field.name: field.default for field in dataclasses.fields(settings)}
    left_open = [
        name
        for name in READ
        if name in found
        and (is_exact or name == "seed")
        and getattr(settings, name) == default[name]
        and found[name] != default[name]
        and not (name == "seed" and _begun_with(settings) not in (None, found[name]))
    ]
    taken = {name: found[name] for name in left_open}
    words = tuple(f"{name} {_text(value)}, as the problem says" for name, value in taken.items())
    idle = [name for name in found if not is_exact and name != "seed"]
    words += tuple(
        f"setting '{name}' of the problem ({_text(found[name])}) is for exact simulation; the rate "
        "equations do not use it"
        for name in idle
    )
    words += tuple(
        f"setting '{name}' of the problem is kept; a fit does not use it"
        for name in problem.settings
        if name not in (*READ, *_ELSEWHERE)
    )
    return dataclasses.replace(settings, **taken), words


def overruled(problem: Problem, given: Mapping[str, object]) -> Problem:
    """Return a problem whose settings are those of the caller, where both say something.

    What is written of a fit then says how it was done.

    Args:
        problem: what is to be fitted.
        given: setting → value; None where the caller leaves it open.
    """
    said = {k: v for k, v in given.items() if v is not None and k in problem.settings}
    if not said:
        return problem
    return dataclasses.replace(problem, settings=MappingProxyType({**problem.settings, **said}))


def _begun_with(settings: Settings) -> int | None:
    """Return the seed of the descent that is to go on, or None where one begins."""
    if not settings.resume or settings.checkpoint is None:
        return None
    path = Path(settings.checkpoint)
    return seed_in(path) if path.exists() else None


def _understood(name: str, given: object) -> Any:
    if name == "trajectories":
        return whole(name, given, 2, 10**9)
    if name == "seed":
        return seed_of(given)
    spelled = spelled_estimator if name == "estimator" else spelled_objective
    example = "TwoSidedAdjoint" if name == "estimator" else "Moments(covariance=True)"
    advice = f"write a name, or a name with settings as in Python, such as {example}"
    if not isinstance(given, str):
        raise RequestError(f"{given!r} is no text; {advice}")
    return spelled(given, given, advice)


def _text(value: Any) -> str:
    return str(getattr(value, "name", value))
