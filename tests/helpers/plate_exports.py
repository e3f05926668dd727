"""Exports of plate readers in the layouts of the instruments, of any size, as rows of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def tecan(
    channels: Mapping[str, Mapping[str, Sequence[object]]],
    times: Sequence[float],
    *,
    planned: int = 0,
    across: bool = True,
) -> list[list[object]]:
    """Return rows of channel → well → values at times, with cycles that were planned only."""
    rows: list[list[object]] = [["Application: Tecan i-control"], ["Date:", "21/01/2015"], []]
    for channel, wells in channels.items():
        cycles = [*range(1, len(times) + planned + 1)]
        block = [["Cycle Nr.", *cycles], ["Time [s]", *times], ["Temp. [°C]", *[30.5] * len(times)]]
        block += [[well, *values] for well, values in wells.items()]
        if not across:
            width = len(cycles) + 1
            filled = [[*line, *[None] * (width - len(line))] for line in block]
            block = [list(line) for line in zip(*filled, strict=True)]
        rows += [[channel], *block, []]
    return [*rows, ["End Time:", "22/01/2015 10:18:25"]]


def bmg(
    channels: Mapping[str, Mapping[str, Sequence[object]]], times: Sequence[float]
) -> list[list[object]]:
    """Return rows of channel → well → values at times, channels stacked."""
    wells = list(next(iter(channels.values())))
    rows: list[list[object]] = [["User: USER"], ["Test Name: X"], []]
    rows += [["Well", None, *wells], ["Content", "Time [s]", *["Sample X1"] * len(wells)]]
    rows += [["Group", None, *["A"] * len(wells)]]
    for channel, values in channels.items():
        for i, time in enumerate(times):
            rows.append([f" Raw Data ({channel})", time, *(values[well][i] for well in wells)])
    return rows


def biotek(
    channels: Mapping[str, Mapping[str, Sequence[object]]],
    times: Sequence[str],
    *,
    planned: int = 0,
) -> list[list[object]]:
    """Return rows of channel → well → values at times h:mm:ss, one table a channel."""
    rows: list[list[object]] = [
        ["Software Version", "3.11.19"],
        ["Date", "10/27/2021"],
        ["Time", "1:29:17 PM"],
        ["Reader Type:", "Epoch 2"],
        [],
    ]
    for channel, wells in channels.items():
        rows += [[channel], [], [None, "Time", f"T° {channel}", *wells]]
        for i, time in enumerate(times):
            rows.append([None, time, 28.1, *(values[i] for values in wells.values())])
        rows += [[None, "0:00:00"]] * planned
        rows.append([])
    return [*rows, ["Results"], [None, "A", "B"], ["Max V", 1.5, 2.5]]


def as_text(rows: Sequence[Sequence[object]], separator: str = ",") -> str:
    """Return rows as text, every row of the same width, as instruments write it."""
    width = max(len(row) for row in rows)
    lines = ([*row, *[None] * (width - len(row))] for row in rows)
    text = [separator.join("" if x is None else str(x) for x in line) for line in lines]
    return "\ufeff" + "\n".join(text) + "\n"
