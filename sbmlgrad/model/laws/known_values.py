"""What is known of the symbols of a law: constants, signs that can change, whole numbers.

Whether a law is non-negative often follows from the signs of its constants alone. Then other values
of the same signs need no new judgement, which a fit relies on; where values themselves had to be
looked at, they are named (`Judged.uses`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sbmlgrad.model.expression import ZERO, Expression, substitute, symbols
from sbmlgrad.model.laws.falling_factorials import Molecules
from sbmlgrad.model.laws.intervals import EVERYTHING, Bounds, Interval
from sbmlgrad.model.laws.signs import is_nonnegative, split
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.rules import written_out
from sbmlgrad.model.units import whole_number

#: A unit of more items than this is a mole, or a part of one.
LARGEST_MULTIPLE = 1e9

_NEGATIVE: Interval = (-math.inf, 0.0)


@dataclass(frozen=True)
class Judged:
    """A law as forward - backward, and the constants whose values that rests on.

    `parts` is None where the law is no difference of parts of known signs.
    """

    parts: tuple[Expression, Expression] | None
    uses: frozenset[str]


@dataclass(frozen=True)
class KnownValues:
    """What is known of the symbols of a network's laws.

    Attributes:
        constants: symbol → value of everything that never changes.
        unsigned: symbols that events or rate rules may turn negative.
        molecules: species that are whole numbers of molecules, in volumes of known size.
        counted: all species that are whole numbers of molecules.
        uses: constants whose values `unsigned` rests on.
        rules: what assignment rules say, written out.
        upper: species → the most that its symbol can be (`upper_bounds`).
    """

    constants: Mapping[str, float]
    unsigned: frozenset[str]
    molecules: Mapping[str, Molecules]
    counted: frozenset[str]
    uses: frozenset[str] = frozenset()
    rules: Mapping[str, Expression] = field(default_factory=dict)
    upper: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def _signs(self) -> dict[str, Interval]:
        return {s: _NEGATIVE for s, value in self.constants.items() if value < 0.0}

    @cached_property
    def _unknown(self) -> dict[str, Interval]:
        return dict.fromkeys(self.unsigned, EVERYTHING)

    @cached_property
    def _upper(self) -> dict[str, Interval]:
        return {s: (0.0, most) for s, most in self.upper.items()}

    @cached_property
    def sizes(self) -> Mapping[str, float]:
        """Compartment → size, of those that hold molecules and never change."""
        return {s: self.constants[s] for unit in self.molecules.values() for s in unit.uses}

    # Merged once, and not for every law: a network has many.
    @cached_property
    def _signs_and_unknown(self) -> dict[str, Interval]:
        return {**self._signs, **self._unknown}

    @cached_property
    def _upper_and_unknown(self) -> dict[str, Interval]:
        return {**self._upper, **self._unknown}

    def everything(self) -> Bounds:
        """Return bounds under all that is known."""
        return Bounds(self.constants, self._upper_and_unknown, self.molecules)

    def in_counts(self) -> Bounds:
        """Return bounds under all that is known, for formulas in which species are counts."""
        whole = dict.fromkeys(self.counted, Molecules(1.0))
        return Bounds(self.constants, self._unknown, whole)

    def with_limits(self, limits: Mapping[str, Interval]) -> Bounds:
        """Return bounds under all that is known, and limits of other symbols."""
        return Bounds(self.constants, {**self._upper_and_unknown, **limits}, self.molecules)

    def _tiers(self, law: Expression, *, assuming: bool) -> Iterator[_Tier]:
        """Yield ways to judge, from the one that asks for the fewest values."""
        signs = self._signs if assuming else self._signs_and_unknown
        yield _Tier(Bounds({}, signs))
        yield _Tier(Bounds({}, signs, self.molecules, self.constants))
        limits = self._upper if assuming else self._upper_and_unknown
        yield _Tier(Bounds(self.constants, limits, self.molecules), self.constants_of(law))

    def constants_of(self, law: Expression) -> frozenset[str]:
        """Return the constants that a law uses, the sizes that its concentrations are in too."""
        used = symbols(law)
        measured = [self.molecules[s].uses for s in used & self.molecules.keys()]
        return frozenset().union(used & self.constants.keys(), *measured)

    def is_nonnegative(self, law: Expression) -> frozenset[str] | None:
        """Return the constants whose values show that a law is >= 0, or None if it may not be."""
        for tier in self._tiers(law, assuming=False):
            if is_nonnegative(law, tier.bounds):
                return tier.uses
        return None

    def is_nonnegative_now(self, law: Expression) -> bool:
        """Tell whether a law is >= 0 with the constants as they are, zeros taken for zeros."""
        exact = {s: (value, value) for s, value in self.constants.items() if value == 0.0}
        others = {s: value for s, value in self.constants.items() if value != 0.0}
        return is_nonnegative(
            law, Bounds(others, {**self._upper, **self._unknown, **exact}, self.molecules)
        )

    def judge(self, law: Expression) -> Judged:
        """Return a law in parts, taking symbols of unknown sign for non-negative."""
        tiers = list(self._tiers(law, assuming=True))
        parts = self._parts(law, tiers[-1].bounds)
        for tier in tiers[:-1]:
            if self._parts(law, tier.bounds) == parts:
                return Judged(parts, tier.uses)
        return Judged(parts, tiers[-1].uses)

    def _parts(self, law: Expression, bounds: Bounds) -> tuple[Expression, Expression] | None:
        if is_nonnegative(law, bounds):
            return law, ZERO
        return split(law, bounds, self._is_coefficient)

    def _is_coefficient(self, expression: Expression) -> bool:
        """Tell whether an expression holds no number of molecules, but something else that moves.

        One of constants alone is left to their values.
        """
        used = symbols(expression)
        return not used & self.counted and not used <= self.constants.keys()


@dataclass(frozen=True)
class _Tier:
    bounds: Bounds
    values: frozenset[str] = frozenset()

    @property
    def uses(self) -> frozenset[str]:
        return self.values | self.bounds.measured


def known_values(network: ReactionNetwork, values: Mapping[str, float]) -> KnownValues:
    """Return what is known of the symbols of a network's laws.

    Args:
        network: the network.
        values: symbol → value at time 0 of everything that has one (`initial_values`).
    """
    constants = constants_among(network, values)
    rules = written_out(network)
    unsigned, uses = _unsigned(network, values, constants, rules)
    molecules = molecules_of_species(network, constants)
    return KnownValues(constants, unsigned, molecules, network.counted, uses, rules)


def constants_among(network: ReactionNetwork, values: Mapping[str, float]) -> dict[str, float]:
    """Return symbol → value for everything that never changes, out of all values at time 0."""
    state = (*network.species_ids, *network.variable_ids, *network.assignment_rules)
    return {s: values[s] for s in values.keys() - set(state)}


def molecules_of_species(
    network: ReactionNetwork, constants: Mapping[str, float]
) -> dict[str, Molecules]:
    """Return the species that are whole numbers of molecules, and what a unit of their symbol is.

    Left out are concentrations in a volume that is unknown, or given by an assignment rule.
    """
    found: dict[str, Molecules] = {}
    for species in network.species:
        if species.id not in network.counted:
            continue
        per_substance = species.items_per_substance
        # Items come in whole multiples; a mole and its parts do not.
        in_moles = whole_number(per_substance) is None or per_substance > LARGEST_MULTIPLE
        if species.only_substance_units:
            found[species.id] = Molecules(per_substance, in_moles=in_moles)
            continue
        size = constants.get(species.compartment, math.nan)
        if math.isfinite(size) and size > 0.0:
            place = frozenset({species.compartment})
            found[species.id] = Molecules(per_substance * size, place, in_moles)
        elif species.compartment in network.variable_ids:
            moving = species.compartment
            found[species.id] = Molecules(per_substance, in_moles=in_moles, size=moving)
    return found


def _unsigned(
    network: ReactionNetwork,
    values: Mapping[str, float],
    constants: Mapping[str, float],
    rules: Mapping[str, Expression],
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the symbols of the state, other than counts, that are not shown to stay >= 0.

    A set of symbols stays >= 0 if each starts so, every event gives it a value >= 0 and its rate of
    change is >= 0 where it is zero, as long as the others are. The largest such set is what is left
    when those that fail are taken away until none does. The constants whose values this rests on
    come second.
    """
    state = (*network.variable_ids, *(s for s in network.species_ids if s not in network.counted))
    if not state:
        return frozenset(), frozenset()
    moves: dict[str, list[Expression]] = {symbol: [] for symbol in state}
    for symbol, rate in network.rate_rules.items():
        if symbol in moves:
            moves[symbol].append(substitute(substitute(rate, rules), {symbol: ZERO}))
    for event in network.events:
        for symbol, formula in event.assignments.items():
            if symbol in moves:
                moves[symbol].append(substitute(formula, rules))
    started = {symbol for symbol in state if not values[symbol] >= 0.0}
    signs = {s: _NEGATIVE for s, value in constants.items() if value < 0.0}
    by_sign = _failing(moves, started, {}, signs)
    by_value = _failing(moves, started, constants, {})
    if by_sign == by_value:
        return by_sign, frozenset()
    used = frozenset().union(*(symbols(f) for formulas in moves.values() for f in formulas))
    return by_value, used & constants.keys()


def _failing(
    moves: Mapping[str, list[Expression]],
    started: set[str],
    constants: Mapping[str, float],
    signs: Mapping[str, Interval],
) -> frozenset[str]:
    unsigned = set(started)
    while True:
        bounds = Bounds(constants, {**signs, **dict.fromkeys(unsigned, EVERYTHING)})
        failing = {
            symbol
            for symbol, formulas in moves.items()
            if symbol not in unsigned and not all(is_nonnegative(f, bounds) for f in formulas)
        }
        if not failing:
            return frozenset(unsigned)
        unsigned |= failing
