"""The paper's ion channel C ⇌ O → I, fitted to sweeps simulated from the published rates.

Run `python validation/benchmarks/paper/paper_ion_channel.py [--methods A,B] [--sweeps 100]
[--seeds 1-5] [--trajectories N] [--threads N] [--records FILE] [--out DIR]`; for the 10^6 sweeps
add `--sweeps 1000000 --seeds 1`. `--methods ""` only writes page and figure again, and
`--recording FILE.xlsx` fits the published recording, which does not come with sbmlgrad (layout:
`paper_nav15_file`). Records make a campaign one that can be cut and continued. Exit code 1: from
10^6 sweeps a rate is off by more than 2 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from paper_channel_fits import (
    DESCENTS,
    EXACT,
    SWEEPS,
    Fit,
    Sweeps,
    descent,
    exact_fits,
    fit_of,
    simulate_sweeps,
    sweeps_of_record,
    truth,
)
from paper_channel_report import is_missed, page, plot
from paper_nav15_file import read_sweeps
from paper_records import ROOT, keep, kept, numbers

RESULTS = ROOT / "validation" / "results" / "paper"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--methods", default="mean,mean_and_changes", help=", ".join(DESCENTS))
    parser.add_argument("--sweeps", type=int, default=SWEEPS)
    parser.add_argument("--seeds", type=numbers, default=(1, 2, 3, 4, 5))
    parser.add_argument("--trajectories", type=int, default=4096, help="of an epoch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--recording", type=Path, help="file to fit instead of simulated sweeps")
    parser.add_argument("--records", type=Path, default=RESULTS / "ion_channel.jsonl")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    methods = [name for name in options.methods.split(",") if name]
    if unknown := set(methods) - set(DESCENTS):
        parser.error(f"--methods {', '.join(sorted(unknown))}: choose among {', '.join(DESCENTS)}")
    if options.recording is not None:
        sweeps = sweeps_of_record(read_sweeps(options.recording))
        fits = exact_fits(sweeps, 0)
        for name in methods:
            made = descent(
                name, sweeps, 0, trajectories=options.trajectories, threads=options.threads
            )
            fits.append(made)
        for fit in fits:
            print(told(fit))
        return 0
    for seed in options.seeds:
        for method in (EXACT[-1], *methods):
            run(options, method, seed)
    fits = [fit_of(record) for record in kept(options.records)]
    if not fits:
        parser.error(f"{options.records} holds no fit")
    options.out.mkdir(parents=True, exist_ok=True)
    text = page(fits)
    print(text)
    (options.out / "ion_channel.md").write_text(text)
    plot(fits, options.out / "ion_channel.png")
    return int(is_missed(fits))


def run(options: argparse.Namespace, method: str, seed: int) -> None:
    """Make one fit unless it was made before, and keep it."""
    done = {(f.method, f.sweeps, f.seed) for f in map(fit_of, kept(options.records))}
    if (method, options.sweeps, seed) in done:
        return
    sweeps = _sweeps(seed, options.sweeps)
    if method in EXACT:
        made = [f for f in exact_fits(sweeps, seed) if (f.method, f.sweeps, seed) not in done]
    else:
        name = f"{method}_{options.sweeps}_{seed}.npz"
        checkpoint = options.records.parent / "under_way" / name
        made = [
            descent(
                method,
                sweeps,
                seed,
                trajectories=options.trajectories,
                threads=options.threads,
                checkpoint=checkpoint,
            )
        ]
        checkpoint.unlink(missing_ok=True)
    for fit in made:
        keep(options.records, fit.as_record())
        print(told(fit), flush=True)


@lru_cache(maxsize=1)
def _sweeps(seed: int, count: int) -> Sweeps:
    return simulate_sweeps(seed, count)


def told(fit: Fit) -> str:
    """Return one line about a fit."""
    off = ", ".join(f"{100.0 * e:+.1f} %" for e in np.array(fit.rates) / truth() - 1.0)
    return (
        f"{fit.method}, {fit.sweeps} sweeps, seed {fit.seed}: rates "
        f"{', '.join(f'{r:.4g}' for r in fit.rates)} /ms ({off} of the published), R² "
        f"{fit.quality[0]:.4f}, RMSE {fit.quality[1]:.4f}, {fit.seconds:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
