"""Rows of the tables of the paper's ion channel: fits in groups, their errors and settings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ion_channel.fits import DESCENTS, EXACT, Fit
from ion_channel.sweeps import SWEEPS, truth

FloatArray = NDArray[np.float64]

NAMES = ("k_open", "k_close", "k_inact")

WORDS = {
    "published rates": "published rates (the truth here)",
    "maximum likelihood": "maximum likelihood of every sample",
    "openings": "openings, ScoreFunction",
    "mean_and_changes": "mean and changes, ScoreFunction",
    "mean_and_changes_two_sided": "mean and changes, TwoSidedAdjoint",
    "least squares": "least squares on the mean, exact",
    "mean": "mean, TwoSidedAdjoint",
    "straight_through": "mean, StraightThrough, T 1 → 0.001",
}

#: Fits that belong together: of one method, in one setting.
Group = tuple[str, tuple, list[Fit]]


def off(fit: Fit) -> FloatArray:
    """Return relative errors of the rates, float64 [3]."""
    return np.array(fit.rates) / truth() - 1.0


def groups(fits: Sequence[Fit], sweeps: int) -> list[Group]:
    """Return fits of so many sweeps by method and setting, in the order of `WORDS`.

    Records that do not say learning rates stand with those of the same trajectories and epochs, if
    these all have the same.
    """
    found = []
    for method in WORDS:
        own = [fit for fit in fits if fit.method == method and fit.sweeps == sweeps]
        settings = {fit: fit.setting for fit in own}
        for fit in own:
            known = {s for s in settings.values() if s[:2] == fit.setting[:2] and s[2]}
            if not fit.learning_rates and len(known) == 1:
                settings[fit] = known.pop()
        for setting in sorted(set(settings.values())):
            rows = [fit for fit in own if settings[fit] == setting]
            found.append((method, setting, sorted(rows, key=lambda fit: fit.seed)))
    return found


def root_mean_square(errors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return root mean squares over fits and their standard errors, NaN from one fit.

    Args:
        errors: of rates, [fit, rate].
    """
    squares = errors**2
    root = np.sqrt(squares.mean(axis=0))
    if len(errors) < 2:
        return root, np.full(root.shape, np.nan)
    spread = squares.std(axis=0, ddof=1) / np.sqrt(len(errors))
    return root, np.divide(spread, 2.0 * root, out=np.zeros_like(root), where=root > 0.0)


def times(ratios: FloatArray) -> str:
    """Return ratios in words."""
    return ", ".join(f"{ratio:.2f}" for ratio in ratios[:2]) + f" and {ratios[2]:.2f} times"


def quality_row(method: str, setting: tuple, own: list[Fit]) -> tuple[str, ...]:
    """Return a row about settings and quality of fits that belong together."""
    quality = np.array([fit.quality for fit in own])
    r2 = quality[:, 0]
    return (
        WORDS[method],
        *setting_cells(method, setting, own),
        seeds_of(own),
        f"{r2.mean():.3f} ({r2.min():.3f} to {r2.max():.3f})",
        f"{quality[:, 1].mean():.4f}",
        f"{100 * quality[:, 2].mean():.1f} %",
        *times_of(own),
    )


def who(method: str, setting: tuple, own: list[Fit]) -> tuple[str, str]:
    """Return cells of trajectories and seeds."""
    return (setting_cells(method, setting)[0], seeds_of(own))


def setting_cells(method: str, setting: tuple, own: Sequence[Fit] = ()) -> tuple[str, str, str]:
    """Return cells of trajectories, epochs and learning rates; some fits may not know those."""
    if method in EXACT:
        return ("", "", "")
    trajectories, epochs, rates = setting
    told = " → ".join(f"{rate:g}" for rate in rates) if rates else "not recorded"
    silent = [fit for fit in own if rates and not fit.learning_rates]
    told += f" (seed {seeds_of(silent)}: not recorded)" if silent else ""
    return (f"{trajectories:,}", str(epochs), told)


def seeds_of(own: Sequence[Fit]) -> str:
    """Return the seeds of fits, in words."""
    return ", ".join(str(fit.seed) for fit in own)


def times_of(own: Sequence[Fit]) -> tuple[str, str]:
    """Return cells of mean times, of the processor and wall."""
    if own[0].method not in DESCENTS:
        return ("", "")
    cpu, wall = np.mean([[fit.cpu_seconds, fit.seconds] for fit in own], axis=0)
    return (f"{cpu:.0f}", f"{wall:.0f}")


def error_cells(
    errors: FloatArray, expected: FloatArray, count: int = SWEEPS, digits: int = 1
) -> tuple[str, ...]:
    """Return cells of root mean squares, their standard errors, and what is to be expected.

    Args:
        errors: of rates, [fit, rate].
        expected: standard errors from one sweep, [rate].
        count: of sweeps.
        digits: of percents.
    """
    root, spread = root_mean_square(errors)
    own = ["" if np.isnan(s) else f" ± {100 * s:.{digits}f}" for s in spread]
    scale = 100.0 / np.sqrt(count)
    return tuple(
        f"{100 * r:.{digits}f}{s} % ({scale * e:.{digits}f} %)"
        for r, s, e in zip(root, own, expected, strict=True)
    )


def three(errors: FloatArray, count: int) -> str:
    """Return standard errors of the three rates in words."""
    return ", ".join(f"{100 * e / np.sqrt(count):.2g} %" for e in errors)


def all_rows(fits: Sequence[Fit]) -> list[tuple[str, ...]]:
    """Return a row for every fit."""
    order = list(WORDS)
    return [
        (
            WORDS[fit.method],
            f"{fit.sweeps:,}",
            str(fit.seed),
            *(
                f"{rate:.4f}" + ("*" if fit.at_bound and fit.at_bound[i] else "")
                for i, rate in enumerate(fit.rates)
            ),
            f"{fit.quality[0]:.4f}",
            setting_cells(fit.method, fit.setting)[0],
        )
        for fit in sorted(fits, key=lambda f: (f.sweeps, f.seed, order.index(f.method), f.setting))
    ]
