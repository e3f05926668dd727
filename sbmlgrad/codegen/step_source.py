"""Straight-line source of one firing of one network: the body that every generated engine shares.

Each function prints lines of numba's subset of Python for ONE trajectory; the caller decides what
holds the state (a lane of a buffer, registers of a GPU thread). Names that the lines use:

- `x0, x1, ...` the counts, `p0, p1, ...` the inputs of `kernel_laws`;
- `a0, a1, ...` the propensities, `c0, c1, ...` their sums from the left, the last one the total;
- `target` a number in [0, total) that selects a reaction;
- `h0, h1, ...` whether a reaction is the one selected.

Nothing branches, so that a loop over trajectories becomes vector instructions. In single precision
all of these are float32, except that laws which are no monomials (`kernel_laws`) are evaluated in
double precision, from inputs `d0, d1, ...`, and then rounded: a difference of large numbers would
be nothing but rounding. `inf` is called `endless` there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sbmlgrad.codegen.kernel_laws import KernelLaws
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.printing import literal, print_expression
from sbmlgrad.model.channels import Channel
from sbmlgrad.model.expression import Apply, Expression, Number, Symbol, symbols
from sbmlgrad.model.terms import factors


@dataclass(frozen=True)
class StepSource:
    """Lines of one firing, without indentation.

    Attributes:
        counts_used: species whose counts the lines read or write.
        inputs_used: inputs that they read, as `p0...`.
        doubles_used: inputs that they read as `d0...`; only in single precision.
        rates: assign a0... and c0...
        total: the name of the last sum.
        sound: expression that is true if no propensity is negative, infinite or undefined.
        select: assign h0... from `target`.
        fire: assign the new counts x0...
        enough: expression that is true if no new count is negative; empty where none can be.
    """

    counts_used: tuple[int, ...]
    inputs_used: tuple[int, ...]
    doubles_used: tuple[int, ...]
    rates: tuple[str, ...]
    total: str
    sound: str
    select: tuple[str, ...]
    fire: tuple[str, ...]
    enough: str


def step_source(
    lowered: LoweredNetwork, laws: KernelLaws, *, is_single: bool = False
) -> StepSource:
    """Return the lines of one firing.

    Args:
        lowered: the network; it has at least one channel.
        laws: its propensities, and the inputs that they use.
        is_single: print for single precision.
    """
    species = {s: i for i, s in enumerate(lowered.species_ids)}
    inputs = {s: i for i, s in enumerate(laws.input_ids)}
    changed = {s for channel in lowered.channels for s in channel.change}
    last = len(laws.laws) - 1
    pairs = list(zip(lowered.channels, laws.laws, strict=True))
    in_double = [is_single and monomial is None for monomial in laws.monomials]
    single, double = _used(laws, in_double, value=False), _used(laws, in_double, value=True)
    doubtful = sorted({species[s] for c, law in pairs for s in _may_run_out(c, law)})
    negative = [j for j, c in enumerate(lowered.channels) if c.may_be_negative]
    number = _single if is_single else literal
    names = {s: f"x{i}" for s, i in species.items()} | {s: f"p{i}" for s, i in inputs.items()}
    doubles = {s: f"np.float64(x{i})" for s, i in species.items()}
    doubles |= {s: f"d{i}" for s, i in inputs.items()}

    def rate(j: int, law: Expression) -> list[str]:
        if in_double[j]:
            text = print_expression(law, "numba", doubles.__getitem__, literal)
            return [f"r{j} = {text}", f"a{j} = np.float32(r{j})"]
        return [f"a{j} = {print_expression(law, 'numba', names.__getitem__, number)}"]

    endless = "endless" if is_single else "inf"
    return StepSource(
        counts_used=tuple(sorted(species[s] for s in species if s in single | double | changed)),
        inputs_used=tuple(sorted(inputs[s] for s in single & inputs.keys())),
        doubles_used=tuple(sorted(inputs[s] for s in double & inputs.keys())),
        rates=(
            *(line for j, law in enumerate(laws.laws) for line in rate(j, law)),
            # As scalar code sums; a total of -0.0, from factors such as X (X - 1), is 0.
            f"c0 = {number(0.0)} + a0",
            *(f"c{j} = c{j - 1} + a{j}" for j in range(1, last + 1)),
        ),
        total=f"c{last}",
        sound=" & ".join(
            [
                f"(c{last} < {endless})",
                # Before rounding, which may leave nothing of a small negative number.
                *(
                    f"(r{j} >= 0.0)" if in_double[j] else f"(a{j} >= {number(0.0)})"
                    for j in negative
                ),
            ]
        ),
        select=tuple(_selection(last, endless)),
        fire=tuple(
            f"x{species[s]} = (x{species[s]} + {number(float(n))}) if h{j} else x{species[s]}"
            for j, channel in enumerate(lowered.channels)
            for s, n in channel.change.items()
        ),
        enough=" & ".join(f"(x{i} >= {number(0.0)})" for i in doubtful),
    )


def _used(laws: KernelLaws, in_double: Sequence[bool], *, value: bool) -> frozenset[str]:
    chosen = (law for law, own in zip(laws.laws, in_double, strict=True) if own == value)
    return frozenset().union(*(symbols(law) for law in chosen))


def _single(value: float) -> str:
    return f"np.float32({literal(value)})"


def _selection(last: int, endless: str) -> list[str]:
    # The first sum above the target selects. The target is below the last sum, so the last reaction
    # needs no comparison with it.
    lines = [f"g{j} = target < c{j}" for j in range(last)]
    lines.append(f"g{last} = target < {endless}")
    return [*lines, "h0 = g0", *(f"h{j} = g{j} & (not g{j - 1})" for j in range(1, last + 1))]


def _may_run_out(channel: Channel, law: Expression) -> list[str]:
    """Return species that a channel consumes although its law is not seen to vanish without them.

    A law with the factors x, x - 1, ... vanishes (or has no value, which is found out otherwise)
    where fewer molecules are left than it consumes.
    """
    above, _ = factors(law)
    return [
        s
        for s, n in channel.change.items()
        if n < 0 and not all(_has_factor(above, s, used_up) for used_up in range(-n))
    ]


def _has_factor(above: Sequence[Expression], species: str, used_up: int) -> bool:
    return any(_is_less(factor, species, used_up) for factor in above)


def _is_less(factor: Expression, species: str, less: int) -> bool:
    if less == 0:
        return factor == Symbol(species)
    if not isinstance(factor, Apply) or len(factor.arguments) != 2:
        return False
    left, right = factor.arguments
    if factor.operator == "minus":
        return left == Symbol(species) and right == Number(float(less))
    return factor.operator == "plus" and left == Symbol(species) and right == Number(-float(less))
