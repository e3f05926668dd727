"""The rate equations as a referee of means, where they are exact."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.ode import ODE
from sbmlgrad.io.formats import load
from sbmlgrad.model.expression import Expression, Number, Symbol
from sbmlgrad.referees.base import FloatArray
from sbmlgrad.referees.exact import Exact
from sbmlgrad.simulation import simulate


@dataclass(frozen=True)
class RateEquations:
    """Our own solver of the rate equations, `sbmlgrad.engines.ODE`.

    Where every propensity is affine in the counts, and nothing but firings changes them, the mean
    of the counts obeys the rate equations exactly. For other networks it refuses: the two differ
    there though both are right.

    Attributes:
        rtol: relative tolerance of the solver.
        atol: absolute tolerance, in molecules.
    """

    rtol: float = 1e-10
    atol: float = 1e-9
    name: str = "ode"
    install_with: str = "pip install sbmlgrad"

    def is_available(self) -> bool:
        """Tell that it is part of this package."""
        return True

    def objections(self, lowered: LoweredNetwork, times: FloatArray) -> tuple[str, ...]:
        """Return why it cannot judge a network at these times."""
        species = frozenset(lowered.state_ids)
        bent = [c.id for c in lowered.channels if degree(c.propensity, species) > 1]
        found = []
        if lowered.events or lowered.flows:
            found.append(
                "means do not obey the rate equations where there are events or rate rules"
            )
        if bent:
            named = ", ".join(map(repr, bent[:4]))
            more = f" and {len(bent) - 4} more" if len(bent) > 4 else ""
            found.append(
                "means obey the rate equations only where laws are affine in the counts, and that "
                f"of {named}{more} is not"
            )
        return tuple(found)

    def solve(
        self, document: bytes, species: Sequence[str], times: FloatArray, timeout_s: float
    ) -> Exact:
        """Solve the rate equations; arguments as for `ExactReferee.solve`."""
        start = time.perf_counter()
        engine = ODE(rtol=self.rtol, atol=self.atol)
        found = simulate(load(document.decode()), times=times, engine=engine)
        return Exact(
            name=self.name,
            version=version("sbmlgrad"),
            settings={"rtol": f"{self.rtol:g}", "atol": f"{self.atol:g}"},
            mean=np.stack([found.values(s, "counts")[0] for s in species], axis=1),
            distributions=None,
            seconds=time.perf_counter() - start,
        )


def degree(formula: Expression, species: frozenset[str]) -> int:
    """Return the degree of a formula in species, or 2 if it is no affine one that can be told."""
    if isinstance(formula, Number):
        return 0
    if isinstance(formula, Symbol):
        return int(formula.id in species)
    degrees = [degree(argument, species) for argument in formula.arguments]
    if formula.operator in ("plus", "minus"):
        return max(degrees, default=0)
    if formula.operator == "times":
        return min(2, sum(degrees))
    if formula.operator == "divide" and degrees[1] == 0:
        return degrees[0]
    return 2 if any(degrees) else 0
