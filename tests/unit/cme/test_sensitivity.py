"""Gradients of expectations: closed forms, both methods, central differences, planted faults."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from networks import antimony, network

from sbmlgrad.cme import kernels, sensitivity
from sbmlgrad.cme.projection import project
from sbmlgrad.engines.readouts import AfterFirings, ValuesAt, WindowAverages
from sbmlgrad.errors import GradientError, ParameterError, RequestError

TIMES = ValuesAt([0.0, 0.5, 1.0, 3.0])
WINDOWS = WindowAverages([0.25, 0.5, 2.0])
READOUTS = [TIMES, WINDOWS]
COMPARTMENTS = """
    compartment a = 2; compartment b = 3; species A in a, B in b; A = 5; B = 0; k = 1; r = 0.5;
    J0: A => B; k*A*a; J1: A + B => ; r*A*B*b;
"""


def squares(states: np.ndarray) -> np.ndarray:
    return np.stack([states[:, 0] ** 2, (states[:, -1] > 2).astype(float)], axis=1)


@pytest.mark.parametrize("readout", READOUTS, ids=["times", "windows"])
@pytest.mark.parametrize("name", ["enzyme", "autoregulation", "hill", "michaelis_menten"])
def test_both_methods_agree_and_are_the_difference_quotient(name: str, readout) -> None:
    model = network(name)
    projection = project(model, until=3.0, tolerance=1e-10)
    forward, adjoint = (
        projection.gradient_in_parameters(readout, squares, method=m)
        for m in ("forward", "adjoint")
    )
    scale = np.abs(forward).max()
    np.testing.assert_allclose(adjoint, forward, rtol=1e-9, atol=1e-12 * scale)
    for k, (parameter, value) in enumerate(
        zip(model.parameter_ids, model.parameter_values, strict=True)
    ):
        h = 1e-4 * value
        up, down = (
            project(model, until=3.0, tolerance=1e-10, parameters={parameter: value + s * h})
            .expect(readout, squares)
            .value
            for s in (1, -1)
        )
        quotient = (up - down) / (2 * h)
        np.testing.assert_allclose(forward[..., k], quotient, rtol=1e-5, atol=1e-6 * scale)


def test_inputs_are_differentiated_one_by_one() -> None:
    """Sizes of compartments too, with the initial counts held."""
    model = antimony(COMPARTMENTS)
    projection = project(model, until=3.0)
    ids = projection.lowered.input_ids
    assert {"k", "r", "a", "b"} <= set(ids)
    got = projection.gradient_in_inputs(TIMES, "B")
    for i in range(len(ids)):
        h = 1e-4 * projection.inputs[i]
        sides = []
        for sign in (1, -1):
            moved = projection.inputs.copy()
            moved[i] += sign * h
            sides.append(_solved_with(projection, moved))
        np.testing.assert_allclose(got[:, i], (sides[0] - sides[1]) / (2 * h), rtol=1e-6, atol=1e-9)


def _solved_with(projection, inputs):
    """Return the mean of B with other inputs, by the exponential of the dense generator."""
    from scipy.linalg import expm

    from sbmlgrad.cme.state_space import propensities_at

    rates = propensities_at(projection.lowered, projection.space.states, inputs)
    edges = projection.edges
    matrix = edges.matrix(rates[edges.source, edges.reaction]).toarray()
    counts = projection.space.states[:, projection.lowered.species_ids.index("B")]
    return np.array(
        [counts @ expm(matrix * t) @ projection.start_probability for t in TIMES.points]
    )


def test_total_is_the_sum_by_one_solve() -> None:
    projection = project(network("enzyme"), until=3.0)
    weights = np.array([1.0, -2.0, 0.5, 3.0])

    def contributions(values: np.ndarray) -> np.ndarray:
        return weights * values[:, :, 0] ** 2

    value, gradient = projection.total_in_inputs(TIMES, contributions)
    parts = projection.expect(TIMES, lambda s: s[:, 0] ** 2).value
    np.testing.assert_allclose(value, weights @ parts)
    each = projection.gradient_in_inputs(TIMES, lambda s: s[:, 0] ** 2)
    np.testing.assert_allclose(gradient, weights @ each, rtol=1e-9)
    with pytest.raises(RequestError, match="affine"):
        projection.total_in_inputs(WindowAverages([0, 1, 2, 3, 4]), contributions)
    _, averages = projection.total_in_inputs(WINDOWS, lambda v: 2.0 * v[:, :, 3])
    each = projection.gradient_in_inputs(WINDOWS, "P")
    np.testing.assert_allclose(averages, 2.0 * each.sum(axis=0), rtol=1e-9)


def test_a_parameter_that_is_zero_has_its_gradient() -> None:
    """Mean of X is a t for a birth process; at a = 0 no state but the first is reachable."""
    model = antimony(
        "substanceOnly species X in cell; X = 3; a = 0; m = 1; J0: => X; a; J1: X => ; m*X;"
    )
    projection = project(model, until=3.0)
    assert projection.space.counts.max() > 3
    got = projection.gradient(TIMES, "X", ("a",))[0]
    np.testing.assert_allclose(got, 1 - np.exp(-TIMES.points), rtol=1e-9, atol=1e-14)
    closed = antimony("substanceOnly species X in cell; X = 3; a = 0; J0: X => ; a*X;")
    got = project(closed, until=3.0).gradient(TIMES, "X", ("a",))[0]
    np.testing.assert_allclose(got, -3.0 * TIMES.points, rtol=1e-9, atol=1e-14)


def test_linear_conversion_is_binomial() -> None:
    model = antimony(
        "substanceOnly species A in cell, B in cell; A = 40; B = 0; k = 0.7; J0: A => B; k*A;"
    )
    projection = project(model, until=3.0)
    t = TIMES.points
    survival = np.exp(-0.7 * t)
    second = projection.gradient_in_parameters(TIMES, lambda s: s[:, 0] ** 2, method="adjoint")
    exact = -40 * t * survival * (1 + 2 * 39 * survival)
    # E A² = n s (1 - s) + n² s², whose derivative in s is n + 2 n (n - 1) s.
    np.testing.assert_allclose(second[:, 0], exact, rtol=1e-10, atol=1e-12)


def test_the_longest_legs_and_few_kept_numbers_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    projection = project(network("dimer"), until=3.0)
    one = projection.gradient_in_parameters(WINDOWS, squares, method="adjoint")
    monkeypatch.setattr(sensitivity, "KEPT_NUMBERS", 8000)
    two = projection.gradient_in_parameters(WINDOWS, squares, method="adjoint")
    np.testing.assert_allclose(two, one, rtol=1e-9, atol=1e-12 * np.abs(one).max())


def test_a_planted_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check itself: an adjoint that forgets the value of staying differs from the tangent."""
    source = inspect.getsource(kernels.reverse_series)
    wrong = source.replace("(other - own)", "other")
    assert wrong != source
    namespace: dict = {"np": np}
    exec(wrong, namespace)
    module = kernels.compiled()
    projection = project(network("small_dimer"), until=3.0)
    right = projection.gradient_in_parameters(TIMES, "C", method="forward")
    monkeypatch.setattr(module, "reverse_series", namespace["reverse_series"])
    broken = projection.gradient_in_parameters(TIMES, "C", method="adjoint")
    assert np.abs(broken - right).max() > 0.1 * np.abs(right).max()


def test_refusals() -> None:
    projection = project(network("hill"), until=3.0)
    with pytest.raises(RequestError, match="AfterFirings"):
        projection.gradient(AfterFirings([1]), "X", ("v",))
    with pytest.raises(ParameterError, match="nothing"):
        projection.gradient(TIMES, "X", ("nothing",))
    with pytest.raises(ParameterError, match="no species"):
        projection.expect(TIMES, "v")
    with pytest.raises(RequestError, match="choose 'forward'"):
        projection.gradient_in_inputs(TIMES, "X", method="sideways")
    with pytest.raises(RequestError, match="not finite"):
        projection.expect(TIMES, lambda s: np.where(s[:, 0] > 3, np.nan, 1.0))
    rooted = antimony(
        "substanceOnly species X in cell; X = 0; n = 0.5; a = 1; c = 0; J0: => X; a*sqrt(c);"
    )
    with pytest.raises(GradientError, match="not finite"):
        project(rooted, until=1.0).gradient(ValuesAt([1.0]), "X", ("c",))
    assigned = antimony("substanceOnly species X in cell; n = 4; X = n; m = 1; J0: X => ; m*X;")
    with pytest.raises(GradientError, match="initial counts depend on 'n'"):
        project(assigned, until=1.0).gradient_in_parameters(ValuesAt([1.0]), "X")
