"""Real single-channel records against models that are suited to them, judged on unseen dwells.

Run `python validation/benchmarks/paper/paper_channel_records.py FILE.csv:DEAD_TIME ...
[--replicates N] [--calibrate N] [--records FILE] [--out DIR]`, the dead time in ms. A record is cut
into stretches of neighbouring dwells; every other stretch is fitted and the rest is judged. The
models are schemes of open and shut states in which every open state leads to every shut one and
back; they describe the record as it is seen, with its resolution. With tied shares neighbours know
nothing of each other; with free ones they do. Trajectories are simulated exactly, one firing a
dwell, and every simulated record is fitted again before it is compared.

`--calibrate N` measures that test: N data sets of the accepted scheme of each record are judged by
the same class of schemes, and a fifth as many by wrong ones. Every verdict and data set is a line
of the records, so that a run can be cut and continued, and without a file the page and the figure
are written again. Exit code 1: no scheme passes on a record.
"""

from __future__ import annotations

import argparse
import math
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from dwells.bootstrap import LEVEL
from dwells.calibration import calibrate
from dwells.figure import plot
from dwells.halves import read_record
from dwells.report import page
from dwells.statistics import check_bursts
from dwells.work import accepted, done, judge_record, latest
from paper_records import ROOT, kept

import sbmlgrad as sg

RESULTS = ROOT / "validation" / "results" / "paper"

#: Simulated records that a verdict ranks among.
REPLICATES = 299

#: With fewer, no p-value could be as small as the level.
LEAST = math.ceil(1.0 / LEVEL) - 1


def file_and_dead_time(text: str) -> tuple[Path, float]:
    """Return a file and its dead time in ms, for argparse."""
    name, colon, number = text.rpartition(":")
    if not colon or not name:
        raise argparse.ArgumentTypeError(
            f"{text!r} has no dead time; write FILE.csv:DEAD_TIME, such as record.csv:0.025 for "
            "25 µs, with the resolution that was imposed on the record"
        )
    try:
        dead_time = float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: the dead time {number!r} is no number of ms"
        ) from None
    if not 0.0 < dead_time < math.inf:
        raise argparse.ArgumentTypeError(
            f"{text!r}: the dead time must be positive, in ms; the header of the file may tell it"
        )
    path = Path(name)
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "not there"
        raise argparse.ArgumentTypeError(f"{name!r} is {kind}; give one file of dwells")
    return path, dead_time


def at_least(least: int):
    """Return a reader of whole numbers from `least` on, for argparse."""

    def number(text: str) -> int:
        if not text.lstrip("+-").isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from {least} on")
        return int(text)

    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit and test what is not kept yet; return 1 if a record has no scheme that passes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "files",
        nargs="*",
        type=file_and_dead_time,
        metavar="FILE.csv:DEAD_TIME",
        help="dwells, the dead time in ms; none: page and figure again",
    )
    parser.add_argument("--replicates", type=at_least(LEAST), default=REPLICATES)
    parser.add_argument("--calibrate", type=at_least(1), metavar="N", help="data sets a record")
    parser.add_argument("--records", type=Path, default=RESULTS / "channel_records.jsonl")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    for path, dead_time in options.files:
        try:
            record = read_record(path, dead_time)
            for half in (record.fitted, record.unseen):
                check_bursts(half)
        except (sg.SbmlGradError, ValueError) as problem:
            # A wrong dead time concerns thousands of rows, and the reader lists all of them.
            parser.error(textwrap.shorten(f"{path}: {problem}", 600))
        judge_record(options.records, path.stem, dead_time, record, options.replicates)
    if not done(kept(options.records), kind="verdict"):
        parser.error(f"{options.records} holds no verdict; give a FILE.csv:DEAD_TIME")
    if options.calibrate:
        calibrate(options.records, options.calibrate)
    lines = kept(options.records)
    text = page(lines)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "channel_records.md").write_text(text)
    plot(lines, options.out / "channel_records.png")
    names = [line["record"] for line in done(lines, kind="record")]
    return int(any(accepted(latest(lines, name)) is None for name in names))


if __name__ == "__main__":
    sys.exit(main())
