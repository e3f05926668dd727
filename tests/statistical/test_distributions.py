"""Samplers draw from the distributions they name, truncated ones included.

Seeds are fixed, so a verdict never changes by chance. Each family of tests keeps, by Bonferroni, a
family-wise error of 0.1 % over the choice of seed; the wrong samplers below fail it by far.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from draw_samples import CONTINUOUS, DISCRETE, INF, samples
from numpy.typing import NDArray
from scipy import stats

from sbmlgrad.model.distributions import DISTRIBUTIONS

NUMBER = 200_000
FAMILY_ERROR = 1e-3
LEAST_P = FAMILY_ERROR / (len(CONTINUOUS) + len(DISCRETE))

Arguments = tuple[float, ...]


def identify(value: object) -> str:
    return str(value).replace(" ", "")


def p_value(name: str, arguments: Arguments, values: NDArray[np.float64]) -> float:
    """Probability of so bad a fit: Kolmogorov-Smirnov, or chi-square for whole numbers."""
    row = DISTRIBUTIONS[name]
    if not row.is_discrete:
        return float(stats.kstest(values, lambda x: row.cdf(arguments, x)).pvalue)
    assert np.array_equal(values, np.floor(values))
    law = row.frozen(*row.split(arguments)[0])
    least, most = int(values.min()) - 1, int(values.max()) + 1
    points = np.arange(max(least, 0), most + 1)
    mass = np.diff(row.cdf(arguments, np.arange(points[0] - 1, most + 1)))
    observed = np.array([np.count_nonzero(values == k) for k in points], dtype=float)
    if np.any(observed[mass == 0.0] > 0) or not np.all(law.pmf(values[:100]) > 0.0):
        return 0.0
    # Cells hold at least 10 expected values; the rest, values beyond `points` included, is one.
    kept = mass * values.size >= 10.0
    expected = np.append(mass[kept], max(1.0 - mass[kept].sum(), 0.0)) * values.size
    observed = np.append(observed[kept], values.size - observed[kept].sum())
    if expected[-1] < 10.0:
        smallest = int(np.argmin(expected[:-1]))
        for cells in (expected, observed):
            cells[smallest] += cells[-1]
        expected, observed = expected[:-1], observed[:-1]
    if expected.size == 1:
        return 1.0 if observed[0] == values.size else 0.0
    statistic = np.sum((observed - expected) ** 2 / expected)
    return float(stats.chi2.sf(statistic, expected.size - 1))


@pytest.mark.parametrize(("name", "arguments"), CONTINUOUS + DISCRETE, ids=identify)
def test_values_follow_the_distribution(name: str, arguments: Arguments) -> None:
    values, _ = samples(name, arguments, NUMBER)
    assert p_value(name, arguments, values) > LEAST_P


WRONG: dict[str, tuple[str, Arguments, Arguments, float]] = {
    "variance for standard deviation": ("normal", (0.0, 1.5), (0.0, 2.25), 0.0),
    "one count too many": ("poisson", (30.0,), (30.0,), 1.0),
    "mean for rate": ("exponential", (3.0,), (1.0 / 3.0,), 0.0),
    "rate for scale": ("gamma", (2.0, 1.1), (2.0, 1.0 / 1.1), 0.0),
    "shape one too high": ("gamma", (0.3, 2.0), (1.3, 2.0), 0.0),
    "lower end left out": ("binomial", (100.0, 0.2, 15.0, 32.0), (100.0, 0.2, 16.0, 32.0), 0.0),
    "upper end left out": ("poisson", (3.0, 2.0, 5.0), (3.0, 2.0, 4.0), 0.0),
    "not truncated": ("laplace", (1.0, 2.0, 2.0, 10.0), (1.0, 2.0), 0.0),
    "mean of the value": ("lognormal", (0.5, 0.75), (math.log(0.5), 0.75), 0.0),
    "standard deviation for scale": ("laplace", (1.0, 2.0), (1.0, math.sqrt(2.0)), 0.0),
}


@pytest.mark.parametrize("fault", WRONG)
def test_wrong_parameters_are_found(fault: str) -> None:
    name, meant, drawn, shift = WRONG[fault]
    values, _ = samples(name, drawn, NUMBER)
    assert p_value(name, meant, values + shift) < 1e-12


def test_clamping_to_the_range_is_found() -> None:
    values, _ = samples("normal", (0.0, 1.5), NUMBER)
    assert p_value("normal", (0.0, 1.5, -0.5, INF), np.maximum(values, -0.5)) < 1e-12


FAULTY_SAMPLERS = """
def draw_normal(mean, sd, low, high, stream):
    u, v = next_uniforms(stream)
    return mean + sd * sd * math.sqrt(-2.0 * math.log(u)) * math.cos(6.283185307179586 * v)


def draw_poisson(rate, low, high, stream):
    count, product = 0.0, 1.0
    while product > math.exp(-rate):
        product *= next_uniforms(stream)[0]
        count += 1.0
    return count
"""


@pytest.mark.parametrize(("name", "arguments"), [("normal", (0.0, 1.5)), ("poisson", (1.5,))])
def test_a_faulty_sampler_is_found(name: str, arguments: Arguments) -> None:
    """The variance taken for the standard deviation; a Poisson count that starts at one."""
    values, _ = samples(name, arguments, NUMBER, replacement=FAULTY_SAMPLERS)
    assert p_value(name, arguments, values) < 1e-12


def test_uniform_values_span_a_range_wider_than_the_largest_double() -> None:
    values, _ = samples("uniform", (-1.5e308, 1.5e308), NUMBER)
    assert stats.kstest(values / 1.5e308, "uniform", args=(-1.0, 2.0)).pvalue > LEAST_P


UNTRUNCATED = tuple(
    (name, arguments)
    for name, arguments in CONTINUOUS + DISCRETE
    if DISTRIBUTIONS[name].mean is not None
    and len(arguments) <= len(DISTRIBUTIONS[name].parameters)
)


@pytest.mark.parametrize(("name", "arguments"), UNTRUNCATED, ids=identify)
def test_mean_and_variance(name: str, arguments: Arguments) -> None:
    """Both z-scores within 4.5: a family-wise error below 0.1 % over all forms."""
    row = DISTRIBUTIONS[name]
    parameters, _, _ = row.split(arguments)
    assert row.mean is not None
    assert row.variance is not None
    mean, variance = row.mean(*parameters), row.variance(*parameters)
    law = row.frozen(*parameters)
    assert mean == pytest.approx(float(law.mean()), rel=1e-9, abs=1e-12)
    assert variance == pytest.approx(float(law.var()), rel=1e-9)
    values, _ = samples(name, arguments, NUMBER, seed=2)
    z = (values.mean() - mean) / math.sqrt(variance / NUMBER)
    assert abs(z) < 4.5
    # The variance about the known mean, whose own spread follows from the fourth moment.
    kurtosis = float(law.stats(moments="k")) + 3.0
    spread = np.mean((values - mean) ** 2) / variance - 1.0
    assert abs(spread) < 4.5 * math.sqrt((kurtosis - 1.0) / NUMBER)


#: Means and variances that only a reader of whole numbers of this size gets right.
LARGE: tuple[tuple[str, Arguments], ...] = (
    ("poisson", (1e8,)),
    ("poisson", (1e12,)),
    ("poisson", (1e15,)),
    ("binomial", (1e9, 0.25)),
    ("binomial", (1e15, 0.3)),
    ("binomial", (2.0**53, 1.0 - 1e-9)),
    ("gamma", (1e15, 1.0)),
    ("gamma", (1e12, 2.0, 1.0, 1e20)),
)


@pytest.mark.parametrize(("name", "arguments"), LARGE, ids=identify)
def test_large_counts_are_normal_with_the_right_moments(name: str, arguments: Arguments) -> None:
    row = DISTRIBUTIONS[name]
    parameters, _, _ = row.split(arguments)
    assert row.mean is not None
    assert row.variance is not None
    values, _ = samples(name, arguments, NUMBER, seed=3)
    z = (values - row.mean(*parameters)) / math.sqrt(row.variance(*parameters))
    assert stats.kstest(z, "norm").pvalue > FAMILY_ERROR / len(LARGE)
    assert abs(np.mean(z)) * math.sqrt(NUMBER) < 4.5
    assert abs(np.mean(z * z) - 1.0) * math.sqrt(NUMBER / 2.0) < 4.5


#: Tails whose probability is below the smallest double: (value - end) * slope is unit exponential.
BEYOND: tuple[tuple[str, Arguments, float, float], ...] = (
    ("normal", (0.0, 1.0, 1e5, INF), 1e5, 1e5),
    ("normal", (0.0, 2.0, -INF, -1e5), -1e5, -2.5e4),
    ("exponential", (2.0, 1e4, INF), 1e4, 2.0),
    ("laplace", (0.0, 1.0, -INF, -1e4), -1e4, -1.0),
    ("gamma", (5.0, 2.0, 1e6, INF), 1e6, 0.5),
    ("gamma", (0.5, 1.0, 1e6, INF), 1e6, 1.0),
    ("chisquare", (3.0, 1e6, INF), 1e6, 0.5),
    ("rayleigh", (1.0, 1e5, INF), 1e5, 1e5),
)


@pytest.mark.parametrize(("name", "arguments", "end", "slope"), BEYOND, ids=identify)
def test_tails_beyond_the_range_of_doubles(
    name: str, arguments: Arguments, end: float, slope: float
) -> None:
    values, _ = samples(name, arguments, NUMBER, seed=4)
    excess = (values - end) * slope
    assert excess.min() >= 0.0
    assert stats.kstest(excess, "expon").pvalue > FAMILY_ERROR / len(BEYOND)


#: Ranges so narrow that the density is flat, where naive inversion keeps no digit of the value.
NARROW: tuple[tuple[str, Arguments], ...] = (
    ("normal", (750.0, 0.5, 0.0, 1e-16)),
    ("exponential", (0.5, 1e3, 1e3 + 1e-6)),
    ("gamma", (30.0, 2.0, 1e-3, 1e-3 + 1e-12)),
    ("lognormal", (0.0, 0.5, 1e10, 1e10 + 0.125)),
    ("lognormal", (30.0, 0.5, 1e-9, 1e-9 + 1e-22)),
    ("laplace", (750.0, 0.1, 0.0, 1e-16)),
    ("laplace", (-750.0, 0.1, -1e-16, 1e-16)),
    ("cauchy", (750.0, 0.125, 1e-105, 1e-16)),
    ("cauchy", (0.0, 1.0, 0.5, 0.5 + 1e-9)),
    ("rayleigh", (1.0, 25.0, 25.0 + 1e-9)),
)


@pytest.mark.parametrize(("name", "arguments"), NARROW, ids=identify)
def test_narrow_ranges_are_filled_evenly(name: str, arguments: Arguments) -> None:
    """At n = 5,000 the steps of double precision within the range do not show."""
    values, _ = samples(name, arguments, 5_000, seed=8)
    low, high = arguments[-2:]
    share = (values - low) / (high - low)
    assert stats.kstest(share, "uniform").pvalue > FAMILY_ERROR / len(NARROW)


def test_far_tails_of_counts() -> None:
    # Each next count is rarer by the factor rate / (count + 1), to first order a geometric law.
    values, _ = samples("poisson", (1e3, 1e6, INF), NUMBER, seed=5)
    assert values.min() == 1e6
    share = float(np.mean(values > 1e6))
    assert abs(share - 1e-3) < 4.5 * math.sqrt(1e-3 / NUMBER) + 1e-6
    values, _ = samples("binomial", (1e6, 1e-12, 10.0, INF), NUMBER, seed=5)
    assert values.min() == 10.0
    assert np.mean(values > 10.0) < 1e-4


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("normal", (0.0, 1.0)), ("gamma", (0.3, 2.0)), ("poisson", (30.0,)), ("laplace", (2.0,))],
)
def test_neighbouring_streams_are_independent(name: str, arguments: Arguments) -> None:
    """|r| sqrt(n) is standard normal: 12 comparisons within 4.5 err in 0.01 % of seeds."""
    values, _ = samples(name, arguments, NUMBER + 1, seed=6)
    ranks = stats.rankdata(values)
    others = {
        "next trajectory": (ranks[:-1], ranks[1:]),
        "next seed": (values, samples(name, arguments, NUMBER + 1, seed=7)[0]),
        "other distribution": (values[:-1], samples("uniform", (0.0, 1.0), NUMBER, first=1)[0]),
    }
    for label, (one, other) in others.items():
        z = np.corrcoef(one, other)[0, 1] * math.sqrt(len(one))
        assert abs(z) < 4.5, f"{label}: z = {z:.2f}"
