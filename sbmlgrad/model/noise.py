"""Noise models: how a measurement scatters around what the model predicts.

`NOISES` is the table; a new distribution is one row here and one density in `fit.noise`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sbmlgrad.errors import FitError
from sbmlgrad.model.expression import ONE, Expression


@dataclass(frozen=True, slots=True)
class NoiseKind:
    """One row of the table of noise distributions.

    Attributes:
        scale: what the scale of the distribution is, in words; empty if it has none.
        is_count: whether measurements are whole numbers.
        is_positive: whether measurements and predictions must be positive.
    """

    scale: str
    is_count: bool = False
    is_positive: bool = False


#: Distribution → what it needs. The prediction y is the median of the first four (their mean too
#: where they are symmetric) and the mean of the others.
NOISES: Mapping[str, NoiseKind] = MappingProxyType(
    {
        "normal": NoiseKind("standard deviation"),
        "laplace": NoiseKind("scale b, the mean absolute deviation"),
        "log-normal": NoiseKind("standard deviation of the natural logarithm", is_positive=True),
        "log-laplace": NoiseKind("scale b of the natural logarithm", is_positive=True),
        "poisson": NoiseKind("", is_count=True),
        "binomial": NoiseKind("number of trials, of which y are expected", is_count=True),
        "negative-binomial": NoiseKind("size r, with variance y + y²/r", is_count=True),
    }
)


@dataclass(frozen=True, slots=True)
class Noise:
    """How a measurement scatters around the prediction.

    Attributes:
        distribution: one of `NOISES`.
        scale: formula of what `NOISES` calls its scale; ignored where it has none.

    Raises:
        FitError: no such distribution.
    """

    distribution: str = "normal"
    scale: Expression = ONE

    def __post_init__(self) -> None:
        if self.distribution not in NOISES:
            raise FitError(
                f"noise distribution {self.distribution!r} is unknown; choose one of "
                f"{', '.join(NOISES)}"
            )

    @property
    def kind(self) -> NoiseKind:
        """Its row of `NOISES`."""
        return NOISES[self.distribution]
