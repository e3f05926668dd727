"""The problem that model, data and options mean, and what `sbmlgrad fit` would do with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sbmlgrad.cli.fit_cells import cells_problem, refuse_conditions
from sbmlgrad.cli.fit_messages import beside_mapping, left_out_by
from sbmlgrad.cli.reading import option_of
from sbmlgrad.cli.support import bound, names_of, numbers, pairs
from sbmlgrad.errors import RequestError

#: As for other commands, but open where nothing is given, since a PEtab problem can say it.
Initial = Annotated[
    str | None,
    typer.Option(
        metavar="HOW",
        show_default=False,
        help="Initial counts that are not whole: strict refuses them, round takes the nearest, "
        "randomised draws the one above or below for every trajectory; strict, or as a PEtab "
        "problem says.",
    ),
]
MassAction = Annotated[
    str | None,
    typer.Option(
        metavar="HOW",
        show_default=False,
        help="as_written, or combinatorial: k*A*A of 2 A -> ... means k*A*(A-1)/2; as_written, or "
        "as a PEtab problem says.",
    ),
]

#: Arguments of `load_measurements` that counts of cells have too, and what `load_snapshots` calls
#: them.
_OF_CELLS = {
    "clock": "clock",
    "condition_columns": "conditions",
    "decimal": "decimal",
    "encoding": "encoding",
    "header_row": "header_row",
    "layout": "layout",
    "missing": "missing",
    "names": "names",
    "observables": "columns",
    "separator": "separator",
    "sheet": "sheet",
    "time_column": "time",
    "time_unit": "time_unit",
}


def petab_problem(path: Path, how: dict[str, Any], stray: dict[str, Any]) -> Any:
    """Return a PEtab problem.

    Args:
        path: its YAML file.
        how: arguments of `load`; those that are None are left to the problem.
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
    return load_petab(path, **how)


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
        how: arguments of `load`; those that are None have its defaults.
        reading: arguments of `load_measurements` that were given.
        options: free parameters, bounds and start.
        mapping: file that says what columns and conditions are.
        is_snapshots: whether the data are counts in single cells.

    Raises:
        SbmlGradError: whatever stands in the way.
    """
    from sbmlgrad.fit.problems.mapped import mapped_problem
    from sbmlgrad.fit.problems.plain import plain_problem
    from sbmlgrad.io.formats import load
    from sbmlgrad.io.mapping_file import load_mapping
    from sbmlgrad.io.snapshot_files import load_snapshots
    from sbmlgrad.io.tables.measurements import load_measurements

    network = load(model, **{name: value for name, value in how.items() if value is not None})
    if data is None:
        raise RequestError(f"fit {model.name}: name the file of measurements too")
    columns = reading.get("mapping")
    reading = {name: value for name, value in reading.items() if name != "mapping"}
    if is_snapshots:
        cells = load_snapshots(data, **_of_cells(reading))
        if mapping is not None:
            return cells_problem(network, cells, mapping, columns, options), ()
        refuse_conditions(cells)
        return plain_problem(network, cells, mapping=columns, **options)
    if mapping is None:
        measurements = load_measurements(data, mapping=columns, **reading)
        return plain_problem(network, measurements, **options)
    if columns is not None:
        raise RequestError(
            f"--mapping says what columns are; leave out --map, and {left_out_by(mapping.name)}"
        )
    described = load_mapping(mapping, network)
    with beside_mapping(mapping.name):
        measurements = load_measurements(data, mapping=described.left_out, **reading)
    return mapped_problem(network, measurements, described, **options), ()


def _of_cells(reading: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `load_snapshots` that options of tables mean."""
    stray = [option_of(name) for name in reading if name not in _OF_CELLS]
    if stray:
        names = ", ".join(stray)
        raise RequestError(f"--snapshots: counts of cells have no {names}; leave out {names}")
    if isinstance(reading.get("sheet"), list):
        raise RequestError(
            "--snapshots: counts of cells are read from one sheet; give --sheet once, and put all "
            "cells into that sheet"
        )
    return {_OF_CELLS[name]: value for name, value in reading.items()}


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
        print(f"  {name}: {count} measurement{'s' * (count != 1)}")
    if len(planned["experiments"]) > 1:
        print(f"  {len(planned['experiments'])} experiments")
    for assumption in planned["assumptions"]:
        print(f"  {assumption}")
