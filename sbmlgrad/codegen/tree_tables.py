"""The index arrays of the tree kernel: small, since the caches of a processor are.

A firing in a network of 100,000 reactions reads a few entries in arrays of megabytes; what it costs
is memory, not arithmetic. So slots and amounts are packed into single words, what a firing needs to
know of its reaction is one record of a cache line, and what only some laws need is kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.kernel_laws import KernelLaws, Monomial
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.tables import Assembler, Code
from sbmlgrad.errors import RequestError
from sbmlgrad.model.structure import dependency_groups

#: Bits of a word that hold a slot; three slots fit into one word of 64 bits.
SLOT_BITS = 21
SLOT_MASK = 2**SLOT_BITS - 1

#: Counts in a product that the packed form holds; a product of more is a program.
PACKED_FACTORS = 3

#: Children of a node of the tree: as many float64 as a cache line holds. A power of two.
FAN_BITS = 3
FAN_OUT = 2**FAN_BITS


#: Bytes that a processor reads at once.
CACHE_LINE = 64

#: Words of a record: 16 of 4 bytes are a cache line. The first two are counts.
RECORD = 16


class TreeTables(NamedTuple):
    """What the tree kernel reads; `engines.tree.sampling` says how.

    The state has slots: species, then one that holds 1, then a copy of a species less a whole
    number for every `x - n` that occurs, which firings change with the species.

    Attributes:
        records: int32 or int64 [reaction * RECORD, more]. Of a reaction: the number of its changes,
            that of the reactions whose propensities it changes, then both one after another. A
            change is slot + amount * 2^SLOT_BITS, species before copies. A negative number -c of
            changes stands for changes from `records[c]` on, led by their number; a negative number
            -1 - i of dependents for the lists that `several[i]` names.
        lists: int32, lists of reactions, each led by its length, for those that fit no record.
        several: int32, rows of places in `lists`, each led by their number.
        slots: int64 [reaction], three slots for a monomial; -1 - p for the program p.
        coefficient: int64 [reaction], place of a monomial's coefficient in the kernel inputs.
        copy_species: int64 [copy], species that a copy follows.
        copy_offset: float64 [copy], what it is less.
        level_start: int64 [level + 1], where the nodes of each level of the tree start, leaves
            first; the last level is the root.
    """

    records: NDArray[np.signedinteger]
    lists: NDArray[np.int32]
    several: NDArray[np.int32]
    slots: NDArray[np.int64]
    coefficient: NDArray[np.int64]
    copy_species: NDArray[np.int64]
    copy_offset: NDArray[np.float64]
    level_start: NDArray[np.int64]
    code: Code
    stack_size: int
    longest_list: int


def tree_tables(lowered: LoweredNetwork, laws: KernelLaws) -> TreeTables:
    """Return the arrays of the tree kernel.

    Args:
        lowered: the network.
        laws: its propensities, and the inputs that they use.

    Raises:
        RequestError: the network has more species, or a firing makes more molecules, than the
            packed words hold.
    """
    slots, copies, code, stack_size = _laws(lowered, laws)
    groups, rows = dependency_groups(lowered.channels)
    changes = _changes(lowered, copies)
    records, lists, several = _records(changes, groups, rows)
    return TreeTables(
        records=_narrowest(records, lowered),
        lists=np.array(lists, dtype=np.int32),
        several=np.array(several, dtype=np.int32),
        slots=np.array(slots, dtype=np.int64),
        coefficient=np.array(
            [0 if m is None else m.coefficient for m in laws.monomials], dtype=np.int64
        ),
        copy_species=np.array([s for s, _ in copies], dtype=np.int64),
        copy_offset=np.array([n for _, n in copies], dtype=np.float64),
        level_start=_level_starts(len(lowered.channels)),
        code=code,
        stack_size=stack_size,
        longest_list=max((len(group) for group in groups), default=0),
    )


def _laws(
    lowered: LoweredNetwork, laws: KernelLaws
) -> tuple[list[int], list[tuple[int, float]], Code, int]:
    """Return the words of the laws, the copies that they use, and the programs of all others."""
    one = len(lowered.species_ids)
    copies: dict[tuple[int, float], int] = {}
    assembler = Assembler(lowered.species_ids, laws.input_ids)
    code_start = [0]
    words = []
    for law, monomial in zip(laws.laws, laws.monomials, strict=True):
        if monomial is None or len(monomial.factors) > PACKED_FACTORS:
            assembler.emit(law)
            words.append(-len(code_start))
            code_start.append(len(assembler.opcode))
        else:
            words.append(_word(monomial, one, copies))
    if one + len(copies) > SLOT_MASK:
        raise RequestError(
            f"kernel 'tree': the network has {one} species, and the kernel has room for "
            f"{SLOT_MASK - len(copies)}; choose kernel='table'"
        )
    code = Code(
        np.array(code_start, dtype=np.int64),
        np.array(assembler.opcode, dtype=np.int64),
        np.array(assembler.operand, dtype=np.int64),
        np.array(assembler.number, dtype=np.float64),
    )
    return words, list(copies), code, assembler.deepest + 1


def _word(monomial: Monomial, one: int, copies: dict[tuple[int, float], int]) -> int:
    word = 0
    for place in range(PACKED_FACTORS):
        slot = one
        if place < len(monomial.factors):
            species, offset = monomial.factors[place]
            is_copy = offset != 0.0
            slot = (
                copies.setdefault((species, offset), one + 1 + len(copies)) if is_copy else species
            )
        word |= slot << place * SLOT_BITS
    return word


def _changes(lowered: LoweredNetwork, copies: Sequence[tuple[int, float]]) -> list[list[int]]:
    """Return the changes of every reaction as words."""
    place = {s: i for i, s in enumerate(lowered.species_ids)}
    copies_of: dict[int, list[int]] = {}
    for i, (species, _) in enumerate(copies):
        copies_of.setdefault(species, []).append(len(place) + 1 + i)
    found = []
    for channel in lowered.channels:
        changed = [(place[s], n) for s, n in channel.change.items()]
        changed += [(c, n) for s, n in changed for c in copies_of.get(s, ())]
        found.append([slot + (n << SLOT_BITS) for slot, n in changed])
    return found


def _records(
    changes: Sequence[list[int]], groups: Sequence[list[int]], rows: Sequence[list[int]]
) -> tuple[list[int], list[int], list[int]]:
    """Return the records, the lists that do not fit, and which of these belong together."""
    records: list[int] = []
    more: list[int] = []
    lists: list[int] = []
    several: list[int] = []
    start_of: dict[int, int] = {}
    place_of: dict[tuple[int, ...], int] = {}
    for words, row in zip(changes, rows, strict=True):
        record = [len(words), 0, *words]
        members = groups[row[0]] if row else []
        is_whole = len(row) <= 1 and len(record) + len(members) <= RECORD
        if len(record) > RECORD:
            # Reads from where the changes start; their number stands before.
            more.append(len(words))
            record = [-(len(changes) * RECORD + len(more)), 0]
            more += words
        if is_whole:
            record[1] = len(members)
            record += members
        else:
            key = tuple(row)
            if key not in place_of:
                place_of[key] = len(several)
                several.append(len(row))
                for group in row:
                    if group not in start_of:
                        start_of[group] = len(lists)
                        lists += [len(groups[group]), *groups[group]]
                    several.append(start_of[group])
            record[1] = -1 - place_of[key]
        records += record + [0] * (RECORD - len(record))
    return records + more, lists, several


def _narrowest(words: list[int], lowered: LoweredNetwork) -> NDArray[np.signedinteger]:
    largest = max((abs(word) for word in words), default=0)
    if largest < 2**63:
        found = aligned(len(words), np.int32 if largest < 2**31 else np.int64)
        found[:] = words
        return found
    most = max((abs(n), c.id) for c in lowered.channels for n in c.change.values())
    raise RequestError(
        f"kernel 'tree': one firing of reaction '{most[1]}' changes a count by {most[0]}, more "
        "than the kernel has room for; choose kernel='table'"
    )


def law_memory(
    tables: TreeTables, inputs: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the slots and coefficients of one run, those of a reaction beside each other.

    Args:
        tables: of the network.
        inputs: the kernel inputs, float64 [input + coefficient].

    Returns:
        Two views of one memory: slots are words 2 j of the first, int64 [2 * reaction];
        coefficients are numbers 2 j + 1 of the second, float64 likewise.
    """
    words = aligned(2 * len(tables.slots), np.int64)
    numbers = words.view(np.float64)
    words[::2] = tables.slots
    is_product = tables.slots >= 0
    numbers[1::2] = 0.0
    numbers[1::2][is_product] = inputs[tables.coefficient[is_product]]
    return words, numbers


def aligned(count: int, dtype: type) -> NDArray[Any]:
    """Return an array that starts at a cache line, so that what belongs together shares one."""
    size = np.dtype(dtype).itemsize
    room = np.empty(count + CACHE_LINE // size, dtype=dtype)
    skipped = -(room.ctypes.data // size) % (CACHE_LINE // size)
    return room[skipped : skipped + count]


def _level_starts(leaves: int) -> NDArray[np.int64]:
    starts, nodes = [0], max(leaves, 1)
    while True:
        # A node without a child would read beyond its level.
        width = -(-nodes // FAN_OUT) * FAN_OUT
        if nodes == 1 and len(starts) > 1:
            return np.array([*starts, starts[-1] + 1], dtype=np.int64)
        starts.append(starts[-1] + width)
        nodes = width // FAN_OUT
