"""Linear algebra of the solver with derivatives, within numba's subset of Python.

Systems are small and many, so that loops beat calls of a library.
"""

from __future__ import annotations

import numpy as np


def factorise(matrix, order):
    """Replace a matrix by its triangular factors, rows exchanged; tell whether it has some."""
    size = matrix.shape[0]
    for k in range(size):
        best = k
        for i in range(k + 1, size):
            if abs(matrix[i, k]) > abs(matrix[best, k]):
                best = i
        order[k] = best
        pivot = matrix[best, k]
        if not abs(pivot) > 0.0 or not np.isfinite(pivot):
            return False
        if best != k:
            for j in range(size):
                kept = matrix[k, j]
                matrix[k, j] = matrix[best, j]
                matrix[best, j] = kept
        for i in range(k + 1, size):
            if matrix[i, k] != 0.0:
                factor = matrix[i, k] / pivot
                matrix[i, k] = factor
                for j in range(k + 1, size):
                    matrix[i, j] -= factor * matrix[k, j]
    return True


def back_substitute(factors, order, right):
    """Replace right-hand sides [row, column] by solutions, given what `factorise` made."""
    size, columns = right.shape
    for k in range(size):
        best = order[k]
        if best != k:
            for j in range(columns):
                kept = right[k, j]
                right[k, j] = right[best, j]
                right[best, j] = kept
    for i in range(size):
        for k in range(i):
            factor = factors[i, k]
            if factor != 0.0:
                for j in range(columns):
                    right[i, j] -= factor * right[k, j]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            factor = factors[i, k]
            if factor != 0.0:
                for j in range(columns):
                    right[i, j] -= factor * right[k, j]
        for j in range(columns):
            right[i, j] /= factors[i, i]


def stage_system(matrix, weights, step, jacobians):
    """Fill a matrix with the identity minus step times weights times the stages' slopes."""
    stages, count = jacobians.shape[0], jacobians.shape[1]
    for i in range(stages):
        for j in range(stages):
            weight = step * weights[i, j]
            for r in range(count):
                for c in range(count):
                    matrix[i * count + r, j * count + c] = -weight * jacobians[j, r, c]
    for k in range(stages * count):
        matrix[k, k] += 1.0
