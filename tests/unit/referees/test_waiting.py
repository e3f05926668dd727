"""Waiting times: ours against closed forms, and what is made of those of a referee."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from networks import antimony
from scipy import stats

import sbmlgrad as sg
from sbmlgrad.referees import RefereeResult, referee
from sbmlgrad.referees.moments import moments
from sbmlgrad.referees.statistics.balances import checked_result
from sbmlgrad.referees.statistics.sampled import WAITS
from sbmlgrad.referees.waiting import WAITED_FOR, sampled_waits, waits_until

RATE = 10.0
PRODUCTION = antimony("substanceOnly species X in cell; X = 0; k = 10; J0: => X; k;")
TIMES = np.array([1.0, 2.0, 3.0])


def test_waits_of_one_trajectory() -> None:
    found = waits_until(np.array([0.5, 0.75, 2.0, 2.5, 9.0]), 3.0)
    expected = [0.5, 0.25, 0.5, np.inf, np.inf, np.inf, np.inf, np.inf]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(waits_until(np.array([]), 3.0), np.full(8, np.inf))


def test_our_waits_are_those_of_the_law() -> None:
    """Four molecules decay: firing k waits at rate (5 - k) c; firing 8 never comes."""
    n, c, end = 20_000, 0.4, 3.0
    model = antimony("substanceOnly species A in cell; A = 4; c = 0.4; J0: A => ; c*A;")
    found = sampled_waits(model, end, n, seed=5)
    assert found.shape == (n, len(WAITED_FOR))
    left = np.exp(-c * end)
    for place, firing in enumerate(WAITED_FOR):
        comes = stats.binom.sf(firing - 1, 4, 1.0 - left)
        share = np.isfinite(found[:, place]).mean()
        # A firing after the end that is taken for one, or the reverse, would show.
        z = (share - comes) / np.sqrt(max(comes * (1.0 - comes), 1e-12) / n)
        assert abs(z) < 4.5, f"firing {firing}: z {z}"
    law = stats.truncexpon(b=4 * c * end, scale=1.0 / (4 * c))
    waited = found[np.isfinite(found[:, 0]), 0]
    # A wait measured from elsewhere than the firing before would show.
    assert stats.kstest(waited, law.cdf).pvalue > 1e-5
    batched = sampled_waits(model, end, 7, seed=5)
    np.testing.assert_array_equal(batched, found[:7])


def test_reactions_that_change_nothing_are_not_waited_for() -> None:
    model = antimony(
        "substanceOnly species X in cell, Y in cell; X = 0; Y = 1; k = 10; q = 30;"
        "J0: => X; k; J1: Y => Y; q*Y;"
    )
    report = sg.validate(model, against=Producer(), times=TIMES, trajectories=400, seed=3)
    assert report.agrees, str(report)


@dataclass(frozen=True)
class Producer:
    """Makes molecules at the right rate, whatever document it is given."""

    name: str = "producer"
    install_with: str = "nothing"

    def is_available(self) -> bool:
        return True

    def sample(self, document, species, times, trajectories, seed, timeout_s) -> RefereeResult:
        rng = np.random.default_rng(seed)
        counts = np.zeros((trajectories, len(times), len(species)))
        counts[:, :, [name == "Y" for name in species]] = 1.0
        waits = []
        for trajectory in range(trajectories):
            fired = np.cumsum(rng.exponential(1.0 / RATE, 200))
            reached = np.searchsorted(fired, times, side="right")
            counts[trajectory, :, [name != "Y" for name in species]] = reached
            waits.append(waits_until(fired, times[-1]))
        found = moments([counts])
        return RefereeResult(
            self.name,
            "1",
            {"seed": str(seed)},
            found.mean,
            found.variance,
            found.fourth_moment,
            trajectories,
            0.1,
            counts=counts,
            waits=np.array(waits),
        )


def test_waits_are_compared_where_they_are_told() -> None:
    # That wrong ones are found, and that nothing else finds them: contract/test_planted_faults.
    options = {"times": TIMES, "trajectories": 400, "seed": 1}
    right = sg.validate(PRODUCTION, against=Producer(), **options)
    assert right.agrees, str(right)
    (found,) = right.comparisons
    assert WAITS in {family.name for family in found.families}
    assert not any("waiting times" in words for words in found.left_out)
    untold = sg.validate(PRODUCTION, against=Untold(), **options)
    (found,) = untold.comparisons
    assert WAITS not in {family.name for family in found.families}
    assert "waiting times: 'producer' does not tell when reactions fired" in found.left_out


class Untold(Producer):
    """The same without waits."""

    def sample(self, *arguments, **options) -> RefereeResult:
        return replace(super().sample(*arguments, **options), waits=None)


def test_waits_of_another_shape_are_no_answer() -> None:
    given = Producer().sample(b"", ["X"], TIMES, 20, 1, 9.0)
    assert given.waits is not None
    checked_result(given, 20, TIMES, ["X"])
    with pytest.raises(sg.RefereeError, match=r"waits of shape \(20, 3\), not"):
        checked_result(replace(given, waits=given.waits[:, :3]), 20, TIMES, ["X"])
    for wrong in (np.nan, -1.0):
        waits = np.where(given.waits > 1.0, wrong, given.waits)
        waits[0, 0] = wrong
        with pytest.raises(sg.RefereeError, match="waits that are no times"):
            checked_result(replace(given, waits=waits), 20, TIMES, ["X"])


def test_failures_before_the_end_are_not_taken_for_long_waits() -> None:
    model = antimony("substanceOnly species X in cell; X = 3; k = 1; J0: 2 X => ; k*X;")
    with pytest.raises(sg.SimulationError, match="NEGATIVE_COUNT"):
        sampled_waits(model, 50.0, 40, seed=1)
    # Later ones are of no interest.
    found = sampled_waits(model, 1e-9, 40, seed=1)
    np.testing.assert_array_equal(found, np.full((40, len(WAITED_FOR)), np.inf))


@pytest.mark.skipif(not referee("rebop").is_available(), reason="rebop is not installed")
def test_rebop_tells_its_waits() -> None:
    report = sg.validate(PRODUCTION, against="rebop", times=TIMES, trajectories=400, seed=1)
    assert report.agrees, str(report)
    assert WAITS in {family.name for family in report.comparisons[0].families}
