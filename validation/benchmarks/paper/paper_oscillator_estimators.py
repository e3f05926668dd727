"""What one gradient from segments of the oscillator is worth, by estimator.

Run `python validation/benchmarks/paper/paper_oscillator_estimators.py [--starts N] [--batches N]
[--write]`. At values 10 % off the truth, every estimator differentiates the loss of the mode
`segments` on the same start points and replicates. Gradients are told as the step that they would
make, -F⁻¹ g, with the same F for all. The right one is that of differences of the loss, of the same
trajectories; it is the way back to the truth but for terms that are quadratic in it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from genetic_oscillator.model import DESCENT, FREE, stream, truth
from genetic_oscillator.segments import REPLICATES, SEGMENT, Segments, make_data
from numpy.typing import NDArray
from paper_records import ROOT, machine, paragraph, table

import sbmlgrad as sg

FloatArray = NDArray[np.float64]

PAGE = ROOT / "validation" / "results" / "paper" / "oscillator_estimators.md"

#: Where gradients are asked for: logarithms of the values over the truth.
OFF = np.array([0.1, -0.1, -0.1, 0.1, 0.1])

#: Temperatures; the smallest is the published one.
TEMPERATURES = (1.0, 0.1, 0.01, 3e-6)

#: Half the distance of the two sides of a difference of the loss, in logarithms.
APART = 0.05

#: Replicates of the model.
TRIED = 4

#: Segments behind a gradient whose errors are told; the last is the published batch.
BUDGETS = (1_024, 8_192, 204_800)


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


def compare(starts: int, batches: int, seed: int, threads: int) -> tuple[list[Steps], FloatArray]:
    """Return the steps of differences and of every estimator, and F, float64 [free, free].

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

    def steps(slopes: list[FloatArray]) -> FloatArray:
        return -np.linalg.solve(known, np.array(slopes).T).T

    began = time.process_time()
    slopes = [_differences(compared, there, batch) for batch in range(batches)]
    seconds = (time.process_time() - began) / batches
    found = [Steps("differences of the loss", steps(slopes), seconds)]
    for estimator in estimators:
        own = replace(compared, estimator=estimator)
        # Compiles.
        own.gradient(there, 0, SEGMENT)
        began = time.process_time()
        slopes = [own.gradient(there, b, SEGMENT)[1] for b in range(batches)]
        seconds = (time.process_time() - began) / batches
        found.append(Steps(f"`{estimator.name}`", steps(slopes), seconds))
    return found, known


def error_by_budget(one: Steps, right: Steps, metric: FloatArray, times: float) -> float:
    """Return the expected error of a step over the size of the right one, both by F.

    √(b² + v / m): b is the bias, less what noise adds to its square, and v the variance of one
    batch. A step of size 1 by F changes the loss by a half.

    Args:
        one: steps of an estimator.
        right: those of differences, of the same batches.
        metric: F, float64 [free, free].
        times: m, how many batches of trajectories are behind a step.
    """
    away = one.steps - right.steps
    off = away.mean(axis=0)
    noise = np.trace(metric @ np.cov(away.T)) / len(away)
    bias = max(float(off @ metric @ off) - float(noise), 0.0)
    variance = float(np.trace(metric @ np.cov(one.steps.T)))
    there = right.steps.mean(axis=0)
    return float(np.sqrt((bias + variance / times) / (there @ metric @ there)))


def _differences(compared: Segments, there: FloatArray, batch: int) -> FloatArray:
    """Return the gradient by losses at both sides of every parameter, float64 [free]."""
    moves = APART * np.eye(len(there))
    sides = [[compared.loss(there + s * move, batch, SEGMENT) for s in (1, -1)] for move in moves]
    return np.array([(above - below) / (2.0 * APART) for above, below in sides])


def report(found: Sequence[Steps], metric: FloatArray, starts: int) -> str:
    """Return the comparison as a page.

    Args:
        found: differences first.
        metric: F, float64 [free, free].
        starts: of a batch.
    """
    batches = len(found[0].steps)
    head = ("estimator", "processor, s a gradient", *(f"`{id}`" for id in FREE))
    rows = [("the way to the truth", "", *(f"{-off:+.2f}" for off in OFF))]
    for one in found:
        pairs = zip(one.steps.mean(axis=0), one.error, strict=True)
        cells = (f"{mean:+.3g} ± {error:.2g}" for mean, error in pairs)
        rows.append((one.name, f"{one.seconds:.2f}", *cells))
    lines = [
        "# Gradients from segments of the oscillator, by estimator",
        "",
        *paragraph(
            f"Steps of scoring in logarithms, from values 10 % off; means over {batches} batches ± "
            f"standard errors. A batch has {starts:,} start points and {TRIED} replicates of each "
            "for 0.0275 hours, about 150 firings; data and random streams are the same for "
            "all. The loss compares averages over that time. The right step is that of "
            f"differences of the loss, {APART:g} to both sides, by the same trajectories; it is "
            "the way to the truth but for quadratic terms. "
            "Written by `validation/benchmarks/paper/paper_oscillator_estimators.py`."
        ),
        *paragraph(f"Machine: {machine()}."),
        *table(head, rows),
        "",
        "## Error of a gradient by the number of segments",
        "",
        *table(
            ("estimator", *(f"{budget:,} segments" for budget in BUDGETS)),
            [
                (
                    one.name,
                    *(
                        _share(error_by_budget(one, found[0], metric, budget / (starts * TRIED)))
                        for budget in BUDGETS
                    ),
                )
                for one in found[1:]
            ],
        ),
        "",
        *paragraph(
            "Root mean square distance of the step from the right one, over the size of that, both "
            "measured by how much they change the loss: from bias and scatter of the batches "
            f"above, of {starts * TRIED:,} segments each. The published batch has {BUDGETS[-1]:,}."
        ),
    ]
    return "\n".join(lines)


def _share(error: float) -> str:
    return f"{100.0 * error:.2g} %" if error < 10.0 else f"{error:.2g} times its size"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--starts", type=int, default=1_024, help="of a batch")
    parser.add_argument("--batches", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    found, metric = compare(options.starts, options.batches, options.seed, options.threads)
    text = report(found, metric, options.starts)
    print(text)
    if options.write:
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
