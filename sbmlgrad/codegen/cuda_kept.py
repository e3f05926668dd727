"""What a CUDA kernel keeps of a trajectory, printed: values, averages, lines between firings.

The lines use names of `codegen.numba_cuda`: `x0...` counts, `clock`, `next_time`, `draw`, `point`
(the next to be kept), `count` (how many there are), `limit` (up to where a trajectory goes on until
something is kept), `reach` (before which points are kept now).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sbmlgrad.codegen.cuda_lines import indented

#: What a kernel keeps of a trajectory.
Keeps = Literal["values", "averages", "interpolated", "firings"]

#: When the next firing happens at once: nearly always.
_HAPPENS = {
    "values": "next_time <= limit",
    "averages": "next_time <= limit",
    # A firing beyond the last point ends the straight line on which the point lies.
    "interpolated": "total > 0.0",
    "firings": "draw < limit and next_time < inf",
}


@dataclass(frozen=True)
class Kept:
    """The lines that differ with what is kept.

    Attributes:
        keeps: what is kept.
        species: number of species.
    """

    keeps: Keeps
    species: int

    @property
    def happens(self) -> str:
        """Condition under which the next firing happens before anything is kept."""
        return _HAPPENS[self.keeps]

    @property
    def is_timed(self) -> bool:
        """Whether firings beyond the last point never happen."""
        return self.keeps in ("values", "averages")

    @property
    def own(self) -> tuple[str, ...]:
        """Names of floating-point numbers that a trajectory has besides its clock and counts."""
        if self.keeps != "averages":
            return ()
        return ("since", *(f"s{i}" for i in range(self.species)))

    def begin(self) -> list[str]:
        """Assign `own` at the start of a trajectory."""
        if self.keeps != "averages":
            return []
        return ["since = points[0]", *(f"s{i} = 0.0" for i in range(self.species))]

    def limit(self) -> str:
        """Assign `limit`."""
        place = "point + 1" if self.keeps == "averages" else "point"
        return f"limit = points[{place}] if point < count else last_point"

    def before_firing(self) -> list[str]:
        """Keep what a firing ends, before it changes the counts."""
        if self.keeps == "interpolated":
            return [f"y{i} = x{i}" for i in range(self.species)]
        if self.keeps == "averages":
            # Also right where the firing then fails: the state holds on.
            return [
                "held = next_time - since if next_time > since else 0.0",
                *(f"s{i} = s{i} + held * x{i}" for i in range(self.species)),
                "since = next_time if next_time > since else since",
            ]
        return []

    def after_firing(self) -> list[str]:
        """Keep what a firing completes; the clock still has the time before it."""
        if self.keeps != "interpolated":
            return []
        on_line = [f"y{i} + share * (x{i} - y{i})" for i in range(self.species)]
        return [
            "while point < count and points[point] <= next_time:",
            "    share = 0.0",
            "    if next_time < inf:",
            "        share = (points[point] - clock) / (next_time - clock)",
            *indented(self._write(on_line)),
            "    point += 1",
            "if point == count:",
            "    outcome = COMPLETED",
        ]

    def first(self) -> list[str]:
        """Keep what needs no look at the propensities."""
        if self.keeps != "firings":
            return []
        return [
            "while point < count and points[point] <= draw:",
            *indented(self._write(self._counts())),
            "    point += 1",
            "if point == count:",
            "    outcome = COMPLETED",
        ]

    def up_to_reach(self) -> list[str]:
        """Keep the points before `reach`, up to which the state holds."""
        if self.keeps == "averages":
            averages = [f"(s{i} + held * x{i}) / width" for i in range(self.species)]
            return [
                "while point < count and points[point + 1] < reach:",
                "    high = points[point + 1]",
                "    held = high - since if high > since else 0.0",
                "    width = high - points[point]",
                *indented(self._write(averages)),
                *(f"    s{i} = 0.0" for i in range(self.species)),
                "    since = high",
                "    point += 1",
            ]
        # Only an end lets the state hold for all numbers of firings that follow.
        before = "reach == inf" if self.keeps == "firings" else "points[point] < reach"
        return [
            f"while point < count and {before}:",
            *indented(self._write(self._counts())),
            "    point += 1",
        ]

    def _counts(self) -> list[str]:
        return [f"x{i}" for i in range(self.species)]

    def _write(self, state: list[str]) -> list[str]:
        columns = [*state, "clock"] if self.keeps == "firings" else state
        return [f"values[point, {i}, row] = {value}" for i, value in enumerate(columns)] or ["pass"]
