"""The projected master equation as a referee: exact distributions of small networks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.referees.base import FloatArray
from sbmlgrad.referees.exact.known import Distributions, Exact
from sbmlgrad.referees.process import WORKERS, run_worker, taken


@dataclass(frozen=True)
class Fsp:
    """`sbmlgrad.cme.project` (Munsky & Khammash 2006, 10.1063/1.2145882).

    It shares the reader of models with the engines, but nothing of the sampling, and its error is
    bounded. It runs in a process of its own, so that it can be stopped.

    Attributes:
        tolerance: probability that may be missing by the last time. Every p-value grows by it times
            the number of trajectories; where that is not small against the level of a test, there
            is no verdict.
        largest: number of states to give up at.
    """

    tolerance: float = 1e-12
    largest: int = 20_000
    name: str = "fsp"
    install_with: str = "pip install sbmlgrad"

    def is_available(self) -> bool:
        """Tell that it is part of this package."""
        return True

    def objections(self, lowered: LoweredNetwork, times: FloatArray) -> tuple[str, ...]:
        """Return why it cannot judge a network at these times."""
        if not lowered.is_timed:
            return ()
        return (f"its generator is constant in time, and there is {lowered.clock_words}",)

    def solve(
        self, document: bytes, species: Sequence[str], times: FloatArray, timeout_s: float
    ) -> Exact:
        """Solve the master equation; arguments as for `ExactReferee.solve`.

        Raises:
            RefusedError: it takes more states than `largest`, or cannot project such a network.
            RefereeError: it failed or ran out of time.
        """
        start = time.perf_counter()
        request = {
            "package": str(Path(__file__).parents[3]),
            "species": list(species),
            "times": np.asarray(times, dtype=np.float64).tolist(),
            "tolerance": self.tolerance,
            "largest": self.largest,
        }
        worker = WORKERS / "fsp_worker.py"
        found = run_worker(worker, request, document, referee=self.name, timeout_s=timeout_s)
        states, probability, leak = taken(
            found, ("states", "probability", "leak"), self.name, worker
        )
        whole = probability / probability.sum(axis=1, keepdims=True)
        known = Distributions(states, probability, leak)
        return Exact(
            name=self.name,
            version=version("sbmlgrad"),
            settings={
                "states": str(len(states)),
                "missing probability": f"{float(leak.max()):.2g}",
            },
            mean=whole @ states,
            distributions=known,
            seconds=time.perf_counter() - start,
        )
