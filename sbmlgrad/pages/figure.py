"""An empty figure in the style of all pictures."""

from __future__ import annotations

from typing import Any


def new_figure(rows: int, columns: int, width: float, height: float) -> tuple[Any, Any]:
    """Return an empty figure and its axes [row, column], in the style of all pictures.

    Args:
        rows: of panels.
        columns: of panels.
        width: of one panel, in inches.
        height: of one panel, in inches.
    """
    # The object interface needs no display and leaves the user's pyplot state alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.25, linewidth=0.6)
    return figure, axes
