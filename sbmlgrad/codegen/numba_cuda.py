"""Source of the CUDA kernel of one network: one thread follows one trajectory at a time.

The state of a trajectory is in local variables, which the compiler keeps in registers. Everything
is printed into one function, because numba compiles a function that a kernel calls for the device
at hand only, and then nothing could be compiled where there is none.

Names that the module of the source must define are listed in `NAMES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sbmlgrad.codegen.cuda_kept import Keeps, Kept
from sbmlgrad.codegen.cuda_lines import (
    FUNCTIONS,
    NUMBERS,
    PHILOX,
    for_device,
    indented,
    philox_keys,
    uniform_pair,
)
from sbmlgrad.codegen.kernel_laws import KernelLaws
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.printing import literal
from sbmlgrad.codegen.step_source import step_source

#: Names that the source uses: outcome codes, modules, and what differs on the simulator.
NAMES = (
    *("COMPLETED", "ABSORBED", "FIRING_LIMIT", "NEGATIVE_PROPENSITY", "NEGATIVE_COUNT"),
    *("NON_FINITE", "NO_FAULT", "cuda", "math", "np", "inf", "nan"),
    *("product", "bits_of", "float_of", *FUNCTIONS, *PHILOX, *NUMBERS),
)

#: Rows of `whole`: number within the batch (-1 for none), next point, draws used.
WHOLE_ROWS = 3

_HEAD = """\
def advance(
    points, inputs, start, seed, first, firing_limit, steps, queue, whole, real,
    values, outcomes, firings, failed, end_times, end_states,
):
"""


def real_rows(species: int, keeps: Keeps) -> int:
    """Return the rows of `real`: clock and counts; since when and sums where averages are kept."""
    return (1 + species) * (2 if keeps == "averages" else 1)


def kernel_source(
    lowered: LoweredNetwork,
    laws: KernelLaws,
    keeps: Keeps,
    exponential: Sequence[str],
    rounds: int,
) -> str:
    """Return source of the kernel `advance`, which takes up to `steps` steps in every thread.

    A thread without a trajectory takes the next one of the batch from `queue`. What a thread has
    not finished when the steps are used up is kept in `whole` and `real` for the next launch. A
    step is a firing, or the end of a trajectory, or the keeping of what lies before the next
    firing; the last two leave the draw as it is, so nothing depends on `steps`.

    Arguments of the kernel: points, float64 [point]; inputs, float64 [input]; start, float64
    [species, 1 or trajectory]; seed, uint64; first, int64, number of the first trajectory;
    firing_limit and steps, int64; queue, int64 [2], trajectories given out and finished; whole,
    int64 [WHOLE_ROWS, thread]; real, float64 [real_rows, thread]; then results: values, float64
    [point, column, trajectory], outcomes, int8 [trajectory], firings and failed, int64
    [trajectory], end_times, float64 [trajectory], end_states, float64 [species, trajectory].

    Args:
        lowered: the network.
        laws: its propensities, and the inputs that they use.
        keeps: what is kept of a trajectory.
        exponential: lines that assign `wait` from the uniform number `u`.
        rounds: of the random streams (`engines.random.ROUNDS`).
    """
    return _Printer(lowered, laws, keeps, exponential, rounds).source()


class _Printer:
    """The parts of the kernel, each as lines without the indentation of where they stand."""

    def __init__(
        self,
        lowered: LoweredNetwork,
        laws: KernelLaws,
        keeps: Keeps,
        exponential: Sequence[str],
        rounds: int,
    ) -> None:
        self.species = range(len(lowered.species_ids))
        self.kept = Kept(keeps, len(self.species))
        self.exponential = exponential
        self.rounds = rounds
        self.channels = range(len(lowered.channels))
        self.step = _step(lowered, laws)
        place = {s: i for i, s in enumerate(lowered.species_ids)}
        self.changes = [
            {place[s]: float(n) for s, n in channel.change.items()} for channel in lowered.channels
        ]
        self.changed = sorted(set().union(*self.changes))

    def source(self) -> str:
        body = [
            "slot = cuda.grid(1)",
            "if slot < whole.shape[1]:",
            *indented(self.prologue()),
            "    for _ in range(steps):",
            "        if row < 0:",
            *indented(self.take_next(), 3),
            *indented(self.next_firing(), 2),
            f"        if {self.goes()}:",
            *indented(for_device(self.fire()), 3),
            "        else:",
            *indented(for_device(self.look()), 3),
            "        if outcome >= 0:",
            *indented(self.finish(), 3),
            *indented(self.save()),
        ]
        return _HEAD + "\n".join(indented(body)) + "\n"

    def prologue(self) -> list[str]:
        return [
            "count = values.shape[0]",
            "trajectories = outcomes.shape[0]",
            "last_point = points[points.shape[0] - 1]",
            *(f"p{i} = inputs[{i}]" for i in self.step.inputs_used),
            *philox_keys("seed", self.rounds),
            "row = whole[0, slot]",
            "point = whole[1, slot]",
            "draw = whole[2, slot]",
            "clock = real[0, slot]",
            *(f"x{i} = real[{1 + i}, slot]" for i in self.species),
            *(f"{name} = real[{r}, slot]" for r, name in self.own_rows()),
            self.kept.limit(),
        ]

    def own_rows(self) -> list[tuple[int, str]]:
        return list(enumerate(self.kept.own, start=1 + len(self.species)))

    def take_next(self) -> list[str]:
        return [
            "row = cuda.atomic.add(queue, 0, 1)",
            "if row >= trajectories:",
            "    row = -1",
            "    break",
            "source = row if start.shape[1] > 1 else 0",
            *(f"x{i} = start[{i}, source]" for i in self.species),
            "point = 0",
            "draw = 0",
            "clock = 0.0",
            *self.kept.begin(),
            self.kept.limit(),
        ]

    def next_firing(self) -> list[str]:
        return [
            *uniform_pair("draw", "first + row", self.rounds),
            *self.exponential,
            *for_device(self.step.rates),
            f"total = {self.step.total}",
            "next_time = clock + wait / total if total > 0.0 else inf",
            "outcome = -1",
            "fault = NO_FAULT",
        ]

    def goes(self) -> str:
        """Whether the next firing happens now: the branch that nearly all steps take."""
        return f"{self.kept.happens} and draw < firing_limit and ({self.step.sound})"

    def fire(self) -> list[str]:
        if not self.channels:
            return ["pass"]
        lines = self.kept.before_firing()
        lines += ["target = v * total", *self.select()]
        lines += [f"x{i} = x{i} + d{i}" for i in self.changed]
        happens = [*self.kept.after_firing(), "clock = next_time", "draw += 1"]
        if not self.step.enough:
            return [*lines, *happens]
        return [
            *lines,
            f"if {self.step.enough}:",
            *indented(happens),
            "else:",
            "    outcome = NEGATIVE_COUNT",
            *(f"    x{i} = x{i} - d{i}" for i in self.changed),
            f"    fault = {self.channels[-1]}",
            *(f"    fault = cuda.selp(g{j}, {j}, fault)" for j in self.channels[-2::-1]),
            "    reach = inf",
            *indented(self.kept.up_to_reach()),
        ]

    def select(self) -> list[str]:
        """Assign d0...: what the counts change by in the first reaction whose sum is above.

        Sums do not decrease, so the last of these assignments that happens is that reaction's. A
        chain of constants needs one comparison a reaction and one selection where it changes.
        """
        following = self.changes[-1]
        names = {i: literal(following.get(i, 0.0)) for i in self.changed}
        lines = []
        for j in self.channels[-2::-1]:
            changes = self.changes[j]
            lines.append(f"g{j} = target < c{j}")
            for i in self.changed:
                change = changes.get(i, 0.0)
                if change != following.get(i, 0.0):
                    lines.append(f"d{i}_{j} = cuda.selp(g{j}, {literal(change)}, {names[i]})")
                    names[i] = f"d{i}_{j}"
            following = changes
        return [*lines, *(f"d{i} = {name}" for i, name in names.items())]

    def look(self) -> list[str]:
        """What is kept before the next firing, and whether the trajectory ends."""
        within = " and next_time <= last_point" if self.kept.is_timed else ""
        return [
            *self.kept.first(),
            f"if outcome < 0 and not ({self.step.sound}):",
            "    outcome = NON_FINITE",
            *indented(self.blame()),
            "elif outcome < 0 and total == 0.0:",
            "    outcome = ABSORBED",
            f"elif outcome < 0 and draw >= firing_limit{within}:",
            "    outcome = FIRING_LIMIT",
            # The total is so small that the next firing lies beyond every number.
            *([] if self.kept.is_timed else ["elif outcome < 0 and next_time == inf:"]),
            *([] if self.kept.is_timed else ["    outcome = COMPLETED"]),
            "reach = inf if outcome >= 0 else next_time",
            *self.kept.up_to_reach(),
            "if outcome < 0 and point == count:",
            "    outcome = COMPLETED",
            self.kept.limit(),
        ]

    def blame(self) -> list[str]:
        """Name the first reaction whose propensity is negative, infinite or undefined."""
        lines = []
        for j in reversed(self.channels):
            lines += [
                f"is_bad = (a{j} < 0.0) | (not (a{j} < inf))",
                f"fault = cuda.selp(is_bad, {j}, fault)",
                f"worst = cuda.selp(is_bad, a{j}, worst)",
            ]
        return [
            "worst = 0.0",
            *lines,
            "if worst < 0.0:",
            "    outcome = NEGATIVE_PROPENSITY",
        ]

    def finish(self) -> list[str]:
        return [
            "outcomes[row] = outcome",
            "firings[row] = draw",
            "failed[row] = fault",
            "end_times[row] = clock",
            *(f"end_states[{i}, row] = x{i}" for i in self.species),
            "cuda.atomic.add(queue, 1, 1)",
            "row = -1",
        ]

    def save(self) -> list[str]:
        return [
            "whole[0, slot] = row",
            "whole[1, slot] = point",
            "whole[2, slot] = draw",
            "real[0, slot] = clock",
            *(f"real[{1 + i}, slot] = x{i}" for i in self.species),
            *(f"real[{r}, slot] = {name}" for r, name in self.own_rows()),
        ]


@dataclass(frozen=True)
class _Step:
    """What a kernel takes of a `StepSource`; by default, that of a network without channels."""

    inputs_used: tuple[int, ...] = ()
    rates: tuple[str, ...] = ()
    total: str = "0.0"
    sound: str = "0.0 < inf"
    enough: str = ""


def _step(lowered: LoweredNetwork, laws: KernelLaws) -> _Step:
    if not lowered.channels:
        return _Step()
    step = step_source(lowered, laws)
    return _Step(step.inputs_used, step.rates, step.total, step.sound, step.enough)
