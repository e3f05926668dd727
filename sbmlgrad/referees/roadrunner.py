"""libRoadRunner's Gillespie simulator as a referee, alone or through tellurium."""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import RequestError
from sbmlgrad.referees.base import RefereeResult, require
from sbmlgrad.referees.process import run_worker

WORKER = Path(__file__).parent / "workers" / "roadrunner_worker.py"


@dataclass(frozen=True)
class RoadRunner:
    """The direct method of libRoadRunner (Somogyi et al. 2015, 10.1093/bioinformatics/btv363).

    Attributes:
        package: `"roadrunner"`, or `"tellurium"` to load the model the way tellurium does; the
            engine is the same.
    """

    package: str = "roadrunner"

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
        return importlib.util.find_spec(self.package) is not None

    def sample(
        self,
        document: bytes,
        species: Sequence[str],
        times: NDArray[np.float64],
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
        if trajectories < 2:
            raise RequestError(f"trajectories={trajectories}: a variance needs at least two")
        require([self])
        # The library uses 32 bits of a seed; the hash lets all the others count too.
        folded = int(np.random.SeedSequence(seed).generate_state(1, np.uint32)[0])
        request = {
            "package": self.package,
            "species": list(species),
            "times": np.asarray(times, dtype=np.float64).tolist(),
            "trajectories": int(trajectories),
            "settings": {"variable_step_size": False, "nonnegative": True, "seed": folded},
        }
        start = time.perf_counter()
        result = run_worker(WORKER, request, document, referee=self.name, timeout_s=timeout_s)
        return RefereeResult(
            name=self.name,
            version=str(result["version"]),
            settings=json.loads(str(result["settings"])),
            mean=result["mean"],
            variance=result["variance"],
            fourth_moment=result["fourth_moment"],
            trajectories=int(result["trajectories"]),
            seconds=time.perf_counter() - start,
        )
