"""The problem that the arguments of `sbmlgrad fit` mean, and what would be done with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sbmlgrad.cli.support import bound, names_of, numbers, pairs
from sbmlgrad.errors import RequestError


def petab_problem(path: Path, how: dict[str, Any], stray: dict[str, Any]) -> Any:
    """Return a PEtab problem.

    Args:
        path: its YAML file.
        how: arguments of `load`; those by default are left to the problem.
        stray: options that it leaves no room for, name → value.

    Raises:
        SbmlGradError: whatever stands in the way.
    """
    from sbmlgrad.io.petab import load_petab

    given = [name for name, value in stray.items() if value]
    if given:
        raise RequestError(
            f"{path.name} is a PEtab problem, which says this itself; leave out {', '.join(given)}"
        )
    usual = {"substance": None, "initial": "strict", "mass_action": "as_written"}
    given = {name: value for name, value in how.items() if value != usual[name]}
    return load_petab(path, **given)


def problem_of_files(
    model: Path,
    data: Path | None,
    how: dict[str, Any],
    reading: dict[str, Any],
    options: dict[str, Any],
    *,
    mapping: Path | None,
    is_snapshots: bool,
) -> tuple[Any, tuple[str, ...]]:
    """Return the problem of a model and a file of data, and what was assumed, in words.

    Args:
        model: file of the model.
        data: file of measurements or snapshots.
        how: arguments of `load`.
        reading: arguments of `load_measurements`.
        options: free parameters, bounds and start.
        mapping: file that says what columns and conditions are.
        is_snapshots: whether the data are counts in single cells.

    Raises:
        SbmlGradError: whatever stands in the way.
    """
    from sbmlgrad.fit.mapped import mapped_problem
    from sbmlgrad.fit.plain import plain_problem
    from sbmlgrad.io.formats import load
    from sbmlgrad.io.mapping_file import load_mapping
    from sbmlgrad.io.snapshot_files import load_snapshots
    from sbmlgrad.io.tables.measurements import load_measurements

    network = load(model, **how)
    if data is None:
        raise RequestError(f"fit {model.name}: name the file of measurements too")
    if is_snapshots:
        meant = ("mapping", "sheet", "header_row", "names", "time_unit")
        stray = [name for name, value in reading.items() if value is not None and name not in meant]
        stray += ["mapping"] if mapping is not None else []
        if stray:
            names = ", ".join("--" + name.replace("_", "-") for name in stray)
            raise RequestError(f"--snapshots: counts of cells have no {names}; leave out {names}")
        cells = load_snapshots(data, **{k: v for k, v in reading.items() if k in meant[1:]})
        return plain_problem(network, cells, mapping=reading["mapping"], **options)
    if mapping is not None:
        if reading["mapping"] is not None:
            raise RequestError("--mapping says what columns are; leave out --map")
        measurements = load_measurements(data, **{**reading, "mapping": None})
        return mapped_problem(network, measurements, load_mapping(mapping, network), **options), ()
    return plain_problem(network, load_measurements(data, **reading), **options)


def fit_options(
    free: str | None, bounds: list[str] | None, start: list[str] | None
) -> dict[str, Any]:
    """Return the arguments of `fit` that the options `--free`, `--bounds` and `--start` mean.

    Raises:
        RequestError: one of them is not written as it must be.
    """
    return {
        "free": list(names_of(free)) if free else None,
        "bounds": {name: bound(text) for name, text in pairs(bounds, "--bounds").items()},
        "start": numbers(start, "--start"),
    }


def mapping_of(columns: list[str] | None) -> dict[str, str | None] | None:
    """Return column → id, or → None for a column to leave out; None if nothing is mapped.

    Raises:
        RequestError: an option `--map` is not written as it must be.
    """
    return {column: (to or None) for column, to in pairs(columns, "--map").items()} or None


def plan(problem: Any, assumptions: tuple[str, ...]) -> dict[str, Any]:
    """Return what a fit of a problem would do, as plain data.

    Args:
        problem: checked already.
        assumptions: what was assumed in making it, in words.
    """
    measurements = problem.measurements
    counts = {
        id: int((measurements.observable_index == place).sum())
        for place, id in enumerate(measurements.observables)
    }
    return {
        "model": problem.network.id,
        "free": {
            p.id: {"start": p.nominal, "lower": p.lower, "upper": p.upper} for p in problem.free
        },
        "observables": counts,
        "experiments": [experiment.id for experiment in problem.experiments],
        "assumptions": list(assumptions),
    }


def print_plan(planned: dict[str, Any], source_name: str) -> None:
    """Print what a fit would do.

    Args:
        planned: as `plan` returns it.
        source_name: file of the measurements.
    """
    print(f"would fit '{planned['model']}' to {source_name}:")
    for name, row in planned["free"].items():
        print(f"  {name}: from {row['start']:g} within {row['lower']:g} … {row['upper']:g}")
    for name, count in planned["observables"].items():
        print(f"  {name}: {count} measurements")
    if len(planned["experiments"]) > 1:
        print(f"  {len(planned['experiments'])} experiments")
    for assumption in planned["assumptions"]:
        print(f"  {assumption}")
