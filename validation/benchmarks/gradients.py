"""Time, memory and noise of our gradients beside TensorFlow's tape and stochastix.

Run `python validation/benchmarks/gradients.py --quick` for a first look, and without `--quick` for
figures to quote. stochastix needs JAX and an environment of its own, named by `--jax-python`:

    python -m venv jax
    jax/bin/pip install stochastix

Every contender runs in a process of its own, on one core, and takes its turn in every round; a
contender that is not installed or fails is listed as such.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine_timing.contenders import machine
from gradient_timing.contenders import estimators, peers
from gradient_timing.jobs import JOBS, write
from gradient_timing.measure import Comparison, Effort, Measured, Say, compare, memory_of
from gradient_timing.plots import plot
from gradient_timing.tables import time_report, variance_report
from gradient_timing.variance import CASES, Study, study

PARTS = ("time", "memory", "variance")

_QUICK_JOBS = ("dimerisation",)

_QUICK = Effort(rounds=2, seconds=0.2, budget_s=120.0)
_FULL = Effort(rounds=3, seconds=0.5, budget_s=400.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; return 1 if one of ours failed, 130 if interrupted, else 0."""
    given = _parser().parse_args(arguments)
    described = machine()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {given.core})
    begin = time.perf_counter()

    def say(line: str) -> None:
        print(f"[{time.perf_counter() - begin:6.1f} s] {line}", file=sys.stderr, flush=True)

    given.out.mkdir(parents=True, exist_ok=True)
    code = 0
    with tempfile.TemporaryDirectory(prefix="gradients-") as name:
        try:
            if {"time", "memory"} & set(given.parts):
                code = _time(given, described, Path(name), say)
            if "variance" in given.parts:
                _variance(given, described, say)
        except KeyboardInterrupt:
            say("interrupted; what was measured is kept")
            code = 130
    return code


def _time(given: argparse.Namespace, described: Mapping[str, str], folder: Path, say: Say) -> int:
    """Measure time and memory; return 1 if one of ours failed."""
    ours, effort = estimators(), _QUICK if given.quick else _FULL
    contenders = [*ours, *peers(jax_python=given.jax_python)]
    jobs: list[Comparison] = []
    memories: list[tuple[str, int, Measured]] = []

    def save() -> None:
        text = time_report(jobs, memories, described)
        (given.out / "gradients.md").write_text(text, encoding="utf-8")

    if "memory" in given.parts:
        number = 100_000 if given.quick else 1_000_000
        for name in ("ion_channel", "dimerisation"):
            entry = memory_of(ours[0], number, write(JOBS[name], 0, folder), 600.0)
            memories.append((JOBS[name].title, number, entry))
            say(f"memory of {number} trajectories: {entry.memory} {entry.message}")
            save()
    if "time" in given.parts:
        for name in given.jobs or (_QUICK_JOBS if given.quick else tuple(JOBS)):
            jobs.append(compare(JOBS[name], contenders, effort, folder, say))
            save()
    print((given.out / "gradients.md").read_text(encoding="utf-8"))
    entries = [e for job in jobs for e in job.entries] + [e for *_, e in memories]
    return int(any(e.is_ours and e.status != "ran" for e in entries))


def _variance(given: argparse.Namespace, described: Mapping[str, str], say: Say) -> None:
    """Measure noise and bias, and draw them."""
    models = tuple(CASES)[:1] if given.quick else tuple(CASES)
    number = given.trajectories or (1_000 if given.quick else 10_000)
    found = Study()
    try:
        study(found, models, number, 1, say)
    finally:
        if found.rows:
            _save_variance(found, given, described)


def _save_variance(found: Study, given: argparse.Namespace, described: Mapping[str, str]) -> None:
    figure = given.figure or given.out / "gradients_noise.png"
    figure.parent.mkdir(parents=True, exist_ok=True)
    plot(found, figure)
    address = Path(os.path.relpath(figure, given.out)).as_posix()
    text = variance_report(found, described, address)
    (given.out / "gradients_variance.md").write_text(text, encoding="utf-8")
    print(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="short jobs, for a first look")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--jobs", nargs="+", choices=tuple(JOBS))
    parser.add_argument("--trajectories", type=int, help="of one estimator, for its noise")
    parser.add_argument("--jax-python", default=sys.executable, help="interpreter of stochastix")
    parser.add_argument("--core", type=int, default=0, help="the core that everything runs on")
    parser.add_argument("--out", type=Path, default=Path("gradients"), help="folder for tables")
    parser.add_argument("--figure", type=Path, help="the plot; beside the tables if not given")
    return parser


if __name__ == "__main__":
    sys.exit(main())
