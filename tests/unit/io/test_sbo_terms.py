"""SBO terms of rate constants: only what the structure proves."""

from __future__ import annotations

import libsbml
import pytest
from calibrated_models import calibrated
from networks import antimony, shipped
from written_documents import consistency, libsbml_document

import sbmlgrad as sg
from sbmlgrad.io.sbml.sbo_terms import rate_constants
from sbmlgrad.io.sbml.writer import write_sbml
from sbmlgrad.model.provenance import Estimate

SPECIES = "species A in cell, B in cell, C in cell; A = 9; B = 9; C = 9; k = 1; q = 1; n = 2;\n"
PROVEN = {
    "J: -> A; k": {"k": "SBO:0000046"},
    "J: A -> ; k*A": {"k": "SBO:0000022"},
    "J: A -> B; A*k": {"k": "SBO:0000022"},
    "J: A + B -> C; k*A*B": {"k": "SBO:0000023"},
    "J: 2 A -> C; k*A*A": {"k": "SBO:0000023"},
    "J: 2 A -> C; k*A^2": {"k": "SBO:0000023"},
    "J: 2 A + B -> C; k*A^2*B": {"k": "SBO:0000024"},
    "J: A + B -> C; cell*k*A*B": {"k": "SBO:0000023"},
    "J: A + B -> C; k*A*B/cell": {"k": "SBO:0000023"},
    "J: A -> B; k*A - q*B": {"k": "SBO:0000022", "q": "SBO:0000032"},
    "J: A + B -> C; cell*(k*A*B - q*C)": {"k": "SBO:0000023", "q": "SBO:0000032"},
    "J: A -> B + C; k*A - q*B*C": {"k": "SBO:0000022", "q": "SBO:0000033"},
    "J: A -> B; k*A\nR: B -> A; k*B": {"k": "SBO:0000022"},
}
NOT_PROVEN = [
    "J: A -> B; k*q*A",  # the second factor contributes to the velocity, too
    "J: A -> B; 2*k*A",
    "J: A -> B; k*A*B",  # B is no reactant
    "J: A -> B; k*A^2",
    "J: A -> B; k",
    "J: 2 A -> C; k*A",
    "J: 2 A -> C; k*A*(A-1)",
    "J: A -> B; k*A/(q + A)",
    "J: A -> B; k*A^n",
    "J: A -> B; A/k",
    "J: A -> B; k*k*A",
    "J: A -> B; -k*A",
    "J: A -> B; k*A + q*A",
    "J: A -> B; k*A - k*B",
    "J: A -> B; k*A\nR: A + B -> C; k*A*B",
    "J: A -> B; k*A\nR: B -> C; q*k*B",
    "J: A -> B; k*A\nD: at time > 2: q = 2*k",
    "J: A -> B; k*A\nx := k*A",
    "J: 4 A -> B; k*A^4",
]


@pytest.mark.parametrize("text", PROVEN)
def test_mass_action_is_recognised(text: str) -> None:
    network = antimony(SPECIES + text + "\n")
    expected = PROVEN[text]
    found = rate_constants(network, ["k", "q"])
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize("text", NOT_PROVEN)
def test_anything_else_has_no_term(text: str) -> None:
    network = antimony(SPECIES + text + "\n")
    assert "k" not in rate_constants(network, ["k"])


def test_only_what_is_asked_for_is_judged() -> None:
    network = antimony(SPECIES + "J: A -> B; k*A - q*B\n")
    assert rate_constants(network, ["q"]) == {"q": "SBO:0000032"}


def test_local_parameters_are_rate_constants_too() -> None:
    with_local = antimony(SPECIES + "J: A -> B; k*A\n").source
    assert with_local is not None
    text = with_local.decode().replace(
        "</kineticLaw>",
        '<listOfLocalParameters><localParameter id="k" value="1"/></listOfLocalParameters>'
        "</kineticLaw>",
    )
    network = sg.load(text, substance="item")
    assert rate_constants(network, ["J.k"]) == {"J.k": "SBO:0000022"}
    assert rate_constants(network, ["k"]) == {}


def term_of(data: bytes, name: str) -> str:
    document = libsbml_document(data)
    return document.getModel().getParameter(name).getSBOTermID()


@pytest.mark.parametrize(("level", "version"), [(2, 2), (2, 5), (3, 1), (3, 2)])
def test_terms_are_written_where_none_is_set(level: int, version: int) -> None:
    model = antimony(SPECIES + "J: A -> B; k*A\n")
    result = calibrated(model, {"k": Estimate(0.5)})
    data = write_sbml(result, level=level, version=version)
    document = libsbml_document(data)
    assert (document.getLevel(), document.getVersion()) == (level, version)
    assert term_of(data, "k") == "SBO:0000022"
    assert [e for e in consistency(data) if e[1] == "Error"] == []


def test_a_term_that_is_set_stays() -> None:
    model = shipped("dimerization")
    assert model.source is not None
    before = term_of(model.source, "k1")
    assert before
    assert term_of(write_sbml(calibrated(model, {"k1": Estimate(0.5)})), "k1") == before


def test_the_first_versions_have_no_place_for_terms() -> None:
    model = antimony(SPECIES + "J: A -> B; k*A\n")
    data = write_sbml(calibrated(model, {"k": Estimate(0.5)}), level=2, version=1)
    assert b"sboTerm" not in data
    assert libsbml.readSBMLFromString(data.decode()).getNumErrors(libsbml.LIBSBML_SEV_ERROR) == 0
