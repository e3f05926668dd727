"""`check`: everything about a model that a user should know before trusting a simulation."""

from __future__ import annotations

from pathlib import Path

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import UnreadableFileError, UnsupportedModelError
from sbmlgrad.io.formats import examine, unreadable
from sbmlgrad.model.initial import initial_counts, initial_values
from sbmlgrad.model.issues import SSA, Issue, blocking
from sbmlgrad.model.readiness import start_issues


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
            values = initial_values(network)
            counts = initial_counts(network, values, {})
            issues += start_issues(network, lowered.channels, values, counts)
    order = {"error": 0, "warning": 1, "info": 2}
    unique = dict.fromkeys(issues)
    return tuple(sorted(unique, key=lambda issue: (order[str(issue.severity)], issue.line or 0)))
