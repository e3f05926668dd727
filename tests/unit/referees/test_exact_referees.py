"""Exact referees: right answers, refusals with reasons, and faults of ours that they find."""

from __future__ import annotations

from dataclasses import replace

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
from sbmlgrad.referees import ExactReferee, Fsp, RateEquations, RefusedError
from sbmlgrad.referees.exact.known import Distributions, Exact
from sbmlgrad.referees.exact.ode import degree
from sbmlgrad.referees.moments import moments
from sbmlgrad.referees.report.rows import distances
from sbmlgrad.referees.report.text import comparison_data
from sbmlgrad.referees.statistics.exact_compare import compare_exact
from sbmlgrad.referees.statistics.sampled import Names, Side
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
        assert not report.disagrees, str(report)
        assert report.still, "nothing was seen on our side, which is no agreement either"


def test_refusals_say_why() -> None:
    with pytest.raises(RefereeError, match="affine in the counts, and that of 'J0'"):
        validate(network("epidemic"), "ode", times=[1], trajectories=20, seed=1)
    with pytest.raises(RefereeError, match="events or rate rules"):
        validate(sg.load(CONSTRUCTS["time trigger"]), "ode", times=[1], trajectories=20, seed=1)
    with pytest.raises(RefereeError, match="generator is constant in time"):
        validate(sg.load(CONSTRUCTS["time in a law"]), "fsp", times=[1], trajectories=20, seed=1)
    with pytest.raises(RefereeError, match=r"'fsp': .*: more than 50 states are needed"):
        validate(network("dimer"), Fsp(largest=50), times=[1], trajectories=20, seed=1)
    # What it was, not how many states there may be.
    below = antimony("substanceOnly species X in cell; X = 1; J0: X => ; 1;")
    document = normalised_sbml(lower(below))
    with pytest.raises(RefusedError, match="leads to the negative counts") as caught:
        Fsp().solve(document, ("X",), TIMES, 60.0)
    assert "states are needed" not in str(caught.value)


def test_a_limit_of_time_stops_the_master_equation() -> None:
    # So many firings that it would take a minute.
    model = antimony(
        "substanceOnly species A in cell, B in cell; A = 40; B = 0;"
        "J0: A => B; 1000*A; J1: B => A; 1000*B;"
    )
    document = normalised_sbml(lower(model))
    with pytest.raises(RefereeError, match=r"'fsp' did not finish within 0\.5 s"):
        Fsp().solve(document, ("A",), np.array([1e5]), 0.5)


def test_missing_probability_makes_no_disagreement() -> None:
    # A Poisson law cut off at 21, and a sample of the whole one with a count beyond it.
    n, values = 2000, np.arange(22.0)
    law = stats.poisson.pmf(values, 8.0)[None]
    leak = 1.0 - law.sum(axis=1)
    known = Distributions(values[:, None], law, leak)
    mean = (law @ values / law.sum())[:, None]
    exact = Exact("cut", "1", {}, mean, known, 0.0)
    counts = np.random.default_rng(1).poisson(8.0, (n, 1, 1)).astype(float)
    counts[0] = 23.0
    side = Side(moments([counts]), counts)
    found = compare_exact(side, exact, Names(("A",), (), np.ones(1)), 1e-3, 0.9)
    (family,) = found.families
    assert family.p[0] == pytest.approx(n * leak[0])
    assert found.agrees
    # Where nothing is missing, one of them is enough.
    whole = replace(exact, distributions=replace(known, leak=np.zeros(1)))
    assert not compare_exact(side, whole, Names(("A",), (), np.ones(1)), 1e-3, 0.9).agrees


def test_no_verdict_where_too_much_probability_is_missing() -> None:
    model = antimony("substanceOnly species A in cell; A = 0; J0: => A; 30; J1: A => ; 0.1*A;")
    with pytest.raises(RefereeError, match="is missing from its answer, which among up to 20000"):
        validate(model, Fsp(tolerance=1e-2), times=[5], trajectories=5000, seed=3)
    report = validate(model, [Fsp(tolerance=1e-2), "ode"], times=[5], trajectories=5000, seed=3)
    assert "is missing" in report.skipped["fsp"][0]
    # The other one has the whole error.
    assert report.comparisons[0].level == pytest.approx(1e-3)
    assert validate(model, "fsp", times=[5], trajectories=5000, seed=3).agrees


def test_what_an_exact_answer_could_have_found() -> None:
    # Not seen to vary, but known to.
    model = antimony("substanceOnly species X in cell; X = 0; J0: => X; 1e-6;")
    for judge in ("fsp", "ode"):
        report = validate(model, judge, times=[0, 2], trajectories=500, seed=6)
        (stated,) = report.comparisons[0].detectable
        assert stated.time == 2.0
        assert stated.mean >= np.log(10.0) / 500 / 2e-6
        assert "any size" not in str(report)
    # Only what cannot vary is known to be another at once.
    still = validate(network("ion_channel"), "fsp", times=[0], trajectories=50, seed=6)
    assert still.comparisons[0].detectable[0].mean == 0.0
    # No smaller than the solver's own error.
    report = validate(network("ion_channel"), "ode", times=[1], trajectories=50, seed=6)
    (found,) = report.comparisons
    assert found.mean_error is not None
    for s, stated in enumerate(found.detectable):
        assert stated.mean * found.theirs.mean[0, s] >= found.mean_error[0, s]


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


def test_differences_are_told_in_standard_errors_of_the_exact_law() -> None:
    """A two-state law whose fourth moment is its squared variance has an error all the same."""
    model = antimony("substanceOnly species A in cell, B in cell; A = 1; B = 0; J: A -> B; A - B;")
    (found,) = validate(model, "fsp", times=[1, 5, 20], trajectories=2000, seed=1).comparisons
    of_means, of_variances = distances(found)
    # Of so few a dozen would be unlikely beyond 5; none is judged by it.
    assert np.isfinite([of_means, of_variances]).all()
    assert np.abs([of_means, of_variances]).max() < 5.0
    share = 0.5 * (1.0 + np.exp(-2.0 * found.times))
    expected = (found.ours.mean[:, 0] - share) / np.sqrt(share * (1.0 - share) / 2000)
    np.testing.assert_allclose(of_means[:, 0], expected, atol=1e-5)
    data = comparison_data(found)
    assert np.array(data["z"]) == pytest.approx(of_means)
    assert np.array(data["p"]).shape == (2, *of_means.shape)
