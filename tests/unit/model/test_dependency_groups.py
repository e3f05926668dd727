"""The dependency graph in groups: complete, small where many reactions share a species."""

from __future__ import annotations

import numpy as np
import pytest
from networks import MODELS
from sbml_text import model, parameter, reaction, species

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.codegen.tables import tables
from sbmlgrad.model import structure
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.structure import dependency_graph, dependency_groups


def hub(reactions: int) -> str:
    """Return a network in which all reactions consume H, each with a species of its own."""
    return model(
        *(reaction(f"J{i}", f"k*H*A{i}", f"H A{i}", f"A{i + 1}") for i in range(reactions)),
        species=[species("H", 50.0), *(species(f"A{i}", 5.0) for i in range(reactions + 1))],
        parameters=[parameter("k", 0.01)],
    )


def test_groups_grow_in_proportion_to_the_reactions() -> None:
    sizes = []
    for reactions in (300, 600):
        lowered = lower(sg.load(hub(reactions)))
        groups, rows = dependency_groups(lowered.channels)
        sizes.append(sum(map(len, groups)) + sum(map(len, rows)))
        # Every firing changes H, on which all propensities depend.
        assert dependency_graph(lowered.channels) == (tuple(range(reactions)),) * reactions
        assert len(tables(lowered, derivatives=False).members) == sum(map(len, groups))
    assert sizes[1] < 2.1 * sizes[0] < 8_000


@pytest.mark.parametrize("limit", [0, 3, 10**9])
@pytest.mark.parametrize("name", ["oscillator", "dimerization", "sir"])
def test_any_limit_gives_the_same_graph_and_the_same_trajectories(
    name: str, limit: int, monkeypatch
) -> None:
    engine = sg.engines.Native(1, kernel="table")

    def counts() -> np.ndarray:
        network = sg.load(MODELS / f"{name}.xml")
        return sg.simulate(network, times=[0.5], trajectories=3, seed=5, engine=engine).counts

    expected = counts()
    monkeypatch.setattr(structure, "LARGEST_OWN_GROUP", limit)
    assert (counts() == expected).all()
    channels = lower(sg.load(MODELS / f"{name}.xml")).channels
    brute_force = [
        {j for j, other in enumerate(channels) if symbols(other.propensity) & channel.change.keys()}
        for channel in channels
    ]
    assert [set(row) for row in dependency_graph(channels)] == brute_force
