"""`FittedValue` against exact gradients, at the edge of what was visited, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from expectation_gradients import request_of
from networks import CASES, TEXTS, Case, antimony, network
from scipy.linalg import expm

import sbmlgrad as sg
from sbmlgrad.cme.projection import project
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.fitted_value import FittedValue
from sbmlgrad.gradients.functional import Functional, linear
from sbmlgrad.gradients.values import states as value_states
from sbmlgrad.gradients.values.features import EveryState, Polynomial
from sbmlgrad.gradients.values.network_features import SmallNetwork
from sbmlgrad.gradients.values.spline_features import Spline

TRAJECTORIES = 5000

TOGGLE = """
    substanceOnly species U in cell, V in cell; U = 5; V = 5;
    a = 12; K = 4; d = 1;
    J0: => U; a*K^2/(K^2 + V^2);
    J1: U => ; d*U;
    J2: => V; a*K^2/(K^2 + U^2);
    J3: V => ; d*V;
"""
COMPETITION = """
    substanceOnly species A in cell, B in cell; A = 5; B = 5;
    grow = 1; crowd = 0.05;
    J0: A => 2 A; grow*A;
    J1: B => 2 B; grow*B;
    J2: A => ; crowd*A*(A + B);
    J3: B => ; crowd*B*(A + B);
"""


def without_immigration() -> sg.ReactionNetwork:
    return network("immigration_death").with_parameters({"alpha": 0.0})


def mean_of(asked: Request, species: str, point: int | None = None) -> Functional:
    place = asked.lowered.species_ids.index(species)
    weights = np.zeros((len(asked.readout.labels), len(asked.lowered.species_ids)))
    weights[slice(None) if point is None else point, place] = 1.0
    return linear(weights)


def at_least(asked: Request, species: str, count: int) -> Functional:
    place = asked.lowered.species_ids.index(species)
    return Functional(lambda values: (values[:, :, place] >= count).astype(np.float64))


def in_logarithms(asked: Request, gradient: np.ndarray, parameters: tuple[str, ...]) -> np.ndarray:
    places = [asked.lowered.input_ids.index(p) for p in parameters]
    return gradient[places] * asked.inputs[places]


def relative(found: np.ndarray, exact: np.ndarray) -> float:
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def schloegl_truth(read: np.ndarray, *, until: float, average: bool) -> np.ndarray:
    """Return d E[read(X)]/d log c, by exponentials of the generator on 0 to 120 molecules."""
    x = np.arange(121.0)
    laws = [
        5.352 * x * (x - 1) / 2,
        0.240 * x * (x - 1) * (x - 2) / 6,
        108.102 + 0.0 * x,
        37.881 * x,
    ]
    parts = []
    for law, change in zip(laws, (1, -1, 1, -1), strict=True):
        part = np.zeros((121, 121))
        for s in range(121):
            if 0 <= s + change <= 120:
                part[s + change, s] += law[s]
                part[s, s] -= law[s]
        parts.append(part)
    whole = np.sum(parts, axis=0)
    found = []
    for part in parts:
        block = np.zeros((243, 243))
        block[:121, :121] = block[121:242, 121:242] = whole
        block[121:242, :121] = part
        block[242, 121:242] = read / until
        result = expm(block * until)[:, 25]
        found.append(result[242] if average else read @ result[121:242])
    return np.array(found)


@pytest.mark.parametrize("name", ["ion_channel", "small_dimer", "autoregulation", "enzyme", "hill"])
def test_one_run_is_close_to_the_exact_gradient(name: str) -> None:
    """Measured 0.1-2 % with these trajectories; a lost reaction or a half weight is far more."""
    case: Case = next(c for c in CASES if c.name == name)
    model = network(name)
    projection = project(model, until=float(case.readout.points[-1]), tolerance=1e-9)
    asked = request_of(model, case.readout, TRAJECTORIES)
    exact = projection.gradient(case.readout, case.species, case.parameters)
    scale = model.parameter_values[[model.parameter_ids.index(p) for p in case.parameters]]
    found = FittedValue().pull_back_expectation(Native(), asked, mean_of(asked, case.species))
    got = in_logarithms(asked, found, case.parameters)
    assert relative(got, exact.sum(axis=1) * scale) < 0.05


@pytest.mark.parametrize(
    "features",
    [None, Spline(), Polynomial(9), SmallNetwork(units=12, trajectories=500, iterations=100)],
    ids=lambda f: type(f).__name__,
)
def test_bistable_means_and_probabilities(features) -> None:
    """The case that path adjoints miss by 24 % and more; a path adjoint of an indicator is 0."""
    model = network("schloegl")
    parameters = ("c1", "c2", "c3", "c4")
    x = np.arange(121.0)
    asked = request_of(model, WindowAverages([0, 1]), TRAJECTORIES)
    estimator = FittedValue(features)
    found = estimator.pull_back_expectation(Native(), asked, mean_of(asked, "X"))
    exact = schloegl_truth(x, until=1.0, average=True)
    assert relative(in_logarithms(asked, found, parameters), exact) < 0.05

    asked = request_of(model, ValuesAt([1]), TRAJECTORIES)
    found = estimator.pull_back_expectation(Native(), asked, at_least(asked, "X", 25))
    exact = schloegl_truth(np.where(x >= 25, 1.0, 0.0), until=1.0, average=False)
    assert relative(in_logarithms(asked, found, parameters), exact) < 0.05


@pytest.mark.parametrize(
    ("text", "species", "parameters", "until"),
    [
        (TEXTS["promoter"], "P", ("bind", "make", "decay", "release"), 10.0),
        (TOGGLE, "U", ("a", "K", "d"), 10.0),
    ],
    ids=["promoter", "toggle"],
)
def test_slow_switches(text: str, species: str, parameters: tuple[str, ...], until: float) -> None:
    model = antimony(text)
    readout = ValuesAt([until])
    exact = project(model, until=until, tolerance=1e-6).gradient(readout, species, parameters)
    asked = request_of(model, readout, TRAJECTORIES)
    found = FittedValue().pull_back_expectation(Native(), asked, mean_of(asked, species))
    scale = model.parameter_values[[model.parameter_ids.index(p) for p in parameters]]
    assert relative(in_logarithms(asked, found, parameters), exact[:, 0] * scale) < 0.06


@pytest.mark.parametrize("features", [None, EveryState(), Spline(), Polynomial(1)])
def test_a_reaction_that_never_fired_has_its_exact_gradient(features) -> None:
    """All trajectories rest at 0, and all of the gradient is the value of a state beside them."""
    asked = request_of(without_immigration(), ValuesAt([1, 3]), trajectories=10)
    found = FittedValue(features).pull_back_expectation(Native(), asked, mean_of(asked, "X"))
    exact = ((1 - np.exp(-0.4)) + (1 - np.exp(-1.2))) / 0.4
    np.testing.assert_allclose(found, [exact, 0.0], rtol=1e-8, atol=1e-12)


def test_windows_count_by_their_length() -> None:
    edges = np.array([0.25, 0.75, 2.0])
    asked = request_of(without_immigration(), WindowAverages(edges.tolist()), trajectories=10)
    until = edges / 0.4 + np.exp(-0.4 * edges) / 0.4**2
    for point, exact in enumerate(np.diff(until) / np.diff(edges)):
        found = FittedValue().pull_back_expectation(Native(), asked, mean_of(asked, "X", point))
        np.testing.assert_allclose(found, [exact, 0.0], rtol=1e-8, atol=1e-12)


def test_few_trajectories_err_by_what_they_visit_not_by_extrapolation() -> None:
    """With cubic splines outside the counts visited, 20 trajectories would err manifold."""
    asked = request_of(network("hill"), ValuesAt([3]), trajectories=20)
    many = request_of(network("hill"), ValuesAt([3]), TRAJECTORIES)
    errors = []
    for features in (EveryState(), Spline(pieces=3), Polynomial(3)):
        estimator = FittedValue(features)
        exact = FittedValue().pull_back_expectation(Native(), many, mean_of(many, "X"))
        found = estimator.pull_back_expectation(Native(), asked, mean_of(asked, "X"))
        errors.append(relative(found * asked.inputs, exact * asked.inputs))
    assert max(errors) < 0.3, errors


def test_gradients_of_points_add_up() -> None:
    """Values jump at points and are collected through windows; each is right on its own."""
    for readout in (ValuesAt([0, 0.5, 2]), WindowAverages([0.25, 0.75, 2])):
        asked = request_of(network("autoregulation"), readout, trajectories=500)
        whole = FittedValue().pull_back_expectation(Native(), asked, mean_of(asked, "P"))
        parts = [
            FittedValue().pull_back_expectation(Native(), asked, mean_of(asked, "P", point))
            for point in range(len(readout.labels))
        ]
        assert np.any(whole != 0.0)
        np.testing.assert_allclose(whole, np.sum(parts, axis=0), rtol=1e-9, atol=1e-12)


def test_batches_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request_of(network("small_dimer"), WindowAverages([0, 1]), trajectories=250)
    whole = FittedValue().pull_back_expectation(Native(), asked, mean_of(asked, "C"))
    # 60 slices of 3 species and 40 trajectories: six full batches and one of ten.
    monkeypatch.setattr(value_states, "BATCH", 60 * 3 * 40)
    batches = FittedValue().pull_back_expectation(Native(), asked, mean_of(asked, "C"))
    np.testing.assert_allclose(batches, whole, rtol=1e-9)


def test_a_loss_of_means_is_pulled_back_as_its_expectation() -> None:
    asked = request_of(network("small_dimer"), ValuesAt([1]), trajectories=100)
    place = asked.lowered.species_ids.index("C")
    cotangent = np.zeros((1, 1, 3))
    cotangent[0, 0, place] = 1.0 / 100
    got = FittedValue().pull_back(Native(), asked, cotangent)
    wanted = FittedValue().pull_back_expectation(Native(), asked, mean_of(asked, "C"))
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
    with pytest.raises(GradientError, match="differentiates expectations"):
        FittedValue().pull_back(Native(), asked, np.arange(300.0).reshape(100, 1, 3))


def test_values_before_the_start_have_no_gradient() -> None:
    asked = request_of(network("small_dimer"), ValuesAt([0]), trajectories=10)
    found = FittedValue().pull_back_expectation(Native(), asked, mean_of(asked, "C"))
    assert not found.any()


def test_refuses_what_is_no_function_of_the_state() -> None:
    asked = request_of(network("small_dimer"), WindowAverages([0, 1]), trajectories=50)
    with pytest.raises(GradientError, match="not affine"):
        FittedValue().pull_back_expectation(Native(), asked, at_least(asked, "C", 2))
    asked = request_of(network("small_dimer"), ValuesAt([1, 2]), trajectories=50)
    joint = Functional(lambda values: values[:, :, 0] * values[:, ::-1, 0], is_pointwise=False)
    with pytest.raises(GradientError, match="several points"):
        FittedValue().pull_back_expectation(Native(), asked, joint)
    broken = Functional(lambda values: np.full(values.shape[:2], np.nan))
    with pytest.raises(GradientError, match="not finite"):
        FittedValue().pull_back_expectation(Native(), asked, broken)


@pytest.mark.parametrize("features", [Spline, "splines", 3])
def test_refuses_features_that_are_none(features) -> None:
    with pytest.raises(GradientError, match="pass features"):
        FittedValue(features)


def test_features_whose_equation_overflows_are_not_chosen() -> None:
    """Of few trajectories, many pairs of pieces leave directions that grow beyond all numbers."""
    asked = request_of(antimony(COMPETITION), ValuesAt([3.0, 10.0]), trajectories=100)
    read = mean_of(asked, "A")
    many = FittedValue(Spline(pieces=12, pair_pieces=6))
    with pytest.raises(GradientError, match="values fitted to 100 trajectories grow beyond all"):
        many.pull_back_expectation(Native(), asked, read)
    # It is one of those that the default tries: it takes another, of a misfit that is a number.
    chosen = FittedValue().fit(Native(), asked, read)
    assert 0.0 < chosen.misfit < 10.0
    assert np.isfinite(chosen.coefficients).all()
