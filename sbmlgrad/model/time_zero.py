"""What is bound to fail at time 0: propensities and rates with no possible value there.

Only what is certain is reported; what is not known before a trajectory runs is left to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from sbmlgrad.model.channels import Channel
from sbmlgrad.model.event_values import event_issues
from sbmlgrad.model.issues import SSA, STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.readiness import dependents_at_start, start_issues_as_written
from sbmlgrad.model.start_state import StartState, start_state


def readiness_issues(
    network: ReactionNetwork, channels: Sequence[Channel], issues: Sequence[Issue]
) -> tuple[Issue, ...]:
    """Return what prevents an exact simulation from starting, or makes it fail at time 0.

    Args:
        network: the network; what was refused is left out of it.
        channels: its firing channels, as far as there are any.
        issues: what else was found.
    """
    missing = start_issues_as_written(network, channels, issues)
    known = [issue for issue in (*issues, *missing) if SSA in issue.blocks]
    reported = {issue.element.split("/")[0] for issue in known}
    return (*missing, *time_zero_issues(network, channels, frozenset(reported)))


def time_zero_issues(
    network: ReactionNetwork, channels: Sequence[Channel], reported: frozenset[str] = frozenset()
) -> tuple[Issue, ...]:
    """Return what makes every exact simulation of a network fail at time 0.

    Constant values of events that can only fail are warned of, too.

    Args:
        network: the network.
        channels: its firing channels.
        reported: ids of elements that other issues already name; they are left alone, and so is
            what uses them.
    """
    start = start_state(network, dependents_at_start(network, reported))
    found: list[Issue] = []
    for channel in channels:
        if channel.reaction not in reported:
            found += _of_channel(start, channel)
    for target in network.rate_rules:
        if target not in reported:
            found += _of_rate_rule(start, target)
    for event in network.events:
        if event.id not in reported:
            found += event_issues(start, event)
    return tuple(found)


def _error(code: str, element: str, line: int | None, message: str, advice: str) -> Issue:
    return Issue(code, Severity.ERROR, element, line, message, advice, STOCHASTIC_ONLY)


def _of_channel(start: StartState, channel: Channel) -> Iterator[Issue]:
    rate = channel.propensity
    value = start.value_after_events(rate)
    if value is None or 0.0 <= value < math.inf:
        return
    reaction = start.network.by_id[channel.reaction]
    if value < 0.0 and math.isfinite(value):
        yield _error(
            "negative_propensity",
            reaction.id,
            reaction.line,
            f"its propensity is {value:g} at time 0{start.shown(rate)}, which no rate can be.",
            "Correct the law or the values it uses, or write it as forward minus backward rate.",
        )
        return
    yield _error(
        "not_finite_at_start",
        reaction.id,
        reaction.line,
        f"its propensity is {value} at time 0{start.shown(rate)}, so that nothing can be drawn "
        "from it.",
        "Look for a division by zero, an overflow or an infinite parameter in the law.",
    )


def _of_rate_rule(start: StartState, target: str) -> Iterator[Issue]:
    network = start.network
    rate = start.in_counts(network.rate_rules[target])
    value = start.value_after_events(rate)
    if value is not None and not math.isfinite(value):
        yield _error(
            "not_finite_at_start",
            target,
            network.by_id[target].line,
            f"its rate rule gives {value} at time 0{start.shown(rate)}, so that it cannot be "
            "followed.",
            "Look for a division by zero, an overflow or an infinite parameter in the rule.",
        )
