"""How a command reads a table of measurements: the options for that, taken together.

Commands that read tables have one parameter `reading`, which stands for all of these options.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, fields
from functools import wraps
from typing import Annotated, Any, get_args, get_type_hints

from typer.models import OptionInfo

from sbmlgrad.cli import options as opt
from sbmlgrad.cli import table_options as table
from sbmlgrad.cli.support import names_of, pairs

#: Title above these options in the help of a command.
_PANEL = "How the data are read"

#: Name in shells of a character that is hard to type there.
_TAB = ("tab", r"\t")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was given on the command line; None where nothing was.

    Attributes are called like the arguments of `load_measurements`, save `column`, which holds the
    entries of its mapping, COLUMN=ID.
    """

    column: opt.Column = None
    sheet: table.Sheets = None
    sheets_are: table.SheetsAre = None
    layout: table.LayoutName = None
    observables: table.Observables = None
    time_column: opt.TimeColumn = None
    time_unit: table.TimeUnit = None
    clock: table.Clock = None
    header_row: table.HeaderRow = None
    names: table.Names = None
    condition_columns: table.ConditionColumns = None
    replicate_columns: table.ReplicateColumns = None
    decimal: table.Decimal = None
    missing: table.Missing = None
    below_detection: table.Below = None
    above_detection: table.Above = None
    lower_limit: table.LowerLimit = None
    upper_limit: table.UpperLimit = None
    separator: table.Separator = None
    encoding: table.Encoding = None
    plate_map: table.PlateMap = None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `load_measurements` that were given.

        Raises:
            RequestError: an option `--map` is not written as it must be.
        """
        given = {
            field.name: value
            for field in fields(self)
            if (value := getattr(self, field.name)) is not None and value != []
        }
        columns = given.pop("column", None)
        if columns:
            given["mapping"] = {name: to or None for name, to in pairs(columns, "--map").items()}
        # Naming one sheet is no request to label it as one of several.
        if self.sheet and len(self.sheet) == 1:
            given["sheet"] = self.sheet[0]
        if self.names is not None:
            given["names"] = list(names_of(self.names))
        if self.separator in _TAB:
            given["separator"] = "\t"
        if self.plate_map is not None:
            given["plate_map"] = str(self.plate_map)
        return given


#: Default of a parameter `reading`.
AS_FOUND = Reading()


def option_of(argument: str) -> str:
    """Return the option that stands for an argument of `load_measurements`."""
    return "--map" if argument == "mapping" else "--" + argument.replace("_", "-")


def with_reading(command: Callable[..., int]) -> Callable[..., int]:
    """Return a command that has the options of `Reading` in place of its parameter `reading`.

    Args:
        command: with annotations from which typer makes its options.
    """
    signature = inspect.signature(command, eval_str=True)
    hints = get_type_hints(Reading, include_extras=True)
    own = {
        field.name: inspect.Parameter(
            field.name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=field.default,
            annotation=_in_panel(hints[field.name]),
        )
        for field in fields(Reading)
    }
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        parameters += own.values() if parameter.name == "reading" else [parameter]

    @wraps(command)
    def run(**given: Any) -> int:
        reading = Reading(**{name: given.pop(name) for name in own if name in given})
        return command(reading=reading, **given)

    run.__annotations__ = {p.name: p.annotation for p in parameters}
    run.__dict__["__signature__"] = signature.replace(parameters=parameters)
    return run


def _in_panel(annotation: Any) -> Any:
    """Return the declaration of an option with the title that it stands under."""
    kind, info = get_args(annotation)
    info = copy(info)
    assert isinstance(info, OptionInfo)
    info.rich_help_panel = _PANEL
    return Annotated[kind, info]
