"""What one gradient from segments of the oscillator is worth, by estimator.

Run `python validation/benchmarks/paper/paper_oscillator_estimators.py [--starts N] [--batches N]
[--write FILE]`. At values 10 % off the truth, every estimator differentiates the loss of the mode
`segments` on the same start points and replicates. Gradients are told as the step that they would
make, -F⁻¹ g, with the same F for all: the right one is the way back to the truth, but for terms
that are quadratic in it, which `delta_R`, the least determined, shows most.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paper_oscillator_model import DESCENT, FREE, stream, truth
from paper_oscillator_segments import REPLICATES, SEGMENT, Segments, make_data
from paper_records import machine, paragraph, table

import sbmlgrad as sg

FloatArray = NDArray[np.float64]

#: Where gradients are asked for: logarithms of the values over the truth.
OFF = np.array([0.1, -0.1, -0.1, 0.1, 0.1])

#: Temperatures; the smallest is the published one.
TEMPERATURES = (1.0, 0.1, 0.01, 3e-6)

#: Replicates of the model.
TRIED = 4


@dataclass(frozen=True)
class Steps:
    """Steps of one estimator.

    Attributes:
        name: of the estimator.
        steps: float64 [batch, free].
        seconds: of the processor, a gradient.
    """

    name: str
    steps: FloatArray
    seconds: float

    @property
    def error(self) -> FloatArray:
        """Standard errors of the mean over batches, float64 [free]."""
        return self.steps.std(axis=0, ddof=1) / np.sqrt(len(self.steps))


def compare(starts: int, batches: int, seed: int, threads: int) -> list[Steps]:
    """Return the steps of every estimator.

    Args:
        starts: of a batch.
        batches: how many.
        seed: of data and trajectories.
        threads: of the engine.
    """
    data = make_data(seed, starts * batches, REPLICATES, threads)
    estimators: list[Any] = [sg.gradients.TwoSidedAdjoint()]
    estimators += [sg.gradients.StraightThrough(t) for t in TEMPERATURES]
    key = stream(seed, DESCENT)
    compared = Segments(data, starts, TRIED, estimators[0], key, threads)
    there = np.log(truth()) + OFF
    # The first batches tell it; every estimator has the same.
    known = np.mean([compared.curvature(there, b, SEGMENT) for b in range(min(batches, 4))], axis=0)
    found = []
    for estimator in estimators:
        own = replace(compared, estimator=estimator)
        # Compiles.
        own.gradient(there, 0, SEGMENT)
        began = time.process_time()
        slopes = [own.gradient(there, b, SEGMENT)[1] for b in range(batches)]
        seconds = (time.process_time() - began) / batches
        steps = -np.linalg.solve(known, np.array(slopes).T).T
        found.append(Steps(estimator.name, steps, seconds))
    return found


def report(found: Sequence[Steps], starts: int) -> str:
    """Return the comparison as a page."""
    batches = len(found[0].steps)
    head = ("estimator", "processor, s a gradient", *(f"`{id}`" for id in FREE))
    rows = [("the way to the truth", "", *(f"{-off:+.2f}" for off in OFF))]
    for one in found:
        pairs = zip(one.steps.mean(axis=0), one.error, strict=True)
        cells = (f"{mean:+.3g} ± {error:.2g}" for mean, error in pairs)
        rows.append((f"`{one.name}`", f"{one.seconds:.2f}", *cells))
    lines = [
        "# Gradients from segments of the oscillator, by estimator",
        "",
        *paragraph(
            f"Steps of scoring in logarithms, from values 10 % off; means over {batches} batches ± "
            f"standard errors. A batch has {starts:,} start points and {TRIED} replicates of each "
            "for 0.0275 hours, about 150 firings; data and random streams are the same for "
            "all. The loss compares averages over that time. The right step is the way to the "
            "truth but for quadratic terms, which the least determined, `delta_R`, shows most. "
            "Written by `validation/benchmarks/paper/paper_oscillator_estimators.py`."
        ),
        *paragraph(f"Machine: {machine()}."),
        *table(head, rows),
        "",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--starts", type=int, default=1_024, help="of a batch")
    parser.add_argument("--batches", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", type=Path, help="the page")
    options = parser.parse_args(arguments)
    found = compare(options.starts, options.batches, options.seed, options.threads)
    text = report(found, options.starts)
    print(text)
    if options.write:
        options.write.write_text(text)


if __name__ == "__main__":
    main()
