"""libRoadRunner's Gillespie simulator as a referee, alone or through tellurium."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sbmlgrad.referees.base import FloatArray, RefereeResult, require
from sbmlgrad.referees.simulators.external import WORKERS, folded, is_installed, sampled

WORKER = WORKERS / "roadrunner_worker.py"


@dataclass(frozen=True)
class RoadRunner:
    """The direct method of libRoadRunner (Somogyi et al. 2015, 10.1093/bioinformatics/btv363).

    Attributes:
        package: `"roadrunner"`, or `"tellurium"` to load the model the way tellurium does; the
            engine is the same.
        python: interpreter of the environment it is installed in; None for this one.
    """

    package: str = "roadrunner"
    python: str | None = None

    @property
    def name(self) -> str:
        """Name of the package."""
        return self.package

    @property
    def install_with(self) -> str:
        """The command that installs the package."""
        return "pip install 'sbmlgrad[validation]'"

    def is_available(self) -> bool:
        """Tell whether the package is installed, without loading it."""
        return is_installed([self.package], self.python)

    def sample(
        self,
        document: bytes,
        species: Sequence[str],
        times: FloatArray,
        trajectories: int,
        seed: int,
        timeout_s: float,
    ) -> RefereeResult:
        """Sample trajectories in a process of their own; arguments as for `Referee.sample`.

        Returns:
            Their statistics; `settings` are those of the library's integrator.

        Raises:
            RequestError: fewer than two trajectories.
            RefereeError: as `Referee.sample` says.
        """
        require([self])
        # The library uses 32 bits of a seed; the hash lets all the others count too.
        settings = {"variable_step_size": False, "nonnegative": True, "seed": folded(seed)}
        return sampled(
            WORKER.name,
            {"package": self.package, "settings": settings},
            document,
            species,
            times,
            trajectories,
            referee=self.name,
            timeout_s=timeout_s,
            python=self.python,
        )
