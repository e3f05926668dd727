"""`StraightThrough`: the published Gumbel-softmax estimator, and its limit at temperature zero."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.table_driven import derivatives, propensities
from sbmlgrad.codegen.tables import Tables
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.kernels import fire
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.random import uniform_pair
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, WindowAverages
from sbmlgrad.errors import GradientError
from sbmlgrad.model.numbers import as_number


@dataclass(frozen=True)
class StraightThrough:
    """Differentiate as Vilar & Saiz 2026 do: exact forward, relaxed choices backward.

    When to choose it: to reproduce published results, or to compare. It is biased, and at low
    temperature noisy; `TwoSidedAdjoint` is better on nearly every network.

    Forward, the trajectory is the exact one. Backward, the choice of the reaction counts as
    softmax((log a + G) / temperature) with Gumbel noise G (Jang, Gu & Poole 2017; Maddison, Mnih &
    Teh 2017), and the waiting time as τ = -ln u / a_0 with u fixed. The noise is drawn afterwards,
    conditional on the reaction that fired, which has the same law as drawing it before ("top-down"
    sampling, Maddison, Tarlow & Minka 2014), so the forward pass never pays for it.

    `temperature=0` is the limit with the noise integrated out: no noise and no exponentials. Its
    weights are (s_i - s_j) / a_0 times ½ where a_i > 0 and 1 where a_i = 0, s_i = v_i·λ.

    Reactions that cannot fire have no part in the relaxed choice.

    Bias: yes, at every temperature. Cost: one replay and one backward sweep.

    Args:
        temperature: in [0, 1].
    """

    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= as_number("temperature", self.temperature) <= 1.0:
            raise GradientError(
                f"StraightThrough(temperature={self.temperature}): must lie in [0, 1]; above 1 the "
                "weight of a rare reaction grows without bound"
            )

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return f"StraightThrough(temperature={self.temperature!r})"

    @property
    def readouts(self) -> frozenset[type]:
        """Readouts that vary smoothly with the firing times."""
        return frozenset({WindowAverages, Interpolated, AfterFirings})

    def pull_back(
        self, engine: Native, request: Request, cotangent: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the derivative of a loss in the inputs; see `base.Estimator`."""
        from sbmlgrad.gradients.reverse import pull_back_path

        return pull_back_path(self, engine, request, cotangent)

    @property
    def options(self) -> NDArray[np.float64]:
        """The temperature."""
        return np.array([self.temperature])

    @property
    def sweep(self) -> Callable[..., None]:
        """The reverse sweep."""
        return sweep

    @property
    def functions(self) -> tuple[Callable[..., object], ...]:
        """Kernel functions that the sweep calls, besides the engine's own."""
        return (race, choice_weights, differentiate_readout)


def race(rates, total, reaction, seed, trajectory, draw, ratio):
    """Draw the race that `reaction` won: fill `ratio` with (its time / time of r) / a_r.

    The winner's time is E_0 / a_0 and the others' E_0 / a_0 + E_r / a_r, with E exponential; that
    is the law of exponential clocks given who rings first, and log a_r + G_r = -log(time of r).
    Divided by a_r, so that it is finite where a_r is zero.
    """
    count = rates.shape[0]
    blocks = (count + 2) // 2
    first, second = uniform_pair(
        np.uint64(seed), np.uint64(draw * blocks), np.uint64(trajectory), np.uint64(2)
    )
    winner = -math.log(first) / total
    spare = -math.log(1.0 - second)
    used = 1
    for r in range(count):
        if r % 2 == 1:
            first, second = uniform_pair(
                np.uint64(seed),
                np.uint64(draw * blocks + used),
                np.uint64(trajectory),
                np.uint64(2),
            )
            used += 1
            excess = -math.log(first)
            spare = -math.log(1.0 - second)
        else:
            excess = spare
        ratio[r] = winner / (excess + rates[r] * winner)
    ratio[reaction] = 1.0 / rates[reaction]


def choice_weights(rates, total, reaction, along, temperature, ratio, weights):
    """Fill `weights` [reaction] with the derivative of the choice in each propensity.

    `along` [reaction] is v_r·λ after the firing; `ratio` is what `race` drew.
    """
    count = rates.shape[0]
    if temperature == 0.0:
        balance = 0.0
        for r in range(count):
            half = 0.5 if rates[r] > 0.0 else 1.0
            weights[r] = half * (along[r] - along[reaction]) / total
            balance += weights[r] * rates[r]
        weights[reaction] -= balance / rates[reaction]
        return
    exponent = 1.0 / temperature
    norm = 0.0
    for r in range(count):
        norm += (rates[r] * ratio[r]) ** exponent
    mean = 0.0
    for r in range(count):
        mean += (rates[r] * ratio[r]) ** exponent / norm * along[r]
    for r in range(count):
        weights[r] = 0.0
        # One that cannot fire has no part in the choice. Below temperature 1 its weight vanishes
        # with its propensity; at 1 it would stay finite, but with an infinite mean.
        if rates[r] > 0.0:
            share = (rates[r] * ratio[r]) ** exponent / norm
            weights[r] = share * (along[r] - mean) / (rates[r] * temperature)


def differentiate_readout(
    tables: Tables, kind, points, cotangent, j, before, after, is_first, adjoint, earlier, clocks
):
    """Add what the readout says about the interval between two firings, `j` ending it.

    `before` and `after` are the times that bound it; `adjoint` [species] is of the state after the
    firing, `earlier` of the state before; `clocks` holds the adjoints of `before` and `after`.
    """
    species = adjoint.shape[0]
    count = cotangent.shape[0]
    place = max(np.searchsorted(points, before, side="right") - 1, 0)
    if kind == 1:
        for w in range(place, count):
            if points[w] >= after:
                break
            width = points[w + 1] - points[w]
            overlap = min(after, points[w + 1]) - max(before, points[w])
            if overlap > 0.0:
                for s in range(species):
                    earlier[s] += cotangent[w, s] * overlap / width
            if j >= 0 and points[w] < after < points[w + 1]:
                for i in range(tables.change_start[j], tables.change_start[j + 1]):
                    change = tables.change_amount[i] * cotangent[w, tables.change_species[i]]
                    clocks[1] -= change / width
    elif kind == 2:
        waiting = after - before
        for k in range(place, count):
            if points[k] > after:
                break
            if points[k] > before or is_first:
                share = (points[k] - before) / waiting if j >= 0 else 0.0
                slope = 0.0
                if j >= 0:
                    for i in range(tables.change_start[j], tables.change_start[j + 1]):
                        slope += tables.change_amount[i] * cotangent[k, tables.change_species[i]]
                    slope /= waiting
                for s in range(species):
                    adjoint[s] += share * cotangent[k, s]
                    earlier[s] += (1.0 - share) * cotangent[k, s]
                clocks[0] -= (1.0 - share) * slope
                clocks[1] -= share * slope


def sweep(
    tables: Tables,
    kind,
    points,
    cotangent,
    fired,
    times,
    firings,
    counts,
    inputs,
    seed,
    trajectory,
    options,
    gradient,
):
    """Walk a path backwards, adding the derivative in the inputs to `gradient` [input]."""
    species = counts.shape[0]
    reactions = tables.change_start.shape[0] - 1
    temperature = options[0]
    adjoint = np.zeros(species)
    earlier = np.zeros(species)
    clocks = np.zeros(2)
    rates = np.empty(reactions)
    along = np.empty(reactions)
    ratio = np.empty(reactions)
    weights = np.empty(reactions)
    stack = np.empty(tables.stack_size)
    in_state = np.empty(tables.state_variable.shape[0])
    in_input = np.empty(tables.input_variable.shape[0])
    clock = 0.0
    # After the last firing the state persists; nothing there depends on a firing that never comes.
    if kind != 3:
        end = math.inf if kind == 2 else points[points.shape[0] - 1]
        differentiate_readout(
            tables,
            kind,
            points,
            cotangent,
            -1,
            times[firings],
            end,
            firings == 0,
            adjoint,
            adjoint,
            clocks,
        )
    point = cotangent.shape[0] - 1
    for interval in range(firings, 0, -1):
        if kind == 3:
            while point >= 0 and (points[point] >= interval):
                for s in range(species):
                    adjoint[s] += cotangent[point, s]
                clock += cotangent[point, species]
                point -= 1
        j = fired[interval - 1]
        waiting = times[interval] - times[interval - 1]
        for s in range(species):
            earlier[s] = 0.0
        clocks[0] = 0.0
        clocks[1] = 0.0
        if kind != 3:
            differentiate_readout(
                tables,
                kind,
                points,
                cotangent,
                j,
                times[interval - 1],
                times[interval],
                interval == 1,
                adjoint,
                earlier,
                clocks,
            )
        clock += clocks[1]
        fire(tables, j, counts, -1.0)
        propensities(tables, counts, inputs, stack, rates)
        derivatives(tables, counts, inputs, stack, in_state, in_input)
        total = 0.0
        for r in range(reactions):
            total += rates[r]
            along[r] = 0.0
            for i in range(tables.change_start[r], tables.change_start[r + 1]):
                along[r] += tables.change_amount[i] * adjoint[tables.change_species[i]]
        if temperature > 0.0:
            race(rates, total, j, seed, trajectory, interval - 1, ratio)
        choice_weights(rates, total, j, along, temperature, ratio, weights)
        waiting_weight = -clock * waiting / total
        for r in range(reactions):
            weight = weights[r] + waiting_weight
            for i in range(tables.input_start[r], tables.input_start[r + 1]):
                gradient[tables.input_variable[i]] += weight * in_input[i]
            for i in range(tables.state_start[r], tables.state_start[r + 1]):
                earlier[tables.state_variable[i]] += weight * in_state[i]
        for s in range(species):
            adjoint[s] += earlier[s]
        clock += clocks[0]
