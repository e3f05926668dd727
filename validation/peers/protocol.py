"""Asks a simulator for trajectories, in a process and a Python of its own, within a time limit.

Such libraries crash, hang, compile and change global state; here each answer is one of six
words: `ran`, `refused` (before it sampled), `error` (while it sampled), `timeout`, `crash` (its
process ended by itself) or `absent` (not installed in that Python).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from peers.worker import Request

FOLDER = Path(__file__).parent

STATUSES = ("ran", "refused", "error", "timeout", "crash", "absent")

#: Characters of a message that are kept.
LONGEST_MESSAGE = 600


@dataclass(frozen=True)
class Peer:
    """A simulator that can be asked.

    Attributes:
        name: as on the command line.
        title: as in tables.
        script: the worker, by path.
        install_with: what installs it.
    """

    name: str
    title: str
    script: Path
    install_with: str


OURS = Peer("sbmlgrad", "sbmlgrad", FOLDER / "sbmlgrad_peer.py", "pip install sbmlgrad")

PEERS: Mapping[str, Peer] = {
    "roadrunner": Peer(
        "roadrunner",
        "libRoadRunner gillespie",
        FOLDER / "roadrunner_peer.py",
        "pip install libroadrunner",
    ),
    "copasi": Peer(
        "copasi", "COPASI direct method", FOLDER / "copasi_peer.py", "pip install python-copasi"
    ),
    "gillespy2": Peer(
        "gillespy2",
        "GillesPy2 C++ SSA",
        FOLDER / "gillespy2_peer.py",
        "pip install gillespy2 python-libsbml scons, and g++",
    ),
}


@dataclass(frozen=True, eq=False)
class Answer:
    """What came back.

    Attributes:
        status: one of `STATUSES`.
        message: why, if it did not run.
        version: of its software.
        seconds: wall-clock time, start of the process included.
        values: amounts, float64 [trajectory, time, species], or None.
    """

    status: str
    message: str = ""
    version: str = ""
    seconds: float = 0.0
    values: NDArray[np.float64] | None = field(default=None, repr=False)


def ask(peer: Peer, request: Request, *, python: str = sys.executable, limit_s: float) -> Answer:
    """Let a peer sample; whatever happens to it comes back as an `Answer`.

    Args:
        peer: whom to ask.
        request: what to sample.
        python: interpreter of the environment that the peer is installed in.
        limit_s: wall-clock limit in seconds, after which its processes are killed.

    Returns:
        The answer, with amounts if it ran.
    """
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="peer-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        absolute = {**asdict(request), "document": str(Path(request.document).resolve())}
        (folder / "request.json").write_text(json.dumps(absolute), encoding="utf-8")
        ended, words = run_limited([python, str(peer.script), name], folder, limit_s)
        seconds = time.perf_counter() - start
        if not ended:
            return Answer("timeout", f"not finished after {limit_s:g} s", seconds=seconds)
        return _read(folder, words, seconds)


def missing(peer: Peer, python: str) -> str | None:
    """Return why a peer cannot be asked with this Python, or None if it can.

    The check asks it for a file that does not exist: a peer that is installed refuses it.

    Args:
        peer: the simulator.
        python: interpreter of the environment that it is to be found in.
    """
    empty = Request("no-such-file.xml", (), 1.0, 1, 1, 0)
    answer = ask(peer, empty, python=python, limit_s=120.0)
    if answer.status in ("refused", "error"):
        return None
    return f"{peer.title}: {answer.status} in {python} ({answer.message}); {peer.install_with}"


def run_limited(command: list[str], folder: Path, limit_s: float) -> tuple[bool, str]:
    """Run a command in a folder to its end, or kill it and its children when the time is up.

    Args:
        command: what to run.
        folder: working and temporary folder; what it prints lands in `output.txt`.
        limit_s: wall-clock limit in seconds.

    Returns:
        Whether it ended by itself, and its exit code and last words.
    """
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(folder)},
            # A group of its own, since some peers start compilers and simulators as children.
            start_new_session=True,
        )
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return False, ""
        finally:
            if process.poll() is None:
                _kill_with_children(process.pid)
                process.wait()
    words = (folder / "output.txt").read_bytes()[-LONGEST_MESSAGE:].decode("utf-8", "replace")
    code = process.returncode
    ending = f"signal {-code}" if code < 0 else f"exit code {code}"
    return True, f"{ending}; last words: {words.strip()}"


def _kill_with_children(pid: int) -> None:
    """Kill a process and all that it started, groups of their own included."""
    with contextlib.suppress(ProcessLookupError):
        # So that it starts no others in the meantime.
        os.kill(pid, signal.SIGSTOP)
    for each in (pid, *_children(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name of a program, in brackets, may hold anything.
            fields = status.read_text().rpartition(")")[2].split()
            parents[int(status.parent.name)] = int(fields[1])
    found: list[int] = []
    waiting = {pid}
    while waiting := {child for child, parent in parents.items() if parent in waiting}:
        found += waiting
    return found


def _read(folder: Path, words: str, seconds: float) -> Answer:
    try:
        data = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Answer("crash", words[:LONGEST_MESSAGE], seconds=seconds)
    values = np.load(folder / "values.npy") if data["status"] == "ran" else None
    return Answer(
        data["status"],
        data["message"][:LONGEST_MESSAGE],
        data.get("version", ""),
        seconds,
        values,
    )
