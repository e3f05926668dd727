"""The cross-check campaign as a picture: every model a row, every referee a column."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from campaign.argue import OURS as OURS_RIGHT
from campaign.compare import (
    AGREES,
    CANNOT,
    DISAGREES,
    FAILED,
    FEWEST,
    KNOWN,
    NO_MEANING,
    NOTHING,
    OURS_FAILED,
    SKIPPED,
)
from campaign.report import Records, by_place, columns, groups, of_each
from campaign.subjects import NATURAL, SHIPPED, SUITE, TITLES

#: What a cell is that a verdict alone does not tell.
COARSE, RIGHT, WRONG = "coarse", "sbmlgrad is right", "not explained"

#: What a cell is → colour (Okabe and Ito, which colour-blind readers can tell apart), letter and
#: words of the legend.
STYLES: Mapping[str, tuple[str, str, str]] = {
    AGREES: ("#009E73", "", "agrees; the number is that of trajectories a side"),
    COARSE: ("#A6DCC8", "", f"agrees, from fewer than {FEWEST} trajectories a side"),
    KNOWN: ("#B4B4B4", "K", f"not asked: {KNOWN}"),
    CANNOT: ("#EFEFEF", "C", f"not asked: {CANNOT}, or no exact answer"),
    NOTHING: ("#FFFFFF", "N", f"{NOTHING}, so that there is nothing to compare"),
    NO_MEANING: ("#F0E442", "R", f"refused by sbmlgrad: {NO_MEANING}"),
    FAILED: ("#E69F00", "T", "the referee failed or ran out of time"),
    RIGHT: ("#56B4E9", "×", "disagrees, and an exact answer says sbmlgrad is right"),
    WRONG: ("#D55E00", "×", "disagrees, not explained"),
    OURS_FAILED: ("#000000", "!", "sbmlgrad failed"),
}

#: Inches of a row, a column, the names beside and above a matrix, a margin, and the legend.
ROW, COLUMN, LABELS, HEAD, MARGIN, FOOT = 0.2, 0.46, 1.35, 1.0, 0.35, 1.1


def draw(records: Records, path: Path) -> None:
    """Draw the matrix: shipped models and BioModels on the left, the suite on the right.

    Args:
        records: of one effort.
        path: image file.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    found, referees = groups(records), columns(records)
    sides = [[g for g in side if g in found] for side in ((SHIPPED, NATURAL), (SUITE,))]
    sides = [side for side in sides if side]
    heights = [sum(HEAD + ROW * len(found[g]) for g in side) for side in sides]
    wide = LABELS + COLUMN * len(referees) + MARGIN
    width, height = wide * len(sides), max(heights) + FOOT
    figure = Figure(figsize=(width, height))
    for number, side in enumerate(sides):
        top = height
        for group in side:
            tall = ROW * len(found[group])
            top -= HEAD + tall
            left = number * wide + LABELS
            box = (left / width, top / height, COLUMN * len(referees) / width, tall / height)
            _matrix(figure.add_axes(box), records, group, found[group], referees)
    shown = {_style(record) for record in records}
    handles = [
        Patch(facecolor=colour, edgecolor="#888888", label=f"{letter}  {words}".strip())
        for what, (colour, letter, words) in STYLES.items()
        if what in shown
    ]
    figure.legend(handles=handles, loc="lower left", ncols=2, fontsize=8, frameon=False)
    figure.savefig(path, dpi=130)


def _matrix(ax: Any, records: Records, group: str, models: list[str], referees: list[str]) -> None:
    from matplotlib.patches import Rectangle

    places = by_place(records)
    used = [name for name in referees if any((group, m, name) in places for m in models)]
    for row, model in enumerate(models):
        for column, name in enumerate(used):
            record = places.get((group, model, name))
            if record is None:
                continue
            colour, letter, _ = STYLES[_style(record)]
            box = (column + 0.04, row + 0.06)
            ax.add_patch(Rectangle(box, 0.92, 0.88, facecolor=colour, linewidth=0))
            letter = letter or of_each(record)
            if letter:
                ink = "white" if colour in ("#009E73", "#D55E00", "#000000") else "#333333"
                middle = (column + 0.5, row + 0.5)
                ax.text(*middle, letter, ha="center", va="center", fontsize=7, color=ink)
    ax.set_xlim(0, len(referees))
    ax.set_ylim(len(models), 0)
    ax.xaxis.tick_top()
    ax.set_xticks([i + 0.5 for i in range(len(used))], used, fontsize=8, rotation=35, ha="left")
    ax.set_yticks([i + 0.5 for i in range(len(models))], models, fontsize=7)
    ax.tick_params(length=0, pad=1)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_title(TITLES[group], fontsize=10, loc="left", fontweight="bold", pad=6)


def _style(record: Mapping[str, Any]) -> str:
    verdict = record["verdict"]
    if verdict == SKIPPED:
        return record["kind"]
    if verdict == DISAGREES:
        return RIGHT if record.get("argument", {}).get("right") == OURS_RIGHT else WRONG
    if verdict == AGREES:
        return COARSE if 0 < int(record.get("trajectories") or 0) < FEWEST else AGREES
    return verdict
