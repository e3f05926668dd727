"""Bias and noise of every gradient estimator on small networks, against the exact gradient.

Run `python validation/gradient_bias.py [--trajectories N] [--write FILE]`; it prints a Markdown
table: relative bias of the gradient in logarithms of the parameters (norm over parameters and
readout points), its standard error, and the noise-to-signal ratio of ONE trajectory. The truth is
the finite state projection.

Every estimator sees the ensemble in batches of the same size, and the table gives the mean over
batches; `FittedValue` fits each batch by itself, so that a batch is one run of it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from small_networks import CASES, HARD_CASES, HEAD, TEXTS, Case

import sbmlgrad as sg
from sbmlgrad.cme import project
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.start import start_states

BATCHES = 20

#: Probability that the truth may lack; the states of a bistable voxel are few, a toggle's many.
TOLERANCE = 1e-8


def estimators() -> list[Any]:
    """Return what is compared."""
    gradients = sg.gradients
    return [
        gradients.TwoSidedAdjoint(),
        gradients.Adjoint(),
        gradients.FittedValue(),
        gradients.CoupledDifference(),
        gradients.ScoreFunction(),
        gradients.FiniteDifference(),
        gradients.StraightThrough(1.0),
        gradients.StraightThrough(0.1),
        gradients.StraightThrough(0.0),
    ]


def measure(
    case: Case, exact: np.ndarray, estimator: Any, trajectories: int, seed: int
) -> tuple[float, float, float]:
    """Return relative bias, its standard error, and noise-to-signal of one trajectory.

    Args:
        case: network, readout and parameters.
        exact: gradient in logarithms of the parameters [parameter, point].
        estimator: what to measure.
        trajectories: in all batches together.
        seed: of all of them.
    """
    model = sg.load(HEAD + TEXTS[case.name])
    lowered = lower(model)
    places = [lowered.input_ids.index(p) for p in case.parameters]
    size = trajectories // BATCHES
    engine = sg.engines.Native()
    batches = []
    for batch in range(BATCHES):
        numbers = np.arange(size, dtype=np.uint64) + np.uint64(batch * size)
        values, start = start_states(lowered, {}, {}, seed, numbers)
        inputs = np.array([values[i] for i in lowered.input_ids])
        request = Request(lowered, inputs, start, case.readout, size, seed, batch * size, None)
        rows = []
        for point in range(exact.shape[1]):
            weights = np.zeros((1, exact.shape[1], len(model.species_ids)))
            weights[0, point, model.species_ids.index(case.species)] = 1.0 / size
            rows.append(estimator.pull_back(engine, request, weights)[places] * inputs[places])
        batches.append(np.array(rows).T)
    norm = np.linalg.norm(exact)
    scatter = np.std(batches, axis=0, ddof=1)
    bias = np.linalg.norm(np.mean(batches, axis=0) - exact) / norm
    error = np.linalg.norm(scatter) / np.sqrt(BATCHES) / norm
    return float(bias), float(error), float(np.linalg.norm(scatter) * np.sqrt(size) / norm)


def truth(case: Case) -> np.ndarray:
    """Return the exact gradient in logarithms of the parameters [parameter, point]."""
    model = sg.load(HEAD + TEXTS[case.name])
    scale = model.parameter_values[[model.parameter_ids.index(p) for p in case.parameters]]
    projection = project(model, until=float(case.readout.points[-1]), tolerance=TOLERANCE)
    return projection.gradient(case.readout, case.species, case.parameters) * scale[:, None]


def table(trajectories: int, seed: int) -> str:
    """Return the whole table as Markdown."""
    methods = estimators()
    names = [type(m).__name__ for m in methods]
    names[-3:] = [m.name for m in methods[-3:]]
    lines = [
        f"Relative bias ± its standard error / noise-to-signal of one trajectory; "
        f"{trajectories:,} trajectories in {BATCHES} batches, seed {seed}.",
        "",
        "| network | " + " | ".join(f"`{n}`" for n in names) + " |",
        "|---" * (len(methods) + 1) + "|",
    ]
    for case in (*CASES, *HARD_CASES):
        exact = truth(case)
        cells = []
        for method in methods:
            if type(case.readout) not in method.readouts:
                cells.append("refused")
                continue
            bias, error, noise = measure(case, exact, method, trajectories, seed)
            cells.append(f"{100 * bias:.2g} ± {100 * error:.2g} % / {noise:.2g}")
        end = f"{case.readout.points[-1]:.3g}"
        lines.append(f"| {case.name}, to {end} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trajectories", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="also write the table into this file")
    options = parser.parse_args()
    text = table(options.trajectories, options.seed)
    print(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
