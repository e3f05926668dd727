"""An ensemble as a table of pandas or a dataset of xarray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas
    import xarray

    from sbmlgrad.engines.ensemble import Ensemble


def as_xarray(ensemble: Ensemble) -> xarray.Dataset:
    """Return the state as a dataset; see `Ensemble.to_xarray`."""
    import xarray

    coordinates = {
        "trajectory": np.arange(len(np.asarray(ensemble.outcomes))) + ensemble.first_trajectory,
        "time": ensemble.times,
    }
    columns = state_columns(ensemble)
    data: dict[str, Any] = {s: (("trajectory", "time"), v) for s, v in columns.items()}
    data["outcome"] = (("trajectory",), np.asarray(ensemble.outcomes))
    network = ensemble.network
    values = np.asarray(ensemble.parameters).tolist()
    attributes = {
        "model": network.id,
        "seed": ensemble.seed,
        "engine": str(ensemble.engine),
        "time_unit": network.time_unit,
        "parameters": ", ".join(
            f"{p}={v!r}" for p, v in zip(network.parameter_ids, values, strict=True)
        ),
        **{f"version_{name}": version for name, version in ensemble.versions.items()},
    }
    return xarray.Dataset(data, coords=coordinates, attrs=attributes)


def as_dataframe(ensemble: Ensemble) -> pandas.DataFrame:
    """Return the state as a long table; see `Ensemble.to_dataframe`."""
    import pandas

    n, k = len(np.asarray(ensemble.outcomes)), len(ensemble.times)
    numbers = np.repeat(np.arange(n) + ensemble.first_trajectory, k)
    table = {"trajectory": numbers, "time": np.tile(ensemble.times, n)}
    table |= {s: v.reshape(-1) for s, v in state_columns(ensemble).items()}
    frame = pandas.DataFrame(table)
    frame.attrs = {
        "model": ensemble.network.id,
        "seed": ensemble.seed,
        "engine": str(ensemble.engine),
    }
    return frame


def state_columns(ensemble: Ensemble) -> dict[str, NDArray[Any]]:
    """Return the state at `times` by symbol [trajectory, time], whole counts as integers."""
    _ = ensemble.times
    state = np.asarray(ensemble.states[0])
    species = ensemble.species
    columns: dict[str, NDArray[Any]] = {}
    for i, symbol in enumerate((*species, *ensemble.network.variable_ids)):
        column = state[:, :, i]
        is_count = i < len(species) and not ensemble.is_deterministic
        columns[symbol] = column.astype(np.int64) if is_count and is_whole(column) else column
    return columns


def is_whole(column: NDArray[np.float64]) -> bool:
    """Tell whether all numbers are whole and an int64 can hold them; NaN is not."""
    return bool(np.all((column == np.rint(column)) & (np.abs(column) < 2.0**63)))
