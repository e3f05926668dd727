"""Headers whose columns are named by times, such as those of counts in single cells."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: A header that is a time: `0min`, `5 min`, `t = 10 (s)`, `15`; its number and its unit.
TIMED = re.compile(
    r"(?:(?:t|time)\s*=?\s*)?([0-9]+[.,]?[0-9]*)\s*[\[(]?([A-Za-z]*)[\])]?", re.IGNORECASE
)


def is_wide(labels: Iterable[str]) -> bool:
    """Tell whether a header names times with units, as that of the wide layout does."""
    found = list(labels)
    timed = [match for label in found if (match := TIMED.fullmatch(label)) and match[2]]
    return len(timed) > 1 and 2 * len(timed) > len(found)
