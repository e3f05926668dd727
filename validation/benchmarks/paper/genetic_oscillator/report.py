"""Page of the oscillator: published numbers beside ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from paper_records import paragraph, percent, table, told_provenance

from genetic_oscillator.fits import MODES, Mode
from genetic_oscillator.model import AWAY, COMPARED, FREE, PUBLISHED, Run, truth
from genetic_oscillator.periods import BEFORE, LASTING, LOWER, UPPER
from genetic_oscillator.whole import SPREAD, WINDOW

FloatArray = NDArray[np.float64]

#: Seeds that a campaign has. While the method was made, some were looked at; no run of further
#: seeds was.
SEEDS = (1, 2, 3, 4, 5)

#: Published wall time on a graphics card, in words.
PUBLISHED_TIME = "about 19, GPU"

#: Largest mean absolute error of each mode that must come, and of emergent numbers.
AIMS = {"segments": PUBLISHED[0], "whole": 0.01}
EMERGENT_AIM = 0.02


def of_mode(runs: Sequence[Run], name: str) -> list[Run]:
    """Return the runs of a mode by seed."""
    return sorted((run for run in runs if run.mode == name), key=lambda run: run.seed)


def pooled(runs: Sequence[Run]) -> FloatArray:
    """Return relative errors of the medians over runs, float64 [free]."""
    return np.median([run.values for run in runs], axis=0) / truth() - 1.0


def deviations(runs: Sequence[Run]) -> FloatArray:
    """Return errors over their standard errors, float64 [run, free]."""
    return np.array([np.log1p(run.errors) / np.array(run.noise) for run in runs])


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
        f"{told_provenance([run.made for run in runs])} Where a machine was shared with other "
        "work, the time of the processor says more than wall time."
    )
    head = (
        *("", "seeds", "MAPE of runs", "range", "MAPE of their medians"),
        *("wall of data, min a run", "of descent", "processor of descent"),
    )
    mean, low, high = (percent(error, 2) for error in PUBLISHED)
    rows = [("published", "ten runs", "", f"{low} to {high}", mean, "", PUBLISHED_TIME, "")]
    for mode in modes:
        rows += [_row(mode, own) for own in _apart(of_mode(runs, mode.name))]
    lines += ["## Published and ours", "", *table(head, rows), "", *_undone(runs)]
    lines += paragraph(
        f"Seeds {SEEDS[0]} to {SEEDS[-1]} were to be reported, and all are. Stages and guards of "
        "whole trajectories were changed after earlier runs with some of them had gone astray; "
        "their form was chosen on seeds 101 and 102. Further seeds were run once, after that, but "
        "for seed 10: it had not arrived where its steps over one period ended, and came out with "
        "an error of 12.1 %; since then that stage goes on while its loss is large. No other run "
        "was above that, so that nothing changed for them: settings of the new form were entered "
        "in their records, which were not made again. Seeds 11 and 12 were run once afterwards."
    )
    lines += ["## Every run", "", *table(*_every(runs)), ""]
    lines += paragraph(
        "Errors with sign, in %, ± one standard error: from the scatter of the steps whose median "
        "is taken, each of which has other trajectories, and other starts of segments; for whole "
        "trajectories, whose steps share their data, with what these add, by slopes and the "
        "covariance of the statistics between cells. Drift is the largest change of a parameter "
        "from the first half of these steps to the second, and loss the mean of these steps; where "
        "it is far above that of other runs, the descent had not arrived."
    )
    told = [
        f"{np.sqrt((deviations(of_mode(runs, mode.name)) ** 2).mean()):.2f} for `{mode.name}`"
        for mode in modes
    ]
    lines += paragraph(
        "Errors over their standard errors have a root mean square of " + ", ".join(told) + "."
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
    made = sorted({len(run.losses) for run in own})
    more = f" (in one or more runs up to {made[-1]}, see below)" if made[-1] > s["steps"] else ""
    if mode.is_whole:
        return (
            f"**Whole trajectories** (`{mode.name}`): {s['cells']:,.0f} cells from the common "
            f"initial state over {s['horizon']:g} hours; averages of {', '.join(COMPARED)} over "
            f"windows of {WINDOW:g} hours are compared by their means, and {' and '.join(SPREAD)} "
            f"by second moments too, each over its variance between cells. {s['steps']:g} steps of "
            f"scoring{more}, {s['trajectories']:g} trajectories each: first logarithms of means "
            "into the first burst and over it, then everything over one period, all by steps that "
            "lower the loss of the same trajectories; then, by whole steps, everything over one "
            f"period and over all. The answer is the median of the last {s['averaged']:g}."
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
    data = np.array([run.data_seconds for run in own]) / 60.0
    wall = np.array([run.seconds for run in own]) / 60.0
    processor = np.array([run.cpu_seconds for run in own]) / 60.0
    return (
        mode.words,
        ", ".join(str(run.seed) for run in own),
        percent(float(errors.mean())),
        f"{percent(float(errors.min()))} to {percent(float(errors.max()))}",
        percent(float(np.abs(pooled(own)).mean())),
        *(f"{minutes.mean():.1f}" for minutes in (data, wall, processor)),
    )


def _apart(own: Sequence[Run]) -> list[list[Run]]:
    """Return the runs of the seeds to be reported, and the further ones."""
    both = [run for run in own if run.seed in SEEDS], [run for run in own if run.seed not in SEEDS]
    return [group for group in both if group]


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
    head = (
        *("mode", "seed", "MAPE", *(f"`{id}`" for id in FREE), "drift", "loss"),
        *("started off by, %", "processor, min"),
    )
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
                percent(float(np.abs(run.drift).max()), 2),
                f"{np.mean(run.losses[-int(run.settings['averaged']) :]):.2g}",
                ", ".join(f"{off:+.0f}" for off in starts),
                f"{run.cpu_seconds / 60.0:.1f}",
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
