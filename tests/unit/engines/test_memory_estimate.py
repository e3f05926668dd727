"""Estimates are those of the arrays that engines make; refusals say what to change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import antimony, network

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Request, Sample
from sbmlgrad.engines.memory_estimate import (
    VARIABLE,
    available_bytes,
    check_bytes,
    check_job,
    check_memory,
    in_words,
    job_bytes,
    limit_given,
    result_bytes,
)
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, ValuesAt, WindowAverages
from sbmlgrad.engines.reference import Reference
from sbmlgrad.engines.start import start_states

GIB = 2**30
EVENT = """
    substanceOnly species X in cell; X = 4; k = 1; z = 1;
    J0: X => ; k*X;
    at time > 0.5: z = 2;
"""


@pytest.fixture(autouse=True)
def _no_limit(monkeypatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def request_for(model: sg.ReactionNetwork, readout, trajectories: int) -> Request:
    lowered = lower(model)
    numbers = np.arange(trajectories, dtype=np.uint64)
    values, start = start_states(lowered, {}, {}, 1, numbers)
    inputs = np.array([values[i] for i in lowered.input_ids])
    return Request(lowered, inputs, start, readout, trajectories, 1)


def arrays_of(sample: Sample) -> int:
    arrays = (
        sample.values,
        sample.outcomes,
        sample.firings,
        sample.failed_reaction,
        sample.end_times,
        sample.end_states,
    )
    return sum(a.nbytes for a in arrays) + (0 if sample.found is None else sample.found.nbytes)


@pytest.mark.parametrize(
    "readout",
    [
        ValuesAt([0, 1, 2]),
        WindowAverages([0, 1, 2]),
        Interpolated([1.0]),
        AfterFirings([1, 2, 3, 4]),
    ],
    ids=lambda readout: type(readout).__name__,
)
def test_estimate_is_the_size_of_the_arrays(readout) -> None:
    request = request_for(network("small_dimer"), readout, 7)
    assert result_bytes(request) == arrays_of(Reference().sample(request)) + request.start.nbytes


def test_estimate_with_events() -> None:
    request = request_for(antimony(EVENT), ValuesAt([0, 1]), 3)
    sample = Reference().sample(request)
    assert sample.found is not None
    assert result_bytes(request) == arrays_of(sample) + request.start.nbytes


def test_all_readouts_are_kept_and_share_their_start() -> None:
    model = network("small_dimer")
    readouts = [ValuesAt([0, 1]), WindowAverages([0, 2])]
    first = request_for(model, readouts[0], 50)
    second = Request(first.lowered, first.inputs, first.start, readouts[1], 50, 1)
    alone = [result_bytes(r) - first.start.nbytes for r in (first, second)]
    together = sum(alone) + first.start.nbytes
    assert job_bytes(first.lowered, readouts, 50) == together
    check_memory([first, second], available=together)
    check_job(first.lowered, readouts, 50, available=together)
    with pytest.raises(sg.RequestError, match="the results of 50 trajectories"):
        check_memory([first, second], available=together - 1)
    with pytest.raises(sg.RequestError, match="the results of 50 trajectories"):
        check_job(first.lowered, readouts, 50, available=together - 1)


def test_starts_that_are_drawn_count() -> None:
    head = "unit substance = item; unit extent = item; compartment cell = 1;\n"
    text = "substanceOnly species X in cell; X = 2.5; k = 1; J0: X => ; k*X;"
    drawn, same = (sg.load(head + text, initial=how) for how in ("randomised", "round"))
    readouts = [ValuesAt([1.0])]
    more = job_bytes(lower(drawn), readouts, 1000) - job_bytes(lower(same), readouts, 1000)
    request = request_for(drawn, readouts[0], 1000)
    assert request.start.shape == (1000, 1)
    assert more >= request.start.nbytes - 8
    assert job_bytes(lower(drawn), readouts, 1000) >= result_bytes(request)


def test_refusal_says_how_much_and_what_to_change() -> None:
    request = request_for(network("small_dimer"), ValuesAt(np.linspace(0, 1, 1001)), 10)
    huge = Request(request.lowered, request.inputs, request.start, request.readout, 10**7, 1)
    with pytest.raises(sg.RequestError) as caught:
        check_memory(huge, available=8 * GIB)
    message = str(caught.value)
    assert "about 224.2 GiB of memory are needed, and 8 GiB are available" in message
    for word in ("first_trajectory", "fewer times", "summarise", VARIABLE):
        assert word in message
    check_memory(request, available=8 * GIB)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12345", 12345),
        ("8GiB", 8 * GIB),
        (" 8 gib ", 8 * GIB),
        ("500MB", 500 * 10**6),
        ("1.5KiB", 1536),
        ("2TB", 2 * 10**12),
        ("7B", 7),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_limit_of_the_environment(monkeypatch, text: str, expected: int) -> None:
    monkeypatch.setenv(VARIABLE, text)
    assert limit_given() == expected
    assert available_bytes() == expected
    check_bytes(expected, "this", "Do less.")
    with pytest.raises(sg.RequestError, match=r"this: about .*Do less\."):
        check_bytes(expected + 1, "this", "Do less.")


@pytest.mark.parametrize(
    "text", ["lots", "-1", "0", "0.1B", "8 G i B", "1e9", "8GiBs", "nan", "8,5GiB"]
)
def test_nonsense_in_the_environment_is_refused(monkeypatch, text: str) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(sg.RequestError, match=f"{VARIABLE}='{text}' is no amount of memory"):
        available_bytes()


def test_empty_environment_sets_no_limit(monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, " ")
    assert limit_given() is None


def system(root: Path, *, free_kb: int | None, groups: str = "") -> Path:
    (root / "proc/self").mkdir(parents=True)
    if free_kb is not None:
        text = f"MemTotal:  99999999 kB\nMemFree: 1 kB\nMemAvailable:   {free_kb} kB\n"
        (root / "proc/meminfo").write_text(text)
    (root / "proc/self/cgroup").write_text(groups)
    return root


def group(place: Path, files: dict[str, str]) -> None:
    place.mkdir(parents=True)
    for name, text in files.items():
        (place / name).write_text(text)


def test_what_the_system_has_left(tmp_path) -> None:
    assert available_bytes(system(tmp_path, free_kb=2000)) == 2000 * 1024


def test_nothing_is_refused_where_nothing_is_known(tmp_path, monkeypatch) -> None:
    assert available_bytes(tmp_path) is None
    monkeypatch.setattr("sbmlgrad.engines.memory_estimate.available_bytes", lambda: None)
    check_bytes(10**30, "this", "Do less.")


def test_the_system_is_asked_from_16_mib_on(monkeypatch) -> None:
    monkeypatch.setattr("sbmlgrad.engines.memory_estimate.available_bytes", lambda: 1)
    check_bytes(2**24 - 1, "this", "Do less.")
    with pytest.raises(sg.RequestError, match="16 MiB of memory are needed"):
        check_bytes(2**24, "this", "Do less.")


@pytest.mark.parametrize(
    ("limit", "expected"), [("5000000", 5000000 - 700000), ("max", 8000 * 1024)]
)
def test_control_groups_of_version_2(tmp_path, limit: str, expected: int) -> None:
    system(tmp_path, free_kb=8000, groups="0::/user/job\n")
    top = tmp_path / "sys/fs/cgroup"
    # A cache is given back when memory runs short, so it does not count as used.
    stat = "anon 600000\nactive_file 150000\ninactive_file 150000\nslab 5\n"
    group(top / "user/job", {"memory.max": limit, "memory.current": "1000000", "memory.stat": stat})
    assert available_bytes(tmp_path) == expected


def test_control_groups_above_count_too(tmp_path) -> None:
    system(tmp_path, free_kb=8000, groups="0::/user/job\n")
    top = tmp_path / "sys/fs/cgroup"
    group(top / "user/job", {"memory.max": "max", "memory.current": "10"})
    (top / "user/memory.max").write_text("3000\n")
    (top / "user/memory.current").write_text("5000\n")
    assert available_bytes(tmp_path) == 0


def test_control_groups_of_a_container(tmp_path) -> None:
    # The path is that of the host, which cannot be seen; the container's own group is on top.
    system(tmp_path, free_kb=8000, groups="0::/../../elsewhere\n")
    group(tmp_path / "sys/fs/cgroup", {"memory.max": "4096", "memory.current": "96"})
    assert available_bytes(tmp_path) == 4000


def test_control_groups_of_version_1(tmp_path) -> None:
    system(tmp_path, free_kb=8000, groups="5:cpu,cpuacct:/x\n4:memory:/job\n0::/\n")
    files = {"memory.limit_in_bytes": "9000", "memory.usage_in_bytes": "2000"}
    group(tmp_path / "sys/fs/cgroup/memory/job", files)
    assert available_bytes(tmp_path) == 7000


def test_this_machine_has_some_memory() -> None:
    found = available_bytes()
    assert found is None or found > 2**20


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (8 * GIB, "8 GiB")],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert in_words(size) == words
