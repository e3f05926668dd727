"""The solvers of the deterministic engine, one step at a time, and what they are asked for.

LSODA switches between Adams and backward differentiation formulas as the problem becomes stiff
(Petzold 1983, SIAM J. Sci. Stat. Comput. 4, 136). Where it fails, or creeps on without noticing
that the problem is stiff, backward differentiation formulas alone take over (Shampine & Reichelt
1997, SIAM J. Sci. Comput. 18, 1), then Radau IIA of order 5 (Hairer & Wanner 1996, section IV.8).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Solvers tried in turn, each with its first step as a share of the stretch (None: its own choice).
#: A small first step helps LSODA where the problem is stiff from the start; Radau's formula is the
#: slowest and stands the most.
ATTEMPTS = (("LSODA", None), ("LSODA", 1e-12), ("BDF", None), ("Radau", None))

#: The attempt that follows where LSODA creeps.
FIRST_IMPLICIT = 2

#: Steps in which LSODA must advance by its longest step, or else it is held to creep.
_CREEPING = 5_000

#: A step of so many units in the last place of the clock is tiny; so many in a row are the end.
_TINY, _MOST_TINY = 4.0, 100

#: Share of a typical quantity from which on a state is expected to matter, and the least scale.
_SMALLEST_SHARE, _SMALLEST_SCALE = 1e-6, 1e-290


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How accurate a step must be.

    Attributes:
        rtol: relative to each state.
        atol: relative to the scale of each state.
        max_step: longest step.
    """

    rtol: float
    atol: float
    max_step: float


class Scales:
    """Magnitudes of the states of one kind, which the absolute tolerance refers to.

    The magnitude of a state is its largest value so far. A state that is zero (or a trace) is
    expected to matter from a small share of what is typical of its kind on: of the median of those
    that are not zero when the first of them is seen. Where all are zero, what is typical is what
    the rates make in the longest step, at most 1.
    """

    def __init__(self, count: int, longest: float) -> None:
        self._largest = np.zeros(count)
        self._longest = longest
        self._least = 0.0

    def update(self, state: FloatArray, rates: FloatArray) -> FloatArray:
        """Return the magnitudes, float64 [state].

        Args:
            state: values now, float64 [state].
            rates: rates of change now, float64 [state].
        """
        self._largest = np.maximum(self._largest, np.abs(state))
        known = self._largest[self._largest > 0.0]
        if known.size and not self._least:
            # Weights of an error must not underflow to zero.
            self._least = max(_SMALLEST_SHARE * float(np.median(known)), _SMALLEST_SCALE)
        if self._least:
            return np.maximum(self._largest, self._least)
        made = float((np.abs(rates) * self._longest).max(initial=0.0))
        return np.full(len(state), max(min(1.0, made), _SMALLEST_SCALE) if made else 1.0)


class Stepper:
    """A solver under way from one time towards another."""

    def __init__(
        self,
        rates: Callable[[float, FloatArray], FloatArray],
        time: float,
        start: FloatArray,
        stop: float,
        scales: FloatArray,
        tolerances: Tolerances,
        attempt: int,
    ) -> None:
        import scipy.integrate

        method, share = ATTEMPTS[attempt]
        first = None if share is None else max(share * (stop - time), 4.0 * np.spacing(abs(stop)))
        self._solver: Any = getattr(scipy.integrate, method)(
            rates,
            time,
            start,
            stop,
            first_step=first,
            rtol=tolerances.rtol,
            atol=tolerances.atol * scales,
            max_step=tolerances.max_step,
        )
        self._is_implicit = method != "LSODA"
        self._longest = tolerances.max_step
        self._checked = time
        self._tiny = self._steps = 0

    @property
    def time(self) -> float:
        """Time reached."""
        return float(self._solver.t)

    @property
    def last_time(self) -> float:
        """Where the last step began."""
        return float(self._solver.t_old)

    @property
    def state(self) -> FloatArray:
        """State reached, float64 [moving]."""
        return self._solver.y

    @property
    def is_running(self) -> bool:
        """Whether the end has not been reached."""
        return self._solver.status == "running"

    def step(self) -> str:
        """Take a step; return what is wrong, or an empty text."""
        try:
            message = self._solver.step()
        except (ValueError, np.linalg.LinAlgError) as error:
            # The linear algebra of an implicit formula meets numbers beyond its range.
            return str(error)
        if self._solver.status == "failed":
            return str(message)
        self._steps += 1
        is_tiny = self.time - self.last_time <= _TINY * np.spacing(abs(self.time))
        self._tiny = self._tiny + 1 if is_tiny else 0
        if self._tiny == _MOST_TINY:
            return "its steps have become as short as the clock can tell"
        return ""

    def creeps(self) -> bool:
        """Tell whether the last steps were so short that another solver should be tried."""
        if self._is_implicit or not self._steps or self._steps % _CREEPING:
            return False
        advanced, self._checked = self.time - self._checked, self.time
        return advanced < self._longest

    def polynomial(self) -> Callable[[FloatArray], FloatArray]:
        """Return states [moving, time] at times within the last step."""
        return self._solver.dense_output()
