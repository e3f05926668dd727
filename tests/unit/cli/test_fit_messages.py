"""Advice of the library in the words of the command line."""

from __future__ import annotations

import pytest

from sbmlgrad.cli.fit_messages import as_options, in_options
from sbmlgrad.errors import DataError, RequestError, SimulationError

SAID = {
    "give clock='h:mm' or clock='m:ss'": "give --clock h:mm or --clock m:ss",
    "choose below_detection='drop', 'half' or 'limit' (it": (
        "choose --below-detection drop, half or limit (it"
    ),
    "give missing=['n/a']": "give --missing n/a",
    "give missing=['-']": 'give --missing "-"',
    "names=['time [min]', 'A']": '--names "time [min],A"',
    "give names=['time', ...], one name": "give --names time,..., one name",
    "condition_columns=['dose', 'my drug']": (
        '--condition-columns dose --condition-columns "my drug"'
    ),
    "mapping={'x y': None}, or mapping={'x y': 'A'}": '--map "x y=", or --map "x y=A"',
    """mapping={"it's": None}""": '--map "it\'s="',
    "sheet='all' may mean every sheet or the one called 'all'; give a list of names": (
        "--sheet all may mean every sheet or the one called 'all'; rename that one, or name all "
        "you mean"
    ),
    "upper_limit=": "--upper-limit",
    "header_row=3 is an empty row": "--header-row 3 is an empty row",
    "columns= names ['Q']": "--observables names ['Q']",
    "the wide layout has no time= and no conditions=;": (
        "the wide layout has no --time-column and no --condition-columns;"
    ),
    "start={'k': 1.0} (--start k=1)": "--start k=1.0",
    # An id may be called like an argument.
    "--start clock=0: too small": "--start clock=0: too small",
    "quoted='as it is'": "quoted='as it is'",
}


@pytest.mark.parametrize("message", SAID)
def test_arguments_become_options(message) -> None:
    assert in_options(message) == SAID[message]


@pytest.mark.parametrize("kind", [DataError, RequestError])
def test_errors_keep_their_kind(kind) -> None:
    with pytest.raises(kind, match=r"^give --sheet all$"), as_options():
        raise kind("give sheet='all'")


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(SimulationError, match="give sheet='all'"), as_options():
        raise SimulationError("give sheet='all'")
