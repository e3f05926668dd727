"""What `check_gradient` gives: a table, a plot and a recommendation."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbmlgrad.engines.readouts import Readout, ValuesAt
from sbmlgrad.gradients.check.measurement import Measured
from sbmlgrad.gradients.check.recommendation import Ranked, is_default
from sbmlgrad.gradients.check.reference import Reference
from sbmlgrad.gradients.straight_through import StraightThrough

if TYPE_CHECKING:
    import pandas

#: Columns of the printed table, and how wide they are.
COLUMNS = (
    ("bias [%]", 16),
    ("z", 6),
    ("noise", 8),
    ("cosine", 9),
    ("µs", 9),
    ("error [%]", 11),
    ("same time", 11),
)


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """A comparison of gradient estimators with the truth.

    Attributes:
        model: id of the network.
        statistic: what was differentiated.
        readout: what was kept of trajectories.
        targets: names of the numbers that were differentiated.
        free: ids of the parameters.
        is_logarithmic: whether derivatives are in the logarithm, for each of them.
        trajectories: that each estimator got in all.
        intended: trajectories of a gradient for which the recommendation is.
        seed: of the random streams.
        reference: the truth, or an unbiased estimate of it.
        rows: what was measured, one an estimator.
        ranking: those that did not refuse, best first.
        weak_spots: what was seen that gradients along paths may fail on, in words.
        recommendation: what to use, how sure that is, and why, in words.
    """

    model: str
    statistic: str
    readout: Readout
    targets: tuple[str, ...]
    free: tuple[str, ...]
    is_logarithmic: tuple[bool, ...]
    trajectories: int
    intended: int
    seed: int
    reference: Reference
    rows: tuple[Measured, ...]
    ranking: tuple[Ranked, ...]
    weak_spots: tuple[str, ...]
    recommendation: str

    @property
    def recommended(self) -> Any:
        """The estimator to use, for `simulate(..., estimator=...)`; None if all refused."""
        return self.ranking[0].row.estimator if self.ranking else None

    @property
    def refusals(self) -> dict[str, str]:
        """Why estimators refused, by name."""
        return {row.name: row.refusal for row in self.rows if row.gradients is None}

    @property
    def why_no_sweep(self) -> str:
        """Why `StraightThrough` was not compared over temperatures; empty if it was, or not asked.

        It needs a statistic that varies smoothly with the firing times.
        """
        rows = [row for row in self.rows if isinstance(row.estimator, StraightThrough)]
        if not rows or any(row.gradients is not None for row in rows):
            return ""
        if not isinstance(self.readout, ValuesAt):
            return "no sweep over temperature: StraightThrough refuses, see the table"
        return (
            "no sweep over temperature: values at times, which StraightThrough refuses; use "
            "WindowAverages (--windows)"
        )

    def row(self, name: str) -> Measured:
        """Return what was measured of an estimator, by the name in the table.

        Raises:
            KeyError: there is none of that name.
        """
        found = [row for row in self.rows if row.name == name]
        if not found:
            raise KeyError(f"{name!r}; there are {[row.name for row in self.rows]}")
        return found[0]

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the table, one row an estimator, best first and refusals last.

        Columns: `estimator`; `relative_bias` and `bias_error`, relative to the norm of the
        gradient; `z`; `noise_to_signal` of one trajectory; `cosine`; `seconds_per_trajectory` of
        CPU time; `error` of a gradient from the intended number of trajectories and
        `error_at_equal_time`, both relative; `recommended`; `refused`, empty or why.
        """
        import pandas

        own = {one.row.name: one for one in self.ranking}
        lines = []
        for row in self._sorted():
            rank = own.get(row.name)
            lines.append(
                {
                    "estimator": row.name,
                    "relative_bias": row.bias,
                    "bias_error": row.bias_error,
                    "z": row.z,
                    "noise_to_signal": row.noise,
                    "cosine": row.cosine,
                    "seconds_per_trajectory": row.seconds,
                    "error": math.nan if rank is None else rank.error,
                    "error_at_equal_time": math.nan if rank is None else rank.at_equal_time,
                    "recommended": bool(self.ranking) and rank is self.ranking[0],
                    "refused": row.refusal,
                }
            )
        return pandas.DataFrame(lines)

    def gradients(self) -> pandas.DataFrame:
        """Return every mean gradient, one row an estimator, number and parameter.

        Columns: `estimator`, `target`, `parameter`, `logarithmic`, `mean`, `standard_error`,
        `reference`, `reference_error`.
        """
        import pandas

        lines = []
        for row in self._sorted():
            if row.gradients is None:
                continue
            mean, error = row.gradients.mean, row.gradients.standard_error
            for t, target in enumerate(self.targets):
                for p, parameter in enumerate(self.free):
                    lines.append(
                        {
                            "estimator": row.name,
                            "target": target,
                            "parameter": parameter,
                            "logarithmic": self.is_logarithmic[p],
                            "mean": mean[t, p],
                            "standard_error": error[t, p],
                            "reference": self.reference.value[t, p],
                            "reference_error": self.reference.standard_error[t, p],
                        }
                    )
        return pandas.DataFrame(lines)

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw bias, noise and error of every estimator, and the sweep over temperature.

        Args:
            path: file to draw into, .png, .pdf or .svg; None draws into none.

        Returns:
            The Matplotlib figure.

        Raises:
            WriteError: the folder does not exist, or the suffix names no format.
        """
        from sbmlgrad.gradients.check.plot import plot_check

        return plot_check(self, path)

    def __str__(self) -> str:
        """Return the table and the recommendation for people."""
        what = f"{len(self.targets)} number{'s'[: len(self.targets) != 1]}"
        lines = [
            f"Gradient of the {self.statistic} in {', '.join(self.free)}; model '{self.model}', "
            f"{what}: {_listed(self.targets)}.",
            f"Reference: {self.reference.words}; {self.trajectories:,} trajectories an estimator, "
            f"seed {self.seed}.",
            "",
        ]
        width = max([len(row.name) for row in self.rows], default=0) + 3
        lines.append(" " * width + "".join(h.rjust(w) for h, w in COLUMNS))
        for one in self.ranking:
            row = one.row
            cells = (
                f"{_percent(row.bias)} ± {_percent(row.bias_error)}",
                "–" if math.isnan(row.z) else f"{row.z:.1f}",
                f"{row.noise:.3g}",
                "–" if math.isnan(row.cosine) else f"{row.cosine:.4f}",
                f"{1e6 * row.seconds:,.0f}",
                _percent(one.error),
                _percent(one.at_equal_time),
            )
            mark = "* " if one is self.ranking[0] else "  "
            text = "".join(c.rjust(w) for c, (_, w) in zip(cells, COLUMNS, strict=True))
            lines.append(f"{mark}{row.name}".ljust(width) + text)
        is_there = any(is_default(one.row) for one in self.ranking)
        first = "the default" if is_there else "the fastest one"
        lines += [
            "",
            f"In % of the size of the gradient: bias ± standard error, and the error of a gradient "
            f"from {self.intended:,} trajectories, or from what {first} does in the same time.",
            "noise: noise-to-signal ratio of one trajectory; µs: CPU time of one.",
            "",
        ]
        for why, names in self._refused_together().items():
            lines += [f"Refused by {', '.join(names)}: {why}.", ""]
        if self.why_no_sweep:
            words = self.why_no_sweep
            lines += [f"{words[0].upper()}{words[1:]}.", ""]
        return _wrapped([*lines, self.recommendation], max(width + sum(w for _, w in COLUMNS), 80))

    def _refused_together(self) -> dict[str, list[str]]:
        """Return reason → names, since settings of an estimator refuse for the same."""
        found: dict[str, list[str]] = {}
        for name, why in self.refusals.items():
            found.setdefault(why.removeprefix(name).lstrip(": ").rstrip("."), []).append(name)
        return found

    def _sorted(self) -> list[Measured]:
        return [one.row for one in self.ranking] + [r for r in self.rows if r.gradients is None]


def _percent(share: float) -> str:
    value = 100.0 * share
    return f"{value:.2g}" if value < 99.5 else f"{value:.0f}" if value < 1e4 else f"{value:.1e}"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])}, … {names[-1]}"


def _wrapped(lines: list[str], width: int) -> str:
    found = (textwrap.wrap(line, width) if len(line) > width else [line] for line in lines)
    return "\n".join(part for parts in found for part in parts)
