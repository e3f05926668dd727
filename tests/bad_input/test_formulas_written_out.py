"""Rules and rates that nest without end once written out are refused, and at once."""

from __future__ import annotations

import numpy as np
import pytest
from sbml_text import at_level, line_of, model, parameter, reaction, rule, species

import sbmlgrad as sg
from sbmlgrad.model.expression import Apply, Number, Symbol
from sbmlgrad.model.formula_extent import DEEPEST_FORMULA, Extent, extent

A = [species("A", 10)]


def rules_in_a_chain(length: int, formula: str) -> str:
    parameters = [parameter("p0", 0.5), *(parameter(f"p{i}", None) for i in range(1, length))]
    rules = [rule("assignment", f"p{i}", formula.format(f"p{i - 1}")) for i in range(1, length)]
    return model(
        reaction("J", f"p{length - 1}*A", "A"), species=A, parameters=parameters, rules=rules
    )


def test_extents_add_up() -> None:
    inner = extent(Apply("plus", (Symbol("x"), Number(1.0))), {})
    assert inner == Extent(3, 2)
    outer = Apply("times", (Symbol("y"), Apply("exp", (Symbol("y"),))))
    assert extent(outer, {}) == Extent(4, 3)
    assert extent(outer, {"y": inner}) == Extent(8, 4)


@pytest.mark.parametrize("formula", ["1.001*{}", "1-{}", "exp(-{})"])
@pytest.mark.parametrize("length", [DEEPEST_FORMULA + 20, 3000])
def test_long_chains_of_rules_are_refused_by_name(formula: str, length: int) -> None:
    text = rules_in_a_chain(length, formula)
    found = [issue for issue in sg.check(text) if issue.code == "formula_too_large"]
    assert {"J", f"p{length - 1}"} <= {issue.element for issue in found}
    assert "deep; the limit is 150" in found[0].message
    assert next(i.line for i in found if i.element == "J") == line_of(text, '<reaction id="J"')
    with pytest.raises(sg.UnsupportedModelError, match="formula_too_large"):
        sg.load(text)


def test_chains_within_the_limit_run_in_both_modes() -> None:
    length = DEEPEST_FORMULA - 20
    model = sg.load(rules_in_a_chain(length, "1.001*{}"))
    rate = 0.5 * 1.001 ** (length - 1)
    solved = sg.simulate(model, times=[1.0], engine=sg.engines.ODE())
    assert solved.values("A")[0, 0] == pytest.approx(10.0 * np.exp(-rate), rel=1e-6)
    assert sg.simulate(model, times=[100.0], seed=1).values("A")[0, 0] == 0.0


def test_long_chains_of_rates_are_refused_by_name() -> None:
    chain = [reaction(f"r{i}", f"1.001*r{i - 1} + A", "A") for i in range(1, 2000)]
    text = model(reaction("r0", "k*A", "A"), *chain, species=A, parameters=[parameter("k")])
    found = [issue for issue in sg.check(text) if issue.code == "formula_too_large"]
    assert found[0].element == "r75/kineticLaw"
    assert len(found) == 2000 - 75


def test_long_chains_of_rates_of_change_are_read() -> None:
    length = 120
    rules = [rule("rate", "q0", "1")]
    rules += [rule("rate", f"q{i}", f"1+rateOf(q{i - 1})") for i in range(1, length)]
    text = model(
        reaction("J", "k*A", "A"),
        species=A,
        parameters=[parameter("k"), *(parameter(f"q{i}", 0.0) for i in range(length))],
        rules=rules,
    )
    text = at_level(text, 3, 2)
    # libSBML's own validation would take half a minute.
    assert "partly_validated" in {issue.code for issue in sg.check(text)}
    solved = sg.simulate(sg.load(text), times=[1.0], engine=sg.engines.ODE())
    assert solved.values(f"q{length - 1}")[0, 0] == pytest.approx(length)


@pytest.mark.parametrize(
    "formula", ["(" * 3000 + "A" + ")" * 3000, "-" * 5000 + "A", "A^" * 3000 + "2"]
)
def test_antimony_text_that_nests_too_deep_is_refused(formula: str) -> None:
    # The library's parser would take the whole process down with it.
    (found,) = sg.check(f"A = 5; J: A -> ; {formula};")
    assert found.code == "broken_antimony"
    assert "deep; the limit is 95" in found.message


def test_long_antimony_sums_do_not_nest() -> None:
    terms = " - ".join(f"k*{i}" for i in range(60))
    text = f"k = 0; A = 5; J: A -> ; A*(1 + {terms});\n" + "x = -(-k)\n" * 300
    assert sg.load(text, substance="item").reactions[0].id == "J"
