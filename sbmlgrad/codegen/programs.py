"""Programs of the table machine for any list of expressions, with shared parts evaluated once.

A list of expressions becomes a list of small programs. Each writes its value into a slot that the
ones after it can read, so a part that occurs several times (a rate law that changes four species,
an assignment rule used everywhere) is evaluated once, and no program is nested deeply. Nothing is
compiled for a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import Assembler
from sbmlgrad.model.expression import Apply, Expression, Number, Symbol

#: Deepest nesting within one program; deeper formulas are cut into several.
DEEPEST = 40


class Programs(NamedTuple):
    """Programs that fill slots one after another.

    Program p writes slot `first + p`; slots before `first` hold the variables. The last `results`
    slots are what was asked for.
    """

    code_start: NDArray[np.int64]
    opcode: NDArray[np.int64]
    operand: NDArray[np.int64]
    number: NDArray[np.float64]
    stack_size: int
    first: int
    results: int


def programs(
    expressions: Sequence[Expression], variables: Sequence[str], inputs: Sequence[str]
) -> Programs:
    """Return programs whose last `len(expressions)` slots are the values of the expressions.

    Args:
        expressions: over the variables and inputs.
        variables: symbols of the first slots.
        inputs: symbols of the inputs.
    """
    shared = Shared()
    roots = [shared.add(expression) for expression in expressions]
    kept = shared.worth_a_slot()
    names = {node: f"[{i}]" for i, node in enumerate(kept)}
    assembler = Assembler((*variables, *names.values()), inputs)
    code_start = [0]
    for node in kept:
        assembler.emit(shared.formula(node, names, whole=True))
        code_start.append(len(assembler.opcode))
    for root in roots:
        assembler.emit(shared.formula(root, names, whole=False))
        code_start.append(len(assembler.opcode))
    return Programs(
        code_start=np.array(code_start, dtype=np.int64),
        opcode=np.array(assembler.opcode, dtype=np.int64),
        operand=np.array(assembler.operand, dtype=np.int64),
        number=np.array(assembler.number, dtype=np.float64),
        stack_size=assembler.deepest + 1,
        first=len(variables),
        results=len(roots),
    )


class Shared:
    """Expressions as one directed acyclic graph: equal parts are one node, with a number."""

    def __init__(self) -> None:
        self._nodes: list[Expression] = []
        self._children: list[tuple[int, ...]] = []
        self._uses: list[int] = []
        self._by_key: dict[tuple[object, ...], int] = {}
        self._by_identity: dict[int, int] = {}
        self._alive: list[Expression] = []

    def add(self, root: Expression) -> int:
        """Return the number of an expression; equal expressions have equal numbers."""
        # An identity is only good while its object lives.
        self._alive.append(root)
        stack = [root]
        while stack:
            node = stack[-1]
            if id(node) in self._by_identity:
                stack.pop()
                continue
            arguments = node.arguments if isinstance(node, Apply) else ()
            missing = [a for a in arguments if id(a) not in self._by_identity]
            if missing:
                stack += missing
                continue
            stack.pop()
            children = tuple(self._by_identity[id(a)] for a in arguments)
            self._by_identity[id(node)] = self._number(node, children)
        number = self._by_identity[id(root)]
        self._uses[number] += 1
        return number

    def _number(self, node: Expression, children: tuple[int, ...]) -> int:
        if isinstance(node, Number):
            # hex tells 0.0 from -0.0, and one NaN equals another.
            key: tuple[object, ...] = ("number", float(node.value).hex())
        elif isinstance(node, Symbol):
            key = ("symbol", node.id)
        else:
            key = ("apply", node.operator, *children)
        number = self._by_key.get(key)
        if number is None:
            number = self._by_key[key] = len(self._nodes)
            self._nodes.append(node)
            self._children.append(children)
            self._uses.append(0)
            for child in children:
                self._uses[child] += 1
        return number

    def worth_a_slot(self) -> list[int]:
        """Return the nodes to be evaluated on their own, each after those it needs."""
        heights: list[int] = []
        kept: list[int] = []
        for number, (node, children) in enumerate(zip(self._nodes, self._children, strict=True)):
            height = 1 + max((heights[c] for c in children), default=0)
            is_kept = bool(children) and (self._uses[number] > 1 or height > DEEPEST)
            heights.append(0 if is_kept else height)
            if is_kept and isinstance(node, Apply):
                kept.append(number)
        return kept

    def formula(self, number: int, names: dict[int, str], *, whole: bool) -> Expression:
        """Return a node as an expression in which named nodes are symbols.

        Args:
            number: the node.
            names: node → symbol that stands for it.
            whole: write the node itself out even if it has a name.
        """
        if number in names and not whole:
            return Symbol(names[number])
        node = self._nodes[number]
        if not isinstance(node, Apply):
            return node
        inner = (self.formula(c, names, whole=False) for c in self._children[number])
        return Apply(node.operator, tuple(inner))


def fill_slots(tables, slots, inputs, stack):
    """Run all programs on one row of slots."""
    for p in range(tables.code_start.shape[0] - 1):
        slots[tables.first + p] = run_program(tables, p, slots, inputs, stack)


def fill_rows(tables, rows, inputs, stack):
    """Run all programs on every row of slots, float64 [row, slot]."""
    for i in range(rows.shape[0]):
        fill_slots(tables, rows[i], inputs, stack)
