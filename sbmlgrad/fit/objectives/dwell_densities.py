"""Log-densities of dwells in a class of states, with derivatives in the rates of the scheme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import GradientError
from sbmlgrad.fit.objectives.dwell_exponentials import Powers, powers

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ClassRates:
    """How dwells in a class F begin, go on and end, when those below the dead time τ are missed.

    With A all other states, K = ∫₀^τ exp(Q_AA s) ds and equilibrium π, dwells seen in F begin as
    φ ∝ π_A Q_AF exp(Q_FF τ), and after τ go on at rates S = Q_FF + Q_FA K Q_AF and end at rates
    r = Q_FA exp(Q_AA τ) 1 = -S 1. Here K is (1 - exp(Q_AA τ)) (-Q_AA)⁻¹, by which an excursion to
    A that is too short to be seen comes back, as if it lasted no time.

    Source: the description of missed events of Hawkes, Jalali & Colquhoun 1990, "The
    distributions of the apparent open times and shut times in a single channel record when brief
    events cannot be detected", Phil. Trans. R. Soc. Lond. A 332, 511, and Colquhoun, Hawkes &
    Srodzinski 1996, "Joint distributions of apparent open and shut times of single-ion channels
    and maximum likelihood fitting of mechanisms", Phil. Trans. R. Soc. Lond. A 354, 2555, which
    also count the time that excursions take; here that is left out.

    Attributes:
        here: places of the states of F, int [state].
        there: of all others, int [other].
        rates: Q, float64 [from, to].
        share: π of all states, float64 [state].
        dead_time: τ.
        entry: π_A Q_AF, float64 [state].
        surviving: exp(Q_FF τ) times a number, or None without a dead time.
        missed: exp of [[Q_AA, 1/τ], [0, 0]] τ, or None without a dead time.
        start: φ before it is made to sum to 1, float64 [state].
        within: S, float64 [from, to].
        leave: r, float64 [state].
    """

    here: IntArray
    there: IntArray
    rates: FloatArray
    share: FloatArray
    dead_time: float
    entry: FloatArray
    surviving: Powers | None
    missed: Powers | None
    start: FloatArray
    within: FloatArray
    leave: FloatArray

    def add_slopes(
        self,
        of_start: FloatArray,
        of_within: FloatArray,
        of_leave: FloatArray,
        of_rates: FloatArray,
        of_share: FloatArray,
    ) -> None:
        """Add the derivative of a number in Q and π to `of_rates` and `of_share`.

        Args:
            of_start: its derivative in `start`, float64 [state].
            of_within: in `within`, float64 [from, to].
            of_leave: in `leave`, float64 [state].
            of_rates: what is added to, float64 [from, to].
            of_share: likewise, float64 [state].
        """
        here, there = self.here, self.there
        of_entry = of_start
        of_rates[np.ix_(here, here)] += of_within
        ending = np.ones(len(there))
        if self.surviving is not None and self.missed is not None:
            of_entry = self.surviving.matrices[-1] @ of_start
            own = _last(self.surviving, np.outer(self.entry, of_start))
            of_rates[np.ix_(here, here)] += self.surviving.slope(own)
            out, back = self.rates[np.ix_(here, there)], self.rates[np.ix_(there, here)]
            ending, coming_back = _missed_parts(self.missed, self.dead_time)
            of_rates[np.ix_(here, there)] += of_within @ (coming_back @ back).T
            of_rates[np.ix_(there, here)] += (out @ coming_back).T @ of_within
            size = len(there)
            of_missed = np.zeros((2 * size, 2 * size))
            of_missed[:size, :size] = np.outer(out.T @ of_leave, np.ones(size))
            of_missed[:size, size:] = self.dead_time * out.T @ of_within @ back.T
            own = _last(self.missed, of_missed * np.exp(self.missed.log_scales[-1]))
            of_rates[np.ix_(there, there)] += self.missed.slope(own)[:size, :size]
        of_rates[np.ix_(here, there)] += np.outer(of_leave, ending)
        of_rates[np.ix_(there, here)] += np.outer(self.share[there], of_entry)
        of_share[there] += self.rates[np.ix_(there, here)] @ of_entry


def class_rates(
    rates: FloatArray, share: FloatArray, here: IntArray, dead_time: float, what: str
) -> ClassRates:
    """Return how dwells in a class of states begin, go on and end.

    Args:
        rates: Q, float64 [from, to].
        share: equilibrium, float64 [state].
        here: places of the states of the class.
        dead_time: in the unit of the dwells.
        what: the class in words, for errors.

    Raises:
        GradientError: no dwell begins there, or rates that are too fast for the dead time.
    """
    there = np.setdiff1d(np.arange(len(rates)), here)
    own, out = rates[np.ix_(here, here)], rates[np.ix_(here, there)]
    back, other = rates[np.ix_(there, here)], rates[np.ix_(there, there)]
    entry = share[there] @ back
    if dead_time == 0.0:
        surviving = missed = None
        start, within, leave = entry, own, out.sum(axis=1)
    else:
        size = len(there)
        block = np.zeros((2 * size, 2 * size))
        block[:size, :size] = other
        block[:size, size:] = np.eye(size) / dead_time
        surviving = powers(own, dead_time, what)
        missed = powers(block, dead_time, what)
        ending, coming_back = _missed_parts(missed, dead_time)
        start = entry @ surviving.matrices[-1]
        within, leave = own + out @ coming_back @ back, out @ ending
    if not (np.isfinite(start).all() and start.sum() > 0.0):
        raise GradientError(
            f"{what}: at equilibrium no such dwell begins (rate {start.sum():g}), so that its "
            "length has no density; some rate is 0 or all but that: keep its bounds above 0"
        )
    return ClassRates(
        here, there, rates, share, dead_time, entry, surviving, missed, start, within, leave
    )


def log_density(
    rates: ClassRates, beyond: FloatArray, what: str
) -> tuple[float, tuple[FloatArray, FloatArray, FloatArray]]:
    """Return Σ log(φ exp(S t) r) over dwells, and its derivatives in `start`, S and r.

    Times are multiples of a step h plus a rest. The rest takes a series in t, and each binary digit
    of the multiple a product with exp(S h 2ᵏ). Rows are divided by their sums on the way, so that
    long dwells in states that are left fast do not underflow; the derivatives go the same way back.

    Args:
        rates: of the class.
        beyond: durations beyond the dead time, float64 [dwell].
        what: the class in words, for errors.

    Raises:
        GradientError: a density that is not positive.
    """
    total = rates.start.sum()
    start = rates.start / total
    longest = float(beyond.max())
    table = powers(rates.within, longest if longest > 0.0 else 1.0, what)
    parts = beyond / table.step
    whole = np.floor(parts)
    rest, digits = parts - whole, whole.astype(np.int64)
    series = np.vander(rest, len(table.terms), increasing=True)
    rows = series @ (start @ table.terms)
    first = rows.sum(axis=1, keepdims=True)
    rows /= first
    log_sum = float(np.log(first).sum()) - table.decay * float(rest.sum())
    passed = []
    for k, matrix in enumerate(table.matrices):
        found = np.flatnonzero((digits >> k) & 1)
        before = rows[found]
        after = before @ matrix
        sums = after.sum(axis=1, keepdims=True)
        _refuse_nothing(sums[:, 0], beyond[found], what)
        rows[found] = after / sums
        log_sum += float(np.log(sums).sum()) + float(table.log_scales[k]) * len(found)
        passed.append((found, before, sums))
    ends = rows @ rates.leave
    _refuse_nothing(ends, beyond, what)
    log_sum += float(np.log(ends).sum())

    of_leave = (1.0 / ends) @ rows
    behind = rates.leave / ends[:, None]
    of_matrices = np.empty_like(table.matrices)
    for k in range(len(passed) - 1, -1, -1):
        found, before, sums = passed[k]
        own = behind[found] / sums
        of_matrices[k] = before.T @ own
        behind[found] = own @ table.matrices[k].T
    of_series = series.T @ (behind / first)
    of_within = table.slope(of_matrices, start[:, None] * of_series[:, None, :])
    of_start = np.einsum("mij,mj->i", table.terms, of_series)
    return log_sum, ((of_start - of_start @ start) / total, of_within, of_leave)


def _missed_parts(missed: Powers, dead_time: float) -> tuple[FloatArray, FloatArray]:
    """Return exp(Q_AA τ) 1 and K."""
    size = len(missed.jumps) // 2
    whole = missed.matrices[-1][:size] * np.exp(missed.log_scales[-1])
    return whole[:, :size].sum(axis=1), dead_time * whole[:, size:]


def _last(table: Powers, slope: FloatArray) -> FloatArray:
    """Return a derivative in the last of the matrices as one in all of them."""
    own = np.zeros_like(table.matrices)
    own[-1] = slope
    return own


def _refuse_nothing(density: FloatArray, beyond: FloatArray, what: str) -> None:
    bad = np.flatnonzero(~(np.isfinite(density) & (density > 0.0)))
    if bad.size:
        raise GradientError(
            f"{what}: one that lasts {beyond[bad[0]]:g} beyond the dead time has the density "
            f"{density[bad[0]]:g} at these values, which has no logarithm; some rate is 0 or all "
            "but that: narrow the bounds of the rates, or start elsewhere"
        )
