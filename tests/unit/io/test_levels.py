"""One model in several levels and versions of SBML gives one network."""

from __future__ import annotations

import tarfile
from collections import defaultdict

import pytest
from networks import ROOT
from sbml_text import (
    assignment,
    at_level,
    compartment,
    event,
    function,
    model,
    parameter,
    reaction,
    rule,
    species,
)

import sbmlgrad as sg

SUITE = ROOT.parent / "shared" / "suites" / "sbml-test-suite.tar.xz"

TEXT = model(
    reaction("J", "twice(h)*X/cell", "2 X", "Y", modifiers="B", local={"h": 0.5}),
    reaction("L", "k*Y", "Y", reversible=True),
    functions=[function("twice", "x", "2*x")],
    compartments=[compartment(), compartment("room", 2.0, constant="false")],
    species=[
        species("X"),
        species("Y", None, initialConcentration=3.0, hasOnlySubstanceUnits="false"),
        species("B", boundaryCondition="true"),
    ],
    parameters=[parameter("k"), parameter("p", None), parameter("q", constant="true")],
    assignments=[assignment("k", "2*q")],
    rules=[rule("assignment", "p", "k*time"), rule("rate", "room", "0.1")],
    events=[event("E", "X < 3", "B", "B + 1", delay="q"), event("F", "time > 3", "X", "20")],
)


@pytest.mark.parametrize(("level", "version"), [(2, 2), (2, 3), (2, 4), (2, 5), (3, 2)])
def test_the_same_model_gives_the_same_network(level: int, version: int) -> None:
    text = at_level(TEXT, level, version)
    network = sg.load(text)
    assert network == sg.load(TEXT)
    assert network != sg.load(text.replace("<cn> 0.1 </cn>", "<cn> 0.2 </cn>"))


@pytest.mark.parametrize(
    "declaration",
    ["", '<?xml version="1.0"?>', "<?xml\tversion='1.0' standalone='yes' ?>", "\ufeff"],
)
def test_declarations_that_xml_allows(declaration: str) -> None:
    text = declaration + TEXT[TEXT.index("<sbml") :]
    assert sg.load(text) == sg.load(TEXT)


def test_a_declaration_of_several_lines_moves_no_line() -> None:
    rest = TEXT[TEXT.index("<sbml") :]
    text = '<?xml\nversion="1.0"\n?>\n' + rest.replace('variable="p"', 'variable="zz"')
    (issue,) = [i for i in sg.check(text) if i.code == "undefined_symbol"]
    assert issue.line is not None
    assert 'variable="zz"' in text.splitlines()[issue.line - 1]


@pytest.mark.skipif(not SUITE.exists(), reason="the SBML test suite is not beside this repository")
def test_the_stochastic_suite_means_the_same_in_every_level() -> None:
    cases: dict[str, dict[str, str]] = defaultdict(dict)
    with tarfile.open(SUITE) as archive:
        for member in archive:
            if "/stochastic/" in member.name and member.name.endswith(".xml"):
                file = archive.extractfile(member)
                assert file is not None
                # Level 2 cannot say that a trigger is false before the start.
                text = file.read().decode().replace('initialValue="false"', 'initialValue="true"')
                folder, _, name = member.name.rpartition("/")
                cases[folder][name] = text
    assert cases
    assert any(len(texts) > 2 for texts in cases.values())
    for folder, texts in cases.items():
        networks = {name: sg.load(text) for name, text in texts.items()}
        first = next(iter(networks.values()))
        different = [name for name, network in networks.items() if network != first]
        assert not different, f"{folder}: {different}"
