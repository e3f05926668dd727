"""Which values are written where, in every construct and level."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import replace
from typing import Any

import pytest
from constructs import CONSTRUCTS
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs
from written_documents import (
    INITIAL,
    L3,
    PARAMETER,
    SPECIES,
    changed_lines,
    consistency,
    golden,
    model_text,
    network_of,
    values_in,
)

import sbmlgrad as sg
from sbmlgrad.errors import WriteError
from sbmlgrad.io.sbml.annotation import PROVENANCE
from sbmlgrad.io.sbml.writer import write_sbml
from sbmlgrad.model.elements import Species
from sbmlgrad.model.expression import Symbol


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
