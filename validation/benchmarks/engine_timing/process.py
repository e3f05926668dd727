"""A contender in a process of its own that stays alive between rounds, with a budget of time."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

WORKERS = Path(__file__).parents[1] / "peers"

#: One thread each, whatever library does the arithmetic.
ONE_THREAD = {
    f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
}


class FailedError(Exception):
    """A contender gave no answer; `status` says how, the text why."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Contender:
    """What competes.

    Attributes:
        name: as on the command line and in results.
        title: as in tables.
        worker: name of its script in `peers/`.
        python: interpreter that runs it.
        options: for the worker.
        most_reactions: networks above are not tried with it; None means all are.
        install_with: what installs it.
    """

    name: str
    title: str
    worker: str
    python: str
    options: Mapping[str, Any] = field(default_factory=dict)
    most_reactions: int | None = None
    install_with: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it counts its own firings, being a kernel of sbmlgrad."""
        return self.worker == "sbmlgrad"


class Process:
    """A running worker. Its budget is spent only while it is asked, not while it waits."""

    def __init__(
        self,
        contender: Contender,
        folder: Path,
        budget_s: float,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.contender = contender
        self.folder = folder
        self.budget_s = budget_s
        self.left_s = budget_s
        # Open as long as the process.
        self.words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            [contender.python, str(WORKERS / f"{contender.worker}_worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.words,
            env={**os.environ, **ONE_THREAD, **(environment or {})},
            # A group of its own: an interrupt from the keyboard is for us, and some start others.
            start_new_session=True,
            preexec_fn=_limit_memory,
        )
        self.buffer = b""

    def load(self) -> str:
        """Load the model of the folder; return the version of the software.

        Raises:
            FailedError: it is absent, refuses the model, crashed or took too long.
        """
        request = {"folder": str(self.folder.resolve()), "options": dict(self.contender.options)}
        return str(self.ask("load", **request)["version"])

    def ask(self, what: str, **request: Any) -> dict[str, Any]:
        """Return the answer to a request.

        Raises:
            FailedError: no answer within the budget, no process any more, or an error of its own.
        """
        assert self.process.stdin is not None
        begin = time.perf_counter()
        try:
            self.process.stdin.write(json.dumps({"ask": what, **request}).encode() + b"\n")
            self.process.stdin.flush()
            line = self._line(begin + self.left_s)
        except BrokenPipeError as error:
            raise FailedError("crash", self._last_words()) from error
        self.left_s -= time.perf_counter() - begin
        answer = json.loads(line)
        if answer["status"] != "ran":
            raise FailedError(answer["status"], answer["message"])
        return answer

    def _line(self, deadline: float) -> bytes:
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.buffer:
                left = deadline - time.perf_counter()
                if left <= 0.0 or not selector.select(left):
                    self.close()
                    raise FailedError(
                        "over budget", f"no answer within {self.budget_s:g} s, loading included"
                    )
                part = os.read(self.process.stdout.fileno(), 1 << 16)
                if not part:
                    raise FailedError("crash", self._last_words())
                self.buffer += part
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line

    def _last_words(self) -> str:
        code = self.process.wait()
        self.words.seek(0)
        said = self.words.read()[-300:].decode("utf-8", "replace").strip()
        return f"{f'signal {-code}' if code < 0 else f'exit code {code}'}; last words: {said}"

    def close(self) -> None:
        """End the process and all of its group."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.words.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _limit_memory() -> None:
    """Refuse memory above three quarters of the machine's, rather than let it stop the others."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    resource.setrlimit(resource.RLIMIT_AS, (total * 3 // 4, resource.RLIM_INFINITY))
