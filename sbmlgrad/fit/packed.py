"""What the tasks of one fit share, pickled once and unpickled once by each process."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sbmlgrad.errors import FitError
from sbmlgrad.fit.parallel import Executor


@dataclass(frozen=True, eq=False)
class Packed:
    """What many tasks share, as bytes that each process unpacks once, or as it is.

    Attributes:
        pickled: for other processes, or None.
        things: for this process, or None.
    """

    pickled: bytes | None
    things: Any = None

    @property
    def unpacked(self) -> Any:
        """What was packed; the same object every time, so that what is cached for it is found."""
        return self.things if self.pickled is None else _unpacked(self.pickled)


@lru_cache(maxsize=4)
def _unpacked(packed: bytes) -> Any:
    return pickle.loads(packed)


def packed_for(executor: Executor, things: Any) -> Packed:
    """Pack what tasks share.

    Args:
        executor: that will run them.
        things: to pack; a parallel executor pickles them once, and not for every task.

    Raises:
        FitError: something cannot be pickled.
    """
    if not executor.is_parallel:
        return Packed(None, things)
    try:
        import cloudpickle as pickler  # it takes what is defined in a script or notebook, too
    except ImportError:
        pickler = pickle
    try:
        return Packed(pickler.dumps(things))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise FitError(
            f"{executor.name}: the fit cannot be sent to other processes ({error}); use "
            "objectives, engines and estimators that can be pickled, or leave the executor out"
        ) from error
