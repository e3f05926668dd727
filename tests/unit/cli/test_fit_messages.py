"""Advice of the library in the words of the command line."""

from __future__ import annotations

import pytest

from sbmlgrad.cli.fit_messages import as_options, beside_mapping, in_options
from sbmlgrad.errors import DataError, RequestError, SimulationError, WriteError

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
    "level=2: only level 3 has it; pass distrib=False to": (
        "--level 2: only level 3 has it; give --no-distrib to"
    ),
    "in a mapping file or a PEtab problem, or fit what is under one of them, as data.of('a b')": (
        "in a mapping file (--mapping) or a PEtab problem, or fit what is under one of them, in "
        "its own file"
    ),
    "or give it a value with with_parameters() to hold it": (
        "or give it a value in the model to hold it"
    ),
    # An id may be called like an argument.
    "--start clock=0: too small": "--start clock=0: too small",
    "quoted='as it is'": "quoted='as it is'",
}


@pytest.mark.parametrize("message", SAID)
def test_arguments_become_options(message) -> None:
    assert in_options(message) == SAID[message]


@pytest.mark.parametrize("kind", [DataError, RequestError, WriteError])
def test_errors_keep_their_kind(kind) -> None:
    with pytest.raises(kind, match=r"^give --sheet all$"), as_options():
        raise kind("give sheet='all'")


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(SimulationError, match="give sheet='all'"), as_options():
        raise SimulationError("give sheet='all'")


def test_advice_on_columns_is_of_the_mapping_file_where_there_is_one() -> None:
    said = "mapping= names 'x'; give mapping={'y z': None}, or condition_columns=['y z']"
    with pytest.raises(DataError) as caught, as_options(), beside_mapping("map.tsv"):
        raise DataError(said)
    assert str(caught.value) == (
        "map.tsv leaves out 'x'; name the column 'y z' under 'column' in map.tsv, in an entry "
        'without observableId, or --condition-columns "y z"'
    )
