"""How far descents from segments of the oscillator come, by estimator and number of segments.

Run `python validation/benchmarks/paper/paper_oscillator_budgets.py [--seeds 1-3] [--budgets A,B]
[--threads N] [--records FILE] [--out DIR]`. Every descent is a line of the records, so that a
campaign can be cut and continued; `--budgets ""` only writes the page and the figure again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from genetic_oscillator.budgets import BUDGETS, descent, descents, page, plot, settings_of
from genetic_oscillator.segments import REPLICATES, STARTS, make_data
from paper_records import ROOT, chosen, keep, numbers, percent

RESULTS = ROOT / "validation" / "results" / "paper"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the descents that are not kept yet, and write the page and the figure."""
    parser = argparse.ArgumentParser(description=" ".join((__doc__ or "").split("\n\n")[0].split()))
    parser.add_argument(
        "--budgets", default=",".join(BUDGETS), help=f"all, or of {', '.join(BUDGETS)}"
    )
    parser.add_argument("--seeds", type=numbers, default=(1, 2, 3), help="default 1-3")
    parser.add_argument("--threads", type=int, default=2, help="default 2")
    parser.add_argument("--records", type=Path, default=RESULTS / "oscillator_budgets.jsonl")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of page and figure")
    options = parser.parse_args(arguments)
    try:
        names = chosen(options.budgets, BUDGETS)
    except argparse.ArgumentTypeError as error:
        parser.error(f"--budgets: {error}")
    if options.threads < 1:
        parser.error(f"--threads {options.threads}: give a number of at least 1")
    for seed in options.seeds if names else ():
        run(names, seed, options.threads, options.records)
    found = descents(options.records)
    if not found:
        parser.error(f"{options.records} holds no descent")
    options.out.mkdir(parents=True, exist_ok=True)
    text = page(found)
    print(text)
    (options.out / "oscillator_budgets.md").write_text(text)
    plot(found, options.out / "oscillator_budgets.png")


def run(names: Sequence[str], seed: int, threads: int, records: Path) -> None:
    """Make the descents of a seed that were not made before with these settings."""
    data = make_data(seed, STARTS, REPLICATES, threads)
    done = [(d.budget, d.seed, d.settings) for d in descents(records)]
    for name in names:
        if (name, seed, settings_of(data)) in done:
            continue
        made = descent(BUDGETS[name], data, seed, threads)
        keep(records, asdict(made))
        told = f"MAPE {percent(made.mape)}, {made.cpu_seconds:.0f} s of processor"
        print(f"{name} seed {seed}: {told}", flush=True)


if __name__ == "__main__":
    main()
