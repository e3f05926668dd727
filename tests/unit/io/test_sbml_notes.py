"""What the notes of a calibrated model tell people."""

from __future__ import annotations

import pytest
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs
from written_documents import PARAMETER, consistency, golden, model_text, network_of

from sbmlgrad.io.sbml.notes import XHTML
from sbmlgrad.io.sbml.writer import write_sbml

BODY = f"<body xmlns='{XHTML}'><p>Mine.</p></body>"
PAGE = f"<html xmlns='{XHTML}'><head><title>T</title></head><body><p>Mine.</p></body></html>"
NOTES = {
    "none": "",
    "paragraph": f"<notes><p xmlns='{XHTML}'>Mine.</p></notes>",
    "body": f"<notes>{BODY}</notes>",
    "page": f"<notes>{PAGE}</notes>",
    "empty body": f"<notes><body xmlns='{XHTML}'/></notes>",
}


def written(notes: str) -> bytes:
    network = network_of(model_text(notes + PARAMETER), {"k": 2.0}, provenance=golden.UNCERTAIN)
    return write_sbml(network, distrib=False)


@pytest.mark.parametrize("kind", NOTES)
def test_notes_are_appended_where_libsbml_allows_them(kind: str) -> None:
    source = model_text(NOTES[kind] + PARAMETER)
    data = written(NOTES[kind])
    assert consistency(data) == consistency(source.encode())
    model = etree.fromstring(data)[0]
    # SBML wants notes first, then the annotation.
    assert [etree.QName(part).localname for part in model][:2] == ["notes", "annotation"]
    texts = ["".join(p.itertext()) for p in model[0].iter(f"{{{XHTML}}}p")]
    assert texts[:-1] == (["Mine."] if "Mine." in NOTES[kind] else [])
    assert texts[-1].startswith("Calibrated with sbmlgrad 0.1.0 on 2026-03-01 at 11:00:00 UTC.")
    assert 'dimer "b" <1>.csv' in texts[-1]


def test_the_table_has_a_row_for_everything_fitted() -> None:
    rows = [
        ["".join(cell.itertext()) for cell in row]
        for row in etree.fromstring(written("")).iter(f"{{{XHTML}}}tr")
    ]
    assert rows == [
        ["parameter", "value", "standard error", "interval", "unit"],
        ["k1", "0.333333", "0.0333333", "0.25 to 0.4 (95 % confidence)", "1/s"],
        ["k2", "0.3", "0.02", "0 to inf (90 % credible)", "1/s"],
        ["k3", "2.5", "–", "–", ""],
        ["noise", "0.7", "0.05", "–", ""],
    ]


def test_a_page_gets_them_in_its_body() -> None:
    model = etree.fromstring(written(NOTES["page"]))[0]
    (body,) = model.iter(f"{{{XHTML}}}body")
    assert [etree.QName(part).localname for part in body] == ["p", "div"]


def test_values_set_without_a_fit_leave_no_notes() -> None:
    assert b"notes" not in write_sbml(network_of(model_text(PARAMETER), {"k": 2.0}))
