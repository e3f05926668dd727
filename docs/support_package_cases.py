"""Cases of the support page: level 3 packages and csymbols."""

from __future__ import annotations

from math import exp
from typing import Any

from support_document import (
    CELL,
    DECAY,
    PACKAGES,
    K,
    csymbol,
    document,
    event,
    function,
    initially,
    number,
    parameter,
    reaction,
    reference,
    rule,
    sets,
    species,
)
from support_row import Case

LEFT = 100.0 * exp(-1.0)
A = species()
_X = parameter("x", 0.0)


def _declared(name: str, *, required: bool, version: int = 1) -> str:
    return (
        f'xmlns:{name}="{PACKAGES}/{name}/version{version}" '
        f'{name}:required="{str(required).lower()}"'
    )


def _with(packages: str, **more: Any) -> str:
    given: dict[str, Any] = {"species": A, "reactions": DECAY, "version": 1, **more}
    return document(packages=packages, **given)


_DISTRIB = _declared("distrib", required=True)


def _draw(name: str, *values: float) -> str:
    return csymbol(name, *map(number, values), package="distrib")


_SLOW_DECAY = DECAY.replace("<reaction ", '<reaction fast="false" ')
_INNER = (
    '<comp:listOfModelDefinitions xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/'
    'version1"><comp:modelDefinition id="inner" substanceUnits="item" extentUnits="item" '
    f'timeUnits="second"><listOfCompartments>{CELL}</listOfCompartments><listOfSpecies>{A}'
    f"</listOfSpecies><listOfParameters>{K}</listOfParameters><listOfReactions>"
    f"{_SLOW_DECAY}"
    "</listOfReactions></comp:modelDefinition></comp:listOfModelDefinitions>"
)
_SUBMODEL = (
    '<comp:listOfSubmodels><comp:submodel comp:id="part" comp:modelRef="inner"/>'
    "</comp:listOfSubmodels>"
)
_COMPOSED = document(
    version=1, packages=_declared("comp", required=True), beside=_INNER, inside=_SUBMODEL,
    compartments="", parameters="",
)  # fmt: skip
_UNCERTAINTY = species().replace(
    "/>",
    "><distrib:listOfUncertainties><distrib:uncertainty><distrib:uncertParameter "
    'distrib:value="5" distrib:type="standardDeviation"/></distrib:uncertainty>'
    "</distrib:listOfUncertainties></species>",
)
_GROUP = (
    '<groups:listOfGroups><groups:group groups:id="g" groups:kind="collection">'
    '<groups:listOfMembers><groups:member groups:idRef="A"/></groups:listOfMembers>'
    "</groups:group></groups:listOfGroups>"
)
_LAYOUT = (
    '<layout:listOfLayouts><layout:layout layout:id="l"><layout:dimensions layout:width="9" '
    'layout:height="9"/></layout:layout></layout:listOfLayouts>'
)
_FLUX = (
    '<fbc:listOfObjectives fbc:activeObjective="o"><fbc:objective fbc:id="o" fbc:type="maximize">'
    '<fbc:listOfFluxObjectives><fbc:fluxObjective fbc:reaction="J" fbc:coefficient="1"/>'
    "</fbc:listOfFluxObjectives></fbc:objective></fbc:listOfObjectives>"
)
_QUALITATIVE = (
    '<qual:listOfQualitativeSpecies><qual:qualitativeSpecies qual:id="q" '
    'qual:compartment="cell" qual:constant="false"/></qual:listOfQualitativeSpecies>'
)
_TIME = csymbol("time").replace("<apply>", "").replace("</apply>", "")
_AVOGADRO = csymbol("avogadro").replace("<apply>", "").replace("</apply>", "")

_CSYMBOLS = (
    Case("csymbols", "time",
         document(species=A, reactions=reaction(
             reference("A"), law=f"<apply><times/><ci>k</ci><ci>A</ci>{_TIME}</apply>")),
         "A", LEFT),
    Case("csymbols", "avogadro",
         document(species=A, reactions=reaction(
             reference("A"), law=f"<apply><divide/><apply><times/><ci>k</ci><ci>A</ci>{_AVOGADRO}"
             "</apply><cn>6.02214076e23</cn></apply>"), parameters=K), "A", LEFT,
         tolerance=1e-4),
    Case("csymbols", "delay",
         document(species=A, reactions=reaction(
             reference("A"), law=f"<apply><times/><ci>k</ci>"
             f"{csymbol('delay', '<ci>A</ci>', number(1.0))}</apply>")), "A", None),
    Case("csymbols", "rateOf, of what a rate rule moves",
         document(species=A, parameters=K + _X + parameter("y"), reactions=DECAY,
                  rules=rule("rate", "x", "3 * k")
                  + rule("assignment", "y", csymbol("rateOf", "<ci>x</ci>"))), "y", 1.5),
    Case("csymbols", "rateOf, of what reactions change",
         document(species=A, parameters=K + parameter("y"), reactions=DECAY,
                  rules=rule("assignment", "y", csymbol("rateOf", "<ci>A</ci>"))), "y",
         -LEFT / 2.0),
)  # fmt: skip

_UNKNOWN = 'xmlns:odd="http://www.sbml.org/sbml/level3/version1/odd/version1" odd:required="{}"'

_PACKAGES = (
    Case("Packages", "comp: submodels, flattened", _COMPOSED, "part__A", LEFT),
    Case("Packages", "distrib: draws in event assignments",
         _with(_DISTRIB, parameters=K + _X,
               events=event("time >= 1", sets("x", _draw("normal", 4.0, 2.0)))), "x", 4.0),
    Case("Packages", "distrib: truncated draws",
         _with(_DISTRIB, parameters=K + _X, events=event(
             "time >= 1", sets("x", _draw("normal", 4.0, 2.0, 3.0, 5.0)))), "x", 4.0),
    Case("Packages", "distrib: draws in initial assignments",
         _with(_DISTRIB, parameters=K + _X, initial=initially("x", _draw("uniform", 1.0, 3.0))),
         "x", 2.0),
    Case("Packages", "distrib: a draw handed to a function that uses it once",
         _with(_DISTRIB, parameters=K + _X, functions=function("f", "v", "2 * v"),
               initial=initially("x", f"<apply><ci>f</ci>{_draw('uniform', 1.0, 3.0)}</apply>")),
         "x", 4.0),
    Case("Packages", "distrib: a draw handed to a function that uses it twice",
         _with(_DISTRIB, parameters=K + _X, functions=function("f", "v", "v - v"),
               initial=initially("x", f"<apply><ci>f</ci>{_draw('uniform', 1.0, 3.0)}</apply>")),
         "x", None),
    Case("Packages", "distrib: draws in a kinetic law",
         _with(_DISTRIB, reactions=reaction(
             reference("A"), law=_draw("exponential", 1.0))), "A", None),
    Case("Packages", "distrib: uncertainty of values",
         _with(_DISTRIB, species=_UNCERTAINTY), "A", LEFT, is_ignored=True),
    Case("Packages", "l3v2extendedmath: operators of version 2 in version 1",
         _with(_declared("l3v2extendedmath", required=True), reactions=reaction(
             reference("A"), law="<apply><times/><ci>k</ci><apply><max/><ci>A</ci><cn>0</cn>"
             "</apply></apply>")), "A", LEFT),
    Case("Packages", "layout", _with(_declared("layout", required=False), inside=_LAYOUT), "A",
         LEFT, is_ignored=True),
    Case("Packages", "render",
         _with(_declared("layout", required=False) + " " + _declared("render", required=False),
               inside=_LAYOUT), "A", LEFT, is_ignored=True),
    Case("Packages", "groups", _with(_declared("groups", required=False), inside=_GROUP), "A",
         LEFT, is_ignored=True),
    Case("Packages", "fbc: declared, not used",
         _with(_declared("fbc", required=False, version=2), model='fbc:strict="false"'), "A", LEFT,
         is_ignored=True),
    Case("Packages", "fbc: objectives",
         _with(_declared("fbc", required=False, version=2), model='fbc:strict="false"',
               inside=_FLUX), "A", None),
    Case("Packages", "qual: qualitative species",
         _with(_declared("qual", required=True), inside=_QUALITATIVE), "A", None),
    Case("Packages", "multi",
         _with(_declared("multi", required=True),
               compartments=CELL.replace("/>", ' multi:isType="false"/>')), "A", None),
    Case("Packages", "spatial",
         _with(_declared("spatial", required=True), reactions=_SLOW_DECAY.replace(
             "<reaction ", '<reaction spatial:isLocal="false" ')), "A", None),
    Case("Packages", "arrays", _with(_declared("arrays", required=True)), "A", None),
    Case("Packages", "dyn", _with(_declared("dyn", required=True)), "A", None),
    Case("Packages", "an unknown package that is required", _with(_UNKNOWN.format("true")), "A",
         None),
    Case("Packages", "an unknown package that is not", _with(_UNKNOWN.format("false")), "A", LEFT,
         is_ignored=True),
)  # fmt: skip

PACKAGE_CASES = (*_CSYMBOLS, *_PACKAGES)
