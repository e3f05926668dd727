"""What fits in tests have in common: means of a large ensemble as data, and Ctrl-C at an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sbmlgrad as sg


def mean_data(
    model: sg.ReactionNetwork,
    path: Path,
    species: Sequence[str],
    times: Sequence[float],
    trajectories: int,
    seed: int = 99,
) -> sg.Measurements:
    """Simulate a model, and write and read a file with the means of species."""
    cells = sg.simulate(model, times=times, trajectories=trajectories, seed=seed)
    columns = [cells.mean(s) for s in species]
    rows = [["time", *species], *([t, *v] for t, *v in zip(times, *columns, strict=True))]
    path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")
    return sg.load_measurements(path)


@dataclass(frozen=True)
class Interrupting:
    """Ctrl-C in the progress report after some epoch, before anything is decided about it."""

    after: int

    def __call__(self, done: int, epochs: int, loss: float) -> None:
        """Take the progress report of a fit."""
        if done == self.after:
            raise KeyboardInterrupt
