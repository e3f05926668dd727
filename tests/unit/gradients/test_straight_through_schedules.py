"""Temperature schedules: values at their corners, use with the estimator, refusals."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import sbmlgrad as sg
from sbmlgrad.gradients.schedules import Constant, Exponential, Linear, Piecewise, Schedule

ALL = [
    Constant(0.5),
    Exponential(start=1.0, end=0.01, steps=100),
    Linear(start=1.0, end=0.0, steps=4),
    Piecewise([Constant(1.0), Exponential(1.0, 0.25, 2), 0.0], [3, 10]),
]


@pytest.mark.parametrize("schedule", ALL, ids=lambda s: type(s).__name__)
def test_every_schedule_gives_temperatures_that_the_estimator_takes(schedule) -> None:
    assert isinstance(schedule, Schedule)
    for step in (0, 1, 7, 100, 10**9):
        name = sg.gradients.StraightThrough(schedule(step)).name
        assert name == f"StraightThrough(temperature={schedule(step)!r})"
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert hash(pickle.loads(pickle.dumps(schedule))) == hash(schedule)


def test_exponential_falls_by_one_factor() -> None:
    schedule = Exponential(start=1.0, end=0.01, steps=100)
    assert [schedule(0), schedule(100), schedule(101)] == [1.0, 0.01, 0.01]
    assert schedule(50) == pytest.approx(0.1, rel=1e-14)
    factors = np.divide([schedule(s + 1) for s in range(100)], [schedule(s) for s in range(100)])
    np.testing.assert_allclose(factors, 0.01 ** (1 / 100), rtol=1e-13)


def test_linear_goes_straight_and_may_reach_zero() -> None:
    schedule = Linear(start=1.0, end=0.0, steps=4)
    assert [schedule(s) for s in range(6)] == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    assert Linear(0.1, 0.3, 2)(1) == pytest.approx(0.2, rel=1e-15)


def test_piecewise_starts_each_part_at_its_own_step_zero() -> None:
    schedule = ALL[3]
    found = [schedule(s) for s in (0, 2, 3, 4, 5, 9, 10, 1000)]
    assert found == pytest.approx([1.0, 1.0, 1.0, 0.5, 0.25, 0.25, 0.0, 0.0])
    assert Piecewise([0.3], [])(17) == 0.3


@pytest.mark.parametrize("step", [-1, 0.5, True, "one"])
@pytest.mark.parametrize("schedule", ALL, ids=lambda s: type(s).__name__)
def test_a_step_is_a_whole_number(schedule, step) -> None:
    with pytest.raises(sg.RequestError, match="step"):
        schedule(step)


BAD = [
    (lambda: Constant(-1.0), "Constant: temperature"),
    (lambda: Constant("warm"), "Constant: temperature"),
    (lambda: Exponential(1.0, 0.0, 5), "Linear can end at 0"),
    (lambda: Exponential(math.inf, 1.0, 5), "Exponential: start"),
    (lambda: Linear(1.0, math.nan, 5), "Linear: end"),
    (lambda: Linear(1.0, 0.5, 0), "steps"),
    (lambda: Piecewise([], []), "at least one"),
    (lambda: Piecewise([1.0, 0.5], []), "2 parts need 1 starts"),
    (lambda: Piecewise([1.0, 0.5, 0.1], [5, 5]), "increase"),
]


@pytest.mark.parametrize(("make", "words"), BAD)
def test_refuses_by_name(make, words) -> None:
    with pytest.raises(sg.RequestError, match=words):
        make()
