"""Limits of wall-clock time for referees."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sbmlgrad.errors import RefereeError


def late(referee: str, timeout_s: float) -> RefereeError:
    """Return the error that says that a referee took too long."""
    return RefereeError(
        f"referee '{referee}' did not finish within {timeout_s:g} s and was stopped. Allow more "
        "time with timeout_s (--timeout on the command line), or ask for fewer trajectories or "
        "shorter times."
    )


@dataclass(frozen=True)
class Deadline:
    """When work that runs in this process must end.

    Attributes:
        referee: its name.
        timeout_s: seconds from now on.
    """

    referee: str
    timeout_s: float
    _start: float = field(default_factory=time.monotonic, repr=False)

    def check(self) -> None:
        """Raise a `RefereeError` if the time is up."""
        if time.monotonic() - self._start > self.timeout_s:
            raise late(self.referee, self.timeout_s)
