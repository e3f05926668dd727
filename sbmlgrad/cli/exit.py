"""How a command ends: exit codes, and errors and Ctrl-C as one message on standard error."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import typer

OK, NO, BAD_INPUT, FAILED, INTERRUPTED = 0, 1, 2, 3, 130

_P = ParamSpec("_P")

# typer brings its own copy of click; this is the root of that copy's usage errors.
_UsageFault: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


class _Stopped(Exception):
    """Ctrl-C during a command: typer would end without a word on a `KeyboardInterrupt`."""


def stoppable(command: Callable[_P, int]) -> Callable[_P, int]:
    """Return a command whose interruption by the user reaches `exit_code`."""

    @wraps(command)
    def run(*args: _P.args, **options: _P.kwargs) -> int:
        try:
            return command(*args, **options)
        except KeyboardInterrupt:
            raise _Stopped from None

    return run


def exit_code(run: Callable[[], Any]) -> int:
    """Run the command line and return its exit code; errors become one message.

    Args:
        run: parses and runs a `stoppable` command, whose exit code it returns; None means fine.
    """
    from sbmlgrad.errors import RefereeError, SbmlGradError, SimulationError, StatisticsError

    try:
        result = run()
    except (typer.Abort, KeyboardInterrupt, _Stopped):
        return _say("interrupted; no file was left half written", INTERRUPTED)
    except _UsageFault as error:
        error.show()
        return BAD_INPUT
    except (SimulationError, StatisticsError, RefereeError) as error:
        return _say(f"error: {error}", FAILED)
    except SbmlGradError as error:
        return _say(f"error: {error}", BAD_INPUT)
    except Exception:
        traceback.print_exc()
        return _say("this is a fault of sbmlgrad itself; please report it", FAILED)
    return result if isinstance(result, int) else OK


def _say(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code
