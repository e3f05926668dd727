"""Messages of the library in the words of the command line: arguments of Python as options."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

from sbmlgrad.cli.reading import Reading
from sbmlgrad.errors import DataError, FitError, ParameterError, RequestError, WriteError

#: Arguments of Python that are options by the same name, besides those of tables.
_OPTIONS = ("initial", "mass_action", "most_trajectories", "substance")
#: Arguments of `load_snapshots` that are options by another name.
_OTHERS = {"columns": "observables", "conditions": "condition_columns"}
#: Errors whose messages give advice on arguments.
_ERRORS = (DataError, FitError, ParameterError, RequestError, WriteError)

_TEXT = r"""(?:'[^']*'|"[^"]*")"""
_TABLES = [field.name for field in fields(Reading) if field.name != "column"]
_ARGUMENTS = "|".join([*_OPTIONS, *_OTHERS, *_TABLES])
#: An argument, perhaps with a value, and other values that it may have. Ids behind options of the
#: command line are no arguments, whatever they are called.
_PLAIN = re.compile(
    rf"(?<!--map )(?<!--start )(?<!--bounds )\b({_ARGUMENTS})="
    rf"(?:({_TEXT})((?:, {_TEXT})*(?: or {_TEXT})?)|(\[{_TEXT}(?:, {_TEXT})*\])|([-\w./]*))"
)
_MAPPING = re.compile(rf"mapping=\{{({_TEXT}): (?:None|({_TEXT}))\}}")
_LEAVING_OUT = re.compile(rf"give mapping=\{{({_TEXT}): None\}}( to ignore it)?")
_LEVEL = re.compile(r"\blevel=([0-9]): only level 3")
_ONE_CONDITION = re.compile(rf"in a mapping file or (.*), as data\.of\({_TEXT}\)")
_START = re.compile(r"start=\{'(\w+)': ([\d.]+)\}(?: \(--start [^)]*\))?")
#: What is said otherwise where nothing can be typed so.
_WORDS = {
    "names=['time', ...]": "--names time,...",
    "mapping= ": "--map ",
    "no time= and": "no --time-column and",
    "sheet=, several with a list": "sheet=, several by repeating it",
    "called 'all'; give a list of names": "called 'all'; rename that one, or name all you mean",
    "use one of None, ": "use one of ",
    r"'\t'": "tab",
    "'wide', 'long', None or": "'wide', 'long' or",
    "'long', 'wide' or None": "'long' or 'wide'",
    "pass distrib=False": "give --no-distrib",
    "give it a value with with_parameters() to hold it": "give it a value in the model to hold it",
    "use load_measurements": "say --layout wide, and leave out --snapshots in a fit",
    "courses, which load_measurements reads": "courses, which are read without --snapshots",
}
#: Values that shells take as they are.
_PLAIN_VALUE = re.compile(r"[\w./%+@-]*\w[\w.,:/%+@-]*")


@contextmanager
def as_options() -> Iterator[None]:
    """Let errors within name options of the command line where they name arguments of Python."""
    try:
        yield
    except _ERRORS as error:
        text = in_options(str(error))
        if type(error) not in _ERRORS or text == str(error):
            raise
        raise type(error)(text) from error


@contextmanager
def beside_mapping(file: str) -> Iterator[None]:
    """Let errors of reading data say how a mapping file leaves a column out, instead of `--map`.

    Args:
        file: name of the mapping file.
    """
    try:
        yield
    except DataError as error:
        text = str(error).replace("mapping= names", f"{file} leaves out")
        text = _LEAVING_OUT.sub(lambda found: left_out_by(file, _value(found[1])), text)
        raise DataError(text) from error


def left_out_by(file: str, column: str = "") -> str:
    """Return advice on how a mapping file leaves a column out.

    Args:
        file: name of the mapping file.
        column: of the data; any if empty.
    """
    named = f"the column {column!r}" if column else "a column that is to be left out"
    return f"name {named} under 'column' in {file}, in an entry without observableId"


def in_options(message: str) -> str:
    """Return a message with options such as `--time-column NAME` for `time_column=`.

    Args:
        message: of an error of the library.
    """
    for found, said in _WORDS.items():
        message = message.replace(found, said)
    message = _MAPPING.sub(_map, message)
    message = _START.sub(r"--start \1=\2", message)
    message = _LEVEL.sub(r"--level \1: only level 3", message)
    message = _ONE_CONDITION.sub(r"in a mapping file (--mapping) or \1, in its own file", message)
    return _PLAIN.sub(_option, message)


def _map(found: re.Match[str]) -> str:
    return f'--map "{_value(found[1])}={_value(found[2]) if found[2] else ""}"'


def _option(found: re.Match[str]) -> str:
    name, text, others, listed, bare = found.groups()
    option = "--" + _OTHERS.get(name, name).replace("_", "-")
    if text is not None:
        return f"{option} {_typed(text)}{re.sub(_TEXT, lambda other: _typed(other[0]), others)}"
    if listed is not None:
        values = re.findall(_TEXT, listed)
        if name == "names":
            return f"{option} {_typed(repr(','.join(map(_value, values))))}"
        return " ".join(f"{option} {_typed(value)}" for value in values)
    return f"{option} {bare}".rstrip()


def _typed(text: str) -> str:
    """Return a text in quotes of Python as it is typed in a shell."""
    value = _value(text)
    return value if _PLAIN_VALUE.fullmatch(value) else f'"{value}"'


def _value(text: str) -> str:
    """Return what a text in quotes of Python says."""
    try:
        return literal_eval(text)
    except (SyntaxError, ValueError):  # a message may put quotes around anything
        return text[1:-1]
