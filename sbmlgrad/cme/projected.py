"""The projected master equation of a network: distributions, expectations and derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from sbmlgrad.cme import sensitivity
from sbmlgrad.cme.bounds import count_bounds, mean_bound
from sbmlgrad.cme.directions import in_parameters, refuse_whole_numbers
from sbmlgrad.cme.explorer import Explorer
from sbmlgrad.cme.functions import (
    Expectation,
    StateFunction,
    check_affine,
    function_values,
    place_of,
)
from sbmlgrad.cme.generator import Generator, Slopes, generator_of, slopes_of
from sbmlgrad.cme.growth import grow
from sbmlgrad.cme.starts import Start
from sbmlgrad.cme.state_space import StateSet, StateSpace
from sbmlgrad.cme.uniformisation import march
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.readouts import Readout, ValuesAt
from sbmlgrad.errors import RequestError, StateSpaceError
from sbmlgrad.model.network import check_parameter_names

FloatArray = NDArray[np.float64]

#: A finer projection, to tell the error of a gradient from, leaks so much less.
FINER = 1e-2


@dataclass(frozen=True, eq=False)
class Projection:
    """The projected master equation of a network.

    Attributes:
        lowered: the network.
        inputs: parameters and constants, float64 [input].
        space: states and transitions.
        start: initial distribution; its states come first in the space.
        until: time up to which the leak is bounded.
        tolerance: bound on the leak by then.
        absorbing: states that stop a trajectory, or None.
        largest: number of states to give up at.
        given: ids of species and compartments whose start was given, whatever the model says.
    """

    lowered: LoweredNetwork
    inputs: FloatArray
    space: StateSpace
    start: Start
    until: float
    tolerance: float
    absorbing: StateSet | None
    largest: int
    given: frozenset[str] = frozenset()

    @cached_property
    def edges(self) -> Generator:
        """The generator as a list of edges."""
        return generator_of(self.space)

    @cached_property
    def generator(self) -> sparse.csr_array:
        """dp/dt = A p with p [state]; columns sum to minus the leak."""
        return self.edges.matrix(self.edges.rate)

    @cached_property
    def start_probability(self) -> FloatArray:
        """Initial probabilities, float64 [state]."""
        result = np.zeros(self.space.size)
        result[: len(self.start.probability)] = self.start.probability
        return result

    def distributions(self, times: Sequence[float] | FloatArray) -> FloatArray:
        """Return probabilities at increasing times, float64 [time, state].

        Each lies below the true probability, by at most the leak of that time.
        """
        points = ValuesAt([float(t) for t in times]).points
        self._check_times(points)
        first = [self.start_probability] if points[0] == 0.0 else []
        return np.array(
            first + [p for _, p, _ in march(self.edges, self.start_probability, points)]
        )

    def leak(self, time: float) -> float:
        """Return the probability lost by the given time: the error bound."""
        if self.space.is_closed:
            return 0.0
        return float(self.expect(ValuesAt([time]), np.ones(self.space.size)).leak[0])

    def expect(self, readout: Readout, function: StateFunction) -> Expectation:
        """Return the expectation of functions of the state.

        Args:
            readout: values at times; or window averages, which then are of the function.
            function: id of a species, for its count; or a function of states, float64
                [state, species] → float64 [state] or [state, function]; or its values.

        Raises:
            RequestError: another readout, or an unusable function.
            StateSpaceError: a point after `until`.
        """
        functions, is_single = self._functions(function)
        value, leak = sensitivity.values(self._problem(readout, functions[None]))
        return Expectation(value[:, 0] if is_single else value, leak)

    def mean_bounds(self, readout: Readout, species: str) -> tuple[FloatArray, FloatArray]:
        """Return bounds on the true mean count, float64 [point] each; infinite where none is known.

        What leaked may have any count that conservation laws and bounded propensities allow.
        """
        found = self.expect(readout, species)
        place = place_of(self.lowered, species)
        most = mean_bound(
            self.lowered, self.inputs, self.space, self.start.counts, place, self.until
        )
        more = np.array([leak * most if leak > 0.0 else 0.0 for leak in found.leak])
        return found.value, found.value + more

    @property
    def hit(self) -> FloatArray:
        """Whether the absorbing set was reached, float64 [state]: a function for `expect`.

        Raises:
            RequestError: the projection has no absorbing set.
        """
        if self.absorbing is None:
            raise RequestError("there is no set to reach; project with `absorbing`")
        return self.space.absorbing.astype(np.float64)

    def count_bounds(self) -> FloatArray:
        """Return what counts can never exceed by conservation, float64 [species]; else infinity."""
        return count_bounds(self.lowered, self.start.counts)

    def moments(self, readout: Readout, species: str) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance of a count, float64 [point] each; variance for values at times.

        Raises:
            RequestError: the readout is neither values at times nor window averages.
        """
        counts = self.space.states[:, place_of(self.lowered, species)]
        found = self.expect(readout, np.stack([counts, counts**2], axis=1)).value
        mean, square = found.T
        variance = square - mean**2 if isinstance(readout, ValuesAt) else np.full(len(mean), np.nan)
        return mean, variance

    def gradient(
        self,
        readout: Readout,
        species: str,
        parameters: tuple[str, ...],
        method: sensitivity.Method | None = None,
    ) -> FloatArray:
        """Return d(mean count)/dθ, float64 [parameter, point]; see `gradient_in_parameters`."""
        return self.gradient_in_parameters(readout, species, parameters, method=method).T

    def gradient_in_parameters(
        self,
        readout: Readout,
        function: StateFunction,
        parameters: tuple[str, ...] | None = None,
        *,
        method: sensitivity.Method | None = None,
    ) -> FloatArray:
        """Return derivatives of expectations in parameters, exact on these states.

        Args:
            readout: values at times or window averages.
            function: as in `expect`.
            parameters: ids; None for all, in the order of the model.
            method: `"forward"` costs by the parameter, `"adjoint"` by the expectation; None takes
                what is cheaper. Both give the same numbers.

        Returns:
            float64 [point, parameter], or [point, function, parameter] for several functions.

        Raises:
            ParameterError: no such parameter.
            GradientError: the initial counts depend on one, or a derivative is not finite.
            RequestError: the readout is neither values at times nor window averages.
        """
        names = self.lowered.network.parameter_ids if parameters is None else parameters
        check_parameter_names(self.lowered.network, names)
        refuse_whole_numbers(self.lowered, names)
        directions = in_parameters(self.lowered, self.inputs, names, self.given)
        return self._gradient(readout, function, directions, method)

    def gradient_in_inputs(
        self, readout: Readout, function: StateFunction, *, method: sensitivity.Method | None = None
    ) -> FloatArray:
        """Return derivatives of expectations in the inputs of the propensities.

        Inputs are parameters and constants, such as sizes of compartments, each moved alone; the
        initial counts stay as they are. This is what estimators compute before the chain rule.

        Args:
            readout: values at times or window averages.
            function: as in `expect`.
            method: as in `gradient_in_parameters`.

        Returns:
            float64 [point, input], or [point, function, input] for several functions.
        """
        return self._gradient(readout, function, np.eye(len(self.inputs)), method)

    def total_in_inputs(
        self, readout: Readout, contributions: Callable[[FloatArray], FloatArray]
    ) -> tuple[float, FloatArray]:
        """Return E[F] and its derivative in the inputs, float64 [input], by one backward solve.

        Choose it for a number F = Σ_p f_p(values at point p) of a trajectory.

        Args:
            readout: values at times; window averages only where every f_p is affine, since the
                average of another function is not that function of the average.
            contributions: values float64 [trajectory, point, species] → f_p, float64
                [trajectory, point]; f_p uses the values of its point alone.

        Raises:
            RequestError: f_p of window averages is not affine, or has another shape.
        """
        states = self.space.states
        count = len(readout.labels)
        repeated = np.broadcast_to(states[:, None, :], (len(states), count, states.shape[1]))
        rows = np.asarray(contributions(repeated), dtype=np.float64)
        if rows.shape != (len(states), count):
            raise RequestError(
                f"contributions: {list(rows.shape)} is not [trajectory, point], here "
                f"{[len(states), count]}"
            )
        if not isinstance(readout, ValuesAt):
            check_affine(states, rows)
        problem = self._problem(readout, np.ascontiguousarray(rows.T)[:, :, None])
        directions = np.eye(len(self.inputs))
        value, _ = sensitivity.values(problem)
        return float(value.sum()), sensitivity.total(problem, self._slopes(directions), directions)

    def finer(self) -> Projection:
        """Return a projection that leaks a hundredth of what this one does, to tell errors from.

        The difference of an answer between the two is an estimate of the error of the coarser, with
        room to spare for the finer. It is none of the proven bounds. Where nothing leaks at all, it
        is the same projection.
        """
        # Not a share of the tolerance: spaces grow by several shells, and leak less than allowed.
        tolerance = self.leak(self.until) * FINER
        if tolerance == 0.0:
            return self
        explorer = Explorer(self.lowered, self.inputs, self.absorbing, self.largest)
        space = grow(explorer, self.start, self.until, tolerance)
        return replace(self, space=space, tolerance=tolerance)

    def _gradient(
        self,
        readout: Readout,
        function: StateFunction,
        directions: FloatArray,
        method: sensitivity.Method | None,
    ) -> FloatArray:
        functions, is_single = self._functions(function)
        problem = self._problem(readout, functions[None])
        solve = {"forward": sensitivity.forward, "adjoint": sensitivity.backward}
        chosen = method if method is not None else sensitivity.cheaper(problem, directions.shape[1])
        if chosen not in solve:
            raise RequestError(f"method={method!r}: choose 'forward', 'adjoint' or None")
        result = solve[chosen](problem, self._slopes(directions), directions)
        return result[:, 0] if is_single else result

    def _slopes(self, directions: FloatArray) -> Slopes:
        wanted = (directions != 0.0).any(axis=1)
        return slopes_of(self.lowered, self.inputs, self.space, self.edges, wanted)

    def _functions(self, function: StateFunction) -> tuple[FloatArray, bool]:
        values = function_values(self.lowered, self.space, function)
        return (values[:, None], True) if values.ndim == 1 else (values, False)

    def _problem(self, readout: Readout, functions: FloatArray) -> sensitivity.Problem:
        problem = sensitivity.Problem(self.edges, self.start_probability, readout, functions)
        # Tells wrong readouts before anything else.
        _ = problem.is_averaging
        self._check_times(readout.points)
        return problem

    def _check_times(self, times: FloatArray) -> None:
        if times[-1] > self.until and not self.space.is_closed:
            raise StateSpaceError(
                f"these states hold the probability up to time {self.until:g} only, and "
                f"{times[-1]:g} is later; project with a later `until`"
            )
