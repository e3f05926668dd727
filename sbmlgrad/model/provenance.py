"""How the values of a calibrated network came about: what the writer can annotate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from sbmlgrad.errors import RequestError


@dataclass(frozen=True, slots=True)
class Estimate:
    """A fitted value with its uncertainty, in SBML's units.

    Attributes:
        value: the estimate.
        standard_error: its standard error; for `kind="credible"` the standard deviation of the
            posterior; None where it is not known.
        interval: its lower and upper limit, or None; infinite where the data set no limit.
        level: probability that belongs to the interval, between 0 and 1.
        kind: `"confidence"` for frequentist, `"credible"` for Bayesian uncertainty.
        central: what the value is of the distribution that expresses the uncertainty: its mean,
            its median, or None where it is neither, such as a maximum.
        unit: as written in reports; empty for none.
    """

    value: float
    standard_error: float | None = None
    interval: tuple[float, float] | None = None
    level: float = 0.95
    kind: Literal["confidence", "credible"] = "confidence"
    central: Literal["mean", "median"] | None = "mean"
    unit: str = ""

    def __post_init__(self) -> None:
        if problem := self._problem():
            raise RequestError(f"{self}: {problem}")

    def _problem(self) -> str | None:
        if not math.isfinite(self.value):
            return f"the value {self.value} is not a finite number; an estimate needs one"
        error = self.standard_error
        if error is not None and not 0.0 <= error < math.inf:
            return f"the standard error {error} is not a finite number >= 0; None means unknown"
        if self.interval is not None and not self.interval[0] <= self.interval[1]:
            return f"the interval {self.interval} is not ordered; give the lower limit first"
        if not 0.0 < self.level < 1.0:
            return f"the level {self.level} is not between 0 and 1; 0.95 means 95 %"
        if self.kind not in ("confidence", "credible"):
            return f"the kind {self.kind!r} is neither 'confidence' nor 'credible'; choose one"
        if self.central not in ("mean", "median", None):
            return f"central={self.central!r} is not known; choose 'mean', 'median' or None"
        return None

    @property
    def is_uncertain(self) -> bool:
        """Whether a standard error or an interval is known."""
        return self.standard_error is not None or self.interval is not None


@dataclass(frozen=True, slots=True)
class Provenance:
    """The record that a fit leaves in the network it returns.

    Attributes:
        fitted: parameter id → fitted value.
        data_name: file name of the measurements, without folders.
        data_sha256: hash of the measurement file's bytes, hexadecimal.
        seed: seed of the random streams.
        estimator: the gradient estimator, as written in code.
        loss: loss of the fitted values.
        loss_standard_error: its Monte-Carlo standard error.
        software: name → version.
        finished: ISO 8601 date and time in UTC.
        settings: every other setting of the fit, as text.
        estimates: id → value and uncertainty: of fitted parameters, and of what was fitted beside
            them and is not in the model, such as a scale or a level of noise.
    """

    fitted: Mapping[str, float]
    data_name: str
    data_sha256: str
    seed: int
    estimator: str
    loss: float
    loss_standard_error: float
    software: Mapping[str, str]
    finished: str
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    estimates: Mapping[str, Estimate] = field(default_factory=lambda: MappingProxyType({}))
