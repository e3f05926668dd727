"""What the normalised form calls a propensity is read back as one, and as nothing else."""

from __future__ import annotations

import pytest

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.model.channels import channels

HEAD = """
    unit substance = item; unit extent = item;
    compartment V = 1; substanceOnly species A in V, B in V; A = 3; T = 20.5; k = 1;
"""

#: Laws whose meaning stands in what their rules are called, or in the reactions around them.
JUDGED = {
    "a species given by a rule": "B := T - A; J: -> A; k*B;",
    "a coefficient given by a rule": "B = 0; c := 2 - B/7; J: A -> B; c*A;",
    "a total": "B = 0; N = 20; J: -> A; k*(N - A);",
    "a difference": "B = 1; J: A -> B; k*A - 2*B;",
}


@pytest.mark.parametrize("text", JUDGED.values(), ids=JUDGED.keys())
def test_every_channel_comes_back_as_it_is(text: str) -> None:
    written = lower(sg.load(HEAD + text))
    document = normalised_sbml(written).decode()
    again = sg.load(document)
    found, issues = channels(again)
    assert [(c.id, c.change) for c in found] == [(c.id, c.change) for c in written.channels]
    assert {issue.code for issue in issues} <= {"sign_unknown"}


def test_a_law_that_needs_no_mark_has_none() -> None:
    plain = lower(sg.load(HEAD + "B = 1; J: A -> B; k*A; K: 2A -> ; k*A*(A - 1);"))
    assert b"annotation" not in normalised_sbml(plain)


def test_without_the_mark_a_law_is_judged() -> None:
    written = lower(sg.load(HEAD + JUDGED["a species given by a rule"]))
    document = normalised_sbml(written).decode()
    assert "propensity/1" in document
    plain = document.replace("propensity/1", "something/1")
    assert [c.id for c in channels(sg.load(plain))[0]] == ["J", "J_backward"]


def test_a_propensity_that_turns_negative_stops_the_simulation() -> None:
    document = normalised_sbml(lower(sg.load(HEAD + JUDGED["a species given by a rule"]))).decode()
    net = sg.load(document)
    assert [issue.code for issue in net.issues] == ["sign_unknown"]
    with pytest.raises(sg.SimulationError, match="negative propensity"):
        sg.simulate(net, times=[100.0], seed=1, initial={"A": 25.0})
