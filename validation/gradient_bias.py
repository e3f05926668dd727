"""Bias and noise of every gradient estimator on small networks, against the exact gradient.

Run `python validation/gradient_bias.py [--trajectories N] [--only NAME …] [--write FILE]`; it
prints a Markdown table: relative bias of the gradient in logarithms of the parameters (norm over
parameters and readout points), its standard error, and the noise-to-signal ratio of ONE trajectory.
The truth is the finite state projection.

Every estimator sees the ensemble in batches of the same size, and the table gives the mean over
batches; `FittedValue` fits each batch by itself, so that a batch is one run of it. A second table
has errors of single runs of `FittedValue` on the networks that paths cannot follow.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from small_networks import CASES, HARD_CASES, Case

import sbmlgrad as sg
from sbmlgrad.cme import project
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.start import start_states

EVERY_CASE = (*CASES, *HARD_CASES)

BATCHES = 20

#: Networks of many firings, on which the estimators that simulate more than one path per trajectory
#: get a fraction of the trajectories.
LONG, LONG_SHARE = ("schloegl",), 5

#: Trajectories of a single run of `FittedValue`, and how many runs there are of each network.
RUN, RUNS = 5_000, 6

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
    case: Case,
    exact: np.ndarray,
    estimator: Any,
    trajectories: int,
    seed: int,
    engine: sg.engines.Native | None = None,
) -> tuple[float, float, float]:
    """Return relative bias, its standard error, and noise-to-signal of one trajectory.

    Args:
        case: network, readout and parameters.
        exact: gradient in logarithms of the parameters [parameter, point].
        estimator: what to measure.
        trajectories: in all batches together.
        seed: of all of them.
        engine: samples; None chooses a kernel for each batch.
    """
    size = trajectories // BATCHES
    sampler = engine or sg.engines.Native()
    batches = [
        gradient(case, exact.shape[1], estimator, size, seed, batch * size, sampler)
        for batch in range(BATCHES)
    ]
    norm = np.linalg.norm(exact)
    scatter = np.std(batches, axis=0, ddof=1)
    bias = np.linalg.norm(np.mean(batches, axis=0) - exact) / norm
    error = np.linalg.norm(scatter) / np.sqrt(BATCHES) / norm
    return float(bias), float(error), float(np.linalg.norm(scatter) * np.sqrt(size) / norm)


def gradient(
    case: Case,
    points: int,
    estimator: Any,
    size: int,
    seed: int,
    first: int,
    engine: sg.engines.Native,
) -> np.ndarray:
    """Return an estimated gradient in logarithms of the parameters [parameter, point]."""
    model = case.network()
    lowered = lower(model)
    places = [lowered.input_ids.index(p) for p in case.parameters]
    numbers = np.arange(size, dtype=np.uint64) + np.uint64(first)
    values, start = start_states(lowered, {}, {}, seed, numbers)
    inputs = np.array([values[i] for i in lowered.input_ids])
    request = Request(lowered, inputs, start, case.readout, size, seed, first, None)
    rows = []
    for point in range(points):
        weights = np.zeros((1, points, len(model.species_ids)))
        weights[0, point, model.species_ids.index(case.species)] = 1.0 / size
        rows.append(estimator.pull_back(engine, request, weights)[places] * inputs[places])
    return np.array(rows).T


def truth(case: Case) -> np.ndarray:
    """Return the exact gradient in logarithms of the parameters [parameter, point]."""
    model = case.network()
    scale = model.parameter_values[[model.parameter_ids.index(p) for p in case.parameters]]
    projection = project(model, until=float(case.readout.points[-1]), tolerance=TOLERANCE)
    return projection.gradient(case.readout, case.species, case.parameters) * scale[:, None]


def share_of(case: Case, method: Any) -> int:
    """Return by how much fewer trajectories an estimator gets on a network."""
    several = sg.gradients.CoupledDifference, sg.gradients.FiniteDifference
    return LONG_SHARE if case.name in LONG and isinstance(method, several) else 1


def engine_for(case: Case) -> sg.engines.Native:
    """Return an engine; one batch is too short for compiling to seem worth while, all are not."""
    return sg.engines.Native(kernel="lockstep" if case.name in LONG else "auto")


def table(cases: Sequence[Case], trajectories: int, seed: int) -> str:
    """Return the whole table as Markdown."""
    methods = estimators()
    names = [type(m).__name__ for m in methods]
    names[-3:] = [m.name for m in methods[-3:]]
    lines = [
        f"Relative bias ± its standard error / noise-to-signal of one trajectory; "
        f"{trajectories:,} trajectories in {BATCHES} batches (where marked *, "
        f"{trajectories // LONG_SHARE:,}), seed {seed}.",
        "",
        "| network | " + " | ".join(f"`{n}`" for n in names) + " |",
        "|---" * (len(methods) + 1) + "|",
    ]
    for case in cases:
        exact = truth(case)
        cells = []
        for method in methods:
            if type(case.readout) not in method.readouts:
                cells.append("refused")
                continue
            share = share_of(case, method)
            number = trajectories // share
            bias, error, noise = measure(case, exact, method, number, seed, engine_for(case))
            mark = " *" if share > 1 else ""
            cells.append(f"{100 * bias:.2g} ± {100 * error:.2g} % / {noise:.2g}{mark}")
        lines.append(f"| {title(case)} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def single_runs(cases: Sequence[Case], seed: int) -> str:
    """Return a table of the errors of single runs of `FittedValue`, as Markdown."""
    lines = [
        f"Relative error of ONE run of `FittedValue()` with {RUN:,} trajectories, all parameters "
        f"and readout points together: {RUNS} runs, seeds {seed} to {seed + RUNS - 1}, and the "
        "error of their mean.",
        "",
        "| network | " + " | ".join(f"run {i + 1}" for i in range(RUNS)) + " | mean of the runs |",
        "|---" * (RUNS + 2) + "|",
    ]
    fitted = sg.gradients.FittedValue()
    for case in cases:
        exact = truth(case)
        points, engine = exact.shape[1], engine_for(case)
        found = [gradient(case, points, fitted, RUN, seed + i, 0, engine) for i in range(RUNS)]
        errors = [np.linalg.norm(g - exact) for g in (*found, np.mean(found, axis=0))]
        cells = [f"{100 * e / np.linalg.norm(exact):.2g} %" for e in errors]
        lines.append(f"| {title(case)} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def title(case: Case) -> str:
    """Return how tables call a network and its readout."""
    return f"{case.name}, to {case.readout.points[-1]:.3g}"


def main() -> None:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trajectories", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    names = list(dict.fromkeys(case.name for case in EVERY_CASE))
    parser.add_argument("--only", nargs="+", choices=names, help="networks; all if not given")
    parser.add_argument("--write", type=Path, help="also write the tables into this file")
    options = parser.parse_args()
    wanted = options.only or names
    chosen = [case for case in EVERY_CASE if case.name in wanted]
    text = table(chosen, options.trajectories, options.seed)
    hard = [case for case in HARD_CASES if case.name in wanted]
    if hard:
        text += "\n" + single_runs(hard, options.seed)
    print(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
