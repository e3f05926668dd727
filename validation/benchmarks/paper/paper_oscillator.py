"""The genetic oscillator: parameters learned from segments, as published, and from whole courses.

Run `python validation/benchmarks/paper/paper_oscillator.py [--modes A,B] [--seeds 1-5] [--threads
N] [--quick] [--records FILE] [--out DIR]`. Every run is kept as one line of the records and a run
under way in a checkpoint beside them, so a campaign can be cut and continued. `--modes ""` only
writes the page and the figures again. Exit code 1: a mode that is complete for seeds 1 to 5 misses
its aim.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

from genetic_oscillator.figures import plot_courses, plot_cycles
from genetic_oscillator.fits import MODES, QUICK, Mode, fit_one
from genetic_oscillator.model import FREE, Run, run_of
from genetic_oscillator.report import is_missed, page
from paper_records import ROOT, chosen, keep, kept, numbers

RESULTS = ROOT / "validation" / "results" / "paper"
FULL = RESULTS / "oscillator.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is not kept yet, write page and figures, and return 1 if an aim is missed."""
    parser = argparse.ArgumentParser(description=" ".join((__doc__ or "").split("\n\n")[0].split()))
    parser.add_argument("--modes", default="segments,whole", help=", ".join(MODES))
    parser.add_argument("--seeds", type=numbers, default=(1, 2, 3, 4, 5))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="short versions; needs both folders")
    parser.add_argument("--records", type=Path, help=f"default {FULL.relative_to(ROOT)}")
    parser.add_argument("--out", type=Path, help=f"default {RESULTS.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    modes = QUICK if options.quick else MODES
    try:
        names = chosen(options.modes, modes)
    except argparse.ArgumentTypeError as error:
        parser.error(f"--modes: {error}")
    records, out = options.records or FULL, options.out or RESULTS
    if options.quick and (records.resolve() == FULL or out.resolve() == RESULTS):
        parser.error("--quick: give --records and --out, so that short runs stay apart from others")
    if options.threads < 1:
        parser.error(f"--threads {options.threads}: give a number of at least 1")
    for name in names:
        for seed in options.seeds:
            run(records, modes[name], seed, options.threads)
    runs = [run_of(record) for record in kept(records)]
    if not runs:
        parser.error(f"{records} holds no run")
    out.mkdir(parents=True, exist_ok=True)
    text = page(runs)
    print(text)
    (out / "oscillator.md").write_text(text)
    plot_courses(runs, out / "oscillator.png")
    plot_cycles(runs, out / "oscillator_cycles.png", options.threads)
    return int(is_missed(runs))


def run(records: Path, mode: Mode, seed: int, threads: int) -> None:
    """Make one run unless it was made before with these settings, and keep it."""
    done = [(r.mode, r.seed, dict(r.settings)) for r in map(run_of, kept(records))]
    if (mode.name, seed, mode.settings) in done:
        return
    key = zlib.crc32(repr(mode.stages).encode())
    checkpoint = records.parent / "under_way" / f"oscillator_{mode.name}_{seed}_{key:08x}.npz"
    made = fit_one(mode, seed, threads=threads, checkpoint=checkpoint)
    keep(records, made.as_record())
    checkpoint.unlink(missing_ok=True)
    print(told(made), flush=True)


def told(made: Run) -> str:
    """Return one line about a run."""
    errors = ", ".join(f"{id} {100 * e:+.2f}" for id, e in zip(FREE, made.errors, strict=True))
    return (
        f"{made.mode} seed {made.seed}: MAPE {100 * made.mape:.3f} % ({errors}), "
        f"{made.data_seconds:.0f} s of data, {made.seconds:.0f} s of descent, "
        f"{made.cpu_seconds:.0f} s of processor"
    )


if __name__ == "__main__":
    sys.exit(main())
