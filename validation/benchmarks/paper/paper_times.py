"""How long one run of each benchmark of the paper takes on an idle machine, by the clock.

Run `python validation/benchmarks/paper/paper_times.py [--rows A,B] [--threads N] [--write]`: each
row is a command of this folder with a seed that is not reported, in a process of its own and with
its records in a folder that is thrown away; some twelve minutes. The records of the benchmarks hold
times, too, but the machine was shared with other work when they were made. Exit code 1: a command
failed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from paper_records import ROOT, chosen, machine, paragraph, table

PAGE = ROOT / "validation" / "results" / "paper" / "times.md"

HERE = Path(__file__).resolve().parent

SEED = 101


@dataclass(frozen=True)
class Row:
    """A run of a benchmark.

    Attributes:
        title: of the row.
        published: time that the paper gives, on a graphics card.
        command: script and arguments that choose one run.
    """

    title: str
    published: str
    command: tuple[str, ...]


ROWS = {
    "dimerization_published": Row(
        "dimerisation, published setting, one of eight pairs of constants",
        "minutes",
        ("paper_dimerization.py", "--modes", "published", "--places", "4"),
    ),
    "dimerization": Row(
        "dimerisation, a tenth of the trajectories, all eight pairs",
        "minutes",
        ("paper_dimerization.py", "--modes", "ours_tenth"),
    ),
    "segments": Row(
        "oscillator, segments", "about 19 min", ("paper_oscillator.py", "--modes", "segments")
    ),
    "whole": Row(
        "oscillator, whole trajectories",
        "about 19 min, from segments",
        ("paper_oscillator.py", "--modes", "whole"),
    ),
    "ion_channel": Row(
        "ion channel, 100 sweeps, three sums",
        "112 s",
        ("paper_ion_channel.py", "--methods", "openings"),
    ),
    "ion_channel_mean": Row(
        "ion channel, 100 sweeps, the mean alone",
        "112 s",
        ("paper_ion_channel.py", "--methods", "mean"),
    ),
}


@dataclass(frozen=True)
class Took:
    """What a run took.

    Attributes:
        fit_s: wall time of the descent, what it compiles included.
        wall_s, cpu_s: of the whole command, its page and figure included.
    """

    fit_s: float
    wall_s: float
    cpu_s: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Time the rows; return 1 if a command failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", default=",".join(ROWS), help=", ".join(ROWS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    try:
        names = chosen(options.rows, ROWS)
    except argparse.ArgumentTypeError as error:
        parser.error(f"--rows: {error}")
    if options.write and set(names) != set(ROWS):
        parser.error("--write: the page has all rows; leave out --rows")
    found: list[tuple[Row, Took]] = []
    for row in map(ROWS.__getitem__, names):
        try:
            took = timed(row, options.threads)
        except subprocess.CalledProcessError as error:
            print(f"{row.title}: failed\n{error.stderr}", file=sys.stderr)
            return 1
        found.append((row, took))
        print(f"{row.title}: {took.fit_s:.0f} s, command {took.wall_s:.0f} s", flush=True)
    text = page(found, options.threads)
    print(text)
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
    return 0


def timed(row: Row, threads: int) -> Took:
    """Run a row and say what it took.

    Raises:
        subprocess.CalledProcessError: the command failed.
    """
    script, *chosen_run = row.command
    with tempfile.TemporaryDirectory(prefix="times-") as name:
        records = Path(name) / "records.jsonl"
        command = [sys.executable, str(HERE / script), *chosen_run, "--seeds", str(SEED)]
        command += ["--threads", str(threads), "--records", str(records), "--out", name]
        before, begin = _cpu_s(), time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, text=True)
        wall_s, cpu_s = time.perf_counter() - begin, _cpu_s() - before
        made = [json.loads(line) for line in records.read_text().splitlines()]
    fit_s = sum(r["seconds"] for r in made)
    return Took(fit_s, wall_s, cpu_s)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def page(found: Iterable[tuple[Row, Took]], threads: int) -> str:
    """Return the table with what it means."""
    rows = [
        (row.title, row.published, *(f"{s:.0f}" for s in (took.fit_s, took.wall_s, took.cpu_s)))
        for row, took in found
    ]
    heads = ("one run", "published, GPU", "descent, s", "whole command, s", "processor, s")
    lines = [
        "# How long one run takes",
        "",
        *paragraph(
            f"Wall time on a machine of {os.cpu_count()} cores that does nothing else, {threads} "
            f"threads, seed {SEED}; written by `python validation/benchmarks/paper/paper_times.py "
            "--write`. *descent* is the fit alone, *whole command* also starting Python, making "
            "the data, the page and the figure, *processor* the processor time of that. How many "
            "trajectories and epochs there are is on the pages of the benchmarks."
        ),
        *paragraph(f"{datetime.now(UTC).date()}: {machine()}."),
        *table(heads, rows),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
