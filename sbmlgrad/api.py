"""`check`: everything about a model that a user should know before trusting a simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.start import start_states
from sbmlgrad.errors import UnreadableFileError, UnsupportedModelError
from sbmlgrad.io.formats import examine, unreadable
from sbmlgrad.model.issues import SSA, Issue, blocking


def check(
    source: str | Path,
    *,
    substance: str | None = None,
    initial: str = "strict",
    mass_action: str = "as_written",
) -> tuple[Issue, ...]:
    """Report everything about a model that a user should know before trusting a simulation.

    Args:
        source: path or text, as for `load`.
        substance: as for `load`.
        initial: as for `load`.
        mass_action: as for `load`.

    Returns:
        All issues at once, errors first. An ERROR prevents exact stochastic simulation; `blocks`
        says which modes. A file that cannot be read is one issue; nothing is raised for it.
    """
    try:
        network, issues = examine(
            source, substance=substance, initial=initial, mass_action=mass_action
        )
    except UnreadableFileError as error:
        return (unreadable(error, source),)
    if network is not None and not blocking(issues, SSA):
        try:
            lowered = lower(network)
        except UnsupportedModelError as error:
            issues += error.issues
        else:
            try:
                start_states(lowered, {}, {}, 0, np.zeros(1, dtype=np.uint64))
            except UnsupportedModelError as error:
                issues += error.issues
    order = {"error": 0, "warning": 1, "info": 2}
    unique = dict.fromkeys(issues)
    return tuple(sorted(unique, key=lambda issue: (order[str(issue.severity)], issue.line or 0)))
