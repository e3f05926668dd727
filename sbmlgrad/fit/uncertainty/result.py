"""What the methods of uncertainty give back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.fit.result import FitResult
from sbmlgrad.model.provenance import Estimate

if TYPE_CHECKING:
    import pandas

FloatArray = NDArray[np.float64]

#: Standard errors, from the optimum to the fitted value, beyond which a fit is said to be off it.
FAR_FROM_OPTIMUM = 0.5


def _none() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """How far fitted values are left open.

    Attributes:
        method: `"fisher"`, `"bootstrap"`, `"profile"` or `"mcmc"`.
        level: probability that belongs to the intervals.
        kind: `"confidence"` or `"credible"`.
        ids: of the free parameters.
        values: fitted ones, float64 [free].
        standard_errors: of the values, in their units, float64 [free]; infinite where the data
            leave a parameter open, NaN where the method says nothing.
        lower, upper: of the intervals, float64 [free]; infinite or NaN likewise.
        covariance: of the optimum in coordinates of the search space (natural logarithms on
            logarithmic scales), float64 [free, free]; NaN where it is not known. Where
            `details` has a `"distance_to_optimum"`, fitted values are that far off, which standard
            errors hold and this does not; where it has a true `"is_rough"`, even that distance
            is not to be trusted.
        is_logarithmic: bool [free].
        parameter_flags: id → what has to be known about it, in words.
        flags: the same about the whole.
        settings: how it was done: name → value, as text.
        units: id → unit.
        details: what only the method has, such as profiles or samples: name → plain data or
            arrays.
    """

    method: str
    level: float
    kind: Literal["confidence", "credible"]
    ids: tuple[str, ...]
    values: FloatArray
    standard_errors: FloatArray
    lower: FloatArray
    upper: FloatArray
    covariance: FloatArray
    is_logarithmic: NDArray[np.bool_]
    parameter_flags: Mapping[str, tuple[str, ...]] = field(default_factory=_none)
    flags: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=_none)
    units: Mapping[str, str] = field(default_factory=_none)
    details: Mapping[str, Any] = field(default_factory=_none)

    @property
    def correlation(self) -> FloatArray:
        """Correlation of the coordinates, float64 [free, free]; NaN where it is not known."""
        with np.errstate(all="ignore"):
            error = np.sqrt(np.diag(self.covariance))
            return self.covariance / error / error[:, None]

    def interval(self, id: str) -> tuple[float, float]:
        """Return the interval of one parameter, in its unit."""
        place = self.ids.index(id)
        return float(self.lower[place]), float(self.upper[place])

    def _is_centred(self, place: int) -> bool:
        """Tell whether a value lies in the middle of what expresses its uncertainty, or nearly."""
        if self.details.get("is_rough", False):
            return False
        distance = self.details.get("distance_to_optimum")
        if distance is None:
            return True
        error = math.sqrt(self.covariance[place, place])
        return not abs(float(distance[place])) > FAR_FROM_OPTIMUM * error

    @property
    def estimates(self) -> Mapping[str, Estimate]:
        """Parameter id → value and uncertainty, as `model.provenance` keeps them."""
        found = {}
        for place, id in enumerate(self.ids):
            low, high = self.interval(id)
            error = float(self.standard_errors[place])
            central: Literal["mean", "median"] | None = None
            if self.method == "fisher" and self._is_centred(place):
                # Normal on the scale of the search: of a logarithm, the value is the median.
                central = "median" if self.is_logarithmic[place] else "mean"
            found[id] = Estimate(
                float(self.values[place]),
                error if math.isfinite(error) else None,
                None if math.isnan(low) or math.isnan(high) else (low, high),
                self.level,
                self.kind,
                central,
                self.units.get(id, ""),
            )
        return MappingProxyType(found)

    def table(self) -> pandas.DataFrame:
        """Return one row for each parameter: value, standard error, interval, flags."""
        import pandas

        return pandas.DataFrame(
            {
                "parameterId": list(self.ids),
                "value": self.values,
                "unit": [self.units.get(id, "") for id in self.ids],
                "standardError": self.standard_errors,
                "lower": self.lower,
                "upper": self.upper,
                "level": self.level,
                "kind": self.kind,
                "flags": ["; ".join(self.parameter_flags.get(id, ())) for id in self.ids],
            }
        )

    def __str__(self) -> str:
        width = max(len(id) for id in self.ids)
        lines = [f"{self.level * 100:g} % {self.kind} intervals by {self.method}"]
        for place, id in enumerate(self.ids):
            unit = f" [{self.units[id]}]" if self.units.get(id) else ""
            low, high = self.interval(id)
            lines.append(
                f"  {id:<{width}} = {self.values[place]:.6g}{unit} ± "
                f"{self.standard_errors[place]:.2g}, {low:.6g} to {high:.6g}"
            )
            lines += [f"  {'':<{width}}   {flag}" for flag in self.parameter_flags.get(id, ())]
        return "\n".join([*lines, *(f"  {flag}" for flag in self.flags)])

    def plot(self, path: Any = None) -> Any:
        """Draw the intervals, profiles or samples; save to `path` if given, return the figure."""
        from sbmlgrad.fit.uncertainty.plots import plot_uncertainty

        return plot_uncertainty(self, path)


def with_uncertainty(result: FitResult, uncertainty: Uncertainty) -> FitResult:
    """Return the result with a network that carries the intervals, for `save`.

    Args:
        result: of `fit`.
        uncertainty: of that result.
    """
    provenance = result.model.provenance
    assert provenance is not None
    settings = {f"uncertainty.{name}": value for name, value in uncertainty.settings.items()}
    model = replace(
        result.model,
        provenance=replace(
            provenance,
            estimates=uncertainty.estimates,
            settings={**provenance.settings, "uncertainty": uncertainty.method, **settings},
        ),
    )
    return replace(result, model=model, uncertainty=uncertainty)
