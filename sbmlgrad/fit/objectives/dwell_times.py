"""`DwellTimes`: the likelihood of how long a channel stayed in each of its classes of states."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.cme import project
from sbmlgrad.errors import FitError
from sbmlgrad.fit.experiments import prepared
from sbmlgrad.fit.objectives.exact_slopes import exact_value
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.model.dwells import Dwells
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

#: Imaginary step whose square is nothing beside 1, so that derivatives have no rounding.
STEP = 1e-30
#: Condition of the eigenvectors above which their inverse has lost its digits.
WORST_CONDITION = 1e8


@dataclass(frozen=True)
class DwellTimes:
    """Make the dwells of a record as likely as the model allows: exact, without noise.

    When to choose it: an idealised record of one channel, in which only some of the states can be
    told apart, and a model in which that channel is one molecule: each species is a state of it.

    Without a dead time τ the density of dwells in a class F of states is φ exp(Q_FF t) (-Q_FF) 1,
    with φ the states in which such dwells begin at equilibrium (Colquhoun & Hawkes 1981, "On the
    stochastic properties of single ion channels", Proc. R. Soc. Lond. B 211, 205). With one, a
    dwell is seen if its first τ pass within F, and goes on over dwells in the other class A that
    are too short to be seen. These are taken to last no time, so that after τ the rates within F
    are Q_FF + Q_FA (1 - exp(Q_AA τ)) (-Q_AA)⁻¹ Q_AF. That suits a dead time that is short beside
    dwells in F. Correlations between neighbouring dwells are left out. The loss is minus twice the
    mean logarithm of the density.

    Args:
        record: the dwells; only usable ones count.
        classes: observed state → species that look like it; every species once.
    """

    record: Dwells
    classes: Mapping[str, tuple[str, ...]]

    def __hash__(self) -> int:
        return hash((self.record, *sorted((id, *own) for id, own in self.classes.items())))

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        record = f"load_dwells({self.record.source_name!r}, dead_time={self.record.dead_time!r})"
        classes = {state: tuple(species) for state, species in self.classes.items()}
        return f"DwellTimes(record={record}, classes={classes!r})"

    @property
    def digest(self) -> str:
        """Hash of the record; see `base.HoldsData`."""
        record = self.record
        arrays = (record.state_index, record.duration, record.usable)
        seen = b"".join(array.tobytes() for array in arrays) + repr(record.states).encode()
        return hashlib.sha256(seen).hexdigest()

    def check(self, problem: Problem) -> tuple[str, ...]:
        """Return what is assumed; see `base.Objective`.

        Raises:
            FitError: classes that do not fit record or model, a model that is not one channel, or
                a problem that was made of another record.
        """
        _check_classes(self.record, self.classes, problem.network)
        _check_record(self.record, problem)
        _scheme(problem.network)
        return (
            f"dwells shorter than {self.record.dead_time:g} {self.record.unit} were missed; they "
            "last no time within those that run together around them",
            "the dwells of a record tell nothing about their neighbours",
        )

    def times(self, problem: Problem) -> Mapping[str, tuple[float, ...]]:
        """Return times to simulate to; nothing of that enters the loss."""
        return {experiment.id: (0.0, 1.0) for experiment in problem.experiments}

    def loss(self, problem: Problem, simulated: Mapping[str, Simulated]) -> Any:
        """Return minus twice the mean log-density at the parameters of an ensemble."""
        (experiment,) = prepared(problem)
        every = np.arange(len(problem.network.parameter_ids))

        def value(theta: FloatArray) -> float:
            return float(self._deviance(problem.network, theta) / self.count(problem))

        def with_slope(theta: FloatArray) -> tuple[float, FloatArray]:
            return self._with_slopes(problem, theta, every)

        return exact_value(simulated[experiment.id].ensemble.parameters, value, with_slope)

    def exact_loss_and_gradient(
        self, problem: Problem, values: FloatArray
    ) -> tuple[float, FloatArray]:
        """Return the loss and its derivative in the free parameters, float64 [free].

        By an imaginary step (Squire & Trapp 1998, "Using complex variables to estimate derivatives
        of real functions", SIAM Rev. 40, 110), which rounds nothing off.
        """
        (experiment,) = prepared(problem)
        slopes = np.zeros(len(search_space(problem).ids))
        loss, own = self._with_slopes(problem, experiment.parameters(values), experiment.places)
        np.add.at(slopes, experiment.sources, own)
        return loss, slopes

    def log_likelihood(self, problem: Problem, values: FloatArray) -> float:
        """Return the natural logarithm of the density of all dwells, at some values [free]."""
        (experiment,) = prepared(problem)
        return -0.5 * float(self._deviance(problem.network, experiment.parameters(values)))

    def count(self, problem: Problem) -> int:
        """Return the number of usable dwells, each of which the likelihood takes by itself."""
        return int(self.record.usable.sum())

    def components(self, network: ReactionNetwork, state: str) -> tuple[FloatArray, FloatArray]:
        """Return areas and time constants of the dwells seen in a state, at a network's values.

        Args:
            network: with values.
            state: of the record.

        Returns:
            Areas, which sum to 1, and time constants in the unit of the record, float64
            [component] each, of the time beyond the dead time.
        """
        area, rate = self._components(network, np.array(network.parameter_values), state)
        return np.real(area), 1.0 / np.real(rate)

    def _with_slopes(
        self, problem: Problem, parameters: FloatArray, places: NDArray[np.intp]
    ) -> tuple[float, FloatArray]:
        """Return the loss, and its slopes in the parameters at some places, float64 [place]."""
        slopes, count = np.empty(len(places)), self.count(problem)
        loss = float(self._deviance(problem.network, parameters) / count)
        for i, place in enumerate(places.tolist()):
            moved = parameters.astype(np.complex128)
            moved[place] += 1j * STEP
            slopes[i] = (self._deviance(problem.network, moved) / count).imag / STEP
        return loss, slopes

    def _components(
        self, network: ReactionNetwork, parameters: NDArray[Any], state: str
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return areas and rates of the exponentials that dwells in a state are mixed of."""
        from scipy.linalg import expm

        rates = _scheme(network).rates(parameters)
        here = [network.species_ids.index(s) for s in self.classes[state]]
        there = [i for i in range(len(rates)) if i not in here]
        within, out = rates[np.ix_(here, here)], rates[np.ix_(here, there)]
        back, other = rates[np.ix_(there, here)], rates[np.ix_(there, there)]
        start = _equilibrium(rates)[there] @ back @ expm(within * self.record.dead_time)
        is_missed = np.eye(len(there)) - expm(other * self.record.dead_time)
        seen = within + out @ is_missed @ np.linalg.solve(-other, back)
        eigenvalues, vectors = np.linalg.eig(seen)
        if np.isrealobj(seen) and np.iscomplexobj(eigenvalues):
            raise FitError(
                f"model '{network.id}': dwells in state {state!r} have time constants that are not "
                "real, as in a scheme that runs around a cycle in one direction; DwellTimes knows "
                "sums of exponentials only, so start elsewhere, or let every step go back too"
            )
        if np.linalg.cond(vectors) > WORST_CONDITION:
            raise FitError(
                f"model '{network.id}': two time constants of the dwells in state {state!r} are "
                "all but equal, and their shares cannot be told apart; start elsewhere, or leave "
                "a state out"
            )
        area = (start @ vectors) * np.linalg.solve(vectors, np.ones(len(here))) / start.sum()
        return area, -eigenvalues

    def _deviance(self, network: ReactionNetwork, parameters: NDArray[Any]) -> Any:
        total: Any = 0.0
        for state in self.record.states:
            area, rate = self._components(network, parameters, state)
            beyond = self.record.of(state) - self.record.dead_time
            density = np.exp(-np.multiply.outer(beyond, rate)) @ (area * rate)
            total -= 2.0 * np.log(density).sum()
        return total


def _check_classes(
    record: Dwells, classes: Mapping[str, tuple[str, ...]], network: ReactionNetwork
) -> None:
    if {*classes} != {*record.states} or len(classes) < 2:
        raise FitError(
            f"classes of {sorted(classes)}, and the record has states {sorted(record.states)}; "
            "say for each which species look like it, of two states at least"
        )
    empty = [state for state in record.states if not classes[state] or not record.of(state).size]
    if empty:
        raise FitError(
            f"state {', '.join(empty)}: without a species that looks like it, or without a usable "
            "dwell; leave out states that were never seen, and name species for the others"
        )
    named = [s for species in classes.values() for s in species]
    if sorted(named) != sorted(network.species_ids):
        raise FitError(
            f"classes name {sorted(named)}, and model '{network.id}' has the species "
            f"{sorted(network.species_ids)}; name each of them once"
        )


def _check_record(record: Dwells, problem: Problem) -> None:
    told = problem.measurements
    if told.sha256 and record.sha256 and told.sha256 != record.sha256:
        raise FitError(
            f"DwellTimes was given the record {record.source_name!r}, and the problem was made of "
            f"{told.source_name!r}; give the same record to both"
        )
    if len(told) or problem.snapshots is not None:
        raise FitError(
            f"{problem.name or problem.network.id}: has measurements or snapshots, which "
            "DwellTimes leaves aside; fit the record alone"
        )


@dataclass(frozen=True, eq=False)
class _Scheme:
    """The rates between the states of one channel, which are linear in the parameters.

    Attributes:
        constant: float64 [from, to].
        slopes: float64 [parameter, from, to].
    """

    constant: FloatArray
    slopes: FloatArray

    def rates(self, parameters: NDArray[Any]) -> NDArray[Any]:
        """Return Q, [from, to], at parameters of the network [parameter]; rows sum to 0."""
        return self.constant + np.tensordot(parameters, self.slopes, axes=1)


@lru_cache(maxsize=8)
def _scheme(network: ReactionNetwork) -> _Scheme:
    count = len(network.parameter_ids)
    ones = np.ones(count)
    middle = _generator(network, ones)
    slopes = np.stack([_generator(network, ones + row) - middle for row in np.eye(count)])
    scheme = _Scheme(middle - slopes.sum(axis=0), slopes)
    elsewhere = np.arange(3.0, 3.0 + count)
    if not np.allclose(scheme.rates(elsewhere), _generator(network, elsewhere)):
        raise FitError(
            f"model '{network.id}': its rates are not linear in the parameters; give every step a "
            "rate constant of its own"
        )
    return scheme


def _generator(network: ReactionNetwork, parameters: FloatArray) -> FloatArray:
    given = dict(zip(network.parameter_ids, parameters.tolist(), strict=True))
    found = project(network, until=1.0, parameters=given)
    states = found.space.states
    size = len(network.species_ids)
    if states.shape != (size, size) or not (states.sum(axis=1) == 1).all():
        raise FitError(
            f"model '{network.id}' is not one channel: it visits {len(states)} states of "
            f"{size} species; let one molecule change between the species, and reach them all"
        )
    order = np.argsort(states.argmax(axis=1))
    return found.generator.toarray()[np.ix_(order, order)].T


def _equilibrium(rates: NDArray[Any]) -> NDArray[Any]:
    """Return the probabilities π with π Q = 0, [state]."""
    equations = rates.T.copy()
    equations[-1] = 1.0
    return np.linalg.solve(equations, np.eye(len(rates))[-1])
