"""Structure of a lowered network: stoichiometry, dependency graph, conservation laws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.model.channels import Channel
from sbmlgrad.model.expression import symbols


def stoichiometry_matrix(
    channels: Sequence[Channel], species_ids: Sequence[str]
) -> NDArray[np.int64]:
    """Return the net change of one firing, int64 [species, reaction]."""
    matrix = np.zeros((len(species_ids), len(channels)), dtype=np.int64)
    place = {s: i for i, s in enumerate(species_ids)}
    for j, channel in enumerate(channels):
        for species, change in channel.change.items():
            matrix[place[species], j] = change
    return matrix


def dependency_graph(channels: Sequence[Channel]) -> tuple[tuple[int, ...], ...]:
    """Return, for every reaction, the reactions whose propensity its firing can change.

    Gibson & Bruck 2000, section 3; indices ascend.
    """
    users: dict[str, list[int]] = {}
    for j, channel in enumerate(channels):
        for symbol in symbols(channel.propensity):
            users.setdefault(symbol, []).append(j)
    return tuple(
        tuple(sorted({j for species in channel.change for j in users.get(species, ())}))
        for channel in channels
    )


def conservation_laws(stoichiometry: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a basis of the conserved totals, int64 [law, species], in lowest whole numbers.

    Fraction-free Gaussian elimination on [stoichiometry | identity]: rows whose left half becomes
    zero are the laws (Schuster & Höfer 1991). Exact: Python integers throughout.
    """
    species, reactions = stoichiometry.shape
    rows = [
        [int(v) for v in stoichiometry[i]] + [int(i == j) for j in range(species)]
        for i in range(species)
    ]
    done = 0
    for column in range(reactions):
        pivot = next((i for i in range(done, species) if rows[i][column] != 0), None)
        if pivot is None:
            continue
        rows[done], rows[pivot] = rows[pivot], rows[done]
        head = rows[done]
        for i in range(done + 1, species):
            if rows[i][column] != 0:
                a, b = head[column], rows[i][column]
                rows[i] = _lowest([a * x - b * y for x, y in zip(rows[i], head, strict=True)])
        done += 1
    laws = [_lowest(row[reactions:]) for row in rows[done:]]
    return np.array(laws, dtype=np.int64).reshape(len(laws), species)


def _lowest(row: list[int]) -> list[int]:
    divisor = int(np.gcd.reduce(np.array(row, dtype=object))) if any(row) else 1
    first = next((v for v in row if v != 0), 1)
    sign = -1 if first < 0 else 1
    return [sign * v // divisor for v in row] if divisor else row
