"""Closed forms of shipped models, as a referee that shares nothing with sbmlgrad.

It reads the file itself, with the XML parser of the standard library.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.linalg import expm

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.referees.base import RefusedError
from sbmlgrad.referees.exact.known import Distributions, Exact

FloatArray = NDArray[np.float64]
Values = Mapping[str, float]

#: Probability beyond which a distribution is cut off; every test is told of it as leak.
TAIL = 1e-12


@dataclass(frozen=True)
class ClosedForm:
    """Distributions of linear networks, written down by hand.

    - `immigration_death`: Poisson with mean α/μ (1 - e^(-μt)) from an empty start.
    - `birth_death`: the sum of n independent families, each extinct with probability
      p = μ(E - 1)/(λE - μ) and else geometric with q = λp/μ, E = e^((λ - μ)t) (Kendall 1948,
      10.1214/aoms/1177730285).
    - `gating_two_states`, `gating_three_states`, `ion_channel`: independent channels, each in state
      i with probability (e^(Qt))_i.

    Attributes:
        document: path of the shipped file, which gives the constants and the start.
    """

    document: str
    name: str = "closed form"
    install_with: str = "nothing to install"

    def is_available(self) -> bool:
        """Tell that it needs nothing."""
        return True

    def objections(self, lowered: LoweredNetwork, times: FloatArray) -> tuple[str, ...]:
        """Return why it cannot judge a network."""
        del times
        known = lowered.network.id in LAWS
        return () if known else ("no closed form of this model is written down",)

    def solve(
        self, document: bytes, species: Sequence[str], times: FloatArray, timeout_s: float
    ) -> Exact:
        """Return the distributions of the shipped file; the normalised document is not looked at.

        Raises:
            RefusedError: nothing is known about this model.
        """
        del document, timeout_s
        begin = time.perf_counter()
        model, counts, constants = _read(self.document)
        if model not in LAWS:
            raise RefusedError("no closed form of this model is written down")
        ids, states, probability = LAWS[model](counts, constants, times)
        places = [ids.index(name) for name in species]
        known = Distributions(states[:, places], probability, 1.0 - probability.sum(axis=1))
        whole = probability / probability.sum(axis=1, keepdims=True)
        return Exact(
            name=self.name,
            version="1",
            settings={"states": str(len(states))},
            mean=whole @ known.states,
            distributions=known,
            seconds=time.perf_counter() - begin,
        )


def _read(document: str) -> tuple[str, Values, Values]:
    """Return id, species → count and parameter → value of a file of `models/sbml`."""
    root = ElementTree.parse(document).getroot()
    space = root.tag.partition("}")[0] + "}"
    model = next(root.iter(f"{space}model"))
    counts, values = (
        {
            element.get("id", ""): float(element.get(key, "nan"))
            for element in root.iter(space + tag)
        }
        for tag, key in (("species", "initialAmount"), ("parameter", "value"))
    )
    return model.get("id", ""), counts, values


Law = tuple[list[str], FloatArray, FloatArray]


def _immigration_death(counts: Values, k: Values, times: FloatArray) -> Law:
    if counts["X"]:
        raise RefusedError("the closed form is that of an empty start")
    means = k["alpha"] / k["mu"] * -np.expm1(-k["mu"] * times)
    states = np.arange(float(stats.poisson.isf(TAIL, means.max())) + 1.0)
    return ["X"], states[:, None], stats.poisson.pmf(states, means[:, None])


def _birth_death(counts: Values, k: Values, times: FloatArray) -> Law:
    families = int(counts["X"])
    growth = np.exp((k["lambda"] - k["mu"]) * times)
    extinct = k["mu"] * (growth - 1.0) / (k["lambda"] * growth - k["mu"])
    more = k["lambda"] / k["mu"] * extinct
    alive = np.arange(families + 1)
    weight = stats.binom.pmf(alive, families, 1.0 - extinct[:, None])
    largest = families + float(stats.nbinom.isf(TAIL, families, 1.0 - more.max()))
    states = np.arange(largest + 1.0)
    # Of n families that live on, the members beyond n are negative binomial.
    of_alive = stats.nbinom.pmf(
        states - alive[1:, None], alive[1:, None], 1.0 - more[:, None, None]
    )
    probability = np.einsum("tn,tnx->tx", weight[:, 1:], of_alive)
    probability[:, 0] += weight[:, 0]
    return ["X"], states[:, None], probability


def _channels(*steps: tuple[str, str, str]) -> Callable[[Values, Values, FloatArray], Law]:
    """Return the law of independent channels that go from state to state at constant rates."""

    def law(counts: Values, k: Values, times: FloatArray) -> Law:
        ids = list(counts)
        generator = np.zeros((len(ids), len(ids)))
        for start, end, rate in steps:
            generator[ids.index(start), ids.index(end)] += k[rate]
        generator -= np.diag(generator.sum(axis=1))
        number = int(sum(counts.values()))
        first = max(ids, key=lambda name: counts[name])
        if counts[first] != number:
            raise RefusedError("the closed form is that of channels that start in one state")
        each = np.stack([expm(generator * t)[ids.index(first)] for t in times])
        states = np.array([s for s in np.ndindex(*[number + 1] * len(ids)) if sum(s) == number])
        # expm may leave a state that cannot be reached a rounding error below zero.
        each = np.clip(each, 0.0, None) / np.clip(each, 0.0, None).sum(axis=1, keepdims=True)
        law_of = [stats.multinomial(number, p).pmf(states) for p in each]
        return ids, states.astype(np.float64), np.stack(law_of)

    return law


#: Id of a model → (start, constants, times) → species, states [state, species] and their
#: probabilities [time, state].
LAWS: Mapping[str, Callable[[Values, Values, FloatArray], Law]] = {
    "immigration_death": _immigration_death,
    "birth_death": _birth_death,
    "gating_two_states": _channels(("O", "C", "k_close"), ("C", "O", "k_open")),
    "gating_three_states": _channels(
        ("O", "C", "k_close"), ("C", "O", "k_open"), ("O", "P", "k_pause"), ("P", "O", "k_resume")
    ),
    "ion_channel": _channels(("C", "O", "c_o"), ("O", "C", "o_c"), ("O", "I", "o_i")),
}
