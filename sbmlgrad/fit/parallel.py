"""Executors: independent tasks one after the other, or on the processes of a Dask cluster.

Tasks carry their own seeds and results come back in the order of the tasks, so that both give the
same numbers, however many workers there are and whatever becomes of them.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, runtime_checkable

from sbmlgrad.errors import RequestError, SbmlGradError
from sbmlgrad.model.numbers import whole

Task = TypeVar("Task")
Result = TypeVar("Result")

#: Called with (tasks done, tasks).
TaskProgress = Callable[[int, int], None]

#: Called with (place of the task, its result) as soon as one is done.
Keep = Callable[[int, Any], None]

#: What keeps libraries from starting a thread for every core in each of the workers.
ONE_THREAD: Mapping[str, str] = MappingProxyType(
    {
        name: "1"
        for name in (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "TF_NUM_INTRAOP_THREADS",
            "TF_NUM_INTEROP_THREADS",
        )
    }
)

#: How many workers of a local cluster one task may outlive.
LOST_WORKERS = 5


class ExecutorError(SbmlGradError):
    """Tasks could not be run on a cluster."""


@runtime_checkable
class Executor(Protocol):
    """Something that applies a function to tasks."""

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        ...

    @property
    def is_parallel(self) -> bool:
        """Whether tasks run beside each other, so that each should keep to one thread."""
        ...

    def map(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        progress: TaskProgress | None = None,
        keep: Keep | None = None,
    ) -> list[Result]:
        """Return the results in the order of the tasks.

        Args:
            function: of a module, so that other processes can import it.
            tasks: its arguments; they can be pickled.
            progress: called after each.
            keep: called with each result, in whatever order they come, before `progress` is.
        """
        ...


@runtime_checkable
class Sessions(Executor, Protocol):
    """An executor that can keep its workers from one round of tasks to the next."""

    def session(self) -> AbstractContextManager[Executor]:
        """Return a context with an executor whose rounds share the same workers."""
        ...


def opened(executor: Executor) -> AbstractContextManager[Executor]:
    """Return a context with an executor for many rounds of tasks, with its workers kept if it can.

    Args:
        executor: of any kind.
    """
    return executor.session() if isinstance(executor, Sessions) else nullcontext(executor)


@dataclass(frozen=True)
class Serial:
    """Run tasks one after the other in this process.

    When to choose it: the default; simulations use all cores by themselves.
    """

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return "Serial()"

    @property
    def is_parallel(self) -> bool:
        """Never."""
        return False

    def map(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        progress: TaskProgress | None = None,
        keep: Keep | None = None,
    ) -> list[Result]:
        """Return the results in the order of the tasks; see `Executor`."""
        results = []
        for task in tasks:
            results.append(function(task))
            if keep is not None:
                keep(len(results) - 1, results[-1])
            if progress is not None:
                progress(len(results), len(tasks))
        return results


@dataclass(frozen=True)
class Dask:
    """Run tasks on the workers of a Dask cluster, local or elsewhere.

    When to choose it: many tasks of seconds or more, such as refits of a bootstrap, and several
    cores or machines. It needs the extra `distributed`. A worker that is lost is replaced and its
    tasks are run again, with the same results, since seeds travel with tasks. Ctrl-C cancels what
    is under way and closes the local cluster.

    A local cluster starts processes, so a script that uses it has its work under
    `if __name__ == "__main__":`.

    Args:
        workers: processes of a local cluster, each with one thread.
        address: of a scheduler that runs already, such as `"tcp://10.0.0.1:8786"`; its workers
            need the same versions of Python and packages, and `workers` does not count.
    """

    workers: int = 2
    address: str | None = None

    def __post_init__(self) -> None:
        whole("workers", self.workers, 1, 10_000)

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        where = f"address={self.address!r}" if self.address else f"workers={self.workers}"
        return f"Dask({where})"

    @property
    def is_parallel(self) -> bool:
        """Always."""
        return True

    def map(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        progress: TaskProgress | None = None,
        keep: Keep | None = None,
    ) -> list[Result]:
        """Return the results in the order of the tasks; see `Executor`.

        Raises:
            RequestError: the extra is not installed.
            ExecutorError: the scheduler cannot be reached, or a task outlived more workers than
                `LOST_WORKERS`: it probably kills them, for want of memory for instance.
            Exception: whatever a task raised.
        """
        self._require()
        if not tasks:
            return []
        with self.session() as connected:
            return connected.map(function, tasks, progress, keep)

    @contextmanager
    def session(self) -> Iterator[Executor]:
        """Return a context with an executor whose rounds of tasks run on the same workers.

        Raises:
            RequestError, ExecutorError: as `map`.
        """
        self._require()
        with self._client() as client:
            yield _Connected(self, client)

    def _require(self) -> None:
        if importlib.util.find_spec("distributed") is None:
            raise RequestError(
                f"{self.name}: the package 'distributed' is not installed; install the extra with "
                "pip install 'sbmlgrad[distributed]', or use Serial()"
            )

    @contextmanager
    def _client(self) -> Iterator[Any]:
        import dask.config
        from distributed import Client, LocalCluster

        if self.address is not None:
            try:
                client = Client(self.address, timeout="10s")
            except (OSError, ValueError, TimeoutError) as error:
                raise ExecutorError(
                    f"{self.name}: the scheduler cannot be reached ({error}); check the address, "
                    "or leave it out for a local cluster"
                ) from error
            with client:
                yield client
            return
        with (
            dask.config.set({"distributed.scheduler.allowed-failures": LOST_WORKERS}),
            LocalCluster(
                n_workers=self.workers,
                threads_per_worker=1,
                processes=True,
                # Any free port of this machine only: the usual one may be another cluster's.
                dashboard_address="127.0.0.1:0",
                env=dict(ONE_THREAD),
                silence_logs=50,
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client


@dataclass(frozen=True, eq=False)
class _Connected:
    """An executor on a Dask cluster that is up."""

    dask: Dask
    client: Any

    @property
    def name(self) -> str:
        return self.dask.name

    @property
    def is_parallel(self) -> bool:
        return True

    def map(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        progress: TaskProgress | None = None,
        keep: Keep | None = None,
    ) -> list[Result]:
        from distributed import as_completed
        from distributed.scheduler import KilledWorker

        client = self.client
        # `pure=False`: equal tasks are run each, and nothing is taken from an earlier map.
        futures = [client.submit(function, task, pure=False) for task in tasks]
        places = {future.key: place for place, future in enumerate(futures)}
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                if future.status == "error":
                    future.result()
                if keep is not None:
                    keep(places[future.key], future.result())
                if progress is not None:
                    progress(done, len(tasks))
            return client.gather(futures)
        except KilledWorker as error:
            raise ExecutorError(
                f"{self.name}: a task was lost with its worker again and again ({error}); it "
                "probably takes more memory than a worker has, so use fewer workers"
            ) from error
        except BaseException:
            client.cancel(futures, force=True)
            raise
