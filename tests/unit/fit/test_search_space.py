"""The search space: at a bound values are the bound itself, in whatever scale."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from one_measurement import one_measurement

import sbmlgrad as sg
from sbmlgrad.engines.ode.engine import ODE
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.model.priors import Prior
from sbmlgrad.model.problem import Problem

#: exp(log(10)) is above 10, exp(log(0.1)) above 0.1, exp(log(5)) below 5.
BOUNDS = [1e-3, 0.01, 0.1, 3.0, 5.0, 10.0, 100.0, 2.5]


def bounded(lower: float, upper: float, scale: str = "log", prior: Prior | None = None) -> Problem:
    made = one_measurement(prior)
    free = dataclasses.replace(made.parameters[0], lower=lower, upper=upper, scale=scale)
    start = min(max(free.nominal, lower), upper)
    return dataclasses.replace(made, parameters=(dataclasses.replace(free, nominal=start),))


@pytest.mark.parametrize("scale", ["log", "lin"])
@pytest.mark.parametrize("bound", BOUNDS)
def test_values_at_a_bound_are_the_bound(bound, scale) -> None:
    for made, beyond in (
        (bounded(bound, 7.0 * bound, scale), -1.0),
        (bounded(bound / 7.0, bound, scale), 1.0),
    ):
        space = search_space(made)
        end = space.within(space.coordinates([bound]) + beyond)
        assert space.values(end).tolist() == [bound]
        moved = tf.Variable([end])
        with tf.GradientTape() as tape:
            values = space.value_tensors(moved)
        assert values.numpy().tolist() == [[bound]]
        slope = tape.gradient(values, moved).numpy()[0]
        np.testing.assert_allclose(slope, space.slopes(np.array([bound])), rtol=1e-14)


def test_between_the_bounds_nothing_is_changed() -> None:
    space = search_space(bounded(0.1, 10.0))
    z = np.linspace(-2.0, 2.0, 7)[:, None]
    np.testing.assert_array_equal(space.values(z), np.exp(z))
    np.testing.assert_allclose(space.value_tensors(tf.constant(z)).numpy(), np.exp(z), rtol=1e-15)


@pytest.mark.parametrize("engine", [None, ODE()], ids=["ssa", "ode"])
def test_a_prior_that_ends_at_the_bound_does_not_exclude_it(engine) -> None:
    """The mean 10 alpha is measured as 30, so that the best alpha below 3 is the upper bound."""
    for upper in (2.5, 2.9):
        made = bounded(0.1, upper, prior=Prior("uniform", (0.1, upper)))
        options = {} if engine else {"epochs": 60, "trajectories": 64}
        found = sg.fit(made, engine=engine, seed=2, **options)
        assert found.values["alpha"] == upper
        assert found.at_bounds == ("alpha",)
