"""Page and figure of the paper's ion channel, on sweeps simulated from the published rates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paper_channel_exact import mean_open
from paper_channel_fits import (
    AWAY,
    CHANNELS,
    DESCENTS,
    EDGES,
    INTERVAL,
    POOLED,
    SAMPLES,
    STEP,
    SWEEPS,
    WINDOWS,
    Fit,
    network,
    simulate_sweeps,
    stream,
    truth,
)
from paper_records import BLACK, BLUE, GREEN, ORANGE, PINK, SKY, machine, paragraph, table

import sbmlgrad as sg

FloatArray = NDArray[np.float64]

#: Published quality on the real recording: R², RMSE, RMSE over the largest mean; and time in s.
PUBLISHED, PUBLISHED_SECONDS = (0.987, 0.021, 0.035), 112

#: What every rate must be within, from `MANY` sweeps by means and changes.
WITHIN, MANY = 0.02, 1_000_000

NAMES = ("k_open", "k_close", "k_inact")

WORDS = {
    "published rates": "published rates (the truth here)",
    "maximum likelihood": "maximum likelihood of every sample",
    "least squares": "least squares on the mean, exact",
    "mean": "mean, TwoSidedAdjoint",
    "straight_through": "mean, StraightThrough, T 1 → 0.001",
    "mean_and_changes": "mean and number of changes, ScoreFunction",
    "mean_and_changes_two_sided": "mean and number of changes, TwoSidedAdjoint",
}

COLOURS = dict(zip(WORDS, (BLACK, GREEN, SKY, BLUE, PINK, ORANGE, "#E69F00"), strict=True))


def is_missed(fits: Sequence[Fit]) -> bool:
    """Tell whether a rate from many sweeps is further off than it may be."""
    many = [f for f in fits if f.sweeps >= MANY and f.method == "mean_and_changes"]
    return any(np.abs(off(fit)).max() > WITHIN for fit in many)


def off(fit: Fit) -> FloatArray:
    """Return relative errors of the rates, float64 [3]."""
    return np.array(fit.rates) / truth() - 1.0


def scatter_of_mean(count: int) -> FloatArray:
    """Return the standard errors of log rates from the mean of sweeps, by the delta method, [3].

    Slopes are those of the exact mean, and the covariance between windows is that of 20,000 sweeps.
    """
    readout = sg.WindowAverages(WINDOWS.tolist())
    cells = sg.simulate(network(), readouts=[readout], trajectories=20_000, seed=stream(0, 2))
    covariance = np.cov(cells.values("O", readout=readout).T)
    ends = [
        [mean_open(truth() * np.exp(h * row), WINDOWS, CHANNELS) for row in np.eye(3)]
        for h in (1e-4, -1e-4)
    ]
    slopes = (np.array(ends[0]) - np.array(ends[1])).T / 2e-4
    inverse = np.linalg.inv(slopes.T @ slopes) @ slopes.T
    return np.sqrt(np.diag(inverse @ covariance @ inverse.T) / count)


def page(fits: Sequence[Fit]) -> str:
    """Return the results as a page."""
    rates = ", ".join(f"{n} = {r:g}" for n, r in zip(NAMES, truth(), strict=True))
    lines = [
        "# Ion channel C ⇌ O → I, on sweeps simulated from the published rates",
        "",
        *paragraph(
            "The recording that the paper fits may not be redistributed and was not at hand. All "
            f"data of this page were SIMULATED FROM THE PUBLISHED RATES: {rates} per ms, "
            f"{CHANNELS} channels, closed at first, {SAMPLES} samples of {INTERVAL:g} ms. Sweeps "
            "are averaged over the bins between samples; the fitted means are exact averages of "
            f"the simulated trajectories over windows of {POOLED * INTERVAL:g} ms. No trajectory "
            "is cut at 20 firings: the state I absorbs, and all are followed to the end of the "
            f"sweep. Descents take 400 epochs of RMSprop from up to a factor {AWAY:g} off in every "
            "rate (learning rate 0.1 to 0.0001). *Mean and number of changes* also fits how often "
            f"the number of open channels changes between samples {STEP:g} ms apart. Written by "
            "`validation/benchmarks/paper/paper_ion_channel.py`."
        ),
        *paragraph(
            f"Machine: {machine()}, shared with other work: the time of the processor says more "
            "than wall time."
        ),
        f"## {SWEEPS} sweeps",
        "",
        *paragraph(
            f"Published, on the real recording of {SWEEPS} sweeps: R² {PUBLISHED[0]}, RMSE "
            f"{PUBLISHED[1]}, {100 * PUBLISHED[2]:g} % of the largest mean, in "
            f"{PUBLISHED_SECONDS} s on a GPU. Below, means over seeds; errors of rates are root "
            "mean squares of relative errors. R² of the published rates, which are the truth "
            "here, is what sampling alone leaves. The mean alone leaves the rates standard errors "
            f"of {_three(scatter_of_mean(SWEEPS))} (delta method), and from {MANY:,} sweeps "
            f"{_three(scatter_of_mean(MANY))}."
        ),
    ]
    head = ("rates", "seeds", "R² (least to greatest)", "RMSE", "of the largest mean", *NAMES)
    head = (*head, "processor, s", "wall, s")
    lines += [*table(head, _rows(fits, SWEEPS)), ""]
    many = sorted({fit.sweeps for fit in fits if fit.sweeps >= MANY})
    for count in many:
        lines += [f"## {count:,} sweeps", ""]
        lines += [
            *table(("rates", "seed", *NAMES, "processor, s", "wall, s"), _many(fits, count)),
            "",
        ]
    lines += [
        "## Every seed",
        "",
        *table(("rates", "sweeps", "seed", *NAMES, "R²"), _all(fits)),
        "",
    ]
    return "\n".join(lines)


def _three(errors: FloatArray) -> str:
    return ", ".join(f"{100 * e:.3g} % ({n})" for n, e in zip(NAMES, errors, strict=True))


def _of(fits: Sequence[Fit], method: str, sweeps: int) -> list[Fit]:
    return sorted(
        (f for f in fits if f.method == method and f.sweeps == sweeps), key=lambda f: f.seed
    )


def _rows(fits: Sequence[Fit], sweeps: int) -> list[tuple[str, ...]]:
    rows = []
    for method in WORDS:
        own = _of(fits, method, sweeps)
        if not own:
            continue
        quality = np.array([fit.quality for fit in own])
        errors = np.sqrt(np.mean([off(fit) ** 2 for fit in own], axis=0))
        r2 = quality[:, 0]
        is_descent = method in DESCENTS
        times = np.mean([[fit.cpu_seconds, fit.seconds] for fit in own], axis=0)
        more = f", {own[0].trajectories:,} trajectories" if is_descent else ""
        rows.append(
            (
                WORDS[method] + more,
                ", ".join(str(fit.seed) for fit in own),
                f"{r2.mean():.3f} ({r2.min():.3f} to {r2.max():.3f})",
                f"{quality[:, 1].mean():.4f}",
                f"{100 * quality[:, 2].mean():.1f} %",
                *(f"{100 * e:.0f} %" for e in errors),
                *((f"{t:.0f}" for t in times) if is_descent else ("", "")),
            )
        )
    return rows


def _many(fits: Sequence[Fit], sweeps: int) -> list[tuple[str, ...]]:
    return [
        (
            WORDS[fit.method],
            str(fit.seed),
            *(f"{100 * e:+.2f} %" for e in off(fit)),
            *((f"{fit.cpu_seconds:.0f}", f"{fit.seconds:.0f}") if fit.epochs else ("", "")),
        )
        for method in WORDS
        for fit in _of(fits, method, sweeps)
    ]


def _all(fits: Sequence[Fit]) -> list[tuple[str, ...]]:
    return [
        (
            WORDS[fit.method],
            f"{fit.sweeps:,}",
            str(fit.seed),
            *(f"{rate:.4f}" for rate in fit.rates),
            f"{fit.quality[0]:.4f}",
        )
        for fit in sorted(fits, key=lambda f: (f.sweeps, f.seed, list(WORDS).index(f.method)))
    ]


def plot(fits: Sequence[Fit], path: Path) -> None:
    """Draw sweeps, means, descents, errors of the rates and R²."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14.0, 8.4), layout="constrained")
    grid = figure.subplots(2, 3)
    seed = min(fit.seed for fit in fits if fit.sweeps == SWEEPS)
    _sweeps(grid[0, 0], seed)
    _means(grid[0, 1], fits, seed)
    _descents(grid[0, 2], fits, seed)
    _errors(grid[1, 0], fits)
    _quality(grid[1, 1], fits)
    handles, labels = grid[1, 0].get_legend_handles_labels()
    grid[1, 2].axis("off")
    grid[1, 2].legend(handles, labels, loc="center left", frameon=False, fontsize=10)
    figure.suptitle("Ion channel, two channels; all sweeps simulated from the published rates")
    figure.savefig(path, dpi=130)


def _sweeps(axes: Any, seed: int) -> None:
    sweeps = simulate_sweeps(seed, SWEEPS)
    assert sweeps.opened is not None
    for row, sweep in enumerate(sweeps.opened[:8]):
        axes.step(EDGES[:-1], 0.35 * sweep + row, where="post", color=BLACK, linewidth=0.9)
    axes.set_yticks(range(8), [str(i + 1) for i in range(8)])
    axes.set(xlabel="time, ms", ylabel="sweep")
    axes.set_title("A  Eight sweeps: none, one or two open")


def _means(axes: Any, fits: Sequence[Fit], seed: int) -> None:
    sweeps = simulate_sweeps(seed, SWEEPS)
    middles = 0.5 * (EDGES[1:] + EDGES[:-1])
    axes.plot(middles, sweeps.means, color="0.65", linewidth=1.0, label=f"{SWEEPS} sweeps")
    for method, style in (("published rates", ":"), ("mean", "-"), ("mean_and_changes", "--")):
        for fit in _of(fits, method, SWEEPS):
            if fit.seed == seed:
                curve = mean_open(np.array(fit.rates), EDGES, CHANNELS)
                colour = COLOURS[method]
                axes.plot(middles, curve, style, color=colour, linewidth=1.6, label=WORDS[method])
    axes.set(xlabel="time, ms", ylabel="mean open channels", ylim=(0.0, 0.85))
    axes.set_title(f"B  Means, seed {seed}")
    axes.legend(fontsize=7, loc="upper right")
    axes.grid(alpha=0.3)


def _descents(axes: Any, fits: Sequence[Fit], seed: int) -> None:
    for fit in _of(fits, "mean_and_changes", SWEEPS):
        if fit.seed == seed:
            trace = np.array(fit.trace)
            epochs = np.arange(len(trace)) * fit.trace_every
            for column, colour in enumerate((BLUE, ORANGE, GREEN)):
                axes.plot(epochs, trace[:, column], color=colour, label=NAMES[column])
                axes.axhline(truth()[column], color=colour, linestyle=":", linewidth=1.0)
    axes.set_yscale("log")
    axes.set(xlabel="epoch", ylabel="rate, 1/ms")
    axes.set_title("C  Descent by mean and changes (dotted: truth)")
    if axes.lines:
        axes.legend(fontsize=8)
    axes.grid(alpha=0.3)


def _errors(axes: Any, fits: Sequence[Fit]) -> None:
    methods = [m for m in WORDS if m != "published rates" and _of(fits, m, SWEEPS)]
    for number, method in enumerate(methods):
        own = _of(fits, method, SWEEPS)
        ratios = np.array([fit.rates for fit in own]) / truth()
        shift = (number - 0.5 * (len(methods) - 1)) * 0.14
        for column in range(3):
            axes.plot(
                np.full(len(own), column + shift),
                np.maximum(ratios[:, column], 1e-3),
                "o",
                color=COLOURS[method],
                markersize=4.5,
                label=WORDS[method] if column == 0 else None,
            )
    axes.axhline(1.0, color="0.3", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_ylim(bottom=7e-4)
    axes.set_xticks(range(3), list(NAMES))
    axes.set_ylabel("rate / truth (0.001: at or below)")
    axes.set_title(f"D  Rates from {SWEEPS} sweeps, a dot a seed")
    axes.grid(alpha=0.3, axis="y")


def _quality(axes: Any, fits: Sequence[Fit]) -> None:
    methods = [m for m in WORDS if _of(fits, m, SWEEPS)]
    for row, method in enumerate(methods):
        own = _of(fits, method, SWEEPS)
        r2 = [fit.quality[0] for fit in own]
        axes.plot(r2, np.full(len(own), row), "o", color=COLOURS[method])
    axes.axvline(PUBLISHED[0], color=BLACK, linestyle="--", linewidth=1.0)
    axes.annotate("published 0.987", (PUBLISHED[0], len(methods) - 0.6), ha="right", fontsize=9)
    axes.set_yticks(
        range(len(methods)),
        [WORDS[m].replace(", ", "\n", 1).split(" (")[0] for m in methods],
        fontsize=8,
    )
    axes.set_ylim(-0.6, len(methods) - 0.2)
    axes.set(xlim=(0.9, 1.0), xlabel="R² of the mean (below 0.9 not shown)")
    axes.set_title("E  R², a dot a seed")
    axes.grid(alpha=0.3, axis="x")
