"""Formulas that depend on themselves: found and left out, each with an issue.

Initial assignments, assignment rules and kinetic laws (the id of a reaction stands for its rate)
form one graph. A concentration depends on the size of its compartment, and a rate of change
(`rateOf`) on whatever the change is made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from sbmlgrad.io.sbml.scope import rates_used
from sbmlgrad.io.sbml.support import refused
from sbmlgrad.model.elements import Reaction, Species
from sbmlgrad.model.expression import ZERO, Expression, symbols
from sbmlgrad.model.graphs import on_cycles
from sbmlgrad.model.initial import start_needs
from sbmlgrad.model.issues import Issue
from sbmlgrad.model.network import ReactionNetwork

Needs = dict[str, frozenset[str]]


def without_cycles(
    network: ReactionNetwork, lines: Mapping[str, int], issues: list[Issue]
) -> ReactionNetwork:
    """Return the network without the formulas that depend on themselves.

    Args:
        network: the network as read.
        lines: symbol → line of its initial assignment or assignment rule.
        issues: list that one issue for each such formula is added to.
    """
    always = _always_needs(network)
    cyclic = on_cycles(_with_rates(network, always)) | on_cycles(
        _with_rates(network, _needs_at_start(network))
    )
    if not cyclic:
        return network
    issues += _issues(network, cyclic, lines)
    return replace(
        network,
        initial_assignments=_kept(network.initial_assignments, cyclic),
        assignment_rules=_kept(network.assignment_rules, cyclic),
        rate_rules=MappingProxyType(
            {t: e for t, e in network.rate_rules.items() if _rate(t) not in cyclic}
        ),
        reactions=tuple(
            replace(r, rate_law=ZERO) if r.id in cyclic else r for r in network.reactions
        ),
    )


def _kept(formulas: Mapping[str, Expression], cyclic: frozenset[str]) -> Mapping[str, Expression]:
    return MappingProxyType({t: e for t, e in formulas.items() if t not in cyclic})


def _needs_at_start(network: ReactionNetwork) -> Needs:
    needs = start_needs(network)
    for formulas in (network.initial_assignments, network.assignment_rules):
        needs.update((t, _needed(e)) for t, e in formulas.items())
    needs.update((r.id, _needed(r.rate_law)) for r in network.reactions)
    return needs


def _always_needs(network: ReactionNetwork) -> Needs:
    """Return what rules, rates and concentrations need at any time after the start."""
    needs = {t: _needed(e) for t, e in network.assignment_rules.items()}
    needs.update((r.id, _needed(r.rate_law)) for r in network.reactions)
    for species in network.species:
        if not species.only_substance_units and species.id not in needs:
            needs[species.id] = frozenset({species.compartment})
    return needs


def _needed(formula: Expression) -> frozenset[str]:
    return symbols(formula) | {_rate(symbol) for symbol in rates_used(formula)}


def _rate(symbol: str) -> str:
    """Return the node of a rate of change; no SBML id is spelled like it."""
    return f"rateOf({symbol})"


def _with_rates(network: ReactionNetwork, needs: Needs) -> Needs:
    """Add the rates of change that formulas use, and those that these need in turn."""
    needs = dict(needs)
    formulas = (
        *network.assignment_rules.values(),
        *network.initial_assignments.values(),
        *network.rate_rules.values(),
        *(reaction.rate_law for reaction in network.reactions),
    )
    waiting = list(frozenset().union(*map(rates_used, formulas)))
    if not waiting:
        return needs
    changed_by: dict[str, list[Reaction]] = {}
    for reaction in network.reactions:
        for species in reaction.species:
            changed_by.setdefault(species, []).append(reaction)
    while waiting:
        symbol = waiting.pop()
        if _rate(symbol) in needs:
            continue
        plain, rates = _rate_needs(network, symbol, changed_by)
        needs[_rate(symbol)] = plain | {_rate(s) for s in rates}
        waiting += rates
    return needs


def _rate_needs(
    network: ReactionNetwork, symbol: str, changed_by: Mapping[str, list[Reaction]]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the symbols, and the symbols whose rate of change, that a rate of change needs."""
    element = network.by_id.get(symbol)
    if symbol in network.assignment_rules:
        formula = network.assignment_rules[symbol]
        return symbols(formula), symbols(formula)
    if symbol in network.rate_rules:
        formula = network.rate_rules[symbol]
        return symbols(formula), rates_used(formula)
    if not isinstance(element, Species):
        return frozenset(), frozenset()
    reactions = changed_by.get(symbol, []) if element.changes else []
    plain = {reaction.id for reaction in reactions}
    for reaction in reactions:
        plain.update(*(symbols(f.number) for f in reaction.formulas if f.species == symbol))
    if element.only_substance_units:
        return frozenset(plain), frozenset()
    return frozenset((*plain, element.compartment)), frozenset({element.compartment})


def _issues(
    network: ReactionNetwork, cyclic: frozenset[str], lines: Mapping[str, int]
) -> Iterator[Issue]:
    what = [(t, t, "its initial assignment", lines.get(t)) for t in network.initial_assignments]
    what += [(t, t, "its assignment rule", lines.get(t)) for t in network.assignment_rules]
    what += [(_rate(t), t, "its rate rule", None) for t in network.rate_rules]
    what += [(r.id, f"{r.id}/kineticLaw", "the law", r.line) for r in network.reactions]
    for node, element, name, line in what:
        if node in cyclic:
            yield refused(
                "cyclic_assignment",
                element,
                line,
                f"{name} depends on itself, directly or through other formulas.",
                "Break the cycle.",
            )
