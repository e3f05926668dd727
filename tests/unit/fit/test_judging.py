"""Judging the estimator of a fit takes no more than a share of a budget of time."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from sbmlgrad.errors import FitError
from sbmlgrad.fit import choice

USED = 128


@pytest.fixture
def drawn(monkeypatch):
    """Gradients that take as many seconds as they are told to, and first trajectories of each."""
    rng, seen, clock = np.random.default_rng(1), [], SimpleNamespace(now=0.0, each=[])

    def gradient(objective, simulator, coordinates, trajectories, first, method):
        seen.append((method.name, first))
        clock.now += clock.each[min(len(seen) - 1, len(clock.each) - 1)]
        return 0.0, np.array([[1.0, -2.0]]) + 0.01 * rng.normal(size=(1, 2)), 0.0, USED

    monkeypatch.setattr(choice, "loss_and_gradient", gradient)
    monkeypatch.setattr(choice, "monotonic", lambda: clock.now)
    return seen, clock


def plan(seconds):
    space = SimpleNamespace(coordinates=np.asarray)
    methods = (SimpleNamespace(name="fast"), SimpleNamespace(name="sure"))
    return SimpleNamespace(
        simulator=SimpleNamespace(space=space), objective=None, estimators=methods, seconds=seconds
    )


@pytest.mark.parametrize(
    ("seconds", "each", "batches"),
    [
        (None, [10.0], 8),
        (64.0, [1.0], 8),
        # What takes long at first is compiled, and not counted.
        (64.0, [400.0, 400.0, 1.0], 8),
        # As soon as it is clear that eight take too long.
        (60.0, [1.0], 1),
        (60.0, [1.0, 1.0, 0.9, 0.9, 2.0], 2),
    ],
)
def test_it_takes_no_more_than_its_share(drawn, seconds, each, batches) -> None:
    seen, clock = drawn
    clock.each = each
    misled, words, used = choice.judge(plan(seconds), np.zeros(2), 1000)
    compiled = 0 if seconds is None else 2
    assert [first for _, first in seen[:compiled]] == [1000] * compiled
    assert [first for _, first in seen[compiled:]] == [
        1000 + USED * number for number in range(batches) for _ in range(2)
    ]
    # Trajectories after it are the same ones however long it took.
    assert used == choice.BATCHES * USED
    assert misled is (False if batches == choice.BATCHES else None)
    if misled is None:
        assert words == (
            "gradients by fast, not checked against sure, which would have taken more than 25% of "
            f"the budget of {seconds:g} s"
        )


@pytest.mark.parametrize("enough", [choice.BATCH_SIZE, choice.BATCH_SIZE + 1])
def test_only_what_a_batch_refuses_is_refused_in_compiling(drawn, monkeypatch, enough) -> None:
    _, clock = drawn
    clock.each = [1.0]
    gradient, sizes = choice.loss_and_gradient, []

    def refusing(objective, simulator, coordinates, trajectories, first, method):
        sizes.append(trajectories)
        if trajectories < enough:
            raise FitError(f"impossible with {trajectories}")
        return gradient(objective, simulator, coordinates, trajectories, first, method)

    monkeypatch.setattr(choice, "loss_and_gradient", refusing)
    if enough > choice.BATCH_SIZE:
        with pytest.raises(FitError, match=f"impossible with {choice.BATCH_SIZE}"):
            choice.judge(plan(1e6), np.zeros(2), 0)
    else:
        assert choice.judge(plan(1e6), np.zeros(2), 0)[0] is False
        assert sizes[:4] == [choice.FEWEST, choice.BATCH_SIZE] * 2
