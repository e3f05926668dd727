"""A summary as a table of pandas or a dataset of xarray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas
    import xarray

    from sbmlgrad.engines.ensemble_summary import EnsembleSummary

#: What tables hold of every symbol; what needs two trajectories is left out where there is one.
OF_ONE = ("mean", "minimum", "maximum")
OF_MORE = ("mean", "variance", "standard_error", "minimum", "maximum")


def as_xarray(summary: EnsembleSummary) -> xarray.Dataset:
    """Return statistics as a dataset; see `EnsembleSummary.to_xarray`."""
    import xarray

    labels = [id if quantity is None else f"{id}:{quantity}" for id, quantity in summary.asked]
    versions = {f"version_{name}": version for name, version in summary.versions.items()}
    return xarray.Dataset(
        {name: (("symbol", "time"), numbers) for name, numbers in _columns(summary).items()},
        coords={"symbol": labels, "time": summary.times},
        attrs={**_attributes(summary), **versions},
    )


def as_dataframe(summary: EnsembleSummary) -> pandas.DataFrame:
    """Return statistics as a long table; see `EnsembleSummary.to_dataframe`."""
    import pandas

    points = len(summary.times)
    columns: dict[str, Any] = {
        "symbol": np.repeat([id for id, _ in summary.asked], points),
        "quantity": np.repeat([quantity or "" for _, quantity in summary.asked], points),
        "time": np.tile(summary.times, len(summary.asked)),
    }
    columns |= {name: numbers.reshape(-1) for name, numbers in _columns(summary).items()}
    frame = pandas.DataFrame(columns)
    frame.attrs = {**_attributes(summary)}
    return frame


def _columns(summary: EnsembleSummary) -> dict[str, NDArray[np.float64]]:
    """Return statistics by name, float64 [symbol, time]."""
    _ = summary.times
    names = OF_MORE if summary.moments[0].count > 1 else OF_ONE
    return {
        name: np.array([getattr(summary, name)(*pair) for pair in summary.asked]) for name in names
    }


def _attributes(summary: EnsembleSummary) -> dict[Any, Any]:
    return {
        "model": summary.network.id,
        "trajectories": summary.trajectories,
        "seed": summary.seed,
        "engine": summary.engine,
        "time_unit": summary.network.time_unit,
    }
