"""Other simulators and exact answers behind one protocol, simulators in processes of their own.

To add one, write a file with a class that satisfies `referees.base.Referee` or `ExactReferee`, and
enter it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from sbmlgrad.errors import RequestError
from sbmlgrad.referees.base import AnyReferee, ExactReferee, Referee, RefereeResult, RefusedError
from sbmlgrad.referees.exact.fsp import Fsp
from sbmlgrad.referees.exact.ode import RateEquations
from sbmlgrad.referees.simulators.bngsim import BngSim
from sbmlgrad.referees.simulators.copasi import Copasi
from sbmlgrad.referees.simulators.gillespy2 import GillesPy2
from sbmlgrad.referees.simulators.rebop import Rebop
from sbmlgrad.referees.simulators.roadrunner import RoadRunner

__all__ = [
    "REFEREES",
    "BngSim",
    "Copasi",
    "ExactReferee",
    "Fsp",
    "GillesPy2",
    "RateEquations",
    "Rebop",
    "Referee",
    "RefereeResult",
    "RefusedError",
    "RoadRunner",
    "referee",
]

#: Name → referee, for `validate(against=...)`.
REFEREES: Mapping[str, AnyReferee] = MappingProxyType(
    {
        r.name: r
        for r in (
            RoadRunner(),
            RoadRunner(package="tellurium"),
            Copasi(),
            GillesPy2(),
            Rebop(),
            BngSim(),
            Fsp(),
            RateEquations(),
        )
    }
)


def referee(name: str, python: str | None = None) -> AnyReferee:
    """Return the referee of a name.

    Args:
        name: as in `REFEREES`.
        python: interpreter of the environment that simulators are installed in; None for this one.
            Exact referees are part of this package and take no notice of it.

    Raises:
        RequestError: there is none.
    """
    if name not in REFEREES:
        raise RequestError(f"no referee '{name}'; choose from {', '.join(REFEREES)}")
    found: Any = REFEREES[name]
    if python is None or "python" not in {field.name for field in fields(found)}:
        return found
    return replace(found, python=python)
