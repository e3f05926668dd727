"""`sbmlgrad check` over many files: which files, in which processes, and what it amounts to."""

from __future__ import annotations

import glob
import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from sbmlgrad.errors import RequestError
from sbmlgrad.model.issues import EVERY_MODE, ODE, SSA, Issue, Severity, blocking

#: Looks at one file with the options of `check`.
Judge = Callable[..., tuple[Issue, ...]]

EXACT, ONLY_ODE, REFUSED = "simulated exactly", "only by ODE", "refused"

#: Seconds between looks at the clock while processes are at work.
_PATIENCE = 0.2


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking many files found.

    Attributes:
        issues: file → its issues, in the order asked for; files not reached are left out.
        asked: how many files there were.
        is_interrupted: whether the user stopped it.
    """

    issues: Mapping[str, tuple[Issue, ...]]
    asked: int
    is_interrupted: bool


def expand(names: Iterable[str]) -> list[str]:
    """Return files from names of files, folders (searched to any depth) and glob patterns.

    Raises:
        RequestError: a folder or pattern holds no model file.
    """
    from sbmlgrad.io.formats import ANTIMONY_SUFFIXES, SBML_SUFFIXES

    suffixes = (*SBML_SUFFIXES, *ANTIMONY_SUFFIXES)
    found: dict[str, None] = {}
    for name in names:
        path = Path(name)
        if path.is_dir():
            inner = sorted(p for p in path.rglob("*") if p.name.lower().endswith(suffixes))
            chosen = [str(p) for p in inner if p.is_file()]
        elif glob.has_magic(name) and not path.exists():
            chosen = sorted(n for n in glob.glob(name, recursive=True) if Path(n).is_file())
        else:
            chosen = [name]
        if not chosen:
            raise RequestError(
                f"{name}: no model file there; the suffixes read are {', '.join(suffixes)}"
            )
        found.update(dict.fromkeys(chosen))
    return list(found)


def check_file(name: str, options: Mapping[str, Any]) -> tuple[Issue, ...]:
    """Check one file; a fault of our own is an issue too, so that it does not end a long run.

    Args:
        name: the file.
        options: of `check`.

    Returns:
        Its issues.

    Raises:
        RequestError: an option has a value that is not known.
    """
    from sbmlgrad.api import check

    try:
        return check(Path(name), **options)
    except RequestError:
        raise
    except Exception as error:
        return (_own_fault(name, f"{type(error).__name__}: {error}"),)


def check_files(
    names: Sequence[str],
    options: Mapping[str, Any],
    *,
    jobs: int | None = None,
    limit: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    judge: Judge = check_file,
) -> Checked:
    """Check files in processes of their own, so that none can end the whole run.

    Args:
        names: files.
        options: of `check`.
        jobs: processes; None is one for every core.
        limit: seconds for one file, or None.
        progress: called with (done, total), or None.
        judge: looks at one file; importable by name.

    Returns:
        The issues of every file; of those reached, if the user interrupts.

    Raises:
        RequestError: an option has a value that is not known.
    """
    from sbmlgrad.engines.blocks import available_cores

    count = min(jobs or available_cores(), len(names))
    waiting = deque(range(len(names)))
    found: dict[int, tuple[Issue, ...]] = {}
    workers: list[_Worker] = []
    is_interrupted = False
    try:
        while len(found) < len(names):
            while waiting and len(workers) < count:
                workers.append(_Worker(judge, options))
            for worker in workers:
                if worker.place is None and waiting:
                    worker.start(place := waiting.popleft(), names[place])
            wait([worker.link for worker in workers if worker.place is not None], _PATIENCE)
            for worker in list(workers):
                place, result = worker.place, worker.result(names, limit)
                if place is None or result is None:
                    continue
                if isinstance(result, RequestError):
                    raise result
                found[place] = result
                if not worker.is_alive:
                    workers.remove(worker)
                if progress is not None:
                    progress(len(found), len(names))
    except KeyboardInterrupt:
        is_interrupted = True
    finally:
        for worker in workers:
            worker.stop()
    return Checked({names[i]: found[i] for i in sorted(found)}, len(names), is_interrupted)


def summary(checked: Checked) -> dict[str, Any]:
    """Return counts of files by verdict and, per reason code, of files and issues.

    Plain data, as `check --json` prints it; codes that concern most files come first.
    """
    verdicts: dict[str, int] = dict.fromkeys((EXACT, ONLY_ODE, REFUSED), 0)
    codes: dict[str, dict[str, Any]] = {}
    for issues in checked.issues.values():
        verdicts[verdict(issues)] += 1
        for issue in issues:
            row = codes.setdefault(
                issue.code, {"errors": 0, "warnings": 0, "infos": 0, "issues": 0, "files": 0}
            )
            row[f"{issue.severity}s"] += 1
            row["issues"] += 1
        for code in {issue.code for issue in issues}:
            codes[code]["files"] += 1
    order = sorted(codes, key=lambda code: (-codes[code]["files"], code))
    return {
        "files": len(checked.issues),
        "simulated_exactly": verdicts[EXACT],
        "only_ode": verdicts[ONLY_ODE],
        "refused": verdicts[REFUSED],
        "not_checked": checked.asked - len(checked.issues),
        "interrupted": checked.is_interrupted,
        "codes": {code: codes[code] for code in order},
    }


def verdict(issues: tuple[Issue, ...]) -> str:
    """Return what the issues of a file leave possible."""
    if not blocking(issues, SSA):
        return EXACT
    return REFUSED if blocking(issues, ODE) else ONLY_ODE


class _Worker:
    """A process that checks one file after another."""

    def __init__(self, judge: Judge, options: Mapping[str, Any]) -> None:
        # Not forked: a progress bar may already be drawing in a thread of its own.
        context = multiprocessing.get_context("spawn")
        self.link, theirs = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(theirs, judge, dict(options)), daemon=True
        )
        self.process.start()
        theirs.close()
        self.place: int | None = None
        self._since = 0.0

    @property
    def is_alive(self) -> bool:
        """Whether it can take another file."""
        return not self.link.closed

    def start(self, place: int, name: str) -> None:
        """Hand it a file."""
        self.place, self._since = place, time.monotonic()
        # It may be dead already; then there is no answer, which is seen later.
        with suppress(OSError):
            self.link.send(name)

    def result(
        self, names: Sequence[str], limit: float | None
    ) -> tuple[Issue, ...] | RequestError | None:
        """Return what it found, or None while it is at work; None too where it has no file."""
        if self.place is None:
            return None
        name = names[self.place]
        try:
            if self.link.poll():
                answer = self.link.recv()
                self.place = None
                return answer
        except (EOFError, OSError):
            self.stop()
            return (_unreadable(name, f"reading it ended the process ({self._status()})"),)
        if limit is not None and time.monotonic() - self._since > limit:
            self.stop()
            return (_unreadable(name, f"reading it takes longer than {limit:g} seconds"),)
        return None

    def stop(self) -> None:
        """End the process."""
        self.link.close()
        # Whoever has lost its other end goes by itself; the rest is in the middle of a file.
        self.process.join(timeout=0.0 if self.place is None else 0.1)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def _status(self) -> str:
        code = self.process.exitcode
        if code is not None and code < 0:
            return signal.Signals(-code).name
        return f"status {code}"


def _serve(link: Connection, judge: Judge, options: dict[str, Any]) -> None:
    """Check the files that come over a link until it is closed."""
    # Ctrl-C reaches every process of the terminal; the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            name = link.recv()
        except (EOFError, OSError):
            return
        try:
            answer: Any = judge(name, options)
        except RequestError as error:
            answer = error
        try:
            link.send(answer)
        except OSError:
            return


def _unreadable(name: str, reason: str) -> Issue:
    return Issue(
        "unreadable_file",
        Severity.ERROR,
        name,
        None,
        f"{reason}, so nothing is known about the model.",
        "Correct the file by another tool, for instance libSBML's own validator.",
        EVERY_MODE,
    )


def _own_fault(name: str, reason: str) -> Issue:
    return Issue(
        "check_failed",
        Severity.ERROR,
        name,
        None,
        f"the check itself failed ({reason}), so nothing is known about the model.",
        "This is a fault of sbmlgrad; please report it with the file.",
        EVERY_MODE,
    )
