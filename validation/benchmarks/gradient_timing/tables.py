"""The results of the gradient benchmark as Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from engine_timing.measure import MOST_DEVIATIONS

from gradient_timing.measure import Comparison, Measured
from gradient_timing.variance import Row, Study

METHOD = f"""\
Processor time of one process on one core; median of the rounds. Contenders take turns in every
round; loading, compiling and the first calls are left out. All simulate in double precision until
the same time and differentiate the same number: the ensemble mean of the sum over five windows of
the average of one species, with respect to every parameter. Firings are those that happened; peers
also pay for the turns in which a trajectory waits for the longest one. *Gradient* is simulating and
differentiating together. *Backward / forward* is what differentiating adds, over simulating alone
by the same contender. *Memory* is by how much one gradient raised the peak of the memory in use of
a fresh process, after one of an eighth as many trajectories; compiling for a new shape is included.
*Difference* is the norm of the gradient minus that of our `StraightThrough(1)`, over the latter's
norm, ± standard error: the same estimator must give zero, others need not. A contender whose
statistic is not ours (|z| ≥ {MOST_DEVIATIONS:g}) is marked **wrong**."""

VARIANCE = """\
*Noise* is the standard deviation of the gradient from ONE trajectory over the norm of the true
gradient, both in logarithms of the parameters; its square is the number of trajectories for an
error of 100 %. *Bias* is the norm of the mean gradient's error over that of the true gradient, ±
the standard error of both. Estimates of a noise that grows without bound depend on the largest
values met and are too low, if anything. The models follow
[arXiv:2604.02121](https://arxiv.org/abs/2604.02121) in kind; its parameters and statistics were not
at hand, and ours cannot be compared with its figures one by one."""


def time_report(
    jobs: Sequence[Comparison],
    memories: Sequence[tuple[str, int, Measured]],
    machine: Mapping[str, str],
) -> str:
    """Return the report on time and memory.

    Args:
        jobs: what was compared.
        memories: (title of the job, trajectories, memory of a gradient of so many).
        machine: what the figures depend on.
    """
    parts = ["# Gradients: time and memory", _described(machine), METHOD]
    parts += [job_table(job) for job in jobs]
    if jobs:
        parts += ["## Ratios", ratio_table(jobs)]
    if memories:
        parts += ["## Memory of a large ensemble", memory_table(memories)]
    return "\n\n".join(parts) + "\n"


def variance_report(study: Study, machine: Mapping[str, str], figure: str) -> str:
    """Return the report on noise and bias; `figure` is the address of the plot."""
    parts = ["# Gradients: noise and bias", _described(machine), VARIANCE]
    parts += [f"![Noise of one trajectory]({figure})", "## By temperature"]
    parts += [*temperature_tables(study), "## By regime", *regime_tables(study)]
    return "\n\n".join(parts) + "\n"


def _described(machine: Mapping[str, str]) -> str:
    return " · ".join(f"{k}: {v}" for k, v in machine.items())


def job_table(job: Comparison) -> str:
    """Return the table of one job, a line of description above it."""
    rows = []
    for entry in job.entries:
        name = entry.contender.title + (f" {entry.version}" if not entry.is_ours else "")
        if not entry.rounds or entry.status != "ran":
            rows.append([name, "", "", "", "", "", "", f"{entry.status}: {entry.message}"])
            continue
        forward, gradient = entry.forward_ns or math.nan, entry.gradient_ns or math.nan
        rows.append(
            [
                name,
                f"{forward:.3g}",
                f"{gradient:.3g}",
                f"{(gradient - forward) / forward:.2f}",
                _memory(entry),
                f"{entry.rounds[0].trajectories:,}",
                difference(job, entry),
                "**wrong**" if job.is_wrong(entry) else "",
            ]
        )
    header = ["", "forward [ns / firing]", "gradient [ns / firing]", "backward / forward"]
    header += ["memory [byte / firing]", "trajectories", "difference", ""]
    words = (
        f"**{job.job.title}**: {len(job.job.channels)} reactions to t = {job.job.end:g}, "
        f"{job.firings:,.4g} firings a trajectory, {job.most_firings:,} at most; "
        f"gradient of {job.job.watched}"
    )
    return f"{words}\n\n{table(header, rows)}"


def difference(job: Comparison, entry: Measured) -> str:
    """Return how far a gradient is from our straight-through one, or nothing."""
    ours = job.named("straight_1")
    if ours is None or entry is ours:
        return ""
    (theirs, error), (mean, own_error) = entry.slope(), ours.slope()
    norm = float(np.linalg.norm(mean))
    gap = float(np.linalg.norm(theirs - mean)) / norm
    return f"{100.0 * gap:.2g} ± {100.0 * math.hypot(error, own_error) / norm:.2g} %"


def ratio_table(jobs: Sequence[Comparison]) -> str:
    """Return by how much the peers' gradients cost more than ours."""
    rows = []
    for job in jobs:
        for peer in (e for e in job.entries if not e.is_ours and e.rounds):
            row = [job.job.title, peer.contender.title]
            for name in ("two_sided", "straight_1", "straight_0"):
                ours = job.named(name)
                if ours is None or job.is_wrong(peer):
                    row.append("")
                else:
                    row.append(f"{(peer.gradient_ns or math.nan) / (ours.gradient_ns or 1.0):.3g}")
            rows.append(row)
    header = ["job", "gradient by", "÷ TwoSidedAdjoint", "÷ StraightThrough(1)"]
    return table([*header, "÷ StraightThrough(0)"], rows)


def memory_table(memories: Sequence[tuple[str, int, Measured]]) -> str:
    """Return the memory of gradients of large ensembles."""
    rows = []
    for title, number, entry in memories:
        row = [title, entry.contender.title, f"{number:,}"]
        if entry.memory is None:
            rows.append([*row, "", "", f"{entry.status}: {entry.message}"])
        else:
            row += [f"{entry.memory_firings:.3g}", f"{entry.memory / 1e6:,.0f}", _memory(entry)]
            rows.append(row)
    header = ["job", "estimator", "trajectories", "firings", "memory [MB]", "byte / firing"]
    return table(header, rows)


def temperature_tables(study: Study) -> list[str]:
    """Return one table a model, in the regime where all temperatures were tried."""
    tables = []
    for model in dict.fromkeys(row.case.model for row in study.rows):
        own = [row for row in study.rows if row.case.model == model]
        numbers = {row.case.at: sum(r.case == row.case for r in own) for row in own}
        at = max(numbers, key=lambda a: numbers[a])
        chosen = [row for row in own if row.case.at == at]
        case = chosen[0].case
        words = (
            f"**{model}**, {case.varies} = {case.at:g}, to t = {case.end:g}, gradient of "
            f"{case.watched}; truth: {study.references[model, case.at]}"
        )
        lines = [[title(r), *figures(r), f"{r.trajectories:,}"] for r in chosen]
        tables.append(f"{words}\n\n{table(['estimator', 'noise', 'bias', 'trajectories'], lines)}")
    return tables


def regime_tables(study: Study) -> list[str]:
    """Return one table a model, noise and bias of each estimator in each regime."""
    tables = []
    for model in dict.fromkeys(row.case.model for row in study.rows):
        own = [row for row in study.rows if row.case.model == model]
        regimes = list(dict.fromkeys(row.case.at for row in own))
        common = [t for t in dict.fromkeys(map(title, own))]
        lines = []
        for name in common:
            found = {r.case.at: r for r in own if title(r) == name}
            if len(found) == len(regimes):
                lines.append([name, *(" / ".join(figures(found[at])) for at in regimes)])
        header = [f"noise / bias at {own[0].case.varies} ="] + [f"{at:g}" for at in regimes]
        tables.append(f"**{model}**\n\n{table(header, lines)}")
    return tables


def title(row: Row) -> str:
    """Return an estimator with its temperature."""
    return row.estimator if row.temperature is None else f"{row.estimator}({row.temperature:g})"


def figures(row: Row) -> list[str]:
    """Return noise and bias as text."""
    if row.message:
        return ["refused", ""]
    return [f"{row.noise:.2g}", f"{100 * row.bias:.2g} ± {100 * row.bias_error:.2g} %"]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(header)} |", "|---" + "|--:" * (len(header) - 1) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def _memory(entry: Measured) -> str:
    if entry.memory is None or not entry.memory_firings:
        return ""
    return f"{entry.memory / entry.memory_firings:.2g}"
