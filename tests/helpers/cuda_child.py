"""Run CUDA kernels on numba's simulator in a process of its own and write what they give.

numba decides at import whether it simulates, so that a process does it for everything or not at
all. Usage: python cuda_child.py RESULT.npz, with NUMBA_ENABLE_CUDASIM=1 in the environment.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

for folder in ("tests/helpers", "validation"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / folder))

from cuda_cases import CASES, FAULTS, Case  # noqa: E402 - found on the path above

from sbmlgrad.engines.base import Request, Sample  # noqa: E402
from sbmlgrad.engines.cuda import engine, launch  # noqa: E402
from sbmlgrad.engines.cuda.engine import Cuda  # noqa: E402

FIELDS = ("values", "outcomes", "firings", "failed_reaction", "end_times", "end_states")


class Recorder:
    """An engine that keeps what another one gives."""

    is_deterministic = False
    name = "Recorder()"

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.samples: list[Sample] = []

    def sample(self, request: Request) -> Sample:
        self.samples.append(self.engine.sample(request))
        return self.samples[-1]


def recorded(case: Case, engine: Any) -> Sample:
    """Return the sample that an engine gives for a case."""
    recorder = Recorder(engine)
    case.run(recorder)
    return recorder.samples[0]


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


class OnDevice:
    """Cuda by way of arrays that stay on the device."""

    is_deterministic = False
    name = "OnDevice()"

    def sample(self, request: Request) -> Sample:
        there = Cuda().sample_on_device(request)
        assert np.shares_memory(np.from_dlpack(there.values), there.values.memory._ary)
        return there.to_sample()


def with_fault(old: str, new: str) -> Any:
    original = engine.source_of

    def source_of(*arguments: Any) -> str:
        text = original(*arguments)
        assert text.count(old) == 1, (old, text.count(old))
        return text.replace(old, new)

    return replaced(engine, "source_of", source_of)


def samples() -> Iterator[tuple[str, Sample]]:
    for name, case in CASES.items():
        yield name, recorded(case, Cuda(**case.engine))
    dimer = CASES["small_dimer ValuesAt"]
    with replaced(launch, "FIRST_STEPS", 7), replaced(launch, "MOST_STEPS", 7):
        for name in ("small_dimer ValuesAt", "small_dimer WindowAverages"):
            yield f"short launches {name}", recorded(CASES[name], Cuda(**CASES[name].engine))
    yield "many threads", recorded(dimer, Cuda(threads_per_block=64, blocks=3))
    with replaced(Cuda, "_most_at_once", lambda *_: 13):
        yield "parts", recorded(dimer, Cuda())
        start = CASES["random start"]
        yield "parts random start", recorded(start, Cuda())
    yield "on device", recorded(dimer, OnDevice())
    for fault, (old, new) in FAULTS.items():
        with with_fault(old, new):
            yield f"fault {fault}", recorded(dimer, Cuda(**dimer.engine))


def main() -> None:
    arrays = {
        f"{name}/{field}": getattr(sample, field) for name, sample in samples() for field in FIELDS
    }
    np.savez(sys.argv[1], **arrays)


if __name__ == "__main__":
    main()
