"""Prior distributions of parameters, by the names and arguments of PEtab.

`PRIORS` is the table; a new prior is one row here and one row of `fit.prior_densities`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sbmlgrad.errors import FitError

#: Distribution → what its arguments are called.
PRIORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "uniform": ("lower bound", "upper bound"),
        "log-uniform": ("lower bound", "upper bound"),
        "normal": ("mean", "standard deviation"),
        "log-normal": ("mean of the logarithm", "standard deviation of the logarithm"),
        "laplace": ("location", "scale"),
        "log-laplace": ("location of the logarithm", "scale of the logarithm"),
        "cauchy": ("location", "scale"),
        "chisquare": ("degrees of freedom",),
        "exponential": ("scale",),
        "gamma": ("shape", "scale"),
        "rayleigh": ("scale",),
    }
)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed about a parameter before the data.

    Attributes:
        distribution: one of `PRIORS`.
        arguments: as `PRIORS` names them.
        on_scale: whether it is the distribution of the parameter on its scale (PEtab version 1:
            `parameterScaleNormal` and the like) and not of its value. Logarithms of scale `log10`
            are then decadic ones.

    Raises:
        FitError: no such distribution, or too few or many arguments.
    """

    distribution: str
    arguments: tuple[float, ...]
    on_scale: bool = False

    def __post_init__(self) -> None:
        if self.distribution not in PRIORS:
            raise FitError(
                f"prior {self.distribution!r} is unknown; choose one of {', '.join(PRIORS)}"
            )
        wanted = PRIORS[self.distribution]
        if len(self.arguments) != len(wanted):
            raise FitError(
                f"prior {self.distribution!r} takes {len(wanted)} numbers ({', '.join(wanted)}), "
                f"got {self.arguments}"
            )
