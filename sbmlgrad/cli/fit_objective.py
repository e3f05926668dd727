"""`--objective` of `sbmlgrad fit`: a name, or a call with settings as results record it."""

from __future__ import annotations

import ast
import dataclasses
from typing import Any

from sbmlgrad.errors import FitError, RequestError


def objective_of(text: str | None) -> Any:
    """Return the objective that a text names, or None for the default.

    Args:
        text: such as `Moments` or `Distribution(distance='mmd', bandwidth=0.5)`; settings are
            numbers, texts, truth values, and mappings of these. Nothing in it is run.

    Raises:
        RequestError: there is no such objective or setting, or it is written in another way.
    """
    from sbmlgrad.fit.objectives.base import OBJECTIVES, objective_class

    if text is None:
        return None
    name, settings = _parts(text)
    if name not in OBJECTIVES:
        raise RequestError(f"--objective {text}: choose one of {', '.join(OBJECTIVES)}")
    made = objective_class(name)
    fields = {field.name: field for field in dataclasses.fields(made)}
    if unknown := [setting for setting in settings if setting not in fields]:
        raise RequestError(
            f"--objective {text}: {name} has no setting {', '.join(unknown)}; it has "
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
            f"--objective {text}: {name} needs {', '.join(needed)}; fit from Python, with "
            f"objective={name}({', '.join(f'{one}=...' for one in needed)})"
        )
    try:
        return made(**settings)
    except (FitError, RequestError) as error:
        raise RequestError(f"--objective {text}: {error}") from error


def _parts(text: str) -> tuple[str, dict[str, Any]]:
    """Return name and settings."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise RequestError(_advice(text)) from None
    if isinstance(call, ast.Name):
        return call.id, {}
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
        raise RequestError(_advice(text))
    settings = {}
    for keyword in call.keywords:
        try:
            value = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, SyntaxError):
            raise RequestError(_advice(text)) from None
        if keyword.arg is None:
            raise RequestError(_advice(text))
        if keyword.arg in settings:
            raise RequestError(f"--objective {text}: {keyword.arg} is given twice")
        settings[keyword.arg] = value
    return call.func.id, settings


def _advice(text: str) -> str:
    return (
        f"--objective {text}: write a name, or a name with settings by their names, in quotation "
        "marks for the shell: --objective \"Distribution(distance='mmd', bandwidth=0.5)\""
    )
