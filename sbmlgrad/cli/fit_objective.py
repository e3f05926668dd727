"""`--objective` of `sbmlgrad fit`: a name, or a call with settings as results record it."""

from __future__ import annotations

from typing import Any

_ADVICE = (
    "write a name, or a name with settings as in Python, in quotation marks for the shell: "
    "--objective \"Distribution(distance='mmd', bandwidth=0.5)\""
)


def objective_of(text: str | None) -> Any:
    """Return the objective that a text names, or None for the default.

    Args:
        text: as for `fit.spelled.spelled_objective`.

    Raises:
        RequestError: there is no such objective or setting, or it is written in another way.
    """
    from sbmlgrad.fit.spelled import spelled_objective

    return None if text is None else spelled_objective(text, f"--objective {text}", _ADVICE)
