"""The rate equations as a referee of means, where they are exact."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.engines.ode.engine import ODE
from sbmlgrad.errors import UnsupportedModelError
from sbmlgrad.io.formats import load
from sbmlgrad.model.expression import Expression, Number, Symbol
from sbmlgrad.model.labels import first_of
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.referees.base import FloatArray, RefusedError
from sbmlgrad.referees.deadline import Deadline
from sbmlgrad.referees.exact.affine import AffineNetwork
from sbmlgrad.referees.exact.known import Exact
from sbmlgrad.simulation import simulate

#: Relative error that is allowed for in means, and absolute error of those below one.
_MEAN_ERROR = 1e-6

#: Variances below this share of the mean are roundings.
_NO_VARIANCE = 1e-13

#: Times at which the limit of time is looked at.
_LOOKS = 201


@dataclass(frozen=True)
class RateEquations:
    """Our own solver of the rate equations, `sbmlgrad.engines.ODE`.

    Where every propensity is affine in the counts, and nothing but firings changes them, the mean
    of the counts obeys the rate equations exactly, and so do its variance and cumulants theirs
    (`sbmlgrad.referees.exact.affine`), which say how far a mean of counts may be from it. For other
    networks it refuses: the two differ there though both are right.

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
            found.append(
                "means obey the rate equations only where laws are affine in the counts, and that "
                f"of {first_of(list(map(repr, bent)), 4)} is not"
            )
        return tuple(found)

    def solve(
        self, document: bytes, species: Sequence[str], times: FloatArray, timeout_s: float
    ) -> Exact:
        """Solve the rate equations; arguments as for `ExactReferee.solve`.

        Raises:
            RefusedError: the network has no deterministic course, for instance since its initial
                counts are drawn; or a law in time is too abrupt for the equations of the moments.
            RefereeError: a solver failed or ran out of time.
        """
        start = time.perf_counter()
        deadline = Deadline(self.name, timeout_s)
        network = load(document.decode())
        mean = self._means(network, species, times, deadline)
        affine = AffineNetwork(lower(network), deadline.check)
        places = [network.species_ids.index(s) for s in species]
        found = [affine.moments(place, times) for place in places]
        again, variance = (np.stack(part, axis=1) for part in zip(*found, strict=True))
        error = _MEAN_ERROR * np.maximum(1.0, np.abs(mean))
        if (np.abs(again - mean) > error).any():
            place = np.unravel_index(np.argmax(np.abs(again - mean) / error), mean.shape)
            t, s = map(int, place)
            raise RefusedError(
                f"the mean of '{species[s]}' at {times[t]:g} is {mean[t, s]:.9g} by the rate "
                f"equations and {again[t, s]:.9g} by those of the moments, which cannot follow "
                "laws that jump in time"
            )

        def cumulant(t: int, s: int, theta: float) -> float:
            each = AffineNetwork(affine.lowered, Deadline(self.name, timeout_s).check)
            return each.cumulant(places[s], float(times[t]), theta)

        return Exact(
            name=self.name,
            version=version("sbmlgrad"),
            settings={"rtol": f"{self.rtol:g}", "atol": f"{self.atol:g}"},
            mean=mean,
            distributions=None,
            seconds=time.perf_counter() - start,
            # Roundings may leave less than nothing where nothing varies.
            variance=np.where(variance > _NO_VARIANCE * np.maximum(1.0, mean), variance, 0.0),
            cumulants=cumulant,
            mean_error=error,
        )

    def _means(
        self, network: ReactionNetwork, species: Sequence[str], times: FloatArray, end: Deadline
    ) -> FloatArray:
        """Return means by our own engine, float64 [time, species]."""
        # Told now and then how far it is, so that it can be stopped.
        grid = np.union1d(times, np.linspace(0.0, float(times[-1]), _LOOKS))
        try:
            found = simulate(
                network,
                times=grid,
                engine=ODE(rtol=self.rtol, atol=self.atol),
                progress=lambda _, __: end.check(),
            )
        except UnsupportedModelError as error:
            raise RefusedError(str(error)) from error
        end.check()
        rows = np.searchsorted(grid, times)
        return np.stack([found.values(s, "counts")[0][rows] for s in species], axis=1)


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
