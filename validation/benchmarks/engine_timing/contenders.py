"""Who competes, and on what: the installed peers, the kernels of `Native`, and the machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from engine_timing.models import sparse, write
from engine_timing.process import Contender, FailedError, Process

#: Kernels that may exist; those that this version refuses are left out.
KERNELS = ("auto", "table", "specialised", "lockstep", "tree")
DTYPES = ("float64", "float32")

#: Kernels with code of their own for the model, and the network above which nobody would want it.
COMPILED = {"specialised": 2_000, "lockstep": 2_000}

#: Name → (title, worker, options, most reactions, what installs it).
_PEERS = {
    "rebop": ("rebop", "rebop", {}, None, "pip install rebop"),
    "rebop_sparse": ("rebop, sparse", "rebop", {"sparse": True}, None, "pip install rebop"),
    "bioscrape": ("bioscrape", "bioscrape", {}, None, "pip install bioscrape"),
    "copasi": (
        "COPASI direct method",
        "copasi",
        {"method": "directMethod"},
        None,
        "pip install python-copasi",
    ),
    "copasi_gibson_bruck": (
        "COPASI Gibson–Bruck",
        "copasi",
        {"method": "stochastic"},
        None,
        "pip install python-copasi",
    ),
    "gillespy2": (
        "GillesPy2 C++",
        "gillespy2",
        {},
        # It compiles a line for every reaction.
        20_000,
        "pip install gillespy2 scons, and g++",
    ),
    "roadrunner": ("libRoadRunner gillespie", "roadrunner", {}, None, "pip install libroadrunner"),
}

PEER_NAMES = tuple(_PEERS)


def peers(python: str, names: tuple[str, ...] = PEER_NAMES) -> list[Contender]:
    """Return the peers of those names, to be run by an interpreter."""
    chosen = []
    for name in names:
        title, worker, options, most, install = _PEERS[name]
        chosen.append(Contender(name, title, worker, python, options, most, install))
    return chosen


def ours(python: str, threads: int = 1) -> list[Contender]:
    """Return one contender for every kernel and dtype that `Native` accepts in this version.

    Args:
        python: interpreter that sbmlgrad is installed in.
        threads: of each.
    """
    return [
        Contender(
            f"{kernel}_{dtype}_{threads}",
            f"sbmlgrad {kernel}{', float32' if dtype == 'float32' else ''}",
            "sbmlgrad",
            python,
            {"kernel": kernel, "dtype": dtype, "threads": threads},
            COMPILED.get(kernel),
        )
        for kernel, dtype in accepted()
    ]


def accepted() -> Iterator[tuple[str, str]]:
    """Yield the (kernel, dtype) pairs that `Native` can be made with."""
    import sbmlgrad as sg
    from sbmlgrad.errors import RequestError

    for dtype in DTYPES:
        for kernel in KERNELS:
            try:
                sg.engines.Native(kernel=kernel, dtype=dtype)
            except RequestError:
                continue
            yield kernel, dtype


def installed(
    contenders: Sequence[Contender], folder: Path, say: Callable[[str], None]
) -> dict[str, str]:
    """Return contender → why it cannot take part, having started each on a small model.

    Args:
        contenders: peers.
        folder: for its document.
        say: takes lines on progress.
    """
    small = write(sparse(10), folder)
    missing = {}
    for contender in contenders:
        try:
            with Process(contender, small, 60.0) as process:
                version = process.load()
            say(f"{contender.title} {version}")
        except FailedError as error:
            missing[contender.name] = f"{error.status}: {error}; {contender.install_with}"
            say(f"{contender.title}: not installed ({missing[contender.name]})")
    return missing


def machine() -> dict[str, str]:
    """Return what the figures depend on: processor, cores, versions."""
    import platform
    from importlib.metadata import version

    said = Path("/proc/cpuinfo")
    lines = said.read_text(encoding="utf-8").splitlines() if said.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in ("sbmlgrad", "numba", "llvmlite", "numpy")},
    }
