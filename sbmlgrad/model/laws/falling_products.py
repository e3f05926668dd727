"""Polynomials in one species written as falling factorials: k A A - k A is k A (A - 1).

Authors write pairs and triples either way, and a law must not mean another process when it is
multiplied out. A polynomial in whole numbers of molecules n is a combination of n, n (n - 1),
n (n - 1) (n - 2), ... by Stirling numbers of the second kind (Graham, Knuth & Patashnik 1994,
"Concrete Mathematics", eq. 6.10); where all coefficients have one sign, so has the polynomial.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sbmlgrad.model.expression import (
    ONE,
    Apply,
    Expression,
    Number,
    Symbol,
    add,
    divide,
    multiply,
    negate,
    power,
    subtract,
)
from sbmlgrad.model.laws.falling_factorials import AVOGADRO_TOLERANCE, LARGEST_POWER, Molecules
from sbmlgrad.model.terms import SUMS, factors, terms

#: What a coefficient may be off zero by rounding, relative to what it is the sum of.
TOLERANCE = 1e-13

_Factors = frozenset[tuple[Expression, int]]


@dataclass(frozen=True, slots=True)
class _Term:
    """A term as number · factors above / factors below; sizes that never change are numbers."""

    number: float
    above: Counter[Expression]
    below: Counter[Expression]
    sizes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Power:
    """One term of a polynomial: number · n^power."""

    place: int
    number: float
    power: int


def with_falling_products(
    expression: Expression, molecules: Mapping[str, Molecules], sizes: Mapping[str, float]
) -> tuple[Expression, frozenset[str]]:
    """Return an expression with polynomials of one sign written out as such, in every sum it holds.

    Only terms that share all other factors make a polynomial: rates that happen to be equal, as the
    b and d of d A A - b A, do not. A sum without such terms stays as it is.

    Args:
        expression: the law.
        molecules: species that are whole numbers of molecules → what a unit of the symbol is.
        sizes: compartment → size, of those that never change.

    Returns:
        The law, and the compartments whose sizes its form rests on.
    """
    uses: set[str] = set()

    def rewritten(node: Expression, *, is_part_of_sum: bool = False) -> Expression:
        if not isinstance(node, Apply):
            return node
        is_sum = node.operator in SUMS
        arguments = tuple(rewritten(a, is_part_of_sum=is_sum) for a in node.arguments)
        if any(new is not old for new, old in zip(arguments, node.arguments, strict=True)):
            node = Apply(node.operator, arguments)
        # A sum within a sum has been looked at with all terms of the outer one, or will be.
        if not is_sum or is_part_of_sum:
            return node
        return _rewritten_sum(terms(node), molecules, sizes, uses) or node

    return rewritten(expression), frozenset(uses)


def _rewritten_sum(
    signed: Sequence[tuple[int, Expression]],
    molecules: Mapping[str, Molecules],
    sizes: Mapping[str, float],
    uses: set[str],
) -> Expression | None:
    parts = [_taken_apart(sign, term, sizes) for sign, term in signed]
    by_factors: dict[tuple[_Factors, _Factors], list[int]] = {}
    for place, part in enumerate(parts):
        key = frozenset(part.above.items()), frozenset(part.below.items())
        by_factors.setdefault(key, []).append(place)
    replaced: dict[int, tuple[int, Expression] | None] = {}
    squared = {s for part in parts for s, n in part.above.items() if n > 1}
    for species in sorted(s.id for s in squared if isinstance(s, Symbol) and s.id in molecules):
        unit = molecules[species]
        for key, powers in _polynomials(parts, by_factors, species, unit).items():
            powers = [p for p in powers if p.place not in replaced]
            if len({p.number > 0.0 for p in powers}) < 2:
                continue
            found = _falling(powers, species, unit, key[2])
            if found is None:
                continue
            above, below = (_product(side) for side in key[:2])
            replaced |= dict.fromkeys(p.place for p in powers)
            sign, polynomial = found
            replaced[powers[0].place] = sign, divide(multiply(above, polynomial), below)
            uses |= unit.uses.union(*(parts[p.place].sizes for p in powers))
    if not replaced:
        return None
    kept = (replaced.get(place, signed[place]) for place in range(len(signed)))
    return _summed(term for term in kept if term is not None)


def _taken_apart(sign: int, term: Expression, sizes: Mapping[str, float]) -> _Term:
    number = np.float64(sign)
    used: set[str] = set()
    sides: tuple[Counter[Expression], Counter[Expression]] = (Counter(), Counter())
    for side, parts in zip(sides, factors(term), strict=True):
        for part, times in map(_base_and_times, parts):
            value = _value(part, sizes)
            if value is None or not 0.0 < abs(value) < math.inf:
                side[part] += times
                continue
            if isinstance(part, Symbol):
                used.add(part.id)
            with np.errstate(all="ignore"):
                number *= np.float64(value) ** (times if side is sides[0] else -times)
    if not 0.0 < abs(number) < math.inf:
        return _Term(float(sign), Counter({term: 1}), Counter(), frozenset())
    return _Term(float(number), *sides, frozenset(used))


def _base_and_times(part: Expression) -> tuple[Expression, int]:
    if isinstance(part, Apply) and part.operator == "power":
        base, exponent = part.arguments
        if isinstance(exponent, Number) and exponent.value in range(1, LARGEST_POWER + 1):
            return base, int(exponent.value)
    return part, 1


def _value(part: Expression, sizes: Mapping[str, float]) -> float | None:
    if isinstance(part, Number):
        return part.value
    return sizes.get(part.id) if isinstance(part, Symbol) else None


def _polynomials(
    parts: Sequence[_Term],
    by_factors: Mapping[tuple[_Factors, _Factors], list[int]],
    species: str,
    unit: Molecules,
) -> dict[tuple[_Factors, _Factors, int], list[_Power]]:
    """Return the terms of polynomials in a species, by what else all terms of one are made of.

    The last part of a key is the power of a size that changes, beyond that of the concentrations.
    """
    symbol, size = Symbol(species), Symbol(unit.size)
    found: dict[tuple[_Factors, _Factors, int], list[_Power]] = {}
    for place, part in enumerate(parts):
        degree = part.above[symbol]
        if degree == 0 or symbol in part.below:
            continue
        above, below, spare = part.above.copy(), part.below.copy(), 0
        del above[symbol]
        if unit.size:
            spare = above.pop(size, 0) - below.pop(size, 0) - degree
        key = frozenset(above.items()), frozenset(below.items()), spare
        found.setdefault(key, []).append(_Power(place, part.number, degree))
    if not unit.size:
        for key, powers in found.items():
            without = by_factors.get(key[:2], ())
            powers += [_Power(place, parts[place].number, 0) for place in without]
    return {key: sorted(powers, key=lambda p: p.place) for key, powers in found.items()}


def _falling(
    powers: Sequence[_Power], species: str, unit: Molecules, spare: int
) -> tuple[int, Expression] | None:
    """Return (sign, products of X, X - 1, ... with a sum that is never negative), or None.

    All is times a size that changes to the power of `spare`, with X for its concentration.
    """
    degree = max(p.power for p in powers)
    given = np.zeros(degree + 1)
    for p in powers:
        given[p.power] += p.number
    with np.errstate(all="ignore"):
        scale = np.float64(unit.per_unit) ** np.arange(degree + 1.0)
        # In molecules: X is n / per_unit.
        counted = given / scale
        weights = _stirling(degree)
        coefficients = counted @ weights
        sums = np.abs(counted) @ weights
        is_usable = degree <= LARGEST_POWER and bool(np.isfinite([*scale, *sums]).all())
    if not is_usable or counted[degree] == 0.0:
        return None
    tolerance = AVOGADRO_TOLERANCE if unit.in_moles else TOLERANCE
    coefficients[np.abs(coefficients) <= tolerance * sums] = 0.0
    sign = 1 if given[degree] > 0.0 else -1
    # Each term against the sign of the highest is to be used up by those above it. What only
    # outweighs it, as the 2 A A in 2 A A - A, makes a net rate of two.
    against = sign * given < 0.0
    if (sign * coefficients >= 0.0).all() and not coefficients[against].any():
        products = [
            (given[j] if j == degree else coefficients[j] * scale[j], list(range(j)))
            for j in range(degree, -1, -1)
            if coefficients[j] != 0.0
        ]
    else:
        roots = _whole_roots(counted, tolerance)
        if roots is None:
            return None
        products = [(given[degree], roots)]
    written = [
        multiply(
            Number(float(sign * c)),
            _size_power(unit, spare + len(roots)),
            *(_less(species, unit, root) for root in roots),
        )
        for c, roots in products
    ]
    return sign, add(*written)


def _stirling(degree: int) -> np.ndarray:
    """Return S[i, j] with n^i = Σ_j S[i, j] n (n - 1) ... (n - j + 1)."""
    numbers = np.zeros((degree + 1, degree + 1))
    numbers[0, 0] = 1.0
    for i in range(1, degree + 1):
        for j in range(1, i + 1):
            numbers[i, j] = numbers[i - 1, j - 1] + j * numbers[i - 1, j]
    return numbers


def _whole_roots(coefficients: np.ndarray, tolerance: float) -> list[int] | None:
    """Return the roots of a polynomial that is of one sign on whole numbers, if all are whole."""
    roots = np.roots(coefficients[::-1])
    whole = np.rint(roots.real)
    if (whole < 0.0).any() or whole.max() > 1e6:
        return None
    rebuilt = coefficients[-1] * np.poly(whole)[::-1]
    scale = np.abs(coefficients[-1]) * np.abs(np.poly(-whole)[::-1])
    if (np.abs(rebuilt - coefficients) > tolerance * scale).any():
        return None
    ordered = sorted(int(root) for root in whole)
    between = {n for root in ordered for n in (root - 1, root + 1) if n >= 0}
    signs = {np.sign(np.prod([float(n - root) for root in ordered])) for n in between}
    return ordered if signs <= {0.0, 1.0} else None


def _less(species: str, unit: Molecules, count: int) -> Expression:
    """Return the symbol of a species less so many molecules."""
    less = Number(count / unit.per_unit)
    return subtract(Symbol(species), divide(less, Symbol(unit.size)) if unit.size else less)


def _product(parts: _Factors) -> Expression:
    powers = (power(part, Number(float(n))) for part, n in sorted(parts, key=repr))
    return multiply(*powers)


def _size_power(unit: Molecules, exponent: int) -> Expression:
    """Return a size that changes to some power; 1 for one that never does."""
    if not unit.size or exponent == 0:
        return ONE
    written = power(Symbol(unit.size), Number(float(abs(exponent))))
    return written if exponent > 0 else divide(ONE, written)


def _summed(signed: Iterable[tuple[int, Expression]]) -> Expression:
    """Return a sum as one sum less another: as deep as its terms, however many there are."""
    parts = list(signed)
    positive = [term for sign, term in parts if sign > 0]
    negative = [term for sign, term in parts if sign < 0]
    if not negative:
        return add(*positive)
    return subtract(add(*positive), add(*negative)) if positive else negate(add(*negative))
