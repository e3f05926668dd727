"""CUDA kernels of a network: source text, the function made of it, PTX for any device."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from sbmlgrad.codegen.cuda_kept import Keeps
from sbmlgrad.codegen.cuda_lines import FUNCTIONS, NUMBERS, PHILOX, inlined
from sbmlgrad.codegen.kernel_laws import KernelLaws
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.numba_cuda import NAMES, kernel_source
from sbmlgrad.engines import codes, random
from sbmlgrad.engines.codes import FIRING_COUNTS, INTERPOLATED, VALUES, WINDOWS
from sbmlgrad.engines.random import standard_exponential
from sbmlgrad.errors import RequestError

#: What the kernel keeps, by the kind of readout.
KEEPS: dict[int, Keeps] = {
    VALUES: "values",
    WINDOWS: "averages",
    INTERPOLATED: "interpolated",
    FIRING_COUNTS: "firings",
}

#: Above this, a trajectory's counts and propensities are far from fitting into the 255 registers of
#: a thread, and the compiler takes minutes.
MOST_REACTIONS = 100

#: What tracebacks call a kernel's source.
_FILE = "<CUDA kernel by sbmlgrad>"

#: NumPy's numbers, which the simulator computes with, warn where those of a device do not.
_QUIET = """\
def quiet(*arguments):
    with np.errstate(all="ignore"):
        advance(*arguments)
"""

ADVICE = (
    'install it with `pip install "sbmlgrad[cuda]"` on a machine with an NVIDIA GPU, or use '
    "engine=sbmlgrad.engines.Native()"
)


def cuda_module() -> Any:
    """Return `numba.cuda`.

    Raises:
        RequestError: numba has no CUDA target here.
    """
    try:
        from numba import cuda
    except ImportError as error:
        raise RequestError(
            f"Cuda(): numba's CUDA target cannot be imported ({error}); {ADVICE}"
        ) from error
    return cuda


def is_simulated() -> bool:
    """Tell whether numba runs kernels on its simulator, in the memory of the host."""
    from numba import config

    # numba sets its options at import, so that no checker of types knows them.
    return bool(getattr(config, "ENABLE_CUDASIM", False))


@lru_cache(maxsize=64)
def source_of(lowered: LoweredNetwork, laws: KernelLaws, keeps: Keeps) -> str:
    """Return the source of a network's kernel."""
    exponential = inlined(standard_exponential, u="u", result="wait")
    return kernel_source(lowered, laws, keeps, exponential, random.ROUNDS)


def python_function(source: str) -> Callable[..., None]:
    """Return the kernel as a Python function that numba can compile or simulate."""
    found = names()
    if not is_simulated():
        exec(compile(source, _FILE, "exec"), found)
        return found["advance"]
    # The simulator finds `cuda` in the module of the function that it is given.
    exec(compile(f"{source}\n\n{_QUIET}", _FILE, "exec"), found)
    return found["quiet"]


@lru_cache(maxsize=64)
def compiled(source: str) -> Any:
    """Return the kernel as numba's launchable object; it is compiled when first launched."""
    return cuda_module().jit(python_function(source))


def ptx(source: str, capability: tuple[int, int]) -> str:
    """Return the assembly text (PTX) of a kernel; needs the compiler but no device.

    Args:
        source: from `source_of`.
        capability: compute capability of the device it is for, such as (9, 0).
    """
    from numba import types

    number, whole = types.float64, types.int64
    row, table = number[::1], number[:, ::1]
    counts = whole[::1]
    signature = (
        *(row, row, table, types.uint64, whole, whole, whole, counts, whole[:, ::1], table),
        *(number[:, :, ::1], types.int8[::1], counts, counts, row, table),
    )
    text, _ = cuda_module().compile(
        python_function(source), signature, cc=capability, device=False, abi="numba", output="ptx"
    )
    return text


def check(lowered: LoweredNetwork) -> None:
    """Raise a `RequestError` for a network that this engine cannot sample."""
    name = f"Cuda(): model '{lowered.network.id}'"
    if lowered.is_timed:
        raise RequestError(
            f"{name} has {lowered.clock_words}, and the CUDA kernels know firings only; use "
            "engine=sbmlgrad.engines.Native()"
        )
    if not lowered.species_ids:
        raise RequestError(
            f"{name} has no species that could change, so there is nothing to sample on a GPU; use "
            "engine=sbmlgrad.engines.Native()"
        )
    if len(lowered.channels) > MOST_REACTIONS:
        raise RequestError(
            f"{name} has {len(lowered.channels)} reactions, and beyond {MOST_REACTIONS} a "
            "trajectory no longer fits into the registers of a GPU; use "
            "engine=sbmlgrad.engines.Native()"
        )


def names() -> dict[str, Any]:
    """Return what the names in a kernel's source mean, under the compiler or on the simulator."""
    found: dict[str, Any] = {name: getattr(codes, name) for name in NAMES if hasattr(codes, name)}
    found |= {name: np.uint64(getattr(random, name)) for name in PHILOX}
    found |= {name: np.uint64(number) for name, number in NUMBERS.items()}
    found |= {"cuda": cuda_module(), "np": np, "inf": math.inf, "nan": math.nan}
    if is_simulated():
        return found | {
            **{name: getattr(np, name) for name in FUNCTIONS},
            "math": _QuietMath(),
            "product": operator.mul,
            "bits_of": lambda x: np.float64(x).view(np.uint64),
            "float_of": lambda n: np.int64(n).view(np.float64),
        }
    # Only numba loads this; the simulator has none.
    from numba.cuda import libdevice

    return found | {
        **{name: getattr(libdevice, name) for name in FUNCTIONS},
        "math": math,
        "product": libdevice.dmul_rn,
        "bits_of": libdevice.double_as_longlong,
        "float_of": libdevice.longlong_as_double,
    }


class _QuietMath:
    """`math` for the simulator: NaN and infinity where Python raises, as compiled code has them."""

    gamma = staticmethod(math.gamma)

    def __getattr__(self, name: str) -> Any:
        # NumPy writes the inverse functions out: arcsin, arctanh.
        return getattr(np, f"arc{name[1:]}" if name[0] == "a" else name)
