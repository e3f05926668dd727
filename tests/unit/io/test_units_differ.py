"""Warnings where numbers of different units meet without a conversion factor."""

from __future__ import annotations

from math import exp

import pytest
from sbml_parts import composed, constant, submodel
from sbml_text import ITEMS, line_of, model, parameter, reaction, species

import sbmlgrad as sg


def unit(name: str, kind: str, multiplier: float = 1.0, scale: int = 0) -> str:
    return (
        f'<unitDefinition id="{name}"><listOfUnits><unit kind="{kind}" exponent="1" '
        f'scale="{scale}" multiplier="{multiplier}"/></listOfUnits></unitDefinition>'
    )


def warnings_of(text: str) -> list[sg.Issue]:
    found = [i for i in sg.check(text) if i.code == "units_differ"]
    assert all(str(i.severity) == "warning" and not i.blocks for i in found)
    return found


UNITS = [unit("dozen", "item", 12.0), unit("mmol", "mole", scale=-3), unit("item_too", "item")]


def dozens(attributes: str = ITEMS, **about: object) -> str:
    given = {"substanceUnits": "dozen", **about}
    return model(
        reaction("J", "k*X", "X"),
        species=[species("X", **given)],
        parameters=[parameter("k", 0.5), constant("f", 3.0)],
        units=UNITS,
        attributes=attributes,
    )


def test_a_species_that_is_counted_in_another_unit_than_reactions() -> None:
    text = dozens()
    (issue,) = warnings_of(text)
    assert (issue.element, issue.line) == ("X", line_of(text, '<species id="X"'))
    assert "'dozen'" in issue.message
    assert "'item'" in issue.message
    assert "0.0833333" in issue.advice, "one item is a twelfth of a dozen"


def test_the_message_says_what_happens() -> None:
    """SBML converts nothing: dX/dt = -k X in dozens, and one firing takes twelve molecules."""
    network = sg.load(dozens())
    solution = sg.simulate(network, times=[1.0], engine=sg.engines.ODE())
    assert float(solution.mean("X")[-1]) == pytest.approx(10.0 * exp(-0.5), rel=1e-6)
    cells = sg.simulate(network, times=[1.0], trajectories=50, seed=1)
    assert set((cells.counts % 12).ravel().tolist()) == {0}
    assert set(cells.counts.ravel().tolist()) != {0}


SILENT = {
    "the_same": dozens(ITEMS.replace("item", "dozen")),
    "the_same_number": dozens(substanceUnits="item_too"),
    "a_factor": dozens(conversionFactor="f"),
    "a_factor_of_the_model": dozens().replace("<model ", '<model conversionFactor="f" ', 1),
    "no_extent": dozens('substanceUnits="item"'),
    "no_unit_of_the_species": dozens('extentUnits="item"', substanceUnits=None),
    "boundary": dozens(boundaryCondition="true"),
    "not_reacting": model(
        reaction("J", "k"),
        species=[species("X", substanceUnits="dozen")],
        parameters=[parameter("k")],
        units=UNITS,
    ),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_where_nothing_is_to_be_said(text: str) -> None:
    assert warnings_of(text) == []


def test_a_unit_chosen_for_the_whole_model_is_no_difference() -> None:
    assert "units_differ" not in {i.code for i in sg.load(dozens(), substance="item").issues}


# --- submodels ------------------------------------------------------------------------------------

MINUTES = 'substanceUnits="item" extentUnits="item" timeUnits="minute"'
DOZENS = 'substanceUnits="dozen" extentUnits="dozen" timeUnits="second"'


def outer(**factors: str) -> str:
    inner = model(
        reaction("J", "k*X", "X"),
        species=[species("X")],
        parameters=[parameter("k")],
        units=[unit("minute", "second", 60.0), unit("dozen", "item", 12.0)],
        attributes=factors.pop("attributes"),
    )
    text = model(parameters=[constant("f", 60.0)], compartments=[])
    return composed(text, submodel("A", "inner", **factors), inner=inner)  # pyright: ignore[reportArgumentType]


def test_a_submodel_with_another_unit_of_time() -> None:
    (issue,) = warnings_of(outer(attributes=MINUTES))
    assert issue.element == "A"
    assert "timeConversionFactor" in issue.message
    assert warnings_of(outer(attributes=MINUTES, time="f")) == []
    assert warnings_of(outer(attributes=ITEMS)) == []


def test_a_submodel_with_another_unit_of_extent() -> None:
    issues = warnings_of(outer(attributes=DOZENS))
    assert [i.element for i in issues] == ["A", "A__X"]
    assert "extentConversionFactor" in issues[0].message
    # The species stays what it is: counted in dozens, while reactions are in items.
    assert [i.element for i in warnings_of(outer(attributes=DOZENS, extent="f"))] == ["A__X"]


OLD_LAW = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level2" level="2" version="1"><model id="m">
<listOfUnitDefinitions>
<unitDefinition id="substance"><listOfUnits><unit kind="item"/></listOfUnits></unitDefinition>
<unitDefinition id="minute"><listOfUnits><unit kind="second" multiplier="60"/></listOfUnits>
</unitDefinition>
<unitDefinition id="dozen"><listOfUnits><unit kind="item" multiplier="12"/></listOfUnits>
</unitDefinition>
</listOfUnitDefinitions>
<listOfCompartments><compartment id="c" size="3"/></listOfCompartments>
<listOfSpecies><species id="A" compartment="c" initialAmount="100"/></listOfSpecies>
<listOfReactions><reaction id="R" reversible="false">
<listOfReactants><speciesReference species="A"/></listOfReactants>
<kineticLaw ATTRIBUTES><math xmlns="http://www.w3.org/1998/Math/MathML">
<apply><times/><cn>0.5</cn><ci>c</ci><ci>A</ci></apply></math></kineticLaw>
</reaction></listOfReactions></model></sbml>"""


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ("", []),
        ('timeUnits="second" substanceUnits="item"', []),
        ('timeUnits="time" substanceUnits="substance"', []),
        ('timeUnits="minute"', ["timeUnits is 'minute', 60 times"]),
        ('substanceUnits="dozen"', ["substanceUnits is 'dozen', 12 times"]),
    ],
)
def test_units_of_an_old_kinetic_law(attributes: str, said: list[str]) -> None:
    text = OLD_LAW.replace("ATTRIBUTES", attributes)
    found = warnings_of(text)
    assert len(found) == len(said)
    for issue, words in zip(found, said, strict=True):
        assert words in issue.message
        assert (issue.element, issue.line) == ("R/kineticLaw", line_of(text, "<kineticLaw"))
