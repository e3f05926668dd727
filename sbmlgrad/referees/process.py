"""Runs a referee's worker: a script, by its path, in a Python process of its own.

The worker finds `request.json` and `model.xml` in a temporary folder and writes `result.npz` there;
those of other simulators never import sbmlgrad. The interpreter may be that of another environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from sbmlgrad.errors import RefereeError
from sbmlgrad.referees.base import RefusedError
from sbmlgrad.referees.deadline import late

#: Where the scripts are.
WORKERS = Path(__file__).parent / "workers"

#: Lines of the worker's error output that a message shows.
LAST_LINES = 15

#: Exit code of a worker whose software does not simulate the network, and what it writes before
#: the reason.
REFUSED, REASON = 77, "refused: "

DOCUMENT, REQUEST, RESULT = "model.xml", "request.json", "result.npz"


def run_worker(
    worker: Path,
    request: Mapping[str, Any],
    document: bytes,
    *,
    referee: str,
    timeout_s: float,
    python: str = sys.executable,
) -> dict[str, Any]:
    """Run a worker to its end and return what it wrote.

    Args:
        worker: the script.
        request: settings that JSON can hold; `document` and `result`, the names of the files to
            read and to write, are added.
        document: the SBML document.
        referee: name for messages.
        timeout_s: wall-clock limit in seconds.
        python: interpreter to run it with.

    Returns:
        Name → array, as in `result.npz`.

    Raises:
        RefusedError: it says that its software does not simulate such a network.
        RefereeError: it failed, crashed, ran out of time or left no result; with its last words.
    """
    with tempfile.TemporaryDirectory(prefix="sbmlgrad-referee-") as name:
        folder = Path(name)
        (folder / DOCUMENT).write_bytes(document)
        files = {"document": DOCUMENT, "result": RESULT}
        (folder / REQUEST).write_text(json.dumps({**request, **files}), encoding="utf-8")
        try:
            code, stderr = _run([python, str(worker.resolve()), REQUEST], folder, timeout_s)
        except subprocess.TimeoutExpired as error:
            raise RefereeError(f"{late(referee, timeout_s)}{_last_words(error.stderr)}") from error
        except OSError as error:
            raise RefereeError(
                f"referee '{referee}' could not be started with {python}: {error}. Check "
                "that this Python can run scripts."
            ) from error
        if code == REFUSED:
            reason = stderr.decode("utf-8", "replace").rpartition(REASON)[2].strip()
            raise RefusedError(f"it does not simulate this network: {reason}")
        if code != 0:
            raise RefereeError(
                f"referee '{referee}' {_ending(code)}. The comparison needs its "
                "result; if it cannot simulate this model, leave it out or ask another one."
                + _last_words(stderr)
            )
        try:
            # Opened here, since NumPy leaves what it cannot read open.
            with (folder / RESULT).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return dict(arrays)
        except _UNREADABLE as error:
            raise RefereeError(
                f"referee '{referee}' ended without a readable result ({error}); this is a fault "
                f"of its worker {worker.name}." + _last_words(stderr)
            ) from error


#: What NumPy raises for files that are no archives, or broken ones.
_UNREADABLE = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)


def taken(result: Mapping[str, Any], names: Sequence[str], referee: str, worker: Path) -> list[Any]:
    """Return what a worker wrote under some names.

    Raises:
        RefereeError: something is missing.
    """
    absent = [name for name in names if name not in result]
    if absent:
        raise RefereeError(
            f"referee '{referee}' ended without a readable result (no {', '.join(absent)} in it); "
            f"this is a fault of its worker {worker.name}"
        )
    return [result[name] for name in names]


def _run(command: list[str], folder: Path, timeout_s: float) -> tuple[int, bytes]:
    """Run a command, or kill it and what it started when the time is up; return code and words.

    Raises:
        subprocess.TimeoutExpired: the time was up; with its error output so far.
    """
    # The folder is the working and temporary one too, for libraries that leave files behind.
    with (folder / "errors.txt").open("w+b") as errors:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=_environment(folder),
            # Ctrl-C reaches us alone, and we end it.
            start_new_session=True,
        )
        try:
            code = process.wait(timeout_s)
        except BaseException as error:
            _kill_with_children(process.pid)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                error.stderr = _read(errors)
            raise
        finally:
            # What it left running, also where its parent is gone: a crash leaves children too.
            _kill_group(process.pid)
        return code, _read(errors)


def _environment(folder: Path) -> dict[str, str]:
    # Workers import their tools from their own folder, which a safe path leaves out.
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}
    return {**kept, "TMPDIR": str(folder)}


def _kill_group(leader: int) -> None:
    """Kill what is left of the group that a process led."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def _kill_with_children(pid: int) -> None:
    """Kill a process and, where the system lists them, all that it started."""
    if not hasattr(signal, "SIGSTOP"):
        os.kill(pid, signal.SIGTERM)
        return
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
            fields = status.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            parents[int(status.parent.name)] = int(fields[1])
    found: list[int] = []
    waiting = {pid}
    while waiting := {child for child, parent in parents.items() if parent in waiting}:
        found += waiting
    return found


def _read(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _ending(code: int) -> str:
    if code < 0:
        return f"crashed: its process was ended by signal {-code}"
    return f"failed with exit code {code}"


def _last_words(stderr: bytes | None) -> str:
    lines = (stderr or b"").decode("utf-8", "replace").strip().splitlines()
    if not lines:
        return " It wrote no error message."
    return "\nIts last words:\n" + "\n".join(f"  {line}" for line in lines[-LAST_LINES:])
