"""By how much one gradient raises the peak of the memory, in multiples of the kept values.

Run `python validation/benchmarks/gradients_memory.py`: a table on the screen, some two minutes.
With `--million`, gradients of means over a million trajectories of nine species at 200 times, whose
values alone are 14 GB, are taken within 20 GiB and within 4 GiB: some ten minutes more. Each row is
a process of its own, which first takes a gradient over a fiftieth of the trajectories. The network
is a chain of first-order reactions.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

#: Below it all values are kept, above it gradients go in parts.
LIMIT = "2GiB"


@dataclass(frozen=True)
class Row:
    """A gradient.

    Attributes:
        species: of the chain.
        trajectories: how many.
        points: output times.
        statistics: `means`, or `both` for means and variances, of all species.
        limit: of the memory, or empty.
    """

    species: int
    trajectories: int
    points: int
    statistics: str
    limit: str = ""

    @property
    def values(self) -> int:
        """Bytes of the kept values."""
        return 8 * self.species * self.trajectories * self.points


ROWS = (
    *(
        Row(species, trajectories, points, statistics)
        for species, trajectories, points in (
            (1, 40_000, 300),
            (3, 40_000, 100),
            (9, 20_000, 67),
            (20, 10_000, 60),
        )
        for statistics in ("means", "both")
    ),
    Row(9, 60_000, 200, "means", LIMIT),
)

#: The size of which a gradient is promised on a machine of 24 GiB.
MILLION = (
    Row(9, 1_000_000, 200, "means", "20GiB"),
    Row(9, 1_000_000, 200, "means", "4GiB"),
)


def main() -> None:
    """Measure the rows and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--million", action="store_true", help="a million trajectories too")
    # What this command starts itself.
    parser.add_argument("--row", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    rows = (*ROWS, *MILLION)
    if asked.row is not None:
        print(*measure(rows[asked.row]))
        return
    print(
        "| species | values [MB] | statistics | limit | peak raised by [MB] | times values | "
        "seconds | CPU seconds |"
    )
    print("|--:|--:|---|---|--:|--:|--:|--:|")
    for place, row in enumerate(rows if asked.million else ROWS):
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        if row.limit:
            environment["SBMLGRAD_MEMORY_LIMIT"] = row.limit
        done = subprocess.run(
            [sys.executable, __file__, "--row", str(place)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        raised, wall, cpu = (float(part) for part in done.stdout.split()[-3:])
        words = "means" if row.statistics == "means" else "means and variances"
        print(
            f"| {row.species} | {row.values / 1e6:.0f} | {words} | {row.limit or '–'} | "
            f"{raised / 1e6:.0f} | {raised / row.values:.2g} | {wall:.1f} | {cpu:.1f} |",
            flush=True,
        )


def measure(row: Row) -> tuple[int, float, float]:
    """Return by how many bytes the peak rises, and the wall and CPU time of the gradient."""
    _differentiate(row, row.trajectories // 50)
    before = _peak()
    wall, cpu = time.perf_counter(), time.process_time()
    _differentiate(row, row.trajectories)
    return _peak() - before, time.perf_counter() - wall, time.process_time() - cpu


def _differentiate(row: Row, trajectories: int) -> None:
    import tensorflow as tf

    import sbmlgrad as sg

    ids = [f"X{i}" for i in range(row.species)]
    lines = [
        "unit substance = item; unit extent = item; compartment cell = 1;",
        f"substanceOnly species {', '.join(f'{id} in cell' for id in ids)}; k = 0.1;",
        *(f"{id} = {3 + i};" for i, id in enumerate(ids)),
        *(f"J{i}: {id} => {ids[i - 1] if i else ''}; k*{id};" for i, id in enumerate(ids)),
    ]
    model = sg.load("\n".join(lines))
    k = tf.constant(model.parameter_values)
    with tf.GradientTape() as tape:
        tape.watch(k)
        cells = sg.simulate(
            model,
            k,
            times=[(i + 1) / row.points for i in range(row.points)],
            trajectories=trajectories,
            seed=1,
        )
        parts = [tf.reduce_sum(cells.mean(id)) for id in ids]
        if row.statistics == "both":
            parts += [tf.reduce_sum(cells.variance(id)) for id in ids]
        loss = tf.add_n(parts)
    if tape.gradient(loss, k) is None:
        raise SystemExit("no gradient")


def _peak() -> int:
    # Not ru_maxrss, which holds the peak of the process that started this one, too.
    told = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", told)[1]) * 1024  # type: ignore[index]


if __name__ == "__main__":
    main()
