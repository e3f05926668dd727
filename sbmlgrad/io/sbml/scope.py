"""What the formulas of one document may name, and the reading of a formula with its problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sbmlgrad.io.sbml.mathml import Functions, MathError, to_expression
from sbmlgrad.io.sbml.support import refused
from sbmlgrad.model.distributions import is_random
from sbmlgrad.model.expression import RATE_OF, TIME, Apply, Expression, symbols
from sbmlgrad.model.issues import Issue


@dataclass(frozen=True)
class Scope:
    """The ids of a document by what may be done with them.

    Attributes:
        level: SBML level.
        functions: function definitions by id.
        names: ids that stand for a number in any formula.
        reactions: ids of reactions: in a formula they stand for the rate of the reaction.
        targets: ids that rules, initial assignments and events may set.
        constant: those of them that the document calls constant.
        reacting: ids of species that reactions change.
        issues: list that problems are added to.
    """

    level: int
    functions: Functions
    names: frozenset[str]
    reactions: frozenset[str]
    targets: frozenset[str]
    constant: frozenset[str]
    reacting: frozenset[str]
    issues: list[Issue]

    def formula(
        self,
        math: Any,
        element: str,
        line: int | None,
        *,
        rename: Mapping[str, str] | None = None,
        may_draw: bool = False,
        is_law: bool = False,
    ) -> Expression | None:
        """Return a formula, or None with its problems added to the issues.

        Args:
            math: `libsbml.ASTNode`.
            element: what to call the place in messages.
            line: its line.
            rename: local parameter → its symbol in the network.
            may_draw: whether random draws have a meaning here.
            is_law: whether it is a kinetic law.
        """
        rename = rename or {}
        try:
            expression = to_expression(math, self.functions, rename)
        except MathError as error:
            self.issues.append(refused(error.code, element, line, error.message, error.advice))
            return None
        problems = [*self._undefined(expression, rename.values(), element, line)]
        problems += self._rates_without_meaning(expression, element, line)
        if not may_draw and is_random(expression):
            problems.append(_draw(element, line, is_law=is_law))
        self.issues.extend(problems)
        return None if problems else expression

    def _undefined(
        self, expression: Expression, local: Iterable[str], element: str, line: int | None
    ) -> Iterator[Issue]:
        unknown = symbols(expression) - self.names - self.reactions - {TIME.id}
        for symbol in sorted(unknown.difference(local)):
            yield refused(
                "undefined_symbol",
                element,
                line,
                f"the formula uses '{symbol}', which is no species, parameter, compartment or "
                "reaction.",
                "Define it or correct the name.",
            )

    def _rates_without_meaning(
        self, expression: Expression, element: str, line: int | None
    ) -> Iterator[Issue]:
        """Refuse the rate of change of what has no value that could change."""
        # One by one: uniting the sets would take as long as there are reactions, for each formula.
        used = sorted(rates_used(expression))
        for symbol in (s for s in used if s in self.reactions or s == TIME.id):
            yield refused(
                "invalid_sbml",
                element,
                line,
                f"the formula uses the rate of change of '{symbol}', which only species, "
                "compartments, parameters and species references have.",
                "Write the id of a reaction itself for its rate.",
            )


def rates_used(expression: Expression) -> frozenset[str]:
    """Return the ids of the symbols whose rate of change (`rateOf`) an expression uses."""
    found: set[str] = set()
    stack = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Apply):
            if node.operator == RATE_OF:
                found |= symbols(node)
            stack.extend(node.arguments)
    return frozenset(found)


def _draw(element: str, line: int | None, *, is_law: bool) -> Issue:
    if is_law:
        return refused(
            "distribution_in_law",
            element,
            line,
            "a random draw in a kinetic law would give a new rate at every look at it.",
            "Draw the value in an event or an initial assignment of a parameter.",
        )
    return refused(
        "distribution_in_rule",
        element,
        line,
        "a random draw has a meaning only where it happens once: in an event assignment or an "
        "initial assignment.",
        "Draw the value there, into a parameter, and use the parameter here.",
    )
