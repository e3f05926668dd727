"""What is no formula of an ensemble is refused, and averages of those that bend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from networks import network

import sbmlgrad as sg
from sbmlgrad.io.formula_text import formula_of
from sbmlgrad.model.expression import Apply, Number, Symbol

OBSERVED = formula_of("scale*(A + 2*C) + offset")
EXTRA = {"scale": 1.5, "offset": -4.0}


def dimer(theta: Any, **options: Any) -> sg.Ensemble:
    options = {"times": [1.0, 2.0], "trajectories": 60, "seed": 3, **options}
    return sg.simulate(network("small_dimer"), theta, **options)


def values(*, is_tensor: bool) -> Any:
    own = network("small_dimer").parameter_values
    return tf.constant(own) if is_tensor else own


def drawn(operator: str) -> Apply:
    return Apply(operator, (Symbol("A"), Number(1.0)))


AVERAGED: dict[str, Any] = {"times": None, "readouts": [sg.WindowAverages([0, 1])]}


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda e: e.values(Symbol("nobody")), sg.SbmlGradError, "'nobody'.*extra"),
        (lambda e: e.values(OBSERVED, extra={"scale": 1}), sg.SbmlGradError, "'offset'"),
        (lambda e: e.values(OBSERVED, extra={**EXTRA, "A": 1}), sg.SbmlGradError, "'A' is a sym"),
        (lambda e: e.values(OBSERVED, "counts", extra=EXTRA), sg.RequestError, "leave out quant"),
        (lambda e: e.values(OBSERVED, extra=3), sg.RequestError, "pass a mapping"),
        (
            lambda e: e.values(OBSERVED, extra={**EXTRA, "scale": np.nan}),
            sg.SbmlGradError,
            "finite",
        ),
        (lambda e: e.values(OBSERVED, extra={**EXTRA, "scale": [1, 2]}), sg.SbmlGradError, "one n"),
        (lambda e: e.values(OBSERVED, extra={**EXTRA, "scale": "x"}), sg.RequestError, "'x'|numb"),
        (lambda e: e.values(4.0), sg.SbmlGradError, "is no id"),
        (lambda e: e.values(drawn("normal")), sg.RequestError, "'normal', which has no value"),
        (lambda e: e.values(drawn("delay")), sg.RequestError, "'delay', which has no value"),
    ],
)
@pytest.mark.parametrize("is_tensor", [False, True])
def test_bad_formulas_are_refused(call, error, words, is_tensor) -> None:
    with pytest.raises(error, match=words):
        call(dimer(values(is_tensor=is_tensor), trajectories=3))


def test_tensors_belong_to_ensembles_with_gradients() -> None:
    with pytest.raises(sg.RequestError, match="holds arrays"):
        dimer(values(is_tensor=False)).values(
            OBSERVED, extra={"scale": tf.constant(1.0), "offset": 0.0}
        )


@pytest.mark.parametrize("is_tensor", [False, True])
def test_averaged_states_give_affine_formulas_alone(is_tensor) -> None:
    cells = dimer(values(is_tensor=is_tensor), **AVERAGED)
    averaged = 1.5 * (cells.values("A") + 2 * cells.values("C")) - 4.0
    np.testing.assert_allclose(cells.values(OBSERVED, extra=EXTRA), averaged, rtol=1e-13)
    for text in ("A*C", "A*time", "max(A, C)"):
        with pytest.raises(sg.RequestError, match="not the average"):
            cells.values(formula_of(text))


def test_formulas_of_a_deterministic_solution() -> None:
    model = network("small_dimer")
    solution = sg.simulate(model, times=[1.0, 2.0], engine=sg.engines.ODE())
    expected = 1.5 * (solution.values("A") + 2 * solution.values("C")) - 4.0
    np.testing.assert_allclose(solution.values(OBSERVED, extra=EXTRA), expected, rtol=1e-13)
