"""Measures, in a process of its own, by how much gradients raise the peak of the memory.

Prints JSON: bytes of the values and of the estimate, and the rise of the peak in parts, for means,
and for means and variances. Peaks only rise, so that the least comes first.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import tensorflow as tf

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.gradients.memory import gradient_bytes

SPECIES = ("X", "Y", "Z")
TRAJECTORIES, TIMES = 20_000, np.linspace(0.01, 1.0, 100)

MODEL = sg.load("""
    unit substance = item; unit extent = item; compartment cell = 1;
    substanceOnly species X in cell, Y in cell, Z in cell; X = 3; Y = 2; Z = 1; k = 0.1;
    J0: X => Y; k*X;  J1: Y => Z; k*Y;  J2: Z => X; 2*k*Z;
""")


def differentiate(trajectories: int, *, variances: bool) -> None:
    k = tf.Variable(MODEL.parameter_values)
    with tf.GradientTape() as tape:
        cells = sg.simulate(MODEL, k, times=TIMES, trajectories=trajectories, seed=1)
        loss = tf.add_n([tf.reduce_sum(cells.mean(s) ** 2) for s in SPECIES])
        if variances:
            loss += tf.add_n([tf.reduce_sum(cells.variance(s)) for s in SPECIES])
    assert float(tape.gradient(loss, k)[0]) != 0.0


def peak() -> int:
    # Not ru_maxrss, which holds the peak of the process that started this one, too.
    told = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", told)[1]) * 1024  # type: ignore[index]


def main() -> None:
    values = TRAJECTORIES * len(TIMES) * len(SPECIES) * 8
    differentiate(200, variances=True)
    before = peak()
    os.environ["SBMLGRAD_MEMORY_LIMIT"] = str(values)
    differentiate(TRAJECTORIES, variances=True)
    parts = peak() - before
    del os.environ["SBMLGRAD_MEMORY_LIMIT"]
    differentiate(TRAJECTORIES, variances=False)
    means = peak() - before
    differentiate(TRAJECTORIES, variances=True)
    found = {
        "values": values,
        "estimate": gradient_bytes(lower(MODEL), [sg.ValuesAt(TIMES.tolist())], TRAJECTORIES),
        "parts": parts,
        "means": means,
        "variances": peak() - before,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
