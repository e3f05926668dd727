"""Model history and origin of a calibrated model, as libSBML reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import libsbml
import pytest
from written_documents import consistency, golden, libsbml_document, network_of

from sbmlgrad.io.sbml.history import BQMODEL, DCTERMS, RDF
from sbmlgrad.io.sbml.levels import at_level
from sbmlgrad.io.sbml.writer import write_sbml

L3V2 = "http://www.sbml.org/sbml/level3/version2/core"
WHEN = "2026-03-01T11:00:00Z"
CREATED = (
    f"<t:created xmlns:t='{DCTERMS}' rdf:parseType='Resource'>"
    "<t:W3CDTF>2020-01-01T00:00:00Z</t:W3CDTF></t:created>"
)


def document(content: str | None) -> str:
    """Return a document of level 3 version 2 with RDF about its model; None for no RDF at all."""
    about = f"<rdf:Description rdf:about='#meta'>{content}</rdf:Description>"
    about = about.replace("></rdf:Description>", "/>") if content == "" else about
    rdf = f"<annotation><rdf:RDF xmlns:rdf='{RDF}'>{about}</rdf:RDF></annotation>"
    return (
        f"<sbml xmlns='{L3V2}' level='3' version='2'><model id='m' metaid='meta'>"
        f"{'' if content is None else rdf}</model></sbml>"
    )


def term(qualifier: str, *resources: str) -> str:
    items = "".join(f"<rdf:li rdf:resource='{uri}'/>" for uri in resources)
    name = f"bqmodel:{qualifier}"  # libSBML goes by this prefix
    return f"<{name} xmlns:bqmodel='{BQMODEL}'><rdf:Bag>{items}</rdf:Bag></{name}>"


@dataclass(frozen=True)
class History:
    creators: tuple[tuple[str, str], ...]
    created: str
    modified: tuple[str, ...]
    valid: bool


def history(data: bytes) -> History | None:
    read = libsbml_document(data)
    found = read.getModel().getModelHistory()
    if found is None:
        return None
    creators = [found.getCreator(i) for i in range(found.getNumCreators())]
    dates = [found.getModifiedDate(i) for i in range(found.getNumModifiedDates())]
    return History(
        creators=tuple((c.getName(), c.getOrganization()) for c in creators),
        created=found.getCreatedDate().getDateAsString() if found.isSetCreatedDate() else "",
        modified=tuple(date.getDateAsString() for date in dates),
        valid=found.hasRequiredAttributes(),
    )


def origins(data: bytes) -> list[str]:
    read = libsbml_document(data)
    model = read.getModel()
    terms = [model.getCVTerm(i) for i in range(model.getNumCVTerms())]
    return [
        t.getResourceURI(i)
        for t in terms
        if t.getModelQualifierType() == libsbml.BQM_IS_DERIVED_FROM
        for i in range(t.getNumResources())
    ]


def written(content: str | None) -> bytes:
    return write_sbml(network_of(document(content), {}, provenance=golden.PROVENANCE))


BEGUN = History((("sbmlgrad", "sbmlgrad"),), WHEN, (WHEN,), True)


@pytest.mark.parametrize("content", [None, "", term("is", "urn:x:1"), term("isDerivedFrom", "u:1")])
def test_level_3_version_2_begins_a_history_by_the_software(content: str | None) -> None:
    data = written(content)
    assert history(data) == BEGUN
    assert consistency(data) == consistency(document(content).encode())
    later = write_sbml(network_of(data, {}, provenance=golden.PROVENANCE))
    assert history(later) == History(BEGUN.creators, WHEN, (WHEN, WHEN), True)


def test_a_history_without_a_creator_is_not_ours_to_complete() -> None:
    data = written(CREATED)
    assert CREATED in data.decode()
    assert b"creator" not in data
    assert consistency(data) == consistency(document(CREATED).encode())


def test_the_origin_is_what_the_model_claims_to_be() -> None:
    assert origins(written(term("is", "urn:x:1", "urn:x:2"))) == ["urn:x:1", "urn:x:2"]


def test_an_origin_is_named_once() -> None:
    content = term("is", "urn:x:1") + term("isDerivedFrom", "urn:x:1")
    assert origins(written(content)) == ["urn:x:1"]


def test_the_model_itself_joins_an_earlier_origin() -> None:
    content = term("is", "urn:x:2") + term("isDerivedFrom", "urn:x:1")
    data = written(content)
    assert origins(data) == ["urn:x:1", "urn:x:2"]
    assert content in data.decode()


def test_an_earlier_origin_is_enough_for_a_model_without_identity() -> None:
    assert origins(written(term("isDerivedFrom", "urn:x:1"))) == ["urn:x:1"]


@pytest.mark.parametrize("content", [None, ""])
def test_a_model_without_any_is_derived_from_its_document(content: str | None) -> None:
    (origin,) = origins(written(content))
    assert origin.startswith("ni:///sha-256;")


def test_history_and_origin_survive_the_way_to_another_level() -> None:
    # The golden original of level 3 has both; uncertainty raises what stands in level 2.
    source = at_level(golden.original("dimerization_l3v1"), 2, 5)
    data = write_sbml(replace(golden.network("dimerization_l3v1"), source=source))
    raised = write_sbml(
        replace(
            golden.network("dimerization_l3v1", provenance=golden.UNCERTAIN),
            source=source,
        )
    )
    assert libsbml_document(raised).getVersion() == 2
    for written_back in (data, raised):
        found = history(written_back)
        assert found is not None
        assert found.valid
        assert (len(found.creators), found.created) == (1, "2020-02-29T08:00:00Z")
        assert found.modified[-1] == WHEN
        assert origins(written_back) == ["https://identifiers.org/example/dimerization"]
