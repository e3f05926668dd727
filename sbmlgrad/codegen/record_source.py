"""Source of the kernel that notes the firings of many trajectories, for the walk back.

Firings are those of the lockstep kernel (`codegen.lockstep_source`), to the bit.
"""

from __future__ import annotations

from enum import Enum

from sbmlgrad.codegen.kernel_laws import KernelLaws
from sbmlgrad.codegen.lockstep_source import NoiseSource
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.step_source import step_source

#: Of `record`: counts, clocks, noise, draws, numbers of trajectories, inputs, seed, steps,
#: reactions and times of the firings, by row.
RECORD_SIGNATURE = (
    "void(f8[::1], f8[::1], f8[::1], u8[::1], u8[::1], f8[::1], i8, i8, u1[::1], f8[::1])"
)


class Until(Enum):
    """Up to where lanes fire: a time, the first firing beyond it, or a number of firings."""

    TIME = "next_time <= {limit}"
    BEYOND_TIME = "(clock <= {limit}) & (next_time < inf)"
    FIRINGS = "(np.float64(np.int64(draw)) < {limit}) & (next_time < inf)"


def record_source(
    lowered: LoweredNetwork,
    laws: KernelLaws,
    noise: NoiseSource,
    lanes: int,
    until: Until = Until.TIME,
) -> str:
    """Return source of `record`: every lane fires up to `steps` times and notes its firings.

    A lane stalls for good at its first firing beyond its limit (row 1 of `clocks`, after the
    clock), so that row n holds firing number n of every lane. Firings are those of the lockstep
    kernel, to the bit.

    Args:
        lowered: the network; it has at least one channel, and at most 255.
        laws: its propensities, and the inputs that they use.
        noise: the noise of a firing.
        lanes: how many trajectories advance together.
        until: what the limit means.
    """
    step = step_source(lowered, laws)
    last = len(laws.laws) - 1
    missed = [f"(0 if g{j} else 1)" for j in range(last)] or ["0"]
    body = [
        "exponential = noise[l]",
        f"v = noise[{lanes} + l]",
        *(f"x{i} = counts[{i * lanes} + l]" for i in step.counts_used),
        "clock = clocks[l]",
        "draw = draws[l]",
        *step.rates,
        f"next_time = clock + exponential / {step.total}",
        f"goes = {until.value.format(limit=f'clocks[{lanes} + l]')}",
        f"target = v * {step.total}",
        *step.select,
        *(f"b{i} = x{i}" for i in step.counts_used),
        *step.fire,
        *(f"counts[{i * lanes} + l] = x{i} if goes else b{i}" for i in step.counts_used),
        "clocks[l] = next_time if goes else clock",
        "draws[l] = (draw + np.uint64(1)) if goes else draw",
        f"fired[base + l] = np.uint8({' + '.join(missed)})",
        "times[base + l] = next_time",
    ]
    lines = [
        "@njit(cache=True, nogil=True, error_model='numpy')",
        "def record(counts, clocks, noise, draws, numbers, inputs, seed, steps, fired, times):",
        *("    " + line for line in noise.once),
        *(f"    p{i} = inputs[{i}]" for i in step.inputs_used),
        "    for row in range(steps):",
        f"        base = row * {lanes}",
        f"        for l in range({lanes}):",
        "            draw = draws[l]",
        "            trajectory = numbers[l]",
        *(" " * 12 + line for line in noise.each),
        "            noise[l] = exponential",
        f"            noise[{lanes} + l] = v",
        f"        for l in range({lanes}):",
        *(" " * 12 + line for line in body),
    ]
    return "\n".join(lines) + "\n"
