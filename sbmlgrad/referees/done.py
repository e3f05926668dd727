"""How far a cross-check has come."""

from __future__ import annotations

from dataclasses import dataclass

from sbmlgrad.engines.base import Progress


@dataclass
class Done:
    """Counts trajectories for `progress`; a confirming run adds to what there is to do."""

    report: Progress | None
    total: int = 0
    done: int = 0
    _told: tuple[int, int] = (0, 0)

    def add(self, trajectories: int) -> None:
        """Tell that so many more are finished."""
        self.done += trajectories
        self.under_way(0.0)

    def under_way(self, trajectories: float) -> None:
        """Tell that so many of those that are not finished are done, some of them in part."""
        now = (min(int(self.done + trajectories), self.total), self.total)
        if self.report is not None and now != self._told:
            self._told = now
            self.report(*now)
