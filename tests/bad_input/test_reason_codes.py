"""Every reason code of the importer: a small model that yields it, with element and line."""

from __future__ import annotations

import pytest

import sbmlgrad as sg

CORE = "http://www.sbml.org/sbml/level3/version1/core"
MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">{}</math>'
X_LAW = "<apply><times/><ci>k</ci><ci>X</ci></apply>"


def model(
    law: str = X_LAW,
    *,
    before: str = "",
    after: str = "",
    reaction: str = "",
    reactants: str = '<speciesReference species="X" stoichiometry="1" constant="true"/>',
    species: str = 'initialAmount="5"',
    namespaces: str = "",
    attributes: str = 'substanceUnits="item" extentUnits="item"',
) -> str:
    kinetic = f"<kineticLaw>{MATH.format(law)}</kineticLaw>" if law else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="{CORE}" level="3" version="1"{namespaces}><model id="m" {attributes}>{before}
<listOfCompartments><compartment id="c" size="1" constant="true"/></listOfCompartments>
<listOfSpecies>
<species id="X" compartment="c" {species} hasOnlySubstanceUnits="true"
 boundaryCondition="false" constant="false"/>
</listOfSpecies>
<listOfParameters><parameter id="k" value="1" constant="false"/></listOfParameters>{after}
<listOfReactions>
<reaction id="J" reversible="false" fast="{"true" if reaction == "fast" else "false"}">
<listOfReactants>{reactants}</listOfReactants>
{kinetic}
</reaction></listOfReactions></model></sbml>"""


def rule(kind: str, variable: str = "") -> str:
    return f"<listOfRules><{kind}{variable}>{MATH.format('<cn>1</cn>')}</{kind}></listOfRules>"


EVENT = (
    '<listOfEvents><event id="E" useValuesFromTriggerTime="true"><trigger initialValue="true" '
    f'persistent="true">{MATH.format("<true/>")}</trigger></event></listOfEvents>'
)
DELAY = (
    '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay">delay</csymbol>'
    "<ci>X</ci><cn>1</cn></apply>"
)
TIME = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol>'
ASSIGN = (
    '<listOfInitialAssignments><initialAssignment symbol="{}">{}</initialAssignment>'
    "</listOfInitialAssignments>"
)
HALF = '<speciesReference species="X" stoichiometry="0.5" constant="true"/>'
UNSET = '<speciesReference species="X" constant="true"/>'
BOTH, SSA = {"ssa", "ode"}, {"ssa"}

CASES = [
    ("algebraic_rule", model(after=rule("algebraicRule")), "(algebraic rule)", BOTH),
    ("assignment_rule", model(after=rule("assignmentRule", ' variable="k"')), "k", BOTH),
    ("rate_rule", model(after=rule("rateRule", ' variable="k"')), "k", BOTH),
    ("event", model().replace("</model>", EVENT + "</model>"), "E", BOTH),
    ("delay", model(DELAY), "J/kineticLaw", BOTH),
    ("explicit_time", model(f"<apply><times/><ci>X</ci>{TIME}</apply>"), "J/kineticLaw", BOTH),
    ("fast_reaction", model(reaction="fast"), "J", BOTH),
    ("missing_kinetic_law", model(""), "J", BOTH),
    ("non_integer_stoichiometry", model(reactants=HALF), "J/X", SSA),
    ("variable_stoichiometry", model(reactants=UNSET), "J/X", BOTH),
    ("undefined_symbol", model("<ci>zz</ci>"), "J/kineticLaw", BOTH),
    ("unsupported_math", model("<apply><tan/><ci>X</ci></apply>"), "J/kineticLaw", BOTH),
    (
        "cyclic_assignment",
        model(after=ASSIGN.format("k", MATH.format("<apply><plus/><ci>k</ci><cn>1</cn></apply>"))),
        "k",
        BOTH,
    ),
    ("non_integer_initial_count", model(species='initialAmount="5.5"'), "X", SSA),
    ("negative_initial_count", model(species='initialAmount="-5"'), "X", SSA),
    ("count_too_large", model(species='initialAmount="1e20"'), "X", SSA),
    ("initial_value_missing", model(species=""), "X", SSA),
    (
        "reversible_not_separable",
        model("<apply><minus/><ci>X</ci><apply><exp/><ci>X</ci></apply></apply>").replace(
            "</listOfReactants>",
            '</listOfReactants><listOfProducts><speciesReference species="X" stoichiometry="2" '
            'constant="true"/></listOfProducts>',
        ),
        "J",
        SSA,
    ),
    (
        "unsupported_package",
        model(
            namespaces=' xmlns:z="http://www.sbml.org/sbml/level3/version1/zzz/version1" '
            'z:required="true"'
        ),
        "SBML component consistency",
        BOTH,
    ),
    ("units_ambiguous", model(attributes="", species='initialAmount="5.5"'), "m", SSA),
    ("parameter_value_missing", model().replace(' value="1"', ""), "k", SSA),
]


@pytest.mark.parametrize(("code", "text", "element", "blocks"), CASES, ids=[c[0] for c in CASES])
def test_code_element_and_line(code: str, text: str, element: str, blocks: set[str]) -> None:
    issues = [i for i in sg.check(text) if i.code == code and str(i.severity) == "error"]
    assert issues, sg.check(text)
    issue = issues[0]
    assert issue.element == element
    assert issue.blocks == blocks
    assert issue.line is None or 1 <= issue.line <= len(text.splitlines())
    assert issue.message
    assert issue.advice
    if blocks == BOTH:
        with pytest.raises(sg.UnsupportedModelError, match=code):
            sg.load(text)
    else:
        network = sg.load(text)
        with pytest.raises(sg.UnsupportedModelError, match=code):
            sg.simulate(network, times=[1], seed=1)


def test_the_plain_model_has_no_error() -> None:
    assert not [i for i in sg.check(model()) if str(i.severity) == "error"]
    assert sg.simulate(sg.load(model()), times=[50], seed=1).counts.ravel().tolist() == [0]


def test_all_problems_are_reported_at_once() -> None:
    text = model(
        "<ci>zz</ci>", after=rule("rateRule", ' variable="k"'), reaction="fast", reactants=UNSET
    )
    codes = {issue.code for issue in sg.check(text)}
    assert codes >= {"undefined_symbol", "rate_rule", "fast_reaction", "variable_stoichiometry"}


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    f'<sbml xmlns="{CORE}" level="3" version="1"><model id="&b;"/></sbml>'
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BOMB, "unsafe_xml"),
        (model()[:400], "broken_xml"),
        ("<html></html>", "not_sbml"),
        ("A -> B\nk*A*", "broken_antimony"),
    ],
)
def test_what_is_no_model(text: str, code: str) -> None:
    (issue,) = sg.check(text)
    assert issue.code == code
    with pytest.raises(sg.SbmlGradError, match=code):
        sg.load(text)


def test_a_missing_file_is_one_issue(tmp_path) -> None:
    (issue,) = sg.check(tmp_path / "none.xml")
    assert issue.code == "unreadable_file"
    with pytest.raises(sg.UnreadableFileError, match=r"none\.xml"):
        sg.load(tmp_path / "none.xml")
