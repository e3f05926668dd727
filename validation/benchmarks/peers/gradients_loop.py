"""What the workers of the gradient benchmark share; runs in each contender's own Python.

A worker answers one JSON request a line, as those of `loop` do: `load` a job, then `forward` or
`gradient` for a number of trajectories and a seed, or `memory`, which tells by how much either
raises the memory in use of a process that has done nothing else of that size.
"""

from __future__ import annotations

import ctypes
import gc
import json
import re
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
from line_server import answer_lines
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Outcome:
    """What one call gave.

    Attributes:
        totals: the statistic of each trajectory, [trajectory].
        firings: [trajectory], or their sum over all trajectories.
        gradient: of the mean of `totals`, [parameter], or None of a forward call.
    """

    totals: ArrayLike
    firings: ArrayLike
    gradient: ArrayLike | None = None


@dataclass(frozen=True)
class Calls:
    """(trajectories, seed) → outcome; only these are timed."""

    forward: Callable[[int, int], Outcome]
    gradient: Callable[[int, int], Outcome]


def serve(software: Callable[[], str], prepare: Callable[[Any, dict[str, Any]], Calls]) -> NoReturn:
    """Answer requests until the input ends.

    Args:
        software: imports the library and returns its version; ImportError means not installed.
        prepare: (job, options) → what runs it; the job has the fields of
            `gradient_timing.jobs.Plain`.
    """
    state: dict[str, Any] = {}
    answer_lines(lambda request: _answer(request, state, software, prepare))


def _answer(request: dict[str, Any], state: dict[str, Any], software: Any, prepare: Any) -> Any:
    if request["ask"] == "load":
        try:
            version = software()
        except ImportError as error:
            return {"status": "absent", "message": str(error)}
        text = (Path(request["folder"]) / "job.json").read_text(encoding="utf-8")
        state["calls"] = prepare(SimpleNamespace(**json.loads(text)), request["options"])
        return {"status": "ran", "version": version}
    calls: Calls = state["calls"]
    call = calls.gradient if request["call"] == "gradient" else calls.forward
    number, seed = request["trajectories"], request["seed"]
    if request["ask"] == "memory":
        # Small, so that what it leaves behind is no room for the next.
        call(max(number // 8, 1), seed)
        gc.collect()
        _give_back()
        before = _reset_peak()
        outcome = call(number, seed)
        return {"status": "ran", "bytes": _peak() - before, **_numbers(outcome)}
    cpu, wall = _cpu(), time.perf_counter()
    outcome = call(number, seed)
    cpu, wall = _cpu() - cpu, time.perf_counter() - wall
    return {"status": "ran", "cpu_s": cpu, "wall_s": wall, **_numbers(outcome)}


def _numbers(outcome: Outcome) -> dict[str, Any]:
    totals = np.asarray(outcome.totals, np.float64)
    firings = np.asarray(outcome.firings, np.int64)
    gradient = None
    if outcome.gradient is not None:
        gradient = np.asarray(outcome.gradient, np.float64)
        if not np.isfinite(gradient).all():
            raise FloatingPointError(f"the gradient is not finite: {gradient.tolist()}")
        gradient = gradient.tolist()
    return {
        "firings": int(firings.sum()),
        "most_firings": int(firings.max()),
        "mean": float(totals.mean()),
        "squares": float(((totals - totals.mean()) ** 2).sum()),
        "gradient": gradient,
    }


def _cpu() -> float:
    """Return the processor time of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _give_back() -> None:
    """Let the C library return what is free, or the next call would find its memory there."""
    ctypes.CDLL(None).malloc_trim(0)


def _reset_peak() -> int:
    """Forget the peak of the memory in use (Linux); return the bytes in use now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    """Return a size from the kernel's account of this process, in bytes."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
    if found is None:
        raise OSError(f"/proc/self/status has no {name}")
    return 1024 * int(found[1])
