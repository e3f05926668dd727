"""The cases of the support page: one tiny model per SBML construct, with its value at time 2.

To add a construct to the page, add one row. The value is worked out by hand for the rate equations;
where it is the mean of the stochastic process too, which holds for linear laws, it counts for exact
simulation as well.
"""

from __future__ import annotations

from math import e, exp, pi
from typing import Any

from support_document import (
    DECAY,
    K,
    document,
    event,
    function,
    initially,
    level_one,
    level_two,
    math,
    parameter,
    reaction,
    reference,
    rule,
    sets,
    species,
)
from support_package_cases import PACKAGE_CASES
from support_row import Case

#: Molecules of A, of 100 that decay at rate k = 0.5, that are left at time 2.
LEFT = 100.0 * exp(-1.0)
A = species()
MOLE = 'substanceUnits="mole" extentUnits="mole"'
_UNSET = ""
_HUNDRED_IN_MOLES = 100.0 / 6.02214076e23


def _decay_l2(version: int) -> str:
    return level_two(
        '<listOfCompartments><compartment id="cell" size="1"/></listOfCompartments><listOfSpecies>'
        '<species id="A" compartment="cell" initialAmount="100" hasOnlySubstanceUnits="true"/>'
        '</listOfSpecies><listOfParameters><parameter id="k" value="0.5"/></listOfParameters>'
        "<listOfReactions>"
        f"{_reaction_l2()}</listOfReactions>",
        version=version,
    )


def _reaction_l2(reactant: str = '<speciesReference species="A"/>', more: str = "") -> str:
    law = DECAY[DECAY.index("<kineticLaw>") : DECAY.index("</reaction>")]
    return (
        f'<reaction id="J" reversible="false"{more}><listOfReactants>{reactant}</listOfReactants>'
        f"{law}</reaction>"
    )


def _l2(
    *,
    types: str = "",
    compartment: str = "",
    cell: str = "",
    of_species: str = "",
    reactant: str = '<speciesReference species="A"/>',
    of_reaction: str = "",
) -> str:
    return level_two(
        f'{types}<listOfCompartments>{compartment}<compartment id="cell" size="1"{cell}/>'
        '</listOfCompartments><listOfSpecies><species id="A" compartment="cell" '
        f'initialAmount="100" hasOnlySubstanceUnits="true"{of_species}/></listOfSpecies>'
        f'<listOfParameters><parameter id="k" value="0.5"/></listOfParameters>'
        f"<listOfReactions>{_reaction_l2(reactant, of_reaction)}</listOfReactions>",
        version=4,
    )


def _cell(size: str = ' size="1"', dimensions: str = "3", constant: bool = True) -> str:
    return (
        f'<compartment id="cell"{size} spatialDimensions="{dimensions}" '
        f'constant="{str(constant).lower()}"/>'
    )


def _decay(**more: Any) -> str:
    return document(**{"species": A, "reactions": DECAY, **more})


_CONCENTRATION: dict[str, Any] = {"hasOnlySubstanceUnits": "false"}
_MOVING = _cell(constant=False)
_INERT = species("A", **_CONCENTRATION)

LEVELS = (
    *(Case("Levels", f"level 1 version {v}", level_one(v), "A", LEFT) for v in (1, 2)),
    *(Case("Levels", f"level 2 version {v}", _decay_l2(v), "A", LEFT) for v in range(1, 6)),
    *(Case("Levels", f"level 3 version {v}", _decay(version=v), "A", LEFT) for v in (1, 2)),
)  # fmt: skip

ELEMENTS = (
    Case(
        "Compartments", "size that is constant; symbols as concentrations",
        _decay(compartments=_cell(' size="2"'), species=_INERT), "A", 50.0 * exp(-0.5),
    ),
    Case("Compartments", "two, one and no dimensions",
         _decay(compartments=_cell(dimensions="2")), "A", LEFT),
    Case("Compartments", "no size, where none is needed",
         _decay(compartments=_cell("")), "A", LEFT),
    Case("Compartments", "no size, where a concentration needs it",
         _decay(compartments=_cell(""), species=_INERT), "A", None),
    Case("Compartments", "size set by an initial assignment",
         _decay(compartments=_cell(""), species=_INERT, initial=initially("cell", "4 * k")),
         "A", 50.0 * exp(-0.5)),
    Case("Compartments", "size set by an assignment rule",
         _decay(compartments=_cell("", constant=False), species=_INERT,
                rules=rule("assignment", "cell", "1 + time")),
         # dA/dt = -k A / (1 + t), so that 100 / (1 + t)^k are left
         "A", 100.0 * 3.0**-0.5 / 3.0),
    Case("Compartments", "size that a rate rule moves",
         document(compartments=_MOVING, species=_INERT, rules=rule("rate", "cell", "1"),
                  reactions=reaction(reference("A"), law="k * A * cell")), "A", LEFT / 3.0),
    Case("Compartments", "size that an event changes",
         document(compartments=_MOVING, species=_INERT,
                  reactions=reaction(reference("A"), law="k * A * cell"),
                  events=event("time >= 1", sets("cell", "2"))), "A", LEFT / 2.0),
    Case("Compartments", "`outside` and compartment types (level 2)",
         _l2(types='<listOfCompartmentTypes><compartmentType id="membrane"/>'
                   "</listOfCompartmentTypes>",
             compartment='<compartment id="outer" size="1"/>',
             cell=' outside="outer" compartmentType="membrane"'), "A", LEFT),
    Case("Species", "initial amount", _decay(), "A", LEFT),
    Case("Species", "initial concentration",
         _decay(compartments=_cell(' size="2"'),
                species=species(amount=None, initialConcentration="50", **_CONCENTRATION)),
         "A", 50.0 * exp(-0.5)),
    Case("Species", "initial amount that is no whole number of molecules",
         _decay(species=species(amount=100.5)), "A", LEFT * 1.005),
    Case("Species", "no initial value", _decay(species=species(amount=None)), "A", None),
    Case("Species", "boundary condition: not changed by reactions",
         document(species=species("A", boundaryCondition="true") + species("B", 0.0),
                  reactions=reaction(reference("A"), reference("B"))), "B", 100.0),
    Case("Species", "constant",
         document(species=species("A", boundaryCondition="true", constant="true")
                  + species("B", 0.0),
                  reactions=reaction(reference("A"), reference("B"))), "B", 100.0),
    Case("Species", "conversion factor of the model",
         _decay(parameters=K + parameter("two", 2.0, True), model='conversionFactor="two"'),
         "A", 100.0 * exp(-2.0)),
    Case("Species", "conversion factor of a species",
         _decay(parameters=K + parameter("two", 2.0, True),
                species=species(conversionFactor="two")), "A", 100.0 * exp(-2.0)),
    Case("Species", "conversion factor that makes fractions of molecules",
         _decay(parameters=K + parameter("half", 0.5, True),
                species=species(conversionFactor="half")), "A", 100.0 * exp(-0.5)),
    Case("Species", "species types and charge (level 2)",
         _l2(types='<listOfSpeciesTypes><speciesType id="ATP"/></listOfSpeciesTypes>',
             of_species=' speciesType="ATP" charge="2"'), "A", LEFT),
    Case("Units", "substance in items", _decay(), "A", LEFT),
    Case("Units", "substance in moles: molecules by Avogadro's number",
         _decay(substance=MOLE, species=species(amount=_HUNDRED_IN_MOLES)), "A",
         LEFT / 6.02214076e23),
    Case("Units", "substance dimensionless",
         _decay(substance='substanceUnits="dimensionless" extentUnits="dimensionless"'),
         "A", LEFT),
    Case("Units", "substance not given, whole initial amounts", _decay(substance=_UNSET),
         "A", LEFT),
    Case("Units", "substance not given, other initial amounts",
         _decay(substance=_UNSET, species=species(amount=0.25)), "A", LEFT / 400.0),
    Case("Units", "substance in kilograms",
         _decay(substance='substanceUnits="kilogram" extentUnits="kilogram"'), "A", LEFT),
    Case("Units", "unit definitions with scale and multiplier",
         _decay(units='<unitDefinition id="fmol"><listOfUnits><unit kind="mole" exponent="1" '
                      'scale="-15" multiplier="1"/></listOfUnits></unitDefinition>',
                substance='substanceUnits="fmol" extentUnits="fmol"',
                species=species(amount=_HUNDRED_IN_MOLES * 1e15)), "A",
         LEFT / 6.02214076e23 * 1e15),
    Case("Parameters", "global", _decay(), "A", LEFT),
    Case("Parameters", "local, shadowing a global one",
         _decay(reactions=reaction(
             reference("A"), local='<localParameter id="k" value="1"/>')), "A",
         100.0 * exp(-2.0)),
    Case("Parameters", "no value, where one is needed",
         _decay(parameters=parameter("k", constant=True)), "A", None),
    Case("Function definitions", "calls of functions, nested",
         _decay(functions=function("g", "y", "y / 2") + function("f", "x", "2 * g(x)"),
                reactions=reaction(reference("A"), law="f(k) * A")), "A", LEFT),
    Case("Function definitions", "recursion",
         _decay(functions=function("f", "x", "f(x)"),
                reactions=reaction(reference("A"), law="f(k) * A")), "A", None),
)  # fmt: skip

ASSIGNMENTS = (
    Case("Initial assignments", "to a species",
         _decay(initial=initially("A", "400 * k")), "A", 2.0 * LEFT),
    Case("Initial assignments", "to a parameter, through another assignment",
         _decay(parameters=parameter("k") + parameter("h"),
                initial=initially("k", "h / 2") + initially("h", "1")), "A", LEFT),
    Case("Initial assignments", "to a species reference",
         _decay(reactions=reaction(reference("A", None, id="n")), initial=initially("n", "2")),
         "A", 100.0 * exp(-2.0)),
    Case("Initial assignments", "cycle",
         _decay(initial=initially("A", "k") + initially("k", "A")), "A", None),
    Case("Rules", "assignment rule for a parameter",
         _decay(parameters=K + parameter("x"), rules=rule("assignment", "x", "2 * A")), "x",
         2.0 * LEFT),
    Case("Rules", "assignment rule for a species, used in a law",
         document(species=A + species("B", None), rules=rule("assignment", "B", "A / 2"),
                  reactions=reaction(
                      reference("A"), law="k * B",
                      modifiers='<modifierSpeciesReference species="B"/>')), "A",
         100.0 * exp(-0.5)),
    Case("Rules", "assignment rules that depend on each other in a cycle",
         _decay(parameters=K + parameter("x") + parameter("y"),
                rules=rule("assignment", "x", "y") + rule("assignment", "y", "x")), "x", None),
    Case("Rules", "rate rule for a parameter",
         _decay(parameters=parameter("k", 0.0), rules=rule("rate", "k", "0.5")), "A", LEFT),
    Case("Rules", "rate rule for a species",
         document(species=species("A", 1.5), rules=rule("rate", "A", "-k * A")), "A",
         1.5 * exp(-1.0)),
    Case("Rules", "rate rule that depends on counts",
         _decay(parameters=K + parameter("x", 0.0), rules=rule("rate", "x", "A")), "x",
         2.0 * (100.0 - LEFT)),
    Case("Rules", "algebraic rule",
         _decay(parameters=K + parameter("x"), rules=rule("algebraic", "", "x - A")), "x", LEFT),
    Case("Constraints", "constraint",
         _decay(constraints=f"<constraint>{math('A < 0')}</constraint>"), "A", LEFT,
         is_ignored=True),
)  # fmt: skip

_AB = A + species("B", 0.0)
#: A of A <=> B with rates 1/2 and 1/2 after time 2.
_RELAXED = 50.0 * (1.0 + exp(-2.0))


REACTIONS = (
    Case("Reactions", "kinetic law as written", _decay(), "A", LEFT),
    Case("Reactions", "reversible, law a difference of two propensities",
         document(species=_AB, reactions=reaction(
             reference("A"), reference("B"), "k * (A - B)", reversible="true")), "A", _RELAXED),
    Case("Reactions", "law that can become negative and is no such difference",
         document(species=_AB, reactions=reaction(
             reference("A"), reference("B"), "k * (A - 50)", reversible="true")), "A",
         50.0 + LEFT / 2.0),
    Case("Reactions", "law with `k*A*A` for two reacting molecules, as written",
         document(species=A, reactions=reaction(reference("A", 2.0), law="k * A * A")), "A",
         100.0 / 201.0, is_mean=False),
    Case("Reactions", "modifiers",
         document(species=A + species("E", 2.0), reactions=reaction(
             reference("A"), law="k * A * E / 2",
             modifiers='<modifierSpeciesReference species="E"/>')), "A", LEFT),
    Case("Reactions", "one species on both sides",
         document(species=_AB, reactions=reaction(
             reference("A"), reference("A") + reference("B"))), "B", 100.0),
    Case("Reactions", "zero-order production",
         document(species=species("A", 0.0), reactions=reaction("", reference("A"), "k")), "A",
         1.0),
    Case("Reactions", "stoichiometry that is no whole number",
         document(species=A, reactions=reaction(reference("A", 0.5))), "A", 100.0 * exp(-0.5)),
    Case("Reactions", "stoichiometry by a constant formula (level 2)",
         _l2(reactant='<speciesReference species="A"><stoichiometryMath><math xmlns="http://www.w3'
                      '.org/1998/Math/MathML"><apply><times/><cn>4</cn><ci>k</ci></apply></math>'
                      "</stoichiometryMath></speciesReference>"), "A", 100.0 * exp(-2.0)),
    Case("Reactions", "stoichiometry that changes",
         _decay(reactions=reaction(reference("A", None, id="n", constant="false")),
                rules=rule("assignment", "n", "1 + time")), "A", 100.0 * exp(-2.0)),
    Case("Reactions", "rate of a reaction in formulas",
         _decay(parameters=K + parameter("x"), rules=rule("assignment", "x", "J")), "x",
         LEFT / 2.0),
    Case("Reactions", "no kinetic law", _decay(reactions=reaction(reference("A"), law=None)), "A",
         None),
    Case("Reactions", "kinetic law without a formula",
         _decay(reactions=reaction(reference("A"), law="")), "A", None),
    Case("Reactions", "`fast`", _decay(version=1, reactions=reaction(
        reference("A"), fast="true")), "A", None),
    Case("Reactions", "explicit time in a law",
         document(species=A, reactions=reaction(reference("A"), law="k * A * time")), "A", LEFT),
    Case("Reactions", "propensity that becomes negative",
         document(species=species("A", 0.0), reactions=reaction(reference("A"), law="k")), "A",
         -1.0),
)  # fmt: skip


def _given(construct: str, formula: str, value: float) -> Case:
    return Case(
        "Formulas", construct,
        _decay(parameters=K + parameter("x"), rules=rule("assignment", "x", formula)), "x", value,
    )  # fmt: skip


_EIGHT = "<cn>8</cn>"
_CHAIN = "<apply><lt/><cn>1</cn><ci>k</ci><cn>3</cn></apply>"
FORMULAS = (
    _given("integers", '<cn type="integer">7</cn>', 7.0),
    _given("numbers with an exponent", '<cn type="e-notation">12.5<sep/>-1</cn>', 1.25),
    _given("rational numbers", '<cn type="rational">1<sep/>8</cn>', 0.125),
    _given("numbers with units", '<cn xmlns:s="http://www.sbml.org/sbml/level3/version2/core" '
           's:units="second">4</cn>', 4.0),
    _given("`pi`", "<pi/>", pi),
    _given("`exponentiale`", "<exponentiale/>", e),
    _given("`infinity`", f"<apply><min/><infinity/>{_EIGHT}</apply>", 8.0),
    _given("`log` without a base", "<apply><log/><cn>1000</cn></apply>", 3.0),
    _given("`log` to any base",
           f"<apply><log/><logbase><cn>2</cn></logbase>{_EIGHT}</apply>", 3.0),
    _given("`root` without a degree", "<apply><root/><cn>9</cn></apply>", 3.0),
    _given("`root` of any degree",
           f"<apply><root/><degree><cn>3</cn></degree>{_EIGHT}</apply>", 2.0),
    _given("relations of several arguments",
           f"<piecewise><piece><cn>5</cn>{_CHAIN}</piece><otherwise>{_EIGHT}</otherwise>"
           "</piecewise>", 8.0),
    _given("truth values as numbers, `piecewise` with several pieces",
           "<piecewise><piece><cn>1</cn><false/></piece><piece><cn>2</cn><true/></piece>"
           "</piecewise>", 2.0),
)  # fmt: skip

_X = parameter("x", 0.0)


def _delayed(formula: str) -> str:
    return f"<delay>{math(formula)}</delay>"


def _prioritised(formula: str) -> str:
    return f"<priority>{math(formula)}</priority>"


EVENTS = (
    Case("Events", "trigger on time, at its exact time",
         _decay(events=event("time >= 1", sets("A", "A + 100"))), "A",
         LEFT + 100.0 * exp(-0.5)),
    Case("Events", "trigger on the state",
         document(species=_AB, parameters=K + _X, reactions=reaction(reference("A")),
                  events=event("A < 100", sets("x", "7"))), "x", 7.0),
    Case("Events", "`initialValue` false: may fire at time 0",
         _decay(events=event("time >= 0", sets("A", "200"), initialValue="false")), "A",
         2.0 * LEFT),
    Case("Events", "delay",
         _decay(events=event("time >= 0.5", sets("A", "A + 100"), _delayed("0.5"))), "A",
         (100.0 * exp(-0.25) + 100.0) * exp(-0.5)),
    Case("Events", "priority",
         _decay(parameters=K + _X, events="".join(
             event("time >= 1", sets("x", f"10 * x + {n}"), _prioritised(str(n)),
                   useValuesFromTriggerTime="false")
             for n in (1, 3, 2))), "x", 321.0),
    Case("Events", "not persistent",
         _decay(parameters=K + _X, events=event(
             "time >= 0.5 && time < 0.7", sets("x", "1"), _delayed("1"), persistent="false")),
         "x", 0.0),
    Case("Events", "values from the time of execution",
         _decay(parameters=K + _X, events=event(
             "time >= 0.5", sets("x", "time"), _delayed("1"),
             useValuesFromTriggerTime="false")), "x", 1.5),
    Case("Events", "values from the time of the trigger",
         _decay(parameters=K + _X, events=event(
             "time >= 0.5", sets("x", "time"), _delayed("1"))), "x", 0.5),
    Case("Events", "assignment to a parameter",
         _decay(events=event("time >= 1", sets("k", "0")),
                parameters=parameter("k", 0.5)), "A", 100.0 * exp(-0.5)),
    Case("Events", "assignment to a species reference",
         _decay(reactions=reaction(reference("A", 1.0, id="n", constant="false")),
                events=event("time >= 1", sets("n", "2"))), "A", 100.0 * exp(-1.5)),
    Case("Events", "no assignments", _decay(events=event("time >= 1", "")), "A", LEFT),
)  # fmt: skip

_NOTE = (
    '<notes><p xmlns="http://www.w3.org/1999/xhtml">A note.</p></notes><annotation>'
    '<x:y xmlns:x="urn:x"/></annotation><listOfCompartments>'
)  # fmt: skip

NOTES = (
    Case("Notes and annotations", "notes, annotations, SBO terms", _decay(
        model='sboTerm="SBO:0000062" metaid="m"').replace("<listOfCompartments>", _NOTE, 1), "A",
        LEFT, is_ignored=True),
)  # fmt: skip

CASES = (*LEVELS, *ELEMENTS, *ASSIGNMENTS, *REACTIONS, *FORMULAS, *EVENTS, *NOTES, *PACKAGE_CASES)
