"""The likelihood of dwells against products of matrix exponentials, and its derivatives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from networks import antimony
from numpy.typing import NDArray
from scipy.linalg import expm

import sbmlgrad as sg
from sbmlgrad.fit.objectives import DwellTimes
from sbmlgrad.fit.problems.plain import plain_problem

FloatArray = NDArray[np.float64]

CASES = [
    (states, is_reversible, dead_time)
    for states, is_reversible, dead_time in itertools.product(
        (2, 3, 4, 5, 6), (True, False), (0.0, 0.07)
    )
]


def scheme(states: int, is_reversible: bool, seed: int) -> dict[tuple[int, int], float]:
    """Return steps → rate between 2 classes of so many states, which comes back from each.

    A reversible one has energies and barriers on a random tree and on two steps more; one in one
    direction has a ring through all states, and three steps more.
    """
    rng = np.random.default_rng(seed)
    size = 2 * states
    rates = {}
    if is_reversible:
        energy = rng.normal(size=size)
        pairs = [(i, int(rng.integers(i))) for i in range(1, size)]
        pairs += [tuple(rng.choice(size, 2, replace=False).tolist()) for _ in range(2)]
        for i, j in pairs:
            barrier = np.exp(1.5 * rng.normal())
            rates[i, j] = float(barrier * np.exp((energy[j] - energy[i]) / 2.0))
            rates[j, i] = float(barrier * np.exp((energy[i] - energy[j]) / 2.0))
        return rates
    ring = rng.permutation(size).tolist()
    pairs = list(zip(ring, [*ring[1:], ring[0]], strict=True))
    pairs += [tuple(rng.choice(size, 2, replace=False).tolist()) for _ in range(3)]
    return {(i, j): float(np.exp(1.5 * rng.normal())) for i, j in pairs}


def names(states: int) -> list[str]:
    return [f"O{i}" for i in range(states)] + [f"C{i}" for i in range(states)]


def objective_and_problem(
    steps: dict[tuple[int, int], float], species: list[str], opened: int, record: sg.Dwells
) -> tuple[DwellTimes, sg.Problem]:
    lines = [f"{name} = {int(place == 0)};" for place, name in enumerate(species)]
    for (i, j), rate in steps.items():
        constant = f"k_{i}_{j}"
        lines += [f"{constant} = {rate!r}; {species[i]} -> {species[j]}; {constant}*{species[i]};"]
    classes = {"1": tuple(species[:opened]), "0": tuple(species[opened:])}
    objective = DwellTimes(record, classes)
    problem = plain_problem(antimony("\n".join(lines)), record)[0]
    objective.check(problem)
    return objective, problem


def generator(steps, size: int, values: FloatArray) -> FloatArray:
    rates = np.zeros((size, size))
    for (i, j), value in zip(steps, values, strict=True):
        rates[i, j] = value
    return rates - np.diag(rates.sum(axis=1))


def slow_log_likelihood(rates: FloatArray, opened: int, record: sg.Dwells) -> float:
    """Return the log-density, dwell by dwell, as the definition has it."""
    size, dead_time = len(rates), record.dead_time
    equations = np.vstack([rates.T, np.ones(size)])
    share = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)[0]
    total = 0.0
    for state, here in (("1", np.arange(opened)), ("0", np.arange(opened, size))):
        there = np.setdiff1d(np.arange(size), here)
        out, back = rates[np.ix_(here, there)], rates[np.ix_(there, here)]
        own, other = rates[np.ix_(here, here)], rates[np.ix_(there, there)]
        missed = (np.eye(len(there)) - expm(other * dead_time)) @ np.linalg.inv(-other)
        within = own + out @ missed @ back
        start = share[there] @ back @ expm(own * dead_time)
        for duration in record.of(state).tolist():
            goes_on = start / start.sum() @ expm(within * (duration - dead_time))
            total += float(np.log(goes_on @ -within @ np.ones(len(here))))
    return total


def some_record(dwells: int, dead_time: float, seed: int) -> sg.Dwells:
    rng = np.random.default_rng(seed)
    duration = dead_time + rng.exponential(1.0, dwells)
    duration[:3] = dead_time + np.array([0.0, 0.5, 30.0])
    if not dead_time:
        duration[0] = 1e-3
    every = np.ones(dwells, np.bool_)
    return sg.Dwells(("0", "1"), np.arange(dwells) % 2, duration, every, dead_time=dead_time)


@pytest.mark.parametrize(("states", "is_reversible", "dead_time"), CASES)
def test_value_and_gradient_are_those_of_the_definition(
    states: int, is_reversible: bool, dead_time: float
) -> None:
    """Differences of a product of `expm` know nothing of eigenvectors, nor of powers of two."""
    seed = 100 * states + 10 * is_reversible + (dead_time > 0.0)
    steps, record = scheme(states, is_reversible, seed), some_record(12, dead_time, seed)
    objective, problem = objective_and_problem(steps, names(states), states, record)
    values = np.array([*steps.values()])

    def slow(at: FloatArray) -> float:
        return slow_log_likelihood(generator(steps, 2 * states, at), states, record)

    assert objective.log_likelihood(problem, values) == pytest.approx(slow(values), rel=1e-10)
    loss, slopes = objective.exact_loss_and_gradient(problem, values)
    assert loss == pytest.approx(-2.0 * slow(values) / len(record), rel=1e-10)
    moves = 1e-5 * np.diag(values)
    rises = np.array([slow(values + move) - slow(values - move) for move in moves])
    # In logarithms of rates, for which the size of the largest slope is a scale.
    expected = -rises / 1e-5 / len(record)
    assert slopes * values == pytest.approx(expected, rel=1e-5, abs=1e-6 * np.abs(expected).max())


def test_the_gradient_of_a_chain_of_shut_states() -> None:
    """A scheme at which eigenvectors of a matrix with an imaginary part are wrong by 1e12."""
    steps = {
        (0, 1): 0.3664,
        (1, 0): 0.8904,
        (1, 2): 0.6664,
        (2, 1): 0.03555,
        (2, 3): 0.3533,
        (3, 2): 1.087,
    }
    record = some_record(40, 0.0, 5)
    objective, problem = objective_and_problem(steps, ["O", "C1", "C2", "C3"], 1, record)
    values = np.array([*steps.values()])
    _, slopes = objective.exact_loss_and_gradient(problem, values)
    for place, move in enumerate(1e-5 * np.diag(values)):
        sides = [
            slow_log_likelihood(generator(steps, 4, values + sign * move), 1, record)
            for sign in (1.0, -1.0)
        ]
        difference = -(sides[0] - sides[1]) / move[place] / len(record)
        assert slopes[place] == pytest.approx(difference, rel=1e-6)


def two_steps(first: float, second: float, shut: list[float]) -> tuple[DwellTimes, sg.Problem]:
    """Return O → C → D → O with unit rate of O, and dwells of 1 in it."""
    duration = np.array([x for dwell in shut for x in (dwell, 1.0)])
    every = np.ones(len(duration), np.bool_)
    record = sg.Dwells(("0", "1"), np.arange(len(duration)) % 2, duration, every)
    steps = {(0, 1): 1.0, (1, 2): first, (2, 0): second}
    return objective_and_problem(steps, ["O", "C", "D"], 1, record)


@pytest.mark.parametrize(("a", "b"), [(100.0, 90.0), (90.0, 100.0), (100.0, 1e-3), (1e4, 1e3)])
def test_long_dwells_in_fast_states_do_not_underflow(a: float, b: float) -> None:
    """exp(-9 · 100) is no number, and its logarithm is: against the closed form in logarithms."""
    shut = [9.0, 10.0, 12.0]
    objective, problem = two_steps(a, b, shut)
    _, slopes = objective.exact_loss_and_gradient(problem, np.array([1.0, a, b]))
    slow, fast, t = min(a, b), max(a, b), np.array(shut)
    log_density = np.log(a * b / (fast - slow)) - slow * t + np.log1p(-np.exp(-(fast - slow) * t))
    expected = log_density.sum() - len(shut)
    found = objective.log_likelihood(problem, np.array([1.0, a, b]))
    assert found == pytest.approx(expected, rel=1e-12)
    # d/d(slow) = 1/slow + 1/(fast - slow) - t, since the last term does not change here.
    of_slow = (1.0 / slow + 1.0 / (fast - slow) - t).sum()
    of_fast = (1.0 / fast - 1.0 / (fast - slow)) * len(shut)
    factor = -2.0 / (2 * len(shut))
    by_value = {slow: of_slow, fast: of_fast}
    expected_slopes = [factor * by_value[x] for x in (a, b)]
    assert slopes[1:] == pytest.approx(expected_slopes, rel=1e-9)


def test_one_fast_state_has_its_closed_form() -> None:
    record = sg.Dwells(
        ("0", "1"), np.arange(6) % 2, np.array([10.0, 1, 12, 2, 9, 1.5]), np.ones(6, np.bool_)
    )
    objective, problem = objective_and_problem({(0, 1): 1.0, (1, 0): 0.1}, ["O", "C"], 1, record)
    loss, slopes = objective.exact_loss_and_gradient(problem, np.array([1.0, 100.0]))
    assert loss == pytest.approx(-(3.0 * np.log(100.0) - 31.0 * 100.0 - 4.5) / 3.0, rel=1e-12)
    assert slopes == pytest.approx([-(3.0 - 4.5) / 3.0, -(3.0 / 100.0 - 31.0) / 3.0], rel=1e-12)


def test_equal_time_constants_have_their_closed_form() -> None:
    """Two steps of equal rate a: density a² t exp(-a t), of which eigenvectors know nothing."""
    shut, a = [0.3, 1.0, 4.0], 1.7
    objective, problem = two_steps(a, a, shut)
    t = np.array(shut)
    expected = (2.0 * np.log(a) + np.log(t) - a * t).sum() - len(shut)
    values = np.array([1.0, a, a])
    assert objective.log_likelihood(problem, values) == pytest.approx(expected, rel=1e-12)
    # Both steps share what the derivative in their common rate is.
    _, slopes = objective.exact_loss_and_gradient(problem, values)
    share = -0.5 * (2.0 / a - t).sum() / len(shut)
    assert slopes[1:] == pytest.approx([share, share], rel=1e-12)
    with pytest.raises(sg.FitError, match="all but equal"):
        objective.components(problem.network.with_parameters({"k_1_2": a, "k_2_0": a}), "0")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1.0, 0.0, 1.0], "has no equilibrium|no such dwell begins"),
        ([1.0, -1.0, 1.0], "the rate from C to D is -1"),
        ([1.0, 1e12, 1.0], "no digits left"),
        ([1.0, np.nan, 1.0], "rate from"),
    ],
)
def test_values_without_a_likelihood_are_refused_in_words(values: list[float], words: str) -> None:
    """As a `GradientError`, which gives up one start of a fit of many."""
    objective, problem = two_steps(1.0, 2.0, [1.0, 2.0])
    with pytest.raises(sg.GradientError, match=words):
        objective.exact_loss_and_gradient(problem, np.array(values))
    with pytest.raises(sg.GradientError, match=words):
        objective.log_likelihood(problem, np.array(values))
