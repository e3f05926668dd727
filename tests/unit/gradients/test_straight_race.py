"""Printed noise and shares of the relaxed choice: those of the scalar kernel, digit for digit."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from sbmlgrad.engines.random import ESTIMATOR, standard_exponential, uniform_pair
from sbmlgrad.gradients.paths.straight_race import decay, race_source


def ran(lines, **names) -> dict:
    with np.errstate(over="ignore"):
        exec("\n".join(lines), {"np": np}, names)
    return names


def test_noise_is_that_of_the_streams_bit_for_bit() -> None:
    race = race_source()
    for seed in (0, 1, 2**63 - 1, 1234567890123456789):
        for draw in (0, 1, 2**32 - 1, 2**33 + 1):
            for trajectory in (0, 7, 2**32 - 1):
                address = np.uint64(seed), np.uint64(draw), np.uint64(trajectory)
                found = ran(
                    [*race.once, *race.each],
                    seed=address[0],
                    draw=address[1],
                    trajectory=address[2],
                )
                with np.errstate(over="ignore"):
                    u, v = uniform_pair(*address, np.uint64(ESTIMATOR))
                    expected = standard_exponential(u), standard_exponential(1.0 - v)
                assert (found["e0"], found["e1"]) == expected


def ulps(found: float, exact: Decimal) -> float:
    return abs(float((Decimal(found) - exact) / Decimal(math.ulp(float(exact)))))


def test_decay_is_exact_to_less_than_a_unit_in_the_last_place() -> None:
    rng = np.random.default_rng(1)
    numbers = [0.0, 1e-300, 2.0**-54, 0.34, 0.35, 0.5, 1.0, 707.999, 708.0]
    numbers += [*rng.uniform(0.0, 2.0, 2000), *rng.uniform(0.0, 708.0, 2000)]
    with localcontext() as context, np.errstate(over="ignore", invalid="ignore"):
        context.prec = 40
        worst = max(ulps(float(decay(np.float64(x))), (-Decimal(float(x))).exp()) for x in numbers)
        assert worst < 1.0, f"{worst} units in the last place"
        assert decay(0.0) == 1.0
        for x in (708.1, 1e5, 1e300, math.inf):
            assert decay(np.float64(x)) == 0.0
        assert math.isnan(decay(np.float64(math.nan)))


@pytest.mark.parametrize("temperature", [1e-6, 1e-3, 0.1, 1.0, 30.0])
def test_shares_keep_their_digits(temperature) -> None:
    """(1 + y)^(-1/T) for y far below one rounding of 1, where choices are decided at that T."""
    race = race_source()
    rng = np.random.default_rng(2)
    # Lateness from far below the temperature to where nothing is left of the share.
    late = temperature * np.concatenate(
        [10.0 ** rng.uniform(-20, 0, 300), rng.uniform(0, 600, 300)]
    )
    late = late[late < 690.0]
    with np.errstate(over="ignore"):
        for y in np.expm1(late):
            found = ran(race.share, y=np.float64(y), inverse_temperature=1.0 / temperature)["share"]
            exact = math.exp(-math.log1p(y) / temperature)
            # Three numbers are rounded on the way to the exponent: logarithm, 1/T, their product.
            scale = 1.0 + math.log1p(y) / temperature
            assert found == pytest.approx(exact, rel=6e-16 * scale, abs=1e-307)
