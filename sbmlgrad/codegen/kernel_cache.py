"""numba's cache of machine code, made to survive damage: what cannot be read is compiled again."""

from __future__ import annotations

from types import ModuleType
from typing import Any


class TolerantCache:
    """The cache of one function; a file of it that is cut short or garbled counts as missing.

    numba reads its files with pickle, and whatever that raises would stop every later run.
    """

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return compiled code from disk, or None; damaged files are emptied."""
        try:
            return self._cache.load_overload(signature, target)
        except Exception:
            # Bytes that are no pickle raise nearly anything.
            self._cache.flush()
            return None

    def save_overload(self, signature: Any, data: Any) -> None:
        """Write compiled code to disk, over files that are damaged."""
        try:
            self._cache.save_overload(signature, data)
        except Exception:
            self._cache.flush()
            self._cache.save_overload(signature, data)


def make_tolerant(module: ModuleType) -> None:
    """Let all compiled functions of a module survive a damaged cache."""
    for function in vars(module).values():
        cache = getattr(function, "_cache", None)
        if hasattr(cache, "load_overload") and not isinstance(cache, TolerantCache):
            function._cache = TolerantCache(cache)
