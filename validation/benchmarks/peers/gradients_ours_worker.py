"""sbmlgrad as a worker of the gradient benchmark, through its public interface.

Options: `estimator`, a name in `sbmlgrad.gradients`, and `settings`, its arguments.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gradients_loop import Calls, Outcome, serve


def software() -> str:
    """Return the version of sbmlgrad; `ImportError` if it is not installed."""
    import sbmlgrad as sg

    return str(sg.__version__)


def prepare(job: Any, options: dict[str, Any]) -> Calls:
    """Load the document and return what simulates and differentiates it."""
    import tensorflow as tf

    import sbmlgrad as sg

    model = sg.load(job.document)
    watched = job.species[job.watched]
    estimator = getattr(sg.gradients, options["estimator"])(**options["settings"])
    values = np.array(job.parameters)
    common: dict[str, Any] = {
        "readouts": [sg.WindowAverages(job.edges)],
        "engine": sg.engines.Native(1, kernel="lockstep"),
    }

    def forward(number: int, seed: int) -> Outcome:
        cells = sg.simulate(model, values, trajectories=number, seed=seed, **common)
        return Outcome(cells.values(watched).sum(axis=1), cells.firings)

    def gradient(number: int, seed: int) -> Outcome:
        k = tf.constant(values)
        with tf.GradientTape() as tape:
            tape.watch(k)
            cells = sg.simulate(
                model, k, trajectories=number, seed=seed, estimator=estimator, **common
            )
            total = tf.reduce_sum(cells.mean(watched))
        slope = tape.gradient(total, k)
        # Only the mean is asked for: values of single trajectories stay where they are.
        return Outcome([float(total)], np.asarray(cells.firings), np.asarray(slope))

    return Calls(forward, gradient)


if __name__ == "__main__":
    serve(software, prepare)
