"""What the writer annotates: the record of a fit, history, origin."""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass, replace
from typing import Any

import libsbml
import pytest
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs
from written_documents import (
    L3,
    PARAMETER,
    consistency,
    golden,
    libsbml_document,
    model_text,
    network_of,
)

from sbmlgrad.io.sbml.annotation import BQMODEL, DCTERMS, PROVENANCE, RDF
from sbmlgrad.io.sbml.writer import write_sbml


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
