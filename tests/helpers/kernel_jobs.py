"""Requests to kernels of the native engine, and what two of them gave side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from networks import antimony

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines import Native
from sbmlgrad.engines.base import Request, Sample
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.network import ReactionNetwork

FIELDS = ("values", "outcomes", "firings", "failed_reaction", "end_times", "end_states")

#: One network for everything that laws do, so that little is compiled: what happens in a test is
#: decided by its inputs (`case`).
VERSATILE = (
    "substanceOnly species X in cell, Y in cell; X = 6; Y = 4;"
    "birth = 3; death = 0.5; dimer = 0.1; drain = 1; source = 1; odd = 1; boom = 1; grow = 1;"
    "J0: => X; birth; J1: X => ; death*X; J2: 2 X => Y; dimer*X*(X - 1)/2; J3: Y => ; drain;"
    "J4: => Y; source; J5: X => ; odd*X*ln(X/4 + 0.3); J6: => X; boom*exp(grow*X);"
)
#: Laws of moderate size with products of constants that are 0 or infinite as double precision.
OUT_OF_RANGE = (
    "substanceOnly species A in cell; A = 9; a = 1e-200; b = 1e-200; c = 1e-300;"
    "J0: A => ; a*A*b/c; J1: => A; 1e100*(a/c);"
)
#: Thousands of firings in a unit of time.
BUSY = (
    "species X = 5; R1: => X; b; R2: X => ; m*X; b = 40000; m = 100; "
    "species Y = 3; R3: Y => ; m*Y/50;"
)
#: Laws that are no products of powers.
NO_PRODUCTS = (
    "species X = 4; species Y = 9; R1: => X; v/(1 + (Y/K)^h) + v0; R2: X => Y; k*X/(J + X);"
    "R3: Y => ; sqrt(k*Y + 1) - 1; v = 20; K = 5; h = 2.5; v0 = 1; k = 6; J = 2;"
)
OFF = dict.fromkeys(("drain", "source", "odd", "boom", "grow"), 0.0)
ON = {"birth": 3.0, "death": 0.5, "dimer": 0.1}
CASES: Mapping[str, Mapping[str, float]] = {
    "goes_on": ON,
    "absorbed": ON | {"birth": 0.0},
    "runs_out": ON | {"drain": 1.0, "source": 0.3},
    "turns_negative": ON | {"odd": 1.0},
    "overflows": ON | {"boom": 0.01, "grow": 90.0},
}


def request_of(
    net: ReactionNetwork,
    readout: Readout,
    trajectories: int = 1,
    seed: int = 7,
    *,
    first: int = 0,
    inputs: Mapping[str, float] | None = None,
    start: Sequence[Sequence[float]] | None = None,
) -> Request:
    """Ask for trajectories; `inputs` replaces values of the model without another lowering."""
    lowered = lower(net)
    values = dict(initial_values(net))
    given = np.array([[values[s] for s in lowered.state_ids]] if start is None else start)
    values |= inputs or {}
    return Request(
        lowered,
        np.array([values[i] for i in lowered.input_ids], dtype=np.float64),
        given.astype(np.float64),
        readout,
        trajectories,
        seed,
        first_trajectory=first,
    )


@lru_cache
def versatile() -> ReactionNetwork:
    return antimony(VERSATILE)


def case(name: str, readout: Readout, trajectories: int = 70, seed: int = 7, **more) -> Request:
    """Ask for trajectories of the versatile network under the inputs of a case."""
    return request_of(
        versatile(), readout, trajectories, seed, inputs=OFF | dict(CASES[name]), **more
    )


def both(request: Request, *, threads: int = 2, **settings) -> tuple[Sample, Sample]:
    """Return what the table-driven kernel and the lockstep kernel give."""
    found = [
        Native(threads=threads, kernel=kernel, **settings).sample(request)
        for kernel in ("table", "lockstep")
    ]
    return found[0], found[1]


def assert_same_bits(request: Request, **settings) -> Sample:
    """Check that both kernels give the same, to the last bit; returns it."""
    table, lockstep = both(request, **settings)
    for field in FIELDS:
        np.testing.assert_array_equal(
            getattr(lockstep, field), getattr(table, field), err_msg=field, strict=True
        )
    return lockstep
