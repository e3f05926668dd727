"""The projected master equation as a referee: exact distributions of small networks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from sbmlgrad.cme import project
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import StateSpaceError
from sbmlgrad.io.formats import load
from sbmlgrad.referees.base import FloatArray, RefusedError
from sbmlgrad.referees.exact import Distributions, Exact


@dataclass(frozen=True)
class Fsp:
    """`sbmlgrad.cme.project` (Munsky & Khammash 2006, 10.1063/1.2145882).

    It shares the reader of models with the engines, but nothing of the sampling, and its error is
    bounded.

    Attributes:
        tolerance: probability that may be missing by the last time.
        largest: number of states to give up at.
    """

    tolerance: float = 1e-9
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

        The number of states bounds the time it takes, so that the limit is not looked at.

        Raises:
            RefusedError: it takes more states than `largest`.
        """
        start = time.perf_counter()
        network = load(document.decode())
        try:
            found = project(
                network, until=float(times[-1]), tolerance=self.tolerance, largest=self.largest
            )
        except StateSpaceError as error:
            raise RefusedError(f"no exact answer within {self.largest} states: {error}") from error
        probability = found.distributions(times)
        places = [network.species_ids.index(s) for s in species]
        states = found.space.states[:, places].astype(np.float64)
        known = Distributions(states, probability, 1.0 - probability.sum(axis=1))
        whole = probability / probability.sum(axis=1, keepdims=True)
        return Exact(
            name=self.name,
            version=version("sbmlgrad"),
            settings={
                "states": str(found.space.size),
                "missing probability": f"{float(known.leak.max()):.2g}",
            },
            mean=whole @ states,
            distributions=known,
            seconds=time.perf_counter() - start,
        )
