"""How much memory a result takes, how much there is, and a refusal that says what to change.

Arrays of results are known before anything runs. Asking first is better than being ended by the
system an hour later, which takes the whole process and says nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.readouts import Readout, columns, point_count
from sbmlgrad.errors import RequestError
from sbmlgrad.model.initial import random_at_start

#: Overrides what the system says: bytes that the results of one call may take.
VARIABLE = "SBMLGRAD_MEMORY_LIMIT"

#: Bytes of trajectories that a summary has in memory at a time.
PART_BYTES = 64 * 2**20

#: Asking the system takes longer than small jobs do, and it has this much or nothing works.
_SMALL = 2**24

_NUMBER = 8

#: Bytes of a Python number in a sum, with its place in the array.
_SUM = 48
_OUTCOME = 1

_UNITS = {
    "": 1,
    "B": 1,
    **{f"{letter}B": 1000 ** (n + 1) for n, letter in enumerate("KMGT")},
    **{f"{letter}IB": 1024 ** (n + 1) for n, letter in enumerate("KMGT")},
}

#: Per version of control groups: where they are, the files of limit and use, and what counts as
#: used but is given back when it is needed.
_GROUPS = (
    ("", "sys/fs/cgroup", "memory.max", "memory.current", ("active_file", "inactive_file")),
    (
        "memory",
        "sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_active_file", "total_inactive_file"),
    ),
)

ADVICE = (
    "Simulate fewer trajectories in several calls (`first_trajectory` goes on where the last call "
    "stopped), ask for fewer times or readouts, or use `summarise`, which keeps statistics alone. "
    f"The environment variable {VARIABLE} sets another limit."
)


def result_bytes(request: Request) -> int:
    """Return how much memory a sample takes, with the start states that the request holds.

    Args:
        request: what an engine is asked for.
    """
    own = _sample_bytes(request.lowered, request.readout, request.trajectories)
    return own + request.start.size * _NUMBER


def job_bytes(lowered: LoweredNetwork, readouts: Sequence[Readout], trajectories: int) -> int:
    """Return how much memory a simulation takes at most, before its start states are drawn.

    Args:
        lowered: the network.
        readouts: they are sampled one after another, and all samples are kept.
        trajectories: how many.
    """
    network = lowered.network
    has_own_starts = bool(random_at_start(network)) or network.initial == "randomised"
    # Drawn starts are rows of their own before they become one array.
    rows = 2 * trajectories if has_own_starts else 1
    start = rows * len(lowered.state_ids) * _NUMBER
    return start + sum(_sample_bytes(lowered, readout, trajectories) for readout in readouts)


def summary_bytes(symbols: int, pairs: int, points: int, bins: int) -> int:
    """Return how much memory a summary takes while trajectories are simulated in parts.

    Args:
        symbols: whose statistics are kept.
        pairs: products that are added up: every symbol with itself, and covariances.
        points: of all readouts together.
        bins: of a histogram.
    """
    # The statistics so far, those of a part, and what both become.
    kept = 3 * points * (symbols * (_NUMBER * bins + _SUM) + pairs * _SUM)
    return kept + PART_BYTES


def check_memory(requests: Request | Sequence[Request], available: int | None = None) -> None:
    """Refuse requests whose samples would not fit into memory together.

    Args:
        requests: one, or those of all readouts, which share their start states.
        available: bytes there are; None asks the environment variable, then,
            for 16 MiB or more, the system.

    Raises:
        RequestError: they need more, or the environment variable is no amount of memory.
    """
    parts = [requests] if isinstance(requests, Request) else list(requests)
    starts = {id(request.start): request.start.size * _NUMBER for request in parts}
    needed = sum(result_bytes(request) - starts[id(request.start)] for request in parts)
    _check_trajectories(needed + sum(starts.values()), parts[0].trajectories, available)


def check_job(
    lowered: LoweredNetwork,
    readouts: Sequence[Readout],
    trajectories: int,
    available: int | None = None,
) -> None:
    """Refuse a simulation that would not fit into memory, before its start states are drawn.

    Arguments as in `job_bytes` and `check_memory`.

    Raises:
        RequestError: it needs more, or the environment variable is no amount of memory.
    """
    _check_trajectories(job_bytes(lowered, readouts, trajectories), trajectories, available)


def check_bytes(needed: int, what: str, advice: str, available: int | None = None) -> None:
    """Refuse what would not fit into memory; where the system tells nothing, nothing is refused.

    Args:
        needed: bytes.
        what: what needs them, as the subject of a sentence.
        advice: what to change, in sentences.
        available: bytes there are; None asks the environment variable, then,
            for 16 MiB or more, the system.

    Raises:
        RequestError: more is needed, or the environment variable is no amount of memory.
    """
    there = available
    if available is None:
        there = limit_given() if needed < _SMALL else available_bytes()
    if there is not None and needed > there:
        raise RequestError(
            f"{what}: about {in_words(needed)} of memory are needed, and {in_words(there)} are "
            f"available. {advice}"
        )


def available_bytes(root: Path = Path("/")) -> int | None:
    """Return how many bytes results may take, or None where nothing is known.

    The environment variable `SBMLGRAD_MEMORY_LIMIT` (bytes, or such as `8GiB`) goes before all
    else; then the least of what the system and the control groups of this process have left.

    Args:
        root: where the system's own files are found.

    Raises:
        RequestError: the environment variable is no amount of memory.
    """
    limit = limit_given()
    if limit is not None:
        return limit
    found = [*_of_system(root), *_of_groups(root)]
    return min(found, default=None)


def limit_given() -> int | None:
    """Return the limit that the environment variable sets, or None.

    Raises:
        RequestError: it is no amount of memory.
    """
    text = os.environ.get(VARIABLE)
    if text is None or not text.strip():
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Z]*)", text.strip().upper())
    if match is None or match[2] not in _UNITS or (found := _amount(match)) < 1:
        raise RequestError(
            f"{VARIABLE}={text!r} is no amount of memory; give bytes, or a number with a unit such "
            "as 500MB or 8GiB"
        )
    return found


def in_words(size: int) -> str:
    """Return bytes in a unit that people read."""
    number, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB"):
        if number < 1024.0:
            break
        number, unit = number / 1024.0, larger
    return f"{number:.4g} {unit}"


def _amount(match: re.Match[str]) -> int:
    number, unit = match[1], _UNITS[match[2]]
    return int(float(number) * unit) if "." in number else int(number) * unit


def _sample_bytes(lowered: LoweredNetwork, readout: Readout, trajectories: int) -> int:
    """Return the size of the arrays of a `Sample`."""
    states = len(lowered.state_ids)
    values = point_count(readout) * columns(readout, states)
    # Firings, the reaction at fault, the time of the last firing, and what was found at fault.
    numbers = 3 + lowered.is_timed
    return trajectories * (_NUMBER * (values + states + numbers) + _OUTCOME)


def _check_trajectories(needed: int, trajectories: int, available: int | None) -> None:
    check_bytes(needed, f"the results of {trajectories:,} trajectories", ADVICE, available)


def _of_system(root: Path) -> Iterator[int]:
    """Yield what the system says is available."""
    text = _read(root / "proc/meminfo")
    match = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    if match:
        yield int(match[1]) * 1024
        return
    names = getattr(os, "sysconf_names", {})
    if root == Path("/") and {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= names.keys():
        # What is free right now says little where caches give way, so this is the whole memory.
        yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _of_groups(root: Path) -> Iterator[int]:
    """Yield what the control groups of this process have left, from its own up to the root."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        for controller, folder, limit, use, caches in _GROUPS:
            if controller not in controllers.split(","):
                continue
            group = (root / folder / path.lstrip("/")).resolve()
            top = (root / folder).resolve()
            # What lies above a container's own group cannot be seen; its own is at the top then.
            places = [p for p in (group, *group.parents) if p.is_relative_to(top)] or [top]
            for place in places:
                yield from _left(place, limit, use, caches)


def _left(place: Path, limit: str, use: str, caches: tuple[str, ...]) -> Iterator[int]:
    most, used = _read(place / limit).strip(), _read(place / use).strip()
    if not (most.isdigit() and used.isdigit()):
        return
    stat = dict(re.findall(r"^(\w+) (\d+)$", _read(place / "memory.stat"), re.MULTILINE))
    cached = sum(int(stat.get(name, 0)) for name in caches)
    yield max(int(most) - max(int(used) - cached, 0), 0)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
