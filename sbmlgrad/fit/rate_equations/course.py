"""The course of an experiment under the rate equations, from period to period."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.deterministic import DeterministicNetwork, lower_deterministic
from sbmlgrad.engines.base import DeterministicEngine
from sbmlgrad.errors import FitError, SimulationError, UnsupportedModelError
from sbmlgrad.fit.rate_equations.steady_state import steady_state
from sbmlgrad.model.elements import Parameter, Species
from sbmlgrad.model.expression import TIME, Expression, Number, add, substitute
from sbmlgrad.model.initial import initial_counts, initial_values
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.problem import Experiment, Period, Problem
from sbmlgrad.model.readiness import MISSING_VALUES, start_issues

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Course:
    """One evaluation of a problem: its parameters, its solver, and steady states found so far.

    Attributes:
        problem: the problem.
        own: parameter of the problem → value.
        engine: solver.
        steady: pre-equilibrations that experiments share.
    """

    problem: Problem
    own: Mapping[str, float]
    engine: DeterministicEngine
    steady: dict[tuple[tuple[str, float], ...], Status] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Status:
    """Where a simulation stands between two periods.

    Attributes:
        values: symbol → value, of symbols that do not change by themselves.
        state: amounts of species, then other symbols that change, float64 [state].
        triggers: event id → whether its trigger was true.
    """

    values: Mapping[str, float]
    state: FloatArray
    triggers: Mapping[str, bool]


def followed(
    course: Course, experiment: Experiment, times: FloatArray, needed: Collection[str]
) -> dict[str, FloatArray]:
    """Return symbols of the model at output times, in what they mean there.

    Args:
        course: the evaluation.
        experiment: one of the problem's.
        times: float64 [time], increasing.
        needed: ids; those that are none of the model are left out.

    Returns:
        Symbol id → float64 [time].

    Raises:
        FitError: a steady state is not reached, or the periods cannot follow each other.
        SimulationError: the solver fails; the message names the experiment.
    """
    network = course.problem.network
    wanted = [id for id in needed if id in network.by_id]
    result = {id: np.full(len(times), np.nan) for id in wanted}
    periods = experiment.periods
    _check_periods(network, experiment, times)
    ends = [period.start for period in periods[1:]] + [math.inf]
    status: Status | None = None
    for period, end in zip(periods, ends, strict=True):
        try:
            if period.start == -math.inf:
                status = _before(course, experiment, period, times)
                continue
            status = _along(course, period, end, status, times, result)
        except SimulationError as error:
            raise SimulationError(f"experiment {experiment.id!r}: {error}") from error
        except UnsupportedModelError as error:
            raise UnsupportedModelError(
                error.issues, what=f"experiment {experiment.id!r} cannot be simulated:"
            ) from error
    return result


def _check_periods(network: ReactionNetwork, experiment: Experiment, times: FloatArray) -> None:
    starts = [period.start for period in experiment.periods]
    finite = [start for start in starts if start != -math.inf]
    if starts != sorted(set(starts)) or not finite:
        raise FitError(
            f"experiment {experiment.id!r} has periods that begin at {starts}; they must begin one "
            "after the other, and not all of them before the clock runs"
        )
    if times[0] < finite[0]:
        raise FitError(
            f"experiment {experiment.id!r} was measured at {times[0]:g} and begins at {finite[0]:g}"
        )
    delayed = [event.id for event in network.events if event.delay is not None]
    if len(finite) > 1 and delayed:
        raise FitError(
            f"experiment {experiment.id!r} has several periods, and event {delayed[0]!r} a delay: "
            "what is under way when a period ends cannot be handed over; use one period"
        )


def _along(
    course: Course,
    period: Period,
    end: float,
    before: Status | None,
    times: FloatArray,
    result: Mapping[str, FloatArray],
) -> Status:
    """Follow one period; put in the symbols at its output times, and return how it ends."""
    own = values_of(course, period)
    network = clocked(course.problem.network, period.start, None)
    if before is None:
        values, state = started(network, course, own)
    else:
        values, state = _handed_over(network, before, own)
        if before.triggers:
            network = clocked(course.problem.network, period.start, tuple(before.triggers.items()))
    here = np.flatnonzero((times >= period.start) & (times < end))
    local = times[here] - period.start
    stops = np.unique([0.0, *local, *([end - period.start] if math.isfinite(end) else [])])
    system = lower_deterministic(network)
    inputs = np.array([values[i] for i in system.input_ids], dtype=np.float64)
    states = course.engine.integrate(system, inputs, state, stops)
    known = _known(system, values, states[np.searchsorted(stops, local)], local)
    for id, target in result.items():
        target[here] = np.broadcast_to(evaluate(system.meanings[id], known), len(here))
    if not math.isfinite(end):
        return Status(values, states[-1], {})
    at_end = _known(system, values, states[-1], stops[-1])
    triggers = {e.id: bool(evaluate(e.trigger, at_end)) for e in system.events}
    return Status(values, states[-1], triggers)


def _before(course: Course, experiment: Experiment, period: Period, times: FloatArray) -> Status:
    """Return the steady state that a pre-equilibration reaches; found once for equal conditions."""
    own = values_of(course, period)
    key = tuple(sorted(own.items()))
    if key not in course.steady:
        network = course.problem.network
        values, state = started(network, course, own)
        system = lower_deterministic(network)
        inputs = np.array([values[i] for i in system.input_ids], dtype=np.float64)
        longest = float(course.problem.measurements.time.max()) or 1.0
        reached = steady_state(
            course.engine, system, inputs, state, longest, f"experiment {experiment.id!r}"
        )
        course.steady[key] = Status(values, reached, {})
    return course.steady[key]


def values_of(course: Course, period: Period) -> dict[str, float]:
    """Return what a period sets: symbol → number."""
    return {t: float(evaluate(f, course.own)) for t, f in period.values.items()}


def started(
    network: ReactionNetwork, course: Course, own: Mapping[str, float]
) -> tuple[dict[str, float], FloatArray]:
    """Return symbols and state at the start of the first period.

    Args:
        network: with its clock at that start.
        course: the evaluation.
        own: what the period sets.

    Raises:
        UnsupportedModelError: something has no value.
    """
    explicit = {p: v for p, v in course.own.items() if p in network.by_id}
    explicit |= {t: v for t, v in own.items() if isinstance(network.by_id[t], Parameter)}
    initial = {t: v for t, v in own.items() if not isinstance(network.by_id[t], Parameter)}
    values = initial_values(network, explicit, initial)
    counts = initial_counts(network, values, initial)
    system = lower_deterministic(network)
    formulas = (*system.derivatives, *(f for e in system.events for f in e.formulas))
    issues = start_issues(network, formulas, values, counts)
    missing = [issue for issue in issues if issue.code in MISSING_VALUES]
    if missing:
        raise UnsupportedModelError(missing, what="")
    items = [s.items_per_substance for s in network.species if s.id in network.state_species]
    others = [values[v] for v in network.variable_ids]
    return values, np.concatenate([counts / np.array(items), np.array(others)])


def _handed_over(
    network: ReactionNetwork, before: Status, own: Mapping[str, float]
) -> tuple[dict[str, float], FloatArray]:
    """Return symbols and state after the changes with which a later period begins.

    Molecules stay when a compartment changes its size; a concentration that is set at the same time
    is one in the new size.
    """
    values = dict(before.values)
    state = before.state.copy()
    slots = {id: i for i, id in enumerate((*network.species_ids, *network.variable_ids))}
    for target, value in own.items():
        if target in slots and target not in network.state_species:
            state[slots[target]] = value
        elif target not in slots:
            values[target] = value
    system = lower_deterministic(network)
    for target, value in own.items():
        element = network.by_id[target]
        if target in network.state_species:
            assert isinstance(element, Species)
            size = 1.0
            if not element.only_substance_units:
                known = _known(system, values, state, 0.0)
                size = float(evaluate(system.meanings[element.compartment], known))
            state[slots[target]] = value * size
    return values, state


def _known(
    system: DeterministicNetwork, values: Mapping[str, float], states: FloatArray, times: Any
) -> dict[str, Any]:
    """Return what formulas over the state may use, at one or several times."""
    moving = {id: states[..., i] for i, id in enumerate(system.state_ids)}
    return {**values, **moving, TIME.id: times}


@lru_cache(maxsize=256)
def clocked(
    network: ReactionNetwork, start: float, triggers: tuple[tuple[str, bool], ...] | None = None
) -> ReactionNetwork:
    """Return a network whose clock begins at a time, with triggers as they were just before."""
    events = network.events
    if triggers is not None:
        true = dict(triggers)
        events = tuple(replace(e, initial_value=true[e.id]) for e in events)
    if start == 0.0 and triggers is None:
        return network
    later = {TIME.id: add(TIME, Number(start))} if start else {}

    def moved(formulas: Mapping[str, Expression]) -> dict[str, Expression]:
        return {id: substitute(f, later) for id, f in formulas.items()}

    return replace(
        network,
        reactions=tuple(
            replace(
                r,
                rate_law=substitute(r.rate_law, later),
                formulas=tuple(replace(f, number=substitute(f.number, later)) for f in r.formulas),
            )
            for r in network.reactions
        ),
        initial_assignments=moved(network.initial_assignments),
        assignment_rules=moved(network.assignment_rules),
        rate_rules=moved(network.rate_rules),
        events=tuple(
            replace(
                e,
                trigger=substitute(e.trigger, later),
                assignments=moved(e.assignments),
                priority=None if e.priority is None else substitute(e.priority, later),
                delay=None if e.delay is None else substitute(e.delay, later),
            )
            for e in events
        ),
    )
