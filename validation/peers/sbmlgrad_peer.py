"""sbmlgrad as a worker, through its public interface; see `worker`.

Options: `substance` and `initial`, as `sbmlgrad.load` takes them.
"""

from __future__ import annotations

import numpy as np
from worker import RefusedError, Request, Sampler, serve


def software() -> str:
    """Return the version of sbmlgrad; `ImportError` if it is not installed."""
    import sbmlgrad as sg

    return str(sg.__version__)


def prepare(request: Request) -> Sampler:
    """Load the model and return what samples it, or refuse it (`RefusedError`)."""
    import sbmlgrad as sg

    try:
        model = sg.load(request.document, **request.options)
        # A model that loads may still have no stochastic meaning; one trajectory to time 0 tells.
        sg.simulate(model, times=[0.0], trajectories=1, seed=request.seed)
    except sg.SbmlGradError as error:
        raise RefusedError(f"{type(error).__name__}: {error}") from error

    def sample():
        ensemble = sg.simulate(
            model, times=request.times, trajectories=request.trajectories, seed=request.seed
        )
        ensemble.mean(request.species[0])
        return np.stack([ensemble.values(s, "amount") for s in request.species], axis=-1)

    return sample


if __name__ == "__main__":
    # Any other exception is a defect of ours, and must not look like a refusal.
    serve(software, prepare, (RefusedError,))
