"""Every estimator: declared readouts, refusals, threads and kernels; bias against the truth."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from networks import CASES, Case, network

import sbmlgrad as sg
from sbmlgrad import gradients
from sbmlgrad.cme.projection import project
from sbmlgrad.codegen import kernel_modules
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, ValuesAt, WindowAverages
from sbmlgrad.gradients.base import Estimator

CLASSES = [getattr(gradients, name) for name in gradients.__all__]
#: Besides estimators there are features of `FittedValue`.
ESTIMATORS = [cls() for cls in CLASSES if inspect.isclass(cls) and hasattr(cls, "pull_back")]
READOUTS = [
    ValuesAt([0.5, 1]),
    WindowAverages([0, 0.5, 1]),
    Interpolated([0.5, 1]),
    AfterFirings([3, 9]),
]


def truth(case: Case) -> np.ndarray:
    model = network(case.name)
    projection = project(model, until=float(case.readout.points[-1]), tolerance=1e-9)
    return projection.gradient(case.readout, case.species, case.parameters)


def estimate(case: Case, estimator: Estimator, trajectories: int, seed: int, **options):
    """Return d(mean)/dθ [parameter, point] and its standard error from batches."""
    import tensorflow as tf

    model = network(case.name)
    theta = tf.constant(model.parameter_values)
    places = [model.parameter_ids.index(p) for p in case.parameters]
    batches = 20
    results = []
    for batch in range(batches):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(theta)
            cells = sg.simulate(
                model,
                theta,
                readouts=[case.readout],
                trajectories=trajectories // batches,
                first_trajectory=batch * (trajectories // batches),
                seed=seed,
                estimator=estimator,
                **options,
            )
            means = tf.unstack(cells.mean(case.species, "counts"))
        rows = [tape.gradient(m, theta).numpy()[places] for m in means]
        results.append(np.array(rows).T)
    results = np.array(results)
    return results.mean(axis=0), results.std(axis=0, ddof=1) / np.sqrt(batches)


def test_every_estimator_is_enrolled() -> None:
    assert {e.name for e in ESTIMATORS} >= {"TwoSidedAdjoint()", "StraightThrough(temperature=1.0)"}
    assert all(isinstance(e, Estimator) for e in ESTIMATORS)


@pytest.mark.parametrize("readout", READOUTS, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.name)
def test_differentiates_what_it_declares_and_refuses_the_rest(estimator, readout) -> None:
    import tensorflow as tf

    model = network("small_dimer")
    theta = tf.constant(model.parameter_values)

    def gradient():
        with tf.GradientTape() as tape:
            tape.watch(theta)
            cells = sg.simulate(
                model, theta, readouts=[readout], trajectories=500, seed=1, estimator=estimator
            )
            loss = tf.reduce_sum(cells.mean("C"))
        return tape.gradient(loss, theta).numpy()

    if type(readout) in estimator.readouts:
        assert np.isfinite(gradient()).all()
        assert (gradient() != 0.0).all()
    else:
        with pytest.raises(sg.GradientError, match="cannot differentiate"):
            gradient()


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.name)
def test_threads_and_kernels_do_not_change_the_gradient(estimator) -> None:
    import tensorflow as tf

    model = network("autoregulation")
    theta = tf.constant(model.parameter_values)
    found = []
    for options in (
        {"threads": 1, "kernel": "table"},
        {"threads": 2, "kernel": "table"},
        {"threads": 1, "kernel": "lockstep"},
        {"threads": 2, "kernel": "lockstep"},
    ):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            cells = sg.simulate(
                model,
                theta,
                readouts=[WindowAverages([0, 1, 2])],
                trajectories=700,
                seed=4,
                estimator=estimator,
                engine=sg.engines.Native(**options),
            )
            loss = tf.reduce_sum(tf.square(cells.mean("P")))
        found.append(tape.gradient(loss, theta).numpy())
    # Bit-identical over threads. Printed and interpreted derivatives may round differently, and
    # series for path adjoints in lockstep leave out what a bound proves to be below 1e-7.
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[2], found[3])
    np.testing.assert_allclose(found[0], found[2], rtol=1e-6)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_two_sided_adjoint_is_nearly_unbiased(case: Case) -> None:
    """Detects a wrong weight of either half: each alone is off by 3-100 % on these networks."""
    exact = truth(case)
    got, error = estimate(case, sg.gradients.TwoSidedAdjoint(), 40_000, seed=1)
    model = network(case.name)
    scale = np.array(
        [[model.parameter_values[model.parameter_ids.index(p)]] for p in case.parameters]
    )
    exact, got, error = exact * scale, got * scale, error * scale
    bias = np.linalg.norm(got - exact) / np.linalg.norm(exact)
    # The norm of the error exceeds 3 standard errors (root of summed squares) with p < 0.001.
    allowed = case.largest_bias + 3.0 * np.linalg.norm(error) / np.linalg.norm(exact)
    assert bias <= allowed, f"relative bias {bias:.4f} > {allowed:.4f}"
    assert 3.0 * np.linalg.norm(error) / np.linalg.norm(exact) < 0.03, "the test has no power"


def test_exact_for_affine_propensities() -> None:
    """Affine network and readout: no bias at all, so every z-score must be small."""
    case = next(c for c in CASES if c.name == "immigration_death")
    got, error = estimate(case, sg.gradients.TwoSidedAdjoint(), 40_000, seed=2)
    z = (got - truth(case)) / error
    # Four z-scores from batches of 20: |t| < 4.6 with p > 0.999 for all together.
    assert np.abs(z).max() < 4.6, f"z = {z}"


def test_a_planted_half_weight_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check itself: without the halves from firings the bias must be found."""
    from sbmlgrad.gradients.paths import adjoint_sweep as module

    source = inspect.getsource(module.sweep)
    wrong = source.replace("share = at_firings", "share = 0.8 * at_firings")
    assert wrong != source
    original = inspect.getsource
    monkeypatch.setattr(inspect, "getsource", lambda f: wrong if f is module.sweep else original(f))
    # The source of a kernel is read once.
    kernel_modules._kernel_module.cache_clear()
    case = next(c for c in CASES if c.name == "dimer")
    exact = truth(case)
    got, error = estimate(case, sg.gradients.TwoSidedAdjoint(), 20_000, seed=1)
    bias = np.linalg.norm(got - exact) / np.linalg.norm(exact)
    kernel_modules._kernel_module.cache_clear()
    assert bias > case.largest_bias + 3.0 * np.linalg.norm(error) / np.linalg.norm(exact)
