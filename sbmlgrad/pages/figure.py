"""Figures: empty ones in the style of all pictures, and their way into files."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from sbmlgrad.errors import RequestError, WriteError

#: Pixels an inch.
DPI = 160


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


def save_figure(figure: Any, path: str | Path, *, dpi: int = DPI) -> None:
    """Write a figure into a file.

    Args:
        figure: of Matplotlib.
        path: image file; the suffix says which format.
        dpi: pixels an inch, where the format has any.

    Raises:
        RequestError: the path is none.
        WriteError: the file cannot be written, or its suffix is no format.
    """
    if not isinstance(path, str | os.PathLike):
        raise RequestError(f"path={path!r}: give the name of a file, for instance 'plot.png'")
    suffix = Path(path).suffix.removeprefix(".").lower()
    known = figure.canvas.get_supported_filetypes()
    if suffix and suffix not in known:
        raise WriteError(
            f"the plot cannot be written to '{path}': there is no format '{suffix}'; choose a "
            f"suffix among {', '.join(f'.{one}' for one in known)}"
        )
    try:
        figure.savefig(path, dpi=dpi)
    except (OSError, ValueError) as error:  # a place that is none, or too many pixels
        raise WriteError(
            f"the plot cannot be written to '{path}': {error}; choose another place, or a suffix "
            "of drawings, such as .pdf"
        ) from error


def png_bytes(figure: Any) -> bytes:
    """Return a figure as the content of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()
