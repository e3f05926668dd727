"""Source of the reverse lockstep kernel of one network: path adjoints, many trajectories at a time.

`record` (`codegen.record_source`) has noted which reaction fired when; `walk` takes every lane one
stretch of its trajectory back: at most one firing is undone, and then the
adjoint equation -dλ/dt = B λ + source, with B = Σ_i c_i ∂_x a_i v_iᵀ constant between firings, is
integrated over the stretch by its Taylor series. Loops over lanes are innermost and do not branch,
so that LLVM turns them into vector instructions; rows lie in one array, `room`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sbmlgrad.codegen.adjoint_form import FIRED, LENGTH, NOW, REACH, TARGET, AdjointForm, Slope
from sbmlgrad.codegen.kernel_laws import KernelLaws
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.printing import literal, print_expression
from sbmlgrad.model.expression import Expression, symbols

#: Of `walk_back`: rows, inputs; reactions and times of the firings, number of the first of them,
#: time before it by lane; whether the readout is of windows, its points and cotangent; trajectory,
#: firings to come, start of the interval and next point by lane; cancel.
WALK_BACK_SIGNATURE = (
    "void(f8[::1], f8[::1], u1[::1], f8[::1], i8, f8[::1], b1, f8[::1], f8[:,:,::1], i8[::1], "
    "i8[::1], f8[::1], i8[::1], u1[::1])"
)

#: What rounding may do in `walk_back`, on which no firing depends; NaN and infinity stay.
RELAXED = "{'contract', 'nsz', 'arcp', 'reassoc'}"

#: Decorator of what `walk_back` is put together from.
INLINED = "@njit(nogil=True, error_model='numpy', inline='always')"

#: Fewest and most terms of the series for one stretch.
LEAST_TERMS, MOST_TERMS = 2, 14

#: Share of the adjoint that the terms left out of a series may have at most.
TRUNCATION = 1e-7


def walk_source(
    lowered: LoweredNetwork,
    laws: KernelLaws,
    form: AdjointForm,
    lanes: int,
    *,
    two_sided: bool,
    with_source: bool,
) -> str:
    """Return source of `walk_back`: all lanes go back to the start of a chunk.

    It calls `look_back` (`gradients.paths.look_back`), whose source stands before it, to learn how
    far every lane goes.

    Args:
        lowered: the network.
        laws: its propensities, and the inputs that they use.
        form: of `adjoint_form`.
        lanes: how many trajectories there are.
        two_sided: half of each difference of values is taken at the firings themselves
            (`gradients.two_sided_adjoint`); otherwise all of it along the path.
        with_source: the readout adds to the adjoint along the path, as window averages do.
    """
    printer = _Printer(lowered, laws, form, lanes, two_sided, with_source)
    used = sorted({i for e in printer.expressions for i in printer.inputs_of(e)})
    rows, group, species = form.rows, form.group, len(lowered.species_ids)
    # Stages one after another for all groups: the number of terms is a branch that is often guessed
    # wrong, which what other groups do meanwhile hides.
    each = f"    for base in range(0, {rows.count * lanes}, {rows.count * group}):"
    lines = [
        INLINED,
        "def walk(room, inputs):",
        *(f"    p{i} = inputs[{i}]" for i in used),
        each,
        *_loop(printer.undo(), group),
        each,
        "        most = 0.0",
        f"        for l in range(base + {REACH * group}, base + {(REACH + 1) * group}):",
        "            most = room[l] if room[l] > most else most",
        f"        terms = {MOST_TERMS}",
        *(
            f"        terms = {order} if most <= {_reach(order)!r} else terms"
            for order in range(MOST_TERMS - 1, LEAST_TERMS - 1, -1)
        ),
        *_loop(printer.begin(), group),
        "        for k in range(terms, 0, -1):",
        "            factor = 1.0 / (k + 1.0)",
        *("    " + line for line in _loop(printer.horner(), group)),
        each,
        *_loop(printer.collect(), group),
        "",
        f"@njit(cache=True, nogil=True, error_model='numpy', fastmath={RELAXED})",
        "def walk_back(room, inputs, fired, times, first, clock, is_window, points, cotangent, "
        "trajectory, cursor, begin, place, cancel):",
        "    while cancel[0] == 0:",
        "        going = look_back(room, fired, times, first, clock, is_window, points, cotangent, "
        f"trajectory, cursor, begin, place, {rows.adjoint}, {rows.source}, {species}, {lanes}, "
        f"{group}, {rows.count})",
        "        if going == 0:",
        "            break",
        "        walk(room, inputs)",
    ]
    return "\n".join(lines) + "\n"


def _loop(body: Sequence[str], group: int) -> list[str]:
    return [f"        for l in range(base, base + {group}):", *(" " * 12 + line for line in body)]


def _sum(parts: Sequence[str]) -> str:
    """Return a balanced sum, whose parts wait for few others."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_sum(parts[:middle])} + {_sum(parts[middle:])})"


def _reach(order: int) -> float:
    """Return the largest |B| h of which a series of so many terms leaves less than allowed."""
    return (TRUNCATION * math.factorial(order + 2)) ** (1.0 / (order + 1))


@dataclass(frozen=True)
class _Printer:
    lowered: LoweredNetwork
    laws: KernelLaws
    form: AdjointForm
    lanes: int
    two_sided: bool
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
        return f"room[{number * self.form.group} + l]"

    def text(self, expression: Expression) -> str:
        names = {s: f"x{i}" for i, s in enumerate(self.lowered.species_ids)}
        names |= {s: f"p{i}" for i, s in enumerate(self.laws.input_ids)}
        return print_expression(expression, "numba", names.__getitem__, literal)

    def along(self, vector: str) -> list[str]:
        """Return, for every reaction, the text of v_j · vector."""
        return [
            " + ".join(
                f"{vector}{s}" if n == 1 else f"{literal(float(n))} * {vector}{s}"
                for s, n in change.items()
            )
            or "0.0"
            for change in self.changes
        ]

    def undo(self) -> list[str]:
        """Undo a firing, take its share of the gradient, and find B and the length."""
        rows, row = self.form.rows, self.row
        species = range(len(self.lowered.species_ids))
        lines = [f"x{s} = {row(rows.counts + s)}" for s in species]
        lines += [f"y{s} = {row(rows.adjoint + s)}" for s in species]
        lines += [f"fired = {row(FIRED)}"]
        channels = range(len(self.laws.laws))
        lines += [f"h{j} = fired == {float(j)!r}" for j in channels]
        lines += self._undone()
        lines += [f"a{j} = {self.text(law)}" for j, law in enumerate(self.laws.laws)]
        state = [(f"d{i}", s) for i, s in enumerate(self.form.in_state)]
        inputs = [(f"e{i}", s) for i, s in enumerate(self.form.in_input)]
        lines += [f"{name} = {self.text(s.expression)}" for name, s in (*state, *inputs)]
        if self.two_sided:
            # Sums, of which at most one part is not zero, wait less for one another than choices.
            alongs = self.along("y")
            lines += [f"g{j} = ({alongs[j]}) if h{j} else 0.0" for j in channels]
            lines += [f"b{j} = a{j} if h{j} else 0.0" for j in channels]
            lines += [f"b = {_sum([f'b{j}' for j in channels])}", "b = b if fired >= 0.0 else 1.0"]
            lines += [f"g = 0.5 * ({_sum([f'g{j}' for j in channels])}) / b"]
            lines += [f"w{j} = g if h{j} else 0.0" for j in channels]
            lines += [f"y{s.variable} = y{s.variable} + w{s.reaction} * {n}" for n, s in state]
            for name, slope in inputs:
                at = row(rows.gradient + self.form.used_inputs.index(slope.variable))
                lines += [f"{at} = {at} + w{slope.reaction} * {name}"]
            lines += [f"c{j} = 0.5 if a{j} > 0.0 else 1.0" for j in channels]
            lines += [f"{n} = c{s.reaction} * {n}" for n, s in (*state, *inputs)]
        lines += [f"{row(rows.counts + s)} = x{s}" for s in species]
        lines += [f"{row(rows.adjoint + s)} = y{s}" for s in species]
        lines += [f"{row(rows.in_state + i)} = {n}" for i, (n, _) in enumerate(state)]
        lines += [f"{row(rows.in_input + i)} = {n}" for i, (n, _) in enumerate(inputs)]
        return [*lines, *self._length(state)]

    def _undone(self) -> list[str]:
        """Take back what the firing changed."""
        parts: dict[int, list[str]] = {}
        for j, change in enumerate(self.changes):
            for s, n in change.items():
                parts.setdefault(s, []).append(f"({literal(float(n))} if h{j} else 0.0)")
        return [f"x{s} = x{s} - {_sum(changes)}" for s, changes in sorted(parts.items())]

    def begin(self) -> list[str]:
        """Begin Horner's rule with its last coefficient."""
        rows, row = self.form.rows, self.row
        lines = [f"scale = {row(LENGTH)} * (1.0 / (terms + 2.0))"] if self.with_source else []
        for s in range(len(self.lowered.species_ids)):
            source = f" + scale * {row(rows.source + s)}" if self.with_source else ""
            lines += [f"{row(rows.term + s)} = {row(rows.adjoint + s)}{source}"]
        return lines

    def _length(self, state: Sequence[tuple[str, Slope]]) -> list[str]:
        """Find how far to go: to the target, or as far as one series reaches."""
        # The largest column sum: rows would count every species that a reaction changes.
        slopes: dict[int, list[str]] = {}
        for name, slope in state:
            slopes.setdefault(slope.reaction, []).append(f"abs({name})")
        lines = [f"m{j} = {_sum(parts)}" for j, parts in sorted(slopes.items())]
        columns: dict[int, list[str]] = {}
        for j, change in enumerate(self.changes):
            for s, n in change.items():
                if j in slopes:
                    columns.setdefault(s, []).append(f"{float(abs(n))!r} * m{j}")
        species = range(len(self.lowered.species_ids))
        lines += [f"n{s} = {_sum(columns.get(s, ['0.0']))}" for s in species]
        names = [f"n{s}" for s in range(len(self.lowered.species_ids))]
        while len(names) > 1:
            pairs = list(zip(names[::2], names[1::2], strict=False))
            lines += [f"{one} = {one} if {one} > {two} else {two}" for one, two in pairs]
            names = names[::2]
        lines += [f"norm = {names[0]}"]
        longest = _reach(MOST_TERMS)
        target, now = self.row(TARGET), self.row(NOW)
        return [
            *lines,
            f"whole = {now} - {target}",
            "part = norm * whole",
            # What is not finite goes on as such, and the host refuses it.
            f"length = whole if (part <= {longest!r}) | (not part < 1e9) else {longest!r} / norm",
            f"{now} = {target} if length == whole else {now} - length",
            f"{self.row(LENGTH)} = length",
            f"{self.row(REACH)} = norm * length",
        ]

    def _derive(self, vector: str) -> list[str]:
        """Assign o0... = B · vector."""
        alongs = self.along(vector)
        used = sorted({s.reaction for s in self.form.in_state})
        return [*(f"f{j} = {alongs[j]}" for j in used), *self._sums()]

    def _sums(self) -> list[str]:
        terms: dict[int, list[str]] = {}
        for i, slope in enumerate(self.form.in_state):
            entry = f"{self.row(self.form.rows.in_state + i)} * f{slope.reaction}"
            terms.setdefault(slope.variable, []).append(entry)
        return [
            f"o{s} = {' + '.join(terms.get(s, ['0.0']))}"
            for s in range(len(self.lowered.species_ids))
        ]

    def horner(self) -> list[str]:
        """One step of Horner's rule for the mean of λ over the stretch."""
        rows, row = self.form.rows, self.row
        species = range(len(self.lowered.species_ids))
        lines = [f"scale = {row(LENGTH)} * factor"]
        lines += [f"y{s} = {row(rows.term + s)}" for s in species]
        lines += self._derive("y")
        for s in species:
            rate = f"(o{s} + {row(rows.source + s)})" if self.with_source else f"o{s}"
            lines += [f"{row(rows.term + s)} = {row(rows.adjoint + s)} + scale * {rate}"]
        return lines

    def collect(self) -> list[str]:
        """Move λ on, and add c_i ∂a_i/∂θ (v_i · ∫λ) to the gradient."""
        rows, row = self.form.rows, self.row
        species = range(len(self.lowered.species_ids))
        lines = [f"length = {row(LENGTH)}"]
        lines += [f"y{s} = length * {row(rows.term + s)}" for s in species]
        alongs = self.along("y")
        used = sorted({s.reaction for s in (*self.form.in_input, *self.form.in_state)})
        lines += [f"f{j} = {alongs[j]}" for j in used]
        lines += self._sums()
        for s in species:
            source = f" + length * {row(rows.source + s)}" if self.with_source else ""
            lines += [f"{row(rows.adjoint + s)} = {row(rows.adjoint + s)} + o{s}{source}"]
        for i, slope in enumerate(self.form.in_input):
            at = row(rows.gradient + self.form.used_inputs.index(slope.variable))
            lines += [f"{at} = {at} + f{slope.reaction} * {row(rows.in_input + i)}"]
        return lines
