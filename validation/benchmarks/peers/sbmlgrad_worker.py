"""sbmlgrad as a worker, through its public interface; see `loop`.

Options: `kernel`, `dtype` and `threads` of `sbmlgrad.engines.Native`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from loop import Drawn, Model, Ready, serve


def software() -> str:
    """Return the version of sbmlgrad; `ImportError` if it is not installed."""
    import sbmlgrad as sg

    return str(sg.__version__)


def prepare(model: Model, options: dict[str, Any]) -> Ready:
    """Load the document and return what samples it."""
    import sbmlgrad as sg

    network = sg.load(model.document)
    engine = sg.engines.Native(**options)

    def plan(end: float, points: int):
        times = np.linspace(0.0, end, points)

        def sample(trajectories: int, seed: int) -> Drawn:
            cells = sg.simulate(
                network, times=times, trajectories=trajectories, seed=seed, engine=engine
            )
            return Drawn(cells.values(model.watched)[:, -1], cells.firings)

        return sample

    return Ready(plan)


if __name__ == "__main__":
    serve(software, prepare)
