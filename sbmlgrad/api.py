"""`check`: everything about a model that a user should know before trusting a simulation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from sbmlgrad.codegen.deterministic import lower_deterministic
from sbmlgrad.codegen.jumps_and_flows import lower_flows
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.start import start_states
from sbmlgrad.errors import UnreadableFileError, UnsupportedModelError
from sbmlgrad.io.formats import examine, unreadable
from sbmlgrad.model.initial import random_at_start
from sbmlgrad.model.issues import EVERY_MODE, ODE, Issue, blocking
from sbmlgrad.model.lines import located
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.readiness import MISSING_VALUES


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
    if network is not None:
        issues += _start_issues(network)
    if network is not None and not blocking(issues, ODE):
        issues = _for_rate_equations(network, issues)
    order = {"error": 0, "warning": 1, "info": 2}
    unique = dict.fromkeys(issues)
    return tuple(sorted(unique, key=lambda issue: (order[str(issue.severity)], issue.line or 0)))


def _start_issues(network: ReactionNetwork) -> tuple[Issue, ...]:
    """Return what else prevents an exact simulation from starting.

    The reader has judged the laws and the values at the start; left are rate rules in moving
    volumes, and values that are drawn, of which one sample is looked at.
    """
    try:
        if not any(issue.code == "rate_of" for issue in network.issues):
            lower_flows(network, counts=True)
        if random_at_start(network):
            start_states(lower(network), {}, {}, 0, np.zeros(1, dtype=np.uint64))
    except UnsupportedModelError as error:
        return located(network, error.issues)
    return ()


def _for_rate_equations(network: ReactionNetwork, issues: tuple[Issue, ...]) -> tuple[Issue, ...]:
    """Add what prevents the rate equations; a missing value that they use prevents them too."""
    try:
        system = lower_deterministic(network)
    except UnsupportedModelError as error:
        return (*issues, *located(network, error.issues))
    used = {*system.state_ids, *system.input_ids}
    return tuple(
        replace(issue, blocks=EVERY_MODE)
        if issue.code in MISSING_VALUES and issue.element in used
        else issue
        for issue in issues
    )
