"""libSBML's own validation, as far as it takes no longer than reading the document.

Its general rules follow every path of dependencies between formulas, with a cost that was measured
to grow with the cube or the fourth power of their length: a chain of 400 assignment rules takes 20
seconds, one of 100 functions more. Cycles, which are what it looks for there, are found by
`cycles.without_cycles` in linear time. Other rules compare every element with every other, or visit
a formula once for each of its parts. So documents beyond the limits below are validated by
identifiers and SBO terms only, and an issue says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

import libsbml

from sbmlgrad.io.sbml.functions import function_calls
from sbmlgrad.io.sbml.support import rule_broken
from sbmlgrad.model.expression import Expression, symbols, uses_rate_of
from sbmlgrad.model.issues import NOTHING, Issue, Severity
from sbmlgrad.model.network import ReactionNetwork

#: Most pairs (formula, another that it depends on through others); 0.2 seconds.
LARGEST_CLOSURE = 5_000
#: The same for function definitions, and where formulas name rates of change; these cost more.
LARGEST_FUNCTION_CLOSURE = 500
LARGEST_RATE_OF_CLOSURE = 800
#: Most elements; 0.6 seconds.
MOST_ELEMENTS = 10_000
#: Longest formula in bytes of MathML; 0.2 seconds.
LONGEST_FORMULA = 100_000

_MATH_TAG = re.compile(rb"<(/?)(?:\w+:)?math\b")

#: Units are judged by `substance`; practice is a matter of taste; overdetermined models need
#: algebraic rules, which are refused.
_NEVER = (
    libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
    libsbml.LIBSBML_CAT_MODELING_PRACTICE,
    libsbml.LIBSBML_CAT_OVERDETERMINED_MODEL,
)
_COSTLY = (libsbml.LIBSBML_CAT_GENERAL_CONSISTENCY, libsbml.LIBSBML_CAT_MATHML_CONSISTENCY)


def consistency_issues(document: Any, network: ReactionNetwork, data: bytes) -> Iterator[Issue]:
    """Run libSBML's validation; its errors become warnings, since ours decide what can run.

    Args:
        document: `libsbml.SBMLDocument` without submodels.
        network: the network read from it, reactions still named in formulas.
        data: its bytes.
    """
    reason = _too_costly(document.getModel(), network, data)
    if reason:
        yield Issue(
            "partly_validated",
            Severity.INFO,
            network.id,
            None,
            f"{reason}, for which the full validation of SBML rules takes too long; identifiers "
            "and SBO terms were validated.",
            "Validate the document by libSBML itself if another tool refuses it.",
            NOTHING,
        )
    for category in _NEVER:
        document.setConsistencyChecks(category, False)
    for category in _COSTLY:
        document.setConsistencyChecks(category, not reason)
    before = document.getNumErrors()
    document.checkConsistency()
    for i in range(before, document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            yield rule_broken(error)


def _too_costly(model: Any, network: ReactionNetwork, data: bytes) -> str:
    """Return what of a model is beyond the limits, or nothing."""
    counts = (network.species, network.parameters, network.reactions, network.compartments)
    elements = sum(map(len, (*counts, network.events, *_formulas(network))))
    if elements > MOST_ELEMENTS:
        return f"the model has {elements:,} elements"
    longest = _longest_formula(data)
    if longest > LONGEST_FORMULA:
        return f"one formula has {longest:,} bytes"
    if _has_larger_closure(function_calls(model), LARGEST_FUNCTION_CLOSURE):
        return "function definitions call each other in long chains"
    named: dict[str, Expression] = {r.id: r.rate_law for r in network.reactions}
    for formulas in _formulas(network):
        named |= formulas
    needs = {target: symbols(formula) for target, formula in named.items()}
    has_rates = any(map(uses_rate_of, named.values()))
    if _has_larger_closure(needs, LARGEST_RATE_OF_CLOSURE if has_rates else LARGEST_CLOSURE):
        return "formulas depend on each other in long chains"
    return ""


def _longest_formula(data: bytes) -> int:
    longest = start = 0
    for tag in _MATH_TAG.finditer(data):
        if tag[1]:
            longest = max(longest, tag.end() - start)
        else:
            start = tag.start()
    return longest


def _formulas(network: ReactionNetwork) -> tuple[Mapping[str, Any], ...]:
    return network.initial_assignments, network.rate_rules, network.assignment_rules


def _has_larger_closure(needs: Mapping[str, Set[str]], limit: int) -> bool:
    """Tell whether more than so many pairs of nodes depend on each other, also through others."""
    nodes = needs.keys()
    direct = {node: needed & nodes for node, needed in needs.items()}
    pairs = 0
    for first in direct.values():
        found: set[str] = set()
        waiting = list(first)
        while waiting:
            other = waiting.pop()
            if other not in found:
                found.add(other)
                waiting.extend(direct[other])
            if pairs + len(found) > limit:
                return True
        pairs += len(found)
    return False
