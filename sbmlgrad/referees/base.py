"""What every referee takes and gives.

A referee is another simulator, asked for the same network. It runs in a process of its own: such
libraries crash, hang and change global state. One that samples gives an ensemble, or its moments;
one that is exact gives means, and whatever else it knows, without noise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import RefereeError
from sbmlgrad.referees.exact.known import Exact
from sbmlgrad.referees.moments import Moments

FloatArray = NDArray[np.float64]


class RefusedError(RefereeError):
    """A referee says itself that it does not simulate such a network; it is left out then."""


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
        counts: the ensemble, float64 [trajectory, time, species], trajectories in the order in
            which they were drawn; None if only moments are known. Distributions, covariances and
            independence are compared only where it is given.
        startup_s: part of `seconds` that does not grow with the number of trajectories.
        waits: how long each trajectory waits for the firings of `waiting.WAITED_FOR`, float64
            [trajectory, waited for], infinite where a firing does not come by the last time; None
            if it gives no times of firings.
    """

    name: str
    version: str
    settings: dict[str, str] = field(repr=False)
    mean: FloatArray = field(repr=False)
    variance: FloatArray = field(repr=False)
    fourth_moment: FloatArray = field(repr=False)
    trajectories: int
    seconds: float
    counts: FloatArray | None = field(default=None, repr=False)
    startup_s: float = 0.0
    waits: FloatArray | None = field(default=None, repr=False)

    @property
    def moments(self) -> Moments:
        """What a comparison of means and variances needs of it."""
        return Moments(self.mean, self.variance, self.fourth_moment, self.trajectories)


class _Software(Protocol):
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


@runtime_checkable
class Referee(_Software, Protocol):
    """Another simulator: a frozen object with its settings."""

    def sample(
        self,
        document: bytes,
        species: Sequence[str],
        times: FloatArray,
        trajectories: int,
        seed: int,
        timeout_s: float,
    ) -> RefereeResult:
        """Sample trajectories from time 0 and return their statistics.

        Args:
            document: SBML as `sbmlgrad.io.sbml.normalised` writes it: amounts are molecules. It
                may have species that count firings.
            species: ids of the species to report, in this order.
            times: float64 [time], increasing, >= 0, not necessarily uniform.
            trajectories: how many, at least 2.
            seed: >= 0.
            timeout_s: wall-clock limit in seconds, after which the process is killed.

        Returns:
            Means, variances and fourth moments of counts, each [time, species]; the counts
            themselves too if it can, and waits for firings if it knows when it fired.

        Raises:
            RefusedError: it says that it does not simulate such a network.
            RefereeError: the software is not installed, failed, or ran out of time.
        """
        ...


@runtime_checkable
class ExactReferee(_Software, Protocol):
    """A referee whose answer has no sampling error: a frozen object with its settings."""

    def solve(
        self, document: bytes, species: Sequence[str], times: FloatArray, timeout_s: float
    ) -> Exact:
        """Solve the network from time 0; arguments as for `Referee.sample`.

        Raises:
            RefusedError: it has no exact answer for such a network; the message says why.
            RefereeError: the software is not installed, failed, or ran out of time.
        """
        ...


@runtime_checkable
class Selective(Protocol):
    """A referee that knows beforehand which networks it cannot judge; others need not say."""

    def objections(self, lowered: LoweredNetwork, times: FloatArray) -> tuple[str, ...]:
        """Return why it cannot judge a network at these times, in words; nothing if it can."""
        ...


@runtime_checkable
class Limited(Protocol):
    """A referee that cannot hold large counts; others need not say."""

    @property
    def count_limit(self) -> float:
        """Counts from here on it cannot hold."""
        ...


AnyReferee = Referee | ExactReferee


def missing(referees: Iterable[AnyReferee]) -> dict[str, str]:
    """Return name → how to install it, for referees whose software is not installed."""
    return {r.name: r.install_with for r in referees if not r.is_available()}


def require(referees: Iterable[AnyReferee]) -> None:
    """Check that the software of all referees is installed.

    Raises:
        RefereeError: it is not; names every such referee and the command that installs it.
    """
    absent = missing(referees)
    if absent:
        listed = "\n".join(f"  - '{name}': install it with {how}" for name, how in absent.items())
        raise RefereeError(f"not installed in this Python, so there is nothing to ask:\n{listed}")
