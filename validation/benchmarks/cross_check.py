"""How long a cross-check of each shipped model takes, and what it could have found in that time.

Run `python validation/benchmarks/cross_check.py [--against NAMES] [--limit SECONDS] [--write]`: the
command `sbmlgrad validate MODEL` with its default settings, for every file of `models/sbml`, first
with no compiled kernels kept from before, then once more. Use an idle machine: the limit is wall
time, as the user waits. Exit code 1: a command took longer than the limit, or ended otherwise than
in agreement.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "validation" / "results" / "cross_check_time.md"

HEADS = (
    "model",
    "until",
    "trajectories a side",
    "tests",
    "mean",
    "sd",
    "first, s",
    "again, s",
    "CPU, s",
)


@dataclass(frozen=True)
class Run:
    """One command.

    Attributes:
        code: that it ended with.
        found: its report as plain data; empty if it printed none.
        wall_s, cpu_s: of the command and all that it started.
    """

    code: int
    found: Mapping[str, Any]
    wall_s: float
    cpu_s: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Time every model; return 1 if one takes too long or does not agree, else 0."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", type=Path, help="default: all of models/sbml")
    parser.add_argument("--against", default="roadrunner")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds of wall time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    rows, is_fine = [], True
    for model in options.models or sorted((ROOT / "models" / "sbml").glob("*.xml")):
        with tempfile.TemporaryDirectory(prefix="kernels-") as kernels:
            runs = [timed(model, options.against, options.seed, kernels) for _ in range(2)]
        is_fine &= all(run.code == 0 and run.wall_s <= options.limit for run in runs)
        rows.append(row(model, runs))
        print(" | ".join(rows[-1]), flush=True)
    if options.write:
        PAGE.write_text(page(rows, options.against, options.limit), encoding="utf-8")
    return int(not is_fine)


def timed(model: Path, against: str, seed: int, kernels: str) -> Run:
    """Run the command and say how long it took.

    Args:
        model: the file.
        against: referees.
        seed: of the command.
        kernels: folder for compiled kernels.
    """
    program = Path(sys.executable).with_name("sbmlgrad")
    command = [str(program), "validate", str(model), "--json"]
    command += ["--against", against, "--seed", str(seed)]
    before, begin = _cpu_s(), time.perf_counter()
    done = subprocess.run(
        command,
        env={**os.environ, "SBMLGRAD_CACHE_DIR": kernels},
        capture_output=True,
        check=False,
    )
    wall_s, cpu_s = time.perf_counter() - begin, _cpu_s() - before
    found = json.loads(done.stdout) if done.stdout.strip() else {}
    return Run(done.returncode, found, wall_s, cpu_s)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def row(model: Path, runs: Sequence[Run]) -> list[str]:
    """Return a row of the table about two runs."""
    first, again = runs
    times = [f"{run.wall_s:.0f}" for run in runs]
    if not again.found.get("comparisons"):
        words = f"ended with {first.code} and {again.code}"
        return [model.stem, "", words, "", "", "", *times, f"{first.cpu_s:.0f}"]
    (one, *_) = again.found["comparisons"]
    least = [_least(one["detectable"], what) for what in ("mean", "sd")]
    cells = [model.stem, f"{one['times'][-1]:g}", f"{one['trajectories']:,}", f"{one['tests']:,}"]
    verdict = "" if again.code == 0 and first.code == 0 else f" (ended with {again.code})"
    return [*cells[:-1], cells[-1] + verdict, *least, *times, f"{first.cpu_s:.0f}"]


def _least(found: Sequence[Mapping[str, Any]], what: str) -> str:
    """Return the range over species of the smallest bias that is found somewhere."""
    # Infinite numbers are words in JSON: what no run of this size could see.
    known = [entry[what] for entry in found if isinstance(entry[what], float)]
    if not known:
        return ""
    low, high = (f"{float(f'{100.0 * v:.2g}'):,g} %" for v in (min(known), max(known)))
    return low if low == high else f"{low} to {high}"


def page(rows: Sequence[Sequence[str]], against: str, limit: float) -> str:
    """Return the table with what it means."""
    text = (
        f"`sbmlgrad validate MODEL --against {against}` with default settings; written by `python "
        "validation/benchmarks/cross_check.py --write`. *mean* and *sd* are the smallest relative "
        "biases that the run finds with a chance of 90 %, at the time that shows them best, over "
        "the species; *first* is wall time with no kernels kept from before, *again* with them, "
        f"*CPU* that of the first run, referee included. The aim is less than {limit:g} s."
    )
    made = f"{datetime.now(UTC).date()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [
        "# How long a cross-check takes",
        "",
        textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False),
        "",
        f"{made}, sbmlgrad {version('sbmlgrad')}.",
        "",
        "| " + " | ".join(HEADS) + " |",
        "|---" * len(HEADS) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
