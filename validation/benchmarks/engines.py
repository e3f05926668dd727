"""Firings per second of every engine and cost of the default gradient, side by side in one run.

Run `python validation/benchmarks/engines.py`. Prints a Markdown table; rounds are interleaved and
the median of process CPU time counts, one thread. Compilation is excluded.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

import sbmlgrad as sg

MODELS = Path(__file__).resolve().parents[2] / "models" / "sbml"
#: Model id → (last time, trajectories for compiled kernels, species for the gradient).
JOBS = {"dimerization": (5.0, 2000, "C"), "oscillator": (2.0, 100, "R"), "sir": (13.0, 400, "I")}
ENGINES = {
    "reference": (sg.engines.Reference(), 0.002),
    "table": (sg.engines.Native(1, kernel="table"), 1.0),
    "specialised": (sg.engines.Native(1, kernel="specialised"), 1.0),
}


def forward(model, engine, end: float, trajectories: int, seed: int) -> float:
    """Return firings per second of CPU time."""
    begin = time.process_time()
    cells = sg.simulate(model, times=[end], trajectories=trajectories, seed=seed, engine=engine)
    return float(cells.firings.sum()) / (time.process_time() - begin)


def gradient_cost(model, end: float, trajectories: int, species: str, seed: int) -> float:
    """Return CPU time of the backward pass over that of the forward pass."""
    engine = sg.engines.Native(1, kernel="specialised")
    theta = tf.constant(model.parameter_values)
    with tf.GradientTape() as tape:
        tape.watch(theta)
        begin = time.process_time()
        cells = sg.simulate(
            model, theta, times=[end], trajectories=trajectories, seed=seed, engine=engine
        )
        mean = cells.mean(species)[0]
        middle = time.process_time()
    tape.gradient(mean, theta)
    return (time.process_time() - middle) / (middle - begin)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print("| model | " + " | ".join(f"{e} [firings/s]" for e in ENGINES) + " | gradient/forward |")
    print("|---" * (len(ENGINES) + 2) + "|")
    for name, (end, trajectories, species) in JOBS.items():
        model = sg.load(MODELS / f"{name}.xml")
        speeds: dict[str, list[float]] = {e: [] for e in ENGINES}
        costs = []
        for seed in range(rounds + 1):  # the first round compiles and is dropped
            for label, (engine, share) in ENGINES.items():
                count = max(1, int(share * trajectories))
                speeds[label].append(forward(model, engine, end, count, seed))
            costs.append(gradient_cost(model, end, trajectories, species, seed))
        cells = [f"{np.median(v[1:]):.2e}" for v in speeds.values()]
        print(f"| {name} | " + " | ".join(cells) + f" | {np.median(costs[1:]):.1f} |", flush=True)


if __name__ == "__main__":
    main()
