"""Source of the lockstep kernel of one network: many trajectories take a step at a time.

Trajectories sit in lanes. Their counts are one flat array of rows, row s of lane l at
`counts[s * LANES + l]`, and what else belongs to a lane is another, `clocks`; the loop over lanes
is innermost and does not branch, so that LLVM turns it into vector instructions. A lane whose next
firing lies beyond its limit stalls: it keeps its state and its draw, and steps that it does not
take leave no trace in its random stream.
"""

from __future__ import annotations

from dataclasses import dataclass

from sbmlgrad.codegen.kernel_laws import KernelLaws
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.step_source import StepSource, step_source

#: Of what is printed: counts, clocks, room for noise, draws, numbers of trajectories, inputs, seed,
#: steps.
SIGNATURE = "void(f8[::1], f8[::1], f8[::1], u8[::1], u8[::1], f8[::1], i8, i8)"

#: Rows of `clocks`: the clock, the time of the next firing (NaN if it cannot be
#: told), the time (or number of firings) up to which a lane may go on, since when the state has not
#: been averaged, the length of the window; then the averages of a window.
CLOCK, NEXT, LIMIT, SINCE, WIDTH, AVERAGES = range(6)

#: First of the rows that hold the state after the next firing, where lanes stop short of one; such
#: lanes average nothing.
AFTER = AVERAGES


@dataclass(frozen=True)
class LockstepKind:
    """What decides the form of the loop.

    Attributes:
        by_firings: lanes stop at a number of firings, not at a time.
        short_of: lanes stop at a firing that happens at the very time of their limit too, and in
            double precision keep the state after it, for values on the line between the two.
        averages: lanes average their counts over windows.
    """

    by_firings: bool = False
    short_of: bool = False
    averages: bool = False


@dataclass(frozen=True)
class NoiseSource:
    """Lines that give the noise of firings.

    Attributes:
        once: what does not change, from `seed`.
        each: assign `exponential`, a waiting time in units of its mean, and `v`, uniform in [0, 1),
            from `draw` and `trajectory` (uint64).
        pair: assign `u0, v0, u1, v1` in single precision, uniform in (0, 1] and [0, 1), for two
            firings, from `draw` (half the number of the first) and `trajectory`.
        single: assign `exponential` in single precision from `u`.
    """

    once: tuple[str, ...]
    each: tuple[str, ...]
    pair: tuple[str, ...]
    single: tuple[str, ...]


def lockstep_source(
    lowered: LoweredNetwork,
    laws: KernelLaws,
    noise: NoiseSource,
    kind: LockstepKind,
    lanes: int,
) -> str:
    """Return source of `advance`, which lets every lane fire up to `steps` times.

    Args:
        lowered: the network; it has at least one channel.
        laws: its propensities, and the inputs that they use.
        noise: the noise of a firing.
        kind: what the lanes stop at and keep.
        lanes: how many trajectories advance together.
    """
    step = step_source(lowered, laws)
    species = len(lowered.species_ids)
    # Two short loops keep more lanes under way at a time than a long one.
    lines = [
        "@njit(cache=True, nogil=True, error_model='numpy')",
        "def advance(counts, clocks, noise, draws, numbers, inputs, seed, steps):",
        *("    " + line for line in noise.once),
        *(f"    p{i} = inputs[{i}]" for i in step.inputs_used),
        "    for _ in range(steps):",
        f"        for l in range({lanes}):",
        "            draw = draws[l]",
        "            trajectory = numbers[l]",
        *(" " * 12 + line for line in noise.each),
        "            noise[l] = exponential",
        f"            noise[{lanes} + l] = v",
        f"        for l in range({lanes}):",
        "            exponential = noise[l]",
        f"            v = noise[{lanes} + l]",
        *(" " * 12 + line for line in _body(step, species, kind, lanes)),
    ]
    return "\n".join(lines) + "\n"


def _body(step: StepSource, species: int, kind: LockstepKind, lanes: int) -> list[str]:
    def row(number: int) -> str:
        return f"counts[{number * lanes} + l]"

    def own(number: int) -> str:
        return f"clocks[{number * lanes} + l]"

    counts = tuple(range(species)) if kind.averages or kind.short_of else step.counts_used
    lines = [f"x{i} = {row(i)}" for i in counts]
    lines += [
        f"clock = {own(CLOCK)}",
        "draw = draws[l]",
        *step.rates,
        f"next_time = clock + exponential / {step.total}",
        f"next_time = next_time if {step.sound} else nan",
    ]
    if kind.by_firings:
        lines.append(f"goes = (np.float64(np.int64(draw)) < {own(LIMIT)}) & (next_time < inf)")
    else:
        lines.append(f"goes = next_time {'<' if kind.short_of else '<='} {own(LIMIT)}")
    # Whether a lane goes on is asked for at the end: the choice need not wait for the clock.
    lines += [f"target = v * {step.total}", *step.select]
    lines += [*(f"b{i} = x{i}" for i in counts), *step.fire]
    if kind.short_of:
        lines += [f"{own(AFTER + i)} = x{i}" for i in counts]
    if step.enough:
        # A lane without enough molecules stalls; whoever looks at it finds out why.
        lines += [
            f"enough = {step.enough}",
            "next_time = next_time if enough | (not goes) else nan",
        ]
        lines += ["goes = goes & enough"]
    lines += [f"x{i} = x{i} if goes else b{i}" for i in counts]
    if kind.averages:
        lines += [
            f"since = {own(SINCE)}",
            f"share = (next_time - since) / {own(WIDTH)}",
            "share = share if goes else 0.0",
            f"{own(SINCE)} = next_time if goes else since",
            *(f"{own(AVERAGES + i)} = {own(AVERAGES + i)} + share * b{i}" for i in counts),
        ]
    return [
        *lines,
        *(f"{row(i)} = x{i}" for i in counts),
        f"{own(NEXT)} = next_time",
        f"{own(CLOCK)} = next_time if goes else clock",
        "draws[l] = (draw + np.uint64(1)) if goes else draw",
    ]
