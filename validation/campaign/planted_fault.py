"""A referee that is wrong on purpose, to see that the campaign finds it and says who is right."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import sbmlgrad as sg
from sbmlgrad.referees import RefereeResult
from sbmlgrad.referees.moments import moments


@dataclass(frozen=True)
class TooFast:
    """The same engine with the first constant of the network multiplied.

    Attributes:
        factor: of the constant.
    """

    factor: float
    name: str = "planted"
    install_with: str = "nothing to install"

    def is_available(self) -> bool:
        """Tell that it needs nothing."""
        return True

    def sample(
        self,
        document: bytes,
        species: Sequence[str],
        times: NDArray[np.float64],
        trajectories: int,
        seed: int,
        timeout_s: float,
    ) -> RefereeResult:
        """Sample the network with its fault; arguments as for `Referee.sample`."""
        del timeout_s
        begin = time.perf_counter()
        network = sg.load(document.decode())
        first = network.parameter_ids[0]
        value = float(network.parameter_values[0])
        cells = sg.simulate(
            network.with_parameters({first: self.factor * value}),
            times=times,
            trajectories=trajectories,
            seed=seed,
        )
        counts = np.stack([cells.values(name, "counts") for name in species], axis=2)
        of = moments([counts])
        return RefereeResult(
            name=self.name,
            version=f"{self.factor:g}",
            settings={"seed": str(seed), first: f"times {self.factor:g}"},
            mean=of.mean,
            variance=of.variance,
            fourth_moment=of.fourth_moment,
            trajectories=trajectories,
            seconds=time.perf_counter() - begin,
            counts=counts.astype(np.float64),
        )
