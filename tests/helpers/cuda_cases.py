"""Jobs that the CUDA kernels are simulated on, by name, for the tests and their child process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from networks import antimony, network, shipped

import sbmlgrad as sg
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, Readout, ValuesAt, WindowAverages
from sbmlgrad.simulation import simulate

COUNTS = "substanceOnly species X in cell; "

#: Laws with every kind of function that a kernel prints differently from a CPU's.
FUNCTIONS = (
    "substanceOnly species X, Y in cell; X = 5; Y = 3; k = 0.7;"
    "J0: => X; k*exp(-X/4) + floor(Y/2) + ceil(X/3);"
    "J1: X => Y; k*X*factorial(3)/(1 + X^2) + piecewise(0.5*X, X > 3, 0.1*X);"
    "J2: Y => ; Y*ln(2 + Y)*min(X + 1, 3)*abs(k)*sin(0.5)^2;"
)
RANDOM_START = COUNTS + "X = 2.5; k = 1; J0: X => 2 X; 0.3*k*X; J1: X => ; 0.2*X;"
EMPTIED = COUNTS + "X = 3; k = 1; J0: X => ; k;"
NEGATIVE = COUNTS + "X = 3; k = 1; J0: => X; k; J1: X => ; X*ln(X/4 + 0.3);"
UNDEFINED = COUNTS + "X = 3; k = 1; J0: X => ; k*X/(X - 2)^2;"
OVERFLOWING = COUNTS + "X = 3; k = 1.5e308; J0: X => ; k*X/3; J1: => X; k*X/3;"
RUNAWAY = COUNTS + "X = 5; k = 1; J0: X => 2 X; k*X;"


@dataclass(frozen=True)
class Case:
    """One job.

    Attributes:
        model: a small network's name, `oscillator`, or Antimony text.
        readout: what is kept.
        options: of `simulate`.
        engine: of `Cuda`; its firing limit also holds for the engine compared with.
        load: of `sg.load`.
    """

    model: str
    readout: Readout
    options: Mapping[str, Any] = field(default_factory=dict)
    engine: Mapping[str, Any] = field(default_factory=dict)
    load: Mapping[str, Any] = field(default_factory=dict)

    def network(self) -> sg.ReactionNetwork:
        """Load the model."""
        if self.model == "oscillator":
            return shipped(self.model)
        if ";" not in self.model:
            return network(self.model)
        if self.load:
            from small_networks import HEAD

            return sg.load(HEAD + self.model, **self.load)
        return antimony(self.model)

    def run(self, engine: Any) -> sg.Ensemble:
        """Simulate on an engine."""
        options = {"trajectories": 40, "seed": 7, "on_failure": "mark", **self.options}
        return simulate(self.network(), readouts=[self.readout], engine=engine, **options)


SMALL = {"threads_per_block": 32, "blocks": 1}

CASES = {
    f"{name} {type(readout).__name__}": Case(name, readout, engine=SMALL)
    for name in ("ion_channel", "small_dimer", "michaelis_menten")
    for readout in (
        ValuesAt([0, 0.3, 1, 2.5]),
        WindowAverages([0.4, 0.9, 1.0]),
        Interpolated([0, 0.2, 1.1]),
        AfterFirings([0, 1, 7, 20]),
    )
}
CASES |= {
    "oscillator": Case("oscillator", AfterFirings([50, 300]), {"trajectories": 20}),
    "functions": Case(FUNCTIONS, ValuesAt([0.5, 2.0, 6.0]), engine=SMALL),
    "random start": Case(RANDOM_START, ValuesAt([1, 3]), load={"initial": "randomised"}),
    "largest addresses": Case(
        "small_dimer",
        ValuesAt([1]),
        {"trajectories": 33, "first_trajectory": 2**32 - 33, "seed": 2**63 - 1},
    ),
    "absorbed": Case("epidemic", ValuesAt([0, 5, 60]), {"trajectories": 20}),
    "absorbed windows": Case("epidemic", WindowAverages([0, 5, 60]), {"trajectories": 20}),
    "absorbed firings": Case("epidemic", AfterFirings([3, 5000]), {"trajectories": 10}),
    "no reactions": Case(COUNTS + "X = 4;", ValuesAt([0, 1]), {"trajectories": 3}),
    "negative count": Case(EMPTIED, ValuesAt([1, 50])),
    "negative count windows": Case(EMPTIED, WindowAverages([0, 1, 50])),
    "negative count firings": Case(EMPTIED, AfterFirings([2, 9])),
    "negative count interpolated": Case(EMPTIED, Interpolated([1, 50])),
    "negative propensity": Case(NEGATIVE, ValuesAt([1, 50])),
    "undefined propensity": Case(UNDEFINED, ValuesAt([1, 50])),
    "infinite total": Case(OVERFLOWING, ValuesAt([1])),
    "runaway": Case(RUNAWAY, ValuesAt([1, 30]), engine={"firing_limit": 40}),
    "runaway windows": Case(RUNAWAY, WindowAverages([1, 30]), engine={"firing_limit": 40}),
    "runaway firings": Case(RUNAWAY, AfterFirings([3, 90]), engine={"firing_limit": 40}),
    "runaway interpolated": Case(RUNAWAY, Interpolated([3, 30]), engine={"firing_limit": 40}),
}

#: Faults planted into a kernel: its source is changed by replacing one text by another.
FAULTS = {
    "stoichiometry": ("x0 = x0 + d0", "x0 = x0 + d0 + d0"),
    "selection": ("target = product(v, total)", "target = product(u, total)"),
    "streams": ("^ k3)", "^ k4)"),
    "clock": ("+ wait / total", "+ wait / total / 2.0"),
}
