"""The most likely rates of `osmotic_shock` without sbmlgrad: a truncated generator, expm, SciPy.

States are (state of the gene, mRNA up to a limit). The generator is written down from the scheme,
exp(Q t) is applied by SciPy (Al-Mohy & Higham 2011, SIAM J. Sci. Comput. 33, 488), and the
likelihood is maximised by L-BFGS-B with differences as its gradient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse.linalg import expm_multiply

FloatArray = NDArray[np.float64]

STEPS = 8
#: States of the gene: before, the steps of the signal, off, on, late and off, late and on.
BEFORE, OFF, ON, LATE_OFF, LATE_ON = 0, STEPS + 1, STEPS + 2, STEPS + 3, STEPS + 4
GENE = STEPS + 5
#: Relative step of differences.
STEP = 1e-6


@dataclass(frozen=True, eq=False)
class Cells:
    """Counts of mRNA at several times.

    Attributes:
        times: of the model, float64 [time], increasing and positive.
        numbers: cells with each count, float64 [time, count].
        background: share of cells with uniform counts up to the largest.
        limit: mRNA counted in the states, above the largest count.
    """

    times: FloatArray
    numbers: FloatArray
    background: float
    limit: int


def generator(rates: Mapping[str, float], limit: int) -> sparse.csr_array:
    """Return Q of dp/dt = Q p; what would lead beyond the limit is lost."""
    gene = np.zeros((GENE, GENE))  # [from, to]
    gene[BEFORE, 1] = rates["k_begin"]
    for step in range(1, STEPS + 1):
        gene[step, step + 1] = rates["k_wait"]
    gene[OFF, ON] = rates["k_on"]
    gene[LATE_OFF, LATE_ON] = rates["k_on_late"]
    gene[ON, OFF] = gene[LATE_ON, LATE_OFF] = rates["k_off"]
    gene[OFF, LATE_OFF] = gene[ON, LATE_ON] = rates["k_adapt"]
    made = np.zeros(GENE)
    made[BEFORE] = rates["k_leak"]
    made[ON] = made[LATE_ON] = rates["k_transcription"]
    counts = np.arange(limit + 1.0)
    switching = (gene - np.diag(gene.sum(axis=1))).T
    rising = sparse.eye_array(limit + 1, k=-1) - sparse.eye_array(limit + 1)
    falling = sparse.diags_array(counts[1:], offsets=1) - sparse.diags_array(counts)
    return sparse.csr_array(
        sparse.kron(switching, sparse.eye_array(limit + 1))
        + sparse.kron(np.diag(made), rising)
        + rates["k_decay"] * sparse.kron(np.eye(GENE), falling)
    )


def distributions(several: Sequence[Mapping[str, float]], cells: Cells) -> FloatArray:
    """Return the probabilities of counts, float64 [rates, time, count], for several sets of rates.

    All are marched together, as blocks of one matrix.
    """
    whole = sparse.csr_array(
        sparse.block_diag([generator(rates, cells.limit) for rates in several])
    )
    probability = np.zeros((len(several), GENE, cells.limit + 1))
    probability[:, BEFORE, 0] = 1.0
    found, now = [], 0.0
    for time in cells.times.tolist():
        step = time - now
        flat = expm_multiply(whole * step, probability.ravel())
        probability = np.asarray(flat).reshape(probability.shape)
        found.append(probability.sum(axis=1))
        now = time
    return np.stack(found, axis=1)


def log_likelihoods(several: Sequence[Mapping[str, float]], cells: Cells) -> FloatArray:
    """Return the log-likelihood of all cells under several sets of rates, float64 [rates]."""
    seen = cells.numbers.shape[1]
    chances = (1.0 - cells.background) * distributions(several, cells)[:, :, :seen]
    chances += cells.background / seen
    return (cells.numbers * np.log(chances)).sum(axis=(1, 2))


def optimum(
    start: Mapping[str, float], fixed: Mapping[str, float], cells: Cells
) -> tuple[dict[str, float], float]:
    """Return the most likely rates from one start, and their log-likelihood.

    Args:
        start: rates that may change.
        fixed: rates that may not.
        cells: what was seen.
    """
    names = list(start)

    def negative(z: FloatArray) -> tuple[float, FloatArray]:
        moved = np.vstack([z, z + STEP * np.eye(len(z))])
        several = [{**fixed, **dict(zip(names, np.exp(row), strict=True))} for row in moved]
        values = -log_likelihoods(several, cells)
        return float(values[0]), (values[1:] - values[0]) / STEP

    z = np.log(list(start.values()))
    bounds = [(value - 3.5, value + 3.5) for value in z]
    options = {"ftol": 1e-11, "maxiter": 200}
    found = minimize(negative, z, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return dict(zip(names, np.exp(found.x).tolist(), strict=True)), -float(found.fun)


def robust_errors(
    rates: Mapping[str, float], names: Sequence[str], cells: Cells, covariance: FloatArray
) -> FloatArray:
    """Return standard errors of log-rates that hold for a model that is wrong, too.

    The inverse information is multiplied from both sides with the scatter of the scores of single
    cells (White 1982, "Maximum likelihood estimation of misspecified models", Econometrica 50, 1).

    Args:
        rates: most likely ones.
        names: of those that were fitted.
        cells: what was seen.
        covariance: inverse information of the logarithms, float64 [name, name].

    Returns:
        float64 [name].
    """
    step = 1e-4
    moved = [
        {**rates, name: rates[name] * np.exp(sign * step)} for name in names for sign in (1, -1)
    ]
    seen = cells.numbers.shape[1]
    chances = (1.0 - cells.background) * distributions(moved, cells)[:, :, :seen]
    logarithms = np.log(chances + cells.background / seen)
    scores = (logarithms[0::2] - logarithms[1::2]) / (2.0 * step)
    scatter = np.einsum("itc,jtc,tc->ij", scores, scores, cells.numbers)
    return np.sqrt(np.diag(covariance @ scatter @ covariance))
