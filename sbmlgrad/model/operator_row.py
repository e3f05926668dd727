"""What one row of the operator table says, and rows of the common kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sbmlgrad.model import interval_rules as bounds
from sbmlgrad.model import operator_values as values
from sbmlgrad.model.interval_rules import Rule
from sbmlgrad.model.operator_partials import Partials
from sbmlgrad.model.operator_spellings import Spelling, call, compared, spelled, template, truth
from sbmlgrad.model.operator_values import Function


@dataclass(frozen=True, slots=True)
class Operator:
    """One row: a function that may stand in a kinetic law.

    Attributes:
        name: MathML element name, also the name used in `Apply`.
        arity: smallest and largest number of arguments; None means unbounded.
        function: its value for numbers or arrays, element by element, without warnings.
        partials: derivative of the result in each argument, as expressions of the arguments; None
            for operators whose value moves in steps only (derivative zero).
        spelling: how each target writes it.
        opcode: its number in the table-driven kernel's instruction set, where operators with any
            number of arguments are applied to two at a time; None if it has no value by itself.
            Functions of one argument have 15 to 18, 42 or numbers from 50, the choice of a piece
            has 21, those of two have the rest from 10.
        bounds: bounds of the result from bounds of the arguments.
        is_logical: True if the result is a truth value, 1.0 or 0.0.
    """

    name: str
    arity: tuple[int, int | None]
    function: Function
    partials: Partials | None
    spelling: Mapping[str, Spelling]
    opcode: int | None
    bounds: Rule
    is_logical: bool = False

    @property
    def is_evaluable(self) -> bool:
        """Whether its value follows from the values of its arguments."""
        return self.opcode is not None

    @property
    def moves_in_steps(self) -> bool:
        """Whether its value is a number that jumps where its arguments move smoothly."""
        return self.partials is None and self.is_evaluable and not self.is_logical

    def accepts(self, count: int) -> bool:
        """Tell whether the operator may have that many arguments."""
        least, most = self.arity
        return count >= least and (most is None or count <= most)


def elementary(
    name: str, function: Function, numba: str, partials: Partials | None, opcode: int, rule: Rule
) -> Operator:
    """Return the row of a function of one argument; `numba` holds it as {0}."""
    spelling = spelled(template(numba), call(name))
    return Operator(name, (1, 1), function, partials, spelling, opcode, rule)


def relation(name: str, sign: str, function: Function, opcode: int) -> Operator:
    """Return the row of a comparison."""
    spelling = spelled(truth(sign), compared(f" {sign} ", name))
    return logical(name, (2, 2), values.truth(function), spelling, opcode)


def logical(
    name: str,
    arity: tuple[int, int | None],
    function: Function,
    spelling: Mapping[str, Spelling],
    opcode: int,
) -> Operator:
    """Return the row of an operator with a truth value."""
    rule = bounds.truth
    return Operator(name, arity, function, None, spelling, opcode, rule, is_logical=True)
