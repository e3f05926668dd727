"""What a fit gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.fit.binding import Binding
from sbmlgrad.fit.parameters import FreeParameters
from sbmlgrad.model.network import ReactionNetwork

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, eq=False)
class FitResult:
    """A calibrated network and how it came about.

    Attributes:
        model: the network with fitted values and provenance.
        values: parameter id → fitted value.
        free: what was free, with starting values and bounds.
        loss: loss of the fitted values, on an ensemble of its own.
        loss_standard_error: its Monte-Carlo standard error.
        start_loss: loss of the starting values, on the same ensemble size.
        loss_history: loss of every epoch, float64 [epoch].
        parameter_history: values of every epoch, float64 [epoch, free].
        prediction: observable → (mean, sd) of the fitted model at `prediction_times`.
        prediction_times: float64 [time].
        binding: the measurements as they were used.
        seed, estimator, optimizer, engine: how it was done.
        trajectories: per epoch.
        assumptions: what was assumed, in words.
        interrupted: whether Ctrl-C ended the fit; the values then are the best so far.
    """

    model: ReactionNetwork
    values: Mapping[str, float]
    free: FreeParameters
    loss: float
    loss_standard_error: float
    start_loss: float
    loss_history: NDArray[np.float64]
    parameter_history: NDArray[np.float64]
    prediction: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    prediction_times: NDArray[np.float64]
    binding: Binding
    seed: int
    estimator: str
    optimizer: str
    engine: str
    trajectories: int
    assumptions: tuple[str, ...]
    interrupted: bool

    def __str__(self) -> str:
        width = max(len(i) for i in self.free.ids)
        units = {p.id: p.unit for p in self.model.parameters}
        lines = [f"fit of '{self.model.id}' to {self.binding.measurements.source_name or 'data'}"]
        if self.interrupted:
            lines[0] += " (interrupted: best values so far)"
        for name, start in zip(self.free.ids, self.free.start, strict=True):
            unit = f" [{units[name]}]" if units[name] else ""
            lines.append(f"  {name:<{width}} = {self.values[name]:.6g}{unit} (start {start:.6g})")
        lines.append(
            f"  loss = {self.loss:.4g} ± {self.loss_standard_error:.2g} (Monte-Carlo s.e.), "
            f"start {self.start_loss:.4g}, {len(self.loss_history)} epochs of "
            f"{self.trajectories} trajectories, seed {self.seed}"
        )
        lines.append(f"  gradients by {self.estimator}")
        if self.at_bounds:
            lines.append(f"  at a bound: {', '.join(self.at_bounds)}")
        return "\n".join(lines)

    @property
    def at_bounds(self) -> tuple[str, ...]:
        """Ids of parameters that ended at a bound."""
        return self.free.at_bounds(np.array([self.values[i] for i in self.free.ids]))

    def parameter_table(self) -> pandas.DataFrame:
        """Return the fitted parameters as a pandas table, one row each."""
        import pandas

        units = {p.id: p.unit for p in self.model.parameters}
        names = {p.id: p.name for p in self.model.parameters}
        rows: list[dict[str, Any]] = [
            {
                "parameterId": name,
                "value": self.values[name],
                "unit": units[name],
                "start": float(self.free.start[i]),
                "lowerBound": float(self.free.lower[i]),
                "upperBound": float(self.free.upper[i]),
                "atBound": name in self.at_bounds,
                "parameterName": names[name],
            }
            for i, name in enumerate(self.free.ids)
        ]
        return pandas.DataFrame(rows)

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw data with the model's mean ± sd; save to `path` if given, return the figure."""
        from sbmlgrad.fit.plots import plot_fit

        return plot_fit(self, path)

    def plot_history(self, path: str | Path | None = None) -> Any:
        """Draw loss and parameters over the epochs; save to `path` if given, return the figure."""
        from sbmlgrad.fit.plots import plot_history

        return plot_history(self, path)
