"""The table of distributions and their samplers: forms, domains, streams, identical bits."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from draw_samples import CONTINUOUS, DISCRETE, INF, interpreted, samples
from hypothesis import given, settings
from hypothesis import strategies as st

from sbmlgrad.engines.log_concave import hat_side, log_factorial_ratio, log_ratio
from sbmlgrad.model.distributions import DISTRIBUTIONS, Distribution, is_random
from sbmlgrad.model.expression import TIME, Apply, Number, Symbol
from sbmlgrad.model.operators import OPERATORS

NAN = math.nan
FORMS = CONTINUOUS + DISCRETE


def test_table_is_complete_and_apart_from_the_operators() -> None:
    assert len(DISTRIBUTIONS) == 12
    codes = [row.opcode for row in DISTRIBUTIONS.values()]
    assert sorted(codes) == list(range(60, 72))
    assert not set(DISTRIBUTIONS) & set(OPERATORS)
    assert not set(codes) & {row.opcode for row in OPERATORS.values()}


def test_every_argument_form_is_sampled() -> None:
    covered = {(name, len(arguments)) for name, arguments in FORMS}
    assert covered == {(row.name, n) for row in DISTRIBUTIONS.values() for n in row.counts}


def test_argument_forms_split() -> None:
    assert DISTRIBUTIONS["normal"].split((1, 2)) == ((1.0, 2.0), -INF, INF)
    assert DISTRIBUTIONS["normal"].split((1, 2, 3, 4)) == ((1.0, 2.0), 3.0, 4.0)
    assert DISTRIBUTIONS["cauchy"].split((2,)) == ((0.0, 2.0), -INF, INF)
    assert DISTRIBUTIONS["poisson"].split((2, 3, 4)) == ((2.0,), 3.0, 4.0)


def test_is_random_finds_a_draw_anywhere() -> None:
    draw = Apply("poisson", (Symbol("k"),))
    assert is_random(draw)
    assert is_random(Apply("plus", (Number(1.0), Apply("times", (TIME, draw)))))
    assert not is_random(Apply("plus", (Symbol("normal"), Number(1.0))))
    shared = Apply("plus", (TIME, TIME))
    for _ in range(200):
        shared = Apply("plus", (shared, shared))
    assert not is_random(shared)


@pytest.mark.parametrize(("name", "arguments"), FORMS, ids=str)
def test_compiled_and_interpreted_samplers_give_the_same_bits(
    name: str, arguments: tuple[float, ...]
) -> None:
    values, used = samples(name, arguments, 40, seed=2**63 + 5, first=2**32 - 50)
    for i, (value, count) in enumerate(zip(values, used, strict=True)):
        found = interpreted(name, arguments, seed=2**63 + 5, trajectory=2**32 - 50 + i)
        assert found == (value, count)


@pytest.mark.parametrize(("name", "arguments"), FORMS, ids=str)
def test_values_lie_in_the_range_and_cost_few_draws(
    name: str, arguments: tuple[float, ...]
) -> None:
    values, used = samples(name, arguments, 20_000)
    row = DISTRIBUTIONS[name]
    parameters, low, high = row.split(arguments)
    least, most = row.support(*parameters)
    assert values.min() >= max(low, least)
    assert values.max() <= min(high, most)
    assert used.min() >= 1
    assert used.mean() < 5.0
    if row.is_discrete:
        assert np.array_equal(values, np.floor(values))


def test_a_stream_goes_on_where_the_last_draw_stopped() -> None:
    stream = 0
    seen = []
    for _ in range(50):
        value, following = interpreted("gamma", (0.3, 2.0), start=stream)
        assert following > stream
        seen.append(value)
        stream = following
    assert len(set(seen)) == 50


CERTAIN: tuple[tuple[str, tuple[float, ...], float], ...] = (
    ("normal", (3.0, 0.0), 3.0),
    ("normal", (3.0, 0.0, 3.0, 4.0), 3.0),
    ("normal", (0.0, 1.0, 2.0, 2.0), 2.0),
    ("uniform", (2.0, 2.0), 2.0),
    ("exponential", (1.0, 0.5, 0.5), 0.5),
    ("gamma", (2.0, 0.0), 0.0),
    ("gamma", (2.0, 1.0, 5.0, 5.0), 5.0),
    ("lognormal", (0.0, 0.0), 1.0),
    ("laplace", (4.0, 0.0), 4.0),
    ("cauchy", (0.0,), 0.0),
    ("rayleigh", (0.0,), 0.0),
    ("poisson", (0.0,), 0.0),
    ("poisson", (7.0, 3.0, 3.0), 3.0),
    ("poisson", (7.0, 2.5, 3.5), 3.0),
    ("binomial", (0.0, 0.5), 0.0),
    ("binomial", (9.0, 0.0), 0.0),
    ("binomial", (9.0, 1.0), 9.0),
    ("binomial", (9.0, 0.5, 9.0, 12.0), 9.0),
    ("bernoulli", (0.0,), 0.0),
    ("bernoulli", (1.0,), 1.0),
)


@pytest.mark.parametrize(("name", "arguments", "value"), CERTAIN)
def test_degenerate_arguments_give_the_certain_value(
    name: str, arguments: tuple[float, ...], value: float
) -> None:
    assert DISTRIBUTIONS[name].complaint(arguments) is None
    assert interpreted(name, arguments)[0] == value
    assert samples(name, arguments, 5)[0].tolist() == [value] * 5


INVALID: tuple[tuple[str, tuple[float, ...], str], ...] = (
    ("normal", (0.0, -1.0), "negative"),
    ("normal", (NAN, 1.0), "mean is nan"),
    ("normal", (0.0, INF), "standard deviation is inf"),
    ("normal", (0.0, 1.0, 2.0, 1.0), "empty"),
    ("normal", (0.0, 1.0, NAN, 1.0), "empty"),
    ("normal", (0.0, 1.0, INF, INF), "no value"),
    ("normal", (5.0, 0.0, 6.0, 7.0), "no value"),
    ("normal", (0.0,), "2 or 4 arguments, not 1"),
    ("normal", (0.0, 1.0, 2.0), "2 or 4 arguments, not 3"),
    ("uniform", (2.0, 1.0), "above"),
    ("uniform", (0.0, 1.0, 0.0, 1.0), "2 arguments"),
    ("exponential", (0.0,), "positive"),
    ("exponential", (1.0, -2.0, -1.0), "no value"),
    ("exponential", (1.0, -2.0, 0.0), "no value"),
    ("gamma", (0.0, 1.0), "shape must be positive"),
    ("gamma", (1.0, -1.0), "negative"),
    ("lognormal", (0.0, 1.0, -1.0, 0.0), "no value"),
    ("lognormal", (0.0, 1.0, 0.0, 0.0), "no value"),
    ("laplace", (-1.0,), "negative"),
    ("cauchy", (0.0, -1.0), "negative"),
    ("chisquare", (0.0,), "positive"),
    ("rayleigh", (-1.0,), "negative"),
    ("poisson", (-1.0,), "rate"),
    ("poisson", (1e16,), "2^52"),
    ("poisson", (1.0, 1e17, INF), "2^53"),
    ("poisson", (1.0, 2.2, 2.8), "no value"),
    ("poisson", (0.0, 1.0, 2.0), "no value"),
    ("binomial", (2.5, 0.5), "whole number"),
    ("binomial", (-1.0, 0.5), "whole number"),
    ("binomial", (5.0, 1.5), "probability"),
    ("binomial", (5.0, 0.5, 6.0, 9.0), "no value"),
    ("bernoulli", (-0.1,), "probability"),
)


@pytest.mark.parametrize(("name", "arguments", "words"), INVALID)
def test_invalid_arguments_give_nan_and_a_reason(
    name: str, arguments: tuple[float, ...], words: str
) -> None:
    complaint = DISTRIBUTIONS[name].complaint(arguments)
    assert complaint is not None
    assert words in complaint
    assert math.isnan(interpreted(name, arguments)[0])
    assert np.isnan(samples(name, arguments, 3)[0]).all()


VALUES = (-INF, -3.0, -0.5, 0.0, 0.25, 1.0, 2.5, 4.0, 1e9, INF, NAN)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_nan_comes_exactly_with_a_complaint(name: str) -> None:
    """Over a grid of arguments of every number, none hangs and none disagrees with the table."""
    row = DISTRIBUTIONS[name]
    for count in range(1, 5):
        for arguments in itertools.product(VALUES[:: 1 if count < 4 else 2], repeat=count):
            value, _ = samples(name, arguments, 1)
            assert math.isnan(value[0]) == (row.complaint(arguments) is not None), arguments


AWKWARD = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 0.5, 1.0 - 2.0**-53, 2.0**52, 2.0**53, INF, -INF, NAN]),
    st.integers(-3, 60).map(float),
    st.floats(-1e100, 1e100).filter(lambda x: abs(x) > 1e-100),
    st.floats(-5.0, 5.0).filter(lambda x: abs(x) > 1e-100),
)


@settings(max_examples=600, deadline=None)
@given(row=st.sampled_from(list(DISTRIBUTIONS.values())), data=st.data())
def test_awkward_arguments_never_raise(row: Distribution, data: st.DataObject) -> None:
    """Python and machine code agree to the bit, and NaN still comes exactly with a complaint."""
    count = data.draw(st.sampled_from(row.counts))
    arguments = data.draw(st.lists(AWKWARD, min_size=count, max_size=count))
    value, following = interpreted(row.name, arguments)
    compiled, used = samples(row.name, arguments, 1)
    assert np.array_equal(compiled[0], value, equal_nan=True)
    assert used[0] == following
    assert math.isnan(value) == (row.complaint(arguments) is not None)


def test_log_factorial_ratio_against_whole_number_arithmetic() -> None:
    for count, step in ((0, 1), (0, 5), (3, -3), (10, 7), (14, 3), (40, -39), (500, 800)):
        exact = math.log(math.factorial(count + step)) - math.log(math.factorial(count))
        assert log_factorial_ratio(float(count), float(step)) == pytest.approx(exact, abs=1e-11)
    # 10^12 + 1 to 10^12 + 4, multiplied.
    exact = sum(math.log1p(i * 1e-12) for i in range(1, 5)) + 4 * math.log(1e12)
    assert log_factorial_ratio(1e12, 4.0) == pytest.approx(exact, rel=1e-14)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from([0, 1, 2]),
    size=st.floats(-3.0, 6.0),
    share=st.floats(0.01, 0.99),
    shift=st.floats(-0.9, 3.0),
)
def test_hats_lie_above_the_density(kind: int, size: float, share: float, shift: float) -> None:
    """Also for ranges off the mode; otherwise some values would be too rare."""
    mean = 10.0**size
    trials = math.ceil(mean / share)
    if kind == 0:
        mode, first, second = mean, mean, 0.0
    elif kind == 1:
        mode, first, second = math.floor(mean), math.log(mean), 0.0
    else:
        mode, first, second = (
            math.floor((trials + 1) * share),
            math.log(share / (1 - share)),
            trials,
        )
    base = mode * (1.0 + shift) if kind == 0 else float(math.floor(mode * (1.0 + shift)))
    if kind == 2:
        base = min(base, float(trials))
    for side in (1.0, -1.0):
        if base != mode and side != math.copysign(1.0, base - mode):
            continue
        room = INF if side > 0.0 or kind == 0 else base
        if kind == 2 and side > 0.0:
            room = trials - base
        flat, start, slope, length, area = hat_side(kind, base, first, second, side, room)
        assert area >= 0.0
        if length == 0.0:
            continue
        assert slope >= 1.0 / start
        reach = min(room, 40.0 * start)
        points = (
            np.linspace(0.0, reach, 200)
            if kind == 0
            else np.unique(np.floor(np.linspace(0.0, reach, 200)))
        )
        for distance in points.tolist():
            hat = 0.0 if distance <= flat else -slope * distance
            height = log_ratio(kind, base, first, second, side * distance)
            assert height <= hat + 1e-9 * max(1.0, abs(hat))
