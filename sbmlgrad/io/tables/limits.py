"""Marks instead of numbers: missing values, and values below or above a limit of detection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sbmlgrad.io.tables.cells import Cell, Problem, clean
from sbmlgrad.io.tables.decimals import Place
from sbmlgrad.io.tables.options import TableOptions
from sbmlgrad.io.tables.problems import letters, ranges
from sbmlgrad.model.labels import first_of

_NUMBER = r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
_BELOW = re.compile(rf"[<≤]=?\s*{_NUMBER}")
_ABOVE = re.compile(rf"[>≥]=?\s*{_NUMBER}")
#: Words of laboratories and instruments, in lower case.
_BELOW_WORDS = (
    *("nd", "n.d.", "n.d", "not detected", "bdl", "bql", "blq", "bloq", "lod", "<lod", "< lod"),
    *("<loq", "<lloq", "below", "below limit", "below detection", "below detection limit"),
    *("under", "undr", "undrflw"),
)
_ABOVE_WORDS = (
    *("over", "ovrflw", "overflow", "ovfl", "over range", "out of range", "aql", ">uloq"),
    *("> uloq", ">ulod", "sat", "saturated", "above", "above limit"),
)

#: What is done by each choice, in words.
_SAID = {"drop": "left out", "half": "read as half the limit", "limit": "read as the limit"}


@dataclass(frozen=True, slots=True)
class _Side:
    """Below or above: what was found there, and what the caller wants."""

    word: str
    option: str
    choices: str
    limit_option: str
    choice: str | None
    limit: float | None
    warning: str


def with_limits(
    cells: Mapping[Place, Cell], options: TableOptions, problems: list[Problem], notes: list[str]
) -> dict[Place, Cell]:
    """Return cells without marks: missing ones left out, the others as the caller chooses.

    Args:
        cells: that shall hold numbers, decimal commas already replaced.
        options: `missing`, `below`, `above` and the limits.
        problems: added to where a mark was found and nothing chosen.
        notes: what was done with marks, in words.
    """
    below = _Side(
        "below",
        "below_detection",
        "'drop', 'half' or 'limit'",
        "lower_limit",
        options.below,
        options.lower_limit,
        "leaving them out makes means too large, so it is never done unasked",
    )
    above = _Side(
        "above",
        "above_detection",
        "'drop' or 'limit'",
        "upper_limit",
        options.above,
        options.upper_limit,
        "leaving them out makes means too small, so it is never done unasked",
    )
    kept: dict[Place, Cell] = {}
    done: dict[tuple[str, str], list[Place]] = {}
    for place, cell in cells.items():
        if not isinstance(cell, str):
            kept[place] = cell
            continue
        text = clean(cell)
        word = text.lower()
        if word in options.missing:
            done.setdefault((repr(text), "missing"), []).append(place)
            continue
        side, number = below, _BELOW.fullmatch(text)
        if not (number or word in _BELOW_WORDS):
            side, number = above, _ABOVE.fullmatch(text)
            if not (number or word in _ABOVE_WORDS):
                kept[place] = cell
                continue
        value = _value(side, float(number[1]) if number else None, text, place, problems)
        if value is not None:
            kept[place] = value
        if side.choice is not None:
            said = {
                "drop": "left out",
                "half": "read as half the limit",
                "limit": "read as the limit",
            }
            what = f"{side.word} a limit of detection, {said[side.choice]}"
            done.setdefault((repr(text), what), []).append(place)
    for (text, what), places in done.items():
        number = f"{len(places)} cell{'s'[: len(places) != 1]}"
        notes.append(f"{text} in {number} means {what}: {_places(places)}")
    return kept


def _value(
    side: _Side, limit: float | None, text: str, place: Place, problems: list[Problem]
) -> float | None:
    row, column = place
    if side.choice is None:
        unclear = f"; if it means that nothing was measured, give missing=[{text!r}]"
        problems.append(
            Problem(
                f"found {text!r}, a value {side.word} a limit of detection; choose "
                f"{side.option}={side.choices} ({side.warning}){unclear if limit is None else ''}",
                row,
                column,
                kind=side.option,
            )
        )
        return None
    if side.choice == "drop":
        return None
    limit = side.limit if limit is None else limit
    if limit is None:
        problems.append(
            Problem(
                f"found {text!r}, which names no limit of detection; give {side.limit_option}=",
                row,
                column,
                kind=side.limit_option,
            )
        )
        return None
    if side.choice == "half" and limit < 0.0:
        text = f"found {text!r}, and half of a negative limit is above it; choose"
        text += f" {side.option}='limit' or 'drop'"
        problems.append(Problem(text, row, column, kind="half"))
        return None
    return limit / 2.0 if side.choice == "half" else limit


def _places(places: list[Place]) -> str:
    by_column: dict[int, list[int]] = {}
    for row, column in places:
        by_column.setdefault(column, []).append(row)
    texts = [
        f"column {letters(c)} row{'s'[: len(rows) > 1]} {ranges(sorted(rows))}"
        for c, rows in by_column.items()
    ]
    return first_of(texts, 5, "columns", separator="; ")
