"""What a referee sampled, as one side of a comparison."""

from __future__ import annotations

from sbmlgrad.referees.base import RefereeResult
from sbmlgrad.referees.moments import moments
from sbmlgrad.referees.statistics.names import Side


def side_of(result: RefereeResult, species: int, is_counted: bool) -> Side:
    """Return what a referee sampled as one side.

    Args:
        result: of the referee.
        species: how many columns are species; the others are counters.
        is_counted: whether there are counters.
    """
    of_all, counts = result.moments, result.counts
    if counts is not None:
        of_all = moments([counts])
    return Side(
        moments=of_all.columns(slice(0, species)),
        counts=None if counts is None else counts[:, :, :species],
        firings=of_all.columns(slice(species, None)) if is_counted else None,
        firing_counts=None if counts is None or not is_counted else counts[:, :, species:],
        beside_firings=None if counts is None or not is_counted else counts[:, :, :species],
        waits=result.waits,
    )


def left_out_of(
    result: RefereeResult, is_counted: bool, is_whole: bool, is_timed: bool
) -> tuple[str, ...]:
    """Return what cannot be compared with it, in words.

    Args:
        result: of the referee.
        is_counted: whether there are counters.
        is_whole: whether ensembles are kept.
        is_timed: whether waiting times are kept.
    """
    found = []
    if not is_counted:
        found.append("firing counts: the ensemble with them is too large to be kept")
    if not is_whole:
        found.append("distributions and covariances: the ensemble is too large to be kept")
    elif result.counts is None:
        found.append(f"distributions and covariances: '{result.name}' gives moments only")
    if not is_timed:
        found.append("waiting times: the ensemble is too large for them to be kept")
    elif result.waits is None:
        found.append(f"waiting times: '{result.name}' does not tell when reactions fired")
    return tuple(found)
