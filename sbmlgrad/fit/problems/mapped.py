"""Sheets with a mapping file as calibration problems."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sbmlgrad.errors import FitError
from sbmlgrad.fit.problems.plain import DEFAULT_FACTOR, model_parameters, used_in_laws
from sbmlgrad.io.mapping_file import DataMapping, problem_of
from sbmlgrad.model.labels import suggestion
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.network import ReactionNetwork, check_parameter_names
from sbmlgrad.model.problem import Problem, ProblemParameter


def mapped_problem(
    model: ReactionNetwork,
    data: Measurements,
    mapping: DataMapping,
    free: Sequence[str] | None = None,
    *,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    start: Mapping[str, float] | None = None,
    conditions: Collection[str] | None = None,
) -> Problem:
    """Make a problem of a network, a sheet and a mapping file that says what its columns measure.

    Symbols of the mapping that the model has not, such as scales and offsets, are parameters of the
    problem: fitted on a logarithmic scale if they are named in `free`, else fixed at their start.

    Args:
        model: the network.
        data: measurements, as read.
        mapping: as `load_mapping` reads it.
        free: ids of the model and of the mapping; None frees every parameter that a kinetic law
            uses and that not all conditions with data set, and every symbol of the mapping.
        bounds: id → (lower, upper), both positive.
        start: id → value; the model's own by default. Symbols of the mapping have none.
        conditions: ids of those with data; None for those of the measurements, or for all of the
            mapping where nothing was measured.

    Raises:
        DataError: columns or conditions that do not fit the mapping.
        FitError: symbols of the mapping without a value, and what `plain_problem` refuses.
    """
    bounds, start = dict(bounds or {}), dict(start or {})
    wanted = set(mapping.unknown) | (set(model.parameter_ids) if free is None else set(free))
    stray = [
        id
        for id in dict.fromkeys((*bounds, *start))
        if id not in wanted or (id in bounds and free is not None and id not in free)
    ]
    check_parameter_names(model, [id for id in stray if id not in mapping.unknown])
    if stray:
        raise FitError(
            f"{', '.join(stray)}: has bounds or a start but is not free; free it, or leave them out"
        )
    if free is None:
        seen = _measured(model, data, mapping) if conditions is None else set(conditions)
        wanted_of_model = _not_set(model, mapping, seen)
    else:
        wanted_of_model = free
    own = [id for id in wanted_of_model if id not in mapping.unknown]
    parameters = (
        ()
        if own == []
        else model_parameters(
            model,
            own,
            {id: ends for id, ends in bounds.items() if id not in mapping.unknown},
            {id: value for id, value in start.items() if id not in mapping.unknown},
        )
    )
    missing = [id for id in mapping.unknown if id not in start]
    if missing:
        named = ", ".join(f"{id}{suggestion(id, model.by_id)}" for id in missing)
        raise FitError(
            f"{mapping.source_name} uses {named}, which the model has not; correct the formula, or "
            f"give each a value, for instance start={{'{missing[0]}': 1.0}} "
            f"(--start {missing[0]}=1), and name those to be fitted in free"
        )
    extra = [
        _extra(id, start[id], bounds.get(id), is_free=free is None or id in free)
        for id in mapping.unknown
    ]
    return problem_of(model, data, mapping, (*parameters, *extra), name=data.source_name)


def _measured(model: ReactionNetwork, data: Measurements, mapping: DataMapping) -> set[str]:
    """Return the conditions of what was measured, without columns that the mapping leaves out."""
    held = [ProblemParameter(id, 1.0, is_estimated=False) for id in mapping.unknown]
    return set(problem_of(model, data, mapping, held).measurements.condition)


def _not_set(model: ReactionNetwork, mapping: DataMapping, seen: Collection[str]) -> list[str]:
    """Return the parameters of kinetic laws whose own value some condition leaves as it is.

    Conditions that are not among those seen have no say, unless none was seen.
    """
    set_by = [e.periods[0].values.keys() for e in mapping.experiments if not seen or e.id in seen]
    always = set.intersection(*map(set, set_by)) if set_by else set[str]()
    return [id for id in used_in_laws(model) if id not in always]


def _extra(
    id: str, value: float, bounds: tuple[float, float] | None, *, is_free: bool
) -> ProblemParameter:
    if not is_free:
        return ProblemParameter(id, value, is_estimated=False)
    if not value > 0.0:
        raise FitError(
            f"'{id}' starts at {value}, and only positive values have a logarithm; give a positive "
            "start, or leave it out of free to hold it"
        )
    low, high = bounds or (value / DEFAULT_FACTOR, value * DEFAULT_FACTOR)
    return ProblemParameter(id, value, low, high, "log")
