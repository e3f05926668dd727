"""Reversible dimerisation: the constants learned as the paper does, and by `TwoSidedAdjoint`.

Run `python validation/benchmarks/paper/paper_dimerization.py [--modes A,B] [--seeds 1-5]
[--places 0-7] [--rates FIRST LAST] [--threads N] [--records FILE] [--out DIR]`. Every fit is kept
as one line of the records and a fit under way in a checkpoint beside them, so a campaign can be cut
and continued. `--rates` tries learning rates other than those of a mode; the page lists such fits
by themselves. `--modes ""` only writes the page and the figure again. Exit code 1: a mode that is
complete for seeds 1 to 5 misses the published error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from paper_records import ROOT, chosen, keep, kept, numbers, places, positive
from reversible_dimerization.fits import K2, MODES, Fit, Mode, fit_of, fit_one
from reversible_dimerization.report import is_missed, page, plot

#: What the committed page has: the published setting and ours, and fewer trajectories of both.
DEFAULT = "published,ours_tenth,published_tenth,published_hundredth,ours_hundredth"

RESULTS = ROOT / "validation" / "results" / "paper"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is not kept yet, write page and figure, and return 1 if an aim is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--modes", default=DEFAULT, help=", ".join(MODES))
    parser.add_argument("--seeds", type=numbers, default=(1, 2, 3, 4, 5))
    every = tuple(range(len(K2)))
    parser.add_argument("--places", type=lambda text: places(text, len(K2)), default=every)
    parser.add_argument("--rates", type=positive, nargs=2, metavar=("FIRST", "LAST"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--records", type=Path, default=RESULTS / "dimerization.jsonl")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    try:
        names = chosen(options.modes, MODES)
    except argparse.ArgumentTypeError as error:
        parser.error(f"--modes: {error}")
    if options.threads < 1:
        parser.error(f"--threads {options.threads}: give a number of at least 1")
    for mode in map(MODES.__getitem__, names):
        tried = replace(mode, rates=tuple(options.rates)) if options.rates else mode
        for seed in options.seeds:
            for place in options.places:
                run(options.records, tried, seed, place, options.threads)
    fits = [fit_of(record) for record in kept(options.records)]
    if not fits:
        parser.error(f"{options.records} holds no fit")
    options.out.mkdir(parents=True, exist_ok=True)
    text = page(fits)
    print(text)
    (options.out / "dimerization.md").write_text(text)
    plot(fits, options.out / "dimerization.png")
    return int(is_missed(fits))


def run(records: Path, mode: Mode, seed: int, place: int, threads: int) -> None:
    """Make one fit unless it was made before, and keep it."""
    done = {(f.mode, f.rates, f.seed, f.place) for f in map(fit_of, kept(records))}
    if (mode.name, mode.rates, seed, place) in done:
        return
    first, last = mode.rates
    state = f"{mode.name}_{first:g}_{last:g}_{seed}_{place}.npz"
    checkpoint = records.parent / "under_way" / state
    fit = fit_one(mode, seed, place, threads=threads, checkpoint=checkpoint)
    keep(records, fit.as_record())
    checkpoint.unlink(missing_ok=True)
    print(told(fit), flush=True)


def told(fit: Fit) -> str:
    """Return one line about a fit."""
    k1, k2 = 100.0 * fit.errors
    return (
        f"{fit.mode} seed {fit.seed} k2 {fit.truth[1]:g}: errors {k1:.3f} % and {k2:.3f} %, "
        f"{fit.seconds:.0f} s, {fit.cpu_seconds:.0f} s of processor"
    )


if __name__ == "__main__":
    sys.exit(main())
