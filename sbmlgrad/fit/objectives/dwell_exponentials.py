"""exp(A t) of a matrix without negative rates, with all its digits, and derivatives in A."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import GradientError

FloatArray = NDArray[np.float64]

#: Terms of the series beyond the number of states, so that what is left out is below rounding.
TERMS = 20

#: Fastest rate times longest time, in powers of two, up to which an exponent keeps four digits.
MOST_POWERS = 40


@dataclass(frozen=True, eq=False)
class Powers:
    """exp(A h 2ᵏ) for all k up to a longest time, each divided by a number of its own.

    Off the diagonal A is not negative, so that P = (A + q 1) h is nowhere negative. Then
    exp(A h) = exp(-q h) Σ Pᵐ/m!, and all squares of it, are sums of positive terms: nothing
    cancels, whatever the spectrum (Xue & Ye 2013, "Computing exponentials of essentially
    non-negative matrices entrywise to high relative accuracy", Math. Comp. 82, 1577).

    Attributes:
        step: h, in units of time.
        decay: q h.
        jumps: P, float64 [from, to].
        terms: Pᵐ/m!, float64 [term, from, to].
        matrices: exp(A h 2ᵏ) over its scale, with largest entry 1, float64 [power, from, to].
        log_scales: float64 [power].
        divisors: largest entries of the series, and of the squares of `matrices` before division,
            float64 [power].
    """

    step: float
    decay: float
    jumps: FloatArray
    terms: FloatArray
    matrices: FloatArray
    log_scales: FloatArray
    divisors: FloatArray

    def slope(self, of_matrices: FloatArray, of_terms: FloatArray | None = None) -> FloatArray:
        """Return the derivative of a number in A, float64 [from, to].

        Args:
            of_matrices: its derivative in `matrices`, with the scales held, [power, from, to].
            of_terms: its derivative in `terms` beside that, [term, from, to].
        """
        own = of_matrices[-1]
        for k in range(len(self.matrices) - 1, 0, -1):
            root = self.matrices[k - 1].T
            own = of_matrices[k - 1] + (root @ own + own @ root) / self.divisors[k]
        of_term = np.zeros_like(own)
        of_jumps = np.zeros_like(own)
        for m in range(len(self.terms) - 1, 0, -1):
            of_term = of_term + own / self.divisors[0]
            if of_terms is not None:
                of_term = of_term + of_terms[m]
            of_jumps += self.terms[m - 1].T @ of_term / m
            of_term = of_term @ self.jumps.T / m
        return self.step * of_jumps


def powers(rates: FloatArray, longest: float, what: str) -> Powers:
    """Return exp(A h 2ᵏ) up to a longest time, which is the last of them.

    Args:
        rates: A, nowhere negative off the diagonal, float64 [from, to].
        longest: time, positive.
        what: the matrix in words, for errors.

    Raises:
        GradientError: rates so fast beside the longest time that exponents lose their digits.
    """
    size = len(rates)
    shift = max(0.0, -float(rates.diagonal().min()))
    raised = rates + shift * np.eye(size)
    fastest = max(shift, float(raised.sum(axis=1).max())) * longest
    if not fastest <= 2.0**MOST_POWERS:
        raise GradientError(
            f"{what}: the longest time is {longest:g}, {fastest:.1e} times what the fastest step "
            f"takes; beyond {2.0**MOST_POWERS:.1e} the likelihood has no digits left; narrow "
            "the bounds of the rates"
        )
    count = max(0, int(np.ceil(np.log2(fastest)))) if fastest > 0.0 else 0
    step = longest / 2.0**count
    jumps = raised * step
    terms = [np.eye(size)]
    for m in range(1, TERMS + size + 1):
        terms.append(terms[-1] @ jumps / m)
    matrix = np.sum(terms, axis=0)
    matrices, divisors, scales = [], [], []
    scale = -shift * step
    for _ in range(count + 1):
        divisors.append(float(matrix.max()))
        matrices.append(matrix / divisors[-1])
        scales.append(scale + np.log(divisors[-1]))
        scale = 2.0 * scales[-1]
        matrix = matrices[-1] @ matrices[-1]
    return Powers(
        step,
        shift * step,
        jumps,
        np.stack(terms),
        np.stack(matrices),
        np.array(scales),
        np.array(divisors),
    )
