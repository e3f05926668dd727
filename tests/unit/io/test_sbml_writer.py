"""Writing SBML: the new values and the annotation, and nothing else."""

from __future__ import annotations

import base64
import difflib
import hashlib
import importlib.util
import math
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import libsbml
import pytest
from constructs import CONSTRUCTS
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs

import sbmlgrad as sg
from sbmlgrad.errors import WriteError
from sbmlgrad.io.files import read_bytes, write_atomically
from sbmlgrad.io.sbml.annotation import BQMODEL, DCTERMS, PROVENANCE, RDF
from sbmlgrad.io.sbml.safe_xml import check_xml
from sbmlgrad.io.sbml.writer import write_sbml
from sbmlgrad.model.elements import Parameter, Species
from sbmlgrad.model.expression import Symbol
from sbmlgrad.model.network import ReactionNetwork

NAMES = ["dimerization_l3v1", "dimerization_l2v4"]
L3 = "http://www.sbml.org/sbml/level3/version1/core"


def _golden() -> ModuleType:
    path = Path(__file__).parents[2] / "golden" / "regenerate.py"
    spec = importlib.util.spec_from_file_location("golden_cases", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their own names
    spec.loader.exec_module(module)
    return module


golden = _golden()


def libsbml_document(data: bytes) -> Any:
    """Return libSBML's document; its parts live only as long as the caller keeps it."""
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    return libsbml.readSBMLFromString(re.sub(r"^<\?xml[^>]*\?>", "", text))


def consistency(data: bytes) -> list[tuple[int, str, str]]:
    """Return what libSBML finds: code, severity, and the message without its line."""
    document = libsbml_document(data)
    document.checkConsistency()
    errors = [document.getError(i) for i in range(document.getNumErrors())]
    return sorted((e.getErrorId(), e.getSeverityAsString(), e.getMessage()) for e in errors)


def changed_lines(before: bytes, after: bytes) -> tuple[list[str], list[str]]:
    """Return the lines that are gone and those that are new."""
    lines = list(difflib.ndiff(before.decode().splitlines(), after.decode().splitlines()))
    return [x[2:] for x in lines if x[0] == "-"], [x[2:] for x in lines if x[0] == "+"]


def values_in(data: bytes) -> dict[str, float]:
    document = libsbml_document(data)
    model = document.getModel()
    found = {p.getId(): p.getValue() for p in model.getListOfParameters()}
    for reaction in model.getListOfReactions():
        law = reaction.getKineticLaw()
        if law is None:
            continue
        for parameter in (law.getParameter(i) for i in range(law.getNumParameters())):
            found[f"{reaction.getId()}.{parameter.getId()}"] = parameter.getValue()
    return found


def network_of(source: bytes | str, values: dict[str, float], **more: Any) -> ReactionNetwork:
    data = source.encode() if isinstance(source, str) else source
    parameters = tuple(Parameter(id, value) for id, value in values.items())
    return ReactionNetwork(
        id="m", parameters=parameters, explicit=frozenset(values), source=data, **more
    )


def model_text(inside: str, *, attributes: str = "", level: str = 'level="3" version="1"') -> str:
    return f'<sbml xmlns="{L3}" {level}><model id="m"{attributes}>{inside}</model></sbml>'


PARAMETER = '<listOfParameters><parameter id="k" value="1" constant="true"/></listOfParameters>'


# --- golden files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_golden_file(name: str) -> None:
    expected = golden.FOLDER / f"{name}_calibrated.xml"
    assert write_sbml(golden.network(name)) == expected.read_bytes()


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


@pytest.mark.parametrize("name", NAMES)
def test_writing_again_only_appends_a_run(name: str) -> None:
    first = write_sbml(golden.network(name))
    reloaded = replace(golden.network(name, provenance=None), source=first)
    assert write_sbml(reloaded) == first
    later = replace(golden.PROVENANCE, seed=8, finished="2026-04-01T00:00:00Z")
    second = write_sbml(replace(reloaded, provenance=later))
    assert consistency(second) == consistency(first)
    gone, new = changed_lines(first, second)
    assert gone == []
    assert all("sbmlgrad:" in line or "dcterms:" in line for line in new)
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


# --- what is written ------------------------------------------------------------------------------


def test_only_explicit_parameters_are_written() -> None:
    network = replace(network_of(model_text(PARAMETER), {"k": 2.0}), explicit=frozenset())
    assert write_sbml(network) == model_text(PARAMETER).encode()


def test_a_value_keeps_its_spelling_unless_the_double_differs() -> None:
    source = model_text(PARAMETER.replace('"1"', '"0.00"'))
    assert write_sbml(network_of(source, {"k": 0.0})) == source.encode()
    assert write_sbml(network_of(source, {"k": -0.0})) == source.replace("0.00", "-0.0").encode()


def test_local_parameters_shadow_global_ones() -> None:
    case = golden.network("dimerization_l3v1", provenance=None)
    values = values_in(write_sbml(case))
    assert (values["k3"], values["binding.k3"]) == (2.5, 1e-300)


INITIAL = (
    '<initialAssignment symbol="{}"><math xmlns="http://www.w3.org/1998/Math/MathML">'
    "<cn>4</cn></math></initialAssignment>"
)


def test_an_overriding_initial_assignment_goes_and_the_record_says_so() -> None:
    two = PARAMETER.replace("</list", '<parameter id="j" value="1" constant="true"/></list')
    inside = f"{two}<listOfInitialAssignments>{{}}</listOfInitialAssignments>"
    source = model_text(inside.format(INITIAL.format("k") + INITIAL.format("j")))
    # The value itself is the document's: it is the assignment that has to go.
    written = write_sbml(network_of(source, {"k": 1.0}))
    root = etree.fromstring(written)
    assert [e.get("symbol") for e in root.iter(f"{{{L3}}}initialAssignment")] == ["j"]
    (record,) = root.iter(f"{{{PROVENANCE}}}edit")
    assert [(etree.QName(e).localname, *e.values()) for e in record] == [
        ("source", hashlib.sha256(source.encode()).hexdigest()),
        ("removedInitialAssignment", "k"),
    ]
    both = write_sbml(network_of(source, {"k": 1.0, "j": 1.0}))
    assert b"listOfInitialAssignments" not in both
    assert consistency(both) == consistency(model_text(two).encode())


SPECIES = '<listOfSpecies><species id="A" compartment="c"{}/></listOfSpecies>'


@pytest.mark.parametrize(
    ("before", "species", "after"),
    [
        (' initialAmount="10"', {"initial_amount": 10.0}, ' initialAmount="10"'),
        (' initialAmount="10"', {"initial_amount": 11.0}, ' initialAmount="11.0"'),
        (
            ' initialConcentration="1"',
            {"initial_concentration": 0.1},
            ' initialConcentration="0.1"',
        ),
        (' initialConcentration="1"', {"initial_amount": 7.0}, ' initialAmount="7.0"'),
        (' initialAmount="1"', {"initial_concentration": 7.0}, ' initialConcentration="7.0"'),
        ("", {"initial_amount": 7.0}, ' initialAmount="7.0"'),
        (' initialAmount="10"', {}, ' initialAmount="10"'),
        ("", {}, ""),
    ],
)
def test_initial_values(before: str, species: dict[str, Any], after: str) -> None:
    network = network_of(model_text(SPECIES.format(before)), {})
    network = replace(network, species=(Species("A", "c", **species), Species("new", "c", 1.0)))
    assert write_sbml(network).decode() == model_text(SPECIES.format(after))


def test_an_initial_assignment_that_the_network_has_too_stays() -> None:
    listed = "<listOfInitialAssignments>{}</listOfInitialAssignments>".format(INITIAL.format("A"))
    source = model_text(SPECIES.format(' initialAmount="1"') + listed)
    network = replace(network_of(source, {}), species=(Species("A", "c", 2.0),))
    assert b"<initialAssignment" not in write_sbml(network)
    network = replace(network, initial_assignments={"A": Symbol("k")})
    assert write_sbml(network) == source.replace('="1"/>', '="2.0"/>').encode()


# --- annotation -----------------------------------------------------------------------------------


def annotated(source: str | bytes, **changes: Any) -> bytes:
    return write_sbml(network_of(source, {}, provenance=replace(golden.PROVENANCE, **changes)))


def test_the_record_holds_the_whole_provenance() -> None:
    settings = {"note": "ü <&>\"'\n🧬", "empty": ""}
    written = annotated(
        model_text(PARAMETER), settings=settings, loss=math.inf, loss_standard_error=math.nan
    )
    (run,) = etree.fromstring(written).iter(f"{{{PROVENANCE}}}run")
    expected = golden.PROVENANCE
    assert dict(run.attrib) == {
        "finished": expected.finished,
        "estimator": expected.estimator,
        "seed": "7",
        "loss": "INF",
        "lossStandardError": "NaN",
    }

    def listed(name: str) -> list[list[str]]:
        return [e.values() for e in run.iterfind(f"{{{PROVENANCE}}}{name}")]

    assert listed("data") == [[expected.data_name, expected.data_sha256]]
    assert listed("software") == [list(pair) for pair in expected.software.items()]
    assert listed("setting") == [list(pair) for pair in settings.items()]
    assert {n: float(v) for n, v in listed("fitted")} == dict(expected.fitted)
    assert consistency(written) == consistency(model_text(PARAMETER).encode())


@dataclass(frozen=True)
class Description:
    """What libSBML reads from the RDF of a model."""

    metaid: str
    valid: bool | None
    creators: int
    created: str
    modified: tuple[str, ...]
    origins: tuple[str, ...]


def described(data: bytes) -> Description:
    document = libsbml_document(data)
    model = document.getModel()
    history = model.getModelHistory()
    terms = [model.getCVTerm(i) for i in range(model.getNumCVTerms())]
    origins = tuple(
        term.getResourceURI(i)
        for term in terms
        if term.getModelQualifierType() == libsbml.BQM_IS_DERIVED_FROM
        for i in range(term.getNumResources())
    )
    if history is None:
        return Description(model.getMetaId(), None, 0, "", (), origins)
    dates = range(history.getNumModifiedDates())
    return Description(
        metaid=model.getMetaId(),
        valid=history.hasRequiredAttributes(),
        creators=history.getNumCreators(),
        created=history.getCreatedDate().getDateAsString() if history.isSetCreatedDate() else "",
        modified=tuple(history.getModifiedDate(i).getDateAsString() for i in dates),
        origins=origins,
    )


def test_libsbml_reads_the_extended_history_and_the_origin() -> None:
    assert described(write_sbml(golden.network("dimerization_l3v1"))) == Description(
        metaid="meta_dimerization",
        valid=True,
        creators=1,
        created="2020-02-29T08:00:00Z",
        modified=("2026-03-01T11:00:00Z",),
        origins=("https://identifiers.org/example/dimerization",),
    )


def test_no_history_is_begun_and_the_origin_is_the_original_document() -> None:
    found = described(write_sbml(golden.network("dimerization_l2v4")))
    origin = named_information(golden.original("dimerization_l2v4"))
    assert found == Description("model_1", None, 0, "", (), (origin,))


def named_information(source: bytes) -> str:
    digest = base64.b64encode(hashlib.sha256(source).digest(), b"-_").decode()
    return f"ni:///sha-256;{digest.removesuffix('=')}"


HISTORY = {
    "creator": "<dc:creator><rdf:Bag><rdf:li rdf:parseType='Resource'>"
    "<vCard:N rdf:parseType='Resource'><vCard:Family>N</vCard:Family>"
    "<vCard:Given>E</vCard:Given></vCard:N></rdf:li></rdf:Bag></dc:creator>",
    "created": "<dcterms:created rdf:parseType='Resource'>"
    "<dcterms:W3CDTF>2020-01-01T00:00:00Z</dcterms:W3CDTF></dcterms:created>",
}


def with_rdf(level: int, about: str, content: str) -> str:
    namespace = L3 if level == 3 else "http://www.sbml.org/sbml/level2/version4"
    version = 1 if level == 3 else 4
    block = (
        f"<rdf:RDF xmlns:rdf='{RDF}' xmlns:dc='http://purl.org/dc/elements/1.1/' "
        f"xmlns:dcterms='{DCTERMS}' xmlns:vCard='http://www.w3.org/2001/vcard-rdf/3.0#'>"
        f"<rdf:Description rdf:about='#{about}'>{content}</rdf:Description></rdf:RDF>"
    )
    return (
        f"<sbml xmlns='{namespace}' level='{level}' version='{version}'>"
        f"<model id='m' metaid='meta'><annotation>{block}</annotation></model></sbml>"
    )


@pytest.mark.parametrize(
    ("level", "parts", "dated"),
    [
        (3, ["creator", "created"], True),
        (3, ["creator"], True),
        (3, [], False),
        (2, ["creator", "created"], True),
        (2, ["creator"], False),
        (2, ["created"], False),
        (2, [], False),
    ],
)
def test_only_a_valid_history_gets_a_date(level: int, parts: list[str], dated: bool) -> None:
    source = with_rdf(level, "meta", "".join(HISTORY[part] for part in parts))
    written = annotated(source)
    before, after = described(source.encode()), described(written)
    assert after.modified == (("2026-03-01T11:00:00Z",) if dated else ())
    assert after.valid is (True if dated else before.valid)
    assert (after.creators, after.created) == (before.creators, before.created)
    assert after.origins == (named_information(source.encode()),)
    # Level 2 also wants a date of modification, so that one complaint may go.
    assert set(consistency(written)) <= set(consistency(source.encode()))


def test_rdf_about_something_else_is_left_alone() -> None:
    source = with_rdf(3, "other", HISTORY["creator"])
    written = annotated(source).decode()
    assert f"<rdf:Description rdf:about='#other'>{HISTORY['creator']}</rdf:Description>" in written
    assert described(written.encode()).origins == (named_information(source.encode()),)


def test_an_origin_that_is_there_is_kept() -> None:
    term = (
        f"<q:isDerivedFrom xmlns:q='{BQMODEL}'><rdf:Bag><rdf:li rdf:resource='urn:x:1'/>"
        "</rdf:Bag></q:isDerivedFrom>"
    )
    written = annotated(with_rdf(3, "meta", term)).decode()
    assert term in written
    assert written.count("isDerivedFrom>") == 1


def test_the_new_metaid_is_unique() -> None:
    listed = PARAMETER.replace("<parameter ", '<parameter metaid="model_1" ')
    written = annotated(model_text(listed))
    assert described(written).metaid == "model_2"
    assert consistency(written) == consistency(model_text(listed).encode())


def test_a_description_that_lost_its_model_finds_it_again() -> None:
    source = with_rdf(3, "lost", HISTORY["creator"]).replace(" metaid='meta'", "")
    found = described(annotated(source))
    assert (found.metaid, found.creators, len(found.modified)) == ("lost", 1, 1)
    listed = PARAMETER.replace("<parameter ", '<parameter metaid="lost" ')
    taken = source.replace("</model>", f"{listed}</model>")
    assert described(annotated(taken)).metaid == "model_1"


@pytest.mark.parametrize("model", ["<model id='m'/>", "<model id='m' />", "<model id='m'></model>"])
def test_an_empty_model_can_be_annotated(model: str) -> None:
    source = f"<?xml version='1.0'?>\n<sbml xmlns='{L3}' level='3' version='1'>\n  {model}\n</sbml>"
    written = annotated(source)
    assert consistency(written) == consistency(source.encode())
    assert b"\n    <annotation>\n      <rdf:RDF" in written
    assert written.endswith(b"\n    </annotation>\n  </model>\n</sbml>")


# --- refusals -------------------------------------------------------------------------------------


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


# --- every construct ------------------------------------------------------------------------------


def lines_changed(name: str, values: dict[str, float]) -> tuple[list[str], list[str]]:
    """Set values in the model of a construct, save it, and return the lines gone and new."""
    network = sg.load(CONSTRUCTS[name])
    assert network.source is not None
    assert write_sbml(network) == network.source
    written = write_sbml(network.with_parameters(values))
    assert consistency(written) == consistency(network.source)
    again = sg.load(written.decode())
    found = dict(zip(again.parameter_ids, again.parameter_values, strict=True))
    assert {p: found[p] for p in values} == values
    return changed_lines(network.source, written)


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_a_value_changes_one_line_of_every_construct(name: str) -> None:
    network = sg.load(CONSTRUCTS[name])
    free = network.parameter_ids
    target = next((p for p in free if p not in network.initial_assignments), None)
    assert target is not None
    local = target.rpartition(".")[2]
    gone, new = lines_changed(name, {target: 0.1 + 0.2})
    assert len(gone) == len(new) == 1
    assert f'"{local}"' in gone[0]
    assert new[0] == re.sub(r'value="[^"]*"', 'value="0.30000000000000004"', gone[0])


def test_values_go_where_rules_and_events_start_from() -> None:
    gone, new = lines_changed("rate rules", {"q": 7.5})
    assert (len(gone), len(new)) == (1, 1)
    assert 'id="q" value="7.5"' in new[0]
    with pytest.raises(sg.SbmlGradError, match="no parameter 'q'"):
        sg.load(CONSTRUCTS["time in a law"]).with_parameters({"q": 1.0})


def test_an_initial_assignment_gives_way_to_a_value_and_a_draw_does() -> None:
    for name in ("initial assignments and rules", "draws at the start"):
        network = sg.load(CONSTRUCTS[name]).with_parameters({"k": 0.75})
        again = sg.load(write_sbml(network).decode())
        assert "k" not in again.initial_assignments
        assert "X" in again.initial_assignments
        assert again.parameter_values[again.parameter_ids.index("k")] == 0.75


def test_level_1_names_parameters_by_their_names() -> None:
    gone, new = lines_changed("level 1", {"k": 2.5, "death.h": 0.125})
    assert [line for line in new if "death" in line] == []
    assert len(gone) == len(new) == 2
    with pytest.raises(WriteError, match="an assignment rule gives its value"):
        write_sbml(replace(sg.load(CONSTRUCTS["level 1"]), changed=frozenset({"w"})))


@pytest.mark.parametrize(("version", "tag"), [(1, "annotations"), (2, "annotation")])
def test_level_1_gets_the_record_and_no_rdf(version: int, tag: str) -> None:
    source = CONSTRUCTS["level 1"].replace('version="2"', f'version="{version}"')
    if version == 1:
        source = (
            source.replace("speciesReference", "specieReference")
            .replace("<species name", "<specie name")
            .replace('species="X"', 'specie="X"')
        )
    network = replace(sg.load(source), provenance=golden.PROVENANCE)
    written = write_sbml(network.with_parameters({"k": 2.5}))
    assert f"<{tag}>".encode() in written
    assert b"rdf:RDF" not in written
    assert b"metaid" not in written
    assert consistency(written) == consistency(source.encode())
    again = sg.load(written.decode())
    assert again == network.with_parameters({"k": 2.5})
    later = write_sbml(replace(again, provenance=golden.PROVENANCE))
    assert later.count(f"<{tag}>".encode()) == 1
    assert later.count(b"<sbmlgrad:run") == 2


def test_level_1_has_no_concentrations() -> None:
    network = sg.load(CONSTRUCTS["level 1"])
    asked = replace(network.species[0], initial_amount=None, initial_concentration=3.0)
    with pytest.raises(WriteError, match="initial amounts only"):
        write_sbml(replace(network, species=(asked,)))


@pytest.mark.parametrize(("name", "attribute"), [("level 1", "volume"), ("concentrations", "size")])
def test_sizes_of_compartments_are_written(name: str, attribute: str) -> None:
    network = sg.load(CONSTRUCTS[name])
    resized = replace(network, compartments=(replace(network.compartments[0], size=1 / 3),))
    written = write_sbml(resized)
    _, new = changed_lines(CONSTRUCTS[name].encode(), written)
    assert len(new) == 1
    assert f'{attribute}="0.3333333333333333"' in new[0]
    assert sg.load(written.decode()) == resized
    broken = replace(network, compartments=(replace(network.compartments[0], size=math.inf),))
    with pytest.raises(WriteError, match=r"compartment 'cell' .* not a finite number"):
        write_sbml(broken)
