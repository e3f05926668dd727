"""The rate equations together with the slopes of their solution in parameters, in one solve.

For fits: one solve gives what would take a simulation for each parameter otherwise. Only systems
that are smooth between times known ahead have it: without events, and with conditions (steps of a
dose) that nothing but the clock changes, at times that do not depend on the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.conditions import hold
from sbmlgrad.codegen.deterministic import DeterministicNetwork
from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.codegen.programs import Programs, programs
from sbmlgrad.engines.ode.clock import next_change
from sbmlgrad.engines.ode.collocation import (
    COLLOCATION_KERNEL,
    COMPLETE,
    NOT_FINITE,
    TOO_MANY_STEPS,
)
from sbmlgrad.engines.ode.engine import ODE
from sbmlgrad.engines.ode.programs import Evaluator, FloatArray, ode_kernel, ode_programs
from sbmlgrad.engines.ode.solver import Scales
from sbmlgrad.engines.ode.tableau import radau
from sbmlgrad.errors import SimulationError
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.expression import TIME, ZERO, symbols
from sbmlgrad.model.jumps import jumps

#: Shortest stretch that is solved, in distances of neighbouring numbers.
_SHORTEST = 16.0

#: Steps that a solution takes at least; each looks at the rates five times.
_LEAST_STEPS = 20


@dataclass(frozen=True, eq=False)
class SlopePrograms:
    """What the solver evaluates for one network.

    Attributes:
        network: where it comes from.
        moving: places in the state of what changes.
        input_ids: inputs of the programs: those of the network, then what of the state stays.
        rates: of the moving state, over it, the time and modes.
        slopes: of the rates, those that are not zero.
        places: of these, int64 [slope, 2]: rate, and state or number of states plus input.
        modes: conditions, whose values are held until the clock changes one.
        clock_inputs: inputs of the network on which the times of changes depend.
    """

    network: DeterministicNetwork
    moving: tuple[int, ...]
    input_ids: tuple[str, ...]
    rates: Programs
    slopes: Programs
    places: NDArray[np.int64]
    modes: Programs
    clock_inputs: frozenset[str]


def why_no_slopes(network: DeterministicNetwork) -> str:
    """Return why a network's solution has no slopes that one solve could give; empty if it has."""
    if network.events:
        return f"event '{network.events[0].id}' makes the state jump"
    if ode_programs(network).tracked.results:
        return "a condition in the rates depends on the state"
    return ""


@lru_cache(maxsize=64)
def slope_programs(network: DeterministicNetwork) -> SlopePrograms:
    """Return the programs of a network that has slopes (`why_no_slopes`)."""
    moving = network.moving
    ids = [network.state_ids[i] for i in moving]
    still = [id for i, id in enumerate(network.state_ids) if i not in set(moving)]
    input_ids = (*network.input_ids, *still)
    rates = [network.derivatives[i] for i in moving]
    rest, modes = hold(rates, set(ids), by_clock_alone=False)
    column = {id: i for i, id in enumerate((*ids, *input_ids))}
    # Slopes in inputs stand behind those in states, whose place has no gap for the time.
    found = [
        (row, column[symbol], derivative(rate, symbol))
        for row, rate in enumerate(rest)
        for symbol in sorted(symbols(rate) & column.keys(), key=column.__getitem__)
    ]
    found = [entry for entry in found if entry[2] != ZERO]
    variables = (*ids, TIME.id, *modes)
    watched = frozenset().union(*(symbols(condition) for condition in jumps(rates)))
    return SlopePrograms(
        network=network,
        moving=moving,
        input_ids=input_ids,
        rates=programs(rest, variables, input_ids),
        slopes=programs([slope for _, _, slope in found], variables, input_ids),
        places=np.array([entry[:2] for entry in found], dtype=np.int64).reshape(-1, 2),
        modes=programs(list(modes.values()), (*network.state_ids, TIME.id), network.input_ids),
        clock_inputs=watched & set(input_ids),
    )


def integrate_with_slopes(
    engine: ODE,
    network: DeterministicNetwork,
    inputs: FloatArray,
    shifts: FloatArray,
    start: FloatArray,
    start_slopes: FloatArray,
    times: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the state at given times and its slopes in parameters.

    Args:
        engine: its tolerances hold for the state.
        network: one that has slopes (`why_no_slopes`).
        inputs: values of `network.input_ids`, float64 [input].
        shifts: slopes of the inputs, float64 [input, parameter]; those on which the times of
            changes depend (`SlopePrograms.clock_inputs`) must be 0.
        start: values of `network.state_ids` at time 0, float64 [state].
        start_slopes: their slopes, float64 [state, parameter].
        times: increasing, from 0 on, float64 [time].

    Returns:
        float64 [time, state] and float64 [time, state, parameter].

    Raises:
        SimulationError: the solver fails.
    """
    made = slope_programs(network)
    moving = np.array(made.moving, dtype=np.intp)
    still = np.setdiff1d(np.arange(len(start)), moving)
    states = np.tile(start, (len(times), 1))
    slopes = np.tile(start_slopes, (len(times), 1, 1))
    if not moving.size or times[-1] <= 0.0:
        return states, slopes
    run = _Run(engine, made, np.concatenate([inputs, start[still]]), start, float(times[-1]))
    shifted = np.ascontiguousarray(np.concatenate([shifts, start_slopes[still]]))
    state, slope = start[moving].copy(), np.ascontiguousarray(start_slopes[moving])
    now, first = 0.0, int(np.searchsorted(times, 0.0, side="right"))
    while now < times[-1]:
        change = next_change(run.timed, start, now, float(times[-1]))
        stop = float(times[-1]) if change is None else change
        upto = int(np.searchsorted(times, stop, side="right"))
        if stop - now > _SHORTEST * np.spacing(now):
            found, found_slopes = run.follow(now, stop, state, slope, shifted, times[first:upto])
        else:
            # As after `time > 0`: so short that nothing moves, and no solver could step.
            found, found_slopes = state, slope
        states[first:upto, moving] = found
        slopes[first:upto, moving] = found_slopes
        now, first = stop, upto
    return states, slopes


class _Run:
    """One solution under way."""

    def __init__(
        self, engine: ODE, made: SlopePrograms, inputs: FloatArray, start: FloatArray, end: float
    ) -> None:
        network = made.network
        self.made, self.inputs, self.start, self.engine = made, inputs, start, engine
        own = np.ascontiguousarray(inputs[: len(network.input_ids)], dtype=np.float64)
        self.timed = Evaluator(ode_programs(network).timed, own, ode_kernel())
        self.modes = Evaluator(made.modes, own, ode_kernel())
        self.kernel = kernel_module(COLLOCATION_KERNEL)
        self.longest = end / _LEAST_STEPS
        self.scales: FloatArray | None = None

    def follow(
        self,
        now: float,
        stop: float,
        state: FloatArray,
        slope: FloatArray,
        shifts: FloatArray,
        times: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """Follow a smooth stretch, changing state and slope in place."""
        made = self.made
        modes = self.modes(now, self.start)
        if self.scales is None:
            self.scales = self._scales(now, state, modes)
        column = state[:, None].copy()
        states = np.empty((len(times), len(state), 1))
        slopes = np.empty((len(times), *slope.shape))
        tableau = radau()
        outcome, reached, steps, step = self.kernel.collocate(
            made.rates, made.slopes, made.places, tuple(tableau), modes, self.inputs, shifts,
            now, stop, self.longest, column, slope,
            self.engine.rtol, self.engine.atol * self.scales, times, states, slopes,
        )  # fmt: skip
        state[:] = column[:, 0]
        if outcome != COMPLETE:
            ids = [made.network.state_ids[i] for i in made.moving]
            why = f"its step has become {step:.3g}"
            if outcome == TOO_MANY_STEPS:
                why = f"it has taken {steps:,} steps"
            if outcome == NOT_FINITE:
                why = "a rate or its slope is not a finite number"
            words = ", ".join(f"{i}={v:.6g}" for i, v in zip(ids, state, strict=True))
            raise SimulationError(
                f"the solver with slopes gave up at time {reached:.6g} ({why}) in state {words}; "
                "the solution may end here, or the tolerances rtol and atol cannot be met"
            )
        return states[:, :, 0], slopes

    def _scales(self, now: float, state: FloatArray, modes: FloatArray) -> FloatArray:
        """Return the magnitudes that the absolute tolerance refers to, as `ODE` has them."""
        made = self.made
        rates = Evaluator(made.rates, self.inputs, ode_kernel())(now, state, modes)
        is_species = np.array(made.moving) < len(made.network.network.species_ids)
        scales = np.empty(len(state))
        for kind in (is_species, ~is_species):
            one = Scales(int(kind.sum()), 5.0 * self.longest / _LEAST_STEPS)
            scales[kind] = one.update(state[kind], rates[kind])
        return scales
