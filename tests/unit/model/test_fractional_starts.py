"""Initial counts that are not whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sbml_text import assignment, model, parameter, species
from starts import DECAY

import sbmlgrad as sg
from sbmlgrad.model.network import ReactionNetwork


def starts(net: ReactionNetwork, trajectories: int, seed: int = 3) -> np.ndarray:
    return sg.simulate(net, times=[0], trajectories=trajectories, seed=seed).counts[:, 0, :]


def test_a_fraction_of_a_molecule_is_refused_unless_asked_for() -> None:
    text = model(DECAY, species=[species("X", 10.5)], parameters=[parameter("k", 0)])
    with pytest.raises(sg.UnsupportedModelError, match="non_integer_initial_count"):
        sg.simulate(sg.load(text), times=[0], seed=1)
    assert (starts(sg.load(text, initial="round"), 50) == 10).all()
    found = starts(sg.load(text, initial="randomised"), 200)
    assert set(found.ravel().tolist()) == {10, 11}


def test_products_that_are_whole_up_to_rounding_are_whole() -> None:
    for formula, expected in (("0.1*30", 3), ("0.7*10", 7), ("1.1*1.1*100", 121)):
        text = model(
            DECAY,
            species=[species("X", None)],
            parameters=[parameter("k", 0)],
            assignments=[assignment("X", formula)],
        )
        assert starts(sg.load(text), 1).ravel().tolist() == [expected]


@pytest.mark.parametrize("amount", [10.3, 0.02, 7.999])
def test_randomised_starts_have_the_right_mean(amount: float) -> None:
    text = model(
        DECAY,
        species=[species("Y", 3), species("X", amount)],
        parameters=[parameter("k", 0)],
    )
    n = 40_000
    found = starts(sg.load(text, initial="randomised"), n)
    assert (found[:, 0] == 3).all()
    x = found[:, 1].astype(float)
    assert set(x) <= {math.floor(amount), math.floor(amount) + 1}
    fraction = amount - math.floor(amount)
    error = math.sqrt(fraction * (1 - fraction) / n)
    assert abs(x.mean() - amount) < 4 * error


def test_randomised_starts_of_two_species_are_independent() -> None:
    text = model(
        DECAY,
        species=[species("X", 0.5), species("Y", 0.5)],
        parameters=[parameter("k", 0)],
    )
    n = 40_000
    found = starts(sg.load(text, initial="randomised"), n).astype(float)
    assert abs(np.corrcoef(found.T)[0, 1]) < 4 / math.sqrt(n)


def test_randomised_starts_belong_to_the_trajectory_and_not_to_the_batch() -> None:
    text = model(DECAY, species=[species("X", 0.5)], parameters=[parameter("k", 0)])
    net = sg.load(text, initial="randomised")
    whole = sg.simulate(net, times=[0], trajectories=100, seed=9).counts
    rest = sg.simulate(net, times=[0], trajectories=40, seed=9, first_trajectory=60).counts
    assert (whole[60:] == rest).all()
