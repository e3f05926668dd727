"""What every trajectory of a network must obey, and results that are no ensemble at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import RefereeError
from sbmlgrad.model.initial import initial_values
from sbmlgrad.referees.base import RefereeResult
from sbmlgrad.referees.statistics.names import Names
from sbmlgrad.referees.statistics.possible import Balance
from sbmlgrad.referees.waiting import WAITED_FOR


def balance_of(
    original: LoweredNetwork, counted: LoweredNetwork, counters: Mapping[str, str], names: Names
) -> Balance:
    """Return what trajectories of a network with counters must obey.

    Args:
        original: the network as it was given.
        counted: the normalised one with counters, in molecules.
        counters: channel → species that counts it, in the order of `names.channels`.
        names: of the axes.
    """
    network = original.network
    moved = network.set_by_events | {symbol for symbol, _ in original.flows}
    start = initial_values(counted.network)
    changes = {
        s: channel.change
        for channel in counted.channels
        for s in channel.change
        if s in set(counters.values())
    }
    return Balance(
        species=names.species,
        channels=names.channels,
        times=names.times,
        # What an event sets may be rounded on our side only.
        is_whole=np.array(
            [s not in moved or network.initial == "strict" for s in names.species], dtype=bool
        ),
        start=np.array([np.nan if s in moved else float(start[s]) for s in names.species]),
        change=np.array(
            [
                [float(changes[counter].get(s, 0)) for s in names.species]
                for counter in counters.values()
            ]
        ).reshape(len(counters), len(names.species)),
        unit=names.time_unit,
    )


def checked_result(
    result: RefereeResult, trajectories: int, times: NDArray[np.float64], asked: Sequence[str]
) -> RefereeResult:
    """Return what a referee gave, as float64 arrays, if it is what it was asked for.

    Args:
        result: what it gave.
        trajectories: how many were asked for.
        times: float64 [time].
        asked: species.

    Raises:
        RefereeError: it gave no result, other numbers of trajectories, times or species, or waits
            that are no times.
    """
    if not isinstance(result, RefereeResult):
        raise RefereeError(
            f"a referee returned a {type(result).__name__}, not a `RefereeResult`, so that there "
            "is nothing to compare; mend its `sample`"
        )
    if result.trajectories != trajectories:
        raise RefereeError(
            f"'{result.name}' was asked for {trajectories} trajectories and says that it gave "
            f"{result.trajectories}; both sides must have as many, or the stated error does not "
            "hold"
        )
    given = {
        what: np.asarray(array, dtype=np.float64)
        for what in ("mean", "variance", "fourth_moment", "counts", "waits")
        if (array := getattr(result, what)) is not None
    }
    shape = (len(times), len(asked))
    for what in ("mean", "variance", "fourth_moment"):
        if given[what].shape != shape:
            raise RefereeError(
                f"'{result.name}' gave a {what.replace('_', ' ')} of shape {given[what].shape}, "
                f"not [time, species] {shape}; it must report every species and time that it was "
                "asked for"
            )
    if "counts" in given and given["counts"].shape != (trajectories, *shape):
        raise RefereeError(
            f"'{result.name}' gave counts of shape {given['counts'].shape}, not [trajectory, time, "
            f"species] {(trajectories, *shape)}; it must report every trajectory, time and species "
            "that it was asked for"
        )
    if "waits" in given:
        _check_waits(result.name, given["waits"], trajectories)
    settings = {str(name): str(value) for name, value in dict(result.settings).items()}
    return replace(result, settings=settings, **given)


def _check_waits(name: str, waits: NDArray[np.float64], trajectories: int) -> None:
    shape = (trajectories, len(WAITED_FOR))
    if waits.shape != shape:
        raise RefereeError(
            f"'{name}' gave waits of shape {waits.shape}, not [trajectory, waited for] {shape}: "
            f"one for each of the firings {', '.join(map(str, WAITED_FOR))}"
        )
    wrong = waits[~(waits >= 0.0)]
    if wrong.size:
        raise RefereeError(
            f"'{name}' gave waits that are no times, {wrong[0]:g} among them; a firing that does "
            "not come by the last time is waited for infinitely long"
        )
