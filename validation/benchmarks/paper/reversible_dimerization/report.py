"""Page and figure of the reversible dimerisation, published numbers beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paper_records import BLUE, ORANGE, paragraph, percent, table, told_provenance

import sbmlgrad as sg
from reversible_dimerization.fits import (
    AWAY,
    COOLED_RATES,
    FIRINGS,
    K1,
    K2,
    MODES,
    POINTS,
    RATES,
    Fit,
    Mode,
    make_target,
    network,
    stream,
)

FloatArray = NDArray[np.float64]

#: Published mean absolute percentage errors: overall, of k1, of k2; and the time, in words.
PUBLISHED, PUBLISHED_TIME = (0.0009, 0.0006, 0.0013), "minutes on a GPU"

#: Seeds that a campaign has.
SEEDS = (1, 2, 3, 4, 5)

#: Trajectories behind the curves of the figure.
CURVE_TRAJECTORIES = 4_000


def overall(fits: Sequence[Fit]) -> FloatArray:
    """Return mean absolute relative errors: overall, of k1, of k2, float64 [3]."""
    errors = np.array([fit.errors for fit in fits])
    return np.array([errors.mean(), *errors.mean(axis=0)])


def by_seed(fits: Sequence[Fit], mode: str) -> dict[int, list[Fit]]:
    """Return the fits of a mode by seed, of seeds with every k2."""
    own = [fit for fit in fits if fit.mode == mode and not _is_trial(fit)]
    seeds = sorted({fit.seed for fit in own})
    found = {seed: sorted((f for f in own if f.seed == seed), key=_place) for seed in seeds}
    return {seed: of_seed for seed, of_seed in found.items() if len(of_seed) == len(K2)}


def _is_trial(fit: Fit) -> bool:
    """Tell whether a fit tried other learning rates than those of its mode."""
    return fit.rates != MODES[fit.mode].rates


def is_missed(fits: Sequence[Fit]) -> bool:
    """Tell whether a mode that must reach the published error is complete and does not."""
    for mode in ("published", "ours_tenth"):
        complete = by_seed(fits, mode)
        if set(SEEDS) <= set(complete):
            means = np.mean([overall(complete[seed])[0] for seed in SEEDS])
            if means > PUBLISHED[0]:
                return True
    return False


def scatter_of_target(place: int, trajectories: int) -> FloatArray:
    """Return the standard deviation that the target's noise alone gives ln k1 and ln k2, [2].

    Least squares on the means: (JᵀJ)⁻¹ Jᵀ Σ J (JᵀJ)⁻¹ / n, with J the slopes of the means by
    `TwoSidedAdjoint` and Σ the covariance between points, both from the same trajectories.
    """
    import tensorflow as tf

    mode, model = MODES["ours"], network(place)
    target = make_target(mode, 0, place, CURVE_TRAJECTORIES)
    readout = mode.readout(target.grid)
    rates = tf.constant(model.parameter_values)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(rates)
        cells = sg.simulate(
            model,
            rates,
            readouts=[readout],
            trajectories=CURVE_TRAJECTORIES,
            seed=stream(0, place, 3),
            engine=sg.engines.Native(kernel="lockstep"),
        )
        points = tf.unstack(cells.mean("C", readout=readout))
    slopes = np.array([tape.gradient(point, rates) for point in points]) * np.asarray(rates)
    covariance = np.cov(np.asarray(cells.values("C", readout=readout)).T)
    inverse = np.linalg.inv(slopes.T @ slopes) @ slopes.T
    return np.sqrt(np.diag(inverse @ covariance @ inverse.T) / trajectories)


def _fall(rates: tuple[float, float]) -> str:
    return f"from {rates[0]:g} to {rates[1]:g}"


def page(fits: Sequence[Fit]) -> str:
    """Return the results as a page."""
    modes = [mode for mode in MODES.values() if by_seed(fits, mode.name)]
    scatter = np.array([scatter_of_target(i, fits[0].targets) for i in range(len(K2))])
    # The mean of |x| of a normal number is √(2/π) of its standard deviation.
    noise = np.sqrt(2.0 / np.pi) * np.array([scatter.mean(), *scatter.mean(axis=0)])
    lines = [
        "# Reversible dimerisation",
        "",
        *paragraph(
            f"A + B ⇌ C with k1 = {K1:g} and k2 = {K2[0]:g} to {K2[-1]:g}, doubling; 100 A, 90 B, "
            f"no C. Targets are means of C over {fits[0].targets:,} trajectories at {POINTS} "
            f"points of a uniform grid, which ends when the first of them has had its {FIRINGS} "
            f"firings. Every fit starts up to a factor {AWAY:g} off in both constants and takes "
            f"{fits[0].epochs} epochs of RMSprop on their logarithms. Its learning rate falls by "
            f"the same factor in every epoch, {_fall(COOLED_RATES)} with `StraightThrough`, whose "
            f"slopes are noisy at low temperatures, and {_fall(RATES)} with `TwoSidedAdjoint`. "
            "MAPE is the mean absolute relative error of the constants. A seed gives targets, "
            "starts and trajectories; all modes have the same targets and starts. The number of "
            "points, the starts and the learning rates are not published; those of the published "
            "setting were chosen on seeds that are not reported. Written by "
            "`validation/benchmarks/paper/paper_dimerization.py`."
        ),
        *paragraph(
            f"{told_provenance([fit.made for fit in fits])} The processor was shared with other "
            "work: its time says more than wall time."
        ),
        "## Published and ours",
        "",
    ]
    head = ("", "seeds", "MAPE overall", "k1", "k2", "processor, s a seed", "wall, s a seed")
    rows = [("published", "", *(percent(p, 2) for p in PUBLISHED), "", PUBLISHED_TIME)]
    rows.append(("noise of the target alone, expected", "", *map(percent, noise), "", ""))
    rows += [_row(mode, by_seed(fits, mode.name)) for mode in modes]
    lines += [*table(head, rows), "", *_undone(fits), "## Every seed", ""]
    head = ("mode", "seed", "MAPE overall", "k1", "k2", *(f"k2 = {k:g}" for k in K2))
    rows = [
        (mode.words, str(seed), *map(percent, overall(own)), *(_pair(fit) for fit in own))
        for mode in modes
        for seed, own in by_seed(fits, mode.name).items()
    ]
    lines += [
        *table(head, rows),
        "",
        "The last columns are errors with sign of k1 and k2, in %.",
        "",
    ]
    beyond = max(fit.beyond for fit in fits)
    lines += paragraph(
        f"Values on lines between the first {FIRINGS} firings are the same as `Interpolated` "
        "values as long as a trajectory reaches the end of the grid within them. Under the fitted "
        f"values at most {percent(beyond, 2)} of the trajectories of a fit do not (of 10,000 "
        "looked at); they are followed to the end of the grid all the same."
    )
    lines += _trials(fits)
    return "\n".join(lines)


def _row(mode: Mode, complete: dict[int, list[Fit]]) -> tuple[str, ...]:
    errors = np.array([overall(own) for own in complete.values()])
    times = np.array(
        [[sum(f.cpu_seconds for f in o), sum(f.seconds for f in o)] for o in complete.values()]
    )
    spread = errors.std(axis=0, ddof=1) / np.sqrt(len(errors)) if len(errors) > 1 else None
    cells = [
        percent(mean) + ("" if spread is None else f" ± {100 * spread[i]:.3f}")
        for i, mean in enumerate(errors.mean(axis=0))
    ]
    cpu, wall = times.mean(axis=0)
    seeds = ", ".join(map(str, complete))
    return (mode.words, seeds, *cells, f"{cpu:.0f}", f"{wall:.0f}")


def _undone(fits: Sequence[Fit]) -> list[str]:
    lines = []
    for name in ("published", "ours_tenth"):
        missing = [seed for seed in SEEDS if seed not in by_seed(fits, name)]
        if missing:
            listed = ", ".join(map(str, missing))
            lines += paragraph(
                f"Not run yet: {MODES[name].words}, seeds {listed}. This runs them: `python "
                f"validation/benchmarks/paper/paper_dimerization.py --modes {name}`."
            )
    return lines


def _trials(fits: Sequence[Fit]) -> list[str]:
    """Return fits with other learning rates, beside those of the same seeds with the mode's own."""
    places = {(fit.mode, fit.seed, fit.place) for fit in fits if _is_trial(fit)}
    beside = [fit for fit in fits if (fit.mode, fit.seed, fit.place) in places]
    if not beside:
        return []
    beside.sort(key=lambda fit: (fit.mode, fit.seed, fit.place, *fit.rates))
    head = ("mode", "seed", "learning rate", "k2", "errors of k1, k2", "nearest before")
    rows = [
        (MODES[f.mode].words, str(f.seed), _fall(f.rates), f"{f.truth[1]:g}", _pair(f), _nearest(f))
        for f in beside
    ]
    return [
        "## Other learning rates",
        "",
        *table(head, rows),
        "",
        *paragraph(
            "Errors with sign, in %. The last column has those of the epoch at which both together "
            "were least; every fifth epoch is looked at."
        ),
    ]


def _nearest(fit: Fit) -> str:
    ratios = np.array(fit.trace) - 1.0
    nearest = int(np.abs(ratios).sum(axis=1).argmin())
    k1, k2 = 100.0 * ratios[nearest]
    return f"{k1:+.2f}, {k2:+.2f} (epoch {nearest * fit.trace_every})"


def _pair(fit: Fit) -> str:
    k1, k2 = 100.0 * (np.array(fit.values) / np.array(fit.truth) - 1.0)
    return f"{k1:+.2f}, {k2:+.2f}"


def _place(fit: Fit) -> int:
    return fit.place


def plot(fits: Sequence[Fit], path: Path) -> None:
    """Draw means, descents, learned against true constants, and errors of every seed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 9.0), layout="constrained")
    grid = figure.subplots(2, 2)
    shown = _shown(fits)
    _means(grid[0, 0], shown)
    _descents(grid[0, 1], shown)
    _learned(grid[1, 0], shown)
    _errors(grid[1, 1], fits)
    figure.suptitle(
        "Reversible dimerisation. First three panels: "
        f"{MODES[shown[0].mode].words}, seed {shown[0].seed}"
    )
    figure.savefig(path, dpi=130)


def _shown(fits: Sequence[Fit]) -> list[Fit]:
    for name in ("published", "ours_tenth", *MODES):
        complete = by_seed(fits, name)
        if complete:
            return next(iter(complete.values()))
    return sorted(fits, key=_place)


def _means(axes: Any, shown: Sequence[Fit]) -> None:
    from matplotlib import colormaps

    colours = colormaps["viridis"](np.linspace(0.0, 0.9, len(K2)))
    for fit in shown:
        mode, colour = MODES[fit.mode], colours[fit.place]
        target = make_target(mode, fit.seed, fit.place, CURVE_TRAJECTORIES)
        readout = mode.readout(target.grid)
        cells = sg.simulate(
            network(fit.place),
            np.array(fit.values),
            readouts=[readout],
            trajectories=CURVE_TRAJECTORIES,
            seed=stream(fit.seed, fit.place, 4),
        )
        axes.plot(target.grid, cells.mean("C", readout=readout), color=colour, linewidth=1.2)
        label = f"k2 = {fit.truth[1]:g}"
        axes.plot(target.grid, target.means, "o", color=colour, markersize=3.5, label=label)
    axes.set_xscale("log")
    axes.set_xlabel("time, s")
    axes.set_ylabel("mean molecules of C")
    axes.set_title("Targets (dots) and learned means (lines)")
    axes.legend(fontsize=8, ncols=2)
    axes.grid(alpha=0.3)


def _descents(axes: Any, shown: Sequence[Fit]) -> None:
    for fit in shown:
        trace = np.array(fit.trace)
        epochs = np.arange(len(trace)) * fit.trace_every
        first = fit is shown[0]
        for column, (name, colour) in enumerate((("k1", BLUE), ("k2", ORANGE))):
            axes.plot(
                epochs, trace[:, column], color=colour, alpha=0.7, label=name if first else None
            )
    axes.axhline(1.0, color="0.3", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_yticks([0.5, 0.7, 1.0, 1.4, 2.0], ["0.5", "0.7", "1", "1.4", "2"], minor=False)
    axes.minorticks_off()
    axes.set_xlabel("epoch")
    axes.set_ylabel("constant / truth")
    axes.set_title("Descents, eight values of k2")
    axes.legend(fontsize=9)
    axes.grid(alpha=0.3)


def _learned(axes: Any, shown: Sequence[Fit]) -> None:
    truth = np.array([fit.truth for fit in shown])
    values = np.array([fit.values for fit in shown])
    ends = [truth.min() / 1.6, truth.max() * 1.6]
    axes.plot(ends, ends, color="0.3", linewidth=0.8)
    axes.plot(truth[:, 1], values[:, 1], "o", color=ORANGE, label="k2, 1/s")
    axes.plot(truth[:, 1], values[:, 0], "s", color=BLUE, label="k1, 1/(molecule s)")
    axes.axhline(K1, color=BLUE, linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("true k2, 1/s")
    axes.set_ylabel("learned constant")
    axes.set_title("Learned constants; lines are the truth")
    axes.legend(fontsize=9)
    axes.grid(alpha=0.3)


def _errors(axes: Any, fits: Sequence[Fit]) -> None:
    """Draw errors against the trajectories of an epoch, one colour an estimator."""
    for is_published, colour, name, aside in (
        (True, ORANGE, "StraightThrough, T 1 → 0.001", 0.93),
        (False, BLUE, "TwoSidedAdjoint", 1.07),
    ):
        own = [mode for mode in MODES.values() if mode.is_published == is_published]
        means = []
        for mode in sorted(own, key=lambda mode: mode.trajectories):
            complete = by_seed(fits, mode.name)
            if not complete:
                continue
            values = 100.0 * np.array([overall(of_seed)[0] for of_seed in complete.values()])
            at = mode.trajectories * aside
            axes.plot([at] * len(values), values, "o", color=colour, alpha=0.4, ms=4, lw=0)
            error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
            means.append((at, values.mean(), error))
        if means:
            budgets, heights, bars = np.array(means).T
            axes.errorbar(budgets, heights, bars, color=colour, marker="s", capsize=3, label=name)
    axes.axhline(100.0 * PUBLISHED[0], color="0.2", linestyle="--", linewidth=1.0)
    axes.annotate(
        "published 0.09 %",
        (0.98, 100.0 * PUBLISHED[0]),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        fontsize=9,
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    budgets = sorted({mode.trajectories for mode in MODES.values()})
    axes.set_xlim(0.5 * budgets[0], 2.0 * budgets[-1])
    axes.set_xticks(budgets, [f"{budget:,}" for budget in budgets])
    axes.set_ylim(0.04, max(0.2, 1.1 * axes.get_ylim()[1]))
    low, high = axes.get_ylim()
    ticks = [t for t in (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0) if low <= t <= high]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("trajectories of the model in an epoch")
    axes.set_ylabel("MAPE, %")
    axes.set_title("Errors: a dot a seed, mean ± standard error")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
