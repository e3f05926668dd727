"""How each target writes an operator, given its already printed arguments.

Printed arguments stand by themselves (a name, a literal, a call or something in parentheses), so
they may be joined by any sign. In the target `numba` a truth value is printed as the number 1.0 or
0.0, which the compiler folds into the comparison it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Spelling = Callable[[Sequence[str]], str]

#: Code-generation targets; every row of the operator table spells itself for each of them.
TARGETS = ("numba", "infix")


def joined(separator: str) -> Spelling:
    """Return arguments between signs; one argument stands for itself."""
    return lambda a: f"({separator.join(a)})" if len(a) > 1 else a[0]


def joined_or_call(separator: str, function: str) -> Spelling:
    """Return arguments between signs, or a call where one argument does not stand for itself."""
    return lambda a: joined(separator)(a) if len(a) > 1 else call(function)(a)


def compared(sign: str, function: str) -> Spelling:
    """Return a comparison; a call where another comparison stands inside.

    libSBML reads `(a < b) < c` as the chain `a < b < c` in spite of the parentheses.
    """

    def spell(a: Sequence[str]) -> str:
        holds_another = any(mark in text for text in a for mark in "<>=")
        return call(function)(a) if holds_another else joined(sign)(a)

    return spell


def call(function: str) -> Spelling:
    """Return a call."""
    return lambda a: f"{function}({', '.join(a)})"


def template(text: str) -> Spelling:
    """Return a text with the arguments in place of {0}, {1}, ..."""
    return lambda a: text.format(*a)


def paired(function: str) -> Spelling:
    """Return calls of a function of two arguments, nested as a balanced tree."""

    def spell(a: Sequence[str]) -> str:
        if len(a) == 1:
            return a[0]
        half = len(a) // 2
        return f"{function}({spell(a[:half])}, {spell(a[half:])})"

    return spell


def minus(a: Sequence[str]) -> str:
    """Write a difference or a change of sign."""
    return f"(-{a[0]})" if len(a) == 1 else f"({a[0]} - {a[1]})"


def truth(sign: str) -> Spelling:
    """Return a comparison of two numbers as the number 1.0 or 0.0."""
    return template(f"(1.0 if {{0}} {sign} {{1}} else 0.0)")


def combined_truth(sign: str, item: str) -> Spelling:
    """Return conditions between signs as the number 1.0 or 0.0; `item` makes one of a number."""
    return lambda a: f"(1.0 if {sign.join(item.format(x) for x in a)} else 0.0)"


def conditional(a: Sequence[str]) -> str:
    """Write values and conditions as nested conditional expressions, NaN where none holds."""
    if len(a) == 1:
        return a[0]
    pieces = [f"{a[i]} if {a[i + 1]} != 0.0 else " for i in range(0, len(a) - 1, 2)]
    otherwise = a[-1] if len(a) % 2 else "nan"
    # One pair of parentheses: Python's parser allows two hundred nested ones.
    return f"({''.join(pieces)}{otherwise})"


def same(spell: Spelling) -> dict[str, Spelling]:
    """Return one spelling for all targets."""
    return dict.fromkeys(TARGETS, spell)


def spelled(numba: Spelling, infix: Spelling) -> dict[str, Spelling]:
    """Return the spellings by target."""
    return {"numba": numba, "infix": infix}
