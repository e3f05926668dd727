"""Hierarchical models are flattened, or refused where that would not be safe or cannot be done."""

from __future__ import annotations

from pathlib import Path

import pytest
from sbml_text import compartment, math, model, parameter, reaction, species

import sbmlgrad as sg

COMP = "http://www.sbml.org/sbml/level3/version1/comp/version1"


def submodels(*models: str) -> str:
    inside = (f'<comp:submodel comp:id="s{i}" comp:modelRef="{m}"/>' for i, m in enumerate(models))
    return f"<comp:listOfSubmodels>{''.join(inside)}</comp:listOfSubmodels>"


def definition(name: str, content: str) -> str:
    return f'<comp:modelDefinition id="{name}">{content}</comp:modelDefinition>'


def external(name: str, source: str, model_ref: str = "") -> str:
    about = f' comp:modelRef="{model_ref}"' if model_ref else ""
    return (
        "<comp:listOfExternalModelDefinitions>"
        f'<comp:externalModelDefinition comp:id="{name}" comp:source="{source}"{about}/>'
        "</comp:listOfExternalModelDefinitions>"
    )


def document(text: str, content: str = "", definitions: str = "", externals: str = "") -> str:
    """Add submodels to the end of the model of a document, and model definitions after it."""
    text = text.replace(' level="3"', f' xmlns:comp="{COMP}" comp:required="true" level="3"')
    inside = f"<comp:listOfModelDefinitions>{definitions}</comp:listOfModelDefinitions>"
    after = (inside if definitions else "") + externals
    return text.replace("</model>", f"{content}</model>{after}")


def inner(text: str) -> str:
    """Return what is inside the model element of a document."""
    return text[text.index(">", text.index("<model ")) + 1 : text.index("</model>")]


DECAY = model(reaction("J", "k*X", "X"), species=[species("X")], parameters=[parameter("k", 0.5)])
EMPTY = model(compartments=[])


def refusals(source: str | Path) -> list[tuple[str, str]]:
    return [(i.code, i.element) for i in sg.check(source) if i.blocks == {"ssa", "ode"}]


def test_submodels_are_merged_into_one_flat_model(tmp_path: Path) -> None:
    text = document(
        model(compartments=[], parameters=[parameter("k", 3.0)]),
        submodels("decay", "decay"),
        definition("decay", inner(DECAY)),
    )
    network = sg.load(text)
    assert network.species_ids == ("s0__X", "s1__X")
    assert [r.id for r in network.reactions] == ["s0__J", "s1__J"]
    assert dict(zip(network.parameter_ids, network.parameter_values, strict=True)) == {
        "k": 3.0,
        "s0__k": 0.5,
        "s1__k": 0.5,
    }
    (issue,) = [i for i in network.issues if i.code == "comp_flattened"]
    assert str(issue.severity) == "info"
    assert not issue.blocks
    sg.save(network.with_parameters({"s1__k": 2.0}), tmp_path / "flat.xml")
    again = sg.load(tmp_path / "flat.xml")
    assert again == network.with_parameters({"s1__k": 2.0})
    assert again.source is not None
    assert b"submodel" not in again.source


def test_what_is_written_reads_as_what_was_read() -> None:
    factors = parameter("t", 10.0, constant="true")
    text = document(
        model(compartments=[], parameters=[factors]),
        submodels("decay").replace("comp:modelRef", 'comp:timeConversionFactor="t" comp:modelRef'),
        definition("decay", inner(DECAY.replace(inner_law("k*X"), inner_law("k*X*time")))),
    )
    network = sg.load(text)
    assert network.source is not None
    assert sg.load(network.source.decode()) == network


def inner_law(formula: str) -> str:
    return f"<kineticLaw>\n{math(formula)}"


def test_a_model_without_submodels_stays_as_it_is() -> None:
    text = document(DECAY, "", definition("unused", inner(EMPTY)))
    network = sg.load(text)
    assert network == sg.load(DECAY)
    assert network.source == text.encode()
    assert "comp_flattened" not in {i.code for i in network.issues}


BOMB = "".join(definition(f"A{i}", submodels(f"A{i + 1}", f"A{i + 1}")) for i in range(40))
DEEP = "".join(definition(f"A{i}", submodels(f"A{i + 1}")) for i in range(200))
LAST = "<listOfParameters>" + parameter("k") + "</listOfParameters>"

REFUSED = {
    "itself": (submodels("A"), definition("A", submodels("A")), "contains itself"),
    "in_a_circle": (
        submodels("A"),
        definition("A", submodels("B")) + definition("B", submodels("A")),
        "contains itself",
    ),
    "missing": (submodels("zz"), "", "does not exist"),
    "twice": (
        submodels("A"),
        definition("A", submodels("B")) + definition("B", LAST) + definition("A", LAST),
        "two models",
    ),
    "grows": (submodels("A0"), BOMB + definition("A40", LAST), "elements"),
    "deep": (submodels("A0"), DEEP + definition("A200", LAST), "deep"),
    "broken_reference": (
        submodels("A").replace(
            "/></comp:listOfSubmodels>",
            '><comp:listOfDeletions><comp:deletion comp:idRef="zz"/></comp:listOfDeletions>'
            "</comp:submodel></comp:listOfSubmodels>",
        ),
        definition("A", LAST),
        "zz",
    ),
}


@pytest.mark.parametrize(("content", "definitions", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_flattened(content: str, definitions: str, says: str) -> None:
    text = document(EMPTY, content, definitions)
    found = sg.check(text)
    assert {i.code for i in found} == {"comp_flattening"}
    assert any(says in issue.message for issue in found)
    with pytest.raises(sg.UnsupportedModelError, match="comp_flattening"):
        sg.load(text)


def test_packages_of_submodels_are_refused_too() -> None:
    fbc = "http://www.sbml.org/sbml/level3/version1/fbc/version1"
    bound = (
        "<fbc:listOfFluxBounds><fbc:fluxBound fbc:id='b' fbc:reaction='J' "
        "fbc:operation='lessEqual' fbc:value='1'/></fbc:listOfFluxBounds>"
    )
    text = document(EMPTY, submodels("A"), definition("A", inner(DECAY) + bound))
    text = text.replace(" level=", f' xmlns:fbc="{fbc}" fbc:required="false" level=')
    assert ("unsupported_package", "fbc") in refusals(text)


# --- models of other files ------------------------------------------------------------------------


def test_models_in_files_beside_the_document(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "decay.xml").write_text(DECAY)
    # One file names the next, from its own folder.
    between = document(EMPTY, submodels("E"), "", external("E", "../decay.xml", "m"))
    (tmp_path / "parts" / "between.xml").write_text(between)
    main = tmp_path / "main.xml"
    main.write_text(document(EMPTY, submodels("E"), "", external("E", "parts/between.xml")))
    network = sg.load(main)
    assert network.species_ids == ("s0__s0__X",)
    assert network.source is not None
    assert sg.load(network.source.decode()) == network, "the flat model needs no other file"


def test_models_in_files_need_a_place_to_look() -> None:
    text = document(EMPTY, submodels("E"), "", external("E", "decay.xml"))
    assert refusals(text) == [("comp_flattening", "E")]


@pytest.mark.parametrize(
    "source",
    [
        "../decay.xml",
        "{}/decay.xml",
        "file:decay.xml",
        "http://example.org/decay.xml",
        "",
        "no.xml",
    ],
)
def test_other_places_are_not_opened(source: str, tmp_path: Path) -> None:
    (tmp_path / "decay.xml").write_text(DECAY)
    (tmp_path / "inside").mkdir()
    main = tmp_path / "inside" / "main.xml"
    named = external("E", source.format(tmp_path))
    main.write_text(document(EMPTY, submodels("E"), "", named))
    assert ("comp_flattening", "E") in refusals(main)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "decay.xml").write_text(DECAY)
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "link.xml").symlink_to(tmp_path / "decay.xml")
    main = tmp_path / "inside" / "main.xml"
    main.write_text(document(EMPTY, submodels("E"), "", external("E", "link.xml")))
    assert refusals(main) == [("comp_flattening", "E")]


def test_files_that_name_each_other(tmp_path: Path) -> None:
    main = tmp_path / "main.xml"
    main.write_text(document(EMPTY, submodels("E"), "", external("E", "main.xml")))
    assert {code for code, _ in refusals(main)} == {"comp_flattening"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("<html/>", "not_sbml"),
        ('<!DOCTYPE s [<!ENTITY a "a">]><sbml/>', "unsafe_xml"),
        ("<sbml", "broken_xml"),
    ],
)
def test_files_are_checked_before_libsbml_reads_them(
    content: str, code: str, tmp_path: Path
) -> None:
    (tmp_path / "other.xml").write_text(content)
    main = tmp_path / "main.xml"
    main.write_text(document(EMPTY, submodels("E"), "", external("E", "other.xml")))
    assert refusals(main) == [(code, "other.xml")]


def test_ports_and_replacements() -> None:
    shared = compartment("room", 2.0).replace(
        "/>",
        '><comp:listOfReplacedElements><comp:replacedElement comp:submodelRef="s0" '
        'comp:portRef="place"/></comp:listOfReplacedElements></compartment>',
    )
    ports = '<comp:listOfPorts><comp:port comp:id="place" comp:idRef="cell"/></comp:listOfPorts>'
    text = document(
        model(compartments=[shared]), submodels("A"), definition("A", inner(DECAY) + ports)
    )
    network = sg.load(text)
    assert [(c.id, c.size) for c in network.compartments] == [("room", 2.0)]
    assert [s.compartment for s in network.species] == ["room"]
