"""Concentrations in compartments of size 0 are refused on loading, not found to be NaN later."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from sbml_text import (
    assignment,
    at_level,
    compartment,
    event,
    model,
    parameter,
    reaction,
    rule,
    species,
)

import sbmlgrad as sg

POINT = compartment("cell", 0.0, constant="false")
IS_CONCENTRATION = {"hasOnlySubstanceUnits": "false"}
GIVEN = {**IS_CONCENTRATION, "initialAmount": None, "initialConcentration": 5.0}


def of(*reactions: str, about: Mapping[str, object] = IS_CONCENTRATION, **more: object) -> str:
    given: dict[str, object] = {
        "species": [species("X", **about)],
        "parameters": [parameter("k", 1.0), parameter("p", 1.0)],
        "compartments": [POINT],
        **more,
    }
    return model(*reactions, **given)  # pyright: ignore[reportArgumentType]


def refused(text: str) -> list[tuple[str, str]]:
    return [(i.code, i.element) for i in sg.check(text) if i.blocks == {"ssa", "ode"}]


CONSTANT_LAW = reaction("J", "k", products="X")
REFUSED = {
    "in_a_law": of(reaction("J", "k*X", "X")),
    "in_a_rule": of(CONSTANT_LAW, rules=[rule("assignment", "p", "2*X")]),
    "in_a_trigger": of(CONSTANT_LAW, events=[event("E", "X > 3", "p", "1")]),
    "in_an_initial_assignment": of(CONSTANT_LAW, assignments=[assignment("p", "X")]),
    "given": of(CONSTANT_LAW, about=GIVEN),
    "assigned": of(CONSTANT_LAW, assignments=[assignment("X", "5")]),
    "set_by_an_event": of(CONSTANT_LAW, events=[event("E", "time > 1", "X", "3")]),
    "set_by_a_rate_rule": of(rules=[rule("rate", "X", "k")]),
    "of_an_amount_that_stays": of(
        about={**IS_CONCENTRATION, "constant": "true"}, rules=[rule("assignment", "p", "X")]
    ),
    "level_2": at_level(of(reaction("J", "k*X", "X")), 2, 4),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_concentration_that_is_needed(text: str) -> None:
    assert refused(text) == [("volume_undefined", "X")]
    with pytest.raises(sg.UnsupportedModelError, match=r"volume_undefined.*'cell' is 0"):
        sg.load(text)


ACCEPTED = {
    "an_amount": of(reaction("J", "k*X", "X"), about={"hasOnlySubstanceUnits": "true"}),
    "not_used": of(CONSTANT_LAW),
    "the_size_itself": of(reaction("J", "k*(1 + cell)", products="X")),
    "no_concentration_at_the_start": of(CONSTANT_LAW, about={**GIVEN, "initialConcentration": 0.0}),
    "a_concentration_that_stays": of(
        about={**GIVEN, "constant": "true"}, rules=[rule("assignment", "p", "X")]
    ),
    "a_concentration_by_a_rule": of(
        rules=[rule("assignment", "X", "2*k"), rule("assignment", "p", "X")]
    ),
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_what_needs_no_volume_runs(text: str) -> None:
    assert refused(text) == []
    solution = sg.simulate(sg.load(text), times=[1.0], engine=sg.engines.ODE())
    assert math.isfinite(float(solution.mean("p")[-1]))


def test_a_size_that_a_formula_gives_is_not_zero_for_good() -> None:
    """The size may be another by the time that it is needed, or with other parameters."""
    law = reaction("J", "k*X", "X")
    given: tuple[dict[str, list[str]], ...] = (
        {"rules": [rule("assignment", "cell", "p")]},
        {"rules": [rule("rate", "cell", "p")]},
        {"assignments": [assignment("cell", "p")]},
        {"events": [event("E", "time > 1", "cell", "p")]},
    )
    for more in given:
        assert refused(of(law, **more)) == []  # pyright: ignore[reportArgumentType]
    network = sg.load(of(law, assignments=[assignment("cell", "p")]))
    solution = sg.simulate(network, times=[2.0], engine=sg.engines.ODE())
    assert float(solution.mean("X", "amount")[-1]) == pytest.approx(10.0 * math.exp(-2.0), rel=1e-6)
