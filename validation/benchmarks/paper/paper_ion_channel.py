"""The paper's ion channel C ⇌ O → I, fitted to sweeps simulated from the published rates.

Of the committed page this makes what is about 100 sweeps:

    python validation/benchmarks/paper/paper_ion_channel.py

And with these options what is about a million:

    --methods openings --sweeps 1000000 --seeds 1 --trajectories 4096
    --methods mean_and_changes --sweeps 1000000 --seeds 1 --trajectories 4096
    --methods mean_and_changes_two_sided --sweeps 1000000 --seeds 1 --trajectories 8192

`--methods ""` only writes page and figure again. `--recording FILE.xlsx` fits the published
recording, which does not come with sbmlgrad (layout: `paper_nav15_file`). Fits that are in the
records are not made again, and one that was cut goes on. Exit code 1: from 10^6 sweeps a rate is
off by more than 2 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from ion_channel.exact import mean_open, starts
from ion_channel.figure import plot
from ion_channel.fits import (
    DESCENTS,
    EPOCHS,
    EXACT,
    LEARNING_RATES,
    Fit,
    descent,
    exact_fits,
    fit_of,
)
from ion_channel.nav15_file import read_sweeps
from ion_channel.report import is_missed, page
from ion_channel.sweeps import (
    CHANNELS,
    SWEEPS,
    WINDOWS,
    Sweeps,
    simulate_sweeps,
    sweeps_of_record,
    truth,
)
from paper_records import ROOT, chosen, keep, kept, numbers

from sbmlgrad.errors import SbmlGradError

RESULTS = ROOT / "validation" / "results" / "paper"

#: Fewest sweeps to fit, and fewest trajectories to differentiate.
FEWEST = 10

#: Trajectories of an epoch where none are asked for: of these methods, and of others.
TRAJECTORIES = {"openings": 1024}
OTHER_TRAJECTORIES = 2048


def main(arguments: Sequence[str] | None = None) -> int:
    def names(text: str) -> list[str]:
        return chosen(text, DESCENTS)

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--methods", type=names, default=list(DESCENTS), help=f"of {', '.join(DESCENTS)}; all"
    )
    parser.add_argument("--sweeps", type=_at_least(FEWEST), default=SWEEPS)
    parser.add_argument("--seeds", type=numbers, default=(1, 2, 3, 4, 5))
    parser.add_argument(
        "--trajectories",
        type=_at_least(FEWEST),
        help=f"of an epoch; {OTHER_TRAJECTORIES}, of openings {TRAJECTORIES['openings']}",
    )
    parser.add_argument("--epochs", type=_at_least(1), default=EPOCHS)
    parser.add_argument("--threads", type=_at_least(1), default=2)
    parser.add_argument("--recording", type=Path, help="file to fit instead of simulated sweeps")
    parser.add_argument(
        "--leave-out", type=numbers, default=(), help="sweeps of the recording, such as 4,17"
    )
    parser.add_argument("--records", type=Path, default=RESULTS / "ion_channel.jsonl")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    try:
        if options.recording is not None:
            fit_recording(options)
            return 0
        for seed in options.seeds:
            for method in (EXACT[-1], *options.methods) if options.methods else ():
                run(options, method, seed)
    except SbmlGradError as error:
        parser.error(str(error))
    fits = [fit_of(record) for record in kept(options.records)]
    if not fits:
        parser.error(f"{options.records} holds no fit")
    options.out.mkdir(parents=True, exist_ok=True)
    text = page(fits)
    print(text)
    (options.out / "ion_channel.md").write_text(text)
    plot(fits, options.out / "ion_channel.png")
    return int(is_missed(fits))


def fit_recording(options: argparse.Namespace) -> None:
    """Fit a recording by all methods, from starts that it suggests itself."""
    opened = read_sweeps(options.recording)
    out = [sweep - 1 for sweep in options.leave_out]
    if out and not 0 <= min(out) <= max(out) < len(opened):
        raise SbmlGradError(f"--leave-out: the recording has sweeps 1 to {len(opened)}")
    sweeps = sweeps_of_record(np.delete(opened, out, axis=0))
    print(f"{options.recording.name}: {sweeps.count} sweeps, {len(out)} left out", flush=True)
    for fit in exact_fits(sweeps, 0):
        print(told(fit), flush=True)
    # The start whose mean is nearest to that of the recording.
    start = nearest(sweeps)
    for method in options.methods:
        made = descent(
            method,
            sweeps,
            0,
            trajectories=trajectories(options, method),
            epochs=options.epochs,
            threads=options.threads,
            start=start,
        )
        print(told(made), flush=True)


def nearest(sweeps: Sweeps) -> np.ndarray:
    """Return of the starts that sweeps suggest the one whose exact mean is nearest to theirs."""
    begin = starts(sweeps.pooled, WINDOWS, CHANNELS)
    off = [mean_open(rates, WINDOWS, CHANNELS) - sweeps.pooled for rates in begin]
    return begin[int(np.argmin([row @ row for row in off]))]


def trajectories(options: argparse.Namespace, method: str) -> int:
    """Return how many trajectories an epoch of a method has."""
    if options.trajectories is not None:
        return options.trajectories
    return TRAJECTORIES.get(method, OTHER_TRAJECTORIES)


def run(options: argparse.Namespace, method: str, seed: int) -> None:
    """Make one fit unless it was made before, and keep it."""
    done = {fit.key for fit in map(fit_of, kept(options.records))}
    count = trajectories(options, method)
    setting = (0, 0, ()) if method in EXACT else (count, options.epochs, LEARNING_RATES)
    # A fit whose record does not say its learning rates is not made again.
    if any((method, s, options.sweeps, seed) in done for s in (setting, (*setting[:2], ()))):
        return
    sweeps = _sweeps(seed, options.sweeps)
    if method in EXACT:
        made = [fit for fit in exact_fits(sweeps, seed) if fit.key not in done]
    else:
        rates = "_".join(f"{rate:g}" for rate in LEARNING_RATES)
        name = f"{method}_{options.sweeps}_{seed}_{count}_{options.epochs}_{rates}.npz"
        checkpoint = options.records.parent / "under_way" / name
        made = [
            descent(
                method,
                sweeps,
                seed,
                trajectories=count,
                epochs=options.epochs,
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
    ends = "; AT A BOUND: the data do not determine it" if any(fit.at_bound) else ""
    return (
        f"{fit.method}, {fit.sweeps} sweeps, seed {fit.seed}: rates "
        f"{', '.join(f'{r:.4g}' for r in fit.rates)} /ms ({off} of the published{ends}), R² "
        f"{fit.quality[0]:.4f}, RMSE {fit.quality[1]:.4f}, {fit.seconds:.0f} s"
    )


def _at_least(least: int):
    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r}: give a whole number of {least} or more")
        return int(text)

    return read


if __name__ == "__main__":
    sys.exit(main())
