"""Source of the lockstep kernel in single precision: twice the lanes in a vector instruction.

The law of a trajectory stays what it is. Counts are whole numbers and exact in single precision up
to `MOST_SINGLE`. Which reaction fires is decided in single precision only where rounding cannot
change the answer: a lane whose random number falls closer to a boundary between two reactions than
all rounding errors together stalls, and the table-driven kernel decides in double precision, with
more random bits. A reaction of 1e-8 of the total propensity lies within that margin as a whole, so
it fires exactly as often as it should. The clock of a lane is double; within a spell of steps it
advances by a compensated sum (Kahan 1965), so that a waiting time is never lost in it. What is left
is that waiting times are off by about 1e-7 of their mean.

What is printed has the same form as in double precision (`codegen.lockstep_source`); all that the
inner loop touches is 32 bits wide, since LLVM makes vectors as wide as its widest type allows.
"""

from __future__ import annotations

from sbmlgrad.codegen.kernel_laws import KernelLaws
from sbmlgrad.codegen.lockstep_source import (
    AVERAGES,
    CLOCK,
    LIMIT,
    NEXT,
    SINCE,
    WIDTH,
    LockstepKind,
    NoiseSource,
)
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.monomials import MOST_FACTORS
from sbmlgrad.codegen.step_source import StepSource, step_source

#: Of what is printed, as `lockstep_source.SIGNATURE`.
SIGNATURE_SINGLE = "void(f4[::1], f8[::1], f4[::1], u8[::1], u8[::1], f8[::1], i8, i8)"

#: Most molecules of a species that single precision counts, with room for a spell of firings.
MOST_SINGLE = 2.0**23

#: Most molecules that one firing may make or take, so that no spell leaves that room.
MOST_CHANGED = 2**15

#: Smallest coefficient that single precision holds in full.
LEAST_NORMAL = 2.0**-126

#: Rows of `counts` after the counts, for one spell: the time since its start and what its sum has
#: lost, the time until which a lane may go on, that of its next firing, whether its next draw is an
#: odd one, its firings, for how long its state has been averaged already; then sums for averages.
AHEAD, LOST, UNTIL, SOON, ODD, FIRED, LAG, SUMS = range(8)

#: Firings that a lane may be away from its limit, as single precision counts them.
_MANY_FIRINGS = 1e6


def room_of_counts(species: int) -> int:
    """Return how many rows `counts` has."""
    return 2 * species + SUMS


def lockstep_source_single(
    lowered: LoweredNetwork,
    laws: KernelLaws,
    noise: NoiseSource,
    kind: LockstepKind,
    lanes: int,
) -> str:
    """Return source of `advance` in single precision; arguments as in `lockstep_source`."""
    step = step_source(lowered, laws, is_single=True)
    species = len(lowered.species_ids)
    rows = _Rows(species, lanes)
    lines = [
        "@njit(cache=True, nogil=True, error_model='numpy')",
        "def advance(counts, clocks, noise, draws, numbers, inputs, seed, steps):",
        *_indented(1, noise.once),
        "    zero, one = np.float32(0.0), np.float32(1.0)",
        "    endless, nothing = np.float32(inf), np.float32(nan)",
        # A boundary between reactions is certain to within this part of the total: a coefficient, a
        # product a factor, a sum a reaction and the random number are each rounded once.
        f"    margin = np.float32({(len(laws.laws) + MOST_FACTORS + 4) * 2.0**-23!r})",
        *(f"    p{i} = np.float32(inputs[{i}])" for i in step.inputs_used),
        *(f"    d{i} = inputs[{i}]" for i in step.doubles_used),
        f"    for l in range({lanes}):",
        *_indented(2, _begin(rows, kind)),
        "    for _ in range((steps + 1) // 2):",
        f"        for l in range({lanes}):",
        f"            draw = (draws[l] + np.uint64(np.int64({rows.work(FIRED)}))) >> np.uint64(1)",
        "            trajectory = numbers[l]",
        *_indented(3, noise.pair),
        *(
            f"            noise[{i * lanes} + l] = {name}"
            for i, name in enumerate(("u0", "v0", "u1", "v1"))
        ),
        *(line for half in (0, 1) for line in _half(step, noise, rows, kind, half)),
        f"    for l in range({lanes}):",
        *_indented(2, _end(rows, step, kind)),
    ]
    return "\n".join(lines) + "\n"


class _Rows:
    """What the rows of a lane are called in source."""

    def __init__(self, species: int, lanes: int) -> None:
        self.species, self.lanes = species, lanes

    def count(self, species: int) -> str:
        return f"counts[{species * self.lanes} + l]"

    def work(self, row: int) -> str:
        return f"counts[{(self.species + row) * self.lanes} + l]"

    def sum(self, species: int) -> str:
        return self.work(SUMS + species)

    def clock(self, row: int) -> str:
        return f"clocks[{row * self.lanes} + l]"


def _indented(depth: int, lines: tuple[str, ...] | list[str]) -> list[str]:
    return ["    " * depth + line for line in lines]


def _begin(rows: _Rows, kind: LockstepKind) -> list[str]:
    """Return the lines that begin a spell: what is left until the limit, in single precision."""
    own = rows.clock
    if kind.by_firings:
        left = f"min({own(LIMIT)} - np.float64(np.int64(draws[l])), {_MANY_FIRINGS})"
    else:
        left = f"{own(LIMIT)} - {own(CLOCK)}"
    lines = [f"{rows.work(row)} = zero" for row in (AHEAD, LOST, FIRED)]
    lines += [
        f"{rows.work(UNTIL)} = np.float32({left})",
        f"{rows.work(SOON)} = zero",
        f"{rows.work(ODD)} = np.float32(np.int64(draws[l] & np.uint64(1)))",
    ]
    if kind.averages:
        lines.append(f"{rows.work(LAG)} = np.float32({own(SINCE)} - {own(CLOCK)})")
        lines += [f"{rows.sum(i)} = zero" for i in range(rows.species)]
    return lines


def _half(
    step: StepSource, noise: NoiseSource, rows: _Rows, kind: LockstepKind, half: int
) -> list[str]:
    """Return the loop in which lanes take the first or second of a pair of draws."""
    return [
        f"        for l in range({rows.lanes}):",
        f"            u = noise[{2 * half * rows.lanes} + l]",
        f"            v = noise[{(2 * half + 1) * rows.lanes} + l]",
        *_indented(3, noise.single),
        *_indented(3, _step(step, rows, kind, half)),
    ]


def _step(step: StepSource, rows: _Rows, kind: LockstepKind, half: int) -> list[str]:
    work = rows.work
    counts = tuple(range(rows.species)) if kind.averages else step.counts_used
    number = int(step.total.removeprefix("c"))
    lines = [f"x{i} = {rows.count(i)}" for i in counts]
    lines += [
        *(f"{name} = {work(row)}" for name, row in _OWN),
        *step.rates,
        f"total = {step.total}",
        "waiting = exponential / total",
        "rise = waiting - lost",
        "time = ahead + rise",
        # A number that rounds to 1 would fire at once.
        f"is_sound = {step.sound} & (total > np.float32(1e-30)) & (waiting > zero)",
        "time = time if is_sound else nothing",
        f"is_turn = odd == np.float32({float(half)})",
    ]
    if kind.by_firings:
        lines.append(f"goes = ({work(FIRED)} < {work(UNTIL)}) & (time < endless) & is_turn")
    else:
        sign = "<" if kind.short_of else "<="
        lines.append(f"goes = (time {sign} {work(UNTIL)}) & is_turn")
    # The boundary above a target that is too low by the margin must also be above one that is too
    # high by it.
    lines += [
        "target = (v - margin) * total",
        *step.select,
        f"above = {step.total}",
        *(f"above = c{j} if g{j} else above" for j in reversed(range(number))),
        "is_clear = (above - target) > (margin + margin) * total",
        "time = time if is_clear else nothing",
        "goes = goes & is_clear",
        *(f"b{i} = x{i}" for i in counts),
        *step.fire,
    ]
    if step.enough:
        lines += [f"enough = {step.enough}", "time = time if enough | (not goes) else nothing"]
        lines += ["goes = goes & enough"]
    lines += [f"x{i} = x{i} if goes else b{i}" for i in counts]
    if kind.averages:
        lines += [
            f"lag = {work(LAG)}",
            "held = waiting - lag",
            "held = held if goes else zero",
            f"{work(LAG)} = zero if goes else lag",
            *(f"{rows.sum(i)} = {rows.sum(i)} + held * b{i}" for i in counts),
        ]
    return [
        *lines,
        *(f"{rows.count(i)} = x{i}" for i in counts),
        f"{work(SOON)} = time if is_turn else soon",
        "rise = (time - ahead) - rise",
        f"{work(LOST)} = rise if goes else lost",
        f"{work(AHEAD)} = time if goes else ahead",
        "odd = (one - odd) if goes else odd",
        f"{work(ODD)} = odd",
        "fired = (fired + one) if goes else fired",
        f"{work(FIRED)} = fired",
    ]


_OWN = (("ahead", AHEAD), ("lost", LOST), ("soon", SOON), ("odd", ODD), ("fired", FIRED))


def _end(rows: _Rows, step: StepSource, kind: LockstepKind) -> list[str]:
    """Return the lines that end a spell: what it came to, in double precision."""
    own, work = rows.clock, rows.work
    lines = [
        f"clock = {own(CLOCK)}",
        f"limit = {own(LIMIT)}",
        f"soon = {work(SOON)}",
        "next_time = clock + np.float64(soon)",
    ]
    if not kind.by_firings:
        # What was on this side of the limit in single precision is on this side of it.
        stays = "soon <" if kind.short_of else "soon <="
        lines += [
            f"is_before = {stays} {work(UNTIL)}",
            "later = max(next_time, limit + abs(limit) * 2.3e-16 + 5e-324)",
            "sooner = min(next_time, limit)",
            "moved = sooner if is_before else later",
            "next_time = moved if next_time == next_time else nan",
        ]
    lines += [
        "most = zero",
        *(f"most = max(most, {rows.count(i)})" for i in step.counts_used),
        f"next_time = nan if most > np.float32({MOST_SINGLE!r}) else next_time",
        f"{own(NEXT)} = next_time",
        f"moved = clock + (np.float64({work(AHEAD)}) - np.float64({work(LOST)}))",
        *(["moved = min(moved, limit)"] if not kind.by_firings else []),
        f"moved = moved if {work(FIRED)} > zero else clock",
        f"{own(CLOCK)} = moved",
        f"draws[l] = draws[l] + np.uint64(np.int64({work(FIRED)}))",
    ]
    if kind.averages:
        lines += [
            f"{own(SINCE)} = moved if {work(FIRED)} > zero else {own(SINCE)}",
            *(
                f"{own(AVERAGES + i)} = {own(AVERAGES + i)}"
                f" + np.float64({rows.sum(i)}) / {own(WIDTH)}"
                for i in range(rows.species)
            ),
        ]
    return lines
