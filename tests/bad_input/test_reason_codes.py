"""Every reason code of the importer: a small model that yields it, with element and line."""

from __future__ import annotations

import pytest

import sbmlgrad as sg
from sbmlgrad.model.readiness import MISSING_VALUES

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
DRAW = (
    '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/distrib/normal">'
    "normal</csymbol><cn>1</cn><cn>1</cn></apply>"
)
DISTRIB = (
    ' xmlns:distrib="http://www.sbml.org/sbml/level3/version1/distrib/version1"'
    ' distrib:required="true"'
)
COMP = ' xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true"'
SUBMODEL = (
    '<comp:listOfSubmodels><comp:submodel comp:id="s" comp:modelRef="none"/>'
    "</comp:listOfSubmodels></model>"
)
CALL = "<apply><ci>f</ci><ci>X</ci></apply>"
REFERENCE = '<speciesReference id="n" species="X" constant="false" stoichiometry="1"/>'
ASSIGN = (
    '<listOfInitialAssignments><initialAssignment symbol="{}">{}</initialAssignment>'
    "</listOfInitialAssignments>"
)
RULE = '<listOfRules><assignmentRule variable="{}">{}</assignmentRule></listOfRules>'
HALF = '<speciesReference species="X" stoichiometry="0.5" constant="true"/>'
UNSET = '<speciesReference species="X" constant="true"/>'
BOTH, SSA = {"ssa", "ode"}, {"ssa"}

CASES = [
    ("algebraic_rule", model(after=rule("algebraicRule")), "(algebraic rule)", BOTH),
    ("delay", model(DELAY), "J/kineticLaw", BOTH),
    ("delay", model(after=RULE.format("k", MATH.format(DELAY))), "k", BOTH),
    ("distribution_in_law", model(DRAW, namespaces=DISTRIB), "J/kineticLaw", BOTH),
    (
        "distribution_in_rule",
        model(after=RULE.format("k", MATH.format(DRAW)), namespaces=DISTRIB),
        "k",
        BOTH,
    ),
    (
        "distribution_in_rule",
        model(namespaces=DISTRIB).replace(
            "</model>",
            EVENT.replace("<true/>", f"<apply><lt/>{DRAW}<cn>1</cn></apply>") + "</model>",
        ),
        "E/trigger",
        BOTH,
    ),
    (
        "comp_flattening",
        model(namespaces=COMP).replace("</model>", SUBMODEL),
        "none",
        BOTH,
    ),
    ("invalid_sbml", model(after=RULE.format("X", MATH.format("<cn>1</cn>"))), "X", BOTH),
    (
        "invalid_sbml",
        model(after=RULE.format("c", MATH.format("<cn>1</cn>"))),
        "c",
        BOTH,
    ),
    (
        "invalid_sbml",
        model(species='initialAmount="5" conversionFactor="k"'),
        "X",
        BOTH,
    ),
    ("fast_reaction", model(reaction="fast"), "J", BOTH),
    ("missing_kinetic_law", model(""), "J", BOTH),
    ("non_integer_stoichiometry", model(reactants=HALF), "J/X", SSA),
    ("variable_stoichiometry", model(reactants=UNSET), "J/X", BOTH),
    ("undefined_symbol", model("<ci>zz</ci>"), "J/kineticLaw", BOTH),
    ("unsupported_math", model(CALL), "J/kineticLaw", BOTH),
    (
        "cyclic_assignment",
        model(after=ASSIGN.format("k", MATH.format("<apply><plus/><ci>k</ci><cn>1</cn></apply>"))),
        "k",
        BOTH,
    ),
    (
        "cyclic_assignment",
        model("<apply><times/><ci>J</ci><cn>2</cn></apply>"),
        "J/kineticLaw",
        BOTH,
    ),
    (
        "variable_stoichiometry",
        model(reactants=REFERENCE, after=RULE.format("n", MATH.format("<ci>X</ci>"))),
        "J/X",
        SSA,
    ),
    ("non_integer_initial_count", model(species='initialAmount="5.5"'), "X", SSA),
    ("negative_initial_count", model(species='initialAmount="-5"'), "X", SSA),
    ("count_too_large", model(species='initialAmount="1e20"'), "X", SSA),
    ("initial_value_missing", model(species=""), "X", BOTH),
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
        "z",
        BOTH,
    ),
    ("units_ambiguous", model(attributes="", species='initialAmount="5.5"'), "m", SSA),
    ("parameter_value_missing", model().replace(' value="1"', ""), "k", BOTH),
]


@pytest.mark.parametrize(
    ("code", "text", "element", "blocks"), CASES, ids=[f"{c[0]}-{c[2]}" for c in CASES]
)
def test_code_element_and_line(code: str, text: str, element: str, blocks: set[str]) -> None:
    issues = [i for i in sg.check(text) if i.code == code and str(i.severity) == "error"]
    assert issues, sg.check(text)
    issue = issues[0]
    assert issue.element == element
    assert issue.blocks == blocks
    assert issue.line is None or 1 <= issue.line <= len(text.splitlines())
    assert issue.message
    assert issue.advice
    if blocks == BOTH and code not in MISSING_VALUES:
        with pytest.raises(sg.UnsupportedModelError, match=code):
            sg.load(text)
    else:
        network = sg.load(text)
        with pytest.raises(sg.UnsupportedModelError, match=code):
            sg.simulate(network, times=[1], seed=1)
    if code in MISSING_VALUES:
        with pytest.raises(sg.UnsupportedModelError, match=code):
            sg.simulate(network, times=[1], engine=sg.engines.ODE())


def test_the_plain_model_has_no_error() -> None:
    assert not [i for i in sg.check(model()) if str(i.severity) == "error"]
    assert sg.simulate(sg.load(model()), times=[50], seed=1).counts.ravel().tolist() == [0]


def test_all_problems_are_reported_at_once() -> None:
    text = model("<ci>zz</ci>", after=rule("algebraicRule"), reaction="fast", reactants=UNSET)
    codes = {issue.code for issue in sg.check(text)}
    assert codes >= {
        "undefined_symbol",
        "algebraic_rule",
        "fast_reaction",
        "variable_stoichiometry",
    }


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


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (f' xmlns="{CORE}"', "", "invalid_sbml"),
        ('level="3"', 'level="2"', "invalid_sbml"),
        ('version="1">', 'version="7">', "invalid_sbml"),
        ('level="3"', 'level="x"', "invalid_sbml"),
        ('level="3"', "", "invalid_sbml"),
        ('level="3"', 'level="4"', "unsupported_level"),
    ],
)
def test_a_namespace_of_another_level(old: str, new: str, code: str) -> None:
    text = model().replace(old, new, 1)
    assert text != model()
    (issue,) = sg.check(text)
    assert (issue.code, issue.element, issue.line) == (code, "sbml", 2)


UNIT = (
    '<listOfUnitDefinitions><unitDefinition id="u"><listOfUnits>'
    '<unit kind="mole" exponent="{}" scale="{}" multiplier="{}"/>'
    "</listOfUnits></unitDefinition></listOfUnitDefinitions>"
)


@pytest.mark.parametrize(
    ("exponent", "scale", "multiplier"),
    [
        ("NaN", "0", "1"),
        ("1e300", "0", "1"),
        ("-1e300", "0", "1"),
        ("1", "2000000000", "1"),
        ("1", "0", "0"),
        ("1", "0", "-1"),
        ("1", "0", "NaN"),
        ("1", "0", "INF"),
        ("0.5", "0", "-1"),
    ],
)
def test_units_that_are_no_number_of_molecules(exponent: str, scale: str, multiplier: str) -> None:
    text = model(before=UNIT.format(exponent, scale, multiplier), attributes="").replace(
        'id="X"', 'id="X" substanceUnits="u"'
    )
    assert ("units_ambiguous", "X") in {(i.code, i.element) for i in sg.check(text)}
    with pytest.raises(sg.UnsupportedModelError, match="units_ambiguous"):
        sg.simulate(sg.load(text), times=[1], seed=1)


def test_ids_that_stand_for_two_things() -> None:
    """A compartment that does not exist, called like the species in it or like a reaction."""
    for name in ("X", "J", "k"):
        text = model().replace('compartment="c"', f'compartment="{name}"')
        assert {(i.code, i.element) for i in sg.check(text) if i.blocks == BOTH} == {
            ("undefined_symbol", "X")
        }


def test_rules_of_sbml_that_do_not_matter_are_warnings() -> None:
    text = model().replace('<parameter id="k"', '<parameter id="k" units="nonsense"')
    (issue,) = [i for i in sg.check(text) if i.code == "sbml_rule_broken"]
    assert str(issue.severity) == "warning"
    assert issue.line is not None
    assert "nonsense" in text.splitlines()[issue.line - 1]
    assert sg.load(text).parameter_ids == ("k",)


def test_packages_without_bearing_on_the_mathematics_are_ignored() -> None:
    """Also where the document requires them, or uses them in a way that libSBML cannot read."""
    uri = "http://www.sbml.org/sbml/level3/version1/layout/version1"
    layout = f' xmlns:layout="{uri}" layout:required="true"'
    text = model(namespaces=layout)
    assert sg.load(text) == sg.load(model())
    level_2 = text.replace(CORE, "http://www.sbml.org/sbml/level2/version4")
    level_2 = level_2.replace('level="3" version="1"', 'level="2" version="4"')
    level_2 = level_2.replace(' constant="true"/>\\n', "/>").replace(
        'stoichiometry="1" constant="true"', 'stoichiometry="1"'
    )
    level_2 = level_2.replace(' substanceUnits="item" extentUnits="item"', "")
    issues = [i for i in sg.check(level_2) if i.code == "sbml_rule_broken"]
    assert issues
    assert all("layout" in i.message for i in issues)
    assert sg.load(level_2).species_ids == ("X",)


def test_notes_about_uncertainty_are_ignored_and_said_so() -> None:
    note = (
        '<parameter id="k" value="1" constant="false"><distrib:listOfUncertainties>'
        '<distrib:uncertainty><distrib:uncertParameter distrib:type="standardDeviation" '
        'distrib:value="0.1"/></distrib:uncertainty></distrib:listOfUncertainties></parameter>'
    )
    plain = model(namespaces=DISTRIB)
    text = plain.replace('<parameter id="k" value="1" constant="false"/>', note)
    assert text != plain
    (issue,) = [i for i in sg.check(text) if i.code == "uncertainty_ignored"]
    assert (str(issue.severity), issue.blocks) == ("info", frozenset())
    assert sg.load(text) == sg.load(plain)
    assert "uncertainty_ignored" not in {i.code for i in sg.check(plain)}
