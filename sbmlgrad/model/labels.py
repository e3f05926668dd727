"""Labels: names that survive any table format, and the candidates for one that was mistyped."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from sbmlgrad.errors import DataError


def fault_of(label: str) -> str:
    """Say what is wrong with a name, unit, replicate or condition; empty if nothing is.

    Labels are one printable line with single blanks, so that they survive any table format.
    """
    if unprintable := sorted({c for c in label if not c.isprintable()}):
        listed = ", ".join(f"U+{ord(c):04X}" for c in unprintable)
        return f"has the unprintable character {listed}; type it again without"
    if label != " ".join(label.split()):
        return "has blanks at an end or several in a row; use single blanks between words"
    return ""


def suggestion(name: str, candidates: Iterable[str]) -> str:
    """Return ` (did you mean ...?)` for the closest candidates, letter case aside, or nothing."""
    by_lower: dict[str, list[str]] = {}
    for candidate in candidates:
        by_lower.setdefault(candidate.lower(), []).append(candidate)
    close = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    found = [candidate for key in close for candidate in by_lower[key]]
    return f" (did you mean {' or '.join(map(repr, found))}?)" if found else ""


def first_of(texts: Sequence[str], most: int, what: str = "", *, separator: str = ", ") -> str:
    """Return texts in a row; of many, the first ones and how many there are beside them.

    Args:
        texts: to be listed.
        most: that are.
        what: the texts are, in the plural, such as "columns"; empty leaves it out.
        separator: between two of them.
    """
    shown = separator.join(texts[:most])
    beside = len(texts) - most
    return shown if beside <= 0 else f"{shown} and {beside} more {what}".rstrip()


def refuse_unknown(source: str, kind: str, label: str, labels: tuple[str, ...]) -> None:
    """Raise a `DataError` for a label that a record has not.

    Args:
        source: what the record is called.
        kind: what the label names: "observable", "condition", "state".
        label: the one that was asked for.
        labels: those of the record.
    """
    if label not in labels:
        close = suggestion(str(label), labels)
        raise DataError(f"{source}: there is no {kind} {label!r}{close}; there are {labels}")
