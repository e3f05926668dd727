"""Gradients of the genetic oscillator over whole periods, against coupled finite differences.

Run `python validation/gradient_oscillator.py [--horizons T …] [--write FILE] [--figure FILE]`. The
number that is differentiated is the mean of repressor R over the last five hours before a horizon,
in the logarithms of all sixteen reaction constants; a trajectory has up to 63,000 firings and more.
`TwoSidedAdjoint` walks every trajectory back; the referee simulates at both sides of every constant
(`FiniteDifference`) with either coupling, and the quieter one in the same CPU time gets the
trajectories. The two use different random streams.

`--records DIR` keeps every horizon, so that several can be run beside each other or at other times.
`--pilot` prints noise and cost of both couplings and stops.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gradient_checks.oscillator_found import (
    BATCHES,
    SPECIES,
    STEPS,
    WINDOW,
    Found,
    Horizon,
    keep,
    kept,
)

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.readouts import WindowAverages
from sbmlgrad.engines.start import start_states
from sbmlgrad.model.network import ReactionNetwork

DOCUMENT = Path(__file__).resolve().parents[1] / "models" / "sbml" / "oscillator.xml"


def oscillator() -> ReactionNetwork:
    """Return the shipped oscillator with a constant of its own for each of its sixteen reactions.

    In the document the decay of A and that of A within the complex share a constant.
    """
    text = DOCUMENT.read_text(encoding="utf-8")
    before, within = text.split('id="degrade_A_in_C"')
    line = next(one for one in text.splitlines() if "<parameter" in one and 'id="delta_A"' in one)
    own = line.replace('id="delta_A"', 'id="delta_C"')
    before = before.replace(line, f"{line}\n{own}")
    return sg.load(f'{before}id="degrade_A_in_C"{within.replace(" delta_A ", " delta_C ", 1)}')


def request_of(lowered: LoweredNetwork, end: float, size: int, seed: int, first: int) -> Request:
    """Return the request of one batch."""
    numbers = np.arange(size, dtype=np.uint64) + np.uint64(first)
    values, start = start_states(lowered, {}, {}, seed, numbers)
    inputs = np.array([values[i] for i in lowered.input_ids])
    readout = WindowAverages([end - WINDOW, end])
    return Request(lowered, inputs, start, readout, size, seed, first)


def gradients(
    model: ReactionNetwork, estimator: Any, end: float, size: int, seed: int, batches: int = BATCHES
) -> Found:
    """Return the gradients of an estimator.

    Args:
        model: the oscillator.
        estimator: what to run.
        end: horizon.
        size: trajectories of a batch.
        seed: of the random streams.
        batches: how many.
    """
    lowered, engine = lower(model), sg.engines.Native(threads=1, kernel="lockstep")
    weights = np.zeros((1, 1, len(model.species_ids)))
    weights[0, 0, model.species_ids.index(SPECIES)] = 1.0 / size
    places = [lowered.input_ids.index(p) for p in model.parameter_ids]
    rows, seconds = [], []
    for batch in range(-1, batches):
        # The batch before the first compiles, and is dropped.
        number = size if batch >= 0 else 2
        request = request_of(lowered, end, number, seed, max(batch, 0) * size)
        begin = time.process_time()
        slope = estimator.pull_back(engine, request, weights)
        if batch >= 0:
            seconds.append((time.process_time() - begin) / size)
            rows.append(slope[places] * request.inputs[places])
    return Found(estimator.name, np.array(rows), size, float(np.median(seconds)))


def compare(model: ReactionNetwork, end: float, numbers: tuple[int, int], coupling: str) -> Horizon:
    """Return both estimators at a horizon.

    Args:
        model: the oscillator.
        end: the horizon.
        numbers: trajectories of the adjoint, and of the differences by the smaller step; those by
            the larger step are half as many, on streams of their own.
        coupling: of the differences.
    """
    adjoint = gradients(model, sg.gradients.TwoSidedAdjoint(), end, numbers[0] // BATCHES, 1)
    differences = tuple(
        gradients(
            model,
            sg.gradients.FiniteDifference(step, coupling),
            end,
            numbers[1] // (place + 1) // BATCHES,
            2 + place,
        )
        for place, step in enumerate(STEPS)
    )
    return Horizon(end, firings_of(model, end), adjoint, differences)


def firings_of(model: ReactionNetwork, end: float) -> float:
    """Return the mean number of firings of a trajectory."""
    sample = sg.engines.Native(threads=1).sample(request_of(lower(model), end, 100, 5, 0))
    return float(np.mean(sample.firings))


def pilot(model: ReactionNetwork, ends: Sequence[float], size: int) -> str:
    """Return noise and cost of both couplings as Markdown, and of the adjoint."""
    lines = [
        "| horizon | estimator | noise of one trajectory | CPU s a trajectory | CPU s for 1 % |",
        "|---|---|--:|--:|--:|",
    ]
    for end in ends:
        for estimator in (
            sg.gradients.TwoSidedAdjoint(),
            sg.gradients.FiniteDifference(STEPS[0], "crn"),
            sg.gradients.FiniteDifference(STEPS[0], "split"),
        ):
            found = gradients(model, estimator, end, size, 3)
            lines.append(
                f"| {end:g} | `{found.name}` | {found.noise:.3g} | {found.seconds:.3g} | "
                f"{found.seconds_for(0.01):.3g} |"
            )
            print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the campaign."""
    from gradient_checks.oscillator_report import plot, report

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--horizons", nargs="+", type=float, default=[5.0, 15.0, 25.0])
    parser.add_argument("--adjoint", type=int, default=1280, help="trajectories of TwoSidedAdjoint")
    parser.add_argument("--differences", type=int, default=5120, help="and of each side")
    parser.add_argument("--coupling", choices=("crn", "split"), default="crn")
    parser.add_argument("--pilot", type=int, help="trajectories in a batch; noise and cost only")
    parser.add_argument("--pilot-table", type=Path, help="what a pilot printed, for the report")
    parser.add_argument("--records", type=Path, help="folder that exists; see above")
    parser.add_argument("--write", type=Path, help="the report")
    parser.add_argument("--figure", type=Path, help="the plot")
    given = parser.parse_args()
    model = oscillator()
    if given.pilot:
        print(pilot(model, given.horizons, given.pilot))
        return
    table = given.pilot_table.read_text(encoding="utf-8") if given.pilot_table else ""
    found: list[Horizon] = []
    text = ""
    for end in given.horizons:
        record = given.records / f"{end:g}.npz" if given.records else None
        if record is not None and record.exists():
            found.append(kept(record))
        else:
            found.append(compare(model, end, (given.adjoint, given.differences), given.coupling))
        if record is not None:
            keep(found[-1], record)
        # What was measured is kept, whatever becomes of the next horizon.
        text = report(model, found, table)
        if given.write:
            given.write.write_text(text, encoding="utf-8")
        if given.figure:
            plot(model, found, given.figure)
    print(text)


if __name__ == "__main__":
    main()
