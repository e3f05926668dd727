"""Bias and noise of every gradient estimator on small networks, against the exact gradient.

Run `python validation/gradient_bias.py [--trajectories N] [--write FILE]`; it prints a Markdown
table: relative bias of the gradient in logarithms of the parameters (norm over parameters and
readout points), its standard error, and the noise-to-signal ratio of ONE trajectory. The truth is
the finite state projection.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf
from small_networks import CASES, HEAD, TEXTS, Case

import sbmlgrad as sg
from sbmlgrad.cme.projection import project
from sbmlgrad.engines.readouts import ValuesAt

BATCHES = 40


def estimators() -> list:
    """Return what is compared."""
    return [
        sg.gradients.TwoSidedAdjoint(),
        sg.gradients.FiniteDifference(),
        sg.gradients.StraightThrough(1.0),
        sg.gradients.StraightThrough(0.1),
        sg.gradients.StraightThrough(0.0),
    ]


def measure(case: Case, estimator, trajectories: int, seed: int) -> tuple[float, float, float]:
    """Return relative bias, its standard error, and noise-to-signal of one trajectory.

    Args:
        case: network, readout and parameters.
        estimator: what to measure.
        trajectories: in all batches together.
        seed: of all of them.
    """
    model = sg.load(HEAD + TEXTS[case.name])
    values = model.parameter_values
    places = [model.parameter_ids.index(p) for p in case.parameters]
    projection = project(model, until=float(case.readout.points[-1]), tolerance=1e-10)
    scale = values[places][:, None]
    exact = projection.gradient(case.readout, case.species, case.parameters) * scale
    size = trajectories // BATCHES
    theta = tf.constant(values)
    batches = []
    for batch in range(BATCHES):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(theta)
            cells = sg.simulate(
                model,
                theta,
                readouts=[case.readout],
                trajectories=size,
                first_trajectory=batch * size,
                seed=seed,
                estimator=estimator,
                engine=sg.engines.Native(kernel="lockstep"),
            )
            means = tf.unstack(cells.mean(case.species, "counts"))
        rows = [np.asarray(tape.gradient(mean, theta))[places] for mean in means]
        batches.append(np.array(rows).T * scale)
    norm = np.linalg.norm(exact)
    scatter = np.std(batches, axis=0, ddof=1)
    bias = np.linalg.norm(np.mean(batches, axis=0) - exact) / norm
    error = np.linalg.norm(scatter) / np.sqrt(BATCHES) / norm
    return float(bias), float(error), float(np.linalg.norm(scatter) * np.sqrt(size) / norm)


def table(trajectories: int, seed: int) -> str:
    """Return the whole table as Markdown."""
    methods = estimators()
    names = [m.name.replace("relative_step=0.05, coupling='crn'", "") for m in methods]
    lines = [
        f"Relative bias ± its standard error / noise-to-signal of one trajectory; "
        f"{trajectories} trajectories, seed {seed}.",
        "",
        "| network | " + " | ".join(f"`{n}`" for n in names) + " |",
        "|---" * (len(methods) + 1) + "|",
    ]
    for case in CASES:
        cells = []
        for method in methods:
            is_step = isinstance(case.readout, ValuesAt)
            if is_step and ValuesAt not in method.readouts:
                cells.append("refused")
                continue
            bias, error, noise = measure(case, method, trajectories, seed)
            cells.append(f"{100 * bias:.2f} ± {100 * error:.2f} % / {noise:.2g}")
        lines.append(f"| {case.name} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trajectories", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="also write the table into this file")
    options = parser.parse_args()
    text = table(options.trajectories, options.seed)
    print(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
