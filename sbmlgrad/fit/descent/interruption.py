"""Ctrl-C in a descent, noticed where Python drops it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def noticed() -> Iterator[Callable[[], bool]]:
    """Return a context that gives a function which tells whether Ctrl-C was pressed in it.

    Python raises `KeyboardInterrupt` wherever the main thread is. In a callback of the garbage
    collector it is printed and dropped, and work would go on. Long work asks from time to time.

    Python's own handler is called as before, and put back at the end. In other threads, which may
    set no handlers, and where somebody handles the signal in another way, nothing is noticed.
    """
    pressed = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or before is not signal.default_int_handler:
        yield pressed.is_set
        return

    def handle(number: int, frame: Any) -> None:
        pressed.set()
        signal.default_int_handler(number, frame)

    try:
        signal.signal(signal.SIGINT, handle)
        yield pressed.is_set
    finally:
        try:
            signal.signal(signal.SIGINT, before)
        except KeyboardInterrupt:  # a signal that was waiting is handled before the change
            signal.signal(signal.SIGINT, before)
            raise
