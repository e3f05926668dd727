"""`DwellTimes`: the likelihood of how long a channel stayed in each of its classes of states."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError, GradientError
from sbmlgrad.fit.experiments import prepared
from sbmlgrad.fit.objectives.dwell_densities import ClassRates, class_rates, log_density
from sbmlgrad.fit.objectives.dwell_scheme import scheme
from sbmlgrad.fit.objectives.exact_slopes import exact_value
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.model.dwells import Dwells
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

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
    dwells in F; see `dwell_densities.ClassRates`. Correlations between neighbouring dwells are left
    out. The loss is minus twice the mean logarithm of the density.

    Any scheme will do that comes back from every state: time constants may be equal, and around a
    cycle in one direction they may be complex.

    Args:
        record: the dwells; only usable ones count.
        classes: observed state → species that look like it; every species once.
    """

    record: Dwells
    classes: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        if not isinstance(self.record, Dwells):
            raise FitError(
                f"DwellTimes(record={str(self.record)[:60]!r}): pass the dwells themselves, as "
                "load_dwells returns them; a text does not hold them"
            )

    def __hash__(self) -> int:
        return hash((self.record, *sorted((id, *own) for id, own in self.classes.items())))

    @property
    def name(self) -> str:
        """How it is recorded in results.

        With the dead time and the unit that the record has. It does not know from which columns or
        which sheet it was read.
        """
        record, unit = self.record, f", unit={self.record.unit!r}" if self.record.unit else ""
        known = f"dead_time={record.dead_time!r}{unit}"
        if record.source_name:
            told = f"load_dwells({record.source_name!r}, {known})"
        else:
            told = repr(f"made in Python: {len(record)} dwells, {known}")
        classes = {state: tuple(species) for state, species in self.classes.items()}
        return f"DwellTimes(record={told}, classes={classes!r})"

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
            FitError: classes that do not fit record or model, a model that is not one channel or
                does not come back from every state, or a problem that was made of another record.
        """
        _check_classes(self.record, self.classes, problem.network)
        _check_record(self.record, problem)
        (experiment,) = prepared(problem)
        # Whatever is fitted can be above 0.
        somewhere = np.ones(len(search_space(problem).ids))
        scheme(problem.network).check_connected(experiment.parameters(somewhere))
        dead_time = f"{self.record.dead_time:g} {self.record.unit}".rstrip()
        missed = (
            f"dwells shorter than {dead_time} were missed; they last no time within those that "
            "run together around them"
            if self.record.dead_time
            else "every dwell was seen, however short: the record has no dead time"
        )
        return missed, "the dwells of a record tell nothing about their neighbours"

    def times(self, problem: Problem) -> Mapping[str, tuple[float, ...]]:
        """Return times to simulate to; nothing of that enters the loss."""
        return {experiment.id: (0.0, 1.0) for experiment in problem.experiments}

    def loss(self, problem: Problem, simulated: Mapping[str, Simulated]) -> Any:
        """Return minus twice the mean log-density at the parameters of an ensemble."""
        (experiment,) = prepared(problem)
        every = np.arange(len(problem.network.parameter_ids))

        def with_slope(theta: FloatArray) -> tuple[float, FloatArray]:
            return self._with_slopes(problem, theta, every)

        def value(theta: FloatArray) -> float:
            return with_slope(theta)[0]

        return exact_value(simulated[experiment.id].ensemble.parameters, value, with_slope)

    def exact_loss_and_gradient(
        self, problem: Problem, values: FloatArray
    ) -> tuple[float, FloatArray]:
        """Return the loss and its derivative in the free parameters, float64 [free].

        Both exact: the derivative goes back through every step of the computation.

        Raises:
            GradientError: values at which there is no likelihood, such as rates of 0, or rates too
                fast beside the longest dwell.
        """
        (experiment,) = prepared(problem)
        slopes = np.zeros(len(search_space(problem).ids))
        loss, own = self._with_slopes(problem, experiment.parameters(values), experiment.places)
        np.add.at(slopes, experiment.sources, own)
        return loss, slopes

    def log_likelihood(self, problem: Problem, values: FloatArray) -> float:
        """Return the natural logarithm of the density of all dwells, at some values [free].

        Raises:
            GradientError: as `exact_loss_and_gradient`.
        """
        (experiment,) = prepared(problem)
        return self._log_likelihood(problem.network, experiment.parameters(values))[0]

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

        Raises:
            FitError: dwells that are no sum of exponentials: time constants that are complex, or
                two that are all but equal. The likelihood needs no such sum.
            GradientError: values at which there is no likelihood.
        """
        rates = scheme(network).rates(np.array(network.parameter_values))
        share = scheme(network).equilibrium(rates)
        seen = self._class(network, rates, share, state)
        eigenvalues, vectors = np.linalg.eig(seen.within)
        if np.iscomplexobj(eigenvalues):
            raise FitError(
                f"{_what(network, state)} have time constants that are not real, as in a scheme "
                "that runs around a cycle in one direction, and are no sum of exponentials; the "
                "likelihood needs none, so leave components aside, or let every step go back too"
            )
        if np.linalg.cond(vectors) > WORST_CONDITION:
            raise FitError(
                f"{_what(network, state)}: two time constants are all but equal, and their shares "
                "cannot be told apart; the likelihood does not need them, so leave components "
                "aside, or leave a state out"
            )
        weight = np.linalg.solve(vectors, np.ones(len(eigenvalues)))
        return (seen.start @ vectors) * weight / seen.start.sum(), -1.0 / eigenvalues

    def _with_slopes(
        self, problem: Problem, parameters: FloatArray, places: NDArray[np.intp]
    ) -> tuple[float, FloatArray]:
        """Return the loss, and its slopes in the parameters at some places, float64 [place]."""
        value, of_rates = self._log_likelihood(problem.network, parameters)
        rates = scheme(problem.network).slopes[places]
        slopes = np.tensordot(rates, of_rates, axes=2)
        if not np.isfinite(slopes).all():
            ids = [problem.network.parameter_ids[i] for i in places[~np.isfinite(slopes)].tolist()]
            raise GradientError(
                f"model '{problem.network.id}': the derivative of the likelihood of dwells in "
                f"{', '.join(ids)} is beyond floating point at these values; narrow the bounds of "
                "the rates, or start elsewhere"
            )
        factor = -2.0 / self.count(problem)
        return factor * value, factor * slopes

    def _log_likelihood(
        self, network: ReactionNetwork, parameters: FloatArray
    ) -> tuple[float, FloatArray]:
        """Return the log-density of all dwells, and its derivative in Q, float64 [from, to]."""
        own = scheme(network)
        rates = own.rates(parameters)
        share = own.equilibrium(rates)
        total, of_rates, of_share = 0.0, np.zeros_like(rates), np.zeros_like(share)
        for state in self.record.states:
            seen = self._class(network, rates, share, state)
            beyond = self.record.of(state) - self.record.dead_time
            value, slopes = log_density(seen, beyond, _what(network, state))
            total += value
            seen.add_slopes(*slopes, of_rates, of_share)
        return total, of_rates + own.equilibrium_slopes(rates, share, of_share)

    def _class(
        self, network: ReactionNetwork, rates: FloatArray, share: FloatArray, state: str
    ) -> ClassRates:
        here = np.array([network.species_ids.index(s) for s in self.classes[state]], np.intp)
        return class_rates(rates, share, here, self.record.dead_time, _what(network, state))


def _what(network: ReactionNetwork, state: str) -> str:
    return f"model '{network.id}': dwells in state {state!r}"


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
