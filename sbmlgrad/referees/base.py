"""What every referee takes and gives.

A referee is another simulator, asked for the mean and the variance of the same network. It runs in
a process of its own: such libraries crash, hang and change global state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import RefereeError
from sbmlgrad.referees.moments import Moments


@dataclass(frozen=True, eq=False)
class RefereeResult:
    """Statistics of an ensemble that a referee sampled.

    Attributes:
        name: the referee.
        version: version of the software that sampled.
        settings: what it was told, as text; the seed among it.
        mean: molecules, float64 [time, species].
        variance: sample variance (n - 1), molecules², float64 [time, species].
        fourth_moment: mean of (counts - mean)⁴, molecules⁴, float64 [time, species]; the standard
            error of a variance needs it.
        trajectories: how many.
        seconds: time the sampling took, start of the process included.
    """

    name: str
    version: str
    settings: Mapping[str, str] = field(repr=False)
    mean: NDArray[np.float64] = field(repr=False)
    variance: NDArray[np.float64] = field(repr=False)
    fourth_moment: NDArray[np.float64] = field(repr=False)
    trajectories: int
    seconds: float

    @property
    def moments(self) -> Moments:
        """What a comparison needs of it."""
        return Moments(self.mean, self.variance, self.fourth_moment, self.trajectories)


@runtime_checkable
class Referee(Protocol):
    """Another simulator: a frozen object with its settings."""

    @property
    def name(self) -> str:
        """How it is called in `validate(against=...)` and in reports."""
        ...

    @property
    def install_with(self) -> str:
        """The command that installs its software."""
        ...

    def is_available(self) -> bool:
        """Tell whether its software is installed, without loading it."""
        ...

    def sample(
        self,
        document: bytes,
        species: Sequence[str],
        times: NDArray[np.float64],
        trajectories: int,
        seed: int,
        timeout_s: float,
    ) -> RefereeResult:
        """Sample trajectories from time 0 and return their statistics.

        Args:
            document: SBML as `sbmlgrad.io.sbml.normalised` writes it: amounts are molecules.
            species: ids of the species to report, in this order.
            times: float64 [time], increasing, >= 0, not necessarily uniform.
            trajectories: how many, at least 2.
            seed: >= 0.
            timeout_s: wall-clock limit in seconds, after which the process is killed.

        Returns:
            Means, variances and fourth moments of counts, each [time, species].

        Raises:
            RefereeError: the software is not installed, failed, or ran out of time.
        """
        ...


def require(referees: Iterable[Referee]) -> None:
    """Check that the software of all referees is installed.

    Raises:
        RefereeError: it is not; names every such referee and the command that installs it.
    """
    missing = [r for r in referees if not r.is_available()]
    if missing:
        listed = "\n".join(f"  - '{r.name}': install it with {r.install_with}" for r in missing)
        raise RefereeError(f"not installed in this Python, so there is nothing to ask:\n{listed}")
