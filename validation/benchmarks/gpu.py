"""The CUDA engine beside the native one: same trajectories, firings per second, instructions.

Run `python validation/benchmarks/gpu.py` on a machine with an NVIDIA GPU, from a checkout of
sbmlgrad with the extra `cuda`. It prints Markdown. Elsewhere `--static` prints what the compiler
says of the kernel: instructions of a firing and registers.

Times are those of a warm process: compiling the kernel takes seconds, once, and is reported apart.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from gpu_static import static_table

import sbmlgrad as sg
from sbmlgrad.engines import Native
from sbmlgrad.engines.base import Request, Sample
from sbmlgrad.engines.cuda.engine import Cuda

MODELS = Path(__file__).resolve().parents[2] / "models" / "sbml"

#: Model → output times of the comparison with the native engine.
COMPARED = {
    "oscillator": np.linspace(0.0, 5.0, 26),
    "dimerization": np.linspace(0.0, 10.0, 26),
}

#: Time up to which the oscillator is timed, about 2,800 firings each.
END = 1.0


class Timed:
    """An engine that runs another one and keeps how long it took.

    Attributes:
        seconds: until the results were there, on the device where there is one.
        copying: seconds that the copy to the host took after that.
    """

    is_deterministic: ClassVar[Literal[False]] = False

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.name = engine.name
        self.seconds = self.copying = 0.0

    def sample(self, request: Request) -> Sample:
        """Sample and time it."""
        begin = time.perf_counter()
        if not isinstance(self.engine, Cuda):
            sample = self.engine.sample(request)
            self.seconds = time.perf_counter() - begin
            return sample
        there = self.engine.sample_on_device(request)
        self.seconds = time.perf_counter() - begin
        sample = there.to_sample()
        self.copying = time.perf_counter() - begin - self.seconds
        return sample


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 1 if the GPU's trajectories differ, 2 without a GPU, else 0."""
    given = _parser().parse_args(arguments)
    if given.static:
        print(static_table(given.models))
        return 0
    try:
        run_once = sg.load(MODELS / "dimerization.xml")
        sg.simulate(run_once, times=[0.1], seed=0, engine=Cuda())
    except sg.RequestError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"Device: {_device()}\n")
    different = compare(given.trajectories)
    measure(given.sizes, given.points, given.rounds)
    print(static_table(given.models))
    return 1 if different else 0


def compare(trajectories: int) -> int:
    """Print how many trajectories of the GPU differ from those of the CPU, and return it."""
    print("| model | trajectories | firings | differing trajectories | differing end times |")
    print("|---|---|---|---|---|")
    total = 0
    for name, times in COMPARED.items():
        model = sg.load(MODELS / f"{name}.xml")
        options = {"times": times, "trajectories": trajectories, "seed": 1}
        gpu, cpu = (sg.simulate(model, engine=e, **options) for e in (Cuda(), Native()))
        same = (gpu.counts == cpu.counts).all(axis=(1, 2)) & (gpu.firings == cpu.firings)
        clocks = [
            sg.simulate(
                model,
                readouts=[sg.AfterFirings([500])],
                engine=engine,
                trajectories=trajectories,
                seed=1,
            ).values("time")
            for engine in (Cuda(), Native())
        ]
        differing = int((~same).sum())
        total += differing
        late = int((clocks[0] != clocks[1]).sum())
        print(f"| {name} | {trajectories:,} | {gpu.firings.sum():.2e} | {differing} | {late} |")
    print()
    return total


def measure(sizes: list[int], points: int, rounds: int) -> None:
    """Print firings per second of the oscillator by size of the ensemble."""
    model = sg.load(MODELS / "oscillator.xml")
    times = np.linspace(0.0, END, points)

    def run(engine: Any, trajectories: int, seed: int) -> tuple[float, float, int]:
        timed = Timed(engine)
        cells = sg.simulate(model, times=times, trajectories=trajectories, seed=seed, engine=timed)
        return timed.seconds, timed.copying, int(cells.firings.sum())

    first = run(Cuda(), 1, 0)[0]
    print(f"First call of the process, one trajectory: {first:.1f} s.\n")
    print(f"Oscillator, time 0 to {END:g}, {points} output times, median of {rounds} rounds:\n")
    print("| engine | trajectories | seconds | copy to the host, s | firings | firings/s |")
    print("|---|---|---|---|---|---|")
    jobs = [(Native(), min(sizes)), *((Cuda(), size) for size in sizes)]
    for engine, size in jobs:
        run(engine, min(sizes), 0)
        taken = [run(engine, size, 1 + r) for r in range(rounds)]
        seconds, copying = (statistics.median(t[i] for t in taken) for i in (0, 1))
        rate = statistics.median(t[2] / t[0] for t in taken)
        print(
            f"| {engine.name} | {size:,} | {seconds:.3g} | {copying:.3g} | {taken[0][2]:.2e} | "
            f"{rate:.2e} |"
        )
    print()


def _device() -> str:
    from numba import cuda

    device = cuda.get_current_device()
    name = device.name.decode() if isinstance(device.name, bytes) else device.name
    major, minor = device.compute_capability
    return f"{name}, compute capability {major}.{minor}, {device.MULTIPROCESSOR_COUNT} processors"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--static", action="store_true", help="compile only; needs no GPU")
    parser.add_argument(
        "--models", nargs="+", default=["oscillator", "dimerization"], help="of the static table"
    )
    parser.add_argument("--trajectories", type=int, default=2_000, help="compared with the CPU")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[2**14, 2**17, 2**20, 2**22], help="of ensembles"
    )
    parser.add_argument("--points", type=int, default=11, help="output times")
    parser.add_argument("--rounds", type=int, default=3)
    return parser


if __name__ == "__main__":
    sys.exit(main())
