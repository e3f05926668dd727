"""Which kernel samples a job, and what results say about it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kernel_jobs import case, request_of
from networks import antimony

import sbmlgrad as sg
from sbmlgrad.engines import Native
from sbmlgrad.engines.kernel_choice import (
    HYBRID,
    LARGEST_LOCKSTEP,
    LARGEST_SINGLE,
    LOCKSTEP,
    TABLE,
    TREE,
    WORTH_COMPILING,
    kernel_by_size,
)
from sbmlgrad.engines.readouts import ValuesAt

TIMED = "substanceOnly species X in cell; X = 5; J0: X => ; X; at time > 1: X = 3;"


def chain(reactions: int) -> sg.ReactionNetwork:
    """Return reactions that all make the same species."""
    laws = "".join(f"J{i}: => X; 1;" for i in range(reactions))
    return antimony(f"substanceOnly species X in cell; X = 0; {laws}")


def test_size_decides() -> None:
    assert kernel_by_size(5, WORTH_COMPILING - 1) == TABLE
    assert kernel_by_size(5, WORTH_COMPILING) == LOCKSTEP
    # Code for a hundred reactions takes some six times as long to compile.
    assert kernel_by_size(LARGEST_LOCKSTEP, 6 * WORTH_COMPILING) == TABLE
    assert kernel_by_size(LARGEST_LOCKSTEP, 7 * WORTH_COMPILING) == LOCKSTEP
    assert kernel_by_size(LARGEST_LOCKSTEP + 1, 1) == TREE


def test_the_pilot_says_how_large_a_job_is() -> None:
    request = case("goes_on", ValuesAt([0.0, 3.0]), trajectories=10)
    kernel, reason = Native().choose_kernel(request)
    assert kernel == TABLE
    assert "firings expected" in reason
    assert Native().choose_kernel(replace(request, trajectories=10**8)).kernel == LOCKSTEP
    assert Native(firing_limit=1).choose_kernel(request) == (TABLE, ": small job")


def test_a_pilot_cut_short_by_its_own_limit_means_a_long_job() -> None:
    endless = request_of(chain(2), ValuesAt([1e9]))
    kernel, reason = Native().choose_kernel(endless)
    assert kernel == LOCKSTEP
    assert "at least" in reason
    # Where the user's own limit cuts the pilot short, it ends the job there too.
    hundred = replace(endless, trajectories=100)
    assert Native(firing_limit=10**5).choose_kernel(hundred) == (TABLE, ": small job")
    several = replace(endless, trajectories=190)
    assert Native(firing_limit=110_000).choose_kernel(several).kernel == LOCKSTEP


def test_a_named_kernel_is_taken_without_a_reason() -> None:
    request = case("goes_on", ValuesAt([0.0, 1.0]))
    for kernel in (TABLE, LOCKSTEP, TREE):
        assert Native(kernel=kernel).choose_kernel(request) == (kernel, "")


def test_a_network_with_a_clock_has_one_kernel_whatever_is_named() -> None:
    request = request_of(antimony(TIMED), ValuesAt([0.0, 2.0]))
    for engine in (Native(), Native(kernel="tree")):
        choice = engine.choose_kernel(request)
        assert choice.kernel == HYBRID
        # What a dry run says is what the run records.
        assert engine.recorded(choice) == engine.sample(request).engine
    with pytest.raises(sg.RequestError, match="double precision"):
        Native(dtype="float32").choose_kernel(request)


def test_single_precision_where_it_does_not_hold_the_job() -> None:
    single = Native(dtype="float32")
    request = case("goes_on", ValuesAt([0.0, 1.0]))
    assert single.choose_kernel(replace(request, start=request.start + 2.0**24)).kernel == TABLE
    assert (
        "counts above" in single.choose_kernel(replace(request, start=request.start + 1e9)).reason
    )
    many = request_of(chain(LARGEST_SINGLE + 1), ValuesAt([0.0, 1.0]))
    with pytest.raises(sg.RequestError, match=f"{LARGEST_SINGLE + 1}; use double precision"):
        single.choose_kernel(many)
