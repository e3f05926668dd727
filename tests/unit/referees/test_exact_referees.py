"""Exact referees: right answers, refusals with reasons, and faults of ours that they find."""

from __future__ import annotations

import numpy as np
import pytest
from constructs import CONSTRUCTS
from networks import antimony, network
from scipy import stats

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import RefereeError
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.model.expression import Symbol
from sbmlgrad.referees import ExactReferee, Fsp, RateEquations
from sbmlgrad.referees.exact import Exact
from sbmlgrad.referees.ode import degree
from sbmlgrad.referees.validate import validate

TIMES = np.array([0.0, 0.5, 2.0, 5.0])


def solved(judge: ExactReferee, name: str) -> Exact:
    lowered = lower(network(name))
    return judge.solve(normalised_sbml(lowered), lowered.species_ids, TIMES, 60.0)


def test_the_master_equation_of_immigration_and_death() -> None:
    found = solved(Fsp(), "immigration_death")
    mean = 5.0 * (1.0 - np.exp(-0.4 * TIMES))
    np.testing.assert_allclose(found.mean[:, 0], mean, atol=1e-7)
    assert found.distributions is not None
    values, law = found.distributions.marginal(3, 0)
    np.testing.assert_allclose(law, stats.poisson.pmf(values, mean[3]), atol=1e-8)


def test_the_rate_equations_of_immigration_and_death() -> None:
    found = solved(RateEquations(), "immigration_death")
    np.testing.assert_allclose(found.mean[:, 0], 5.0 * (1.0 - np.exp(-0.4 * TIMES)), atol=1e-6)
    assert found.distributions is None


@pytest.mark.parametrize("name", ["ion_channel", "small_dimer", "epidemic", "enzyme"])
def test_we_agree_with_the_master_equation(name: str) -> None:
    report = validate(network(name), "fsp", times=TIMES, trajectories=2000, seed=3)
    (found,) = report.comparisons
    assert report.agrees, str(report)
    assert found.is_exact
    assert {family.name for family in found.families} >= {"distributions"}
    assert "exact" not in found.names[0]
    assert "of ours" in str(report)


def test_we_agree_with_the_rate_equations() -> None:
    report = validate(network("ion_channel"), "ode", times=TIMES, trajectories=2000, seed=4)
    (found,) = report.comparisons
    assert report.agrees, str(report)
    assert np.isnan(found.y).all()
    assert report.as_dict()["comparisons"][0]["y"][0] == [None] * 3
    assert "sd not compared" in str(report)


@pytest.mark.parametrize("judge", [Fsp(), RateEquations()])
def test_a_wrong_answer_is_found(judge: Fsp | RateEquations) -> None:
    class Wrong(type(judge)):  # type: ignore[misc]
        def solve(self, document: bytes, *rest: object) -> Exact:  # type: ignore[override]
            # Of a network whose second rate is a tenth too high.
            model = sg.load(document.decode())
            name = model.parameter_ids[1]
            value = float(model.parameter_values[1])
            moved = model.with_parameters({name: 1.1 * value})
            return super().solve(normalised_sbml(lower(moved)), *rest)  # type: ignore[arg-type]

    report = validate(network("immigration_death"), Wrong(), times=TIMES, trajectories=4000, seed=5)
    assert not report.agrees
    assert report.comparisons[0].confirmation is not None


def test_a_rare_molecule_that_is_not_seen_is_no_disagreement() -> None:
    model = antimony("substanceOnly species X in cell; X = 0; J0: => X; 1e-6;")
    for judge in ("fsp", "ode"):
        report = validate(model, judge, times=[1, 2], trajectories=500, seed=6)
        assert report.comparisons[0].ours.mean.max() == 0.0
        assert report.agrees, str(report)


def test_refusals_say_why() -> None:
    with pytest.raises(RefereeError, match="affine in the counts, and that of 'J0'"):
        validate(network("epidemic"), "ode", times=[1], trajectories=10, seed=1)
    with pytest.raises(RefereeError, match="events or rate rules"):
        validate(sg.load(CONSTRUCTS["time trigger"]), "ode", times=[1], trajectories=10, seed=1)
    with pytest.raises(RefereeError, match="generator is constant in time"):
        validate(sg.load(CONSTRUCTS["time in a law"]), "fsp", times=[1], trajectories=10, seed=1)
    with pytest.raises(RefereeError, match="no exact answer within 50 states"):
        validate(network("dimer"), Fsp(largest=50), times=[1], trajectories=10, seed=1)


def test_affine_laws_are_told_from_others() -> None:
    laws = {
        "k*X": 1,
        "k*X + 2": 1,
        "k": 0,
        "X/k - Y": 1,
        "k*X*Y": 2,
        "k/X": 2,
        "piecewise(k, X > 3, 0)": 2,
        "X^2": 2,
        "k^2*X": 1,
    }
    for law, expected in laws.items():
        model = antimony(
            f"substanceOnly species X in cell, Y in cell; X = 1; Y = 1; k = 2; J0: => X + Y; {law};"
        )
        formula = model.reactions[0].rate_law
        assert degree(formula, frozenset({"X", "Y"})) == expected, law
    assert degree(Symbol("X"), frozenset()) == 0
