"""The generated pages: they are up to date, and the generator notices what is wrong."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from networks import ROOT

DOCS = ROOT / "docs"


@pytest.fixture
def generator(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    import make_support_page

    return make_support_page


@pytest.fixture
def decay(generator):
    from support_cases import CASES

    return next(case for case in CASES if case.construct == "level 3 version 2")


def test_pages_are_up_to_date() -> None:
    command = [sys.executable, str(DOCS / "make_support_page.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


def test_a_wrong_value_is_noticed(generator, decay) -> None:
    assert generator.examine(decay).exact == "yes"
    with pytest.raises(generator.SupportFault, match="mean"):
        generator.examine(replace(decay, value=decay.value * 1.2))
    with pytest.raises(generator.SupportFault, match="ODE gives"):
        generator.examine(replace(decay, value=decay.value * 1.001, is_mean=False))


def test_what_should_be_refused_and_runs_is_noticed(generator, decay) -> None:
    with pytest.raises(generator.SupportFault, match="its value is not known"):
        generator.examine(replace(decay, value=None))


def test_every_reason_code_has_a_text_and_modes(generator) -> None:
    import reason_codes

    known = reason_codes.codes_in_source()
    assert len(known) > 30
    assert known["non_integer_stoichiometry"] == (
        frozenset({"error"}),
        frozenset({"STOCHASTIC_ONLY"}),
    )
    assert known["algebraic_rule"] == (frozenset({"error"}), frozenset({"EVERY_MODE"}))
    assert known["sign_unknown"] == (frozenset({"warning"}), frozenset({"NOTHING"}))
    assert known["units_ambiguous"][0] == {"error", "warning"}


def test_an_operator_with_another_value_is_noticed(generator, monkeypatch) -> None:
    import support_operators

    from sbmlgrad.model.operators import OPERATORS

    monkeypatch.setattr(support_operators, "_by_libsbml", lambda formula: 0.5)
    with pytest.raises(support_operators.OperatorFault, match="by libSBML"):
        support_operators._operator(OPERATORS["exp"])
