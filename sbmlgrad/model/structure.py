"""Structure of a lowered network: stoichiometry, dependency graph, conservation laws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.model.channels import Channel
from sbmlgrad.model.expression import symbols

#: Most dependents that are listed for one reaction alone.
LARGEST_OWN_GROUP = 200


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
    groups, rows = dependency_groups(channels)
    return tuple(tuple(sorted({j for group in row for j in groups[group]})) for row in rows)


def dependency_groups(channels: Sequence[Channel]) -> tuple[list[list[int]], list[list[int]]]:
    """Return the dependency graph in a form that stays small where many reactions share a species.

    The graph itself has n^2 entries where n reactions consume one species. So a reaction with many
    dependents has one group for every species that it changes, shared with others; a dependent
    on two of these species is in both.

    Returns:
        Groups of reactions, indices ascending; and for every reaction the groups whose propensities
        its firing can change.
    """
    users: dict[str, list[int]] = {}
    for j, channel in enumerate(channels):
        for symbol in symbols(channel.propensity):
            users.setdefault(symbol, []).append(j)
    place: dict[frozenset[str], int] = {}
    groups: list[list[int]] = []
    rows: list[list[int]] = []
    for channel in channels:
        used = frozenset(s for s in channel.change if s in users)
        is_shared = sum(len(users[s]) for s in used) > LARGEST_OWN_GROUP
        row = []
        for key in [frozenset({s}) for s in sorted(used)] if is_shared else [used] if used else []:
            if key not in place:
                place[key] = len(groups)
                groups.append(sorted({j for s in key for j in users[s]}))
            row.append(place[key])
        rows.append(row)
    return groups, rows


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
