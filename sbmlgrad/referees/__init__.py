"""Other simulators behind one protocol, each in a process of its own.

To add one, write a file with a class that satisfies `referees.base.Referee`, and enter it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sbmlgrad.errors import RequestError
from sbmlgrad.referees.base import Referee, RefereeResult
from sbmlgrad.referees.roadrunner import RoadRunner

__all__ = ["REFEREES", "Referee", "RefereeResult", "RoadRunner", "referee"]

#: Name → referee, for `validate(against=...)`.
REFEREES: Mapping[str, Referee] = MappingProxyType(
    {r.name: r for r in (RoadRunner(), RoadRunner(package="tellurium"))}
)


def referee(name: str) -> Referee:
    """Return the referee of a name.

    Raises:
        RequestError: there is none.
    """
    if name not in REFEREES:
        raise RequestError(f"no referee '{name}'; choose from {', '.join(REFEREES)}")
    return REFEREES[name]
