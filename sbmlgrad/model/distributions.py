"""THE table of random draws that SBML's distrib package allows in assignments.

A draw is `Apply(name, arguments)`, `name` as in the table: the parameters, then optionally the two
ends of the range to which the distribution is truncated. The samplers are in `engines.draws` and
know a distribution by its `opcode`.

Source: SBML Level 3 Package Distributions, Version 1, Release 1 (Smith et al. 2020,
doi:10.1515/jib-2020-0018). A truncated distribution is the distribution given that the value lies
in the range; both ends of the range belong to it (which matters only for whole-number values).
Where both ends are equal the value is certain; a scale of zero is a certain value too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sbmlgrad.model.expression import Apply, Expression

#: A test of the parameters: None, or what is wrong with them.
Test = Callable[..., str | None]

#: Whole numbers up to here are exact in double precision.
LARGEST_WHOLE = 2.0**53

_POSITIVE_END = math.nextafter(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Distribution:
    """One row: a distribution that assignments may draw from.

    Attributes:
        name: last part of the csymbol's definitionURL, also the name used in `Apply`.
        opcode: its number in kernels.
        parameters: names of the parameters, in the order of the specification.
        counts: numbers of arguments that are allowed; two more than parameters means truncated.
        is_discrete: True if values are whole numbers.
        fault: what is wrong with parameters, all finite, or None.
        support: smallest and largest value that parameters allow; equal if the value is certain.
        mean: mean without truncation for parameters; None where there is none.
        variance: variance without truncation for parameters; None where there is none.
        frozen: the same distribution, not truncated, in scipy.stats.
    """

    name: str
    opcode: int
    parameters: tuple[str, ...]
    counts: tuple[int, ...]
    is_discrete: bool
    fault: Test
    support: Callable[..., tuple[float, float]]
    mean: Callable[..., float] | None
    variance: Callable[..., float] | None
    frozen: Callable[..., Any]

    def split(self, arguments: Sequence[float]) -> tuple[tuple[float, ...], float, float]:
        """Return parameters, lower end and upper end of the range; a missing location is 0.

        Args:
            arguments: as many as `counts` allows.
        """
        values = tuple(float(a) for a in arguments)
        count = len(self.parameters)
        if len(values) == count + 2:
            return values[:count], values[count], values[count + 1]
        return (0.0,) * (count - len(values)) + values, -math.inf, math.inf

    def complaint(self, arguments: Sequence[float]) -> str | None:
        """Say why nothing can be drawn with these arguments, or return None.

        Use it to explain a draw that gave NaN: samplers give NaN exactly where this complains.

        Args:
            arguments: values of all arguments.
        """
        if len(arguments) not in self.counts:
            allowed = " or ".join(str(n) for n in sorted(self.counts))
            return f"{self.name} takes {allowed} arguments, not {len(arguments)}"
        parameters, low, high = self.split(arguments)
        for name, value in zip(self.parameters, parameters, strict=True):
            if not math.isfinite(value):
                return f"the {name} is {value}"
        fault = self.fault(*parameters)
        if fault is not None:
            return fault
        if not low <= high:
            return f"the range from {low:g} to {high:g} is empty"
        return self._emptiness(parameters, low, high)

    def cdf(self, arguments: Sequence[float], values: Any) -> Any:
        """Return the probability of at most `values`, truncation included; for tests and reports.

        Args:
            arguments: valid arguments, whose value is not certain.
            values: array [value] of numbers.

        Returns:
            float64 [value]; relative accuracy also in a tail, down to probabilities of 1e-300.
        """
        import numpy as np

        parameters, low, high = self.split(arguments)
        law = self.frozen(*parameters)
        below = math.ceil(low) - 1 if self.is_discrete and math.isfinite(low) else low
        # Differences of the survival function keep their accuracy in the upper tail.
        upper = law.sf(below) < 0.5
        function = law.sf if upper else law.cdf
        part = function(np.asarray(values)) - function(below)
        return np.clip(part / (function(high) - function(below)), 0.0, 1.0)

    def _emptiness(self, parameters: tuple[float, ...], low: float, high: float) -> str | None:
        least, most = self.support(*parameters)
        first, last = max(low, least), min(high, most)
        if first < math.inf and last > -math.inf:
            if self.is_discrete:
                if first > LARGEST_WHOLE:
                    return "the range starts above 2^53, where whole numbers are not exact"
                if math.ceil(first) <= last:
                    return None
            elif first < last or (first == last and (low == high or least == most)):
                return None
        return f"the range from {low:g} to {high:g} holds no value that {self.name} can have"


def is_random(expression: Expression) -> bool:
    """Tell whether an expression draws a random value."""
    stack, seen = [expression], set[int]()
    while stack:
        node = stack.pop()
        if isinstance(node, Apply) and id(node) not in seen:
            if node.operator in DISTRIBUTIONS:
                return True
            seen.add(id(node))
            stack.extend(node.arguments)
    return False


# --- parameters -----------------------------------------------------------------------------------


def _scale(*parameters: float) -> str | None:
    scale = parameters[-1]
    return None if scale >= 0.0 else f"the scale or standard deviation is negative: {scale:g}"


def _positive(name: str) -> Test:
    return lambda value: None if value > 0.0 else f"the {name} must be positive, not {value:g}"


def _gamma(shape: float, scale: float) -> str | None:
    return _positive("shape")(shape) or _scale(scale)


def _poisson(rate: float) -> str | None:
    if not 0.0 <= rate <= LARGEST_WHOLE / 2.0:
        return f"the rate must lie between 0 and 2^52, not be {rate:g}"
    return None


def _chance(probability: float) -> str | None:
    if not 0.0 <= probability <= 1.0:
        return f"the probability must lie between 0 and 1, not be {probability:g}"
    return None


def _binomial(trials: float, probability: float) -> str | None:
    if not (0.0 <= trials <= LARGEST_WHOLE and trials == math.floor(trials)):
        return f"the number of trials must be a whole number from 0 to 2^53, not {trials:g}"
    return _chance(probability)


def _uniform(low: float, high: float) -> str | None:
    return None if low <= high else f"the lower end {low:g} is above the upper end {high:g}"


# --- supports -------------------------------------------------------------------------------------


def _around(location: float, scale: float) -> tuple[float, float]:
    return (-math.inf, math.inf) if scale > 0.0 else (location, location)


def _above_zero(*parameters: float) -> tuple[float, float]:
    return 0.0, math.inf if parameters[-1] > 0.0 else 0.0


def _lognormal(mean: float, deviation: float) -> tuple[float, float]:
    if deviation > 0.0:
        return _POSITIVE_END, math.inf
    certain = math.exp(mean) if mean < 709.782712893384 else math.inf
    return certain, certain


def _successes(trials: float, probability: float) -> tuple[float, float]:
    if probability in (0.0, 1.0):
        return trials * probability, trials * probability
    return 0.0, trials


# --- the table ------------------------------------------------------------------------------------


def _law(name: str, **arguments: Callable[..., Any]) -> Callable[..., Any]:
    """Return a maker of scipy.stats distributions; each argument is a function of parameters."""

    def make(*parameters: float) -> Any:
        from scipy import stats

        return getattr(stats, name)(**{k: f(*parameters) for k, f in arguments.items()})

    return make


def _first(*parameters: float) -> float:
    return parameters[0]


def _last(*parameters: float) -> float:
    return parameters[-1]


def _of_scale(factor: float) -> Callable[..., float]:
    return lambda *parameters: factor * parameters[-1] ** 2


_ROWS = (
    Distribution(
        "normal", 60, ("mean", "standard deviation"), (2, 4), False, _scale, _around,
        _first, _of_scale(1.0), _law("norm", loc=_first, scale=_last),
    ),
    Distribution(
        "uniform", 61, ("minimum", "maximum"), (2,), False, _uniform, lambda a, b: (a, b),
        lambda a, b: (a + b) / 2.0, lambda a, b: (b - a) ** 2 / 12.0,
        _law("uniform", loc=_first, scale=lambda a, b: b - a),
    ),
    Distribution(
        "exponential", 62, ("rate",), (1, 3), False, _positive("rate"), _above_zero,
        lambda rate: 1.0 / rate, lambda rate: 1.0 / rate**2,
        _law("expon", scale=lambda rate: 1.0 / rate),
    ),
    Distribution(
        "gamma", 63, ("shape", "scale"), (2, 4), False, _gamma, _above_zero,
        lambda shape, scale: shape * scale, lambda shape, scale: shape * scale**2,
        _law("gamma", a=_first, scale=_last),
    ),
    Distribution(
        "poisson", 64, ("rate",), (1, 3), True, _poisson, _above_zero,
        _first, _first, _law("poisson", mu=_first),
    ),
    Distribution(
        "lognormal", 65, ("mean of the logarithm", "standard deviation of the logarithm"), (2, 4),
        False, _scale, _lognormal,
        lambda m, s: math.exp(m + s * s / 2.0),
        lambda m, s: math.expm1(s * s) * math.exp(2.0 * m + s * s),
        _law("lognorm", s=_last, scale=lambda m, s: math.exp(m)),
    ),
    Distribution(
        "binomial", 66, ("number of trials", "probability"), (2, 4), True, _binomial, _successes,
        lambda n, p: n * p, lambda n, p: n * p * (1.0 - p), _law("binom", n=_first, p=_last),
    ),
    Distribution(
        "bernoulli", 67, ("probability",), (1,), True, _chance, lambda p: _successes(1.0, p),
        _first, lambda p: p * (1.0 - p), _law("bernoulli", p=_first),
    ),
    Distribution(
        "laplace", 68, ("location", "scale"), (1, 2, 4), False, _scale, _around,
        _first, _of_scale(2.0), _law("laplace", loc=_first, scale=_last),
    ),
    Distribution(
        "cauchy", 69, ("location", "scale"), (1, 2, 4), False, _scale, _around,
        None, None, _law("cauchy", loc=_first, scale=_last),
    ),
    Distribution(
        "chisquare", 70, ("degrees of freedom",), (1, 3), False, _positive("degrees of freedom"),
        _above_zero, _first, lambda df: 2.0 * df, _law("chi2", df=_first),
    ),
    Distribution(
        "rayleigh", 71, ("scale",), (1, 3), False, _scale, _above_zero,
        lambda scale: scale * math.sqrt(math.pi / 2.0), _of_scale(2.0 - math.pi / 2.0),
        _law("rayleigh", scale=_last),
    ),
)  # fmt: skip

#: Rows by name.
DISTRIBUTIONS: Mapping[str, Distribution] = MappingProxyType({row.name: row for row in _ROWS})
