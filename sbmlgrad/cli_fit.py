"""What `sbmlgrad fit` does besides fitting: options as text, a dry run."""

from __future__ import annotations

from typing import Any

from sbmlgrad.cli_support import bound, names_of, numbers, pairs


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


def plan(
    network: Any, measurements: Any, options: dict[str, Any], optimizer: str
) -> dict[str, Any]:
    """Check everything that a fit needs, and say what it would do.

    Raises:
        SbmlGradError: whatever the fit itself would refuse before it starts.
    """
    from sbmlgrad.codegen.lowering import lower
    from sbmlgrad.fit.optimizers import make_optimizer
    from sbmlgrad.fit.plain import plain_problem
    from sbmlgrad.fit.search_space import search_space

    lower(network)
    problem, assumptions = plain_problem(network, measurements, **options)
    free = search_space(problem)
    make_optimizer(optimizer)
    columns = (values.tolist() for values in (free.start, free.lower, free.upper))
    return {
        "model": network.id,
        "free": {
            name: {"start": start, "lower": low, "upper": high}
            for name, start, low, high in zip(free.ids, *columns, strict=True)
        },
        "observables": {
            id: len(problem.measurements.observed(id).times)
            for id in problem.measurements.observables
        },
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
        print(f"  {name}: {count} times")
    for assumption in planned["assumptions"]:
        print(f"  {assumption}")
