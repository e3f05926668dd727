"""Propensities rewritten for speed: a coefficient, constant during a run, times molecule counts.

Most laws are products: a rate constant, sizes of compartments, conversions of units, and molecules
or falling factorials of them. Everything in such a product that never changes is gathered into one
number, computed once for a run, so that a kernel multiplies it by one to three counts. All other
laws stay as they are written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.monomials import Monomial, Product
from sbmlgrad.model.expression import Apply, Expression, Number, Symbol
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.terms import factors

#: Operators and operands of a base that is written twice for its square.
LARGEST_SQUARED = 64

#: Powers of two that a double reaches up and down, with room to spare.
_REACH = 1000.0

#: Powers of two that one count may reach.
_COUNT_REACH = 64.0


# Compared by identity, so that it can key caches of what is derived from it.
@dataclass(frozen=True, eq=False)
class KernelLaws:
    """The propensities of a network as kernels evaluate them.

    Attributes:
        laws: one a channel, over the state, the inputs and the coefficients.
        input_ids: ids of the inputs, then those of the coefficients, which no SBML id equals.
        coefficient_ids: the latter alone.
        coefficients: each over the inputs, constant during a run.
        monomials: one a channel; None for a law that is no monomial.
    """

    laws: tuple[Expression, ...]
    input_ids: tuple[str, ...]
    coefficient_ids: tuple[str, ...] = ()
    coefficients: tuple[Expression, ...] = ()
    monomials: tuple[Monomial | None, ...] = ()


def plain_powers(law: Expression) -> Expression:
    """Return a law in which powers that compilers rewrite are written as what they become.

    LLVM turns x^2, x^0.5 and x^-1, where it sees the exponent, into a product, a square root and a
    quotient, whose last bit is not always that of the power. The table machine would compute the
    power, so that the same trajectory had other bits there.
    """
    if not isinstance(law, Apply):
        return law
    arguments = tuple(plain_powers(a) for a in law.arguments)
    if law.operator == "power" and isinstance(arguments[1], Number):
        base, exponent = arguments[0], arguments[1].value
        if exponent == 2.0 and _size(base) <= LARGEST_SQUARED:
            return Apply("times", (base, base))
        if exponent == 0.5:
            return Apply("sqrt", (base,))
        if exponent == -1.0:
            return Apply("divide", (Number(1.0), base))
    return Apply(law.operator, arguments) if arguments != law.arguments else law


def _size(expression: Expression) -> int:
    if not isinstance(expression, Apply):
        return 1
    return 1 + sum(_size(argument) for argument in expression.arguments)


@lru_cache(maxsize=64)
def written_laws(lowered: LoweredNetwork) -> KernelLaws:
    """Return the propensities as they are written, without coefficients."""
    laws = tuple(channel.propensity for channel in lowered.channels)
    return KernelLaws(laws, lowered.input_ids, monomials=(None,) * len(laws))


@lru_cache(maxsize=64)
def kernel_laws(lowered: LoweredNetwork) -> KernelLaws:
    """Return the propensities with their constant factors gathered into coefficients.

    A product of inputs and numbers, multiplied by up to `MOST_FACTORS` factors `x` or `x - n` (x a
    count, n a whole number) becomes coefficient * factor * factor ... in the order of the factors.
    A coefficient that is one input is that input. The value differs from that of the law as it is
    written by rounding alone, where `kernel_inputs` does not say otherwise.
    """
    place = {species: i for i, species in enumerate(lowered.species_ids)}
    gathering = _Coefficients(lowered.input_ids)
    inputs = frozenset(lowered.input_ids)
    laws: list[Expression] = []
    monomials: list[Monomial | None] = []
    for channel in lowered.channels:
        product = Product(place, inputs)
        if not product.takes(channel.propensity):
            laws.append(plain_powers(channel.propensity))
            monomials.append(None)
            continue
        slot = gathering.slot_of(product)
        coefficient = Symbol(gathering.id_of(slot))
        counts = tuple(_factor(species, offset) for species, offset in product.counts)
        laws.append(Apply("times", (coefficient, *counts)) if counts else coefficient)
        monomials.append(Monomial(slot, tuple((place[s], n) for s, n in product.counts)))
    ids = gathering.ids
    return KernelLaws(
        tuple(laws),
        (*lowered.input_ids, *ids),
        ids,
        tuple(gathering.expressions),
        tuple(monomials),
    )


def kernel_inputs(laws: KernelLaws, inputs: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the inputs of a run followed by the coefficients, or None where these may not be used.

    Products are gathered in another order than the author's. That changes more than the rounding
    only where a partial product leaves the range of a double in one order and not in another. It
    cannot as long as the binary exponents of all factors, each counted as positive, add up to less
    than a double reaches, and no factor is infinite or NaN, and no divisor is 0. Where that does
    not hold for some coefficient, the answer is None and the caller takes `written_laws`. A factor
    of 0, as a rate that is switched off, is no obstacle.

    Args:
        laws: the laws.
        inputs: values of the network's inputs, float64 [input].

    Returns:
        float64 [input + coefficient], in the order of `KernelLaws.input_ids`, or None. It is never
        None for `written_laws`.
    """
    inputs = np.array(inputs, dtype=np.float64)
    count = len(inputs)
    is_used, allowed = _allowed(laws)
    with np.errstate(all="ignore"):
        spans = np.where(inputs == 0.0, 0.0, np.abs(np.log2(np.abs(inputs))))
    if not np.all((spans < allowed[:count]) | ~is_used[:count]):
        return None
    if not laws.coefficients:
        return inputs
    values = dict(zip(laws.input_ids, inputs.tolist(), strict=False))
    if not all(
        _reach(expression, values) < limit
        for expression, limit in zip(laws.coefficients, allowed[count:].tolist(), strict=True)
    ):
        return None
    found = [float(evaluate(expression, values)) for expression in laws.coefficients]
    return np.concatenate([inputs, found])


@lru_cache(maxsize=64)
def _allowed(laws: KernelLaws) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which kernel inputs are coefficients, and what each may span beside its counts."""
    most = [0] * len(laws.input_ids)
    for monomial in laws.monomials:
        if monomial is not None:
            most[monomial.coefficient] = max(most[monomial.coefficient], 1 + len(monomial.factors))
    parts = np.array(most, dtype=np.float64)
    return parts > 0.0, _REACH - _COUNT_REACH * (parts - 1.0)


def laws_and_inputs(
    lowered: LoweredNetwork, inputs: NDArray[np.float64]
) -> tuple[KernelLaws, NDArray[np.float64]]:
    """Return the propensities as kernels evaluate them in one run, and the inputs of these.

    Args:
        lowered: the network.
        inputs: values of its inputs, float64 [input].

    Returns:
        Laws with coefficients and float64 [input + coefficient]; where coefficients may not be used
        (see `kernel_inputs`), the laws as they are written and float64 [input].
    """
    laws = kernel_laws(lowered)
    found = kernel_inputs(laws, inputs)
    if found is not None:
        return laws, found
    return written_laws(lowered), np.ascontiguousarray(inputs, dtype=np.float64)


def _reach(coefficient: Expression, values: Mapping[str, float]) -> float:
    """Return how many powers of two its factors span at most; infinity where that is undefined."""
    above, below = factors(coefficient)
    return sum(_span(above, values, zero=0.0)) + sum(_span(below, values, zero=math.inf))


def _span(
    parts: Sequence[Expression], values: Mapping[str, float], *, zero: float
) -> Iterable[float]:
    for part in parts:
        value = abs(float(evaluate(part, values)))
        if value == 0.0:
            yield zero
        else:
            yield abs(math.log2(value)) if value < math.inf else math.inf


def _factor(species: str, offset: float) -> Expression:
    count = Symbol(species)
    return Apply("minus", (count, Number(offset))) if offset else count


@dataclass
class _Coefficients:
    """Coefficients gathered so far, equal ones once, after the inputs."""

    input_ids: tuple[str, ...]
    expressions: list[Expression] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Spelling tells 0.0 from -0.0, which compare equal.
        self._slots = {repr(Symbol(s)): i for i, s in enumerate(self.input_ids)}

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(f"[rate {i}]" for i in range(len(self.expressions)))

    def id_of(self, slot: int) -> str:
        count = len(self.input_ids)
        return self.input_ids[slot] if slot < count else f"[rate {slot - count}]"

    def slot_of(self, product: Product) -> int:
        value = _product(product.above)
        if product.below:
            value = Apply("divide", (value, _product(product.below)))
        key = repr(value)
        if key not in self._slots:
            self._slots[key] = len(self.input_ids) + len(self.expressions)
            self.expressions.append(value)
        return self._slots[key]


def _product(parts: Sequence[Expression]) -> Expression:
    if not parts:
        return Number(1.0)
    return parts[0] if len(parts) == 1 else Apply("times", tuple(parts))
