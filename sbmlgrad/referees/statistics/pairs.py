"""Which covariances are compared: all pairs, those that a reaction couples first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

#: Pairs of one kind whose covariances are compared at the most; those left out are listed.
MOST_PAIRS = 300

BETWEEN_SPECIES = "covariances between species"
ACROSS_TIME = "covariances between species over time"
BETWEEN_FIRINGS = "covariances between firing counts"
FIRINGS_AND_SPECIES = "covariances of firing counts and species"

_Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Places of what is compared together.

    Attributes:
        species: two species at one time, i < j.
        across_time: the first species at one time, the second at the next; never one species twice.
        firings: two channels, i < j.
        firings_and_species: a channel and a species.
        left_out: kind → how many pairs were too many, in words; empty where all are compared.
    """

    species: _Pairs = ()
    across_time: _Pairs = ()
    firings: _Pairs = ()
    firings_and_species: _Pairs = ()
    left_out: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def chosen_pairs(groups: Sequence[frozenset[int]], species: int, most: int = MOST_PAIRS) -> Pairs:
    """Return the pairs that are compared, at most so many of each kind.

    Two independent species may be made to agree by a wrong simulator as well as two that react, so
    that all pairs are compared while they are few enough.

    Args:
        groups: of each channel, the species that it changes or that its law holds.
        species: how many there are.
        most: pairs of each kind.
    """
    coupled = set(coupled_pairs(groups))
    both_ways = coupled | {(j, i) for i, j in coupled}
    all_species = range(species)
    all_channels = range(len(groups))
    kinds = {
        BETWEEN_SPECIES: _sorted(
            ((i, j) for i in all_species for j in all_species if i < j), coupled
        ),
        ACROSS_TIME: _sorted(
            ((i, j) for i in all_species for j in all_species if i != j), both_ways
        ),
        BETWEEN_FIRINGS: _sorted(
            ((a, b) for a in all_channels for b in all_channels if a < b),
            {(a, b) for a in all_channels for b in all_channels if a < b and groups[a] & groups[b]},
        ),
        FIRINGS_AND_SPECIES: _sorted(
            ((a, i) for a in all_channels for i in all_species),
            {(a, i) for a in all_channels for i in groups[a]},
        ),
    }
    left_out = {
        name: (
            f"{name}: {len(pairs) - most} of {len(pairs)} pairs, as at most {most} are compared, "
            "those that a reaction couples first"
        )
        for name, pairs in kinds.items()
        if len(pairs) > most
    }
    return Pairs(
        species=kinds[BETWEEN_SPECIES][:most],
        across_time=kinds[ACROSS_TIME][:most],
        firings=kinds[BETWEEN_FIRINGS][:most],
        firings_and_species=kinds[FIRINGS_AND_SPECIES][:most],
        left_out=MappingProxyType(left_out),
    )


def coupled_pairs(groups: Sequence[frozenset[int]]) -> list[tuple[int, int]]:
    """Return pairs of species that occur together in a group, in order.

    Args:
        groups: of each channel, the species that it changes or that its law holds.
    """
    pairs = {(i, j) for group in groups for i in group for j in group if i < j}
    return sorted(pairs)


def _sorted(pairs: Iterable[tuple[int, int]], first: set[tuple[int, int]]) -> _Pairs:
    """Return pairs in order, some of them before all others."""
    return tuple(sorted(pairs, key=lambda pair: (pair not in first, pair)))
