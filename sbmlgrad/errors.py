"""Every exception that sbmlgrad raises on purpose, under one root.

A message says which element is concerned (SBML id and line where known), what was found, why it
matters and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sbmlgrad.model.issues import Issue


class SbmlGradError(Exception):
    """Root of every exception raised on purpose."""


class UnreadableFileError(SbmlGradError):
    """A file that is missing, of an unknown format, or not what its suffix claims."""


class ModelError(SbmlGradError):
    """A model that cannot be used as asked; carries every issue found, not only the first.

    Attributes:
        issues: the issues that prevent the use, in document order.
    """

    def __init__(self, issues: Iterable[Issue], *, what: str) -> None:
        self.issues = tuple(issues)
        listed = "\n".join(f"  - {issue}" for issue in self.issues)
        super().__init__(f"{what}\n{listed}")


class UnsupportedModelError(ModelError):
    """A model with constructs that sbmlgrad refuses, each with its reason code."""


class ParameterError(SbmlGradError):
    """A parameter, species or other symbol that does not exist, or a value that cannot be used."""


class RequestError(SbmlGradError):
    """A request that makes no sense as given: times, trajectories, seed, readouts, engine."""


class StatisticsError(SbmlGradError):
    """A statistic that the ensemble cannot give, such as a variance of one trajectory."""


class SimulationError(SbmlGradError):
    """Trajectories that did not run to their end.

    Attributes:
        outcomes: int8 [trajectory], values of `sbmlgrad.engines.Outcome`.
        ensemble: the ensemble so far, failed trajectories included, or None.
    """

    def __init__(self, message: str, *, outcomes: Any = None, ensemble: Any = None) -> None:
        super().__init__(message)
        self.outcomes = outcomes
        self.ensemble = ensemble


class GradientError(SbmlGradError):
    """A derivative that the chosen estimator cannot give."""


class DataError(SbmlGradError):
    """Measurements that cannot be read; the message names file, sheet, row and column."""


class FitError(SbmlGradError):
    """A calibration that cannot start or cannot go on."""


class StateSpaceError(SbmlGradError):
    """A state space too large, or too small for the accuracy asked for."""


class TooManyStatesError(StateSpaceError):
    """A network that takes more states than allowed.

    Attributes:
        found: how many there are and which counts still spread, without what to do.
    """

    def __init__(self, model: str, found: str) -> None:
        self.found = found
        super().__init__(
            f"model '{model}': {found}. Shorten the time, allow more probability to leak by "
            "`tolerance`, raise `largest`, or simulate instead"
        )


class RefereeError(SbmlGradError):
    """Another simulator that is not installed, failed, or ran out of time."""


class NoRefereeError(RefereeError):
    """No referee gave a result.

    Attributes:
        skipped: referee → why it was left out.
    """

    def __init__(self, message: str, skipped: Mapping[str, tuple[str, ...]]) -> None:
        self.skipped = skipped
        super().__init__(message)


class NoCountsError(RequestError):
    """A network in which no reaction changes a count, so that there is nothing to compare."""


class WriteError(SbmlGradError):
    """A model that cannot be written to the given place or format."""
