"""Line numbers: where in the source document the elements that issues name stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sbmlgrad.model.issues import Issue
from sbmlgrad.model.network import ReactionNetwork


def located(network: ReactionNetwork, issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Return issues with the line of the element that they name, where they have none.

    Use it where an issue is made from a network alone, without the document at hand. Of a path such
    as `J0/kineticLaw` the first part is the element.

    Args:
        network: the network; its elements carry their lines.
        issues: what was found.
    """
    events = {event.id: event.line for event in network.events}

    def line(element: str) -> int | None:
        name = element.split("/")[0]
        found = network.by_id.get(name)
        return events.get(name) if found is None else found.line

    return tuple(
        replace(issue, line=line(issue.element)) if issue.line is None else issue
        for issue in issues
    )


def without_lines(
    network: ReactionNetwork, issues: Iterable[Issue]
) -> tuple[ReactionNetwork, tuple[Issue, ...]]:
    """Drop line numbers: those of a translated document are of SBML that the user never sees.

    Args:
        network: the network.
        issues: what was found in the document.
    """
    plain = replace(
        network,
        compartments=tuple(replace(c, line=None) for c in network.compartments),
        species=tuple(replace(s, line=None) for s in network.species),
        parameters=tuple(replace(p, line=None) for p in network.parameters),
        references=tuple(replace(r, line=None) for r in network.references),
        reactions=tuple(replace(r, line=None) for r in network.reactions),
        events=tuple(replace(e, line=None) for e in network.events),
        issues=_unlocated(network.issues),
        judged_issues=_unlocated(network.judged_issues),
    )
    return plain, _unlocated(issues)


def _unlocated(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    return tuple(replace(issue, line=None) for issue in issues)
