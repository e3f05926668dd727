"""Page of the oscillator: published numbers beside ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from paper_oscillator_fits import MODES, Mode
from paper_oscillator_model import AWAY, COMPARED, FREE, PUBLISHED, Run, truth
from paper_oscillator_periods import BEFORE, LASTING, LOWER, UPPER
from paper_oscillator_whole import SPREAD, WINDOW
from paper_records import machine, paragraph, percent, table

FloatArray = NDArray[np.float64]

#: Seeds that a campaign has.
SEEDS = (1, 2, 3, 4, 5)

#: Largest mean absolute error of each mode that must come, and of emergent numbers.
AIMS = {"segments": PUBLISHED[0], "whole": 0.01}
EMERGENT_AIM = 0.02


def of_mode(runs: Sequence[Run], name: str) -> list[Run]:
    """Return the runs of a mode by seed."""
    return sorted((run for run in runs if run.mode == name), key=lambda run: run.seed)


def pooled(runs: Sequence[Run]) -> FloatArray:
    """Return relative errors of the medians over runs, float64 [free]."""
    return np.median([run.values for run in runs], axis=0) / truth() - 1.0


def emergent_errors(run: Run) -> FloatArray:
    """Return relative errors of emergent numbers, float64 [number]."""
    return np.array([learned / true - 1.0 for true, _, learned, _ in run.emergent.values()])


def is_missed(runs: Sequence[Run]) -> bool:
    """Tell whether a mode that has all seeds misses its aim, with any seed."""
    for name, aim in AIMS.items():
        own = of_mode(runs, name)
        if set(SEEDS) <= {run.seed for run in own}:
            off = max(float(np.abs(emergent_errors(run)).max()) for run in own)
            if max(run.mape for run in own) > aim or off > EMERGENT_AIM:
                return True
    return False


def page(runs: Sequence[Run]) -> str:
    """Return the results as a page."""
    modes = [mode for mode in MODES.values() if of_mode(runs, mode.name)]
    lines = [
        "# Genetic oscillator",
        "",
        *paragraph(
            "Vilar-Kueh-Barkai-Leibler oscillator, 9 species and 16 reactions; learned are "
            + ", ".join(f"`{id}` = {v:g}" for id, v in zip(FREE, truth(), strict=True))
            + f". Every run starts up to a factor {AWAY:g} off in each, log-uniformly; a seed "
            "gives data, start and trajectories. MAPE is the mean absolute relative error of the "
            "five. Written by `validation/benchmarks/paper/paper_oscillator.py`; a mode is one "
            "command with `--modes`."
        ),
    ]
    for mode in modes:
        lines += paragraph(_setting(mode, of_mode(runs, mode.name)))
    lines += paragraph(
        f"Machine: {machine()}. Where a machine was shared with other work, the time of the "
        "processor says more than wall time."
    )
    head = (
        *("", "seeds", "MAPE of runs", "range", "MAPE of their medians"),
        *("wall, min a run", "processor, min a run"),
    )
    mean, low, high = (percent(error, 2) for error in PUBLISHED)
    rows = [("published", "ten runs", mean, f"{low} to {high}", "", "", "")]
    rows += [_row(mode, of_mode(runs, mode.name)) for mode in modes]
    lines += ["## Published and ours", "", *table(head, rows), "", *_undone(runs)]
    lines += ["## Every run", "", *table(*_every(runs)), ""]
    lines += paragraph(
        "Errors with sign, in %, ± what data and trajectories allow (one standard error): for "
        "whole trajectories from Fisher information, by slopes and the covariance of the "
        "statistics between cells; for segments from the scatter of steps, each of which has other "
        "starts."
    )
    lines += ["## Period and amplitude", "", *table(*_emergent(runs)), ""]
    observed = sorted({f"{run.settings['observed']:g}" for run in runs})
    lines += paragraph(
        f"Nobody fits these. {', '.join(observed)} cells are followed for {LASTING:g} hours after "
        f"{BEFORE:g} that are left out, under the truth and under the learned values, on different "
        f"random streams. A cycle begins when R rises through {UPPER:g} after it was below "
        f"{LOWER:g}; its amplitude is the most R in it. Means over cycles ± standard errors."
    )
    return "\n".join(lines)


def _setting(mode: Mode, own: Sequence[Run]) -> str:
    s = own[0].settings
    if mode.is_whole:
        return (
            f"**Whole trajectories** (`{mode.name}`): {s['cells']:,.0f} cells from the common "
            f"initial state over {s['horizon']:g} hours; averages of {', '.join(COMPARED)} over "
            f"windows of {WINDOW:g} hours are compared by their means, and {' and '.join(SPREAD)} "
            f"by second moments too, each over its variance between cells. {s['steps']:g} steps of "
            f"scoring, {s['trajectories']:g} trajectories each: first logarithms of means into the "
            "first burst and over it, then everything over one period, all by steps that lower the "
            "loss of the same trajectories; then everything over all. The answer is the median of "
            f"the last {s['averaged']:g}."
        )
    return (
        f"**Segments** (`{mode.name}`): a reference trajectory of 2.4 million "
        f"firings, {s['cells']:,.0f} start points drawn from its firings, {s['replicates']:g} "
        f"replicates of each for {s['horizon']:g} hours (about 150 firings); averages of "
        f"{', '.join(COMPARED)} over that time are compared start by start. {s['steps']:g} steps "
        f"of scoring with {s['batch']:,.0f} starts each and {s['trajectories']:g} replicates of "
        f"the model; the answer is the median of the last {s['averaged']:g}."
    )


def _row(mode: Mode, own: Sequence[Run]) -> tuple[str, ...]:
    errors = np.array([run.mape for run in own])
    wall = np.array([run.seconds + run.data_seconds for run in own]) / 60.0
    processor = np.array([run.cpu_seconds for run in own]) / 60.0
    return (
        mode.words,
        ", ".join(str(run.seed) for run in own),
        percent(float(errors.mean())),
        f"{percent(float(errors.min()))} to {percent(float(errors.max()))}",
        percent(float(np.abs(pooled(own)).mean())),
        f"{wall.mean():.1f}",
        f"{processor.mean():.1f}",
    )


def _undone(runs: Sequence[Run]) -> list[str]:
    lines: list[str] = []
    for name in AIMS:
        missing = [seed for seed in SEEDS if seed not in {r.seed for r in of_mode(runs, name)}]
        if missing:
            listed = ",".join(map(str, missing))
            lines += paragraph(
                f"Not run yet: `{name}`, seeds {listed}. This runs them: `python validation/"
                f"benchmarks/paper/paper_oscillator.py --modes {name} --seeds {listed}`."
            )
    return lines


def _every(runs: Sequence[Run]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    head = ("mode", "seed", "MAPE", *(f"`{id}`" for id in FREE), "started off by, %")
    rows = []
    for run in _ordered(runs):
        pairs = zip(100 * run.errors, 100 * np.array(run.noise), strict=True)
        starts = 100 * (np.array(run.start) / truth() - 1.0)
        rows.append(
            (
                run.mode,
                str(run.seed),
                percent(run.mape),
                *(f"{error:+.2f} ± {noise:.2f}" for error, noise in pairs),
                ", ".join(f"{off:+.0f}" for off in starts),
            )
        )
    return head, rows


def _emergent(runs: Sequence[Run]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    rows = []
    for run in _ordered(runs):
        for name, (true, true_error, learned, error) in run.emergent.items():
            off = learned / true - 1.0
            noise = np.hypot(true_error / true, error / learned)
            rows.append(
                (
                    run.mode,
                    str(run.seed),
                    name,
                    f"{true:.4g} ± {true_error:.2g}",
                    f"{learned:.4g} ± {error:.2g}",
                    f"{100 * off:+.2f} ± {100 * noise:.2f}",
                )
            )
    return ("mode", "seed", "", "truth", "learned", "difference, %"), rows


def _ordered(runs: Sequence[Run]) -> list[Run]:
    return [run for name in MODES for run in of_mode(runs, name)]
