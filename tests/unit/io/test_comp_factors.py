"""Conversion factors of hierarchical models, against values worked out by hand."""

from __future__ import annotations

import os
import signal
from math import exp

import pytest
from sbml_parts import composed, constant, part, replacing, submodel
from sbml_text import (
    assignment,
    at_level,
    compartment,
    event,
    function,
    model,
    parameter,
    reaction,
    rule,
    species,
)

import sbmlgrad as sg

ALONE = {"compartments": []}
DECAY = model(reaction("J", "k*X", "X"), species=[species("X")], parameters=[parameter("k", 0.5)])


def after(text: str, time: float, *symbols: str) -> list[float]:
    """Return values of symbols by the rate equations."""
    solution = sg.simulate(sg.load(text), times=[time], engine=sg.engines.ODE())
    return [float(solution.mean(symbol)[-1]) for symbol in symbols]


def refused(text: str) -> list[tuple[str, str]]:
    return [(i.code, i.element) for i in sg.check(text) if i.blocks == {"ssa", "ode"}]


def close(*values: float) -> object:
    return pytest.approx(values, rel=1e-6)


# --- replaced elements ----------------------------------------------------------------------------


def test_a_replaced_species_is_divided_in_formulas_and_changes_as_written() -> None:
    """Y = f X, and the stoichiometry stays: dY/dt = -k Y/f."""
    outer = model(species=[replacing(species("Y"), ("A", "X", "f"))], parameters=[constant("f", 4)])
    text = composed(outer, submodel("A", "inner"), inner=DECAY)
    assert after(text, 2.0, "Y") == close(10.0 * exp(-0.5 * 2.0 / 4.0))


def test_what_is_assigned_is_multiplied() -> None:
    """An event X := X + 1, a rate rule and an assignment rule, the symbols replaced with f = 4."""
    inner = model(
        parameters=[parameter("p", 1.0), parameter("q"), parameter("r", 1.0)],
        rules=[rule("rate", "p", "p + 3"), rule("assignment", "q", "2*r + 1")],
        events=[event("E", "time > 1", "r", "r + 1")],
    )
    names = ("p", "q", "r")
    replaced = [replacing(parameter(n.upper(), 8.0), ("A", n, "f")) for n in names]
    text = composed(
        model(parameters=[*replaced, constant("f", 4)], compartments=[]),
        submodel("A", "inner"),
        inner=inner,
    )
    # P' = f (P/f + 3), Q = f (2 R/f + 1) and R := f (R/f + 1).
    expected = (20.0 * exp(2.0) - 12.0, 2.0 * 12.0 + 4.0, 12.0)
    assert after(text, 2.0, "P", "Q", "R") == close(*expected)


def test_a_rate_rule_gets_both_factors() -> None:
    """P' = f (P/f + 3) / t."""
    inner = model(parameters=[parameter("p", 1.0)], rules=[rule("rate", "p", "p + 3")])
    replaced = replacing(parameter("P", 8.0), ("A", "p", "f"))
    outer = model(parameters=[replaced, constant("f", 4), constant("t", 2)], compartments=[])
    text = composed(outer, submodel("A", "inner", time="t"), inner=inner)
    assert after(text, 2.0, "P") == close(20.0 * exp(1.0) - 12.0)


def test_factors_of_nested_replacements_are_multiplied() -> None:
    leaf = DECAY
    middle = model(
        species=[replacing(species("M"), ("B", "X", "g"), ("C", "X"))],
        parameters=[constant("g", 5)],
    )
    outer = model(species=[replacing(species("Y"), ("A", "M", "f"))], parameters=[constant("f", 2)])
    text = composed(
        outer,
        submodel("A", "middle"),
        middle=part(middle, submodel("B", "leaf"), submodel("C", "leaf")),
        leaf=leaf,
    )
    assert after(text, 2.0, "Y") == close(10.0 * exp(-0.5 * 2.0 * (1 / 10.0 + 1 / 2.0)))


# --- time and extent ------------------------------------------------------------------------------

CLOCKS = model(
    reaction("J", "k*time", products="X"),
    species=[species("X", 0)],
    parameters=[parameter(n, 0.0) for n in ("k", "p", "q", "r")],
    assignments=[assignment("k", "3")],
    rules=[rule("rate", "p", "p + 1"), rule("assignment", "q", "time + J")],
    events=[event("E", "time > 3", "r", "time", delay="2")],
)


def test_time_and_extent_of_a_submodel() -> None:
    """One unit of time inside is 2 outside; one of extent is 5."""
    outer = model(parameters=[constant("t", 2), constant("x", 5)], **ALONE)
    text = composed(outer, submodel("A", "inner", time="t", extent="x"), inner=CLOCKS)
    x, p, q, r = after(text, 9.5, "A__X", "A__p", "A__q", "A__r")
    inside = 9.5 / 2.0
    # In its own time and extent the submodel has dX/ds = 3 s, p' = p + 1 and q = s + 3 s.
    assert x == pytest.approx(5.0 * 3.0 * inside**2 / 2.0, rel=1e-6)
    assert p == pytest.approx(exp(inside) - 1.0, rel=1e-6)
    assert q == pytest.approx(4.0 * inside, rel=1e-6)
    assert r == 0.0, "at 3 + 2 units of its time, 10 outside"
    assert after(text, 10.5, "A__r") == close(3.0)


def test_factors_of_nested_submodels_are_multiplied_and_handed_down() -> None:
    outer = model(parameters=[constant("t", 2), constant("x", 3)], **ALONE)
    middle = part(
        model(parameters=[constant("t", 5), constant("x", 7)], **ALONE),
        submodel("B", "leaf", time="t", extent="x"),
        submodel("C", "leaf"),
    )
    text = composed(outer, submodel("A", "middle", time="t", extent="x"), middle=middle, leaf=DECAY)
    rates = (21.0 / 10.0, 3.0 / 2.0)
    expected = [10.0 * exp(-0.5 * rate * 1.5) for rate in rates]
    assert after(text, 1.5, "A__B__X", "A__C__X") == close(*expected)


def test_one_factor_that_two_submodels_make_alike() -> None:
    middle = part(model(parameters=[constant("u", 9)], **ALONE), submodel("C", "leaf", time="u"))
    shared = replacing(constant("T", 4), ("A", "u"), ("B", "u"))
    text = composed(
        model(parameters=[constant("t", 2), shared], **ALONE),
        submodel("A", "middle", time="t"),
        submodel("B", "middle", time="t"),
        middle=middle,
        leaf=DECAY,
    )
    value = 10.0 * exp(-0.5 * 3.0 / 8.0)
    assert after(text, 3.0, "A__C__X", "B__C__X") == close(value, value)


def test_a_law_without_a_formula_does_not_end_the_process() -> None:
    inner = at_level(DECAY, 3, 2)
    start, end = inner.index("<math"), inner.index("</math>") + len("</math>")
    inner = inner[:start] + inner[end:]
    outer = at_level(model(parameters=[constant("t", 2)], **ALONE), 3, 2)
    text = composed(outer, submodel("A", "inner", time="t"), inner=inner)
    child = os.fork()
    if child == 0:
        found = refused(text)
        os._exit(0 if found == [("missing_kinetic_law", "A__J")] else 1)
    status = os.waitpid(child, 0)[1]
    assert not os.WIFSIGNALED(status), signal.Signals(os.WTERMSIG(status))
    assert os.waitstatus_to_exitcode(status) == 0


# --- what libSBML would get wrong -----------------------------------------------------------------

TWO = model(
    reaction("J", "k*X*Z", "X"),
    species=[species("X"), species("Z")],
    parameters=[parameter("k", 0.5)],
)
CHAIN = part(
    model(
        species=[replacing(species("M"), ("B", "X", "g"), ("C", "X", "h"))],
        parameters=[constant("g", 5), constant("h", 7)],
    ),
    submodel("B", "leaf"),
    submodel("C", "leaf"),
)
FACTORS = [constant("f", 2), constant("g", 3)]
UP = part(
    model(species=[replacing(species("U"), ("A", "M", "e"))], parameters=[constant("e", 11)]),
    submodel("A", "chain"),
)
OF_TIME = model(parameters=[constant("t", 2)], **ALONE)
USED = model(
    reaction("J", "k*X", "X"),
    species=[species("X", conversionFactor="c")],
    parameters=[parameter("k"), constant("c", 3)],
)
REFUSED = {
    "two_of_one_submodel": (
        composed(
            model(
                species=[replacing(species("Y"), ("A", "X", "f"), ("A", "Z", "g"))],
                parameters=FACTORS,
            ),
            submodel("A", "inner"),
            inner=TWO,
        ),
        "Y",
    ),
    "one_of_two_with_a_factor": (
        composed(
            model(
                species=[replacing(species("Y"), ("A", "X"), ("A", "Z", "f"))], parameters=FACTORS
            ),
            submodel("A", "inner"),
            inner=TWO,
        ),
        "Y",
    ),
    "three_factors_in_a_chain_that_parts": (
        composed(
            model(species=[replacing(species("Y"), ("Z", "U", "f"))], parameters=FACTORS),
            submodel("Z", "up"),
            up=UP,
            chain=CHAIN,
            leaf=DECAY,
        ),
        "Y",
    ),
    "a_factor_of_a_factor": (
        composed(
            model(parameters=[replacing(constant("C", 2), ("A", "c", "f")), *FACTORS], **ALONE),
            submodel("A", "inner"),
            inner=USED,
        ),
        "C",
    ),
    "time_in_a_function": (
        composed(
            OF_TIME,
            submodel("A", "inner", time="t"),
            inner=model(
                reaction("J", "h(k)*X", "X"),
                species=[species("X")],
                parameters=[parameter("k")],
                functions=[function("h", "x", "x*time")],
            ),
        ),
        "A__h",
    ),
    "rate_of_a_symbol": (
        composed(
            at_level(OF_TIME, 3, 2),
            submodel("A", "inner", time="t"),
            inner=at_level(
                model(
                    parameters=[parameter("k"), parameter("q")],
                    rules=[rule("rate", "k", "3"), rule("assignment", "q", "rateOf(k)")],
                ),
                3,
                2,
            ),
        ),
        "A__q",
    ),
    "a_factor_that_changes": (
        composed(
            model(parameters=[parameter("t", 2)], **ALONE),
            submodel("A", "inner", time="t"),
            inner=DECAY,
        ),
        "t",
    ),
}


@pytest.mark.parametrize(("text", "element"), REFUSED.values(), ids=REFUSED)
def test_what_flattening_would_get_wrong_is_refused(text: str, element: str) -> None:
    assert refused(text) == [("comp_flattening", element)]
    with pytest.raises(sg.UnsupportedModelError, match=r"factor|constant"):
        sg.load(text)


def test_chains_that_part_once_are_not_refused() -> None:
    outer = model(species=[replacing(species("Y"), ("A", "M", "f"))], parameters=FACTORS)
    text = composed(outer, submodel("A", "chain"), chain=CHAIN, leaf=DECAY)
    assert after(text, 2.0, "Y") == close(10.0 * exp(-0.5 * 2.0 * (1 / 10.0 + 1 / 14.0)))


def test_several_compartments_without_a_factor_are_not_refused() -> None:
    two = model(compartments=[compartment("a"), compartment("b")], parameters=[parameter("k")])
    outer = model(compartments=[replacing(compartment("c"), ("A", "a"), ("A", "b"))])
    text = composed(outer, submodel("A", "inner"), inner=two)
    assert [c.id for c in sg.load(text).compartments] == ["c"]
