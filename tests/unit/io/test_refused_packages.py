"""Packages that are refused are named, whatever else is wrong with a document."""

from __future__ import annotations

from pathlib import Path

import pytest
from sbml_text import model, parameter, reaction, rule, species

import sbmlgrad as sg
from sbmlgrad.io.sbml.levels import at_level

PACKAGES = "http://www.sbml.org/sbml/level3/version1"
DECAY = model(reaction("J", "k*X", "X"), species=[species("X")], parameters=[parameter("k")])
OBJECTIVE = (
    '<fbc:listOfObjectives fbc:activeObjective="o"><fbc:objective fbc:id="o" fbc:type="maximize">'
    '<fbc:listOfFluxObjectives><fbc:fluxObjective fbc:reaction="J" fbc:coefficient="1"/>'
    "</fbc:listOfFluxObjectives></fbc:objective></fbc:listOfObjectives></model>"
)


def declared(text: str, name: str, version: int = 1, *, required: bool) -> str:
    flag = str(required).lower()
    about = f' xmlns:{name}="{PACKAGES}/{name}/version{version}" {name}:required="{flag}"'
    return text.replace(' level="3"', f'{about} level="3"', 1)


def found(source: str | Path) -> list[tuple[str, str]]:
    return [(i.code, i.element) for i in sg.check(source) if i.blocks == {"ssa", "ode"}]


CASES = {
    # Without fbc:strict, spatial:isLocal and multi:isType, which libSBML calls errors.
    "fbc": declared(DECAY.replace("</model>", OBJECTIVE), "fbc", 2, required=False),
    "spatial": declared(DECAY, "spatial", required=True),
    "multi": declared(DECAY, "multi", required=True),
    "qual": declared(DECAY, "qual", required=True),
    "arrays": declared(DECAY, "arrays", required=True),
    "nobody": declared(DECAY, "nobody", required=True),
}


@pytest.mark.parametrize("name", CASES)
def test_the_package_is_named_beside_errors_of_reading(name: str) -> None:
    broken = CASES[name].replace('reversible="false"', 'reversible="maybe"')
    problems = found(broken)
    assert problems.count(("unsupported_package", name)) == 1
    assert "invalid_sbml" in {code for code, _ in problems}
    assert [code for code, _ in problems].count("unsupported_package") == 1
    with pytest.raises(sg.UnsupportedModelError, match=f"unsupported_package.* {name} "):
        sg.load(broken)


@pytest.mark.parametrize("name", CASES)
def test_the_rest_is_judged_where_only_the_package_is_at_fault(name: str) -> None:
    text = CASES[name].replace("<listOfReactions>", RULE + "<listOfReactions>")
    assert {("unsupported_package", name), ("algebraic_rule", "(algebraic rule)")} <= set(
        found(text)
    )


RULE = f"<listOfRules>{rule('algebraic', None, 'X - 1')}</listOfRules>"


def test_a_broken_document_without_a_model() -> None:
    text = '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"/>'
    assert found(declared(text, "qual", required=True))[0] == ("unsupported_package", "qual")
    assert {code for code, _ in found(text)} == {"invalid_sbml"}


def test_unknown_packages_that_are_not_required_do_not_matter() -> None:
    text = declared(DECAY, "nobody", required=False)
    assert found(text) == []
    assert sg.load(text) == sg.load(DECAY)
    broken = text.replace('reversible="false"', 'reversible="maybe"')
    assert {code for code, _ in found(broken)} == {"invalid_sbml"}


def test_packages_of_files_that_are_broken(tmp_path: Path) -> None:
    inner = CASES["qual"].replace('reversible="false"', 'reversible="maybe"')
    (tmp_path / "inner.xml").write_text(inner)
    comp = f"{PACKAGES}/comp/version1"
    outer = model(compartments=[]).replace(
        "</model>",
        '<comp:listOfSubmodels><comp:submodel comp:id="s" comp:modelRef="E"/>'
        "</comp:listOfSubmodels></model><comp:listOfExternalModelDefinitions>"
        '<comp:externalModelDefinition comp:id="E" comp:source="inner.xml"/>'
        "</comp:listOfExternalModelDefinitions>",
    )
    outer = outer.replace(' level="3"', f' xmlns:comp="{comp}" comp:required="true" level="3"')
    (tmp_path / "outer.xml").write_text(outer)
    assert set(found(tmp_path / "outer.xml")) == {
        ("unsupported_package", "qual"),
        ("comp_flattening", "E"),
    }


def test_conversion_still_refuses_unknown_packages() -> None:
    with pytest.raises(sg.SbmlGradError, match="unsupported_package"):
        at_level(CASES["nobody"].encode(), 2, 4)
