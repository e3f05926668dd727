"""CUDA kernels compile to PTX for devices that are not here, and requests are refused in words."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from networks import antimony, network

import sbmlgrad as sg
from sbmlgrad.codegen.cuda_lines import for_device
from sbmlgrad.codegen.kernel_laws import kernel_laws
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.cuda import kernels as cuda_kernels
from sbmlgrad.engines.cuda.engine import Cuda
from sbmlgrad.engines.cuda.kernels import source_of
from sbmlgrad.engines.cuda.launch import FIRST_STEPS, MOST_STEPS, next_steps
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.errors import RequestError
from sbmlgrad.model.operators import OPERATORS


def compiled(function: Callable[..., None]) -> str:
    from numba import cuda, types

    row = types.float64[::1]
    text, _ = cuda.compile(function, (row, row), cc=(9, 0), device=False, abi="numba", output="ptx")
    return text


@pytest.fixture(scope="module")
def compiler() -> None:
    """NVIDIA's compiler, which the extra `test` brings on Linux; there nothing may be skipped."""
    if sys.platform != "linux":
        pytest.skip("NVIDIA publishes its compiler for Linux; the extra `test` brings it there")
    for package in ("numba-cuda", "nvidia-nvvm", "nvidia-cuda-nvrtc"):
        version(package)


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize(
    ("keeps", "capability"),
    [
        ("values", (8, 0)),
        ("values", (9, 0)),
        ("averages", (9, 0)),
        ("interpolated", (9, 0)),
        ("firings", (9, 0)),
    ],
)
def test_kernels_compile_without_a_device(keeps: Any, capability: tuple[int, int]) -> None:
    lowered = lower(network("small_dimer"))
    text = cuda_kernels.ptx(source_of(lowered, kernel_laws(lowered), keeps), capability)
    assert f".target sm_{capability[0]}{capability[1]}" in text
    assert ".visible .entry" in text
    assert "atom.global.add.u64" in text
    # The state is in registers, and nothing is rounded once where a CPU rounds twice.
    assert ".local" not in text
    assert "fma." not in text
    assert "mul.rn.f64" in text


@pytest.mark.usefixtures("compiler")
def test_every_function_of_rate_laws_compiles() -> None:
    lines = []
    for name, operator in OPERATORS.items():
        if name == "rateOf":  # no law has it once a network is lowered
            continue
        least, most = operator.arity
        arguments = [f"x[{i}]" for i in range(max(least, min(most or 3, 3)))]
        lines.append(f"out[{len(lines)}] = {operator.spelling['numba'](arguments)}")
    body = "\n    ".join(for_device(lines))
    names = {**cuda_kernels.names()}
    exec(f"def f(x, out):\n    {body}\n", names)
    assert ".visible .entry" in compiled(names["f"])
    assert len(lines) > 50


def test_products_are_not_joined_with_sums() -> None:
    assert for_device(["a = b * c * d + e"]) == ["a = product(product(b, c), d) + e"]
    assert for_device(["a = b.view(np.uint64)"]) == ["a = np.uint64(bits_of(b))"]
    assert for_device(["a = np.floor(b)"]) == ["a = floor(b)"]
    assert for_device(["a = (lambda n: n + n)(b * c)"]) == ["a = product(b, c) + product(b, c)"]


def test_launches_grow_until_they_last(monkeypatch: pytest.MonkeyPatch) -> None:
    assert next_steps(FIRST_STEPS, 0.001) == 2 * FIRST_STEPS
    assert next_steps(MOST_STEPS, 0.001) == MOST_STEPS
    assert next_steps(8 * FIRST_STEPS, 0.1) == 8 * FIRST_STEPS
    assert next_steps(8 * FIRST_STEPS, 3.0) == 4 * FIRST_STEPS
    assert next_steps(FIRST_STEPS, 3.0) == FIRST_STEPS


@pytest.mark.parametrize(
    "settings",
    [
        {"dtype": "float32"},
        {"threads_per_block": 100},
        {"threads_per_block": 2048},
        {"blocks": 0},
        {"device": -1},
        {"firing_limit": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        Cuda(**settings)


def test_models_with_a_clock_are_refused_by_name() -> None:
    model = antimony("species X in cell; X = 3; J0: X => ; X*time;")
    with pytest.raises(RequestError, match=r"depends on time.*Native\(\)"):
        sg.simulate(model, times=[1], seed=1, engine=Cuda())


def test_large_networks_are_refused() -> None:
    text = "".join(f"J{i}: X => ; {i + 1}*X;" for i in range(cuda_kernels.MOST_REACTIONS + 1))
    model = antimony("substanceOnly species X in cell; X = 3; " + text)
    with pytest.raises(RequestError, match="101 reactions"):
        sg.simulate(model, times=[1], seed=1, engine=Cuda())


def test_nothing_to_sample_is_refused() -> None:
    with pytest.raises(RequestError, match="no species"):
        sg.simulate(antimony("k = 1;"), times=[1], seed=1, engine=Cuda())


def test_the_engine_is_imported_without_numba_or_tensorflow() -> None:
    text = (
        "import sys; from sbmlgrad.engines.cuda.engine import Cuda; Cuda(); "
        "print(sorted({'numba', 'cuda', 'tensorflow'} & set(sys.modules)))"
    )
    child = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert child.stdout.strip() == "[]", child.stderr


def a_request(trajectories: int = 10) -> Request:
    lowered = lower(network("small_dimer"))
    start = np.ones((1, len(lowered.species_ids)))
    inputs = np.ones(len(lowered.input_ids))
    return Request(lowered, inputs, start, ValuesAt([1.0, 2.0]), trajectories, seed=1)


def fake_cuda(*, free: float = math.inf, devices: int = 1) -> Any:
    return SimpleNamespace(
        is_available=lambda: devices > 0,
        cuda_error=lambda: "no driver\nfound",
        gpus=[SimpleNamespace()] * devices,
        get_current_device=lambda: SimpleNamespace(MULTIPROCESSOR_COUNT=2),
        current_context=lambda: SimpleNamespace(get_memory_info=lambda: SimpleNamespace(free=free)),
    )


def test_a_machine_without_device_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sbmlgrad.engines.cuda.engine.cuda_module", lambda: fake_cuda(devices=0))
    with pytest.raises(RequestError, match=r"no driver found.*sbmlgrad\[cuda\].*Native\(\)"):
        Cuda().sample(a_request())


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sbmlgrad.engines.cuda.engine.cuda_module", fake_cuda)
    with pytest.raises(RequestError, match=r"device=1.*has 1 device"):
        Cuda(device=1).sample(a_request())


def test_numba_without_cuda_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    monkeypatch.setitem(sys.modules, "numba.cuda", None)
    monkeypatch.delattr(numba, "cuda", raising=False)
    with pytest.raises(RequestError, match=r"cannot be imported.*sbmlgrad\[cuda\]"):
        Cuda().sample(a_request())


def test_parts_are_as_large_as_memory_allows() -> None:
    request = a_request(trajectories=1000)
    species = len(request.lowered.species_ids)
    # Two points, the end state and 25 bytes; for each of 1,000 under way three whole numbers, two
    # times, counts and sums.
    each = 8 * (2 + 1) * species + 25
    under_way = 1000 * 8 * (3 + 2 + 2 * species)
    for fitting in (1, 7, 1000):
        free = (fitting * each + under_way + 2048) / 0.8
        most = Cuda()._most_at_once(fake_cuda(free=free), request)
        assert fitting <= most <= fitting + 2048 // each
    with pytest.raises(RequestError, match="ask for fewer points"):
        Cuda()._most_at_once(fake_cuda(free=100), request)


def test_results_that_do_not_fit_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    there = fake_cuda(free=2**20)
    there.gpus = [nullcontext()]
    monkeypatch.setattr("sbmlgrad.engines.cuda.engine.cuda_module", lambda: there)
    with pytest.raises(RequestError, match=r"100,000 trajectories do not fit.*first_trajectory"):
        Cuda(blocks=1).sample_on_device(a_request(100_000))
