"""A referee in this process that may be wrong, object or fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import RefereeError
from sbmlgrad.io.formats import load
from sbmlgrad.referees import RefereeResult
from sbmlgrad.referees.moments import moments
from sbmlgrad.simulation import simulate


@dataclass(frozen=True)
class Judge:
    """A referee that reads the document with sbmlgrad and multiplies parameters by factors.

    Attributes:
        breaks_from: trajectories from which on it fails.
        words: it objects with, if any.
    """

    name: str = "judge"
    factors: dict[str, float] = field(default_factory=dict)
    breaks_from: float = np.inf
    words: tuple[str, ...] = ()
    install_with: str = "nothing"

    def is_available(self) -> bool:
        return True

    def objections(self, lowered: Any, times: NDArray[np.float64]) -> tuple[str, ...]:
        del lowered, times
        return self.words

    def sample(
        self,
        document: bytes,
        species: Sequence[str],
        times: NDArray[np.float64],
        trajectories: int,
        seed: int,
        timeout_s: float,
    ) -> RefereeResult:
        del timeout_s
        if trajectories >= self.breaks_from:
            raise RefereeError(f"referee '{self.name}' burnt down")
        model = load(document.decode())
        values = dict(zip(model.parameter_ids, model.parameter_values.tolist(), strict=True))
        wrong = {p: values[p] * factor for p, factor in self.factors.items()}
        found = simulate(model, wrong, times=times, trajectories=trajectories, seed=seed)
        counts = found.counts[:, :, [model.species_ids.index(s) for s in species]].astype(float)
        of = moments([counts])
        return RefereeResult(
            self.name, "1", {"seed": str(seed)}, of.mean, of.variance, of.fourth_moment,
            trajectories, 0.0, counts=counts,
        )  # fmt: skip
