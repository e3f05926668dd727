"""One case of the support page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """A construct and the smallest model that uses it.

    Attributes:
        section: group of rows on the page.
        construct: what the row is about.
        text: SBML.
        symbol: what to look at, in the meaning of its symbol, at time 2.
        value: its value there by the rate equations; None where the model has no meaning and has to
            be refused by every mode.
        is_mean: whether the value is the mean of the stochastic process too.
        is_ignored: whether the construct has no bearing on a simulation.
        tolerance: relative, of the value by the rate equations.
    """

    section: str
    construct: str
    text: str
    symbol: str
    value: float | None
    is_mean: bool = True
    is_ignored: bool = False
    tolerance: float = 1e-6
