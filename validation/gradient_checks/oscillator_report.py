"""Table and plot of the oscillator's gradients; see `gradient_oscillator.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gradient_checks.oscillator_found import BATCHES, SPECIES, STEPS, WINDOW, Horizon
from sbmlgrad.model.network import ReactionNetwork

PILOT = (
    "Noise of all components together, and the CPU time until it is 1 % of the gradient, from a "
    "short run. Split coupling is quieter, and dearer by as much, since the engine samples the "
    "sides of common random numbers many trajectories at a time."
)


def report(model: ReactionNetwork, horizons: Sequence[Horizon], pilot: str) -> str:
    """Return the report as Markdown.

    Args:
        model: the oscillator.
        horizons: what was measured.
        pilot: table of noise and cost by coupling, or nothing.
    """
    parts = [
        "# Gradients of the oscillator over whole periods",
        f"d E[mean of {SPECIES} over the last {WINDOW:g} hours before the horizon] / d log k, for "
        "the constant k of each of the sixteen reactions. `TwoSidedAdjoint` beside central "
        f"differences (`{horizons[0].differences[0].name}`), each with random streams of its own; "
        f"standard errors from {BATCHES} batches; *share of the worst batch* is its part of the "
        "variance, 0.05 if all are alike. z is the difference over the joint standard "
        "error. CPU time of one thread of a busy machine.",
        summary(horizons),
        "The referee's own bias, from curvature, is told by a second step "
        f"({STEPS[1]:g}, half the trajectories): norm of the bias over that of the gradient, "
        "beside what noise alone would give.",
        components(model, horizons),
    ]
    if pilot:
        parts += ["## Choice of the referee's coupling", PILOT, pilot.rstrip()]
    return "\n\n".join(parts) + "\n"


def summary(horizons: Sequence[Horizon]) -> str:
    """Return one row a horizon: firings, noise, cost and agreement."""
    lines = [
        "| horizon [h] | firings | estimator | trajectories | noise of one | share of the worst "
        "batch | CPU s of one | "
        "CPU s for an error of 1 % | difference ± noise | cosine | largest \\|z\\| | "
        "referee's bias ± noise |",
        "|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for one in horizons:
        gap, noise = one.gap
        bias, bias_noise = one.curvature
        said = (
            f"{100 * gap:.2g} ± {100 * noise:.2g} % | {one.cosine:.5f} | "
            f"{np.abs(one.z).max():.1f} | {100 * bias:.2g} ± {100 * bias_noise:.2g} %"
        )
        for found, cells in ((one.adjoint, said), (one.differences[0], " | | |")):
            name = found.name.partition("(")[0]
            effort = f"{found.seconds:.2g} | {found.seconds_for(0.01):.2g}"
            lines.append(
                f"| {one.end:g} | {one.firings:,.0f} | `{name}` | {found.trajectories:,} | "
                f"{found.noise:.2g} | {found.worst:.2g} | {effort} | {cells} |"
            )
    return "\n".join(lines)


def components(model: ReactionNetwork, horizons: Sequence[Horizon]) -> str:
    """Return one row a constant: both gradients with standard errors, and z, at each horizon."""
    header = "| constant |" + "".join(
        f" t = {h.end:g}: adjoint | differences | z |" for h in horizons
    )
    lines = [header, "|---|" + "--:|" * (3 * len(horizons))]
    for place, name in enumerate(model.parameter_ids):
        row = f"| `{name}` |"
        for one in horizons:
            for found in (one.adjoint, one.differences[0]):
                row += f" {found.mean[place]:.4g} ± {found.error[place]:.2g} |"
            row += f" {one.z[place]:.1f} |"
        lines.append(row)
    return "\n".join(lines)


def plot(model: ReactionNetwork, horizons: Sequence[Horizon], path: Path) -> None:
    """Draw the components beside each other with error bars of two standard errors."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 2.9 * len(horizons)), layout="constrained")
    grid = figure.subplots(len(horizons), 1, sharex=True, squeeze=False)
    at = np.arange(len(model.parameter_ids))
    # Okabe & Ito 2008, distinguishable with any colour vision.
    styles = (("#0072B2", -0.19), ("#D55E00", 0.19))
    for axes, one in zip(grid[:, 0], horizons, strict=True):
        for found, (colour, shift) in zip((one.adjoint, one.differences[0]), styles, strict=True):
            name = found.name.partition("(")[0]
            axes.bar(
                at + shift,
                found.mean,
                width=0.38,
                color=colour,
                yerr=2.0 * found.error,
                capsize=2.0,
                error_kw={"elinewidth": 0.9},
                label=f"{name}, {found.trajectories:,} trajectories",
            )
        axes.axhline(0.0, color="black", linewidth=0.7)
        axes.set_title(f"{one.firings:,.0f} firings, to t = {one.end:g} h", loc="left", fontsize=10)
        axes.set_ylabel(f"d E[{SPECIES}] / d log k")
        axes.legend(fontsize=8, frameon=False)
        axes.grid(axis="y", alpha=0.3)
    grid[-1, 0].set_xticks(at, model.parameter_ids, rotation=50, ha="right", fontsize=9)
    grid[-1, 0].set_xlabel("error bars: two standard errors", fontsize=9)
    figure.savefig(path, dpi=150)
