"""A small model of every construct of SBML, as text, for tests that must hold for all of them."""

from __future__ import annotations

from typing import Any

from sbml_text import (
    assignment,
    at_level,
    compartment,
    event,
    function,
    math,
    model,
    parameter,
    raw,
    reaction,
    rule,
    species,
)

DISTRIB = "http://www.sbml.org/sbml/level3/version1/distrib/version1"
_COMP = "http://www.sbml.org/sbml/level3/version1/comp/version1"
_GROUPS = "http://www.sbml.org/sbml/level3/version1/groups/version1"


def draw(name: str, *arguments: str) -> str:
    """Return the math element of a random draw."""
    url = f"http://www.sbml.org/sbml/symbols/distrib/{name}"
    symbol = f'<csymbol encoding="text" definitionURL="{url}">{name}</csymbol>'
    return raw(f"<apply>{symbol}{''.join(arguments)}</apply>")


def with_distrib(text: str) -> str:
    """Declare the package for random draws."""
    return text.replace(
        ' level="3"', f' xmlns:distrib="{DISTRIB}" distrib:required="true" level="3"'
    )


def _birth_death(**lists: Any) -> str:
    """Return births at rate q and deaths of 10 X at rate k each, with whatever else is given."""
    given = {"parameters": [parameter("k", 0.5), parameter("q", 3.0)], **lists}
    laws = [reaction("death", "k*X", "X"), reaction("birth", "q", "", "X")]
    return model(*laws, species=[species("X")], **given)


_LEVEL_1 = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2">
<model name="m">
<listOfUnitDefinitions><unitDefinition name="substance"><listOfUnits>
<unit kind="item"/></listOfUnits></unitDefinition></listOfUnitDefinitions>
<listOfCompartments><compartment name="cell" volume="2"/></listOfCompartments>
<listOfSpecies><species name="X" compartment="cell" initialAmount="10"/></listOfSpecies>
<listOfParameters><parameter name="k" value="0.5"/>
<parameter name="w" value="1"/>
</listOfParameters>
<listOfRules><parameterRule name="w" formula="2 * k"/></listOfRules>
<listOfReactions><reaction name="death" reversible="false">
<listOfReactants><speciesReference species="X"/></listOfReactants>
<kineticLaw formula="w * h * X * cell">
<listOfParameters><parameter name="h" value="0.25"/></listOfParameters></kineticLaw>
</reaction></listOfReactions>
</model>
</sbml>
"""

_ITEMS_L2 = (
    '<listOfUnitDefinitions><unitDefinition id="substance"><listOfUnits><unit kind="item"/>'
    "</listOfUnits></unitDefinition></listOfUnitDefinitions>"
)


def _level_2(text: str, version: int) -> str:
    return at_level(text, 2, version).replace('<model id="m">', f'<model id="m">{_ITEMS_L2}')


def _composed() -> str:
    part = _birth_death()
    inside = part[part.index(">", part.index("<model ")) + 1 : part.index("</model>")]
    outer = model(compartments=[], parameters=[parameter("unused", 3.0)])
    outer = outer.replace(' level="3"', f' xmlns:comp="{_COMP}" comp:required="true" level="3"')
    submodels = (
        "<comp:listOfSubmodels>"
        '<comp:submodel comp:id="a" comp:modelRef="part"/>'
        '<comp:submodel comp:id="b" comp:modelRef="part"/>'
        "</comp:listOfSubmodels>"
    )
    definition = f'<comp:modelDefinition id="part">{inside}</comp:modelDefinition>'
    lists = f"<comp:listOfModelDefinitions>{definition}</comp:listOfModelDefinitions>"
    return outer.replace("</model>", f"{submodels}</model>{lists}")


def _grouped() -> str:
    group = (
        '<groups:listOfGroups><groups:group groups:kind="collection"><groups:listOfMembers>'
        '<groups:member groups:idRef="X"/></groups:listOfMembers></groups:group>'
        "</groups:listOfGroups>"
    )
    text = _birth_death().replace("</model>", f"{group}</model>")
    return text.replace(
        ' level="3"', f' xmlns:groups="{_GROUPS}" groups:required="false" level="3"'
    )


_TEN, _TWO, _ONE = "<cn>10</cn>", "<cn>2</cn>", "<cn>1</cn>"

#: Name → document. All can be simulated stochastically.
CONSTRUCTS: dict[str, str] = {
    "birth and death": _birth_death(),
    "concentrations": model(
        reaction("J", "k*A*B*cell", "A B", "C"),
        reaction("L", "k*C*cell - 0.1*A*cell", "C", "A", reversible=True),
        compartments=[compartment("cell", 2.5)],
        species=[
            species("A", 20, hasOnlySubstanceUnits="false"),
            species("B", None, initialConcentration=8, hasOnlySubstanceUnits="false"),
            species("C", 3, hasOnlySubstanceUnits="false"),
        ],
        parameters=[parameter("k", 0.1)],
    ),
    "locals, functions, boundaries": model(
        reaction("J", "half(h)*X*F", "X", modifiers="F", local={"h": 0.3}),
        reaction("birth", "k", "S", "X"),
        functions=[function("half", "x", "x/2")],
        species=[
            species("X"),
            species("F", 2, constant="true", boundaryCondition="true"),
            species("S", 5, boundaryCondition="true"),
        ],
        parameters=[parameter("k", 4.0), parameter("h", 9.0)],
    ),
    "initial assignments and rules": _birth_death(
        parameters=[parameter("k", None), parameter("q", 1.0), parameter("r", 2.0)],
        assignments=[assignment("k", "r/4"), assignment("X", "5*r")],
        rules=[rule("assignment", "q", "r + X/10")],
    ),
    "time in a law": _birth_death(rules=[rule("assignment", "q", "3*(1 + sin(2*time))")]),
    "rate rules": model(
        reaction("death", "k*X/cell", "X"),
        reaction("birth", "q*Z", "", "X", modifiers="Z"),
        compartments=[compartment("cell", 1.0, constant="false")],
        species=[
            species("X"),
            species("Z", 2.5, boundaryCondition="true", hasOnlySubstanceUnits="false"),
        ],
        parameters=[parameter("k", 0.5), parameter("q", 2.0)],
        rules=[
            rule("rate", "q", "1 - 0.5*q"),
            rule("rate", "cell", "0.3*cell"),
            rule("rate", "Z", "0.4 - 0.1*Z"),
        ],
    ),
    "time trigger": _birth_death(events=[event("E", "time >= 1.5", "X", "X + 20")]),
    "state trigger": _birth_death(
        events=[
            event("E", "X >= 12", "k", "2", more=[("X", "4")]),
            event(None, "X <= 4", "k", "0.2"),
        ]
    ),
    "event at the start": _birth_death(
        events=[event("E", "X > 3", "X", "25", initial_value=False)]
    ),
    "delays": _birth_death(
        events=[
            event("E", "X >= 12", "X", "X + 5", delay="0.3", persistent=False),
            event("F", "time > 1", "X", "X + 9", delay="k", use_trigger_values=False),
        ]
    ),
    "priorities": _birth_death(
        events=[
            event("E", "time >= 1", "k", "1", priority="X"),
            event("F", "time >= 1", "k", "0.1", priority="11"),
        ]
    ),
    "event on a compartment": model(
        reaction("death", "k*X*cell", "X"),
        compartments=[compartment("cell", 1.0, constant="false")],
        species=[species("X", 30, hasOnlySubstanceUnits="false"), species("Y", 6)],
        parameters=[parameter("k", 0.5)],
        events=[event("E", "time >= 1", "cell", "4", more=[("X", "5")])],
    ),
    "stoichiometry by an initial assignment": model(
        reaction("birth", "q", "", "X:n"),
        reaction("death", "k*X", "X"),
        species=[species("X")],
        parameters=[parameter("k", 0.5), parameter("q", 1.0)],
        assignments=[assignment("n", "2 + 1")],
    ),
    "conversion factor": model(
        reaction("birth", "q", "", "X"),
        reaction("death", "k*X", "X"),
        species=[species("X", conversionFactor="factor")],
        parameters=[
            parameter("k", 0.2),
            parameter("q", 1.0),
            parameter("factor", 2, constant="true"),
        ],
    ).replace('initialAmount="10', 'initialAmount="200'),
    "logic": _birth_death(
        rules=[
            rule("assignment", "q", "piecewise(2, X > 4 && !(X == 8), 5, xor(X > 2, X > 3), 1)"),
        ]
    ),
    "operators of version 2": at_level(
        _birth_death(
            rules=[rule("assignment", "q", "max(1, rem(X, 3), min(X, 2)) + quotient(X, 4)")]
        ),
        3,
        2,
    ),
    "draws in events": with_distrib(
        _birth_death(
            events=[
                event("E", "time >= 1", "X", draw("poisson", _TEN)),
                event("F", "X > 12", "k", draw("normal", _TWO, "<cn>0.1</cn>")),
            ]
        )
    ),
    "draws at the start": with_distrib(
        _birth_death(
            assignments=[
                assignment("X", draw("poisson", _TEN)),
                assignment("k", draw("uniform", _ONE, _TWO)),
            ]
        )
    ),
    "constraints and units": model(
        reaction("death", "k*X", "X"),
        species=[species("X")],
        parameters=[parameter("k", 0.5, units="rate")],
        units=[
            '<unitDefinition id="rate"><listOfUnits>'
            '<unit kind="second" exponent="-1" scale="0" multiplier="1"/>'
            "</listOfUnits></unitDefinition>"
        ],
        constraints=[f"<constraint>{math('X > -1')}</constraint>"],
    ),
    "groups": _grouped(),
    "composed": _composed(),
    "level 1": _LEVEL_1,
    "level 2 version 1": _level_2(_birth_death(rules=[rule("assignment", "q", "3*time")]), 1),
    "level 2 version 4": _level_2(
        _birth_death(
            assignments=[assignment("k", "q/6")],
            events=[event("E", "time >= 1.5", "X", "X + 20", delay="0.1")],
        ),
        4,
    ),
    "level 3 version 2": at_level(_birth_death(), 3, 2),
}

#: Constructs that have no clock: their networks are firing channels and nothing else.
WITHOUT_CLOCK = (
    *("birth and death", "concentrations", "locals, functions, boundaries"),
    *("initial assignments and rules", "stoichiometry by an initial assignment"),
    *("conversion factor", "logic", "operators of version 2", "constraints and units", "groups"),
    *("composed", "level 1", "level 3 version 2"),
)
