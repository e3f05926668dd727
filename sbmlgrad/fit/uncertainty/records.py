"""Records of refits and points of profiles, so that an uncertainty that is cut goes on from there.

One line a task, written when it is done. A task is known by what decides its result: function,
seed, place and start; not by where it ran. So the results are those of work that was never cut.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sbmlgrad.errors import FitError
from sbmlgrad.fit.fingerprints import of_data, of_network
from sbmlgrad.fit.parallel import Executor, Keep, Result, Task, TaskProgress
from sbmlgrad.fit.uncertainty.fitted import Fitted
from sbmlgrad.fit.uncertainty.profile_points import Point
from sbmlgrad.fit.uncertainty.refits import RefitOutcome
from sbmlgrad.io.files import read_bytes, write_atomically

#: What tasks of uncertainty result in, by name.
_KINDS: dict[str, Callable[..., Any]] = {kind.__name__: kind for kind in (Point, RefitOutcome)}


@dataclass(frozen=True)
class Recorded:
    """An executor that writes down each result as it comes, and runs only what is not there yet.

    When to choose it: refits that take minutes or more, and may be interrupted.

    Args:
        inner: what runs the tasks.
        path: file of the records; made if it is not there, and left for the caller to remove.
    """

    inner: Executor
    path: Path

    @property
    def name(self) -> str:
        """How it is recorded in results: as the executor within, since results are the same."""
        return self.inner.name

    @property
    def is_parallel(self) -> bool:
        """As the executor within."""
        return self.inner.is_parallel

    def map(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        progress: TaskProgress | None = None,
        keep: Keep | None = None,
    ) -> list[Result]:
        """Return the results in the order of the tasks; see `Executor`.

        Raises:
            FitError: the file of records cannot be read.
        """
        keys = [_key(function, task) for task in tasks]
        found: dict[str, Any] = read_records(self.path)
        missing = [place for place, key in enumerate(keys) if key not in found]
        done = len(tasks) - len(missing)
        with open(self.path, "a", encoding="utf-8") as file:

            def record(place: int, result: Any) -> None:
                key = keys[missing[place]]
                found[key] = result
                file.write(json.dumps({"task": key, **_plain(result)}) + "\n")
                file.flush()
                os.fsync(file.fileno())
                if keep is not None:
                    keep(missing[place], result)

            def told(number: int, _: int) -> None:
                if progress is not None:
                    progress(done + number, len(tasks))

            self.inner.map(function, [tasks[place] for place in missing], told, record)
        return [found[key] for key in keys]


def read_records(path: Path) -> dict[str, Any]:
    """Return task → result of a file of records; empty where there is no file.

    A last line that was cut off while it was written is removed from the file: that task was not
    finished.

    Raises:
        FitError: another line is no record.
    """
    if not path.exists():
        return {}
    lines = read_bytes(path).decode("utf-8", errors="replace").split("\n")
    if lines[-1]:
        write_atomically(path, "".join(f"{line}\n" for line in lines[:-1]).encode())
    found = {}
    for number, line in enumerate(lines[:-1], start=1):
        try:
            told = json.loads(line)
            found[told["task"]] = _result(told)
        except (ValueError, KeyError, TypeError) as error:
            raise FitError(
                f"{path.name}, line {number}: is no record of a refit ({error}); remove the file "
                "to compute all of them anew"
            ) from error
    return found


def _key(function: Callable[..., Any], task: Any) -> str:
    hash = hashlib.sha256(function.__qualname__.encode())
    for part in _parts(task):
        hash.update(part + b"\0")
    return hash.hexdigest()[:32]


def _parts(value: Any) -> list[bytes]:
    """Return what decides the result of a task."""
    if isinstance(value, Fitted):
        problem, space = value.problem, value.space
        told = (problem.observables, problem.parameters, problem.experiments, value.objective.name)
        # Not the whole engine: threads and kernels do not change a result, precision does.
        precision = str(getattr(value.engine, "dtype", ""))
        arrays = (space.lower, space.upper, value.values)
        return [
            of_network(problem.network).encode(),
            of_data(problem).encode(),
            repr(told).encode(),
            value.estimator.name.encode(),
            precision.encode(),
            *_parts(value.seed),
            *(part for array in arrays for part in _parts(array)),
        ]
    if is_dataclass(value):
        return [part for f in fields(value) for part in _parts(getattr(value, f.name))]
    if isinstance(value, np.ndarray):
        return [np.ascontiguousarray(value).tobytes()]
    return [repr(value).encode()]


def _plain(result: Any) -> dict[str, Any]:
    values = {f.name: getattr(result, f.name) for f in fields(result)}
    # JSON keeps every digit of a double, NaN included.
    plain = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in values.items()}
    return {"kind": type(result).__name__, "result": plain}


def _result(told: dict[str, Any]) -> Any:
    values: dict[str, Any] = {
        name: np.array(value, dtype=np.float64) if isinstance(value, list) else value
        for name, value in told["result"].items()
    }
    return _KINDS[told["kind"]](**values)
