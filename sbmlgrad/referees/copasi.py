"""COPASI's direct method as a referee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sbmlgrad.referees.base import FloatArray, RefereeResult, require
from sbmlgrad.referees.external import folded, is_installed, sampled


@dataclass(frozen=True)
class Copasi:
    """The direct method of COPASI (Hoops et al. 2006, 10.1093/bioinformatics/btl485).

    Attributes:
        python: interpreter of the environment that python-copasi is installed in; None for this
            one.
    """

    python: str | None = None
    name: str = "copasi"
    install_with: str = "pip install python-copasi"

    def is_available(self) -> bool:
        """Tell whether python-copasi is installed, without loading it."""
        return is_installed(["COPASI"], self.python)

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
            "copasi_worker.py",
            {"seed": folded(seed)},
            document,
            species,
            times,
            trajectories,
            referee=self.name,
            timeout_s=timeout_s,
            python=self.python,
        )
