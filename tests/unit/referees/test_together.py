"""Pairs, matchings, first firings and trajectories that cannot be, where the answer is known."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from networks import MODELS, antimony
from scipy import stats

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import RefereeError, RequestError
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.referees.base import RefereeResult
from sbmlgrad.referees.counted import with_counters
from sbmlgrad.referees.moments import Moments, moments
from sbmlgrad.referees.statistics import first_firing, pairs
from sbmlgrad.referees.statistics.balances import balance_of, checked_result
from sbmlgrad.referees.statistics.compare import CONFIRMATION, compare
from sbmlgrad.referees.statistics.error_rate import LEAST, check_trajectories
from sbmlgrad.referees.statistics.independence import BothAbove, above_cut, matched, matchings
from sbmlgrad.referees.statistics.names import Names, Side
from sbmlgrad.referees.statistics.possible import Balance

GROUPS = [frozenset({2, 0}), frozenset({1}), frozenset({0, 2})]


def test_coupled_pairs_come_first() -> None:
    assert pairs.coupled_pairs(GROUPS) == [(0, 2)]
    every = pairs.chosen_pairs(GROUPS, 3)
    assert every.species == ((0, 2), (0, 1), (1, 2))
    assert every.across_time[:2] == ((0, 2), (2, 0))
    assert len(every.across_time) == 6
    assert every.firings == ((0, 2), (0, 1), (1, 2))
    assert set(every.firings_and_species[:5]) == {(0, 0), (0, 2), (1, 1), (2, 0), (2, 2)}
    assert not every.left_out


def test_pairs_that_are_too_many_are_named() -> None:
    few = pairs.chosen_pairs(GROUPS, 3, most=4)
    assert len(few.species) == 3
    assert len(few.across_time) == len(few.firings_and_species) == 4
    assert set(few.left_out) == {pairs.ACROSS_TIME, pairs.FIRINGS_AND_SPECIES}
    assert "2 of 6 pairs" in few.left_out[pairs.ACROSS_TIME]
    assert Names(("A",), (), np.ones(1), few).left_out([], ("else",)) == ("else",)


@pytest.mark.parametrize("n", [20, 23, 2000])
def test_no_trajectory_is_matched_twice(n: int) -> None:
    found = matchings(n)
    assert [(m.distance, m.phase) for m in found[:6]] == [
        (1, 0), (1, 1), (2, 0), (2, 2), (4, 0), (4, 4)
    ]  # fmt: skip
    assert [m.distance for m in found[6:]] == [n // 4, n // 2]
    for matching in found:
        both = np.concatenate([matching.first, matching.first + matching.distance])
        assert len(np.unique(both)) == len(both)
        assert both.max() < n
        # All but a few at the ends.
        assert len(both) > n - 4 * matching.distance


@pytest.mark.parametrize("distance", [1, 2, 4, 500, 1000])
def test_mirrored_trajectories_at_any_distance(distance: int) -> None:
    rng, n = np.random.default_rng(1), 2000
    u = rng.random(n)
    every = matchings(n)
    chosen = next(m for m in every if (m.distance, m.phase) == (distance, 0))
    u[chosen.first + distance] = 1.0 - u[chosen.first]
    counts = stats.poisson.ppf(u, 9.0)
    p, effect = matched(counts, chosen)
    assert p < 1e-50
    assert effect < -0.7
    others = [m for m in every if m is not chosen]
    assert min(matched(counts, m)[0] for m in others) > 1e-4


def test_cuts_part_as_equally_as_they_can() -> None:
    assert above_cut(np.array([0, 0, 0, 1, 2, 3.0])).sum() == 3
    assert above_cut(np.array([0, 0, 0, 0, 0, 3.0])).sum() == 1
    assert not above_cut(np.full(4, 2.0)).any()


def test_the_law_of_pairs_sums_to_one_and_its_tails_are_told() -> None:
    law = BothAbove(30, 22)
    assert np.exp(law.logs).sum() == pytest.approx(1.0)
    # Of 60 members 22 are above: the chance of a pair of two is 22 * 21 / (60 * 59).
    assert law.mean == pytest.approx(30 * 22 * 21 / (60 * 59))
    assert law.power(0.0, 0.1) < 0.05
    assert law.power(60.0, 0.1) == pytest.approx(1.0)
    assert np.isnan(BothAbove(30, 0).detectable(0.01, 0.9))
    assert BothAbove(1000, 3).detectable(1e-5, 0.9) == np.inf


@pytest.mark.parametrize(("ours", "theirs"), [(0, 3), (2, 5), (4, 4), (6, 1)])
def test_numbers_that_have_not_fired_by_all_arrangements(ours: int, theirs: int) -> None:
    n, both = 6, ours + theirs
    every = [sum(i < both for i in c) for c in combinations(range(2 * n), n)]
    low, high = (np.mean([k <= ours for k in every]), np.mean([k >= ours for k in every]))
    found = first_firing.p_values(np.array([ours]), np.array([theirs]), n)
    assert found[0] == pytest.approx(min(1.0, 2.0 * min(low, high)))


def test_first_firings_are_counted() -> None:
    firings = np.zeros((3, 2, 2))
    firings[0, 1, 0] = firings[1, :, 1] = 1.0
    assert first_firing.silent(firings).tolist() == [[3, 2, 2], [2, 2, 1]]
    sizes = first_firing.detectable(np.array([0, 50, 100]), 100, 1e-5, 0.9)
    assert np.all((sizes > 0.2) & (sizes < 0.6))
    assert first_firing.detectable(np.array([2]), 5, 1e-9, 0.9)[0] == np.inf


# --- trajectories that cannot be ------------------------------------------------------------------


def balance(text: str) -> tuple[Balance, sg.ReactionNetwork, dict[str, str]]:
    return of_model(antimony(text))


def of_model(model: sg.ReactionNetwork) -> tuple[Balance, sg.ReactionNetwork, dict[str, str]]:
    lowered = lower(model)
    document, counters = with_counters(normalised_sbml(lowered))
    counted = sg.load(document.decode())
    changed = {s for channel in lowered.channels for s in channel.change}
    species = tuple(s for s in model.species_ids if s in changed)
    names = Names(species, tuple(counters), np.array([0.0, 1.0, 2.0]))
    return balance_of(lowered, lower(counted), counters, names), counted, counters


DIMER = (
    "substanceOnly species A in cell, D in cell; A = 20; D = 0;"
    "J0: 2 A => D; 0.05*A*(A - 1)/2; J1: D => 2 A; 0.5*D;"
)


def trajectories(text: str, n: int = 30) -> tuple[Balance, np.ndarray, np.ndarray]:
    known, counted, counters = balance(text)
    found = sg.simulate(counted, times=known.times, trajectories=n, seed=1)
    counts, firings = (
        np.stack([found.values(s, "counts") for s in ids], axis=2).astype(float)
        for ids in (known.species, counters.values())
    )
    return known, counts, firings


def test_right_trajectories_break_nothing() -> None:
    known, counts, firings = trajectories(DIMER)
    assert known.start.tolist() == [20.0, 0.0]
    assert known.change.tolist() == [[-2.0, 1.0], [2.0, -1.0]]
    side = Side(moments([counts]), counts, None, firings, counts)
    assert known.checks(side, side).broken == ()
    assert "A, D = start + what the firings change" in known.checks(side, side).made
    assert "start +" not in known.checks(side).made


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("negative", "their trajectory 7 has -1 for A at 1, which must be no less than zero"),
        ("fraction", "their trajectory 7 has 20.5 for A at 1, which must be a whole number"),
        ("balance", "of A at 1, but its start and its firings make"),
        ("falls", "the firings of 'J0' at 2, which must be no less than at the time before"),
        ("begun", "the firings of 'J1' at 0, which must be zero at the start"),
    ],
)
def test_one_wrong_trajectory_is_named(what: str, words: str) -> None:
    known, counts, firings = trajectories(DIMER)
    at = 7, 1, 0
    if what == "negative":
        counts[at] = -1.0
    elif what == "fraction":
        counts[at] = 20.5
    elif what == "balance":
        counts[at] += 1.0
    elif what == "falls":
        firings[7, 2, 0] = firings[at] - 1.0
    else:
        firings[7, :, 1] += 1.0
    found = known.broken("their", counts, firings)
    assert any(words in text for text in found), found
    assert all("1 of 30 trajectories" in text for text in found)


def test_what_events_set_has_no_balance() -> None:
    known, counts, firings = trajectories(
        "substanceOnly species X in cell, Y in cell; X = 10; Y = 3; J0: => X; 2; J1: Y => ; 0.2*Y;"
        "E: at time >= 0.5: X = X + 30;"
    )
    assert np.isnan(known.start).tolist() == [True, False]
    assert known.broken("our", counts, firings) == ()
    counts[3, 1, 0] += 1.0
    assert known.broken("our", counts, firings) == ()
    counts[3, 1, 0] = -2.0
    assert len(known.broken("our", counts, firings)) == 1


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.xml")), ids=lambda path: path.stem)
def test_our_side_breaks_nothing_on_the_models(path: object) -> None:
    known, counted, counters = of_model(sg.load(path))  # pyright: ignore[reportArgumentType]
    found = sg.simulate(counted, times=known.times / 10.0, trajectories=10, seed=2)
    counts, firings = (
        np.stack([found.values(s, "counts") for s in ids], axis=2).astype(float)
        for ids in (known.species, counters.values())
    )
    assert known.broken("our", counts, firings) == ()


def test_a_result_of_another_size_is_refused() -> None:
    counts = np.ones((9, 2, 1))
    of = moments([counts])

    def result(n: int, counts: np.ndarray) -> RefereeResult:
        return RefereeResult(
            "mine", "1", {}, of.mean, of.variance, of.fourth_moment, n, 0.0, counts=counts
        )

    checked_result(result(9, counts), 9, np.ones(2), ("X",))
    for given, number, times, asked in (
        (result(9, counts), 18, np.ones(2), ("X",)),
        (result(18, counts), 18, np.ones(2), ("X",)),
        (result(9, counts), 9, np.ones(3), ("X",)),
        (result(9, counts), 9, np.ones(2), ("X", "Y")),
    ):
        with pytest.raises(RefereeError, match=r"'mine' (gave|was asked)"):
            checked_result(given, number, times, asked)


@pytest.mark.parametrize("level", [1e-3, 1e-5, 1e-7, 1e-9])
def test_both_runs_hold_the_level_of_two_state_counts(level: float) -> None:
    """Exact, by enumeration; in a single run of so few, variances exceed their bound too often."""

    def exceeding(n: int, p: float) -> np.ndarray:
        k = np.arange(n + 1)
        m, variance = k / n, k * (n - k) / (n * (n - 1.0))
        fourth = m * (1.0 - m) * (1.0 - 3.0 * m * (1.0 - m))
        # Every pair of both sides as a time of its own.
        ours, theirs = (
            Moments(*(np.tile(a, n + 1)[:, None] for a in (m, variance, fourth)), n),
            Moments(*(np.repeat(a, n + 1)[:, None] for a in (m, variance, fourth)), n),
        )
        found = compare(("S",), np.arange(len(ours.mean)) * 1.0, ours, theirs, level=level)
        weights = np.outer(*[stats.binom.pmf(k, n, p)] * 2).ravel()
        return found.exceeding[:, :, 0] @ weights

    for p in (0.002, 0.01, 0.05, 0.13, 0.16, 0.19, 0.3, 0.5):
        twice = exceeding(LEAST, p) * exceeding(CONFIRMATION * LEAST, p)
        assert (twice <= level).all(), f"p {p}: means and variances exceed twice with {twice}"
    assert exceeding(LEAST, 0.16)[1] > 10.0 * level


def test_too_few_trajectories_are_refused() -> None:
    check_trajectories(LEAST)
    for number in (2, LEAST - 1, 100.5):
        with pytest.raises(RequestError, match=f"trajectories={number}: .* at least {LEAST}"):
            check_trajectories(number)  # pyright: ignore[reportArgumentType]
