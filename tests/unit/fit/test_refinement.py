"""Steps of scoring after a descent: they end where the optimum is, also with a prior."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from one_measurement import one_measurement

import sbmlgrad as sg
from sbmlgrad.fit.uncertainty.run import uncertainty
from sbmlgrad.model.priors import Prior

#: Too few for a descent that starts at 2.5 to settle: it ends about 0.03 to 0.08 off.
EPOCHS = 15


@functools.cache
def ends(prior: Prior | None, refine: bool) -> np.ndarray:
    """Return the fitted alpha of three seeds."""
    return np.array(
        [
            sg.fit(one_measurement(prior), epochs=EPOCHS, seed=seed, refine=refine).values["alpha"]
            for seed in range(3)
        ]
    )


@pytest.mark.parametrize(("prior", "mode"), [(None, 3.0), (Prior("normal", (2.0, 0.2)), 2.5)])
def test_the_optimum_is_reached(prior, mode) -> None:
    """Seven steps of 457 trajectories; five of them are averaged.

    The mean of X, 10 alpha, is known to sqrt(30 / 2285) = 0.11 then, alpha to 0.011, less with the
    prior; 0.04 is three and a half standard errors. A step that ignores the prior ends at 3.0
    instead of 2.5.
    """
    np.testing.assert_allclose(ends(prior, True), mode, atol=0.04)


def test_a_descent_alone_is_further_off() -> None:
    prior = Prior("normal", (2.0, 0.2))
    alone, after = ends(prior, False) - 2.5, ends(prior, True) - 2.5
    assert np.sqrt((alone**2).mean()) > 3.0 * np.sqrt((after**2).mean())


def test_what_was_done_is_told_and_can_be_left_out() -> None:
    told = sg.fit(one_measurement(None), epochs=EPOCHS, seed=1)
    assert any("7 steps of scoring" in words for words in told.assumptions)
    alone = sg.fit(one_measurement(None), epochs=EPOCHS, seed=1, refine=False)
    assert not any("scoring" in words for words in alone.assumptions)
    assert alone.arguments["refine"] == "False"


def test_a_few_trajectories_are_no_basis_for_it() -> None:
    result = sg.fit(one_measurement(None), epochs=2, trajectories=32, seed=1)
    assert not any("scoring" in words for words in result.assumptions)


def test_intervals_take_priors_in() -> None:
    """Precisions 25 of the measurement and 25 of the prior, in alpha, at the mode 2.5.

    The standard error is sqrt(1 / 50) = 0.141 and sqrt(1 / 25) = 0.2 without the prior. In the
    logarithm, in which the search runs, curvature adds slope / alpha to both parts, which cancel at
    the mode. Monte-Carlo error: 5 % of each by Fisher; the profile's ends are those of a parabola.
    """
    result = sg.fit(one_measurement(Prior("normal", (2.0, 0.2))), epochs=EPOCHS, seed=2)
    by_fisher = uncertainty(result)
    assert by_fisher.kind == "credible"
    assert by_fisher.standard_errors[0] == pytest.approx(0.141, rel=0.15)
    by_profile = uncertainty(result, "profile")
    reach = 1.645 * 0.141
    assert by_profile.lower[0] == pytest.approx(2.5 - reach, abs=0.06)
    assert by_profile.upper[0] == pytest.approx(2.5 + reach, abs=0.06)
