"""GillesPy2's compiled direct method as a referee."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.referees.base import FloatArray
from sbmlgrad.referees.divergences import BEYOND_32_BITS
from sbmlgrad.referees.simulators.external import External
from sbmlgrad.referees.simulators.grids import LONGEST, uniform_steps


@dataclass(frozen=True)
class GillesPy2(External):
    """The C++ direct method of GillesPy2 (Matthew et al. 2023, 10.30707/LiB10.1.1683776125).

    It takes output times on an even grid only, and is compiled anew for every run.
    """

    name: str = field(default="gillespy2", init=False)
    install_with: str = field(
        default="pip install gillespy2 python-libsbml scons setuptools, and g++", init=False
    )
    packages: tuple[str, ...] = field(default=("gillespy2", "libsbml", "SCons"), init=False)
    worker: str = field(default="gillespy2_worker.py", init=False)
    seed_bits: int = field(default=31, init=False)
    #: Its counts are whole numbers of 32 bits, and run over silently.
    count_limit: float = field(default=BEYOND_32_BITS, init=False)

    def is_available(self) -> bool:
        """Tell whether the packages and a compiler are installed, without loading them."""
        return shutil.which("g++") is not None and super().is_available()

    def objections(self, lowered: LoweredNetwork, times: FloatArray) -> tuple[str, ...]:
        """Return why it cannot judge a network at these times."""
        return _uneven(times)

    def request(
        self, document: bytes, species: Sequence[str], times: FloatArray
    ) -> Mapping[str, Any]:
        """Return the even grid that holds the times."""
        del document, species
        return {"steps": uniform_steps(np.asarray(times))}


def _uneven(times: FloatArray) -> tuple[str, ...]:
    if uniform_steps(times) is not None:
        return ()
    return (f"it takes evenly spaced times only, and no grid of up to {LONGEST} steps has these",)
