"""What a fit gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.fit.search_space import SearchSpace
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.problem import Problem, ProblemParameter
from sbmlgrad.model.provenance import Estimate

if TYPE_CHECKING:
    import pandas

    from sbmlgrad.fit.uncertainty.result import Uncertainty

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """The fitted model along time.

    Attributes:
        times: float64 [time].
        mean: of the observable over trajectories, float64 [time].
        sd: standard deviation over trajectories, float64 [time].
        scale: of the noise model at that mean, float64 [time]; None where it was not kept.
    """

    times: FloatArray
    mean: FloatArray
    sd: FloatArray
    scale: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Predictions:
    """The fitted model at every measurement; `fit.predictions` makes and judges them.

    Attributes:
        mean: of the observable over trajectories, float64 [measurement].
        standard_error: Monte-Carlo standard error of that mean, float64 [measurement].
        scale: of the noise model at that mean, float64 [measurement].
    """

    mean: FloatArray
    standard_error: FloatArray
    scale: FloatArray


@dataclass(frozen=True, eq=False)
class Start:
    """What became of one start of the descent.

    Attributes:
        values: where it began, float64 [free].
        loss: mean loss of its last epochs; NaN if it failed before any.
        epochs: in which it was under way.
        fate: `"best"`, `"dropped"` for a better one, or why it failed.
    """

    values: FloatArray
    loss: float
    epochs: int
    fate: str


@dataclass(frozen=True, eq=False)
class FitResult:
    """A calibrated network and how it came about.

    Attributes:
        model: the network with fitted values and provenance.
        problem: what was calibrated.
        values: parameter id → fitted value.
        free: the search space, with starting values and bounds.
        objective: what was made small.
        loss: loss of the fitted values, on an ensemble of its own.
        loss_standard_error: its Monte-Carlo standard error.
        start_loss: loss of the starting values, on the same ensemble size.
        loss_history: loss of every epoch of the best start, float64 [epoch].
        error_history: their Monte-Carlo standard errors, float64 [epoch].
        parameter_history: values of every epoch, float64 [epoch, free].
        trajectories_history: of every epoch, int64 [epoch].
        curves: (experiment, observable) → the fitted model along time.
        starts: what became of every start.
        seed, estimator, optimizer, engine: how it was done.
        evaluation_trajectories: behind `loss`.
        assumptions: what was assumed, in words.
        reason: why the descent ended.
        interrupted: whether Ctrl-C ended the fit; the values then are the best so far.
        extra: whatever else belongs to it: name → plain data or arrays.
        predictions: at every measurement, or None where the objective compares something else.
        uncertainty: how far the values are left open, or None where that was not asked for.
        arguments: of `fit` beside model and data, as Python text: name → value; empty where they
            were not kept.
        is_late: whether its budget of time ended it.
    """

    model: ReactionNetwork
    problem: Problem
    values: Mapping[str, float]
    free: SearchSpace
    objective: str
    loss: float
    loss_standard_error: float
    start_loss: float
    loss_history: FloatArray
    error_history: FloatArray
    parameter_history: FloatArray
    trajectories_history: NDArray[np.int64]
    curves: Mapping[tuple[str, str], Curve]
    starts: tuple[Start, ...]
    seed: int
    estimator: str
    optimizer: str
    engine: str
    evaluation_trajectories: int
    assumptions: tuple[str, ...]
    reason: str
    interrupted: bool
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    predictions: Predictions | None = None
    uncertainty: Uncertainty | None = None
    arguments: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_late: bool = False

    def __str__(self) -> str:
        width = max(len(i) for i in self.free.ids)
        lines = [f"fit of '{self.model.id}' to {self.source_name}"]
        if self.interrupted:
            lines[0] += " (interrupted: best values so far)"
        units, estimates = self.units, self.estimates
        known = self.uncertainty
        flags = {} if known is None else known.parameter_flags
        for name, start in zip(self.free.ids, self.free.start, strict=True):
            unit = f" [{units[name]}]" if units[name] else ""
            error = estimates[name].standard_error if name in estimates else None
            spread = "" if error is None else f" ± {error:.2g}"
            lines.append(
                f"  {name:<{width}} = {self.values[name]:.6g}{spread}{unit} (start {start:.6g})"
            )
            lines += [f"  {'':<{width}}   {flag}" for flag in flags.get(name, ())]
        epochs = len(self.loss_history)
        noise, course = "", f"{epochs} {'step' if self.is_deterministic else 'epoch'}"
        course += "s" if epochs != 1 else ""
        if not self.has_exact_loss:
            noise = f" ± {self.loss_standard_error:.2g} (Monte-Carlo s.e.)"
            course += f" of {self.words_for_trajectories}"
        lines.append(
            f"  loss = {self.loss:.4g}{noise}, start {self.start_loss:.4g}, {course}, "
            f"seed {self.seed}"
        )
        lines.append(f"  ended because {self.reason}")
        lines.append(f"  gradients by {self.estimator}")
        if self.at_bounds:
            lines.append(f"  at a bound: {', '.join(self.at_bounds)}")
        lines += [] if known is None else [f"  {flag}" for flag in known.flags]
        return "\n".join(lines)

    @property
    def is_deterministic(self) -> bool:
        """Whether the rate equations were fitted, so that no ensemble stands behind the loss."""
        return self.evaluation_trajectories == 0

    @property
    def has_exact_loss(self) -> bool:
        """Whether the loss has no Monte-Carlo error: of rate equations, or an exact objective."""
        # An exact objective is where the gradients are from, and is recorded as their estimator.
        return self.is_deterministic or self.estimator == self.objective

    @property
    def failed_starts(self) -> tuple[Start, ...]:
        """Starts that came to nothing; others ended, or were dropped for better ones."""
        if self.is_deterministic:
            return tuple(s for s in self.starts if not np.isfinite(s.loss))
        return tuple(s for s in self.starts if s.fate not in ("best", "dropped"))

    @property
    def source_name(self) -> str:
        """Name of the data, as reports say it."""
        seen = (self.problem.measurements, self.problem.snapshots)
        files = [data.source_name for data in seen if data is not None and data.source_name]
        return " and ".join(dict.fromkeys(files)) or self.problem.name or "data"

    @property
    def units(self) -> Mapping[str, str]:
        """Id of every free parameter → its unit, or nothing."""
        return {p.id: p.unit for p in self.problem.free}

    @property
    def estimates(self) -> Mapping[str, Estimate]:
        """Parameter id → value and uncertainty; empty where uncertainty was not asked for."""
        return {} if self.uncertainty is None else self.uncertainty.estimates

    @property
    def words_for_trajectories(self) -> str:
        """How many trajectories an epoch had, in words."""
        least, most = self.trajectories_history.min(), self.trajectories_history.max()
        return f"{least} to {most} trajectories" if least < most else f"{least} trajectories"

    @property
    def at_bounds(self) -> tuple[str, ...]:
        """Ids of parameters that ended at a bound."""
        return self.free.at_bounds(np.array([self.values[i] for i in self.free.ids]))

    def parameter_table(self) -> pandas.DataFrame:
        """Return the fitted parameters as a pandas table, one row each.

        Columns of uncertainty are there if it is known; within them, what is not is NaN.
        """
        import pandas

        rows = [self._row(place, p) for place, p in enumerate(self.problem.free)]
        return pandas.DataFrame(rows)

    def _row(self, place: int, parameter: ProblemParameter) -> dict[str, Any]:
        id = parameter.id
        row: dict[str, Any] = {"parameterId": id, "value": self.values[id]}
        if self.uncertainty is not None:
            low, high = self.uncertainty.interval(id)
            row["standardError"] = float(self.uncertainty.standard_errors[place])
            row |= {"intervalLower": low, "intervalUpper": high}
            row |= {"intervalLevel": self.uncertainty.level, "intervalKind": self.uncertainty.kind}
            row["flags"] = "; ".join(self.uncertainty.parameter_flags.get(id, ()))
        return row | {
            "unit": parameter.unit,
            "start": float(self.free.start[place]),
            "lowerBound": float(self.free.lower[place]),
            "upperBound": float(self.free.upper[place]),
            "atBound": id in self.at_bounds,
            "parameterName": parameter.name,
        }

    def save(self, path: str | Path) -> None:
        """Write everything into one netCDF/HDF5 file; `fit.result_file.load_result` reads it.

        Args:
            path: the file, `.nc` or `.h5`.

        Raises:
            WriteError: the suffix is another one, something cannot be stored, or the file cannot
                be written; then nothing is left behind.
        """
        from sbmlgrad.fit.storage.result_file import save_result

        save_result(self, path)

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw data with the model's mean ± sd; save to `path` if given, return the figure."""
        from sbmlgrad.fit.pictures.plots import plot_fit

        return plot_fit(self, path)

    def plot_history(self, path: str | Path | None = None) -> Any:
        """Draw loss and parameters over the epochs; save to `path` if given, return the figure."""
        from sbmlgrad.fit.pictures.plots import plot_history

        return plot_history(self, path)
