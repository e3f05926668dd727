"""Records cut into segments: a measured state, and the state at the next measurement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.experiments import PreparedExperiment, prepared
from sbmlgrad.fit.problems.plain import count_of
from sbmlgrad.model.expression import Symbol
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.problem import Problem
from sbmlgrad.model.units import whole_number

FloatArray = NDArray[np.float64]

#: Relative difference up to which two windows are the same: rounding of times.
SAME = 1e-9


@dataclass(frozen=True, eq=False)
class OwnSegments:
    """The segments of one experiment.

    Attributes:
        counts: molecules at the starts, float64 [start, species].
        ends: what species mean at the ends (amounts or concentrations), float64 [start, species].
        windows: different times from start to end, increasing.
        window: place of each start's, int [start].
    """

    counts: FloatArray
    ends: FloatArray
    windows: tuple[float, ...]
    window: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Segments:
    """The segments of all experiments.

    Attributes:
        species: ids.
        of: experiment id → its segments.
        scales: root mean square change, float64 [species]; 0 where there is none.
    """

    species: tuple[str, ...]
    of: Mapping[str, OwnSegments]
    scales: FloatArray

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(len(own.counts) for own in self.of.values())


def segments_of(problem: Problem, longest: float | None, kept: int | None) -> Segments:
    """Return the segments of the measurements.

    Args:
        problem: each replicate of its measurements is a record of one cell, in which every species
            is an observable of its own.
        longest: time between start and end, or None.
        kept: how many segments, spread evenly over all; None means all.

    Raises:
        FitError: species that were not measured, states that are no whole numbers of molecules, or
            nothing left.
    """
    species = _measured(problem)
    found = [
        (experiment, *segment)
        for experiment in problem.experiments
        for segment in _pairs(problem, experiment.id, species)
        if longest is None or segment[0] <= longest * (1.0 + SAME)
    ]
    if not found:
        raise FitError(
            f"{problem.name or problem.network.id}: no measured state is followed by another "
            f"{'' if longest is None else f'within {longest:g} '}in which all of "
            f"{', '.join(species)} were measured"
        )
    if kept is not None and kept < len(found):
        found = [found[i] for i in np.linspace(0, len(found) - 1, kept).round().astype(int)]
    changes = np.array([end - start for _, _, start, end in found])
    of: dict[str, OwnSegments] = {}
    for experiment in prepared(problem):
        own = [(w, start, end) for e, w, start, end in found if e.id == experiment.id]
        if own:
            starts = np.array([start for _, start, _ in own])
            windows, place = _windows(np.array([w for w, _, _ in own]))
            counts = _counts(problem, experiment, species, starts)
            ends = np.array([end for _, _, end in own])
            of[experiment.id] = OwnSegments(counts, ends, windows, place)
    return Segments(species, of, np.sqrt((changes**2).mean(axis=0)))


def _measured(problem: Problem) -> tuple[str, ...]:
    """Return the species of the state, all of which must be observables."""
    network = problem.network
    observed = {
        observable.formula
        for observable in problem.observables
        if observable.id in problem.measurements.observables
    }
    missing = [s for s in network.species_ids if Symbol(s) not in observed]
    if missing or network.variable_ids:
        raise FitError(
            f"{problem.name or network.id}: {', '.join((*missing, *network.variable_ids))} "
            "was not measured, and a simulation can start from a measured state only where every "
            "species was; measure it, or use Moments() or SyntheticLikelihood()"
        )
    return network.species_ids


def _pairs(
    problem: Problem, experiment: str, species: tuple[str, ...]
) -> Iterator[tuple[float, FloatArray, FloatArray]]:
    """Yield (window, values at its start, values at its end) of neighbouring whole states."""
    m = problem.measurements
    column = {
        place: species.index(formula.id)
        for place, id in enumerate(m.observables)
        if isinstance(formula := problem.observable[id].formula, Symbol) and formula.id in species
    }
    records: dict[str, dict[float, FloatArray]] = {}
    rows = zip(m.condition, m.replicate, m.time.tolist(), m.observable_index, m.value, strict=True)
    for condition, replicate, time, index, value in rows:
        if condition == experiment and int(index) in column:
            record = records.setdefault(replicate, {})
            state = record.setdefault(time, np.full(len(species), np.nan))
            state[column[int(index)]] = value
    for record in records.values():
        whole = [(t, record[t]) for t in sorted(record) if not np.isnan(record[t]).any()]
        for (start, before), (end, after) in pairwise(whole):
            yield end - start, before, after


def _windows(windows: FloatArray) -> tuple[tuple[float, ...], NDArray[np.intp]]:
    """Return the different windows, but for rounding, and the place of each."""
    ordered = np.unique(windows)
    is_new = np.concatenate([[True], np.diff(ordered) > SAME * ordered[1:]])
    group = np.cumsum(is_new) - 1
    return tuple(ordered[is_new].tolist()), group[np.searchsorted(ordered, windows)]


def _counts(
    problem: Problem, experiment: PreparedExperiment, species: tuple[str, ...], values: FloatArray
) -> FloatArray:
    """Return molecules of measured states, float64 [start, species]."""
    network = problem.network
    fixed = dict(initial_values(network, initial=experiment.initial))
    formulas = [count_of(network, s) for s in species]
    columns = []
    for i, (s, formula) in enumerate(zip(species, formulas, strict=True)):
        found = np.broadcast_to(
            np.asarray(evaluate(formula, {**fixed, s: values[:, i]}), dtype=np.float64),
            values.shape[:1],
        )
        near = [whole_number(float(count)) for count in found]
        broken = [float(c) for c, n in zip(found, near, strict=True) if n is None or n < 0]
        if broken:
            under = f" in experiment {experiment.id!r}" if experiment.id else ""
            raise FitError(
                f"{s!r} was measured as {broken[0]:g} molecules{under}, and a simulation starts "
                "from whole numbers; give counts, or use MeanTrajectory() or Moments()"
            )
        columns.append(np.array(near, dtype=np.float64))
    return np.stack(columns, axis=1)
