"""The numbers of a Radau IIA collocation method, for any count of stages."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Stages of the solver with derivatives; its order is twice that minus one.
STAGES = 5


class Tableau(NamedTuple):
    """Radau IIA collocation (Hairer & Wanner 1996, section IV.5; 1999, on errors and orders).

    Attributes:
        nodes: within a step of length 1, the last is 1, float64 [stage].
        weights: integrals from 0 to a node of the polynomials that are 1 at one node and 0 at the
            others, float64 [node, polynomial].
        error_weights: the error of a step is the sum of these times the moves of the stages, plus
            `error_first` times step times the rate at the start, float64 [stage].
        error_first: the real eigenvalue of the weights.
    """

    nodes: FloatArray
    weights: FloatArray
    error_weights: FloatArray
    error_first: float


@lru_cache(maxsize=4)
def radau(stages: int = STAGES) -> Tableau:
    """Return the numbers of the method; `stages` is odd.

    The nodes are those of Gauss-Radau quadrature. The error is the difference from a quadrature of
    lower order that also uses the start.
    """
    from scipy.special import roots_jacobi

    inner = roots_jacobi(stages - 1, 1.0, 0.0)[0]
    nodes = np.append(0.5 * (inner + 1.0), 1.0)
    powers = np.arange(1, stages + 1)
    # Exact for 1, x, ..., x^(stages - 1).
    at_nodes = nodes[:, None] ** (powers - 1)
    integrals = nodes[:, None] ** powers / powers
    weights = np.array(np.linalg.solve(at_nodes.T, integrals.T).T, dtype=np.float64, order="C")
    eigenvalues = np.linalg.eigvals(weights)
    first = float(eigenvalues[np.argmin(np.abs(eigenvalues.imag))].real)
    moments = 1.0 / powers
    moments[0] -= first
    lower = np.linalg.solve(at_nodes.T, moments)
    # In terms of moves, which are step times weights times rates.
    error = np.array(np.linalg.solve(weights.T, lower - weights[-1]), dtype=np.float64)
    return Tableau(nodes, weights, error, first)
