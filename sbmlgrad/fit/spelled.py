"""Objectives and estimators by what they are called in text: a name, or a call with settings.

The text is that of `name` in results, so that what is recorded can be asked for again.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Collection
from typing import Any

from sbmlgrad.errors import RequestError, SbmlGradError
from sbmlgrad.fit.objectives.base import OBJECTIVES, Objective, objective_class
from sbmlgrad.gradients.base import Estimator

#: Estimators that can be called by name, of `sbmlgrad.gradients`.
ESTIMATORS = (
    "Adjoint",
    "CoupledDifference",
    "FiniteDifference",
    "FittedValue",
    "ScoreFunction",
    "StraightThrough",
    "TwoSidedAdjoint",
)


def spelled_objective(text: str, where: str, advice: str) -> Objective:
    """Return the objective that a text means.

    Args:
        text: such as `Moments` or `Distribution(distance='mmd', bandwidth=0.5)`; settings are
            numbers, texts, truth values, and mappings of these. Nothing in it is run.
        where: where it stands, for messages.
        advice: what to write instead, for texts that are neither.

    Raises:
        RequestError: there is no such objective or setting, or it is written in another way.
    """
    return _spelled(text, where, advice, "objective", tuple(OBJECTIVES), objective_class)


def spelled_estimator(text: str, where: str, advice: str) -> Estimator:
    """Return the estimator that a text such as `StraightThrough(temperature=0.1)` means.

    Args:
        text: as for `spelled_objective`.
        where: likewise.
        advice: likewise.

    Raises:
        RequestError: there is no such estimator or setting, or it is written in another way.
    """
    from sbmlgrad import gradients

    return _spelled(
        text, where, advice, "estimator", ESTIMATORS, lambda name: getattr(gradients, name)
    )


def _spelled(
    text: str,
    where: str,
    advice: str,
    argument: str,
    known: Collection[str],
    class_of: Callable[[str], Any],
) -> Any:
    call = _parts(text)
    if call is None:
        raise RequestError(f"{where}: {advice}")
    name, values, settings, twice = call
    if name not in known:
        raise RequestError(f"{where}: choose one of {', '.join(known)}")
    made = class_of(name)
    fields = {field.name: field for field in dataclasses.fields(made) if field.init}
    if len(values) > len(fields):
        raise RequestError(
            f"{where}: {name} has {len(fields)} settings at most, {', '.join(fields) or 'none'}"
        )
    placed = dict(zip(fields, values, strict=False))
    if twice := twice or next((setting for setting in placed if setting in settings), ""):
        raise RequestError(f"{where}: {twice} is given twice")
    settings = placed | settings
    if unknown := [setting for setting in settings if setting not in fields]:
        raise RequestError(
            f"{where}: {name} has no setting {', '.join(unknown)}; it has "
            f"{', '.join(fields) or 'none'}"
        )
    missing = dataclasses.MISSING
    needed = [
        field.name
        for field in fields.values()
        if field.default is missing
        and field.default_factory is missing
        and field.name not in settings
    ]
    if needed:
        raise RequestError(
            f"{where}: {name} needs {', '.join(needed)}; fit from Python, with "
            f"{argument}={name}({', '.join(f'{one}=...' for one in needed)})"
        )
    try:
        return made(**settings)
    except SbmlGradError as error:
        raise RequestError(f"{where}: {error}") from error


def _parts(text: str) -> tuple[str, list[Any], dict[str, Any], str] | None:
    """Return name, settings by place and by name, and one given twice; None for another text."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if isinstance(call, ast.Name):
        return call.id, [], {}, ""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    settings: dict[str, Any] = {}
    try:
        values = [ast.literal_eval(value) for value in call.args]
    except (ValueError, TypeError, SyntaxError):
        return None
    for keyword in call.keywords:
        try:
            value = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, SyntaxError):
            return None
        if keyword.arg is None:
            return None
        if keyword.arg in settings:
            return call.func.id, values, settings, keyword.arg
        settings[keyword.arg] = value
    return call.func.id, values, settings, ""
