"""Blocks of trajectories: progress, interruption, and nothing left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from kernel_jobs import case, request_of
from networks import antimony

import sbmlgrad as sg
from sbmlgrad.engines import Native
from sbmlgrad.engines.blocks import Signals, run_blocks
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, ValuesAt, WindowAverages


def threads() -> set[int | None]:
    return {thread.ident for thread in threading.enumerate()}


def assert_fractions(reports: list[tuple[float, int]], total: int) -> None:
    assert {of for _, of in reports} == {total}
    done = [count for count, _ in reports]
    assert done == sorted(done)
    assert min(done) >= 0
    assert done[-1] == total


@pytest.mark.parametrize("kernel", ["table", "lockstep"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("count", [1, 3, 300])
def test_progress_ends_with_all_trajectories(kernel: str, dtype: str, count: int) -> None:
    for readout in (
        ValuesAt(np.linspace(0, 2, 50)),
        WindowAverages([0.5, 1, 2]),
        Interpolated([0.1, 2]),
        AfterFirings([1, 5]),
    ):
        reports: list[tuple[float, int]] = []
        request = case("absorbed", readout, count)
        object.__setattr__(request, "progress", lambda *r, found=reports: found.append(r))
        Native(kernel=kernel, dtype=dtype, threads=2).sample(request)
        assert_fractions(reports, count)


def test_trajectories_under_way_count_by_their_points() -> None:
    reports: list[tuple[float, int]] = []
    seen = threading.Event()

    def report(done: float, total: int) -> None:
        reports.append((done, total))
        seen.set()

    def work(block: int, low: int, high: int, signals: Signals) -> None:
        assert (low, high) == (0, 10)
        signals.done[0] = 5 * 4 + 3
        seen.wait(timeout=60)

    run_blocks(work, 10, 1, report, block=16, points=4)
    # 23 of 40 points are five trajectories and three quarters.
    assert reports[0] == (5.75, 10)
    assert_fractions(reports, 10)


def test_one_long_trajectory_is_one_trajectory() -> None:
    reports: list[tuple[float, int]] = []
    work_may_end = threading.Event()

    def report(done: float, total: int) -> None:
        reports.append((done, total))
        work_may_end.set()

    def work(block: int, low: int, high: int, signals: Signals) -> None:
        signals.done[0] = 999
        work_may_end.wait(timeout=60)

    run_blocks(work, 1, 1, report, points=1000)
    assert reports[0] == (0.999, 1)
    assert_fractions(reports, 1)


@pytest.mark.parametrize("trajectories", [0, 1, 128, 129, 1000])
def test_blocks_cover_every_trajectory_once(trajectories: int) -> None:
    counts = np.zeros(trajectories, dtype=int)
    numbers: list[int] = []

    def work(block: int, low: int, high: int, signals: Signals) -> None:
        counts[low:high] += 1
        numbers.append(block)

    run_blocks(work, trajectories, 3, None)
    assert (counts == 1).all()
    assert sorted(numbers) == list(range(-(-trajectories // 128)))


def test_an_error_in_one_block_stops_the_others_and_leaves_no_thread() -> None:
    before = threads()
    stopped: list[int] = []

    def work(block: int, low: int, high: int, signals: Signals) -> None:
        if block == 0:
            raise ArithmeticError("block 0")
        while signals.cancel[0] == 0:
            time.sleep(0.001)
        stopped.append(block)

    with pytest.raises(ArithmeticError, match="block 0"):
        run_blocks(work, 1000, 3, None, block=10)
    assert threads() == before
    # Those that had begun were told; the rest never began.
    assert len(stopped) < 99


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kernel", ["table", "lockstep"])
def test_an_interrupt_stops_the_kernel_and_leaves_no_thread(kernel: str, dtype: str) -> None:
    before = threads()

    def interrupt(done: float, total: int) -> None:
        raise KeyboardInterrupt

    # Weeks of work, were it not stopped.
    request = case("goes_on", ValuesAt([1e12]), 500)
    object.__setattr__(request, "progress", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Native(kernel=kernel, dtype=dtype, threads=2, firing_limit=2**62).sample(request)
    assert threads() == before


def test_a_lane_that_was_handed_over_stops_too() -> None:
    # No lane decides these firings: their total is below what single precision is used for.
    net = antimony(
        "substanceOnly species X in cell; X = 0; k = 1e-32; J0: => X; k; J1: X => ; k*X;"
    )

    def interrupt(done: float, total: int) -> None:
        raise KeyboardInterrupt

    request = request_of(net, ValuesAt([1e60]), 70)
    object.__setattr__(request, "progress", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Native(kernel="lockstep", dtype="float32", threads=1, firing_limit=2**62).sample(request)


CHILD = """
import signal, threading
# What is started in the background inherits that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
import sbmlgrad as sg
from sbmlgrad.engines import Native

model = sg.load('''unit substance = item; unit extent = item; compartment cell = 1;
substanceOnly species X in cell; X = 0; alpha = 2; mu = 0.4; J0: => X; alpha; J1: X => ; mu*X;''')
engine = Native(kernel="lockstep", threads=2, dtype="{dtype}", firing_limit=2**62)
sg.simulate(model, times=[1], trajectories=200, engine=engine)
print("ready", flush=True)
try:
    sg.simulate(model, times=[1e12], trajectories=200, engine=engine)
except KeyboardInterrupt:
    print("interrupted", threading.active_count(), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent another way there")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ctrl_c_stops_a_long_run(dtype: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD.format(dtype=dtype)],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.5)
        assert child.poll() is None
        child.send_signal(signal.SIGINT)
        # A run to its end would take years; the bound only tells these two apart.
        out, err = child.communicate(timeout=30)
    finally:
        child.kill()
    assert (out, err, child.returncode) == ("interrupted 1\n", "", 0)


def test_results_after_an_interrupt_are_those_of_a_run_that_was_not() -> None:
    request = case("goes_on", ValuesAt([2.0]), 300)
    engine = Native(kernel="lockstep", threads=2)
    expected = engine.sample(request).values
    calls: list[float] = []

    def interrupt(done: float, total: int) -> None:
        calls.append(done)
        raise sg.SbmlGradError("stopped by the caller")

    object.__setattr__(request, "progress", interrupt)
    with pytest.raises(sg.SbmlGradError, match="stopped by the caller"):
        engine.sample(request)
    assert calls
    object.__setattr__(request, "progress", None)
    np.testing.assert_array_equal(engine.sample(request).values, expected)
