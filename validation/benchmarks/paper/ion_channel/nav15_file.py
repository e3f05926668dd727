"""Reads the sodium-channel recording of the paper: an Excel workbook of idealised sweeps.

The recording (Zenodo 7817601, `HEK293_Cell01_40mV_100s_raw_DET_IDEI.xlsx`: Nav1.5 in HEK293 cells,
100 sweeps of 801 samples, 0.01 ms apart) may not be redistributed, so that nobody could look at it
when this was written, and its layout is assumed:

- one sheet (the first, or the one that is named) holds a block of numbers;
- cells that hold text, and empty rows and columns, may surround the block;
- one axis of the block is samples and the other sweeps; which is which is told by 801;
- a first line of times along the samples, evenly spaced, is left out if it is there;
- what is left are idealised levels: 0 where all channels are closed, and multiples of one level
  where one or two are open, of either sign, as inward currents are negative.

Anything else is refused with what was found, and nothing is guessed: look at the sheet then, and
correct this module.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import DataError

FloatArray = NDArray[np.float64]

#: Samples of a sweep, by which it is told which axis is time.
SAMPLES = 801

#: Channels of the patch.
CHANNELS = 2

#: How far a level may lie from a multiple of the single-channel level, as a share of that.
AWAY = 0.05


def read_sweeps(
    path: Path, *, sheet: str | None = None, samples: int = SAMPLES, channels: int = CHANNELS
) -> NDArray[np.int64]:
    """Return the number of open channels, int64 [sweep, sample].

    Args:
        path: of the workbook.
        sheet: its name; the first by default.
        samples: of a sweep.
        channels: most that can be open.

    Raises:
        DataError: the file cannot be read, or is not as the head of this module says.
    """
    block = _block(path, sheet)
    if block.shape[1] == samples:
        block = block.T
    if block.shape[0] != samples:
        raise DataError(
            f"{path.name}: the numbers are a block of {block.shape[0]} × {block.shape[1]}, and "
            f"sweeps of {samples} samples need an axis of {samples}; say samples=..., or correct "
            "the layout in ion_channel/nav15_file.py"
        )
    if _is_clock(block[:, 0]):
        block = block[:, 1:]
    if not block.shape[1]:
        raise DataError(f"{path.name}: there is a column of times and no sweep beside it")
    return _counts(path, block, channels).T


def _block(path: Path, sheet: str | None) -> FloatArray:
    import pandas as pd

    try:
        frame = pd.read_excel(path, sheet_name=0 if sheet is None else sheet, header=None)
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name}: cannot be read as an Excel workbook: {error}") from error
    values = frame.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    # A line of labels may hold a number or two, as `sweep 1` split over cells does.
    rows = np.isfinite(values).sum(axis=1) > 0.5 * values.shape[1]
    columns = np.isfinite(values[rows]).sum(axis=0) > 0.5 * rows.sum()
    block = values[rows][:, columns]
    if not block.size:
        raise DataError(f"{path.name}: the sheet holds no block of numbers")
    if not np.isfinite(block).all():
        row, column = np.argwhere(~np.isfinite(block))[0]
        place = f"row {np.flatnonzero(rows)[row] + 1}, column {np.flatnonzero(columns)[column] + 1}"
        raise DataError(f"{path.name}: {place} holds no number within the block of numbers")
    return block


def _is_clock(line: FloatArray) -> bool:
    steps = np.diff(line)
    return bool(steps.min() > 0.0 and np.allclose(steps, steps.mean(), rtol=1e-3))


def _counts(path: Path, levels: FloatArray, channels: int) -> NDArray[np.int64]:
    largest = float(np.abs(levels).max())
    if largest == 0.0:
        raise DataError(f"{path.name}: no channel ever opens: every level is 0")
    if levels.min() < 0.0 < levels.max():
        raise DataError(
            f"{path.name}: levels from {levels.min():g} to {levels.max():g} lie on both sides of "
            "0; an idealised record has 0 where channels are closed, so subtract the baseline"
        )
    sizes = np.abs(levels)
    unit = float(sizes[sizes > 0.5 * largest / channels].min())
    found = np.round(sizes / unit).astype(np.int64)
    off = np.abs(sizes / unit - found)
    if off.max() > AWAY or found.max() > channels:
        sample, sweep = np.unravel_index(int(np.argmax(off)), off.shape)
        raise DataError(
            f"{path.name}: sweep {sweep + 1}, sample {sample + 1} is {levels[sample, sweep]:g}, "
            f"and idealised levels are 0 to {channels} times {unit:g}; is this the raw current?"
        )
    return found
