"""A random draw handed to a function is one draw, however often the function uses its argument."""

from __future__ import annotations

import numpy as np
import pytest
from sbml_text import assignment, event, function, model, parameter, raw

import sbmlgrad as sg

SYMBOL = "http://www.sbml.org/sbml/symbols/distrib"
DISTRIB = (
    ' xmlns:distrib="http://www.sbml.org/sbml/level3/version1/distrib/version1"'
    ' distrib:required="true"'
)
NORMAL = (
    f'<apply><csymbol encoding="text" definitionURL="{SYMBOL}/normal">normal</csymbol>'
    "<cn>5</cn><cn>1</cn></apply>"
)


def call(name: str, *arguments: str) -> str:
    return f"<apply><ci>{name}</ci>{''.join(arguments)}</apply>"


def drawn(formula: str, *functions: str) -> str:
    return model(
        parameters=[parameter("a", 0.0)],
        functions=functions,
        assignments=[assignment("a", raw(formula))],
        namespaces=DISTRIB,
    )


DIFFERENCE = function("f", "x", "x - x")
REFUSED = {
    "twice": (call("f", NORMAL), DIFFERENCE),
    "inside": (call("f", f"<apply><plus/><cn>1</cn>{NORMAL}</apply>"), DIFFERENCE),
    "through_another": (call("g", NORMAL), DIFFERENCE, function("g", "y", "f(y)")),
    "of_a_call": (call("f", call("h")), DIFFERENCE, function("h", "", raw(NORMAL))),
    "in_a_condition": (call("f", NORMAL), function("f", "x", "piecewise(x, x > 5, 0)")),
    "comparison": (
        f"<piecewise><piece><cn>1</cn><apply><lt/><cn>4</cn>{NORMAL}<cn>6</cn></apply></piece>"
        "<otherwise><cn>0</cn></otherwise></piecewise>",
    ),
}


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_a_draw_that_would_be_copied_is_refused(given: tuple[str, ...]) -> None:
    formula, *functions = given
    text = drawn(formula, *functions)
    (issue,) = [i for i in sg.check(text) if i.blocks == {"ssa", "ode"}]
    assert (issue.code, issue.element) == ("distribution_in_function", "a")
    assert "2 times" in issue.message
    with pytest.raises(sg.UnsupportedModelError, match="distribution_in_function"):
        sg.load(text)


def test_in_an_event_too() -> None:
    given = event("E", "time > 1", "a", raw(call("f", NORMAL)))
    text = model(
        parameters=[parameter("a", 0.0)],
        functions=[DIFFERENCE],
        events=[given],
        namespaces=DISTRIB,
    )
    assert [(i.code, i.element) for i in sg.check(text) if i.blocks] == [
        ("distribution_in_function", "E/a")
    ]


ALLOWED = {
    "once": (call("f", NORMAL), function("f", "x", "2*x")),
    "never": (call("f", NORMAL), function("f", "x", "7")),
    # Two calls are two draws.
    "two_draws": (
        f"<apply><minus/>{call('f', NORMAL)}{call('f', NORMAL)}</apply>",
        function("f", "x", "x"),
    ),
    "two_arguments": (call("f", NORMAL, NORMAL), function("f", "x y", "x - y")),
}
EXPECTED = {"once": (10.0, 2.0), "never": (7.0, 0.0), "two_draws": (0.0, 2**0.5)}
EXPECTED["two_arguments"] = EXPECTED["two_draws"]


@pytest.mark.parametrize("name", ALLOWED)
def test_a_draw_that_is_used_once_is_made_once(name: str) -> None:
    formula, *functions = ALLOWED[name]
    network = sg.load(drawn(formula, *functions))
    cells = sg.simulate(network, times=[0.0], trajectories=4000, seed=1)
    values = np.asarray(cells.values("a")).ravel()
    mean, deviation = EXPECTED[name]
    assert abs(values.mean() - mean) <= 5.0 * deviation / 4000**0.5
    assert values.std() == pytest.approx(deviation, rel=0.08)
