"""Engines take their streams for what they are: waiting times, selections, ways to ask.

The whole campaign, over 10^8 draws and all pairs of 10^4 streams, is validation/streams.py.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from stream_quality.checks import failures
from stream_quality.engines import (
    READOUTS,
    Way,
    between_kernels,
    different,
    sampled,
    selections,
    ways,
)
from stream_quality.kernels import stream_module
from stream_quality.numbers import bits, firings, many_streams, neighbours

import sbmlgrad as sg

#: Finds waiting times 0.3 % off (half of the time; D = 0.37 of that against 1.63e-3 / sqrt(2)), and
#: a reaction of 1e-6 of the total propensity that fires four times too often or never.
DRAWS = 4_000_000

STREAMS = 1000

#: Enough that lanes are filled again, blocks split, and the last lanes run empty.
TRAJECTORIES = 150

DOUBLE = [sg.engines.Native(threads=1, kernel=kernel) for kernel in ("table", "lockstep", "tree")]
SINGLE = [
    sg.engines.Native(threads=1, kernel=kernel, dtype="float32") for kernel in ("table", "lockstep")
]


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return stream_module()


@pytest.mark.parametrize("narrow", [False, True], ids=["double", "single"])
def test_waiting_times_and_selections(module: ModuleType, narrow: bool) -> None:
    checks = firings(module, 31, DRAWS, narrow=narrow)
    assert failures({"": checks}, []) == []
    assert min(check.numbers for check in checks) > 0.99 * DRAWS


def test_every_bit_is_random(module: ModuleType) -> None:
    """Finds a bit that is set in 50.2 % of all draws."""
    assert failures({"": bits(module, 32, DRAWS)}, []) == []


def test_neighbours_are_independent(module: ModuleType) -> None:
    """Finds correlations above 0.004 between draws, trajectories, seeds and purposes."""
    assert failures({"": neighbours(module, 33, DRAWS)}, []) == []


def test_all_pairs_of_streams_are_uncorrelated(module: ModuleType) -> None:
    """Finds one pair of 5e5 with |r| above 0.21, and a mean correlation above 2e-4."""
    assert failures({"": many_streams(module, 34, STREAMS)}, []) == []


@pytest.mark.parametrize("engine", [*DOUBLE, *SINGLE], ids=lambda engine: engine.name)
def test_selections_of_whole_engines(engine: sg.engines.Native) -> None:
    """A network whose counts are the selections; finds a common propensity 0.5 % off."""
    checks, _ = selections(engine, 35, 10**6)
    assert failures({"": checks}, []) == []


def without_spells(engine: sg.engines.Native) -> list[Way]:
    """Return ways to ask, without those for which all of a kernel is compiled again."""
    return [w for w in ways(engine) if all(name != "LOCKSTEP" for _, name, _ in w.constants)]


@pytest.mark.parametrize("kind", READOUTS)
@pytest.mark.parametrize("engine", DOUBLE, ids=lambda engine: engine.name)
def test_ways_to_ask_give_the_same_bits(engine: sg.engines.Native, kind: str) -> None:
    """Threads, splits, parts of the grid, blocks, lanes; of spells see test_lockstep.py."""
    readout, part = READOUTS[kind]
    plain = sampled(Way("", engine), readout, TRAJECTORIES, 36)
    assert np.isfinite(plain).all()
    assert len(np.unique(plain[:, -1], axis=0)) > TRAJECTORIES // 3, "trajectories must differ"
    for way in without_spells(engine):
        if not way.part:
            assert different(plain, sampled(way, readout, TRAJECTORIES, 36)) == 0, way.title
        elif part is not None:
            expected = plain[:, np.isin(readout.points, part.points)]
            assert different(expected, sampled(way, part, TRAJECTORIES, 36)) == 0, way.title


@pytest.mark.parametrize("engine", SINGLE, ids=lambda engine: engine.name)
def test_ways_to_ask_give_the_same_states_in_single_precision(engine: sg.engines.Native) -> None:
    readout, _ = READOUTS["states after firings"]
    plain = sampled(Way("", engine), readout, TRAJECTORIES, 37)
    for way in without_spells(engine):
        if not way.part:
            other = sampled(way, readout, TRAJECTORIES, 37)
            np.testing.assert_array_equal(other[:, :, :-1], plain[:, :, :-1], err_msg=way.title)
            # A firing left to double precision has a clock that is not rounded.
            np.testing.assert_allclose(other[:, :, -1], plain[:, :, -1], rtol=1e-6)


def test_kernels_and_the_specification_agree() -> None:
    found = between_kernels([*DOUBLE, *SINGLE], TRAJECTORIES, 38)
    assert failures({}, found) == []
    assert sum(identity.trajectories for identity in found) > 5 * TRAJECTORIES
