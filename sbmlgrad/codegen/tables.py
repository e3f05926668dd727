"""The index arrays and bytecode that the kernels read.

`Tables` holds the structure of a network (changes, dependents, sparsity of the derivatives) and a
program for a small stack machine that evaluates propensities and derivatives without compiling
anything for the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.kernel_laws import KernelLaws, written_laws
from sbmlgrad.codegen.lowering import LoweredNetwork, Partial
from sbmlgrad.errors import SbmlGradError
from sbmlgrad.model.expression import Apply, Expression, Number, Symbol
from sbmlgrad.model.operators import OPERATORS
from sbmlgrad.model.structure import dependency_groups

PUSH_NUMBER, PUSH_COUNT, PUSH_INPUT, NEGATE = 0, 1, 2, 3

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


class Tables(NamedTuple):
    """Structure and bytecode of a network; `*_start` arrays hold one offset more than rows.

    A firing can change the propensities of the `members` of its `groups`. The propensity of a
    reaction that has a `coefficient`, an input, is its product with the counts of `factor_species`
    less `factor_offset`; where that is -1 its program says what it is.
    """

    change_start: IntArray
    change_species: IntArray
    change_amount: FloatArray
    groups_start: IntArray
    groups: IntArray
    members_start: IntArray
    members: IntArray
    coefficient: IntArray
    factor_start: IntArray
    factor_species: IntArray
    factor_offset: FloatArray
    state_start: IntArray
    state_variable: IntArray
    input_start: IntArray
    input_variable: IntArray
    code_start: IntArray
    opcode: IntArray
    operand: IntArray
    number: FloatArray
    stack_size: int


class Code(NamedTuple):
    """The programs of `Tables` alone, for kernel functions that need nothing else.

    A long list of arrays is costly to pass on, and to compile for.
    """

    code_start: IntArray
    opcode: IntArray
    operand: IntArray
    number: FloatArray


class Changes(NamedTuple):
    """What firings change, of `Tables`, likewise."""

    change_start: IntArray
    change_species: IntArray
    change_amount: FloatArray


def code_of(tables: Tables) -> Code:
    """Return the programs of a network alone."""
    return Code(tables.code_start, tables.opcode, tables.operand, tables.number)


def changes_of(tables: Tables) -> Changes:
    """Return what the firings of a network change."""
    return Changes(tables.change_start, tables.change_species, tables.change_amount)


def tables(
    lowered: LoweredNetwork,
    *,
    derivatives: bool,
    laws: KernelLaws | None = None,
    slot_ids: Sequence[str] | None = None,
    more: Sequence[Expression] = (),
) -> Tables:
    """Return the tables of a network.

    Args:
        lowered: the network.
        derivatives: also hold the derivatives, which only gradients need; programs then are ordered
            propensities, derivatives in counts, derivatives in inputs.
        laws: the propensities, and the inputs that they use; by default as they are written.
        slot_ids: symbols of the state array, species first; by default species alone.
        more: formulas to hold after all others.
    """
    slot_ids = lowered.species_ids if slot_ids is None else slot_ids
    place = {s: i for i, s in enumerate(slot_ids)}
    changes = [[(place[s], n) for s, n in channel.change.items()] for channel in lowered.channels]
    state = lowered.state_partials if derivatives else ()
    inputs = lowered.input_partials if derivatives else ()
    laws = written_laws(lowered) if laws is None else laws
    programs = list(laws.laws)
    programs += [partial.expression for partial in (*state, *inputs)]
    programs += more
    assembler = Assembler(slot_ids, laws.input_ids)
    code_start = [0]
    for program in programs:
        assembler.emit(program)
        code_start.append(len(assembler.opcode))
    count = len(lowered.channels)
    groups, rows = dependency_groups(lowered.channels)
    factors = [() if m is None else m.factors for m in laws.monomials]
    return Tables(
        change_start=_starts([len(c) for c in changes]),
        change_species=_ints([i for c in changes for i, _ in c]),
        change_amount=np.array([n for c in changes for _, n in c], dtype=np.float64),
        groups_start=_starts([len(row) for row in rows]),
        groups=_ints([group for row in rows for group in row]),
        members_start=_starts([len(group) for group in groups]),
        members=_ints([j for group in groups for j in group]),
        coefficient=_ints([-1 if m is None else m.coefficient for m in laws.monomials]),
        factor_start=_starts([len(row) for row in factors]),
        factor_species=_ints([s for row in factors for s, _ in row]),
        factor_offset=np.array([n for row in factors for _, n in row], dtype=np.float64),
        state_start=_row_starts(state, count),
        state_variable=_ints([p.variable for p in state]),
        input_start=_row_starts(inputs, count),
        input_variable=_ints([p.variable for p in inputs]),
        code_start=_ints(code_start),
        opcode=_ints(assembler.opcode),
        operand=_ints(assembler.operand),
        number=np.array(assembler.number, dtype=np.float64),
        stack_size=assembler.deepest + 1,
    )


def _ints(values: Sequence[int]) -> IntArray:
    return np.array(values, dtype=np.int64)


def _starts(lengths: Sequence[int]) -> IntArray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _row_starts(partials: Sequence[Partial], count: int) -> IntArray:
    return _starts(np.bincount([p.reaction for p in partials], minlength=count).tolist())


class Assembler:
    """Turns expressions into postfix instructions, tracking how deep the stack gets.

    Args:
        slot_ids: symbols of the state array.
        input_ids: symbols of the inputs.

    Attributes:
        opcode: what each instruction does (`model.operators`).
        operand: where it finds its number, slot or input.
        number: constants.
        deepest: most values on the stack at any time.
    """

    def __init__(self, slot_ids: Sequence[str], input_ids: Sequence[str]) -> None:
        self._count = {s: i for i, s in enumerate(slot_ids)}
        self._input = {s: i for i, s in enumerate(input_ids)}
        self.opcode: list[int] = []
        self.operand: list[int] = []
        self.number: list[float] = []
        self._depth = 0
        self.deepest = 0

    def _instruct(self, opcode: int, operand: int, change: int) -> None:
        self.opcode.append(opcode)
        self.operand.append(operand)
        self._depth += change
        self.deepest = max(self.deepest, self._depth)

    def emit(self, expression: Expression) -> None:
        """Append one program, leaving its value on the stack."""
        self._depth = 0
        self._push(expression)

    def _push(self, expression: Expression) -> None:
        if isinstance(expression, Number):
            self.number.append(expression.value)
            self._instruct(PUSH_NUMBER, len(self.number) - 1, +1)
        elif isinstance(expression, Symbol) and expression.id in self._count:
            self._instruct(PUSH_COUNT, self._count[expression.id], +1)
        elif isinstance(expression, Symbol):
            self._instruct(PUSH_INPUT, self._input[expression.id], +1)
        else:
            self._apply(expression)

    def _apply(self, node: Apply) -> None:
        arguments, row = node.arguments, OPERATORS[node.operator]
        opcode = row.opcode
        if opcode is None:
            raise SbmlGradError(
                f"'{node.operator}' reached a kernel, which cannot know its value; what it stands "
                "for must be put in its place when the model is lowered."
            )
        if node.operator in ("true", "false"):
            self._push(Number(1.0 if node.operator == "true" else 0.0))
        elif node.operator == "piecewise":
            self._select(arguments, opcode)
        elif len(arguments) == 1 and row.is_logical and row.arity == (1, None):
            # The truth value of a number: a second operand that changes nothing makes it one.
            self._push(arguments[0])
            self._push(Number(1.0 if node.operator == "and" else 0.0))
            self._instruct(opcode, 0, -1)
        elif len(arguments) == 1:
            self._push(arguments[0])
            if node.operator == "minus":
                self._instruct(NEGATE, 0, 0)
            elif row.arity == (1, 1):
                self._instruct(opcode, 0, 0)
        else:
            # Operators on any number of arguments associate to the left; for those that the
            # printers nest differently (min and max) it makes no difference.
            self._push(arguments[0])
            for argument in arguments[1:]:
                self._push(argument)
                self._instruct(opcode, 0, -1)

    def _select(self, arguments: tuple[Expression, ...], opcode: int) -> None:
        for argument in arguments:
            self._push(argument)
        if len(arguments) % 2 == 0:
            self._push(Number(float("nan")))
        for _ in range(len(arguments) // 2):
            self._instruct(opcode, 0, -2)
