"""GillesPy2's compiled direct method as a referee."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.referees.base import FloatArray, RefereeResult, require
from sbmlgrad.referees.external import folded, is_installed, sampled
from sbmlgrad.referees.grids import LONGEST, uniform_steps


@dataclass(frozen=True)
class GillesPy2:
    """The C++ direct method of GillesPy2 (Matthew et al. 2023, 10.30707/LiB10.1.1683776125).

    It takes output times on an even grid only, and is compiled anew for every run.

    Attributes:
        python: interpreter of the environment it is installed in; None for this one.
    """

    python: str | None = None
    name: str = "gillespy2"
    install_with: str = "pip install gillespy2 python-libsbml scons setuptools, and g++"

    def is_available(self) -> bool:
        """Tell whether the package and a compiler are installed, without loading them."""
        packages = ["gillespy2", "libsbml", "SCons"]
        return shutil.which("g++") is not None and is_installed(packages, self.python)

    def objections(self, lowered: LoweredNetwork, times: FloatArray) -> tuple[str, ...]:
        """Return why it cannot judge a network at these times."""
        return _uneven(times)

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
            "gillespy2_worker.py",
            {"seed": folded(seed, 31), "steps": uniform_steps(np.asarray(times))},
            document,
            species,
            times,
            trajectories,
            referee=self.name,
            timeout_s=timeout_s,
            python=self.python,
        )


def _uneven(times: FloatArray) -> tuple[str, ...]:
    if uniform_steps(times) is not None:
        return ()
    return (f"it takes evenly spaced times only, and no grid of up to {LONGEST} steps has these",)
