"""What whole trajectories of the oscillator can tell about its parameters.

Run `python validation/benchmarks/paper/paper_oscillator_information.py [--cells N] [--horizon T]
[--write]`. Standard errors of weighted least squares at the truth, with as many cells as the
mode `whole` has behind its data, from slopes by common random numbers and the covariance between
cells. Averages over windows are held against values at the ends of the windows.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
from genetic_oscillator.fits import MODES
from genetic_oscillator.model import (
    COMPARED,
    FREE,
    all_values,
    engine,
    network,
    stream,
    truth,
)
from genetic_oscillator.scoring import SIDE
from genetic_oscillator.whole import WINDOW, covariance_of
from numpy.typing import NDArray
from paper_records import ROOT, machine, paragraph, table

import sbmlgrad as sg
from sbmlgrad.engines.readouts import ValuesAt

FloatArray = NDArray[np.float64]

PAGE = ROOT / "validation" / "results" / "paper" / "oscillator_information.md"

#: Horizons that are looked at: a burst, one period.
HORIZONS = (12.5, 25.0)

#: Species that are looked at.
CHOICES = (("R",), COMPARED)

#: Standard errors of logarithms from here on mean that nothing is determined.
UNKNOWN = 1.0


def standard_errors(
    horizon: float, cells: int, behind: int, seed: int, threads: int
) -> list[tuple[str, str, float, FloatArray]]:
    """Return (what is kept, species, horizon, standard errors [free]).

    Args:
        horizon: longest that is looked at.
        cells: simulated at the truth and at each side.
        behind: cells behind the data whose standard errors are told.
        seed: of the random streams.
        threads: of the engine.
    """
    edges = np.linspace(0.0, horizon, round(horizon / WINDOW) + 1)
    readouts: dict[str, Any] = {
        "averages over windows": sg.WindowAverages(edges.tolist()),
        "values at their ends": ValuesAt(edges[1:].tolist()),
    }
    found = []
    for kept, readout in readouts.items():
        here = _kept(np.log(truth()), readout, cells, seed, threads)
        slopes = []
        for place in range(len(FREE)):
            step = SIDE * (np.arange(len(FREE)) == place)
            above, below = (
                _kept(np.log(truth()) + side * step, readout, cells, seed + 1, threads)
                for side in (1.0, -1.0)
            )
            moved = (above - below) / (2.0 * SIDE)
            slopes.append([moved[half::2].mean(axis=0) for half in (0, 1)])
        # [half, point, species, free]
        rates = np.moveaxis(np.array(slopes), 0, -1)
        for species in CHOICES:
            columns = [COMPARED.index(s) for s in species]
            for end in HORIZONS:
                if end > horizon + 0.5 * WINDOW:
                    continue
                points = edges[1:] <= end + 0.5 * WINDOW
                own = here[:, points][..., columns].reshape(cells, -1)
                rate = rates[:, points][:, :, columns].reshape(2, own.shape[1], len(FREE))
                variance = own.var(axis=0)
                weights = np.where(variance > 0.0, 1.0 / np.where(variance > 0.0, variance, 1), 0)
                covariance = covariance_of(rate, weights, np.cov(own.T))
                errors = np.sqrt(np.diag(covariance) / behind)
                found.append((kept, ", ".join(species), end, errors))
    return found


def _kept(logarithms: FloatArray, readout: Any, cells: int, seed: int, threads: int) -> FloatArray:
    simulated = sg.simulate(
        network(),
        all_values(logarithms),
        readouts=[readout],
        trajectories=cells,
        seed=seed,
        engine=engine(threads),
    )
    columns = [np.asarray(simulated.values(s, readout=readout)) for s in COMPARED]
    return np.stack(columns, axis=-1).astype(np.float64)


def report(found: Sequence[tuple[str, str, float, FloatArray]], cells: int, behind: int) -> str:
    """Return the standard errors as a page."""
    head = ("kept", "species", "hours", *(f"`{id}`" for id in FREE))
    rows = [
        (kept, species, f"{end:g}", *(_told(error) for error in errors))
        for kept, species, end, errors in found
    ]
    lines = [
        "# What whole trajectories tell about the oscillator",
        "",
        *paragraph(
            f"Standard errors, in %, of the parameters from means over {behind:,} cells every "
            f"{WINDOW:g} hours, by least squares with the variance between cells as weight; a "
            f"dash: not determined, or too little to be resolved. {cells:,} cells were simulated "
            "at the truth and at each side. Without second moments. Written by "
            "`validation/benchmarks/paper/paper_oscillator_information.py`."
        ),
        *paragraph(f"Machine: {machine()}."),
        *table(head, rows),
        "",
    ]
    return "\n".join(lines)


def _told(error: float) -> str:
    return f"{100.0 * error:.2f}" if error < UNKNOWN else "-"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cells", type=int, default=1_000, help="simulated at each side")
    parser.add_argument("--horizon", type=float, default=max(HORIZONS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    behind = MODES["whole"].cells
    key = stream(options.seed, 7)
    found = standard_errors(options.horizon, options.cells, behind, key, options.threads)
    text = report(found, options.cells, behind)
    print(text)
    if options.write:
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
