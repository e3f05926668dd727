"""Source of the reverse lockstep kernel of `StraightThrough`: many trajectories at a time.

`record` (`codegen.record_source`) has noted the firings, row n those of number n of all lanes, and
`walk_back` undoes them a row at a time; a lane whose trajectory has fewer firings waits until its
last one comes. What points of the readout add is rare and done before, lane by lane
(`gradients.paths.straight_points`). Loops over lanes are innermost and do not branch, so that LLVM
turns them into vector instructions. There are several a row: noise, the state before the firing
with its propensities and their derivatives, the shares of the relaxed choice, and the adjoint. A
law that calls a library function keeps only its own loop from becoming vector instructions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sbmlgrad.codegen.adjoint_form import Slope
from sbmlgrad.codegen.kernel_laws import KernelLaws
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.printing import literal, print_expression
from sbmlgrad.codegen.straight_form import CLOCK, CLOCK_BEFORE, FIRINGS, MARK, StraightForm
from sbmlgrad.model.expression import Expression, symbols

#: Of `walk_back`: rows, noise, inputs; reactions and times of the firings by row, how many rows,
#: number of the first; numbers of trajectories, seed; kind of readout, its points and cotangent;
#: row of the batch, firings and next point by lane; changes by reaction, 1 / temperature; cancel.
STRAIGHT_SIGNATURE = (
    "void(f8[::1], f8[::1], f8[::1], u1[::1], f8[::1], i8, i8, u8[::1], i8, i8, f8[::1], "
    "f8[:,:,::1], i8[::1], i8[::1], i8[::1], f8[:,::1], f8, u1[::1])"
)

#: What rounding may do in `walk_back`. Nothing may be added in another order: logarithm and
#: exponential are made of differences that would vanish.
RELAXED = "{'contract', 'nsz'}"


@dataclass(frozen=True)
class RaceSource:
    """Lines that relax the choice of a reaction.

    Attributes:
        once: what does not change, from `seed`.
        each: assign `e0` and `e1`, exponential, from `draw` and `trajectory` (uint64).
        share: assign `share`, (1 + y)^(-1 / temperature), from `y` >= 0 and `inverse_temperature`.
    """

    once: tuple[str, ...]
    each: tuple[str, ...]
    share: tuple[str, ...]


def straight_source(
    lowered: LoweredNetwork,
    laws: KernelLaws,
    form: StraightForm,
    race: RaceSource | None,
    *,
    with_source: bool,
) -> str:
    """Return source of `walk_back`: all lanes go back to the start of a chunk.

    It calls `take_points` (`gradients.paths.straight_points`), whose source stands before it, for
    what the readout adds.

    Args:
        lowered: the network.
        laws: its propensities, and the inputs that they use.
        form: of `straight_form`.
        race: noise of the relaxed choice; None for its limit at temperature zero.
        with_source: the readout adds to the adjoint along the path, as window averages do.
    """
    printer = _Printer(lowered, laws, form, race is not None, with_source)
    used = sorted({i for e in printer.expressions for i in printer.inputs_of(e)})
    rows, lanes = form.rows, form.lanes
    lines = [
        f"@njit(cache=True, nogil=True, error_model='numpy', fastmath={RELAXED})",
        "def walk_back(room, noise, inputs, fired, times, top, begun, numbers, seed, kind, points, "
        "cotangent, batch_row, firings, place, change, inverse_temperature, cancel):",
        *(f"    p{i} = inputs[{i}]" for i in used),
        *("    " + line for line in (race.once if race else ())),
        "    for row in range(top - 1, -1, -1):",
        "        if cancel[0] != 0:",
        "            return",
        "        number = begun + row",
        f"        base = row * {lanes}",
        "        take_points(room, fired, times, base, number, kind, points, cotangent, "
        f"batch_row, firings, place, change, {rows.adjoint}, {rows.pending}, {rows.source}, "
        f"{lanes})",
        "        last = np.float64(number)",
        # Of a place in a slice the compiler knows that it is not counted from the end.
        f"        which_row = fired[base : base + {lanes}]",
        f"        before_row = times[base : base + {lanes}]",
        f"        after_row = times[base + {lanes} : base + {2 * lanes}]",
    ]
    if race:
        lines += [
            f"        for b in range({form.blocks}):",
            f"            draw = np.uint64(number * {form.blocks} + b)",
            f"            into = b * {2 * lanes}",
            f"            for l in range({lanes}):",
            "                trajectory = numbers[l]",
            *(" " * 16 + line for line in race.each),
            "                noise[into + l] = e0",
            f"                noise[into + {lanes} + l] = e1",
        ]
    lines += _loop(printer.undo(), lanes)
    if race:
        lines += [
            f"        for r in range({len(laws.laws)}):",
            f"            rate = ({rows.rates} + r) * {lanes}",
            f"            kept = ({rows.shares} + r) * {lanes}",
            f"            drawn = (r + 1) * {lanes}",
            "            reaction = np.float64(r)",
            f"            for l in range({lanes}):",
            "                a = room[rate + l]",
            "                y = noise[drawn + l] / (a * noise[l])",
            *(" " * 16 + line for line in race.share),
            # What cannot fire is infinitely late, and the one that fired not at all.
            "                share = share if (a > 0.0) & (y < inf) else 0.0",
            "                is_winner = np.float64(which_row[l]) == reaction",
            "                room[kept + l] = 1.0 if is_winner else share",
        ]
    lines += _loop(printer.adjoint(), lanes)
    return "\n".join(lines) + "\n"


def _loop(body: Sequence[str], lanes: int) -> list[str]:
    return [f"        for l in range({lanes}):", *(" " * 12 + line for line in body)]


def _sum(parts: Sequence[str]) -> str:
    """Return a balanced sum, whose parts wait for few others."""
    if len(parts) <= 1:
        return parts[0] if parts else "0.0"
    middle = len(parts) // 2
    return f"({_sum(parts[:middle])} + {_sum(parts[middle:])})"


@dataclass(frozen=True)
class _Printer:
    lowered: LoweredNetwork
    laws: KernelLaws
    form: StraightForm
    is_race: bool
    with_source: bool

    @property
    def expressions(self) -> tuple[Expression, ...]:
        slopes = (*self.form.in_state, *self.form.in_input)
        return (*self.laws.laws, *(slope.expression for slope in slopes))

    @property
    def changes(self) -> list[dict[int, int]]:
        place = {s: i for i, s in enumerate(self.lowered.species_ids)}
        return [{place[s]: n for s, n in c.change.items()} for c in self.lowered.channels]

    def inputs_of(self, expression: Expression) -> set[int]:
        place = {s: i for i, s in enumerate(self.laws.input_ids)}
        return {place[s] for s in symbols(expression) if s in place}

    def row(self, number: int) -> str:
        return f"room[{number * self.form.lanes} + l]"

    def text(self, expression: Expression) -> str:
        names = {s: f"x{i}" for i, s in enumerate(self.lowered.species_ids)}
        names |= {s: f"p{i}" for i, s in enumerate(self.laws.input_ids)}
        return print_expression(expression, "numba", names.__getitem__, literal)

    def along(self, vector: str) -> list[str]:
        """Return, for every reaction, the text of v_j · vector."""
        return [
            _sum(
                [
                    f"{vector}{s}" if n == 1 else f"{literal(float(n))} * {vector}{s}"
                    for s, n in change.items()
                ]
            )
            for change in self.changes
        ]

    def undone(self) -> list[str]:
        """Assign h0..., whether a reaction is the one to undo in a lane that has come so far."""
        lines = [
            f"is_active = {self.row(FIRINGS)} > last",
            "which = np.float64(which_row[l])",
        ]
        return [
            *lines,
            *(f"h{j} = (which == {float(j)!r}) & is_active" for j in range(len(self.changes))),
        ]

    def undo(self) -> list[str]:
        """Undo a firing, and find propensities and their derivatives before it."""
        rows, row = self.form.rows, self.row
        parts: dict[int, list[str]] = {}
        for j, change in enumerate(self.changes):
            for s, n in change.items():
                parts.setdefault(s, []).append(f"({literal(float(n))} if h{j} else 0.0)")
        lines = [*self.undone()]
        lines += [f"x{s} = {row(rows.counts + s)}" for s in range(len(self.lowered.species_ids))]
        lines += [f"x{s} = x{s} - {_sum(changes)}" for s, changes in sorted(parts.items())]
        lines += [f"{row(rows.counts + s)} = x{s}" for s in sorted(parts)]
        lines += [f"a{j} = {self.text(law)}" for j, law in enumerate(self.laws.laws)]
        lines += [f"{row(rows.rates + j)} = a{j}" for j in range(len(self.laws.laws))]
        if self.is_race:
            # Of the noise, the first is that of the winner's time, in units of its mean.
            total = _sum([f"a{j}" for j in range(len(self.laws.laws))])
            lines += [f"noise[l] = noise[l] / {total}"]
        for first, slopes in (
            (rows.in_state, self.form.in_state),
            (rows.in_input, self.form.in_input),
        ):
            lines += [f"{row(first + i)} = {self.text(s.expression)}" for i, s in enumerate(slopes)]
        return lines

    def adjoint(self) -> list[str]:
        """Add the weights of propensities to the gradient, and move λ to before the firing."""
        rows, row, form = self.form.rows, self.row, self.form
        species = range(len(self.lowered.species_ids))
        channels = range(len(self.laws.laws))
        lines = self.undone()
        lines += [f"y{s} = {row(rows.adjoint + s)}" for s in species]
        lines += [f"a{j} = {row(rows.rates + j)}" for j in channels]
        lines += [f"inverse = 1.0 / {_sum([f'a{j}' for j in channels])}"]
        lines += [f"g{j} = {text}" for j, text in enumerate(self.along("y"))]
        lines += [f"won = {_sum([f'(g{j} if h{j} else 0.0)' for j in channels])}"]
        lines += [f"g{j} = g{j} - won" for j in channels]
        lines += self._race() if self.is_race else self._limit()
        lines += [
            "before = before_row[l]",
            "after = after_row[l]",
            f"clock = {row(CLOCK)}",
        ]
        if self.with_source:
            # A later firing lets the state before it last longer, at the cost of that after it.
            lines += [f"z{s} = {row(rows.source + s)}" for s in species]
            lost = [f"(({text}) if h{j} else 0.0)" for j, text in enumerate(self.along("z"))]
            lines += [f"clock = clock - {_sum(lost)}", f"mark = {row(MARK)}"]
            lines += ["held = after - (mark if mark > before else before)"]
        lines += ["delay = clock * (after - before) * inverse"]
        lines += [f"w{j} = w{j} - delay" for j in channels]
        lines += self._gradient()
        for s in species:
            parts = [f"y{s}", row(rows.pending + s)]
            parts += [f"held * z{s}"] if self.with_source else []
            parts += _products(form.in_state, s, rows.in_state, row)
            lines += [f"{row(rows.adjoint + s)} = {_sum(parts)} if is_active else y{s}"]
            lines += [f"{row(rows.pending + s)} = 0.0"]
        return [
            *lines,
            f"{row(CLOCK)} = clock + {row(CLOCK_BEFORE)}",
            f"{row(CLOCK_BEFORE)} = 0.0",
        ]

    def _race(self) -> list[str]:
        """Assign w0..., derivatives of a softmax in the propensities."""
        channels = range(len(self.laws.laws))
        lines = [f"s{j} = {self.row(self.form.rows.shares + j)}" for j in channels]
        lines += [f"norm = 1.0 / {_sum([f's{j}' for j in channels])}"]
        lines += [f"mean = {_sum([f's{j} * g{j}' for j in channels])} * norm"]
        lines += ["norm = norm * inverse_temperature"]
        lines += [f"w{j} = s{j} * norm * (g{j} - mean) / a{j}" for j in channels]
        # One without a share has no part in the choice, even if its propensity is 0.
        return [*lines, *(f"w{j} = w{j} if s{j} > 0.0 else 0.0" for j in channels)]

    def _limit(self) -> list[str]:
        """Assign w0..., the means of those over the noise as temperature falls to zero."""
        channels = range(len(self.laws.laws))
        lines = [f"w{j} = (0.5 if a{j} > 0.0 else 1.0) * g{j} * inverse" for j in channels]
        lines += [f"balance = {_sum([f'w{j} * a{j}' for j in channels])}"]
        lines += [f"rate = {_sum([f'(a{j} if h{j} else 0.0)' for j in channels])}"]
        lines += ["balance = balance / rate"]
        return [*lines, *(f"w{j} = w{j} - (balance if h{j} else 0.0)" for j in channels)]

    def _gradient(self) -> list[str]:
        rows, form, row = self.form.rows, self.form, self.row
        lines: list[str] = []
        for place, variable in enumerate(form.used_inputs):
            parts = _products(form.in_input, variable, rows.in_input, row)
            at = row(rows.gradient + place)
            lines += [f"gain = {_sum(parts)}", f"{at} = {at} + (gain if is_active else 0.0)"]
        return lines


def _products(
    slopes: Sequence[Slope], variable: int, first: int, row: Callable[[int], str]
) -> list[str]:
    """Return weight times derivative for all reactions that depend on a variable."""
    return [
        f"w{slope.reaction} * {row(first + i)}"
        for i, slope in enumerate(slopes)
        if slope.variable == variable
    ]
