"""Networks whose laws are affine in the counts: moments and cumulants, exactly.

With propensities a_j(x) = α_j + β_j · x and changes ν_j, E exp(B(0) · X(t)) = exp(A + B · x) for
the start x, where A and B at the backward time τ = t obey

    dB/dτ = Σ_j β_j (exp(B · ν_j) - 1),      dA/dτ = Σ_j α_j (exp(B · ν_j) - 1),      A = 0 at τ = 0

(the characteristic equations of branching processes with immigration; Athreya & Ney 1972, chapter
V.7; for any affine process Duffie, Filipović & Schachermayer 2003, 10.1214/aoap/1060202833). From
B(0) = θ e_s come the cumulants of the count of species s, and by the first two orders in θ its mean
and variance. Where the generating function is not finite, the solution runs away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from sbmlgrad.cme.starts import start_of
from sbmlgrad.cme.state_space import values_at
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import RefereeError
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.expression import TIME, ZERO, Expression, symbols
from sbmlgrad.model.operators import evaluate
from sbmlgrad.referees.base import RefusedError

FloatArray = NDArray[np.float64]

#: Offsets [reaction] and slopes [reaction, species] of propensities.
Rates = tuple[FloatArray, FloatArray]

#: Exponents above this mean a solution that runs away.
_RUNAWAY = 60.0

#: Steps that laws in time are followed with, at least.
_LEAST_STEPS = 200

_RTOL, _ATOL = 1e-9, 1e-11


class _RunsAway(Exception):
    """The generating function is not finite."""


@dataclass(frozen=True, eq=False)
class AffineNetwork:
    """A network with affine laws.

    Attributes:
        lowered: the network; `objections` of the referee `ode` say whether its laws are affine.
        check: called again and again; raises to end the work.
    """

    lowered: LoweredNetwork
    check: Callable[[], None]

    @cached_property
    def _given(self) -> tuple[FloatArray, FloatArray]:
        """Inputs [input] and the start [species]."""
        values, start = start_of(self.lowered, {}, {}, is_given=False)
        if start is None or len(start.counts) != 1:
            raise RefusedError("it needs one start, and initial counts are drawn here")
        inputs = np.array([values[name] for name in self.lowered.input_ids], dtype=np.float64)
        return inputs, start.counts[0].astype(np.float64)

    @cached_property
    def _change(self) -> FloatArray:
        return self.lowered.stoichiometry.T.astype(np.float64)

    @cached_property
    def is_timed(self) -> bool:
        """Whether a law depends on time."""
        return any(TIME.id in symbols(c.propensity) for c in self.lowered.channels)

    @cached_property
    def _slope_laws(self) -> list[tuple[int, int, Expression]]:
        """Reaction, species and derivative of a law in a count, where it is not zero."""
        place = {name: s for s, name in enumerate(self.lowered.species_ids)}
        found = [
            (j, place[name], derivative(channel.propensity, name))
            for j, channel in enumerate(self.lowered.channels)
            for name in sorted(symbols(channel.propensity) & place.keys())
        ]
        return [(j, s, slope) for j, s, slope in found if slope != ZERO]

    def _rates(self, time: float) -> Rates:
        lowered, (inputs, start) = self.lowered, self._given
        nowhere = np.zeros((1, len(start)))
        values = {**values_at(lowered, nowhere, inputs), TIME.id: time}
        offsets = np.zeros(len(lowered.channels))
        slopes = np.zeros((len(lowered.channels), len(start)))
        for j, channel in enumerate(lowered.channels):
            offsets[j] = np.squeeze(evaluate(channel.propensity, values))
        for j, s, slope in self._slope_laws:
            slopes[j, s] = np.squeeze(evaluate(slope, values))
        return offsets, slopes

    @cached_property
    def _constant_rates(self) -> Rates:
        return self._rates(0.0)

    def moments(self, species: int, times: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance of a count, float64 [time] each.

        Args:
            species: its place.
            times: float64 [time], increasing, >= 0.

        Raises:
            RefereeError: the solver failed, or `check` raised.
        """
        change, start = self._change, self._given[1]
        size = len(start)

        def slope(state: FloatArray, rates: Rates) -> FloatArray:
            first, second = state[:size], state[size + 1 : -1]
            away = change @ first
            return _pushed(rates, away, away**2 + change @ second)

        begin = np.zeros(2 * size + 2)
        begin[species] = 1.0
        found = self._backwards(slope, begin, times, _ATOL)
        return (
            found[:, :size] @ start + found[:, size],
            found[:, size + 1 : -1] @ start + found[:, -1],
        )

    def cumulant(self, species: int, time: float, theta: float) -> float:
        """Return log E exp(θ (X - E X)) of a count X at a time; infinite where that is not finite.

        Args:
            species: its place.
            time: >= 0.
            theta: θ, not 0.

        Raises:
            RefereeError: the solver failed, or `check` raised.
        """
        change, start = self._change, self._given[1]
        size = len(start)

        def slope(state: FloatArray, rates: Rates) -> FloatArray:
            # B = θ (first + excess): the first order is the mean, which would cancel.
            first, excess = state[:size], state[size + 1 : -1]
            away, more = change @ first, change @ excess
            exponent = theta * (away + more)
            if exponent.max(initial=0.0) > _RUNAWAY:
                raise _RunsAway
            return _pushed(rates, away, _beyond_first(exponent) / theta + more)

        begin = np.zeros(2 * size + 2)
        begin[species] = 1.0
        try:
            found = self._backwards(slope, begin, np.array([time]), _ATOL * min(1.0, abs(theta)))
        except _RunsAway:
            return np.inf
        return float(theta * (found[0, size + 1 : -1] @ start + found[0, -1]))

    def _backwards(
        self,
        slope: Callable[[FloatArray, Rates], FloatArray],
        begin: FloatArray,
        times: FloatArray,
        atol: float,
    ) -> FloatArray:
        """Return the state at backward times that are the times, float64 [time, state]."""
        if not self.is_timed:
            rates = self._constant_rates
            return self._solved(lambda _, state: slope(state, rates), begin, times, atol, np.inf)
        rows = []
        for end in times.tolist():
            # Backwards, every end has its own course of the rates.
            def at(back: float, state: FloatArray, end: float = end) -> FloatArray:
                return slope(state, self._rates(end - back))

            step = end / _LEAST_STEPS or np.inf
            rows.append(self._solved(at, begin, np.array([end]), atol, step)[0])
        return np.array(rows)

    def _solved(
        self,
        slope: Callable[[float, FloatArray], FloatArray],
        begin: FloatArray,
        times: FloatArray,
        atol: float,
        longest: float,
    ) -> FloatArray:
        def checked(back: float, state: FloatArray) -> FloatArray:
            self.check()
            return slope(back, state)

        end = float(times[-1])
        if end == 0.0:
            return begin[None]
        found = solve_ivp(
            checked,
            (0.0, end),
            begin,
            method="LSODA",
            t_eval=times,
            rtol=_RTOL,
            atol=atol,
            max_step=longest,
        )
        if not found.success or not np.isfinite(found.y).all():
            raise RefereeError(
                f"model '{self.lowered.network.id}': the solver of the moment equations failed "
                f"({found.message}); leave this referee out"
            )
        return found.y.T


def _pushed(rates: Rates, first: FloatArray, second: FloatArray) -> FloatArray:
    """Return what reactions add to both orders, each species and then the offset."""
    offsets, slopes = rates
    return np.concatenate(
        [slopes.T @ first, [offsets @ first], slopes.T @ second, [offsets @ second]]
    )


def _beyond_first(y: FloatArray) -> FloatArray:
    """Return exp(y) - 1 - y without cancellation."""
    series = y**2 / 2.0 * (1.0 + y / 3.0 * (1.0 + y / 4.0 * (1.0 + y / 5.0 * (1.0 + y / 6.0))))
    return np.where(np.abs(y) < 1e-2, series, np.expm1(y) - y)
