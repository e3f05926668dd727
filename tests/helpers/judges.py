"""Stand-ins for the check of one file, for processes of their own: importable by name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sbmlgrad.cli.check import check_file
from sbmlgrad.model.issues import Issue


def hostile(name: str, options: Mapping[str, Any]) -> tuple[Issue, ...]:
    """Check a file; one called after a misfortune meets it."""
    fate = Path(name).stem
    if fate == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if fate == "exit":
        os._exit(7)
    if fate == "hang":
        time.sleep(600.0)
    return check_file(name, options)


def interrupted(name: str, options: Mapping[str, Any]) -> tuple[Issue, ...]:
    """Check a file; at one called `stop` the user presses Ctrl-C."""
    if Path(name).stem == "stop":
        os.kill(os.getppid(), signal.SIGINT)
        time.sleep(600.0)
    return check_file(name, options)


def faulty(source: object, **options: Any) -> tuple[Issue, ...]:
    """Stand for a defect of `check` itself."""
    raise ZeroDivisionError(f"a defect met {source}")
