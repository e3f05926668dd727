"""Messages of the library in the words of the command line: arguments of Python as options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sbmlgrad.errors import DataError, FitError, ParameterError

#: Arguments of Python that are options of `fit` by the same name.
_OPTIONS = (
    "above_detection",
    "below_detection",
    "header_row",
    "initial",
    "layout",
    "mass_action",
    "most_trajectories",
    "plate_map",
    "sheet",
    "substance",
    "time_column",
    "time_unit",
)
_PLAIN = re.compile(rf"\b({'|'.join(_OPTIONS)})=('([^']*)'|[\w./]*)")
_MAPPING = re.compile(r"mapping=\{'([^']*)': (?:None|'([^']*)')\}")
_START = re.compile(r"start=\{'(\w+)': ([\d.]+)\}(?: \(--start [^)]*\))?")


@contextmanager
def as_options() -> Iterator[None]:
    """Let errors within name options of the command line where they name arguments of Python."""
    try:
        yield
    except (DataError, FitError, ParameterError) as error:
        text = in_options(str(error))
        if type(error) not in (DataError, FitError, ParameterError) or text == str(error):
            raise
        raise type(error)(text) from error


def in_options(message: str) -> str:
    """Return a message with options such as `--time-column NAME` for `time_column=`.

    Args:
        message: of an error of the library.
    """
    message = _MAPPING.sub(lambda found: f'--map "{found[1]}={found[2] or ""}"', message)
    message = message.replace("names=['time', ...]", "--names time,...")
    message = _START.sub(r"--start \1=\2", message)
    return _PLAIN.sub(_option, message.replace("mapping= ", "--map "))


def _option(found: re.Match[str]) -> str:
    value = found[3] if found[3] is not None else found[2]
    value = f'"{value}"' if " " in value else value
    return f"--{found[1].replace('_', '-')} {value}".rstrip()
