"""BNGsim as a referee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sbmlgrad.referees.base import FloatArray, RefereeResult, require
from sbmlgrad.referees.external import folded, is_installed, sampled


@dataclass(frozen=True)
class BngSim:
    """The direct method of BNGsim, the simulation engine of the BioNetGen project.

    Attributes:
        python: interpreter of the environment that bngsim is installed in; None for this
            one.
    """

    python: str | None = None
    name: str = "bngsim"
    install_with: str = "pip install bngsim"

    def is_available(self) -> bool:
        """Tell whether bngsim is installed, without loading it."""
        return is_installed(["bngsim"], self.python)

    def sample(
        self,
        document: bytes,
        species: Sequence[str],
        times: FloatArray,
        trajectories: int,
        seed: int,
        timeout_s: float,
    ) -> RefereeResult:
        """Sample trajectories in a process of their own; arguments as for `Referee.sample`."""
        require([self])
        return sampled(
            "bngsim_worker.py",
            {"seed": folded(seed)},
            document,
            species,
            times,
            trajectories,
            referee=self.name,
            timeout_s=timeout_s,
            python=self.python,
        )
