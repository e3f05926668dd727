"""Finite state projection (FSP): exact answers with an error bound.

Munsky & Khammash 2006, "The finite state projection algorithm for the solution of the chemical
master equation", theorem 2.2: with the probability that leaks out of a finite set of states summed
up, every projected probability lies below the true one by at most that leak.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import expm_multiply

from sbmlgrad.cme.state_space import StateSpace, propensities_at, reachable
from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.engines.readouts import Readout, ValuesAt, WindowAverages
from sbmlgrad.errors import (
    GradientError,
    RequestError,
    StateSpaceError,
    UnsupportedModelError,
)
from sbmlgrad.model.initial import check_initial_names, initial_counts, initial_values
from sbmlgrad.model.network import ReactionNetwork, check_parameter_names
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.readiness import start_issues

#: Largest state space solved; a sparse generator of this size still fits easily in memory.
LARGEST_STATE_SPACE = 200_000


@dataclass(frozen=True, eq=False)
class Projection:
    """The projected master equation of a network.

    Attributes:
        lowered: the network.
        inputs: parameters and constants, float64 [input].
        space: states and transitions.
    """

    lowered: LoweredNetwork
    inputs: NDArray[np.float64]
    space: StateSpace

    @cached_property
    def generator(self) -> sparse.csr_array:
        """dp/dt = A p with p [state]; columns sum to minus the leak."""
        rates = propensities_at(self.lowered, self.space.states, self.inputs)
        return self._operator(rates[self.space.source, self.space.reaction])

    def generator_derivative(self, parameter: str) -> sparse.csr_array:
        """dA/dθ for one parameter, directly and through constants that depend on it."""
        through = self._inputs_moved_by(parameter)
        values: dict[str, Any] = dict(zip(self.lowered.input_ids, self.inputs, strict=True))
        for i, species in enumerate(self.lowered.species_ids):
            values[species] = self.space.states[:, i]
        slopes = np.zeros((len(self.space.states), len(self.lowered.channels)))
        for partial in self.lowered.input_partials:
            factor = through.get(partial.variable)
            if factor is not None:
                slopes[:, partial.reaction] += factor * evaluate(partial.expression, values)
        return self._operator(slopes[self.space.source, self.space.reaction])

    def _inputs_moved_by(self, parameter: str) -> dict[int, float]:
        """Return place of an input → its derivative in the parameter."""
        ids = self.lowered.input_ids
        values = dict(zip(ids, self.inputs, strict=True))
        moved = {ids.index(parameter): 1.0}
        for constant, slopes in self.lowered.constant_derivatives.items():
            if parameter in slopes:
                moved[ids.index(constant)] = float(evaluate(slopes[parameter], values))
        return moved

    def _operator(self, rates: NDArray[np.float64]) -> sparse.csr_array:
        source, target = self.space.source, self.space.target
        inside = target >= 0
        size = len(self.space.states)
        rows = np.concatenate([target[inside], source])
        columns = np.concatenate([source[inside], source])
        entries = np.concatenate([rates[inside], -rates])
        return sparse.csr_array((entries, (rows, columns)), shape=(size, size))

    def distributions(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities at increasing times, float64 [time, state]."""
        vector = np.zeros(len(self.space.states))
        vector[0] = 1.0
        return _solve(self.generator, vector, times)

    def leak(self, time: float) -> float:
        """Return the probability lost by the given time: the error bound."""
        if self.space.is_closed:
            return 0.0
        return float(1.0 - self.distributions(np.array([time]))[0].sum())

    def moments(
        self, readout: Readout, species: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance of a count, float64 [point] each; variance for values at times.

        Raises:
            RequestError: the readout is neither values at times nor window averages.
        """
        counts = self.space.states[:, self.lowered.species_ids.index(species)]
        if isinstance(readout, ValuesAt):
            probabilities = self.distributions(readout.points)
            mean = probabilities @ counts
            return mean, probabilities @ counts**2 - mean**2
        if isinstance(readout, WindowAverages):
            return self._window_means(readout, counts), np.full(len(readout.labels), np.nan)
        raise RequestError(f"FSP gives no moments of {type(readout).__name__}")

    def _window_means(
        self, readout: WindowAverages, counts: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return _integrals(self.generator, counts, readout.points) / np.diff(readout.points)

    def gradient(
        self, readout: Readout, species: str, parameters: tuple[str, ...]
    ) -> NDArray[np.float64]:
        """Return d(mean count)/dθ by forward sensitivities, float64 [parameter, point].

        d/dt [p; ∂p] = [[A, 0], [∂A, A]] [p; ∂p]: exact, no differences.

        Raises:
            ParameterError: no such parameter.
            GradientError: the initial counts depend on it.
            RequestError: the readout is neither values at times nor window averages.
        """
        check_parameter_names(self.lowered.network, parameters)
        in_start = sorted(self.lowered.parameters_in_initial_counts & set(parameters))
        if in_start:
            raise GradientError(
                f"the initial counts depend on {', '.join(map(repr, in_start))}, and whole numbers "
                "of molecules have no derivative; leave these parameters out"
            )
        counts = self.space.states[:, self.lowered.species_ids.index(species)]
        size = len(counts)
        result = []
        for parameter in parameters:
            slope = self.generator_derivative(parameter)
            block = _blocks([[self.generator, None], [slope, self.generator]])
            both = np.concatenate([np.zeros(size), counts])
            if isinstance(readout, ValuesAt):
                vector = np.zeros(2 * size)
                vector[0] = 1.0
                result.append(_solve(block, vector, readout.points) @ both)
            elif isinstance(readout, WindowAverages):
                widths = np.diff(readout.points)
                result.append(_integrals(block, both, readout.points) / widths)
            else:
                raise RequestError(f"FSP gives no gradient of {type(readout).__name__}")
        return np.array(result)


def _blocks(rows: list[list[Any]]) -> sparse.csr_array:
    return sparse.csr_array(sparse.block_array(rows))


def _solve(
    operator: sparse.csr_array, vector: NDArray[np.float64], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    rows = []
    now = 0.0
    for time in times:
        if time > now:
            vector = _propagate(operator, vector, time - now)
            now = time
        rows.append(vector)
    return np.array(rows)


def _propagate(
    operator: sparse.csr_array, vector: NDArray[np.float64], length: float
) -> NDArray[np.float64]:
    trace = operator.diagonal().sum() * length
    return expm_multiply(operator * length, vector, traceA=trace)


def _integrals(
    operator: sparse.csr_array, weights: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return ∫ weights·p dt over each window, by one more equation for the integral."""
    size = len(weights)
    row = sparse.csr_array(weights[None, :])
    extended = _blocks([[operator, None], [row, sparse.csr_array((1, 1))]])
    vector = np.zeros(size + 1)
    vector[0] = 1.0
    rows = _solve(extended, vector, edges)
    return np.diff(rows[:, size])


def project(
    model: ReactionNetwork,
    *,
    until: float,
    parameters: Mapping[str, float] | None = None,
    initial: Mapping[str, float] | None = None,
    tolerance: float = 1e-9,
    largest: int = LARGEST_STATE_SPACE,
) -> Projection:
    """Project the master equation of a small network onto enough states.

    Choose it for exact answers: distributions, moments and gradients of networks whose reachable
    states number at most a few hundred thousand.

    Args:
        model: the network.
        until: last time of interest.
        parameters: id → value, over the model's own.
        initial: species or compartment id → value at time 0.
        tolerance: probability that may leak out of the states by `until`.
        largest: number of states to give up at.

    Returns:
        The projection, with `leak(until) <= tolerance`.

    Raises:
        UnsupportedModelError: the model has no exact stochastic meaning, or a fractional start.
        ParameterError: unknown ids.
        StateSpaceError: more states are needed than allowed, or something happens between firings.
    """
    lowered = lower(model)
    if lowered.is_timed:
        raise StateSpaceError(
            f"model '{model.id}' has events, rate rules, random initial values or laws that depend "
            "on time; its master equation has no constant generator. Simulate it instead"
        )
    check_parameter_names(model, parameters or {})
    check_initial_names(model, initial or {})
    values = initial_values(model, parameters, initial)
    counts = initial_counts(model, values, initial or {})
    # A projection starts in one state, so a fractional count is refused whatever `model.initial`.
    strict = replace(model, initial="strict")
    problems = start_issues(strict, lowered.formulas, values, counts)
    if problems:
        raise UnsupportedModelError(problems, what=f"model '{model.id}' cannot be projected:")
    start = np.rint(counts)
    inputs = np.array([values[i] for i in lowered.input_ids])
    size = 256
    while True:
        space = reachable(lowered, inputs, start, min(size, largest))
        projection = Projection(lowered, inputs, space)
        if space.is_closed or projection.leak(until) <= tolerance:
            return projection
        if size >= largest:
            raise StateSpaceError(
                f"model '{model.id}': {len(space.states)} states lose probability "
                f"{projection.leak(until):.2g} by time {until:g}, more than {tolerance:g}; "
                "shorten the time, raise `largest`, or simulate instead"
            )
        size *= 4
