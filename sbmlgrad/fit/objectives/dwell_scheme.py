"""The scheme of one channel: rates between its states, linear in parameters, and equilibrium."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.cme import project
from sbmlgrad.errors import FitError, GradientError
from sbmlgrad.model.network import ReactionNetwork

FloatArray = NDArray[np.float64]

#: Share of the rates at 1 and 2 that is left where differences of them cancel.
ROUNDING = 1e-14


@dataclass(frozen=True, eq=False)
class Scheme:
    """The rates between the states of one channel, which are linear in the parameters.

    Attributes:
        states: species, in the order of the model.
        constant: float64 [from, to].
        slopes: float64 [parameter, from, to].
        model: id of the model, for errors.
    """

    states: tuple[str, ...]
    constant: FloatArray
    slopes: FloatArray
    model: str

    def rates(self, parameters: FloatArray) -> FloatArray:
        """Return Q, float64 [from, to], at parameters of the network [parameter]; rows sum to 0.

        Raises:
            GradientError: a rate that is negative or not finite.
        """
        found = self.constant + np.tensordot(parameters, self.slopes, axes=1)
        between = found[~np.eye(len(found), dtype=bool)]
        if not (np.isfinite(found).all() and (between >= 0.0).all()):
            off = np.where(np.eye(len(found), dtype=bool), 0.0, found)
            row, column = np.argwhere(~(np.isfinite(found) & (off >= 0.0)))[0].tolist()
            raise GradientError(
                f"model '{self.model}': the rate from {self.states[row]} to {self.states[column]} "
                f"is {found[row, column]:g} at these values; a rate is finite and not negative, so "
                "keep the bounds of parameters above 0"
            )
        return found

    def check_connected(self, parameters: FloatArray) -> None:
        """Refuse a scheme with states that are not left for all others, at parameters [parameter].

        Raises:
            FitError: such a scheme; it has no equilibrium with all its states.
        """
        reached = (self.rates(parameters) > 0.0) | np.eye(len(self.states), dtype=bool)
        for _ in self.states:
            reached = (reached.astype(np.int64) @ reached.astype(np.int64)) > 0
        if not reached.all():
            row, column = np.argwhere(~reached)[0].tolist()
            raise FitError(
                f"model '{self.model}': from {self.states[row]} the channel never comes to "
                f"{self.states[column]}, so that in the long run it is not seen in all its states, "
                "and dwells have no density at equilibrium; add the steps that lead back, or give "
                "those that there are a rate above 0"
            )

    def equilibrium(self, rates: FloatArray) -> FloatArray:
        """Return the probabilities π with π Q = 0, float64 [state].

        By elimination without differences (Grassmann, Taksar & Heyman 1985, "Regenerative analysis
        and steady state distributions for Markov chains", Oper. Res. 33, 1107).

        Raises:
            GradientError: at these rates the scheme falls apart.
        """
        left, size = rates.copy(), len(rates)
        for last in range(size - 1, 0, -1):
            out = left[last, :last].sum()
            if not out > 0.0:
                raise GradientError(
                    f"model '{self.model}': at these values the channel never comes from "
                    f"{self.states[last]} to {', '.join(self.states[:last])}, and has no "
                    "equilibrium; some rate is 0 or all but that: keep its bounds above 0"
                )
            left[:last, last] /= out
            left[:last, :last] += np.outer(left[:last, last], left[last, :last])
        share = np.ones(size)
        for place in range(1, size):
            share[place] = share[:place] @ left[:place, place]
        return share / share.sum()

    def equilibrium_slopes(
        self, rates: FloatArray, share: FloatArray, of_share: FloatArray
    ) -> FloatArray:
        """Return the derivative of a number in Q, from its derivative in π; float64 [from, to].

        From dπ Q = -π dQ and Σ dπ = 0.

        Args:
            rates: Q.
            share: π.
            of_share: the derivative in π, float64 [state].

        Raises:
            GradientError: equations that cannot be solved.
        """
        scale = np.abs(rates).max()
        equations = rates / scale
        equations[:, -1] = 1.0
        try:
            weight = np.linalg.solve(equations, of_share)
        except np.linalg.LinAlgError as error:
            raise GradientError(
                f"model '{self.model}': at these values the equilibrium of the channel has no "
                f"derivative ({error}); some rate is 0 or all but that: keep its bounds above 0"
            ) from None
        weight[-1] = 0.0
        return -np.outer(share, weight) / scale


@lru_cache(maxsize=8)
def scheme(network: ReactionNetwork) -> Scheme:
    """Return the scheme of a model in which one molecule changes between the species.

    Raises:
        FitError: a model that is not one channel, or rates that are not linear in the parameters.
    """
    count = len(network.parameter_ids)
    ones = np.ones(count)
    middle = _generator(network, ones)
    # Without parameters there is nothing to stack.
    slopes = np.zeros((count, *middle.shape))
    for place, row in enumerate(np.eye(count)):
        slopes[place] = _generator(network, ones + row) - middle
    constant = middle - slopes.sum(axis=0)
    # What differences leave of rates without a constant part is rounding, and no step.
    largest = np.abs(middle) + np.abs(slopes).sum(axis=0)
    constant[np.abs(constant) <= ROUNDING * largest] = 0.0
    found = Scheme(network.species_ids, constant, slopes, network.id)
    elsewhere = np.arange(3.0, 3.0 + count)
    there = found.constant + np.tensordot(elsewhere, slopes, axes=1)
    if not np.allclose(there, _generator(network, elsewhere)):
        raise FitError(
            f"model '{network.id}': its rates are not linear in the parameters; give every step a "
            "rate constant of its own"
        )
    return found


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
