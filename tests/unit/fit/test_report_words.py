"""What the report says in words, and how it writes formulas and markup."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fit_results import usual_result
from matplotlib.figure import Figure

from sbmlgrad.fit.formula_spelling import formula_text, number_text
from sbmlgrad.fit.pictures.panels import draw_loss
from sbmlgrad.fit.problems.plain import FROM_DATA, NOISE
from sbmlgrad.fit.report import words
from sbmlgrad.fit.report.tables import number, table
from sbmlgrad.io.formula_text import formula_of
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.operators import OPERATORS
from sbmlgrad.pages.markup import Html, element, listed

FORMULAS = [
    ("scale*(A+2*AB)+offset", "scale * (A + 2 * AB) + offset"),
    ("A-(B-C)", "A - (B - C)"),
    ("(A-B)-C", "A - B - C"),
    ("A/(B*C)", "A / (B * C)"),
    ("A/B/C", "A / B / C"),
    ("(A*B)/C", "A * B / C"),
    ("-A^2", "-A^2"),
    ("(-A)^2", "(-A)^2"),
    ("A^(B^C)", "A^(B^C)"),
    ("2^(-A)", "2^(-A)"),
    ("exp(A+B)*3", "exp(A + B) * 3"),
    ("piecewise(A, B < C, 0.5)", "piecewise(A, (B < C), 0.5)"),
    ("A*time", "A * time"),
    ("A + -2", "A + -2"),
]


def value(expression, known) -> float:
    """Evaluate by the operators' own functions."""
    name = type(expression).__name__
    if name == "Number":
        return expression.value
    if name == "Symbol":
        return known[expression.id]
    arguments = [value(a, known) for a in expression.arguments]
    return float(OPERATORS[expression.operator].function(*arguments))


@pytest.mark.parametrize(("written", "expected"), FORMULAS)
def test_formulas_are_written_without_needless_parentheses(written, expected) -> None:
    formula = formula_of(written)
    text = formula_text(formula)
    again = formula_of(text)
    known = dict(zip(sorted(symbols(formula)), (1.3, 0.7, 2.9, 0.4, 1.9), strict=False))
    assert value(again, known) == pytest.approx(value(formula, known), rel=1e-14)
    assert text == expected


def test_numbers_keep_their_digits() -> None:
    assert [number_text(x) for x in (2.0, 0.1, 1e-7, 1e22)] == ["2", "0.1", "1e-07", "1e+22"]
    told = [number(x) for x in (0.123456, -1.0, np.inf, -np.inf, np.nan, None)]
    assert told == ["0.1235", "−1", "∞", "−∞", "not known", "not known"]


def test_markup_escapes_text_and_closes_elements() -> None:
    assert element("p", "a < b & c", class_="x") == '<p class="x">a &lt; b &amp; c</p>'
    assert element("td", Html("<b>x</b>"), title='"q"') == '<td title="&quot;q&quot;"><b>x</b></td>'
    assert element("meta", charset="utf-8") == '<meta charset="utf-8"/>'
    assert listed() == ""
    assert listed("a", None, "b") == "<ul><li>a</li><li>b</li></ul>"


def test_tables_leave_out_empty_columns_and_fold_long_ones() -> None:
    columns: list[tuple[str, str | None]] = [("a", None), ("b", "n"), ("c", None)]
    short = table(columns, [("1", "2", ""), ("3", "", "")])
    assert "<th" in short
    assert ">c<" not in short
    long = table(columns[:1], [(str(i),) for i in range(50)])
    assert long.count("<table>") == 2
    assert "10 more rows" in long


def test_concerns_come_first() -> None:
    """Each thing that a reader must know is said when it is so, and not otherwise."""
    calm = replace(usual_result(), starts=usual_result().starts[:1])
    assert calm.uncertainty is not None
    calm = replace(calm, uncertainty=replace(calm.uncertainty, flags=(), parameter_flags={}))
    assert words.look_first(calm) == []
    space = calm.free
    values = {**calm.values, "k_on": float(space.upper[0])}
    assert calm.predictions is not None
    away = replace(calm.predictions, mean=calm.predictions.mean + 40.0)
    none = replace(calm.predictions, mean=np.full_like(away.mean, np.nan))
    for changed, said in (
        (replace(calm, interrupted=True), "interrupted"),
        (replace(calm, values=values), "At a bound: k_on"),
        (replace(calm, start_loss=calm.loss), "no lower than at the start"),
        (
            replace(calm, assumptions=("gradients by A(), not checked against B()",)),
            "Gradients by A(), not checked against B().",
        ),
        (usual_result(), "1 of 8 starts failed: trajectory 3 failed"),
        (replace(calm, uncertainty=None), "was not computed"),
        (replace(calm, predictions=away), "Only 0 of 72 measurements"),
        (replace(calm, predictions=away), "look for outliers"),
        (replace(calm, predictions=none), "72 measurements cannot be judged"),
        (usual_result(), "k_on: moves together with k_off"),
    ):
        assert any(said in concern for concern in words.look_first(changed)), said


def test_the_printed_result_has_its_flags_below_the_parameters() -> None:
    lines = str(usual_result()).splitlines()
    (place,) = (i for i, line in enumerate(lines) if line.startswith("  k_on "))
    assert lines[place + 1].strip() == "moves together with k_off"
    assert lines[-1] == "  one direction is sloppy"
    bare = str(replace(usual_result(), uncertainty=None))
    assert "moves together" not in bare
    assert "sloppy" not in bare


def test_assumed_noise_is_no_test_of_the_model() -> None:
    result = usual_result()
    assert "does not test the model" not in words.agreement(result)[0]
    problem = replace(result.problem, settings={NOISE: FROM_DATA})
    assumed = replace(result, problem=problem)
    assert "does not test the model" in words.agreement(assumed)[0]
    assert assumed.predictions is not None
    far = replace(assumed.predictions, mean=assumed.predictions.mean + 40.0)
    concerns = words.look_first(replace(assumed, predictions=far))
    assert not any("expected" in concern for concern in concerns)


def test_a_loss_without_simulation_has_no_error() -> None:
    usual = usual_result()
    exact = replace(usual, estimator=usual.objective, loss_standard_error=0.0)
    deterministic = replace(usual, evaluation_trajectories=0, loss_standard_error=0.0)
    figure = Figure()
    for result, is_exact in ((usual, False), (exact, True), (deterministic, True)):
        (line,) = (line for line in str(result).splitlines() if line.startswith("  loss = "))
        assert ("±" not in line) is is_exact, line
        assert ("trajectories" not in line) is is_exact, line
        ax = figure.add_subplot()
        draw_loss(ax, result)
        assert ("±" not in ax.get_title() + ax.get_ylabel()) is is_exact, ax.get_title()
