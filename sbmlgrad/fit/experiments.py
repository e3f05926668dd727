"""The experiments of a problem, ready to be simulated: parameters, initial values, output times."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.problems.followers import followers
from sbmlgrad.fit.search_space import SearchSpace, search_space
from sbmlgrad.model.expression import Expression, Symbol, symbols
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.problem import Experiment, Problem

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PreparedExperiment:
    """One experiment, with the places of its values in the parameters of the network.

    Attributes:
        id: of the experiment.
        base: parameters of the network that are not free here, float64 [parameter].
        places: positions of the free ones, int64 [moved].
        sources: positions in the search space that they take their values from, int64 [moved].
        initial: species or compartment → value at the start.
    """

    id: str
    base: FloatArray
    places: NDArray[np.int64]
    sources: NDArray[np.int64]
    initial: Mapping[str, float]

    def parameters(self, values: FloatArray) -> FloatArray:
        """Return parameters of the network, float64 [..., parameter], of values [..., free]."""
        result = np.broadcast_to(self.base, (*values.shape[:-1], len(self.base))).copy()
        result[..., self.places] = values[..., self.sources]
        return result

    def parameter_tensors(self, values: Any) -> Any:
        """Return likewise a tensor with a gradient."""
        import tensorflow as tf

        own = tf.zeros_like(values[..., :1]) + self.base
        index = int(values.shape[-1]) + np.arange(len(self.base))
        index[self.places] = self.sources
        # Gathered, not multiplied: an estimator may leave NaN as derivative in what is not free.
        return tf.gather(tf.concat([values, own], axis=-1), index, axis=-1)


def prepared(problem: Problem) -> tuple[PreparedExperiment, ...]:
    """Prepare all experiments of a problem.

    Raises:
        FitError: experiments that stochastic simulation cannot follow; lists every one.
    """
    space = search_space(problem)
    fixed = fixed_values(problem)
    results, faults = [], []
    for experiment in problem.experiments:
        try:
            results.append(_prepared(problem, space, fixed, experiment))
        except FitError as error:
            faults.append(str(error))
    if faults:
        listed = "".join(f"\n  - {fault}" for fault in faults)
        raise FitError(
            f"{problem.name or problem.network.id}: experiments that cannot be "
            f"simulated as they are:{listed}"
        )
    return tuple(results)


def fixed_values(problem: Problem) -> dict[str, float]:
    """Return id → value of the parameters of the problem that are not fitted."""
    return {p.id: p.nominal for p in problem.parameters if not p.is_estimated}


def _prepared(
    problem: Problem, space: SearchSpace, fixed: Mapping[str, float], experiment: Experiment
) -> PreparedExperiment:
    network = problem.network
    if len(experiment.periods) != 1 or experiment.periods[0].start != 0.0:
        starts = [period.start for period in experiment.periods]
        what = "a steady state before time 0" if -math.inf in starts else f"periods at {starts}"
        raise FitError(
            f"experiment {experiment.id!r} has {what}, and exact simulation takes one period from "
            "time 0; write the change of conditions as an event of the model, or fit in ODE mode"
        )
    _refuse_followers(problem, space, fixed, experiment)
    base = np.array(network.parameter_values)
    position = {id: i for i, id in enumerate(network.parameter_ids)}
    for id, value in fixed.items():
        if id in position:
            base[position[id]] = value
    moved = {id: i for i, id in enumerate(space.ids) if id in position}
    initial: dict[str, float] = {}
    for target, formula in experiment.periods[0].values.items():
        if target in position and isinstance(formula, Symbol) and formula.id in space.ids:
            moved[target] = space.ids.index(formula.id)
            continue
        value = _number(experiment, target, formula, fixed)
        if target in position:
            base[position[target]] = value
            moved.pop(target, None)
        else:
            initial[target] = value
    targets = list(moved)
    return PreparedExperiment(
        experiment.id,
        base,
        np.array([position[t] for t in targets], dtype=np.int64),
        np.array([moved[t] for t in targets], dtype=np.int64),
        initial,
    )


def _refuse_followers(
    problem: Problem, space: SearchSpace, fixed: Mapping[str, float], experiment: Experiment
) -> None:
    """Refuse parameters that an initial assignment makes follow one that is moved.

    Exact simulation is told every parameter, so that they would stay where the model has them.
    """
    network = problem.network
    own = dict(zip(network.parameter_ids, network.parameter_values.tolist(), strict=True))
    told = {*space.ids, *fixed, *experiment.periods[0].values}
    moved = {*space.ids, *experiment.periods[0].values}
    moved |= {id for id, value in fixed.items() if id in own and value != own[id]}
    faults = followers(network, moved & own.keys(), told)
    if faults:
        raise FitError(f"experiment {experiment.id!r}: " + "; ".join(faults))


def _number(
    experiment: Experiment, target: str, formula: Expression, fixed: Mapping[str, float]
) -> float:
    unknown = sorted(symbols(formula) - fixed.keys())
    if unknown:
        raise FitError(
            f"experiment {experiment.id!r} sets {target!r} by a formula of {', '.join(unknown)}, "
            "which are fitted; in exact simulation a parameter can be set to a fitted one by its "
            "name alone, and an initial value to a number"
        )
    return float(evaluate(formula, fixed))
