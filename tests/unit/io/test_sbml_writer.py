"""Writing SBML: new values where they belong, every other byte as it was, and refusals."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs
from written_documents import (
    L3,
    PARAMETER,
    SPECIES,
    changed_lines,
    consistency,
    golden,
    libsbml_document,
    model_text,
    network_of,
    values_in,
)

from sbmlgrad.errors import WriteError
from sbmlgrad.io.files import read_bytes, write_atomically
from sbmlgrad.io.sbml.annotation import BQMODEL, PROVENANCE
from sbmlgrad.io.sbml.safe_xml import check_xml
from sbmlgrad.io.sbml.writer import write_sbml
from sbmlgrad.model.elements import Species
from sbmlgrad.model.network import ReactionNetwork

NAMES = ["dimerization_l3v1", "dimerization_l2v4"]


@pytest.mark.parametrize("name", NAMES)
def test_golden_file(name: str) -> None:
    expected = golden.FOLDER / f"{name}_calibrated.xml"
    assert write_sbml(golden.network(name)) == expected.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_golden_file_with_uncertainty(name: str) -> None:
    expected = golden.FOLDER / f"{name}_uncertain.xml"
    written = write_sbml(golden.network(name, provenance=golden.UNCERTAIN))
    assert written == expected.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_libsbml_reads_exactly_the_new_doubles(name: str) -> None:
    before, after = values_in(golden.original(name)), values_in(write_sbml(golden.network(name)))
    assert after == before | golden.CASES[name].values
    document = libsbml_document(write_sbml(golden.network(name)))
    model = document.getModel()
    assert model.getNumInitialAssignments() == 0
    for species in golden.CASES[name].species:
        written = model.getSpecies(species.id)
        if species.initial_amount is not None:
            assert written.getInitialAmount() == species.initial_amount
            assert not written.isSetInitialConcentration()
        else:
            assert written.getInitialConcentration() == species.initial_concentration
            assert not written.isSetInitialAmount()


@pytest.mark.parametrize("name", NAMES)
def test_only_the_expected_lines_change(name: str) -> None:
    after = write_sbml(golden.network(name, provenance=None))
    gone, new = changed_lines(golden.original(name), after)
    expected = golden.CASES[name].changed_lines - {'<model id="dimerization" name="Dimerization">'}
    assert {line.strip() for line in gone} == expected
    number = re.compile(r' (value|initialAmount|initialConcentration)="[^"]*"')
    old = {number.sub("", line) for line in gone}
    # Every new line is an old one with another number, or belongs to the record of the removal.
    for line in new:
        assert number.sub("", line) in old or re.fullmatch(r"\s*</?(sbmlgrad:).*>", line), line


@pytest.mark.parametrize("name", NAMES)
def test_libsbml_finds_nothing_new(name: str) -> None:
    after = write_sbml(golden.network(name))
    assert consistency(after) == consistency(golden.original(name))
    assert check_xml(after, name=name) == ()


def without_notes(data: bytes) -> bytes:
    return re.sub(rb"<notes>.*?</notes>", b"", data, flags=re.DOTALL)


@pytest.mark.parametrize("name", NAMES)
def test_writing_again_only_appends_a_run(name: str) -> None:
    first = write_sbml(golden.network(name))
    reloaded = replace(golden.network(name, provenance=None), source=first)
    assert write_sbml(reloaded) == first
    later = replace(golden.PROVENANCE, seed=8, finished="2026-04-01T00:00:00Z")
    second = write_sbml(replace(reloaded, provenance=later))
    assert consistency(second) == consistency(first)
    gone, new = changed_lines(without_notes(first), without_notes(second))
    assert gone == []
    assert all("sbmlgrad:" in line or "dcterms:" in line for line in new)
    assert second.count(b"Calibrated with sbmlgrad") == 2
    runs = etree.fromstring(second).findall(f".//{{{PROVENANCE}}}run")
    assert [run.get("seed") for run in runs] == ["7", "8"]
    (source,) = runs[1].findall(f"{{{PROVENANCE}}}source")
    assert source.get("sha256") == hashlib.sha256(first).hexdigest()
    assert len(etree.fromstring(second).findall(f".//{{{PROVENANCE}}}provenance")) == 1
    assert len(etree.fromstring(second).findall(f".//{{{BQMODEL}}}isDerivedFrom")) == 1


def test_gz_round_trip(tmp_path: Path) -> None:
    data = write_sbml(golden.network("dimerization_l3v1"))
    write_atomically(tmp_path / "calibrated.xml.gz", data)
    assert read_bytes(tmp_path / "calibrated.xml.gz") == data


# --- fidelity -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_without_changes_every_byte_stays(name: str) -> None:
    values = values_in(golden.original(name))
    unchanged = {id: value for id, value in values.items() if id != "k2" and not math.isnan(value)}
    assert write_sbml(network_of(golden.original(name), unchanged)) == golden.original(name)


@pytest.mark.parametrize(
    "value",
    [2.2250738585072014e-308, 1.7976931348623157e308, 0.1, 1 / 3, -0.0, 1e22, 123456789.12345679],
)
def test_doubles_read_back_exactly(value: float) -> None:
    written = write_sbml(network_of(model_text(PARAMETER), {"k": value}))
    assert values_in(written)["k"].hex() == value.hex()


def test_prefixed_namespace() -> None:
    source = (
        f'<s:sbml xmlns:s="{L3}" level="3" version="1">\n  <s:model id="m">\n'
        '    <s:listOfParameters>\n      <s:parameter id="k" value="1" constant="true"/>\n'
        "    </s:listOfParameters>\n  </s:model>\n</s:sbml>"
    )
    written = write_sbml(network_of(source, {"k": 2.5}, provenance=golden.PROVENANCE))
    assert b'<s:parameter id="k" value="2.5" constant="true"/>' in written
    assert b"\n    <s:annotation>\n      <rdf:RDF " in written
    assert written.endswith(b"  </s:model>\n</s:sbml>")
    assert values_in(written) == {"k": 2.5}
    assert consistency(written) == consistency(source.encode())


def test_other_prefixes_in_the_annotation_are_used() -> None:
    source = golden.original("dimerization_l3v1").decode()
    for old, new in (("rdf", "R"), ("dcterms", "D"), ("bqmodel", "B")):
        source = source.replace(f"{old}:", f"{new}:").replace(f"xmlns:{old}=", f"xmlns:{new}=")
    written = write_sbml(replace(golden.network("dimerization_l3v1"), source=source.encode()))
    expected = write_sbml(golden.network("dimerization_l3v1")).decode()
    for old, new in (("rdf", "R"), ("dcterms", "D"), ("bqmodel", "B")):
        expected = expected.replace(f"{old}:", f"{new}:").replace(f"xmlns:{old}=", f"xmlns:{new}=")
    digests = [
        hashlib.sha256(golden.original("dimerization_l3v1")),
        hashlib.sha256(source.encode()),
    ]
    assert written.decode() == expected.replace(digests[0].hexdigest(), digests[1].hexdigest())


def test_line_ends_and_missing_indentation_are_kept() -> None:
    source = golden.original("dimerization_l2v4").replace(b"\n", b"\r\n")
    case = golden.network("dimerization_l2v4")
    written = write_sbml(replace(case, source=source))
    assert written.count(b"\r\n") == written.count(b"\n") > source.count(b"\n")
    single = model_text("<annotation/>" + PARAMETER)
    written = write_sbml(network_of(single, {"k": 2.0}, provenance=golden.PROVENANCE))
    assert b"\n" not in written
    assert consistency(written) == consistency(single.encode())


@pytest.mark.parametrize(
    "encode",
    [
        lambda s: b"\xef\xbb\xbf" + s.encode(),
        lambda s: s.replace("UTF-8", "UTF-16").encode("utf-16"),
        lambda s: b"\xfe\xff" + s.replace("UTF-8", "UTF-16").encode("utf-16-be"),
    ],
    ids=["utf-8 with mark", "utf-16-le", "utf-16-be"],
)
def test_encodings_are_kept(encode: Any) -> None:
    text = golden.original("dimerization_l3v1").decode().replace("Noether", "Nøther 🧬")
    source = encode(text)
    case = golden.network("dimerization_l3v1")
    written = write_sbml(replace(case, source=source))
    assert written[:2] == source[:2]
    codec = "utf-16" if written[:1] in b"\xff\xfe" else "utf-8-sig"
    assert "Nøther 🧬" in written.decode(codec)
    assert values_in(written)["k1"] == 1 / 3
    assert write_sbml(ReactionNetwork("m", source=source)) == source


def test_values_are_found_past_comments_quotes_and_self_closing_tags() -> None:
    inside = (
        "<!-- <parameter id='k' value='0'/> --><?tool value='0'?>"
        "<notes><p xmlns='http://www.w3.org/1999/xhtml' title='a > b'>value=\"9\"<br/></p></notes>"
        "<listOfParameters>"
        "<parameter name='value=\"3\"' id='j' value\n=\n'1' constant='true'  />"
        '<parameter id="k" constant="true" ></parameter>'
        "</listOfParameters>"
    )
    written = write_sbml(network_of(model_text(inside), {"j": 2.5, "k": 3.5})).decode()
    expected = inside.replace("value\n=\n'1'", "value\n=\n'2.5'")
    expected = expected.replace('id="k" constant="true" >', 'id="k" constant="true" value="3.5" >')
    assert written == model_text(expected)


def test_no_document() -> None:
    with pytest.raises(WriteError, match=r"source is None.*sbmlgrad\.load"):
        write_sbml(ReactionNetwork(id="m"))


def test_every_problem_is_named_at_once() -> None:
    rule = (
        '<listOfRules><assignmentRule variable="k"><math xmlns="http://www.w3.org/1998/Math/MathML">'
        "<cn>4</cn></math></assignmentRule></listOfRules>"
    )
    two = PARAMETER.replace("</list", '<parameter id="j" value="1" constant="true"/></list')
    listed = SPECIES.replace("/></list", '/><species id="B" compartment="c"/></list')
    source = model_text(listed.format(' initialAmount="1"') + two + rule)
    network = network_of(source, {"k": 2.0, "j": math.nan, "absent": 1.0, "J0.k": 1.0})
    network = replace(
        network,
        explicit=network.explicit | {"nowhere"},
        species=(Species("A", "c", math.inf), Species("B", "c", 5e-324)),
        provenance=replace(golden.PROVENANCE, estimator="a\0b", finished="yesterday"),
    )
    with pytest.raises(WriteError) as caught:
        write_sbml(network)
    _, *problems = str(caught.value).split("\n")
    expected = [
        r"parameter 'J0\.k': the original document has none",
        r"parameter 'absent': the original document has none",
        r"parameter 'j': the value nan is not a finite number",
        r"parameter 'k' \(line 1\): an assignment rule gives its value",
        r"parameter 'nowhere': the network has none",
        r"species 'A' \(line 1\): the value inf is not a finite number",
        r"species 'B' \(line 1\): the value 5e-324 is a subnormal number",
        r"provenance, estimator: XML cannot hold the character '\\x00'",
        r"provenance, finished: 'yesterday' is no ISO 8601 date",
    ]
    assert len(problems) == len(expected)
    for problem, pattern in zip(problems, expected, strict=True):
        assert re.search(pattern, problem)


@pytest.mark.parametrize(
    ("source", "mentions"),
    [
        ("<!DOCTYPE sbml><sbml/>", "DOCTYPE"),
        ("<sbml", "not well-formed"),
        ('<sbml xmlns="http://www.sbml.org/sbml/level4" level="4"><model/></sbml>', "level 4"),
        (f'<sbml xmlns="{L3}" level="3" version="1"/>', "no model"),
    ],
)
def test_documents_that_cannot_be_written(source: str, mentions: str) -> None:
    with pytest.raises(WriteError, match=mentions):
        write_sbml(network_of(source, {}))
