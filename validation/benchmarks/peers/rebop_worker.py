"""rebop as a worker; see `loop`.

It is given its mass-action reactions directly, the form that its manual recommends and its fastest,
and asked for one species only, since a data set of thousands costs more than their firings. Option
`sparse`: how it keeps reactions; left to itself it keeps 1,000 sparse ones a hundred times slower.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import Any

from loop import Model, Ready, letters, repeat, serve


def software() -> str:
    """Return the version of rebop; `ImportError` if it is not installed."""
    importlib.import_module("rebop")
    return version("rebop")


def prepare(model: Model, options: dict[str, Any]) -> Ready:
    """Build the network and return what samples it."""
    rebop = importlib.import_module("rebop")
    network = rebop.Gillespie()
    start = model.start
    sparse = options.get("sparse")
    for left, right, constant in model.reactions:
        network.add_reaction(constant, letters(left), letters(right))

    def plan(end: float, points: int):
        def one(seed: int) -> float:
            result = network.run(
                start,
                tmax=end,
                nb_steps=points - 1,
                rng=seed,
                sparse=sparse,
                var_names=[model.watched],
            )
            return float(result[model.watched].values[-1])

        return repeat(one)

    def count(end: float, seed: int) -> int:
        # Without steps it returns time 0 and every firing; the last may lie beyond the end.
        times = network.run(start, tmax=end, nb_steps=0, rng=seed, sparse=sparse)["time"].values
        return int((times[1:] <= end).sum())

    return Ready(plan, count)


if __name__ == "__main__":
    serve(software, prepare)
