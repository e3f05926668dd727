"""Small SBML models with events, explicit time and rate rules, and the statistics to judge them.

Every model has one compartment `cell` and is written for one question. `z_mean`, `z_variance` and
`z_share` return how many standard errors an ensemble is away from an exact answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sbml_text import MATHML, math, model, parameter, raw, species

import sbmlgrad as sg

FloatArray = NDArray[np.float64]

_DISTRIB = "http://www.sbml.org/sbml/level3/version1/distrib/version1"
_SYMBOLS = "http://www.sbml.org/sbml/symbols/distrib/"

#: Two-sided normal quantile of 6e-5: at most 1 % of a hundred right statistics fail for a new seed.
BOUND = 4.0


def document(
    *reactions: str,
    counts: Mapping[str, float] | None = None,
    values: Mapping[str, float | None] | None = None,
    others: Iterable[str] = (),
    **lists: Any,
) -> str:
    """Return a model as text.

    Args:
        reactions: `sbml_text.reaction` elements.
        counts: species that mean amounts in items, with their initial amounts.
        values: parameters that may change, with their values; None leaves the value out.
        others: further species elements.
        lists: other lists of `sbml_text.model`.
    """
    return model(
        *reactions,
        species=[*(species(s, n) for s, n in (counts or {}).items()), *others],
        parameters=[parameter(p, v) for p, v in (values or {}).items()],
        **lists,
    )


def load(*reactions: str, **lists: Any) -> sg.ReactionNetwork:
    """Load the model of `document`."""
    return sg.load(document(*reactions, **lists))


def load_random(*reactions: str, **lists: Any) -> sg.ReactionNetwork:
    """Load the model of `document` with the package of random draws declared."""
    text = document(*reactions, **lists)
    namespaces = f' xmlns:distrib="{_DISTRIB}" distrib:required="true"'
    return sg.load(text.replace(' level="3"', f'{namespaces} level="3"', 1))


def draw(distribution: str, *arguments: str) -> str:
    """Return the math element of a random draw; arguments in infix."""
    inside = "".join(_content(math(argument)) for argument in arguments)
    head = f'<csymbol encoding="text" definitionURL="{_SYMBOLS}{distribution}">d</csymbol>'
    return raw(f"<apply>{head}{inside}</apply>")


def _content(element: str) -> str:
    assert MATHML in element
    return element[element.index(">") + 1 : element.rindex("</math>")]


def z_mean(values: Any, mean: Any, variance: Any) -> FloatArray:
    """Return (sample mean - mean) / standard error along the first axis, `variance` being exact."""
    values = np.asarray(values, dtype=np.float64)
    return (values.mean(axis=0) - mean) / np.sqrt(np.asarray(variance) / len(values))


def z_variance(values: Any, mean: Any, variance: Any) -> FloatArray:
    """Return (mean square about the exact mean - variance) / its standard error."""
    values = np.asarray(values, dtype=np.float64)
    squares = (values - mean) ** 2
    error = np.sqrt(((squares - variance) ** 2).mean(axis=0) / len(values))
    return (squares.mean(axis=0) - variance) / error


def z_share(hits: Any, share: float) -> float:
    """Return how many standard errors the share of true values is away from `share`."""
    hits = np.asarray(hits, dtype=bool)
    return float((hits.mean() - share) / np.sqrt(share * (1.0 - share) / hits.size))


def accept(name: str, *scores: Any, bound: float = BOUND) -> None:
    """Fail, and say the scores, if one is beyond the bound (or NaN)."""
    listed = np.concatenate([np.ravel(np.asarray(s, dtype=np.float64)) for s in scores])
    assert np.all(np.abs(listed) < bound), f"{name}: z = {np.round(listed, 2).tolist()}"


def reject(name: str, *scores: Any, bound: float = 2.0 * BOUND) -> None:
    """Fail unless some score is far beyond the bound: the test's own criterion sees the fault."""
    listed = np.concatenate([np.ravel(np.asarray(s, dtype=np.float64)) for s in scores])
    assert np.any(np.abs(listed) > bound), f"{name} goes unseen: z = {np.round(listed, 2).tolist()}"
