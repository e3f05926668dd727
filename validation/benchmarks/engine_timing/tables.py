"""The results as Markdown and as JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from engine_timing.axes import Count, Results, Start
from engine_timing.measure import MOST_DEVIATIONS, Comparison, Measured

_TITLES = {
    "models": "Models",
    "grid": "Output times",
    "ensemble": "Ensemble size",
    "threads": "Threads",
    "sizes": "Size of a sparse network",
}

METHOD = f"""Firings per second of processor time of one process and its children, one thread each:
median of the rounds and their range. Contenders take turns in every round; loading, compiling and
the first call are left out. Our firings are counted; a peer's are the mean number of firings of one
trajectory, which our engine measured over many (with its standard error, below), times its
trajectories. A peer whose mean of one species at the end is not ours (|z| ≥ {MOST_DEVIATIONS:g}) is
marked **wrong** and is no one's yardstick. Reversible reactions are written as two, since some
peers fire them on the net rate."""


def fastest_peer(job: Comparison) -> Measured | None:
    """Return the peer with the highest median that is not wrong, if any ran."""
    peers = [e for e in job.entries if not e.is_ours and e.speed and not e.is_wrong]
    return max(peers, key=lambda e: e.speed or 0.0, default=None)


def named(job: Comparison, contender: str) -> Measured | None:
    """Return the entry of a contender if it ran and is not wrong."""
    found = [e for e in job.entries if e.contender == contender and e.speed and not e.is_wrong]
    return found[0] if found else None


def report(results: Results, machine: Mapping[str, str], missing: Mapping[str, str]) -> str:
    """Return the whole report as Markdown.

    Args:
        results: of the axes that ran, complete or not.
        machine: what the figures depend on.
        missing: peer → why it took no part.
    """
    parts = ["# Throughput", " · ".join(f"{k}: {v}" for k, v in machine.items()), METHOD]
    if missing:
        parts.append("\n".join(f"- not installed: {name} ({why})" for name, why in missing.items()))
    if results.failures:
        parts.append("\n".join(f"- not measured: {failure}" for failure in results.failures))
    for axis, jobs in results.axes.items():
        parts.append(f"## {_TITLES[axis]}")
        if axis == "threads":
            parts += [thread_table(job) for job in jobs]
        else:
            parts.append("\n\n".join(job_table(job) for job in jobs))
    if results.starts:
        parts += ["## First result", start_table(results.starts)]
    if results.counts:
        parts += ["## Counts that peers list", count_table(results.counts)]
    return "\n\n".join(parts) + "\n"


def job_table(job: Comparison) -> str:
    """Return the table of one job, a line of description above it."""
    best, roadrunner = fastest_peer(job), named(job, "roadrunner")
    rows = []
    for entry in job.entries:
        speed = entry.speed
        if speed is None:
            rows.append([entry.title, _failure(entry), "", "", "", "", ""])
            continue
        ratios = [_ratio(speed, other) for other in (best, roadrunner)]
        calls = f"{len(entry.rounds)} × {entry.rounds[0].trajectories:,}"
        words = ["**wrong**"] if entry.is_wrong else []
        words += [entry.message] if entry.message else []
        verdict = f"{entry.z:+.1f}" if entry.z is not None else ""
        rows.append([entry.title, _speed(entry), *ratios, calls, verdict, "; ".join(words)])
    header = ["", "firings/s", "of fastest peer", "of roadrunner", "trajectories", "z", ""]
    return f"{describe(job)}\n\n{_table(header, rows)}"


def describe(job: Comparison) -> str:
    """Return what was run, and the firings expected."""
    model, firings = job.model, job.expected.firings
    share = f" ({100.0 * firings.error / firings.mean:.2g} %)" if firings.mean else ""
    size = f", {job.trajectories:,} trajectories a call" if job.trajectories else ""
    return (
        f"**{model.title}**: {len(model.species):,} species, {len(model.reactions):,} reactions, "
        f"to t = {model.end:g} at {model.points:,} times{size}; "
        f"{firings.mean:,.6g} ± {firings.error:.2g}{share} firings a trajectory "
        f"over {firings.number:,}; z of the mean of {model.watched}"
    )


def thread_table(job: Comparison) -> str:
    """Return wall-clock speeds of one and two threads of each kernel, and their ratio."""
    rows = []
    for one in (e for e in job.entries if e.contender.endswith("_1")):
        two = named(job, one.contender.removesuffix("_1") + "_2")
        if not one.speed or two is None:
            rows.append([one.title, _failure(one), "", ""])
            continue
        rates = [statistics.median(r.firings / r.wall_s for r in e.rounds) for e in (one, two)]
        rows.append([one.title, *(_short(r) for r in rates), f"{rates[1] / rates[0]:.2f}"])
    header = ["", "1 thread [firings/s of wall-clock time]", "2 threads", "ratio"]
    return f"{describe(job)}\n\n{_table(header, rows)}"


def start_table(starts: Sequence[Start]) -> str:
    """Return seconds until the first result of new processes."""
    rows = []
    for entry in starts:
        if not entry.first_s:
            rows.append([entry.title, f"{entry.status}: {entry.message}", "", ""])
            continue
        files = ""
        if entry.files is not None:
            before, after = entry.files
            files = f"{before} files, {after - before} more by later processes"
        rows.append([entry.title, _seconds(entry.first_s), _seconds(entry.later_s), files])
    words = (
        "Wall-clock seconds from the start of a new process until ten trajectories of the "
        "oscillator to t = 20 at 201 times are there: imports, loading, compiling. The first "
        "process has an empty folder of kernels, the later ones what it left there; peers keep "
        "nothing between processes."
    )
    header = ["", "first process [s]", "later process [s]", "kernels kept"]
    return f"{words}\n\n{_table(header, rows)}"


def count_table(counts: Sequence[Count]) -> str:
    """Return firings as peers list them beside the expected number."""
    rows = []
    for entry in counts:
        if not entry.counted.number or entry.z is None:
            rows.append([entry.title, f"{entry.status}: {entry.message}", "", ""])
            continue
        found = f"{entry.counted.mean:,.6g} ± {entry.counted.error:.2g}"
        rows.append([entry.title, found, f"{entry.counted.number}", f"{entry.z:+.1f}"])
    expected = counts[0].expected
    words = (
        f"Oscillator: {expected.mean:,.6g} ± {expected.error:.2g} firings a trajectory expected, "
        "beside those of peers that can return every firing."
    )
    header = ["", "firings a trajectory", "trajectories", "z"]
    return f"{words}\n\n{_table(header, rows)}"


def as_json(results: Results, machine: Mapping[str, str], missing: Mapping[str, str]) -> str:
    """Return all raw figures; of a model, only its size."""
    jobs = {axis: [_job(job) for job in jobs] for axis, jobs in results.axes.items()}
    data = {
        "machine": dict(machine),
        "missing": dict(missing),
        "failures": results.failures,
        "axes": jobs,
        "starts": [asdict(s) for s in results.starts],
        "counts": [asdict(c) for c in results.counts],
    }
    return json.dumps(data, indent=1)


def _job(job: Comparison) -> dict[str, Any]:
    data = asdict(job)
    model = data["model"]
    model["species"], model["reactions"] = len(model["species"]), len(model["reactions"])
    del model["counts"]
    return data


def _failure(entry: Measured) -> str:
    return f"{entry.status}: {entry.message}".replace("|", "\\|").replace("\n", " ")


def _speed(entry: Measured) -> str:
    speeds = entry.speeds()
    return f"{_short(statistics.median(speeds))} [{_short(min(speeds))}, {_short(max(speeds))}]"


def _ratio(speed: float, other: Measured | None) -> str:
    return f"{speed / other.speed:.3g}" if other is not None and other.speed else "–"


def _seconds(values: Sequence[float]) -> str:
    if not values:
        return "–"
    return f"{statistics.median(values):.2f} [{min(values):.2f}, {max(values):.2f}]"


def _short(value: float) -> str:
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def lines() -> Iterator[str]:
        yield f"| {' | '.join(header)} |"
        yield "|---" + "|--:" * (len(header) - 1) + "|"
        for row in rows:
            yield f"| {' | '.join(row)} |"

    return "\n".join(lines())
