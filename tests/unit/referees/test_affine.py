"""Moments and cumulants of networks with affine laws, where they are known otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from networks import antimony, network

import sbmlgrad as sg
from sbmlgrad.cme import project
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import RefereeError
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.referees import RateEquations
from sbmlgrad.referees.exact.affine import AffineNetwork
from sbmlgrad.referees.validate import validate

BURSTS = """
    substanceOnly species Off in cell, On in cell, P in cell; Off = 1; On = 0; P = 0;
    on = {on}; off = {off}; k = {k}; d = {d};
    J0: Off => On; on*Off; J1: On => Off; off*On; J2: => P; k*On; J3: P => ; d*P;
"""
RARE = BURSTS.format(on=1e-5, off=0.2, k=100, d=0.1)
TIMES = np.array([0.0, 0.4, 2.0, 5.0])


def affine(model: sg.ReactionNetwork) -> AffineNetwork:
    return AffineNetwork(lower(model), lambda: None)


def cumulant(values: np.ndarray, law: np.ndarray, theta: float) -> float:
    return float(np.log(np.exp(theta * (values - values @ law)) @ law))


@pytest.mark.parametrize(
    "text",
    [
        BURSTS.format(on=0.3, off=1.5, k=4, d=0.5),
        # Laws with an offset that a count is taken from, on both sides of a constant sum.
        "substanceOnly species G in cell, P in cell; G = 1; P = 3; on = 0.7; off = 1.1;"
        "J0: G => ; off*G; J1: => G; on*(1 - G); J2: => P; 2*G; J3: P => ; 0.8*P;",
        "substanceOnly species A in cell, B in cell; A = 7; B = 0; J0: A => 2 B; A; J1: B => ; B;",
    ],
    ids=["bursts", "offset", "chain"],
)
def test_moments_and_cumulants_are_those_of_the_master_equation(text: str) -> None:
    model = antimony(text)
    found, solved = affine(model), project(model, until=5.0, tolerance=1e-13)
    laws = solved.distributions(TIMES)
    for s in range(len(model.species_ids)):
        values = solved.space.states[:, s].astype(float)
        mean, variance = found.moments(s, TIMES)
        np.testing.assert_allclose(mean, laws @ values, atol=1e-7)
        np.testing.assert_allclose(variance, laws @ values**2 - mean**2, atol=1e-6)
        for t, theta in ((1, 0.5), (2, -1.0), (3, 1e-4), (3, 0.3)):
            expected = cumulant(values, laws[t], theta)
            assert found.cumulant(s, TIMES[t], theta) == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_laws_in_time_are_followed() -> None:
    model = antimony(
        "substanceOnly species X in cell; X = 0; J0: => X; 1 + sin(3*time); J1: X => ; X;"
    )
    found = affine(model)
    mean, variance = found.moments(0, TIMES)

    def poisson(t: float) -> float:
        return 1.0 - np.exp(-t) + (np.sin(3 * t) - 3 * np.cos(3 * t) + 3 * np.exp(-t)) / 10

    np.testing.assert_allclose(mean, [poisson(t) for t in TIMES], atol=1e-7)
    np.testing.assert_allclose(variance, mean, atol=1e-7)
    expected = mean[2] * (np.expm1(0.7) - 0.7)
    assert found.cumulant(0, 2.0, 0.7) == pytest.approx(expected, rel=1e-6)


def test_a_generating_function_that_is_not_finite() -> None:
    # Pure birth: geometric at time 1, with a finite one below -log(1 - 1/e) alone.
    found = affine(antimony("substanceOnly species X in cell; X = 1; J0: => X; X;"))
    p, most = np.exp(-1.0), -np.log1p(-np.exp(-1.0))
    theta = 0.9 * most
    exact = theta + np.log(p / (1.0 - (1.0 - p) * np.exp(theta))) - theta / p
    assert found.cumulant(0, 1.0, theta) == pytest.approx(exact, rel=1e-5)
    assert found.cumulant(0, 1.0, 1.01 * most) == np.inf


def test_rare_bursts_that_are_not_seen_are_no_disagreement() -> None:
    # Of 2,000 trajectories a tenth of a burst is expected; each one is worth hundreds of molecules.
    # A test with the variance that was seen alarms for most of these seeds.
    for seed in range(6):
        report = validate(antimony(RARE), "ode", times=[5, 20, 50], trajectories=2000, seed=seed)
        assert not report.disagrees, str(report)


def test_false_alarms_of_rare_bursts_are_as_rare_as_stated() -> None:
    # One burst in fifty trajectories: the means of small samples are far from normal.
    model = antimony(BURSTS.format(on=0.02, off=1, k=30, d=1))
    times, n, runs, level = np.array([1.0]), 50, 400, 0.05
    document = normalised_sbml(lower(model))
    exact = RateEquations().solve(document, model.species_ids, times, 60.0)
    cells = sg.simulate(model, times=times, trajectories=n * runs, seed=5)
    alarms = _alarms(cells.values("P", "counts")[:, 0].reshape(runs, n), exact, level)
    z = (alarms - level * runs) / np.sqrt(level * (1.0 - level) * runs)
    assert z < 4.0, f"z = {z:.2f}"


def _alarms(samples: np.ndarray, exact: object, level: float) -> int:
    from sbmlgrad.referees.moments import moments
    from sbmlgrad.referees.statistics.exact_compare import compare_exact
    from sbmlgrad.referees.statistics.sampled import Names, Side

    names = Names(("Off", "On", "P"), (), np.ones(1))
    found = 0
    for sample in samples:
        counts = np.zeros((len(sample), 1, 3))
        counts[:, 0] = exact.mean[0]  # type: ignore[attr-defined]
        counts[:, 0, 2] = sample
        side = Side(moments([counts]), counts)
        found += not compare_exact(side, exact, names, level, 0.9).agrees  # type: ignore[arg-type]
    return found


def test_the_stated_bias_against_exact_means_is_found() -> None:
    # The same number of bursts, of a size that is wrong by what is stated.
    model = network("immigration_death")
    report = validate(model, "ode", times=[1, 5], trajectories=2000, seed=7)
    stated = report.comparisons[0].detectable[0].mean
    assert 0.0 < stated < 0.1

    class Off(RateEquations):
        def solve(self, document: bytes, *rest: object):  # type: ignore[override, no-untyped-def]
            moved = sg.load(document.decode())
            value = float(moved.parameter_values[0]) * (1.0 - 1.3 * stated)
            moved = moved.with_parameters({moved.parameter_ids[0]: value})
            return super().solve(normalised_sbml(lower(moved)), *rest)  # type: ignore[arg-type]

    # 1.3 times as large a bias is missed by one run of 70.
    missed = sum(
        validate(model, Off(), times=[1, 5], trajectories=2000, seed=s).agrees for s in range(5)
    )
    assert missed <= 1, f"{missed} of 5"


def test_bursts_state_no_bias_that_cannot_be_seen() -> None:
    report = validate(antimony(RARE), "ode", times=[20], trajectories=500, seed=3)
    _, on, protein = report.comparisons[0].detectable
    # At least one of 500 trajectories must differ, and one burst be worth hundreds of molecules.
    assert on.mean >= np.log(10.0) / 500 / report.comparisons[0].theirs.mean[0, 1]
    assert protein.mean > 10.0
    assert not report.disagrees


def test_a_limit_of_time() -> None:
    model = network("immigration_death")
    document = normalised_sbml(lower(model))
    with pytest.raises(RefereeError, match="'ode' did not finish within 1e-09 s"):
        RateEquations().solve(document, model.species_ids, TIMES, 1e-9)

    def stop() -> None:
        raise RefereeError("stopped")

    with pytest.raises(RefereeError, match="stopped"):
        AffineNetwork(lower(model), stop).moments(0, TIMES)


def test_poisson_counts_of_a_million_molecules() -> None:
    # What the start makes of the exponent is a million times what is looked for.
    model = antimony("substanceOnly species X in cell; X = 1e6; J0: X => ; X; J1: => X; 1e6;")
    theta, t = 1e-4, 0.5
    p = np.exp(-t)
    rest = 1e6 * (1.0 - p)
    exact = 1e6 * (np.log1p(p * np.expm1(theta)) - p * theta) + rest * (np.expm1(theta) - theta)
    assert affine(model).cumulant(0, t, theta) == pytest.approx(exact, rel=1e-4)
