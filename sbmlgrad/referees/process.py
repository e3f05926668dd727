"""Runs a referee's worker: a script, by its path, in a Python process of its own.

The worker finds `request.json` and `model.xml` in a temporary folder and writes `result.npz` there;
it never imports sbmlgrad.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sbmlgrad.errors import RefereeError

#: Lines of the worker's error output that a message shows.
LAST_LINES = 15

DOCUMENT, REQUEST, RESULT = "model.xml", "request.json", "result.npz"


def run_worker(
    worker: Path,
    request: Mapping[str, Any],
    document: bytes,
    *,
    referee: str,
    timeout_s: float,
) -> dict[str, Any]:
    """Run a worker to its end and return what it wrote.

    Args:
        worker: the script.
        request: settings that JSON can hold; `document` and `result`, the names of the files to
            read and to write, are added.
        document: the SBML document.
        referee: name for messages.
        timeout_s: wall-clock limit in seconds.

    Returns:
        Name → array, as in `result.npz`.

    Raises:
        RefereeError: it failed, crashed, ran out of time or left no result; with its last words.
    """
    with tempfile.TemporaryDirectory(prefix="sbmlgrad-referee-") as name:
        folder = Path(name)
        (folder / DOCUMENT).write_bytes(document)
        files = {"document": DOCUMENT, "result": RESULT}
        (folder / REQUEST).write_text(json.dumps({**request, **files}), encoding="utf-8")
        try:
            # The folder is the working directory too, for libraries that leave files behind.
            finished = subprocess.run(
                [sys.executable, str(worker.resolve()), REQUEST],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RefereeError(
                f"referee '{referee}' did not finish within {timeout_s:g} s and was stopped. Allow "
                "more time with timeout_s, or ask for fewer trajectories or shorter times."
                + _last_words(error.stderr)
            ) from error
        except OSError as error:
            raise RefereeError(
                f"referee '{referee}' could not be started with {sys.executable}: {error}. Check "
                "that this Python can run scripts."
            ) from error
        if finished.returncode != 0:
            raise RefereeError(
                f"referee '{referee}' {_ending(finished.returncode)}. The comparison needs its "
                "result; if it cannot simulate this model, leave it out or ask another one."
                + _last_words(finished.stderr)
            )
        try:
            with np.load(folder / RESULT, allow_pickle=False) as arrays:
                return dict(arrays)
        except (OSError, ValueError) as error:
            raise RefereeError(
                f"referee '{referee}' ended without a readable result ({error}); this is a fault "
                f"of its worker {worker.name}" + _last_words(finished.stderr)
            ) from error


def _ending(code: int) -> str:
    if code < 0:
        return f"crashed: its process was ended by signal {-code}"
    return f"failed with exit code {code}"


def _last_words(stderr: bytes | None) -> str:
    lines = (stderr or b"").decode("utf-8", "replace").strip().splitlines()
    if not lines:
        return " It wrote no error message."
    return "\nIts last words:\n" + "\n".join(f"  {line}" for line in lines[-LAST_LINES:])
