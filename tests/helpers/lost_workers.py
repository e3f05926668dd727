"""Workers that are lost, and a problem whose tasks they are sent.

Workers cannot import the modules of tests, so that what they run is sent by value.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from networks import network

import sbmlgrad as sg
from sbmlgrad.fit.parallel import Executor, opened
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.model.measurements import Measurements


def replicates() -> sg.Problem:
    """Return immigration and death with two replicates at three times; both rates are free."""
    data = Measurements(
        ("X",),
        np.array([1.0, 1.0, 2.0, 2.0, 4.0, 4.0]),
        np.zeros(6, dtype=np.int64),
        np.array([1.6, 1.9, 2.8, 2.6, 4.0, 3.8]),
        ("a", "b") * 3,
        ("",) * 6,
    )
    return plain_problem(network("immigration_death"), data, ["alpha", "mu"])[0]


@dataclass(frozen=True)
class Deadly:
    """An executor of which one task kills the worker that takes it, once.

    Attributes:
        inner: what does the work.
        mark: path of a file that is made when the worker is lost.
    """

    inner: Any
    mark: str

    @property
    def name(self) -> str:
        """That of the other."""
        return self.inner.name

    @property
    def is_parallel(self) -> bool:
        """Always, so that tasks are sent."""
        return True

    @contextmanager
    def session(self) -> Iterator[Executor]:
        """Keep the workers of the other."""
        with opened(self.inner) as connected:
            yield Deadly(connected, self.mark)

    def map(self, function: Callable[[Any], Any], tasks: Any, *more: Any) -> list[Any]:
        """Run the tasks on workers, of which one dies."""
        return self.inner.map(Dying(function, self.mark), tasks, *more)


@dataclass(frozen=True)
class Dying:
    """A task function that ends its process where a file is not there yet, and makes the file."""

    function: Callable[[Any], Any]
    mark: str

    def __call__(self, task: Any) -> Any:
        """Run the task, or die."""
        if getattr(task, "first_trajectory", 1) == 0:  # not the first epoch
            return self.function(task)
        try:
            os.close(os.open(self.mark, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return self.function(task)
        os._exit(1)


@contextmanager
def sent_by_value(*modules: str) -> Iterator[None]:
    """Send what is defined here and in these modules to workers as it is."""
    import cloudpickle

    names = (*modules, __name__, network.__module__)
    for name in names:
        cloudpickle.register_pickle_by_value(sys.modules[name])
    try:
        yield
    finally:
        for name in names:
            cloudpickle.unregister_pickle_by_value(sys.modules[name])
