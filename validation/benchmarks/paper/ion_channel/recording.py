"""What fits of a recording found, as a page and a figure: the published rates are no truth here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from paper_records import paragraph, table, told_provenance

from ion_channel.exact import mean_open
from ion_channel.figure import COLOURS, show_sweeps
from ion_channel.fits import Fit
from ion_channel.report import PUBLISHED
from ion_channel.sweeps import CHANNELS, EDGES, Sweeps
from ion_channel.tables import NAMES, WORDS


def titled(fit: Fit) -> str:
    """Return what a fit is called where nobody knows the truth."""
    if fit.method == "published rates":
        return "published rates"
    return WORDS[fit.method]


def recording_page(fits: Sequence[Fit], name: str, left_out: Sequence[int]) -> str:
    """Return fits of a recording as a page.

    Args:
        fits: of one recording.
        name: of its file.
        left_out: numbers of sweeps that were not fitted.
    """
    without = f"; without {', '.join(map(str, left_out))}" if left_out else ""
    rows = [
        (
            titled(fit),
            f"{fit.trajectories:,}" if fit.trajectories else "",
            *(
                f"{rate:.4g}{'*' if is_end else ''}"
                for rate, is_end in zip(fit.rates, fit.at_bound or (False,) * 3, strict=True)
            ),
            f"{fit.quality[0]:.4f}",
            f"{fit.quality[1]:.4f}",
            f"{100.0 * fit.quality[2]:.1f} %",
            f"{fit.cpu_seconds:.0f}" if fit.cpu_seconds else "",
        )
        for fit in fits
    ]
    heads = ("rates", "trajectories", *(f"{rate}, 1/ms" for rate in NAMES))
    heads += ("R²", "RMSE", "of the largest mean", "processor, s")
    lines = [
        f"# Ion channel C ⇌ O → I, on {name}",
        "",
        *paragraph(f"{fits[0].sweeps} sweeps{without}. {told_provenance(vars(f) for f in fits)}"),
        *table(heads, rows),
        "",
        *paragraph(
            f"Published for the recording: R² {PUBLISHED[0]}, RMSE {PUBLISHED[1]}, "
            f"{100.0 * PUBLISHED[2]:.1f} % of the largest mean. Rates marked * ended at a bound of "
            "the search: the data do not determine them. Descents start from rates that the "
            "recording suggests. Maximum likelihood of every sample uses all that the sweeps tell; "
            "the mean alone says little of closing."
        ),
    ]
    return "\n".join(lines).rstrip() + "\n"


def plot_recording(fits: Sequence[Fit], sweeps: Sweeps, path: Path) -> None:
    """Draw some sweeps, and the mean of all beside those of the fits."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    show_sweeps(left, sweeps)
    middles = 0.5 * (EDGES[1:] + EDGES[:-1])
    right.plot(middles, sweeps.means, color="0.65", linewidth=1.0, label=f"{sweeps.count} sweeps")
    styles: Sequence[Any] = ("-", "--", "-.", ":")
    for place, fit in enumerate(fits):
        curve = mean_open(np.array(fit.rates), EDGES, CHANNELS)
        style, colour = styles[place % len(styles)], COLOURS[fit.method]
        right.plot(middles, curve, linestyle=style, color=colour, linewidth=1.6, label=titled(fit))
    right.set(xlabel="time, ms", ylabel="mean open channels")
    right.set_ylim(bottom=0.0)
    right.set_title("B  Means")
    right.legend(fontsize=8)
    right.grid(alpha=0.3)
    figure.savefig(path, dpi=130)
