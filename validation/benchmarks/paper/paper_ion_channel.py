"""The paper's ion channel C ⇌ O → I, fitted to sweeps simulated from the published rates.

Run `python validation/benchmarks/paper/paper_ion_channel.py`: it makes the committed page (`PLAN`).
With `--methods`, `--sweeps`, `--seeds`, `--trajectories` or `--epochs` only what they ask for is
made; `--methods ""` only writes page and figure again. `--recording FILE.xlsx --out DIR` fits the
published recording, which does not come with sbmlgrad (layout: `ion_channel/nav15_file.py`), and
writes a page and a figure of it. Fits that are in the records are not made again, and one that was
cut goes on. Exit code 1: from 10^6 sweeps a rate is off by more than 2 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from ion_channel.exact import mean_open, refuse_impossible, starts
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
from ion_channel.recording import plot_recording, recording_page
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

SEEDS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Part:
    """Fits that one setting makes.

    Attributes:
        methods: names, of `DESCENTS`; exact fits are made beside them.
        sweeps, seeds: the data.
        trajectories: of an epoch; None for what the method has else.
        epochs: of a descent.
    """

    methods: tuple[str, ...] = tuple(DESCENTS)
    sweeps: int = SWEEPS
    seeds: tuple[int, ...] = SEEDS
    trajectories: int | None = None
    epochs: int = EPOCHS

    def of_epoch(self, method: str) -> int:
        """Return how many trajectories an epoch of a method has."""
        if self.trajectories is not None:
            return self.trajectories
        return TRAJECTORIES.get(method, OTHER_TRAJECTORIES)


#: What the committed page has: 100 sweeps, the published number of trajectories, a million sweeps.
PLAN = (
    Part(),
    Part(("straight_through",), seeds=(1,), trajectories=262_144),
    Part(("openings", "mean_and_changes"), 1_000_000, (1,), 4096),
    Part(("mean_and_changes_two_sided",), 1_000_000, (1,), 8192),
)

#: Not asked about a recording: it may be led far astray there.
ASTRAY = "mean_and_changes_two_sided"


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit what is not kept yet, write page and figure, and return 1 if an aim is missed."""
    parser = parser_of()
    options = parser.parse_args(arguments)
    if options.recording is not None and options.out is None:
        parser.error("--recording: give --out, too, the folder of its page and figure")
    part = part_of(options)
    try:
        if options.recording is not None:
            fit_recording(options, part or Part())
            return 0
        for each in PLAN if part is None else (part,):
            for seed in each.seeds:
                for method in (EXACT[-1], *each.methods) if each.methods else ():
                    run(options, each, method, seed)
    except SbmlGradError as error:
        parser.error(str(error))
    fits = [fit_of(record) for record in kept(options.records)]
    if not fits:
        parser.error(f"{options.records} holds no fit")
    out = options.out or RESULTS
    out.mkdir(parents=True, exist_ok=True)
    text = page(fits)
    print(text)
    (out / "ion_channel.md").write_text(text)
    plot(fits, out / "ion_channel.png")
    return int(is_missed(fits))


def parser_of() -> argparse.ArgumentParser:
    """Return the parser of the command."""

    def names(text: str) -> list[str]:
        return chosen(text, DESCENTS)

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--methods", type=names, help=f"of {', '.join(DESCENTS)}; all")
    parser.add_argument("--sweeps", type=_at_least(FEWEST))
    parser.add_argument("--seeds", type=numbers)
    parser.add_argument(
        "--trajectories",
        type=_at_least(FEWEST),
        help=f"of an epoch; {OTHER_TRAJECTORIES}, of openings {TRAJECTORIES['openings']}",
    )
    parser.add_argument("--epochs", type=_at_least(1))
    parser.add_argument("--threads", type=_at_least(1), default=2)
    parser.add_argument("--recording", type=Path, help="file to fit instead of simulated sweeps")
    parser.add_argument(
        "--leave-out", type=numbers, default=(), help="sweeps of the recording, such as 4,17"
    )
    parser.add_argument("--records", type=Path, default=RESULTS / "ion_channel.jsonl")
    parser.add_argument(
        "--out",
        type=Path,
        help=f"folder of page and figure, needed by --recording; else {RESULTS.relative_to(ROOT)}",
    )
    return parser


def part_of(options: argparse.Namespace) -> Part | None:
    """Return what options ask for; None if they ask for nothing in particular."""
    names = ("methods", "sweeps", "seeds", "trajectories", "epochs")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if "methods" in given:
        given["methods"] = tuple(given["methods"])
    elif options.recording is not None:
        given["methods"] = tuple(name for name in DESCENTS if name != ASTRAY)
    return Part(**given) if given else None


def fit_recording(options: argparse.Namespace, part: Part) -> None:
    """Fit a recording, from starts that it suggests itself, and write a page and a figure."""
    opened = read_sweeps(options.recording)
    out = [sweep - 1 for sweep in options.leave_out]
    if out and not 0 <= min(out) <= max(out) < len(opened):
        raise SbmlGradError(f"--leave-out: the recording has sweeps 1 to {len(opened)}")
    # What is left out may be anything; sweeps are numbered as in the file.
    checked = opened.copy()
    checked[out] = 0
    refuse_impossible(checked, CHANNELS)
    sweeps = sweeps_of_record(np.delete(opened, out, axis=0))
    print(f"{options.recording.name}: {sweeps.count} sweeps, {len(out)} left out", flush=True)
    fits = exact_fits(sweeps, 0)
    for fit in fits:
        print(told(fit), flush=True)
    # The start whose mean is nearest to that of the recording.
    start = nearest(sweeps)
    for method in part.methods:
        fits += [
            descent(
                method,
                sweeps,
                0,
                trajectories=part.of_epoch(method),
                epochs=part.epochs,
                threads=options.threads,
                start=start,
            )
        ]
        print(told(fits[-1]), flush=True)
    folder = options.out
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / f"{options.recording.stem}.md", folder / f"{options.recording.stem}.png"
    written[0].write_text(recording_page(fits, options.recording.name, options.leave_out))
    plot_recording(fits, sweeps, written[1])
    print(f"written: {', '.join(map(str, written))}")


def nearest(sweeps: Sweeps) -> np.ndarray:
    """Return of the starts that sweeps suggest the one whose exact mean is nearest to theirs."""
    begin = starts(sweeps.pooled, WINDOWS, CHANNELS)
    off = [mean_open(rates, WINDOWS, CHANNELS) - sweeps.pooled for rates in begin]
    return begin[int(np.argmin([row @ row for row in off]))]


def run(options: argparse.Namespace, part: Part, method: str, seed: int) -> None:
    """Make one fit unless it was made before, and keep it."""
    done = {fit.key for fit in map(fit_of, kept(options.records))}
    count = part.of_epoch(method)
    setting = (0, 0, ()) if method in EXACT else (count, part.epochs, LEARNING_RATES)
    # A fit whose record does not say its learning rates is not made again.
    if any((method, s, part.sweeps, seed) in done for s in (setting, (*setting[:2], ()))):
        return
    sweeps = _sweeps(seed, part.sweeps)
    if method in EXACT:
        made = [fit for fit in exact_fits(sweeps, seed) if fit.key not in done]
    else:
        rates = "_".join(f"{rate:g}" for rate in LEARNING_RATES)
        name = f"{method}_{part.sweeps}_{seed}_{count}_{part.epochs}_{rates}.npz"
        checkpoint = options.records.parent / "under_way" / name
        made = [
            descent(
                method,
                sweeps,
                seed,
                trajectories=count,
                epochs=part.epochs,
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
