"""Many draws at once, from the compiled samplers, one trajectory each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.engines.draws import DRAWING, draw
from sbmlgrad.engines.random import philox, uniform_pair
from sbmlgrad.model.distributions import DISTRIBUTIONS

PURPOSE = 9
INF = math.inf

#: Continuous draws: every argument form, both tails, narrow ranges, tails far out.
CONTINUOUS: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("normal", (0.0, 1.0)),
    ("normal", (-3.0, 0.25)),
    ("normal", (0.0, 1.5, -0.5, INF)),
    ("normal", (0.0, 1.5, -INF, -0.5)),
    ("normal", (0.0, 1.0, -1.0, 5.0)),
    ("normal", (1.0, 2.0, 0.5, 0.7)),
    ("normal", (0.0, 1.0, 1.0, 1.5)),
    ("normal", (0.0, 1.0, 8.0, INF)),
    ("normal", (0.0, 1.0, -INF, -30.0)),
    ("normal", (0.0, 1.0, 37.0, 37.01)),
    ("uniform", (2.0, 5.0)),
    ("exponential", (3.0,)),
    ("exponential", (1.0, 0.25, INF)),
    ("exponential", (1.0, 0.25, 0.75)),
    ("exponential", (2.0, -4.0, 0.1)),
    ("exponential", (1.0, 600.0, INF)),
    ("gamma", (2.0, 1.1)),
    ("gamma", (1.0, 2.0)),
    ("gamma", (0.3, 2.0)),
    ("gamma", (0.3, 2.0, 0.0, 5.0)),
    ("gamma", (0.3, 2.0, 3.0, 4.0)),
    ("gamma", (2.0, 1.1, 0.5, INF)),
    ("gamma", (5.0, 1.0, 60.0, INF)),
    ("gamma", (50.0, 1.0, 0.0, 10.0)),
    ("gamma", (1e4, 1.0, 9900.0, 10200.0)),
    ("gamma", (0.01, 1.0, 1e-200, 1e-10)),
    ("lognormal", (0.5, 0.75)),
    ("lognormal", (1.0, 2.0, 3.0, 10.0)),
    ("lognormal", (0.0, 1.0, -1.0, 0.5)),
    ("lognormal", (0.0, 1.0, 1e4, INF)),
    ("laplace", (2.0,)),
    ("laplace", (1.0, 2.0)),
    ("laplace", (1.0, 2.0, 2.0, 10.0)),
    ("laplace", (1.0, 2.0, -3.0, 2.0)),
    ("laplace", (0.0, 1.0, -INF, -300.0)),
    ("cauchy", (2.0,)),
    ("cauchy", (1.0, 2.0)),
    ("cauchy", (1.0, 2.0, 0.0, 3.0)),
    ("cauchy", (0.0, 1.0, -50.0, -2.0)),
    ("cauchy", (0.0, 1.0, 1e9, INF)),
    ("chisquare", (1.0,)),
    ("chisquare", (2.0,)),
    ("chisquare", (2.0, 2.0, 8.0)),
    ("chisquare", (3.0, 300.0, INF)),
    ("rayleigh", (2.0,)),
    ("rayleigh", (2.0, 1.0, 3.0)),
    ("rayleigh", (1.0, 20.0, INF)),
)

#: Draws of whole numbers, likewise.
DISCRETE: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("poisson", (0.01,)),
    ("poisson", (1.5,)),
    ("poisson", (30.0,)),
    ("poisson", (1e4,)),
    ("poisson", (3.0, 2.0, 5.0)),
    ("poisson", (3.0, 1.5, 5.5)),
    ("poisson", (100.0, -1.0, 40.0)),
    ("poisson", (1000.0, 1200.0, INF)),
    ("poisson", (1.0, 30.0, INF)),
    ("binomial", (1.0, 0.3)),
    ("binomial", (10.0, 0.5)),
    ("binomial", (100.0, 0.2)),
    ("binomial", (100.0, 0.2, 15.0, 32.0)),
    ("binomial", (1e5, 0.001)),
    ("binomial", (1000.0, 0.999)),
    ("binomial", (50.0, 0.1, 40.0, INF)),
    ("binomial", (1000.0, 0.5, 0.0, 400.0)),
    ("bernoulli", (0.23,)),
)


def fill(code, count, a, b, c, d, seed, first, values, used):
    """Draw for trajectories `first` onwards; keep the values and how many draws each one used."""
    stream = np.empty(4, np.uint64)
    for i in range(values.shape[0]):
        stream[0] = np.uint64(seed)
        stream[1] = np.uint64(first + i)
        stream[2] = np.uint64(9)
        stream[3] = np.uint64(0)
        values[i] = draw(code, count, a, b, c, d, stream)
        used[i] = stream[3]


@cache
def compiled(replacement: str | None = None) -> ModuleType:
    """Return the kernel of `fill`, with functions of the samplers replaced by those given."""
    return kernel_module((philox, uniform_pair, *DRAWING, fill), replacement)


def padded(arguments: Sequence[float]) -> tuple[float, float, float, float]:
    """Return four arguments, as `draw` takes them."""
    a, b, c, d = (*map(float, arguments), *(0.0,) * (4 - len(arguments)))
    return a, b, c, d


def samples(
    name: str,
    arguments: Sequence[float],
    number: int,
    *,
    seed: int = 1,
    first: int = 0,
    replacement: str | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.uint64]]:
    """Return values and numbers of draws used, [trajectory], of the compiled samplers."""
    values, used = np.empty(number), np.empty(number, np.uint64)
    code, four = DISTRIBUTIONS[name].opcode, padded(arguments)
    compiled(replacement).fill(
        code, len(arguments), *four, np.uint64(seed), np.uint64(first), values, used
    )
    return values, used


def interpreted(
    name: str, arguments: Sequence[float], *, seed: int = 1, trajectory: int = 0, start: int = 0
) -> tuple[float, int]:
    """Return a value and the next draw of the stream, from the samplers run by Python."""
    stream = np.array([seed, trajectory, PURPOSE, start], np.uint64)
    with np.errstate(over="ignore"):
        value = draw(DISTRIBUTIONS[name].opcode, len(arguments), *padded(arguments), stream)
    assert type(value) is float
    return value, int(stream[3])
