"""Plain sheets as calibration problems: columns are species, free parameters are named by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from sbmlgrad.errors import FitError, ParameterError
from sbmlgrad.fit.problems.followers import followers
from sbmlgrad.model.arguments import ids_of
from sbmlgrad.model.binding import bind
from sbmlgrad.model.dwells import Dwells
from sbmlgrad.model.elements import Species
from sbmlgrad.model.expression import Expression, Number, Symbol, multiply
from sbmlgrad.model.measurements import Measurements, Observed
from sbmlgrad.model.network import ReactionNetwork, check_parameter_names
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.numbers import as_number, as_numbers
from sbmlgrad.model.problem import Experiment, Problem, ProblemParameter, species_observables
from sbmlgrad.model.snapshots import Snapshots

#: Bounds reach this factor below and above the starting value where none are given.
DEFAULT_FACTOR = 1000.0

#: Setting of a problem whose noise models were made from the scatter of its own measurements; then
#: they are weights, and no scatter besides that of trajectories.
NOISE, FROM_DATA = "noise", "estimated from the data"


def plain_problem(
    model: ReactionNetwork,
    data: Measurements | Snapshots | Dwells,
    free: Sequence[str] | None = None,
    *,
    mapping: Mapping[str, str | None] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    start: Mapping[str, float] | None = None,
) -> tuple[Problem, tuple[str, ...]]:
    """Make a problem of a network, a sheet and the names of what is free.

    Every observable is a species (or another symbol that changes), with normal noise whose standard
    deviation is that of replicates, or else the spread of the measurements over time. Columns of
    snapshots are species too, in molecules, and without noise. A record of dwells has neither: the
    objective `DwellTimes` holds it, and says what its states mean.

    Args:
        model: the network.
        data: measurements, or snapshots of single cells, whose columns are matched to ids or names;
            or a record of dwells.
        free: ids; None frees every parameter that a kinetic law uses.
        mapping: column → id, or None to leave the column out.
        bounds: id → (lower, upper), both positive.
        start: id → value; the model's own by default.

    Returns:
        The problem, and what was assumed, in words.

    Raises:
        DataError: columns that match no species.
        ParameterError: an id that does not exist.
        FitError: values or bounds that cannot be fitted on a logarithmic scale, no measurements,
            several conditions, or a mapping for dwells, which have no columns.
    """
    parameters = model_parameters(model, free, bounds, start)
    if isinstance(data, Dwells):
        return _of_dwells(model, data, mapping, parameters), ()
    names = {s.id: s.name for s in model.species if s.changes}
    _refuse_conditions(data)
    if isinstance(data, Snapshots):
        return _of_snapshots(model, data, names, mapping, parameters), ()
    bound = bind(data, names, dict(mapping) if mapping else None)
    if not len(bound):
        raise FitError(f"{bound.source_name}: no measurement is left to fit")
    observables, assumptions = [], []
    for observable in species_observables(model, bound.observables):
        scale, words = noise_of(observable.id, bound.observed(observable.id))
        observables.append(replace(observable, noise=Noise("normal", Number(scale))))
        assumptions.append(words)
    problem = Problem(
        network=model,
        observables=tuple(observables),
        measurements=bound,
        parameters=parameters,
        experiments=tuple(Experiment(id) for id in bound.conditions),
        name=bound.source_name,
        settings=MappingProxyType({NOISE: FROM_DATA}),
    )
    return problem, tuple(assumptions)


def count_of(network: ReactionNetwork, id: str) -> Expression:
    """Return the number of molecules of a species, as a formula of the model's symbols.

    Args:
        network: the network.
        id: of a species, which means an amount or a concentration; other symbols stand for
            themselves.
    """
    element = network.by_id[id]
    if not isinstance(element, Species):
        return Symbol(id)
    per_unit = Number(element.items_per_substance)
    amount: Expression = Symbol(id)
    if not element.only_substance_units:
        amount = multiply(amount, Symbol(element.compartment))
    return multiply(per_unit, amount)


def without_rows(
    observables: tuple[str, ...], source_name: str, sha256: str, time_unit: str
) -> Measurements:
    """Return measurements of which there are none, to bind columns of other data like theirs."""
    none = np.array([])
    return Measurements(
        observables,
        none,
        none.astype(np.int64),
        none,
        (),
        (),
        source_name=source_name,
        sha256=sha256,
        time_unit=time_unit,
    )


def _of_dwells(
    model: ReactionNetwork,
    data: Dwells,
    mapping: Mapping[str, str | None] | None,
    parameters: tuple[ProblemParameter, ...],
) -> Problem:
    if mapping is not None:
        raise FitError(
            f"{data.source_name or 'dwells'}: mapping= names columns, and a record of dwells has "
            "none to name; say which species look like which state with DwellTimes(record, classes)"
        )
    nothing = without_rows((), data.source_name, data.sha256, data.unit)
    return Problem(model, (), nothing, parameters, name=data.source_name)


def _of_snapshots(
    model: ReactionNetwork,
    data: Snapshots,
    names: Mapping[str, str],
    mapping: Mapping[str, str | None] | None,
    parameters: tuple[ProblemParameter, ...],
) -> Problem:
    sheet = without_rows(data.species, data.source_name, data.sha256, data.time_unit)
    bound = bind(sheet, names, dict(mapping) if mapping else None)
    kept = [i for i, s in enumerate(data.species) if (mapping or {}).get(s, s) is not None]
    snapshots = replace(data, species=bound.observables, counts=data.counts[:, kept])
    observables = species_observables(model, bound.observables)
    return Problem(
        network=model,
        observables=tuple(replace(o, formula=count_of(model, o.id)) for o in observables),
        measurements=replace(bound, observables=(), units=()),
        parameters=parameters,
        experiments=tuple(Experiment(id) for id in snapshots.conditions),
        name=data.source_name,
        snapshots=snapshots,
    )


def _refuse_conditions(data: Measurements | Snapshots) -> None:
    if len(data.conditions) < 2:
        return
    advice = (
        "describe them in a mapping file or a PEtab problem, or fit what was measured under one of "
        f"them, as data.of({data.conditions[-1]!r})"
    )
    if isinstance(data, Snapshots):
        advice = (
            f"fit the cells of one at a time, as cells.of({data.conditions[-1]!r}), or make a "
            "Problem with these snapshots and an Experiment for each condition"
        )
    raise FitError(
        f"{data.source_name or 'data'}: {len(data.conditions)} conditions "
        f"({', '.join(map(repr, data.conditions))}), and nothing says what they mean; {advice}"
    )


def noise_of(name: str, observed: Observed) -> tuple[float, str]:
    """Return the standard deviation that deviations are divided by, and say it in words."""
    repeated = observed.replicates > 1
    if repeated.any():
        freedom = observed.replicates[repeated] - 1
        variance = observed.standard_deviation[repeated] ** 2
        pooled = float(np.sqrt((freedom * variance).sum() / freedom.sum()))
        if pooled > 0.0:
            return pooled, (
                f"{name}: weighted by the standard deviation of its replicates, pooled over times "
                f"({pooled:.4g})"
            )
    spread = float(observed.mean.std())
    if spread > 0.0:
        return spread, (
            f"{name}: weighted by the standard deviation of its values over time ({spread:.4g}), "
            "because replicates give none"
        )
    level = max(abs(float(observed.mean[0])), 1.0)
    return level, (f"{name}: weighted by its level ({level:.4g}), because its values do not vary")


def model_parameters(
    model: ReactionNetwork,
    free: Sequence[str] | None,
    bounds: Mapping[str, tuple[float, float]] | None,
    start: Mapping[str, float] | None,
) -> tuple[ProblemParameter, ...]:
    """Return free parameters of a network, on logarithmic scales; arguments of `plain_problem`.

    Raises:
        ParameterError: an id that does not exist.
        FitError: values or bounds that cannot be fitted on a logarithmic scale; lists all.
    """
    ids = used_in_laws(model) if free is None else ids_of("free", free, model.parameter_ids)
    if isinstance(free, Set):
        # The order of a set of texts is another in every process.
        ids = tuple(sorted(ids))
    if twice := sorted({repr(id) for id in ids if ids.count(id) > 1}):
        raise ParameterError(f"free parameters: {', '.join(twice)} named twice; name each once")
    if not ids:
        raise FitError(f"model '{model.id}' has no parameter to fit")
    bounds, start = dict(bounds or {}), dict(start or {})
    check_parameter_names(model, [*ids, *bounds, *start])
    stray = [name for name in (*bounds, *start) if name not in ids]
    problems = [f"'{name}' has bounds or a start but is not free" for name in stray]
    problems += followers(model, ids, ids)
    units = {p.id: p.unit for p in model.parameters}
    names = {p.id: p.name for p in model.parameters}
    values = dict(zip(model.parameter_ids, model.parameter_values.tolist(), strict=True))
    found = []
    for name in ids:
        value = as_number(f"start of '{name}'", start.get(name, values[name]))
        given = bounds.get(name, (value / DEFAULT_FACTOR, value * DEFAULT_FACTOR))
        ends = as_numbers(f"bounds of '{name}'", given)
        if ends.shape != (2,):
            problems.append(f"'{name}' has bounds {given!r}; give (lower, upper)")
            continue
        low, high = ends.tolist()
        faults = _faults(name, value, low, high)
        problems += faults
        if not faults:
            found.append(
                ProblemParameter(name, value, low, high, "log", name=names[name], unit=units[name])
            )
    if problems:
        raise FitError("the free parameters cannot be fitted:\n  - " + "\n  - ".join(problems))
    return tuple(found)


def used_in_laws(model: ReactionNetwork) -> tuple[str, ...]:
    """Return ids of the parameters that a kinetic law uses, in their order."""
    from sbmlgrad.codegen.lowering import lower

    lowered = lower(model)
    used = {partial.variable for partial in lowered.input_partials}
    return tuple(p for i, p in enumerate(model.parameter_ids) if i in used)


def _faults(name: str, value: float, low: float, high: float) -> list[str]:
    if not (math.isfinite(value) and value > 0.0):
        return [
            f"'{name}' starts at {value}, and only positive values have a logarithm; give a "
            f"positive start, for instance start={{'{name}': 1.0}}"
        ]
    if not 0.0 < low < high < math.inf:
        return [f"'{name}' has bounds ({low}, {high}); they must satisfy 0 < lower < upper"]
    if not low <= value <= high:
        return [f"'{name}' starts at {value}, outside its bounds ({low}, {high})"]
    return []
