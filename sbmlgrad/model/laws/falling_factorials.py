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
        size: compartment of changing size by which `per_unit` is yet to be multiplied; or empty.
    """

    per_unit: float
    uses: frozenset[str] = frozenset()
    in_moles: bool = False
    size: str = ""


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
    if weight != 1 or form.root <= 0.0 or molecules[species].size:
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
    parts = [(sign, *factors(term)) for sign, term in terms(factor)]
    named = {f.id for _, above, _ in parts for f in above if isinstance(f, Symbol)}
    sizes = {molecules[s].size for s in named & molecules.keys()}
    if len(sizes) != 1:
        return None
    size = Symbol(sizes.pop())
    coefficients: dict[str, float] = {}
    constant = 0.0
    uses: set[str] = set()
    powers: set[int] = set()
    for sign, above, below in parts:
        species = [f.id for f in above if isinstance(f, Symbol) and f.id in molecules]
        if len(species) > 1:
            return None
        left = [f for f in above if f not in (size, *map(Symbol, species))]
        under = [f for f in below if f != size]
        used = frozenset().union(*(symbols(f) for f in (*left, *under)))
        value, divisor = _product(left, constants), _product(under, constants)
        if not used <= constants.keys() or divisor == 0.0 or not math.isfinite(value / divisor):
            return None
        value = sign * value / divisor
        uses |= used
        # A concentration is molecules over the size; all terms must hold it to the same power.
        powers.add(above.count(size) - below.count(size) - int(bool(species and size.id)))
        if species:
            unit = molecules[species[0]]
            uses |= unit.uses
            coefficients[species[0]] = coefficients.get(species[0], 0.0) + value / unit.per_unit
        else:
            constant += value
    if len(powers) > 1:
        return None
    in_moles = any(molecules[s].in_moles for s in coefficients)
    return _in_whole_numbers(place, coefficients, constant, frozenset(uses), in_moles)


def _product(parts: Sequence[Expression], constants: Mapping[str, float]) -> float:
    """Return the value of a product, NaN where a symbol has none."""
    if not all(symbols(part) <= constants.keys() for part in parts):
        return math.nan
    return math.prod(float(evaluate(part, constants)) for part in parts)


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
