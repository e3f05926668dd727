"""Limits of wall-clock time, for referees and for our own side."""

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


class TimeUpError(Exception):
    """The time of our own side is up; whoever asked for it says what that means."""


@dataclass
class Watch:
    """Stops our own side when its time is up: its `told` is given to `simulate` as `progress`.

    The clock starts when it is told for the first time. Kernels are compiled before that, which
    cannot be stopped and happens once.

    Attributes:
        limit_s: seconds; may be infinite.
        done: trajectories that were done when it was told last, those under way in part.
    """

    limit_s: float
    done: float = 0.0
    _start: float | None = field(default=None, repr=False)

    def told(self, done: float) -> None:
        """Take note of how many trajectories are done.

        Raises:
            TimeUpError: the time is up.
        """
        self.done = done
        now = time.monotonic()
        if self._start is None:
            self._start = now
        elif now - self._start > self.limit_s:
            raise TimeUpError
