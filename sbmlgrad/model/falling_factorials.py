"""Falling factorials in rate laws: X (X - 1) of whole numbers of molecules is never negative.

A law may write them with concentrations, as in k A (A - 1/V), with moles, or with a conserved total
in place of a reactant, as in (100 - 2 X) (99 - 2 X). They are recognised in molecules.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sbmlgrad.model.expression import Apply, Expression, Number, Symbol, symbols
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.terms import factors, terms
from sbmlgrad.model.units import whole_number

#: SBML's avogadro csymbol (6.02214179e23) and the SI's number differ by 2e-7.
AVOGADRO_TOLERANCE = 1e-6

#: A species named in a power beyond this is not looked at as so many factors.
LARGEST_POWER = 20


@dataclass(frozen=True, slots=True)
class Molecules:
    """How many molecules one unit of a species' symbol is.

    Attributes:
        per_unit: molecules, under the values of the constants.
        uses: the constants that this number depends on; the size of a compartment, for instance.
        in_moles: whether Avogadro's number is in it.
    """

    per_unit: float
    uses: frozenset[str] = frozenset()
    in_moles: bool = False


@dataclass(frozen=True, slots=True)
class FallingFactorials:
    """Factors of a product that are non-negative together.

    Attributes:
        places: places of the factors.
        roots: place → (species, molecules at which the factor is zero), for factors in one species.
        uses: constants whose values this rests on.
    """

    places: frozenset[int]
    roots: Mapping[int, tuple[str, int]]
    uses: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Form:
    """A factor as unit · (m - root), m = Σ weights · counts a whole number."""

    place: int
    weights: tuple[tuple[str, int], ...]
    unit: float
    root: float
    constant: float
    uses: frozenset[str]

    @property
    def is_nonnegative(self) -> bool:
        return self.unit > 0.0 and self.root <= 0.0 and all(w > 0 for _, w in self.weights)


def falling_factorials(
    above: Sequence[Expression],
    molecules: Mapping[str, Molecules],
    constants: Mapping[str, float],
) -> FallingFactorials:
    """Return the factors u, v, ... that belong to products u v >= 0 because counts are whole.

    The product of m - a and m - b is negative only for m between a and b; where no whole number
    lies between them, it never is.

    Args:
        above: factors of a product.
        molecules: species that are whole numbers of molecules → what a unit of the symbol is.
        constants: symbol → value of what never changes.
    """
    families: dict[tuple[tuple[str, int], ...], list[_Form]] = {}
    for place, factor in enumerate(above):
        for form in _forms(place, factor, molecules, constants):
            families.setdefault(form.weights, []).append(form)
    paired: list[_Form] = []
    for family in families.values():
        waiting = sorted(family, key=lambda form: form.root)
        while waiting:
            top = waiting.pop()
            if top.is_nonnegative or not waiting:
                continue
            partner = waiting[-1]
            if partner.unit * top.unit > 0.0 and not _has_whole_between(partner.root, top.root):
                paired += (waiting.pop(), top)
    roots = {
        form.place: (form.weights[0][0], int(form.root))
        for form in paired
        if len(form.weights) == 1 and form.weights[0][1] == 1 and form.root == int(form.root)
    }
    return FallingFactorials(
        frozenset(form.place for form in paired),
        roots,
        frozenset().union(*(form.uses for form in paired)),
    )


def largest_molecules(
    factor: Expression, molecules: Mapping[str, Molecules], constants: Mapping[str, float]
) -> tuple[str, int, float] | None:
    """Return where a factor such as T - X falls to zero: species, molecules, value of its symbol.

    None for a factor of another form, or one that ends at no whole number of molecules.

    Args:
        factor: the factor.
        molecules: species that are whole numbers of molecules.
        constants: symbol → value of what never changes.
    """
    form = _form(0, factor, molecules, constants)
    if form is None or len(form.weights) != 1 or form.unit > 0.0 or form.root != int(form.root):
        return None
    species, weight = form.weights[0]
    if weight != 1 or form.root <= 0.0:
        return None
    return species, int(form.root), form.constant / (-form.unit * molecules[species].per_unit)


def _has_whole_between(low: float, high: float) -> bool:
    return math.floor(low) + 1.0 < high


def _forms(
    place: int,
    factor: Expression,
    molecules: Mapping[str, Molecules],
    constants: Mapping[str, float],
) -> list[_Form]:
    """Return a factor as so many equal forms as it is to the power of; none if it is not one."""
    times = 1
    if isinstance(factor, Apply) and factor.operator == "power":
        factor, exponent = factor.arguments
        if not (isinstance(exponent, Number) and exponent.value in range(1, LARGEST_POWER + 1)):
            return []
        times = int(exponent.value)
    form = _form(place, factor, molecules, constants)
    if form is None or (times > 1 and not form.is_nonnegative):
        return []
    return [form] * times


def _form(
    place: int,
    factor: Expression,
    molecules: Mapping[str, Molecules],
    constants: Mapping[str, float],
) -> _Form | None:
    coefficients: dict[str, float] = {}
    constant = 0.0
    uses: set[str] = set()
    for sign, term in terms(factor):
        above, below = factors(term)
        species = [f.id for f in above if isinstance(f, Symbol) and f.id in molecules]
        others = [f for f in above if not (isinstance(f, Symbol) and f.id in molecules)]
        named = frozenset().union(*(symbols(f) for f in (*others, *below)))
        if len(species) > 1 or not named <= constants.keys():
            return None
        value = sign * math.prod(float(evaluate(f, constants)) for f in others)
        divisor = math.prod(float(evaluate(f, constants)) for f in below)
        if divisor == 0.0 or not math.isfinite(value) or not math.isfinite(divisor):
            return None
        uses |= named
        value /= divisor
        if species:
            unit = molecules[species[0]]
            uses |= unit.uses
            coefficients[species[0]] = coefficients.get(species[0], 0.0) + value / unit.per_unit
        else:
            constant += value
    in_moles = any(molecules[s].in_moles for s in coefficients)
    return _in_whole_numbers(place, coefficients, constant, frozenset(uses), in_moles)


def _in_whole_numbers(
    place: int,
    coefficients: Mapping[str, float],
    constant: float,
    uses: frozenset[str],
    in_moles: bool,
) -> _Form | None:
    changing = {s: c for s, c in sorted(coefficients.items()) if c != 0.0}
    if not changing or not all(math.isfinite(c) for c in (constant, *changing.values())):
        return None
    unit = min(changing.values(), key=abs)
    # One and the same sum is one form, whatever its sign: the first weight is positive.
    if next(iter(changing.values())) / unit < 0.0:
        unit = -unit
    weights = [(s, whole_number(c / unit)) for s, c in changing.items()]
    if any(weight is None for _, weight in weights):
        return None
    root = -constant / unit
    near = whole_number(root)
    if in_moles and abs(root - round(root)) <= AVOGADRO_TOLERANCE * abs(root):
        near = float(round(root))
    whole = tuple((s, int(weight)) for s, weight in weights if weight is not None)
    return _Form(place, whole, unit, root if near is None else near, constant, uses)
