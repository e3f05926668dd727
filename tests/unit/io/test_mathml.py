"""MathML → expressions: every element of SBML, functions inlined, refusals and limits."""

from __future__ import annotations

import math

import libsbml
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbmlgrad.io.sbml.mathml import (
    FunctionDefinition,
    MathError,
    define,
    to_expression,
)
from sbmlgrad.io.sbml.mathml_names import OPERATOR_NAMES
from sbmlgrad.model.distributions import DISTRIBUTIONS
from sbmlgrad.model.expression import TIME, Apply, Expression, Number, Symbol
from sbmlgrad.model.operators import OPERATORS, evaluate

A, B, C = Symbol("a"), Symbol("b"), Symbol("c")
Functions = dict[str, FunctionDefinition | MathError]


def mathml(text: str, functions: Functions | None = None) -> Expression:
    whole = f'<math xmlns="http://www.w3.org/1998/Math/MathML">{text}</math>'
    node = libsbml.readMathMLFromString(whole)
    assert node is not None
    return to_expression(node, functions or {}, {})


def infix(text: str, functions: Functions | None = None) -> Expression:
    node = libsbml.parseL3Formula(text)
    assert node is not None, libsbml.getLastParseL3Error()
    return to_expression(node, functions or {}, {})


def csymbol(name: str, *arguments: str) -> str:
    url = f"http://www.sbml.org/sbml/symbols/{name}"
    symbol = f'<csymbol encoding="text" definitionURL="{url}">s</csymbol>'
    return f"<apply>{symbol}{''.join(arguments)}</apply>" if arguments else symbol


def applied(operator: str, *arguments: str) -> str:
    return f"<apply><{operator}/>{''.join(arguments)}</apply>"


CI = ("<ci>a</ci>", "<ci>b</ci>", "<ci>c</ci>")

#: Values as the specification of MathML and SBML defines them, worked out by hand.
VALUES = [
    (applied("quotient", "<cn>7</cn>", "<cn>-2</cn>"), -3.0),
    (applied("rem", "<cn>-7</cn>", "<cn>2</cn>"), -1.0),
    (applied("rem", "<cn>7</cn>", "<cn>-2</cn>"), 1.0),
    (applied("floor", "<cn>-1.5</cn>"), -2.0),
    (applied("ceiling", "<cn>-1.5</cn>"), -1.0),
    (applied("factorial", "<cn>5</cn>"), 120.0),
    (applied("factorial", "<cn>0</cn>"), 1.0),
    (applied("factorial", "<cn>22</cn>"), 1124000727777607680000.0),
    (applied("factorial", "<cn>171</cn>"), math.inf),
    (applied("factorial", "<cn>1.5</cn>"), math.nan),
    (applied("factorial", "<cn>-1</cn>"), math.nan),
    (applied("log", "<cn>1000</cn>"), 3.0),
    (applied("log", "<logbase><cn>2</cn></logbase>", "<cn>8</cn>"), 3.0),
    (applied("root", "<cn>9</cn>"), 3.0),
    (applied("root", "<degree><cn>3</cn></degree>", "<cn>27</cn>"), 3.0),
    (applied("power", "<cn>0</cn>", "<cn>0</cn>"), 1.0),
    (applied("sec", "<cn>0</cn>"), 1.0),
    (applied("csc", "<cn>2</cn>"), 1.0 / math.sin(2.0)),
    (applied("cot", "<cn>2</cn>"), 1.0 / math.tan(2.0)),
    (applied("arccot", "<cn>-0.1</cn>"), math.atan(-10.0)),
    (applied("arccot", "<cn>0</cn>"), math.pi / 2.0),
    (applied("arcsec", "<cn>-2</cn>"), math.acos(-0.5)),
    (applied("arccsc", "<cn>2</cn>"), math.asin(0.5)),
    (applied("sech", "<cn>1</cn>"), 1.0 / math.cosh(1.0)),
    (applied("csch", "<cn>1</cn>"), 1.0 / math.sinh(1.0)),
    (applied("coth", "<cn>1</cn>"), 1.0 / math.tanh(1.0)),
    (applied("arcsech", "<cn>0.5</cn>"), math.acosh(2.0)),
    (applied("arccsch", "<cn>0.5</cn>"), math.asinh(2.0)),
    (applied("arccoth", "<cn>2</cn>"), math.atanh(0.5)),
    (applied("max", "<cn>1</cn>", "<cn>4</cn>", "<cn>2</cn>"), 4.0),
    (applied("min", "<cn>3</cn>"), 3.0),
    (applied("xor", "<true/>", "<true/>", "<true/>"), 1.0),
    (applied("xor", "<true/>", "<true/>"), 0.0),
    (applied("implies", "<true/>", "<false/>"), 0.0),
    (applied("implies", "<false/>", "<false/>"), 1.0),
    (applied("lt", "<cn>1</cn>", "<cn>2</cn>", "<cn>1</cn>"), 0.0),
    (applied("lt", "<cn>1</cn>", "<cn>2</cn>", "<cn>3</cn>"), 1.0),
    (applied("eq", "<cn>1</cn>", "<cn>1</cn>", "<cn>2</cn>"), 0.0),
    # Without arguments, and with one.
    (applied("plus"), 0.0),
    (applied("times"), 1.0),
    (applied("and"), 1.0),
    (applied("or"), 0.0),
    (applied("xor"), 0.0),
    (applied("plus", "<cn>4</cn>"), 4.0),
    (applied("and", "<cn>4</cn>"), 1.0),
    (applied("or", "<cn>0</cn>"), 0.0),
    (applied("xor", "<cn>4</cn>"), 1.0),
    ("<piecewise/>", math.nan),
    ("<piecewise><piece><cn>2</cn><false/></piece></piecewise>", math.nan),
    ("<piecewise><otherwise><cn>2</cn></otherwise></piecewise>", 2.0),
    # Truth values as numbers, numbers as truth values.
    (applied("plus", "<true/>", "<true/>", "<cn>1</cn>"), 3.0),
    (applied("times", "<cn>3</cn>", applied("lt", "<cn>1</cn>", "<cn>2</cn>")), 3.0),
    (applied("and", "<cn>5</cn>", "<cn>-0.5</cn>"), 1.0),
    (applied("not", "<cn>0</cn>"), 1.0),
    ("<piecewise><piece><cn>7</cn><cn>0.5</cn></piece></piecewise>", 7.0),
    (applied("lt", "<false/>", "<true/>"), 1.0),
    # Literals.
    ("<infinity/>", math.inf),
    (applied("minus", "<infinity/>"), -math.inf),
    ("<notanumber/>", math.nan),
    ("<pi/>", math.pi),
    ("<exponentiale/>", math.e),
    ('<cn type="rational">3<sep/>4</cn>', 0.75),
    ('<cn type="e-notation">2<sep/>3</cn>', 2000.0),
    (csymbol("avogadro"), 6.02214179e23),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values(text: str, expected: float) -> None:
    found = float(evaluate(mathml(text), {}))
    assert found == pytest.approx(expected, rel=1e-15, nan_ok=True)


def test_every_operator_that_libsbml_knows_is_in_the_table() -> None:
    assert set(OPERATOR_NAMES.values()) - {"root", "log"} <= set(OPERATORS)


def test_time_is_the_clock() -> None:
    assert mathml(csymbol("time")) == TIME
    assert infix("a*time") == Apply("times", (A, TIME))
    # A name that looks like it is not.
    assert mathml("<ci>time</ci>") == Symbol("time")


def test_chains_of_relations_compare_neighbours() -> None:
    expected = Apply("and", (Apply("leq", (A, B)), Apply("leq", (B, C))))
    assert mathml(applied("leq", *CI)) == expected


def test_names_in_this_scope_shadow_global_ones() -> None:
    node = libsbml.parseL3Formula("k*a + rateOf(k)")
    expected = Apply(
        "plus",
        (Apply("times", (Symbol("J.k"), A)), Apply("rateOf", (Symbol("J.k"),))),
    )
    assert to_expression(node, {}, {"k": "J.k"}) == expected


# --- rates of change, delays, draws ---------------------------------------------------------------


def test_the_rate_of_a_symbol() -> None:
    assert mathml(csymbol("rateOf", CI[0])) == Apply("rateOf", (A,))


@pytest.mark.parametrize("argument", ["<cn>1</cn>", applied("plus", *CI), csymbol("time")])
def test_the_rate_of_a_formula_is_refused(argument: str) -> None:
    with pytest.raises(MathError, match="rateOf") as caught:
        mathml(csymbol("rateOf", argument))
    assert caught.value.code == "invalid_sbml"


def test_rates_within_functions_take_symbols_only() -> None:
    functions: Functions = {"f": define(("x", "y"), infix("rateOf(x) + y"))}
    expected = Apply("plus", (Apply("rateOf", (A,)), Apply("times", (B, C))))
    assert infix("f(a, b*c)", functions) == expected
    with pytest.raises(MathError, match="rateOf"):
        infix("f(a*b, c)", functions)


def test_delays_are_refused_with_their_code() -> None:
    with pytest.raises(MathError) as caught:
        mathml(csymbol("delay", *CI[:2]))
    assert caught.value.code == "delay"


@pytest.mark.parametrize("name", sorted(DISTRIBUTIONS))
def test_every_distribution_is_read(name: str) -> None:
    for count in DISTRIBUTIONS[name].counts:
        arguments = [f"<cn>{i}</cn>" for i in range(count)]
        expected = Apply(name, tuple(Number(float(i)) for i in range(count)))
        assert mathml(csymbol(f"distrib/{name}", *arguments)) == expected
    with pytest.raises(MathError, match=f"'{name}' cannot have 9"):
        mathml(csymbol(f"distrib/{name}", *["<cn>1</cn>"] * 9))


def test_the_other_spelling_of_lognormal_is_read() -> None:
    assert mathml(csymbol("distrib/logNormal", *CI[:2])) == Apply("lognormal", (A, B))


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        (csymbol("distrib/zipf", CI[0]), "zipf"),
        (csymbol("unheard", CI[0]), "symbols/unheard"),
        (applied("min"), "'min' cannot have 0"),
        (applied("neq", *CI), "'neq' cannot have 3"),
        (applied("lt", CI[0]), "'lt' cannot have 1"),
        (applied("rem", CI[0]), "'rem' cannot have 1"),
        ('<cn type="rational">1<sep/>0</cn>', "divided by zero"),
    ],
)
def test_what_is_not_of_sbml_is_refused_by_name(text: str, mark: str) -> None:
    whole = f'<math xmlns="http://www.w3.org/1998/Math/MathML">{text}</math>'
    node = libsbml.readMathMLFromString(whole)
    assert node is not None
    with pytest.raises(MathError) as caught:
        to_expression(node, {}, {})
    assert mark in str(caught.value)
    assert caught.value.code in ("invalid_sbml", "unsupported_math")
    assert caught.value.advice


def test_no_formula_at_all() -> None:
    with pytest.raises(MathError) as caught:
        to_expression(None, {}, {})
    assert caught.value.code == "missing_math"


# --- functions, size and depth --------------------------------------------------------------------


def test_calls_are_inlined_and_renaming_does_not_reach_inside() -> None:
    functions: Functions = {"f": define(("x",), infix("x^2 + a"))}
    node = libsbml.parseL3Formula("f(a)")
    square = Apply("power", (Symbol("J.a"), Number(2.0)))
    assert to_expression(node, functions, {"a": "J.a"}) == Apply("plus", (square, A))


def test_wrong_calls() -> None:
    functions: Functions = {"f": define(("x",), infix("x + 1"))}
    with pytest.raises(MathError, match="takes 1 arguments and is given 2"):
        infix("f(a, b)", functions)
    with pytest.raises(MathError, match="neither defined"):
        infix("g(a)", functions)


def nested(calls: int, times_each: int) -> Functions:
    functions: Functions = {"f0": define(("x",), infix("x + 1"))}
    for i in range(1, calls):
        inside = " + ".join([f"f{i - 1}(x)"] * times_each)
        try:
            functions[f"f{i}"] = define(("x",), infix(inside, functions))
        except MathError as error:
            functions[f"f{i}"] = error.in_function(f"f{i}")
    return functions


def test_functions_that_multiply_are_refused_before_they_fill_the_memory() -> None:
    functions = nested(40, 10)
    with pytest.raises(MathError, match="limit"):
        infix("f39(a)", functions)
    assert isinstance(infix("f2(a)", functions), Apply)


def test_many_large_calls_in_one_formula_are_refused_too() -> None:
    functions = nested(4, 10)
    with pytest.raises(MathError, match="limit"):
        infix(" + ".join(["f3(a)"] * 30), functions)


def test_nested_chains_of_relations_do_not_double_without_end() -> None:
    text = "a"
    for _ in range(60):
        text = f"lt(a, {text}, b)"
    with pytest.raises(MathError, match="limit"):
        infix(text)


@pytest.mark.parametrize("text", ["{}(" * 500 + "a" + ")" * 500, "-" * 400 + "a"])
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(MathError, match="nested"):
        infix(text.format(*["exp"] * 500))


def test_nesting_through_functions_is_refused() -> None:
    functions: Functions = {"f": define(("x",), infix("exp(" * 60 + "x" + ")" * 60))}
    assert isinstance(infix("f(a)", functions), Apply)
    with pytest.raises(MathError, match="nested"):
        infix("f(f(a))", functions)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=6), st.integers(0, 4))
def test_inlining_keeps_the_value(powers: list[int], depth: int) -> None:
    functions: Functions = {"f": define(("x", "y"), infix("x*y - x"))}
    text = " + ".join(f"a^{n}" for n in powers)
    expected = 1.5
    value = sum(1.5**n for n in powers)
    for _ in range(depth):
        text = f"f({text}, a)"
        value = value * expected - value
    found = float(evaluate(infix(text, functions), {"a": 1.5}))
    assert found == pytest.approx(value, rel=1e-12)


def test_an_operator_of_too_many_operands_is_refused_but_no_long_sum() -> None:
    operands = "<ci>a</ci>" * 10_001
    with pytest.raises(MathError, match="10001 operands"):
        mathml(applied("max", operands))
    total = mathml(applied("plus", operands))
    assert float(evaluate(total, {"a": 2.0})) == 20_002.0


def test_reading_a_long_formula_takes_time_in_proportion() -> None:
    functions: Functions = {"f": define(("x",), infix("x/(1 + x)"))}

    def nodes_read(terms: int) -> int:
        text = " + ".join(f"k{i}*s{i}*f(s{i})" for i in range(terms))
        node = libsbml.parseL3Formula(text)
        counted = _Counted(node)
        to_expression(counted, functions, {})
        return counted.reads[0]

    assert nodes_read(800) <= 2.2 * nodes_read(400)


class _Counted:
    """A libSBML node that counts how often nodes are asked for a child."""

    def __init__(self, node: libsbml.ASTNode, reads: list[int] | None = None) -> None:
        self._node = node
        self.reads = [0] if reads is None else reads

    def getChild(self, i: int) -> _Counted:  # noqa: N802
        self.reads[0] += 1
        return _Counted(self._node.getChild(i), self.reads)

    def __getattr__(self, name: str):
        return getattr(self._node, name)
